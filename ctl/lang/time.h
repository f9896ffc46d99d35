/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LANG_TIME_H
#define LANG_TIME_H
/*
 * time - spans, hours and dates.  A rule says the local time, as nft does; the model has UTC.
 */
#include <lang/parse.h>

/* "17:30", "17:30:05" with or without quotes, or a number of seconds: UTC, 0 to 86399. */
int parse_hour(struct parser *p, uint64_t *ret);
/* `1d2h3m4s` or a number: seconds. */
int parse_seconds(struct parser *p, uint64_t *ret);
/* "2026-11-21 17:30:05", "2026-11-21 17:30", "2026-11-21" or a number: seconds since 1970 UTC. */
int parse_date(struct parser *p, uint64_t *ret);
void print_date(uint64_t s, struct strbuf *b);
void print_hour(uint64_t utc, struct strbuf *b);

#endif
