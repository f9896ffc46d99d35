typedef int ctl_iptables; /* placeholder: the owner of this room deletes this file */
