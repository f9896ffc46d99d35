typedef int ctl_model; /* placeholder: the owner of this room deletes this file */
