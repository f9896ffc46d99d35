/* SPDX-License-Identifier: GPL-2.0-only */
#include <base/base.h>

#include <ctype.h>

/* The one piece of process-wide state: a log line must be possible from anywhere, before any context exists. */
static enum log_level log_max = LOG_LEVEL_INFO;

void log_set_level(enum log_level max)
{
	log_max = max;
}

/* Names and comments come from users and peers: one message is one line, whatever they contain. */
static void make_one_line(char *s)
{
	for (; *s; s++) {
		if (iscntrl((unsigned char)*s))
			*s = '?';
	}
}

static void log_write(int level, const char *line)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "%s\n", line);
	else
		fprintf(stderr, "<%d>%s\n", level, line);
}

void log_packet(int level, const char *line)
{
	char text[2048];

	snprintf(text, sizeof(text), "%s", line);
	make_one_line(text);
	log_write(level, text);
}

static void log_vat(enum log_level level, const char *fmt, va_list args)
{
	char line[1024];
	int saved = errno;

	if (level > log_max)
		return;
	vsnprintf(line, sizeof(line), fmt, args);
	make_one_line(line);
	log_write((int)level, line);
	errno = saved;
}

void log_at(enum log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_vat(level, fmt, args);
	va_end(args);
}

int raise_error(int r, const char *fmt, ...)
{
	char text[768];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_err("%s: %s", text, strerror(-r));
	return r;
}
