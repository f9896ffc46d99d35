/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_COMPILE_WALK_H
#define TESTS_COMPILE_WALK_H
/*
 * walk_model() does to a packet what the rules say, one after the other; it looks at the model and knows nothing of images.  It writes
 * down what happened; so does eval_slot() (lib/image_eval.h), which knows nothing of models.  Tests compare the notes.
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

typedef unsigned __int128 num;

struct packet {
	int version;
	uint8_t saddr[16], daddr[16]; /* network order, IPv4 in the first 4 */
	uint8_t proto;
	uint16_t sport, dport; /* ICMP: dport = type << 8 | code */
	uint32_t iif, oif;
	uint32_t mark, ctmark;
	uint8_t ctstate; /* GW_CT_* */
	uint8_t flags, ttl, dscp;
	uint32_t length;
	uint8_t mac[6];
};

/* What happened.  Counters are apart: when in the course of a rule it counts is nobody's business. */
enum {
	NOTE_LOG,
	NOTE_ASKED,
	NOTE_MARK,
	NOTE_CTMARK,
	NOTE_DSCP,
	NOTE_NOTRACK,
	NOTE_SET,
	NOTE_NAT,
	NOTE_END
};
struct note {
	int kind;
	uint64_t a, b;
	struct gw_nat nat;
};
#define NOTES_MAX 256
#define CIDS_MAX  512
struct notes {
	struct note note[NOTES_MAX];
	size_t n;
	uint32_t count[CIDS_MAX];
};

/* What lasts from packet to packet; the model's side and the image's have one each. */
struct memory {
	uint32_t asked[GW_STATES_MAX]; /* limits, by state id; turns of numgen in images */
	struct {
		uint64_t set;
		uint8_t key[40];
		bool in;
	} dyn[1024];
	size_t n_dyn;
	struct {
		const void *who;
		uint32_t turns;
	} numgen[256];
	size_t n_numgen;
};

static inline struct note *note(struct notes *n, int kind, uint64_t a, uint64_t b)
{
	must(n->n < NOTES_MAX);
	n->note[n->n] = (struct note){ .kind = kind, .a = a, .b = b };
	return &n->note[n->n++];
}

/* A limit of the tests: every third packet that asks is too much. */
static inline bool limit_asks(struct memory *m, struct notes *n, uint32_t id, bool over)
{
	bool passes = ++m->asked[id] % 3;

	note(n, NOTE_ASKED, id, passes);
	return passes != over;
}

static inline num bytes_num(const uint8_t *b, size_t n)
{
	num v = 0;

	while (n--)
		v = v << 8 | *b++;
	return v;
}

static inline bool has_ports(uint8_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_UDPLITE ||
	       proto == IPPROTO_SCTP || proto == IPPROTO_DCCP;
}

/* The value of a field; false: the packet has no such thing. */
static inline bool packet_field(const struct packet *p, enum field f, num *v)
{
	const struct field_row *row = &field_rows[f];

	if ((row->families != 46 && row->families != p->version) ||
	    (row->implies && row->implies != p->proto))
		return false;
	switch (f) {
	case FIELD_ID_IIFNAME:
	case FIELD_ID_IIF:
		*v = p->iif;
		return true;
	case FIELD_ID_OIFNAME:
	case FIELD_ID_OIF:
		*v = p->oif;
		return true;
	case FIELD_ID_IP_SADDR:
	case FIELD_ID_IP6_SADDR:
		*v = bytes_num(p->saddr, p->version == 4 ? 4 : 16);
		return true;
	case FIELD_ID_IP_DADDR:
	case FIELD_ID_IP6_DADDR:
		*v = bytes_num(p->daddr, p->version == 4 ? 4 : 16);
		return true;
	case FIELD_ID_L4PROTO:
	case FIELD_ID_IP_PROTOCOL:
		*v = p->proto;
		return true;
	case FIELD_ID_TCP_SPORT:
	case FIELD_ID_UDP_SPORT:
		*v = p->sport;
		return true;
	case FIELD_ID_TCP_DPORT:
	case FIELD_ID_UDP_DPORT:
		*v = p->dport;
		return true;
	case FIELD_ID_TH_SPORT:
		*v = p->sport;
		return has_ports(p->proto);
	case FIELD_ID_TH_DPORT:
		*v = p->dport;
		return has_ports(p->proto);
	case FIELD_ID_ICMP_TYPE:
	case FIELD_ID_ICMP6_TYPE:
		*v = p->dport >> 8;
		return true;
	case FIELD_ID_ICMP_CODE:
	case FIELD_ID_ICMP6_CODE:
		*v = p->dport & 0xff;
		return true;
	case FIELD_ID_CT_STATE:
		*v = 1U << p->ctstate;
		return true;
	case FIELD_ID_CT_MARK:
		*v = p->ctmark;
		return true;
	case FIELD_ID_META_MARK:
		*v = p->mark;
		return true;
	case FIELD_ID_TCP_FLAGS:
		*v = p->flags;
		return true;
	case FIELD_ID_LENGTH:
		*v = p->length;
		return true;
	case FIELD_ID_IP_TTL:
	case FIELD_ID_IP6_HOPLIMIT:
		*v = p->ttl;
		return true;
	case FIELD_ID_IP_DSCP:
	case FIELD_ID_IP6_DSCP:
		*v = p->dscp;
		return true;
	case FIELD_ID_ETHER_SADDR:
		*v = bytes_num(p->mac, 6);
		return true;
	case FIELD_ID_NFPROTO:
		*v = p->version == 4 ? 2 : 10;
		return true;
	case FIELD_ID_PROTOCOL:
		*v = p->version == 4 ? 0x800 : 0x86dd;
		return true;
	default:
		ck_abort_msg("a field the tests do not know");
	}
}

/* ------------------------------------------------------------------------------------------------------- the model */

struct world {
	const struct compile_if *ifs;
	size_t n_ifs;
	const struct table *table;
	struct packet p;
	struct memory *m;
	struct notes *n;
};

static inline bool if_is(const struct world *w, uint32_t ifindex, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < w->n_ifs; i++) {
		if (w->ifs[i].ifindex != ifindex)
			continue;
		if (len && name[len - 1] == '*')
			return !strncmp(w->ifs[i].name, name, len - 1);
		return !strcmp(w->ifs[i].name, name);
	}
	return false;
}

static inline bool elem_holds_value(const struct world *w, enum field f, const struct elem *e,
				    num v)
{
	const struct type_row *row = &type_rows[field_rows[f].type];

	switch (row->base) {
	case BASE_NAME:
		return !strcmp(e->name, "*") || if_is(w, (uint32_t)v, e->name);
	case BASE_ADDR:
		return v >= bytes_num(e->addr_lo, row->bytes) &&
		       v <= bytes_num(e->addr_hi, row->bytes);
	default:
		return v >= e->num_lo && v <= e->num_hi;
	}
}

/* Values of the fields; false: one is missing. */
static inline bool key_values(struct world *w, const enum field *fields, unsigned int n, num *v)
{
	for (unsigned int i = 0; i < n; i++) {
		if (!packet_field(&w->p, fields[i], &v[i]))
			return false;
	}
	return true;
}

static inline uint32_t turn_of(struct memory *m, const void *who)
{
	size_t i = 0;

	while (i < m->n_numgen && m->numgen[i].who != who)
		i++;
	must(i < ARRAY_SIZE(m->numgen));
	if (i == m->n_numgen)
		m->numgen[m->n_numgen++].who = who;
	return m->numgen[i].turns++;
}

static inline int dyn_find(const struct memory *m, uint64_t set, const void *key, size_t len)
{
	for (size_t i = 0; i < m->n_dyn; i++) {
		if (m->dyn[i].set == set && !memcmp(m->dyn[i].key, key, len))
			return (int)i;
	}
	return -1;
}

static inline void dyn_put(struct memory *m, uint64_t set, const void *key, size_t len, bool in)
{
	int i = dyn_find(m, set, key, len);

	must(m->n_dyn < ARRAY_SIZE(m->dyn));
	if (i < 0) {
		i = (int)m->n_dyn++;
		m->dyn[i].set = set;
		memcpy(m->dyn[i].key, key, len);
	}
	m->dyn[i].in = in;
}

/* Index of the first element that holds the key, -1 = none. */
static inline int elems_find_key(const struct world *w, const enum field *fields, unsigned int n,
				 const struct elem *elems, size_t n_elems, const num *v)
{
	for (size_t i = 0; i < n_elems; i++) {
		bool all = true;

		for (unsigned int k = 0; k < n; k++)
			all &= elem_holds_value(w, fields[k], &elems[i * n + k], v[k]);
		if (all)
			return (int)i;
	}
	return -1;
}

static inline bool set_holds(struct world *w, const char *name, const enum field *fields,
			     unsigned int n, const num *v)
{
	const struct set *s = table_set(w->table, name);
	uint64_t dyn[2] = { (uint64_t)v[0], n > 1 ? (uint64_t)v[1] : 0 };
	int at;

	must(s);
	if (!(s->flags & SET_DYNAMIC) &&
	    elems_find_key(w, fields, n, s->elems->keys, s->elems->n, v) >= 0)
		return true;
	at = dyn_find(w->m, s->handle, dyn, sizeof(dyn));
	return at >= 0 && w->m->dyn[at].in;
}

static inline bool compare_holds(const struct match *m, num v)
{
	num to =
		type_rows[field_rows[m->field].type].base == BASE_ADDR
			? bytes_num(m->elems[0].addr_lo, type_rows[field_rows[m->field].type].bytes)
			: m->elems[0].num_lo;

	switch (m->op) {
	case MATCH_LT:
		return v < to;
	case MATCH_GT:
		return v > to;
	case MATCH_LE:
		return v <= to;
	default:
		return v >= to;
	}
}

static inline bool bits_hold(const struct match *m, num v)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < m->n; i++)
		bits |= m->elems[i].num_lo;
	return m->exact ? (uint64_t)v == bits : (uint64_t)v & bits;
}

static inline bool match_holds(struct world *w, const struct match *m)
{
	const enum field *fields = m->n_fields > 1 ? m->more : &m->field;
	unsigned int n = MAX(m->n_fields, 1);
	num v[CONCAT_MAX];
	bool any;

	if (m->field == FIELD_ID_NUMGEN_INC)
		v[0] = turn_of(w->m, m) % m->mod;
	else if (!key_values(w, fields, n, v))
		return false;
	if (n == 1 && field_rows[m->field].bits <= 32)
		v[0] &= m->mask;
	if (m->op != MATCH_EQ)
		any = compare_holds(m, v[0]);
	else if (m->set)
		any = set_holds(w, m->set, fields, n, v);
	else if (n == 1 && type_rows[field_rows[m->field].type].base == BASE_BITS && !m->is_set)
		any = bits_hold(m, v[0]);
	else
		any = elems_find_key(w, fields, n, m->elems, m->n, v) >= 0;
	return any != m->negate;
}

/* What the map gives for this packet; NULL: nothing. */
static inline const struct map_data *map_gives_data(struct world *w, const struct map_use *use)
{
	const struct elems *e = use->elems;
	num v[CONCAT_MAX];
	int at;

	if (use->name) {
		must(table_set(w->table, use->name));
		e = table_set(w->table, use->name)->elems;
	}
	if (use->key.fields[0] == FIELD_ID_NUMGEN_INC)
		v[0] = turn_of(w->m, use) % use->key.mod;
	else if (!key_values(w, use->key.fields, use->key.n, v))
		return NULL;
	at = elems_find_key(w, use->key.fields, use->key.n, e->keys, e->n, v);
	return at < 0 ? NULL : &e->data[at];
}

static inline bool mark_stmt(struct world *w, const struct stmt *s)
{
	uint32_t *to = s->kind == STMT_MARK ? &w->p.mark : &w->p.ctmark;
	uint32_t from = (s->kind == STMT_MARK) == s->mark.from_other ? w->p.ctmark : w->p.mark;

	if (s->mark.map) {
		const struct map_data *d = map_gives_data(w, s->mark.map);

		if (!d)
			return false;
		*to = (uint32_t)d->val[0].num_lo;
	} else {
		*to = (*to & s->mark.keep) ^ (from & s->mark.mask) ^ s->mark.value;
	}
	note(w->n, s->kind == STMT_MARK ? NOTE_MARK : NOTE_CTMARK, *to, 0);
	return true;
}

static inline bool set_stmt(struct world *w, const struct stmt *s)
{
	const struct set *set = table_set(w->table, s->set.set);
	uint64_t dyn[2] = { 0 };
	num v[CONCAT_MAX];

	if (!key_values(w, s->set.key.fields, s->set.key.n, v))
		return false;
	for (unsigned int i = 0; i < s->set.key.n; i++)
		dyn[i] = (uint64_t)v[i];
	dyn_put(w->m, set->handle, dyn, sizeof(dyn), s->set.verb != SET_DELETE);
	note(w->n, NOTE_SET, set->handle, s->set.verb);
	return true;
}

/* false: the rule ends here. */
static inline bool stmt_goes_on(struct world *w, const struct rule *r, const struct stmt *s)
{
	const struct object *o;

	switch (s->kind) {
	case STMT_COUNTER:
		w->n->count[r->cid]++;
		return true;
	case STMT_OBJECT:
		o = table_object(w->table, s->object.kind, s->object.name);
		if (o->kind == OBJECT_LIMIT)
			return limit_asks(w->m, w->n, o->id, o->limit.over);
		w->n->count[o->id]++;
		return true;
	case STMT_NOTRACK:
		note(w->n, NOTE_NOTRACK, 0, 0);
		return true;
	case STMT_LOG:
		note(w->n, NOTE_LOG, s->id, 0);
		return true;
	case STMT_LIMIT:
		return limit_asks(w->m, w->n, s->id, s->limit.over);
	case STMT_MARK:
	case STMT_CTMARK:
		return mark_stmt(w, s);
	case STMT_DSCP:
		if (s->value.family != w->p.version)
			return false;
		w->p.dscp = (uint8_t)s->value.value;
		note(w->n, NOTE_DSCP, w->p.dscp, 0);
		return true;
	default:
		return set_stmt(w, s);
	}
}

enum { GO_ON, RETURNS, CHAIN_DONE, FINAL };

static inline void nat_note(struct world *w, const struct action *a, const struct map_data *d)
{
	static const uint8_t nat_kinds[] = { [VERDICT_MASQUERADE] = GW_NAT_MASQUERADE,
					     [VERDICT_SNAT] = GW_NAT_SNAT,
					     [VERDICT_DNAT] = GW_NAT_DNAT,
					     [VERDICT_REDIRECT] = GW_NAT_REDIRECT };
	struct gw_nat *n = &note(w->n, NOTE_NAT, 0, 0)->nat;
	size_t bytes = w->p.version == 4 ? 4 : 16;

	n->kind = nat_kinds[a->verdict];
	n->flags = a->nat_flags;
	if (a->has_addr || (d && a->nat_family)) {
		n->flags |= GW_NATF_ADDR;
		memcpy(n->addr_lo, d ? d->val[0].addr_lo : a->addr_lo, bytes);
		memcpy(n->addr_hi, d ? d->val[0].addr_hi : a->addr_hi, bytes);
	}
	if (a->has_port) {
		n->flags |= GW_NATF_PORT;
		n->port_lo = a->port_lo;
		n->port_hi = a->port_hi;
	} else if (d && d->val[a->nat_family != 0].num_lo) {
		n->flags |= GW_NATF_PORT;
		n->port_lo = (uint16_t)d->val[a->nat_family != 0].num_lo;
		n->port_hi = (uint16_t)d->val[a->nat_family != 0].num_hi;
	}
}

static inline int walk_chain(struct world *w, const struct chain *c);

static inline int walk_verdict(struct world *w, const struct action *a, enum verdict v,
			       const char *chain, const struct map_data *d)
{
	int r;

	switch (v) {
	case VERDICT_NONE:
	case VERDICT_CONTINUE:
		return GO_ON;
	case VERDICT_ACCEPT:
		return CHAIN_DONE;
	case VERDICT_DROP:
		note(w->n, NOTE_END, GW_V_DROP, 0);
		return FINAL;
	case VERDICT_REJECT:
		note(w->n, NOTE_END, GW_V_REJECT, a->reject);
		return FINAL;
	case VERDICT_RETURN:
		return RETURNS;
	case VERDICT_JUMP:
	case VERDICT_GOTO:
		r = walk_chain(w, table_chain(w->table, chain));
		if (r == CHAIN_DONE || r == FINAL)
			return r;
		return v == VERDICT_JUMP ? GO_ON : RETURNS;
	default:
		nat_note(w, a, d);
		return CHAIN_DONE;
	}
}

static inline int walk_rule(struct world *w, const struct rule *r)
{
	const struct action *a = &r->action;
	const struct map_data *d = NULL;
	size_t m = 0;

	for (size_t i = 0; i <= r->n_stmts; i++) {
		for (; m < r->n_matches && (r->matches[m].after <= i); m++) {
			if (!match_holds(w, &r->matches[m]))
				return GO_ON;
		}
		if (i < r->n_stmts && !stmt_goes_on(w, r, &r->stmts[i]))
			return GO_ON;
	}
	if (a->nat_family && a->nat_family != w->p.version)
		return GO_ON;
	if (a->map) {
		d = map_gives_data(w, a->map);
		if (!d)
			return GO_ON;
	}
	if (!rule_has_stmt(r, STMT_COUNTER))
		w->n->count[r->cid]++;
	if (a->verdict == VERDICT_VMAP)
		return walk_verdict(w, a, d->verdict, d->chain, NULL);
	return walk_verdict(w, a, a->verdict, a->chain, d);
}

/* GO_ON at the end of the chain. */
static inline int walk_chain(struct world *w, const struct chain *c)
{
	for (size_t i = 0; i < c->n_rules; i++) {
		int r = walk_rule(w, c->rules[i]);

		if (r != GO_ON)
			return r;
	}
	return GO_ON;
}

static inline int walk_base(struct world *w, const struct chain *c)
{
	int r;

	if (w->table->family == FAMILY_INET && !c->n_rules && !c->policy_drop)
		return CHAIN_DONE;
	r = walk_chain(w, c);
	if (r == CHAIN_DONE || r == FINAL)
		return r;
	w->n->count[c->cid]++;
	if (c->policy_drop)
		note(w->n, NOTE_END, GW_V_DROP, 0);
	return c->policy_drop ? FINAL : CHAIN_DONE;
}

/* Chains of the hook in order of priority, of equals the latest first: the next behind the last one. */
static inline void walk_model(const struct ruleset *rs, int hook, struct world *w)
{
	const struct chain *last = NULL;

	for (;;) {
		const struct chain *best = NULL;
		const struct table *of = NULL;

		for (size_t i = 0; i < rs->n_tables; i++)
			for (size_t k = 0; k < rs->tables[i]->n_chains; k++) {
				const struct chain *c = rs->tables[i]->chains[k];

				if (!c->base || chain_hook(c) != hook ||
				    !family_sees(rs->tables[i]->family, w->p.version))
					continue;
				if (last && (c->prio < last->prio ||
					     (c->prio == last->prio && c->handle >= last->handle)))
					continue;
				if (best && (c->prio > best->prio ||
					     (c->prio == best->prio && c->handle < best->handle)))
					continue;
				best = c;
				of = rs->tables[i];
			}
		w->table = of;
		if (!best || walk_base(w, best) == FINAL)
			return;
		last = best;
	}
}
#endif
