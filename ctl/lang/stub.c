typedef int ctl_lang; /* placeholder: the owner of this room deletes this file */
