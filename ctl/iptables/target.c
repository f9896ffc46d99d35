/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of targets.
 */
#include <iptables/ext.h>

static void save_nothing(const struct xt_target *t, int version, struct strbuf *b) {}
static void list_nothing(const struct xt_target *t, int version, bool numeric, struct strbuf *b) {}

static const struct arg_option no_options[] = { {} };

#define PLAIN_ROW(text)                                                                           \
	{                                                                                         \
		.name = (text), .options = no_options, .save = save_nothing, .list = list_nothing \
	}
static const struct target_row row_none = PLAIN_ROW("");
static const struct target_row row_accept = PLAIN_ROW("ACCEPT");
static const struct target_row row_drop = PLAIN_ROW("DROP");
static const struct target_row row_return = PLAIN_ROW("RETURN");

static const struct target_row *const rows[XT_TARGET_MAX] = {
	[XT_NO_TARGET] = &row_none,
	[XT_ACCEPT] = &row_accept,
	[XT_DROP] = &row_drop,
	[XT_RETURN] = &row_return,
	[XT_REJECT] = &row_to_reject,
	[XT_MASQUERADE] = &row_to_masquerade,
	[XT_SNAT] = &row_to_snat,
	[XT_DNAT] = &row_to_dnat,
	[XT_REDIRECT] = &row_to_redirect,
	[XT_NETMAP] = &row_to_netmap,
	[XT_CT] = &row_to_ct,
	[XT_NOTRACK] = &row_to_notrack,
	[XT_LOG] = &row_to_log,
	[XT_NFLOG] = &row_to_nflog,
	[XT_TO_MARK] = &row_to_mark,
	[XT_TO_CONNMARK] = &row_to_connmark,
	[XT_TCPMSS] = &row_to_tcpmss,
	[XT_TO_DSCP] = &row_to_dscp,
	[XT_TO_TTL] = &row_to_ttl,
	[XT_TO_HL] = &row_to_hl,
	[XT_CHAIN] = &row_none,
};

const struct target_row *target_row(enum xt_target_kind kind)
{
	return rows[kind];
}

enum xt_target_kind target_find(const char *name)
{
	for (int i = XT_ACCEPT; i < XT_CHAIN; i++)
		if (!strcmp(rows[i]->name, name))
			return (enum xt_target_kind)i;
	return XT_TARGET_MAX;
}

const char *target_name(const struct xt_target *t)
{
	return t->kind == XT_CHAIN ? t->chain : rows[t->kind]->name;
}

const char *target_shown(const struct xt_target *t)
{
	return rows[t->kind]->shown ? rows[t->kind]->shown : target_name(t);
}

bool target_is_known(const char *name)
{
	static const char *const others[] = { "AUDIT",	     "CHECKSUM",    "CLASSIFY", "CLUSTERIP",
					      "CONNSECMARK", "DNPT",	    "ECN",	"HMARK",
					      "IDLETIMER",   "LED",	    "NFQUEUE",	"QUEUE",
					      "RATEEST",     "SECMARK",	    "SET",	"SNPT",
					      "SYNPROXY",    "TCPOPTSTRIP", "TEE",	"TOS",
					      "TPROXY",	     "TRACE",	    "ULOG" };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (!strcmp(others[i], name))
			return true;
	return false;
}
