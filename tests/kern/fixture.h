/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_KERN_FIXTURE_H
#define TESTS_KERN_FIXTURE_H
/*
 * fixture - a network namespace, a mount namespace and a pin directory for one test of ctl/kern.
 *
 * Nothing leaves the process: the namespaces end with it.
 */
#include <check.h>
#include <kern/impl.h>

extern char pin_dir[256]; /* not made yet when a test starts */

void fixture_setup(void);		/* checked fixture: two veth ends a0 and b0, up */
void fixture_teardown(void);		/* kern_off() */
int fixture_main(Suite *(*make)(void)); /* runs as root or exits with 77 */

/* Run a shell command; the test fails if it does. */
void sh(const char *fmt, ...) _printf_(1, 2);
/* Number of lines a shell command prints. */
int sh_lines(const char *fmt, ...) _printf_(1, 2);

/* Small tables, so that opening is quick. */
struct kern_config fixture_config(bool clsact);
struct kern *fixture_open(bool clsact, bool expect_adopted);
unsigned int ifindex_of(const char *name);
uint32_t prog_on(const char *ifname, enum kern_dir dir,
		 bool clsact);			      /* our program's id there, 0 = none */
int tcx_count(const char *ifname, enum kern_dir dir); /* programs on the tcx hook, anybody's */
/* A program of somebody else that lets everything pass, as a filter; 0 or -errno. */
int foreign_filter(const char *ifname, enum kern_dir dir, unsigned int prio);
#endif
