/* SPDX-License-Identifier: GPL-2.0-only */
#include <model/model.h>

#include <ctype.h>

struct standard_row {
	const char *table;
	const char *chain;
	int prio;
};

/* The matrix: the row number is the slot. */
static const struct standard_row standard_rows[GW_HOOK_MAX] = {
#define GW_HOOK(id, table, chain, prio_name, prio) [GW_HOOK_##id] = { table, chain, prio },
#include <gw/hook.def>
#undef GW_HOOK
};

/* Base chains can sit in any row; FILTER_PREROUTING is none that comes to exist by itself. */
static bool row_is_standard(const struct standard_row *row)
{
	return row != &standard_rows[GW_HOOK_FILTER_PREROUTING];
}

static int hook_number(const char *chain)
{
	for (int i = 0; hook_name(i); i++) {
		if (!strcmp(hook_name(i), chain))
			return i;
	}
	return -1;
}

/* How the family spells a chain: lower case in inet, upper case where the iptables dialect lives. */
static void standard_name(enum family f, const char *chain, char ret[16])
{
	size_t i;

	for (i = 0; chain[i] && i < 15; i++)
		ret[i] = f == FAMILY_INET ? chain[i] : (char)toupper((unsigned char)chain[i]);
	ret[i] = '\0';
}

static const struct standard_row *standard_find(enum family f, const char *table, const char *chain)
{
	for (size_t i = 0; i < GW_HOOK_MAX; i++) {
		char name[16];

		standard_name(f, standard_rows[i].chain, name);
		if (row_is_standard(&standard_rows[i]) && !strcmp(standard_rows[i].table, table) &&
		    !strcmp(name, chain))
			return &standard_rows[i];
	}
	return NULL;
}

bool table_is_standard(const char *name)
{
	for (size_t i = 0; i < GW_HOOK_MAX; i++) {
		if (!strcmp(standard_rows[i].table, name))
			return true;
	}
	return false;
}

static enum chain_type standard_type(const struct standard_row *row)
{
	if (!strcmp(row->table, "nat"))
		return CHAIN_NAT;
	if (!strcmp(row->table, "mangle") && !strcmp(row->chain, "output"))
		return CHAIN_ROUTE;
	return CHAIN_FILTER;
}

static int standard_make(struct ruleset *rs, struct table *t, const struct standard_row *row)
{
	struct chain *c;
	char name[16];
	int r;

	standard_name(t->family, row->chain, name);
	r = table_add_chain(rs, t, name, &c);
	if (r < 0)
		return r == -EEXIST ? 0 : r;
	c->base = true;
	c->type = standard_type(row);
	c->hook_nf = hook_number(row->chain);
	c->prio = row->prio;
	return 0;
}

static int standard_make_table(struct ruleset *rs, struct table *t)
{
	for (size_t i = 0; i < GW_HOOK_MAX; i++) {
		int r = 0;

		if (row_is_standard(&standard_rows[i]) && !strcmp(standard_rows[i].table, t->name))
			r = standard_make(rs, t, &standard_rows[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

struct chain *ruleset_standard_chain(struct ruleset *rs, enum family f, const char *table,
				     const char *chain)
{
	const struct standard_row *row = standard_find(f, table, chain);
	struct table *t;
	int r;

	if (!row) {
		errno = ENOENT;
		return NULL;
	}
	r = ruleset_add_table(rs, f, table, &t);
	if (r == 0)
		r = f == FAMILY_INET ? standard_make(rs, t, row) : standard_make_table(rs, t);
	if (r < 0) {
		errno = -r;
		return NULL;
	}
	return table_chain(t, chain);
}

/*
 * A base chain sits in the row whose place it has in the order of traversal: tracking at -200, DNAT at -100 and SNAT at
 * 100 are what priorities are before or behind.
 */
static int slot_of_nat(int hook_nf)
{
	switch (hook_nf) {
	case 0:
		return GW_HOOK_NAT_PREROUTING;
	case 1:
		return GW_HOOK_NAT_INPUT;
	case 3:
		return GW_HOOK_NAT_OUTPUT;
	case 4:
		return GW_HOOK_NAT_POSTROUTING;
	default:
		return -1;
	}
}

static int slot_by_prio(int prio, int mangle_end, int mangle, int filter, int security)
{
	if (prio < mangle_end)
		return mangle;
	return prio < 50 ? filter : security;
}

static int slot_of_filter(int hook_nf, int prio)
{
	switch (hook_nf) {
	case 0:
		if (prio < -200)
			return GW_HOOK_RAW_PREROUTING;
		return prio < -100 ? GW_HOOK_MANGLE_PREROUTING : GW_HOOK_FILTER_PREROUTING;
	case 1:
		return slot_by_prio(prio, 0, GW_HOOK_MANGLE_INPUT, GW_HOOK_FILTER_INPUT,
				    GW_HOOK_SECURITY_INPUT);
	case 2:
		return slot_by_prio(prio, 0, GW_HOOK_MANGLE_FORWARD, GW_HOOK_FILTER_FORWARD,
				    GW_HOOK_SECURITY_FORWARD);
	case 3:
		if (prio < -200)
			return GW_HOOK_RAW_OUTPUT;
		return slot_by_prio(prio, -100, GW_HOOK_MANGLE_OUTPUT, GW_HOOK_FILTER_OUTPUT,
				    GW_HOOK_SECURITY_OUTPUT);
	case 4:
		return prio < 100 ? GW_HOOK_MANGLE_POSTROUTING : -1;
	default:
		return -1;
	}
}

int chain_hook(const struct chain *c)
{
	if (!c->base)
		return -1;
	if (c->type == CHAIN_NAT)
		return c->prio > -200 ? slot_of_nat(c->hook_nf) : -1;
	if (c->type == CHAIN_ROUTE && c->hook_nf != 3)
		return -1;
	return slot_of_filter(c->hook_nf, c->prio);
}
