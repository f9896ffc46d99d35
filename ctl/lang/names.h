/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LANG_NAMES_H
#define LANG_NAMES_H
/*
 * names - words for numbers: protocols, services, ICMP types, connection states, priorities.
 *
 * Built in, so that a ruleset means the same on every machine.  Where a number has several names the first row is the
 * one that is printed.
 */
#include <model/model.h>

struct name_row {
	const char *name;
	uint32_t value;
};

/* The table for values of a type; NULL: none. */
const struct name_row *names_of(enum field_type type);
bool name_to_value(const struct name_row *rows, const char *s, size_t len, uint32_t *ret);
const char *value_to_name(const struct name_row *rows, uint32_t value); /* NULL: print the number */

/* Kinds of ICMP error: `reject with FAMILY TYPE`. */
struct reject_row {
	const char *family; /* icmp, icmpv6, icmpx */
	const char *type;
	uint32_t code; /* GW_REJECT_* */
};
extern const struct reject_row reject_rows[17];

/* Words that the parser, the printer and JSON share; {} ends a table. */
extern const struct name_row nat_flag_names[];	/* GW_NATF_* */
extern const struct name_row time_unit_names[]; /* seconds: what a rate is per */
extern const struct name_row log_level_names[]; /* syslog's */
extern const char *const byte_unit_names[3];	/* 1, 1 << 10, 1 << 20 bytes */
/* The largest of these units that the number is a multiple of. */
uint8_t byte_unit_of(uint64_t bytes);
struct log_flag_row {
	const char *layer; /* or NULL */
	const char *word;
	unsigned int flag; /* NF_LOG_*; the last row is all of them */
};
extern const struct log_flag_row log_flag_rows[6];

/* Priority names as nft allows them: dstnat at prerouting only, srcnat at postrouting only. */
bool prio_to_value(const char *s, size_t len, int hook_nf, int *ret);
/* "filter", "filter + 10", "-5" */
void prio_print(int prio, int hook_nf, struct strbuf *b);

/* known.c: a word that nft knows and this program does not; first is the word before it ("" for a match or statement). */
bool word_is_known_elsewhere(const char *first, const char *s, size_t len);

#endif
