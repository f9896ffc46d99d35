typedef int ctl_base; /* placeholder: the owner of this room deletes this file */
