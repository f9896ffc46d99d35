typedef int ctl_kern; /* placeholder: the owner of this room deletes this file */
