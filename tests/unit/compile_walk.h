/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_COMPILE_WALK_H
#define TESTS_COMPILE_WALK_H
/*
 * Two readers of the same rules: walk_image() interprets the image as <gw/rule.h> states it, walk_model() looks at the
 * model and knows nothing of images.  Both write down what happened, step by step; tests compare the notes.
 */
#include <check.h>
#include <compile/compile.h>
#include <model/model.h>
#include <netinet/in.h>

/* Check notes every passed assertion in a file: too slow for millions of them. */
#define must(cond)                                 \
	do {                                       \
		if (!(cond))                       \
			ck_abort_msg("%s", #cond); \
	} while (0)

struct packet {
	int version;
	uint8_t saddr[16], daddr[16]; /* network order, IPv4 in the first 4 */
	uint8_t proto;
	uint16_t sport, dport; /* ICMP: dport = type << 8 | code */
	uint32_t iif, oif;
	uint32_t mark, ctmark;
	uint8_t ctstate; /* GW_CT_* */
};
struct step {
	uint32_t cid;
	uint8_t verdict; /* GW_V_* */
	uint32_t arg;	 /* reject */
	struct gw_nat nat;
};
#define NOTES_MAX 64
struct notes {
	struct step step[NOTES_MAX];
	size_t n;
};

static inline void note(struct notes *n, uint32_t cid, uint8_t verdict, uint32_t arg,
			const struct gw_nat *nat)
{
	struct step *s = &n->step[n->n++];

	must(n->n <= NOTES_MAX);
	memset(s, 0, sizeof(*s));
	s->cid = cid;
	s->verdict = verdict;
	s->arg = arg;
	if (nat)
		s->nat = *nat;
}

static inline uint32_t be32_num(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static inline uint64_t be64_num(const uint8_t *b)
{
	return (uint64_t)be32_num(b) << 32 | be32_num(b + 4);
}

static inline bool in6(const uint8_t *addr, const __u64 *lo, const __u64 *hi)
{
	uint64_t a[2] = { be64_num(addr), be64_num(addr + 8) };
	bool above = a[0] > lo[0] || (a[0] == lo[0] && a[1] >= lo[1]);
	bool below = a[0] < hi[0] || (a[0] == hi[0] && a[1] <= hi[1]);

	return above && below;
}

static inline bool line_matches4(const struct gw_rule *g, const struct packet *p)
{
	uint32_t s = be32_num(p->saddr), d = be32_num(p->daddr);

	return s >= g->saddr_lo && s <= g->saddr_hi && d >= g->daddr_lo && d <= g->daddr_hi;
}

static inline bool line_matches(const struct gw_rule *g, const struct packet *p)
{
	const struct gw_rule_addr6 *a6 = (const void *)(g + 1);

	if (p->version == 4 && !line_matches4(g, p))
		return false;
	if (g->flags & GW_RULE_ADDR6 && (!in6(p->saddr, a6->saddr_lo, a6->saddr_hi) ||
					 !in6(p->daddr, a6->daddr_lo, a6->daddr_hi)))
		return false;
	if (g->proto && g->proto != p->proto)
		return false;
	if (g->proto && (p->sport < g->sport_lo || p->sport > g->sport_hi ||
			 p->dport < g->dport_lo || p->dport > g->dport_hi))
		return false;
	return (!g->iif || g->iif == p->iif) && (!g->oif || g->oif == p->oif) &&
	       (p->mark & g->mark_mask) == g->mark && (p->ctmark & g->ctmark_mask) == g->ctmark &&
	       (!g->ctstate || g->ctstate & 1U << p->ctstate);
}

static inline const void *image_line(const struct image *img, uint32_t i)
{
	must(i < img->nlines);
	return img->lines + (size_t)i * GW_LINE_SIZE;
}

static inline uint32_t image_slot(const struct image *img, int hook, int version)
{
	unsigned int slot = (unsigned int)hook * 2 + (version == 6);
	const struct gw_slots *s = image_line(img, 1 + slot / 16);

	return s->line[slot % 16];
}

static inline void walk_image(const struct image *img, int hook, const struct packet *p,
			      struct notes *n)
{
	uint32_t at = image_slot(img, hook, p->version);

	for (size_t guard = 0; at; guard++) {
		const struct gw_rule *g = image_line(img, at);
		uint32_t act = at + 1 + !!(g->flags & GW_RULE_ADDR6);
		uint32_t following = act + !!(g->flags & GW_RULE_ACT);

		must(guard < img->nlines);
		if (!line_matches(g, p)) {
			at = following;
			continue;
		}
		if (g->verdict == GW_V_SKIP) {
			must(g->next > at);
			at = g->next;
			continue;
		}
		/* a line that is not counted is no event unless it does something */
		if (g->cid || g->verdict != GW_V_CONTINUE)
			note(n, g->cid, g->verdict, g->verdict == GW_V_REJECT ? g->arg : 0,
			     g->flags & GW_RULE_ACT ? image_line(img, act) : NULL);
		if (g->verdict == GW_V_DROP || g->verdict == GW_V_REJECT)
			return;
		if (g->verdict == GW_V_ACCEPT || g->verdict == GW_V_NAT ||
		    g->flags & GW_RULE_MORE) {
			must(!g->next || g->next > at);
			at = g->next;
		} else {
			at = following;
		}
	}
}

struct world {
	const struct compile_if *ifs;
	size_t n_ifs;
};

static inline bool if_is(const struct world *w, uint32_t ifindex, const char *pattern)
{
	size_t n = strlen(pattern);

	for (size_t i = 0; i < w->n_ifs; i++) {
		if (w->ifs[i].ifindex != ifindex)
			continue;
		if (n && pattern[n - 1] == '*')
			return !strncmp(w->ifs[i].name, pattern, n - 1);
		return !strcmp(w->ifs[i].name, pattern);
	}
	return false;
}

static inline bool elem_matches(const struct match *m, const struct elem *e, const struct packet *p,
				const struct world *w)
{
	const uint8_t *addr = m->field == FIELD_ID_IP_SADDR || m->field == FIELD_ID_IP6_SADDR
				      ? p->saddr
				      : p->daddr;
	uint32_t v = 0;

	switch (m->field) {
	case FIELD_ID_IIFNAME:
	case FIELD_ID_OIFNAME:
		if (!strcmp(e->name, "*"))
			return true;
		return if_is(w, m->field == FIELD_ID_IIFNAME ? p->iif : p->oif, e->name);
	case FIELD_ID_IP_SADDR:
	case FIELD_ID_IP_DADDR:
		return memcmp(addr, e->addr_lo, 4) >= 0 && memcmp(addr, e->addr_hi, 4) <= 0;
	case FIELD_ID_IP6_SADDR:
	case FIELD_ID_IP6_DADDR:
		return memcmp(addr, e->addr_lo, 16) >= 0 && memcmp(addr, e->addr_hi, 16) <= 0;
	case FIELD_ID_L4PROTO:
		v = p->proto;
		break;
	case FIELD_ID_TCP_SPORT:
	case FIELD_ID_UDP_SPORT:
		v = p->sport;
		break;
	case FIELD_ID_TCP_DPORT:
	case FIELD_ID_UDP_DPORT:
		v = p->dport;
		break;
	case FIELD_ID_ICMP_TYPE:
	case FIELD_ID_ICMP6_TYPE:
		v = p->dport >> 8;
		break;
	case FIELD_ID_CT_STATE:
		return e->num_lo & 1U << p->ctstate;
	case FIELD_ID_CT_MARK:
		v = p->ctmark & m->mask;
		break;
	case FIELD_ID_META_MARK:
		v = p->mark & m->mask;
		break;
	default:
		ck_abort_msg("a field the tests do not know");
	}
	return v >= e->num_lo && v <= e->num_hi;
}

static inline bool match_holds(const struct match *m, const struct packet *p, const struct world *w)
{
	const struct field_row *row = &field_rows[m->field];
	bool any = false;

	if (row->families != 46 && row->families != p->version)
		return false;
	if (row->implies && row->implies != p->proto)
		return false;
	for (size_t i = 0; i < m->n; i++)
		any |= elem_matches(m, &m->elems[i], p, w);
	return any != m->negate;
}

static inline bool rule_holds(const struct rule *r, const struct packet *p, const struct world *w)
{
	for (size_t i = 0; i < r->n_matches; i++)
		if (!match_holds(&r->matches[i], p, w))
			return false;
	return !r->action.has_addr || r->action.nat_family == p->version;
}

enum { GO_ON, CHAIN_DONE, FINAL };

static inline int walk_nat(const struct rule *r, struct notes *n)
{
	const struct action *a = &r->action;
	struct gw_nat nat = { .flags = a->nat_flags };

	nat.kind = a->verdict == VERDICT_MASQUERADE ? GW_NAT_MASQUERADE
		   : a->verdict == VERDICT_SNAT	    ? GW_NAT_SNAT
		   : a->verdict == VERDICT_DNAT	    ? GW_NAT_DNAT
						    : GW_NAT_REDIRECT;
	if (a->has_addr) {
		nat.flags |= GW_NATF_ADDR;
		memcpy(nat.addr_lo, a->addr_lo, a->nat_family == 4 ? 4 : 16);
		memcpy(nat.addr_hi, a->addr_hi, a->nat_family == 4 ? 4 : 16);
	}
	if (a->has_port) {
		nat.flags |= GW_NATF_PORT;
		nat.port_lo = a->port_lo;
		nat.port_hi = a->port_hi;
	}
	note(n, r->cid, GW_V_NAT, 0, &nat);
	return CHAIN_DONE;
}

static inline int walk_action(const struct rule *r, struct notes *n)
{
	const struct action *a = &r->action;
	bool notrack = rule_has_stmt(r, STMT_NOTRACK);

	if (notrack)
		note(n, a->verdict == VERDICT_NONE ? r->cid : 0, GW_V_NOTRACK, 0, NULL);
	switch (a->verdict) {
	case VERDICT_NONE:
		if (!notrack && r->cid)
			note(n, r->cid, GW_V_CONTINUE, 0, NULL);
		return GO_ON;
	case VERDICT_ACCEPT:
		note(n, r->cid, GW_V_ACCEPT, 0, NULL);
		return CHAIN_DONE;
	case VERDICT_DROP:
		note(n, r->cid, GW_V_DROP, 0, NULL);
		return FINAL;
	case VERDICT_REJECT:
		note(n, r->cid, GW_V_REJECT, a->reject, NULL);
		return FINAL;
	default:
		return walk_nat(r, n);
	}
}

static inline int walk_chain(const struct table *t, const struct chain *c, const struct packet *p,
			     const struct world *w, struct notes *n)
{
	if (t->family == FAMILY_INET && !c->n_rules && !c->policy_drop)
		return CHAIN_DONE;
	for (size_t i = 0; i < c->n_rules; i++) {
		int r = rule_holds(c->rules[i], p, w) ? walk_action(c->rules[i], n) : GO_ON;

		if (r != GO_ON)
			return r;
	}
	note(n, c->cid, c->policy_drop ? GW_V_DROP : GW_V_ACCEPT, 0, NULL);
	return c->policy_drop ? FINAL : CHAIN_DONE;
}

/* Chains of the hook in order of priority, then handle: the smallest that is above the last one. */
static inline void walk_model(const struct ruleset *rs, int hook, const struct packet *p,
			      const struct world *w, struct notes *n)
{
	const struct chain *last = NULL;

	for (;;) {
		const struct chain *best = NULL;
		const struct table *of = NULL;

		for (size_t i = 0; i < rs->n_tables; i++)
			for (size_t k = 0; k < rs->tables[i]->n_chains; k++) {
				const struct chain *c = rs->tables[i]->chains[k];

				if (!c->base || chain_hook(c) != hook ||
				    !family_sees(rs->tables[i]->family, p->version))
					continue;
				if (last && (c->prio < last->prio ||
					     (c->prio == last->prio && c->handle <= last->handle)))
					continue;
				if (best && (c->prio > best->prio ||
					     (c->prio == best->prio && c->handle > best->handle)))
					continue;
				best = c;
				of = rs->tables[i];
			}
		if (!best || walk_chain(of, best, p, w, n) == FINAL)
			return;
		last = best;
	}
}
#endif
