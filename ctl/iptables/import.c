/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A dump of somebody else's rules: what we can say is taken over, what we can not is reported, line by line.
 */
#include <iptables/convert.h>
#include <iptables/restore.h>

struct import {
	const char *file;
	struct restorer restorer;
	struct diag d;
	bool detect;	 /* the comments of the dump say which family it is */
	bool lost_table; /* up to COMMIT: nobody knows the table */
	struct strbuf *report;
	struct xt_import_result *result;
};

static bool begins(const char *line, size_t len, const char *word)
{
	return len >= strlen(word) && !memcmp(line, word, strlen(word));
}

/* Reason first, then the line as it stood there. */
static void report_line(struct import *im, unsigned int number, const char *line, size_t len,
			const char *why)
{
	while (len && (line[len - 1] == '\r' || line[len - 1] == ' '))
		len--;
	strbuf_printf(im->report, "%s:%u: %s\n    %.*s\n", im->file, number, why,
		      (int)MIN(len, 4096U), line);
	im->result->lost_lines++;
}

static bool is_rule(const char *line, size_t len)
{
	const char *bracket = len && *line == '[' ? memchr(line, ']', len) : NULL;

	if (bracket) {
		len -= (size_t)(bracket + 1 - line);
		line = bracket + 1;
	}
	while (len && *line == ' ') {
		line++;
		len--;
	}
	return begins(line, len, "-A") || begins(line, len, "-I") || begins(line, len, "--append");
}

static void detect_family(struct import *im, const char *line, size_t len)
{
	if (!im->detect)
		return;
	if (memmem(line, len, " by ip6tables", 13))
		im->restorer.version = 6;
	else if (memmem(line, len, " by iptables", 12))
		im->restorer.version = 4;
}

/* Rules of a table that does not exist here are all reported. */
static int lost_line(struct import *im, unsigned int number, const char *line, size_t len)
{
	if (begins(line, len, "COMMIT"))
		im->lost_table = false;
	else if (*line != '#')
		report_line(im, number, line, len, "its table is not supported");
	return 0;
}

static int import_line(struct import *im, unsigned int number, const char *line, size_t len)
{
	int r;

	while (len && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	if (!len)
		return 0;
	if (*line == '#')
		detect_family(im, line, len);
	im->result->rules += is_rule(line, len);
	if (im->lost_table) {
		im->result->lost_rules += is_rule(line, len);
		return lost_line(im, number, line, len);
	}
	im->d = (struct diag){};
	r = restore_line(&im->restorer, line, len);
	if (r <= 0)
		return r;
	im->lost_table = *line == '*';
	if (im->lost_table)
		im->restorer.table = NULL;
	im->result->lost_rules += is_rule(line, len);
	report_line(im, number, line, len, im->d.text);
	return 0;
}

int xt_import(const char *file, const char *text, size_t len, struct ruleset *rs,
	      struct strbuf *report, int version, unsigned int flags, struct xt_import_result *ret)
{
	struct import im = { .file = file, .detect = !version, .report = report, .result = ret };
	unsigned int number = 1;
	int r = 0;

	*ret = (struct xt_import_result){};
	im.restorer = (struct restorer){ .rs = rs,
					 .version = version ? version : 4,
					 .keep = flags & XT_IMPORT_KEEP,
					 .counters = flags & XT_IMPORT_COUNTERS,
					 .d = &im.d };
	for (; !r && len; number++) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;

		r = import_line(&im, number, text, n);
		n += !!end;
		text += n;
		len -= n;
	}
	if (!r && (im.restorer.table || im.lost_table))
		report_line(&im, number, "", 0,
			    "COMMIT is missing: the dump may have been cut off");
	own_sweep(rs, 4);
	own_sweep(rs, 6);
	return r || !report->failed ? r : -ENOMEM;
}
