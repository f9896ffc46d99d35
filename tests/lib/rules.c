/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "gw.skel.h"
#include "stage.h"

#define CHAINS_MAX 64
#define BASES_MAX  4
#define LINES_MAX  RULES_HALF_LINES

/* One chain of one family. */
struct chain {
	int hook, base, number; /* number: of a user chain; 0 = base chain */
	bool v6;
};

struct image {
	union {
		__u8 bytes[64];
		struct gw_head head;
	} line[LINES_MAX];
	struct gw_misc misc[LINES_MAX];
	struct gw_xaddr xaddr[LINES_MAX];
	__u8 act[LINES_MAX][64];
	unsigned int n, n_misc, n_xaddr, n_act;
	struct chain chain[CHAINS_MAX];
	unsigned int n_chain;
	__u32 hooks[2];
};

static struct {
	struct set_row row[16];
	size_t n;
} sets;

static bool row_is_for(const struct rule *r, bool v6)
{
	const char *addr = r->src ? r->src : r->dst ? r->dst : r->to;

	if (r->family && (r->family == 6) != v6)
		return false;
	return !addr || !!strchr(addr, ':') == v6;
}

static bool row_is_in(const struct rule *r, const struct chain *c)
{
	if (!row_is_for(r, c->v6) || r->chain != c->number)
		return false;
	return c->number || (r->hook == c->hook && r->base == c->base);
}

/* Root number of a chain; -1 = it has no rules. */
static int chain_find(const struct image *m, const struct chain *c)
{
	for (unsigned int i = 0; i < m->n_chain; i++) {
		const struct chain *o = &m->chain[i];

		if (o->v6 == c->v6 && o->number == c->number &&
		    (c->number || (o->hook == c->hook && o->base == c->base)))
			return i;
	}
	return -1;
}

static void range4(const char *text, __u64 lo[2], __u64 hi[2])
{
	struct in_addr a = {};

	lo[0] = lo[1] = hi[0] = 0;
	hi[1] = 0xffffffff;
	if (!text)
		return;
	inet_pton(AF_INET, text, &a);
	lo[1] = hi[1] = ntohl(a.s_addr);
}

static void range6(const char *text, __u64 lo[2], __u64 hi[2])
{
	struct in6_addr a = {};

	memset(lo, 0, 16);
	memset(hi, 0xff, 16);
	if (!text)
		return;
	inet_pton(AF_INET6, text, &a);
	for (int i = 0; i < 2; i++) {
		lo[i] = (__u64)ntohl(a.s6_addr32[i * 2]) << 32 | ntohl(a.s6_addr32[i * 2 + 1]);
		hi[i] = lo[i];
	}
}

static __u32 add_xaddr(struct image *m, const struct rule *r, bool v6)
{
	struct gw_xaddr *x;

	if (!r->src && !r->dst)
		return 0;
	x = &m->xaddr[m->n_xaddr];
	if (v6) {
		range6(r->src, x->s_lo, x->s_hi);
		range6(r->dst, x->d_lo, x->d_hi);
	} else {
		range4(r->src, x->s_lo, x->s_hi);
		range4(r->dst, x->d_lo, x->d_hi);
	}
	return m->n_xaddr++;
}

static __u32 add_misc(struct image *m, const struct rule *r, bool v6)
{
	struct gw_misc *x = &m->misc[m->n_misc];

	*x = (struct gw_misc){ .spw = r->sport ? 0 : 0xffff, .splo = r->sport };
	if (r->iif) {
		x->meta |= GW_META_IIF(r->iif);
		x->mmask |= GW_META_IIF(GW_META_IF_MAX);
	}
	if (r->oif) {
		x->meta |= GW_META_OIF(r->oif);
		x->mmask |= GW_META_OIF(GW_META_IF_MAX);
	}
	if (r->proto) {
		x->meta |= GW_META_PROTO(r->proto);
		x->mmask |= GW_META_PROTO(0xff);
	}
	x->meta |= GW_META_TCPF(r->tcp_bits);
	x->mmask |= GW_META_TCPF(r->tcp_mask);
	x->mark = r->mark;
	x->markm = r->mark ? ~0U : 0;
	x->xa = add_xaddr(m, r, v6) | (__u32)(r->ctstate ? r->ctstate : 0xff) << 24;
	return m->n_misc++;
}

static void fill_nat(struct gw_nat *nat, const struct rule *r, bool v6)
{
	const char *hi = r->to_hi ? r->to_hi : r->to;

	*nat = (struct gw_nat){ .kind = r->nat,
				.flags = r->nat_flags,
				.port_lo = r->port_lo,
				.port_hi = r->port_hi ? r->port_hi : r->port_lo };
	if (r->port_lo)
		nat->flags |= GW_NATF_PORT;
	if (!r->to)
		return;
	nat->flags |= GW_NATF_ADDR;
	inet_pton(v6 ? AF_INET6 : AF_INET, r->to, nat->addr_lo);
	inet_pton(v6 ? AF_INET6 : AF_INET, hi, nat->addr_hi);
}

/* The action's first line, 0 = it needs none. */
static __u32 add_act(struct image *m, const struct rule *r, __u32 arg, bool v6)
{
	__u32 first = m->n_act;
	union cell *cells;
	struct gw_act *act;
	unsigned int n = 0;

	if (!r->n_ops && !r->ctmark && !r->act_flags && !arg && r->verdict != GW_V_NAT &&
	    r->verdict != GW_V_JUMP && r->verdict != GW_V_GOTO)
		return 0;
	act = (struct gw_act *)m->act[first];
	cells = (union cell *)act->cell;
	if (r->ctmark)
		cells[n++].op = (struct gw_op){ .code = GW_OP_RANGE,
						.field = GW_F_CT_MARK,
						.mask = ~0U,
						.lo = r->ctmark,
						.hi = r->ctmark };
	memcpy(&cells[n], r->ops, r->n_ops * sizeof(*cells));
	n += r->n_ops;
	act->n_cells = n;
	act->flags = r->act_flags;
	act->arg = arg;
	m->n_act += n > 3 ? 2 + (n - 4) / 4 : 1;
	if (r->verdict == GW_V_NAT) {
		act->nat = m->n_act - first;
		fill_nat((struct gw_nat *)m->act[m->n_act++], r, v6);
	}
	return first;
}

static void fill_entry(struct image *m, struct gw_ent *e, const struct rule *r, __u32 rank, bool v6)
{
	__u32 verdict = r->verdict, arg = r->arg, act;
	struct chain to = { .number = r->arg, .v6 = v6 };

	if (verdict == GW_V_JUMP || verdict == GW_V_GOTO)
		arg = chain_find(m, &to);
	act = add_act(m, r, arg, v6);
	*e = (struct gw_ent){ .key = ~0ULL,
			      .prio = rank << GW_PRIO_SHIFT,
			      .id = r->cid,
			      .misc = add_misc(m, r, v6),
			      .dplo = r->dport,
			      .dpw = r->dport ? 0 : 0xffff };
	e->flags = verdict << 8 | act << 12;
	if (r->vary || r->mark)
		e->flags |= GW_ENT_VARY;
	if (r->vary_syn || r->tcp_mask)
		e->flags |= GW_ENT_VARY_SYN;
	if (r->not_src)
		e->flags |= GW_ENT_NOT_SADDR;
	if (r->not_dst)
		e->flags |= GW_ENT_NOT_DADDR;
}

/* A root without index: its entries are a list. */
static void fill_root(struct image *m, __u32 o_root, __u32 number, const struct rule *rows,
		      size_t n)
{
	struct gw_root *root = (void *)m->line[o_root + number * GW_ROOT_LINES].bytes;
	const struct chain *c = &m->chain[number];
	struct chain after = *c;
	struct gw_ent *e = (void *)m->line[m->n].bytes;
	__u32 count = 0;
	int next;

	after.base++;
	next = c->number ? -1 : chain_find(m, &after);
	root->o_delta = m->n;
	root->policy = GW_V_ACCEPT;
	root->next = next < 0 ? GW_NO_ROOT : (__u32)next;
	root->flags = c->number ? 0 : GW_ROOT_BASE;
	for (size_t i = 0; i < n; i++) {
		if (!row_is_in(&rows[i], c))
			continue;
		if (rows[i].policy) {
			root->policy = rows[i].verdict;
			root->cid = rows[i].cid;
			continue;
		}
		fill_entry(m, &e[count++], &rows[i], i + 1, c->v6);
	}
	root->ndelta = count;
	m->n += (count + 1) / 2;
	ck_assert_uint_lt(m->n, LINES_MAX - 64);
}

static void find_chains(struct image *m, const struct rule *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (int v6 = 0; v6 < 2; v6++) {
			struct chain c = { .hook = rows[i].hook,
					   .base = rows[i].base,
					   .number = rows[i].chain,
					   .v6 = v6 };

			if (!row_is_for(&rows[i], v6) || chain_find(m, &c) >= 0)
				continue;
			ck_assert_uint_lt(m->n_chain, CHAINS_MAX);
			m->chain[m->n_chain++] = c;
			if (!c.number)
				m->hooks[v6] |= 1U << c.hook;
		}
	}
}

static __u32 put(struct image *m, const void *from, size_t n, size_t size)
{
	__u32 at = m->n;

	memcpy(m->line[at].bytes, from, n * size);
	m->n += (n * size + 63) / 64;
	ck_assert_uint_lt(m->n, LINES_MAX - 64);
	return at;
}

static __u32 put_sets(struct image *m)
{
	struct gw_set heads[16] = {};

	for (size_t i = 0; i < sets.n; i++) {
		heads[i] = sets.row[i].head;
		if (sets.row[i].table)
			heads[i].o_table = put(m, sets.row[i].table, sets.row[i].lines, 64);
	}
	return put(m, heads, sets.n, sizeof(heads[0]));
}

static __u32 put_slots(struct image *m)
{
	__u32 slot[GW_HOOK_MAX * 2];

	for (int i = 0; i < GW_HOOK_MAX * 2; i++) {
		struct chain c = { .hook = i / 2, .v6 = i & 1 };
		int root = chain_find(m, &c);

		slot[i] = root < 0 ? GW_NO_ROOT : (__u32)root;
	}
	return put(m, slot, GW_HOOK_MAX * 2, sizeof(slot[0]));
}

static void image_make(struct image *m, const struct rule *rows, size_t n)
{
	struct gw_head *head = &m->line[0].head;

	memset(m, 0, sizeof(*m));
	m->n = 1;
	m->n_misc = 2;
	m->n_xaddr = 1;
	m->n_act = 1;
	m->misc[0].meta = ~0ULL; /* never */
	m->misc[1] = (struct gw_misc){ .spw = 0xffff, .xa = 0xffU << 24 };
	find_chains(m, rows, n);
	head->o_slot = put_slots(m);
	head->o_root = m->n;
	head->n_roots = m->n_chain;
	m->n += m->n_chain * GW_ROOT_LINES;
	for (__u32 i = 0; i < m->n_chain; i++)
		fill_root(m, head->o_root, i, rows, n);
	head->n_misc = m->n_misc;
	head->o_misc = put(m, m->misc, m->n_misc, sizeof(m->misc[0]));
	head->n_xaddr = m->n_xaddr;
	head->o_xaddr = put(m, m->xaddr, m->n_xaddr, sizeof(m->xaddr[0]));
	head->n_act = m->n_act;
	head->o_act = put(m, m->act, m->n_act, sizeof(m->act[0]));
	head->n_sets = sets.n;
	head->o_set = put_sets(m);
	head->nlines = m->n;
	head->hooks4 = m->hooks[0];
	head->hooks6 = m->hooks[1];
}

static __u8 *region(void)
{
	static __u8 *map;

	if (map)
		return map;
	map = mmap(NULL, 2 * RULES_HALF_LINES * 64, PROT_READ | PROT_WRITE, MAP_SHARED,
		   bpf_map__fd(stage.skel->maps.gw_region), 0);
	ck_assert_ptr_ne(map, MAP_FAILED);
	return map;
}

void rules_sets(const struct set_row *rows, size_t n)
{
	ck_assert_uint_le(n, sizeof(sets.row) / sizeof(sets.row[0]));
	memcpy(sets.row, rows, n * sizeof(*rows));
	sets.n = n;
}

void rules_put(const void *lines, size_t n)
{
	stage.conf.gen++;
	memcpy(region() + (stage.conf.gen & 1) * RULES_HALF_LINES * 64, lines, n * 64);
	stage_conf();
}

void rules_set(const struct rule *rows, size_t n)
{
	static struct image m;

	image_make(&m, rows, n);
	m.line[0].head.gen = stage.conf.gen + 1;
	stage.conf.hooks4 = m.hooks[0];
	stage.conf.hooks6 = m.hooks[1];
	rules_put(m.line, m.n);
}

void rules_poison(void)
{
	ck_assert_int_eq(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0), 0);
	memset(region() + (~stage.conf.gen & 1) * RULES_HALF_LINES * 64, 0xaa,
	       RULES_HALF_LINES * 64);
}

void rules_reset(void)
{
	memset(region(), 0, 64);
	memset(region() + RULES_HALF_LINES * 64, 0, 64);
	sets.n = 0;
}
