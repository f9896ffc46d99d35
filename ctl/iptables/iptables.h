/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IPTABLES_IPTABLES_H
#define IPTABLES_IPTABLES_H
/*
 * iptables - the iptables/ip6tables dialect <-> model.
 *
 * iptables_run() executes one command line ("-t nat -A POSTROUTING -o eth0 -j MASQUERADE") against *rs in place.  Listing commands
 * (-S, -L, -C) print into *out and leave rs alone.  IPTABLES_E_DIAG: refused, *d is one line that names the option; rs is
 * to be thrown away (callers work on a copy).  IPTABLES_E_NOMATCH: -C/-D found no such rule (exit code 1, text in *d).
 */
#include <model/model.h>

enum { IPTABLES_E_DIAG = 1, IPTABLES_E_NOMATCH, IPTABLES_E_USAGE };

int iptables_run(struct ruleset *rs, int version, int argc, char **argv, struct strbuf *out,
		 bool *ret_changed,
		 struct diag *d); /* version 4 or 6; argv without the program name */
/* iptables-save [-c] [-t table]; iptables-restore [-n] [-c] [-T table] (text in, all or nothing is the caller's). */
int iptables_save(const struct ruleset *rs, int version, int argc, char **argv, struct strbuf *out,
		  struct diag *d);
int iptables_restore(struct ruleset *rs, int version, int argc, char **argv, const char *text,
		     size_t len, struct diag *d);
#endif
