/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_UTIL_H
#define BENCH_UTIL_H
/* Small things: give up, run a shell script, start a helper process. */
#include <sys/types.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Say why and exit with 1: a benchmark that lost its footing has nothing to report. */
void die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Progress, to stderr. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Run @script by sh with the variables "NAME=value" of the NULL-terminated @env; its exit status. */
int sh_run(const char *script, char *const env[]);

/* The same in the background, away from @cpu; it dies with us.  @out_fd >= 0 becomes its stdout. */
pid_t sh_start(const char *script, char *const env[], int cpu, int out_fd);

/* Run on any CPU but @cpu (on all with -1) from now on. */
void leave_cpu(int cpu);

/* All of a file as a string, NULL if there is none.  The caller frees. */
char *text_read(const char *path);

/* End a process of sh_start and wait for it. */
void sh_stop(pid_t pid);
#endif
