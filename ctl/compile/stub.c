typedef int ctl_compile; /* placeholder: the owner of this room deletes this file */
