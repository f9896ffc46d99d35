/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Targets that tell somebody: LOG, NFLOG.
 */
#include <iptables/ext.h>
#include <iptables/names.h>

#include <linux/netfilter/nf_log.h>

#define LEVEL_DEFAULT  4
#define LOG_PREFIX_MAX 29

static const struct {
	char key;
	unsigned int flag;
	const char *option, *listed;
} flags[] = {
	{ 's', NF_LOG_TCPSEQ, "log-tcp-sequence", "tcp-sequence" },
	{ 'o', NF_LOG_TCPOPT, "log-tcp-options", "tcp-options" },
	{ 'i', NF_LOG_IPOPT, "log-ip-options", "ip-options" },
	{ 'u', NF_LOG_UID, "log-uid", "uid" },
	{ 'm', NF_LOG_MACDECODE, "log-macdecode", "macdecode" },
};

static int read_prefix(struct xt_target *t, const char *value, size_t max, struct diag *d)
{
	if (!*value)
		return xt_usage(d, "Argument must have a minimum length of 1 characters");
	for (const char *c = value; *c; c++)
		if ((*c > 0 && *c < ' ') || *c == 127)
			return xt_usage(d,
					"Newlines and other control characters are not allowed in "
					"a log prefix");
	/* as iptables does, which says nothing either */
	snprintf(t->log.prefix, sizeof(t->log.prefix), "%.*s", (int)max, value);
	return 0;
}

static int read_log(struct xt_target *t, char key, const char *value, const struct xt_rule *x,
		    struct diag *d)
{
	if (key == 'p')
		return read_prefix(t, value, LOG_PREFIX_MAX, d);
	if (key == 'l')
		return name_to_level(value, &t->log.level, d);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (flags[i].key == key)
			t->log.flags |= flags[i].flag;
	return 0;
}

static uint8_t log_level(const struct xt_target *t)
{
	return t->seen & OPTION_SEEN('l') ? t->log.level : LEVEL_DEFAULT;
}

static void save_log(const struct xt_target *t, int version, struct strbuf *b)
{
	if (*t->log.prefix) {
		strbuf_puts(b, " --log-prefix ");
		save_text(t->log.prefix, b);
	}
	if (log_level(t) != LEVEL_DEFAULT)
		strbuf_printf(b, " --log-level %u", log_level(t));
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (t->log.flags & flags[i].flag)
			strbuf_printf(b, " --%s", flags[i].option);
}

static void list_log(const struct xt_target *t, int version, bool numeric, struct strbuf *b)
{
	if (numeric) {
		strbuf_printf(b, " LOG flags %u level %u", t->log.flags, log_level(t));
	} else {
		strbuf_printf(b, " LOG level %s", level_to_name(log_level(t)));
		for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
			if (t->log.flags & flags[i].flag)
				strbuf_printf(b, " %s", flags[i].listed);
	}
	if (*t->log.prefix)
		strbuf_printf(b, " prefix \"%s\"", t->log.prefix);
}

static int read_nflog(struct xt_target *t, char key, const char *value, const struct xt_rule *x,
		      struct diag *d)
{
	switch (key) {
	case 'g':
		return read_option_number("NFLOG", "nflog-group", value, 0, UINT16_MAX,
					  &t->log.group, d);
	case 'p':
		if (strlen(value) > XT_PREFIX_MAX - 1)
			return xt_refuse(d,
					 "NFLOG: a prefix of more than %d characters is not "
					 "supported",
					 XT_PREFIX_MAX - 1);
		return read_prefix(t, value, XT_PREFIX_MAX - 1, d);
	case 's':
		t->log.has_size = true;
		return read_option_number("NFLOG", "nflog-size", value, 1, UINT32_MAX, &t->log.size,
					  d);
	case 't':
		return read_option_number("NFLOG", "nflog-threshold", value, 1, UINT16_MAX,
					  &t->log.threshold, d);
	default:
		return xt_refuse(d, "option `--nflog-range' has never worked: use --nflog-size");
	}
}

static void nflog_print(const struct xt_target *t, const char *dashes, struct strbuf *b)
{
	if (*t->log.prefix) {
		strbuf_printf(b, " %snflog-prefix ", dashes);
		save_text(t->log.prefix, b);
	}
	if (t->log.group)
		strbuf_printf(b, " %snflog-group %u", dashes, t->log.group);
	if (t->log.has_size)
		strbuf_printf(b, " %snflog-size %u", dashes, t->log.size);
	if (t->log.threshold > 1 || (t->log.threshold && t->seen & OPTION_SEEN('t')))
		strbuf_printf(b, " %snflog-threshold %u", dashes, t->log.threshold);
}

static void save_nflog(const struct xt_target *t, int version, struct strbuf *b)
{
	nflog_print(t, "--", b);
}

static void list_nflog(const struct xt_target *t, int version, bool numeric, struct strbuf *b)
{
	nflog_print(t, "", b);
}

static const struct arg_option log_options[] = {
	{ "log-prefix", 'p', ARG_REQUIRED },   { "log-level", 'l', ARG_REQUIRED },
	{ "log-tcp-sequence", 's', ARG_NONE }, { "log-tcp-options", 'o', ARG_NONE },
	{ "log-ip-options", 'i', ARG_NONE },   { "log-uid", 'u', ARG_NONE },
	{ "log-macdecode", 'm', ARG_NONE },    {},
};
static const struct arg_option nflog_options[] = {
	{ "nflog-group", 'g', ARG_REQUIRED }, { "nflog-prefix", 'p', ARG_REQUIRED },
	{ "nflog-size", 's', ARG_REQUIRED },  { "nflog-threshold", 't', ARG_REQUIRED },
	{ "nflog-range", 'r', ARG_REQUIRED }, {},
};

const struct target_row row_to_log = {
	.name = "LOG",
	.options = log_options,
	.read = read_log,
	.save = save_log,
	.list = list_log,
	.once = true,
};
const struct target_row row_to_nflog = {
	.name = "NFLOG",
	.options = nflog_options,
	.read = read_nflog,
	.save = save_nflog,
	.list = list_nflog,
	.once = true,
};
