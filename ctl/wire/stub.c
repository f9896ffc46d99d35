typedef int ctl_wire; /* placeholder: the owner of this room deletes this file */
