/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_SETTINGS_H
#define GWD_SETTINGS_H
/*
 * settings - everything an operator can tune, as one value and one table of typed rows.
 *
 * The rows drive gwd.conf, --set, the requests get and set, and --help.  Pure: setting a value changes the struct and nothing else;
 * whoever owns the thing that is set makes it true afterwards.
 */
#include <base/diag.h>
#include <gw/abi.h>

enum flows_type { FLOWS_LRU, FLOWS_HASH };
enum timeouts { TIMEOUTS_NETFILTER, TIMEOUTS_RFC };

struct settings {
	char interfaces[1024]; /* names and patterns, separated by commas or blanks */
	uint32_t flows_max;
	uint32_t flows_embryonic_max;
	uint32_t flows_type;		  /* enum flows_type */
	uint32_t timeouts;		  /* enum timeouts: those that nobody set */
	uint32_t timeout[GW_TIMEOUT_MAX]; /* seconds, by class */
	uint64_t timeout_set;		  /* bit 1 << class: somebody did */
	uint32_t tcp_loose;
	uint32_t tcp_be_liberal;
	uint32_t recheck;
	uint32_t tcp_ignore_invalid_rst;
	uint32_t tcp_max_retrans;
	uint32_t tcp_strict;
	uint32_t checksum;
	uint32_t protect_local;
	char socket_group[64];
	char metrics_listen[128];
	uint32_t ring_bytes;
	uint32_t rules_mb;
	uint32_t dynset_max;
	uint32_t log_level; /* enum log_level - LOG_LEVEL_ERR */
};

enum setting_type { SETTING_NUMBER, SETTING_FLAG, SETTING_BOOL, SETTING_CHOICE, SETTING_TEXT };

struct setting_row {
	const char *name;
	enum setting_type type;
	size_t offset;
	uint64_t min, max; /* NUMBER: the range; TEXT: max is the size of the field */
	const char *def;
	const char *unit;
	bool live; /* `set` takes effect at once; otherwise at the next start */
	const char *const *choices;
	bool (*check)(const char *value, struct diag *d); /* a further condition, or NULL */
	const char *help;
};
extern const struct setting_row setting_rows[];
extern const size_t setting_rows_n;

/* d->text says what is wrong; the struct is untouched. */
enum { SETTINGS_E_DIAG = 1 };

void settings_init(struct settings *s);			  /* all defaults */
const struct setting_row *setting_find(const char *name); /* or NULL */
int settings_set(struct settings *s, const char *name, const char *value, struct diag *d);
void setting_get(const struct settings *s, const struct setting_row *row, char *ret_value,
		 size_t size);
/* Depends on `timeouts`. */
const char *setting_default(const struct settings *s, const struct setting_row *row);
/* Its value is what `timeouts` makes it. */
bool setting_follows(const struct settings *s, const struct setting_row *row);
bool setting_is_default(const struct settings *s, const struct setting_row *row);

/* The text of a gwd.conf: lines `key = value`, # comments. On SETTINGS_E_DIAG *d has file, line and column. */
int settings_parse(struct settings *s, const char *file, const char *text, struct diag *d);

/* Does one of the names or patterns of `interfaces` match? */
bool settings_manages(const struct settings *s, const char *ifname);

/* The table for people: one paragraph per key. */
void settings_help(struct strbuf *b);
#endif
