/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_BASE_H
#define BASE_BASE_H
/*
 * base - what every room of ctl uses: cleanup attributes, errors, log, growing strings, arrays.  Knows nothing of gw.
 *
 * Error model: int results; < 0 = -errno, fatal, said once (with raise()) by whoever finds it and then forwarded
 * silently; 0 = done; > 0 = an outcome listed in the module's header.  A mistake of the user is never an errno: it
 * is a struct diag (diag.h).
 */
#include <errno.h>
#include <signal.h> /* before the macro raise() hides the function of that name */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define _cleanup_(fn)	    __attribute__((cleanup(fn)))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _unused_	    __attribute__((unused))

#define TAKE_PTR(p)                     \
	({                              \
		__typeof__(p) _t = (p); \
		(p) = NULL;             \
		_t;                     \
	})
#define TAKE_FD(fd)            \
	({                     \
		int _t = (fd); \
		(fd) = -EBADF; \
		_t;            \
	})
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)     ((a) < (b) ? (a) : (b))
#define MAX(a, b)     ((a) > (b) ? (a) : (b))

/* DEFINE_FREEP(foo): foo_freep() for _cleanup_ from `struct foo *foo_free(struct foo *)`. */
#define DEFINE_FREEP(name)                               \
	static inline void name##_freep(struct name **p) \
	{                                                \
		*p = name##_free(*p);                    \
	}

static inline void freep(void *p)
{
	free(*(void **)p);
}
static inline void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
static inline void fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

/* Log to stderr as "<level>message\n" (journald's prefix) or, on a terminal, without it.  Verb first, key=value tail. */
enum log_level {
	LOG_LEVEL_ERR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7
};
void log_at(enum log_level level, const char *fmt, ...) _printf_(2, 3);
#define log_err(...)	 log_at(LOG_LEVEL_ERR, __VA_ARGS__)
#define log_warning(...) log_at(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)	 log_at(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)	 log_at(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	 log_at(LOG_LEVEL_DEBUG, __VA_ARGS__)
/* A line about a packet, with the syslog level that a rule gave it (0..7); log_set_level() does not hold it back. */
void log_packet(int level, const char *line);
void log_set_level(enum log_level max); /* default INFO */

/* Say an error once and return it: "TEXT: strerror(-r)".  r must be < 0. */
int raise_error(int r, const char *fmt, ...) _printf_(2, 3);
#define raise(r, ...) raise_error((r), __VA_ARGS__)

/*
 * strbuf - a growing string.  Allocation failure is remembered (failed) and checked once at the end.
 */
struct strbuf {
	char *s; /* NUL-terminated once anything was added; may be NULL */
	size_t len, cap;
	bool failed;
};
void strbuf_add(struct strbuf *b, const char *data, size_t n);
void strbuf_puts(struct strbuf *b, const char *s);
void strbuf_printf(struct strbuf *b, const char *fmt, ...) _printf_(2, 3);
void strbuf_deinit(struct strbuf *b); /* idempotent */
char *strbuf_take(
	struct strbuf
		*b); /* the caller owns it; NULL on allocation failure; "" if nothing was added */

/* Grow an array of `size`-byte elements so that index n is usable; 0 or -ENOMEM. */
int array_reserve(void **items, size_t *cap, size_t n, size_t size);

/* Read a whole file of at most max bytes into a NUL-terminated string. -EFBIG if larger. */
int file_read(const char *path, size_t max, char **ret_text, size_t *ret_len);
/* Write atomically: temporary file in the same directory, fsync, rename. */
int file_write_atomic(const char *path, const char *text, size_t len, unsigned int mode);

/* Strict decimal or 0x number in [min, max]; false on anything else (empty, sign, trailing characters, overflow). */
bool str_is_ascii(const char *s, size_t len);
bool str_to_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret);

#endif
