/* SPDX-License-Identifier: GPL-2.0-only */
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "util.h"

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("bench: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

void leave_cpu(int cpu)
{
	long i, n = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	CPU_ZERO(&set);
	for (i = 0; i < n; i++)
		if (i != cpu || n == 1)
			CPU_SET(i, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void child_exec(const char *script, char *const env[])
{
	for (; *env; env++)
		putenv(*env);
	execl("/bin/sh", "sh", "-euc", script, (char *)NULL);
	_exit(127);
}

int sh_run(const char *script, char *const env[])
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		die("fork failed");
	if (!pid) {
		leave_cpu(-1);
		child_exec(script, env);
	}
	if (waitpid(pid, &status, 0) < 0)
		die("waitpid failed");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

pid_t sh_start(const char *script, char *const env[], int cpu, int out_fd)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork failed");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	leave_cpu(cpu);
	if (out_fd >= 0)
		dup2(out_fd, STDOUT_FILENO);
	child_exec(script, env);
	return -1;
}

char *text_read(const char *path)
{
	char *text = NULL;
	size_t size = 0;
	FILE *in = fopen(path, "r");

	if (!in)
		return NULL;
	if (getdelim(&text, &size, '\0', in) < 0) {
		free(text);
		text = NULL;
	}
	fclose(in);
	return text;
}

void sh_stop(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
}
