/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "gw.skel.h"
#include "stage.h"

#define LINES_MAX 512

struct image {
	union {
		struct gw_image head;
		struct gw_slots slots;
		struct gw_rule rule;
		struct gw_rule_addr6 addr6;
		struct gw_nat nat;
	} line[LINES_MAX];
	unsigned int n;
	__u32 hooks[2];
};

static bool row_is_for(const struct rule *r, int hook, bool v6)
{
	const char *addr = r->src ? r->src : r->dst ? r->dst : r->to;

	if (r->hook != hook || (r->family && (r->family == 6) != v6))
		return false;
	return !addr || !!strchr(addr, ':') == v6;
}

static void range4(const char *text, __u32 *lo, __u32 *hi)
{
	struct in_addr a = {};

	*lo = 0;
	*hi = 0xffffffff;
	if (!text)
		return;
	inet_pton(AF_INET, text, &a);
	*lo = *hi = ntohl(a.s_addr);
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

static void add_nat(struct image *m, const struct rule *r, bool v6)
{
	struct gw_nat *nat = &m->line[m->n++].nat;

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
	memcpy(nat->addr_hi, nat->addr_lo, sizeof(nat->addr_lo));
}

static void add_rule(struct image *m, const struct rule *r, bool v6)
{
	struct gw_rule *to = &m->line[m->n++].rule;
	bool addr6 = v6 && (r->src || r->dst);

	*to = (struct gw_rule){ .sport_lo = r->sport,
				.sport_hi = r->sport ? r->sport : 0xffff,
				.dport_lo = r->dport,
				.dport_hi = r->dport ? r->dport : 0xffff,
				.iif = r->iif,
				.oif = r->oif,
				.mark = r->mark,
				.mark_mask = r->mark ? 0xffffffff : 0,
				.ctmark = r->ctmark,
				.ctmark_mask = r->ctmark ? 0xffffffff : 0,
				.cid = r->cid,
				.proto = r->proto,
				.ctstate = r->ctstate,
				.verdict = r->verdict,
				.flags = r->policy ? GW_RULE_POLICY : 0,
				.arg = r->arg };
	range4(v6 ? NULL : r->src, &to->saddr_lo, &to->saddr_hi);
	range4(v6 ? NULL : r->dst, &to->daddr_lo, &to->daddr_hi);
	if (addr6) {
		struct gw_rule_addr6 *a = &m->line[m->n++].addr6;

		to->flags |= GW_RULE_ADDR6;
		range6(r->src, a->saddr_lo, a->saddr_hi);
		range6(r->dst, a->daddr_lo, a->daddr_hi);
	}
	if (r->verdict == GW_V_NAT) {
		to->flags |= GW_RULE_ACT;
		add_nat(m, r, v6);
	}
}

static void add_slot(struct image *m, const struct rule *rows, size_t n, int hook, bool v6)
{
	static const struct rule accept = { .verdict = GW_V_ACCEPT, .policy = 1 };
	unsigned int slot = hook * 2 + v6, first = m->n;
	bool policy = false;

	for (size_t i = 0; i < n; i++) {
		if (!row_is_for(&rows[i], hook, v6))
			continue;
		add_rule(m, &rows[i], v6);
		policy = rows[i].policy;
	}
	if (m->n == first)
		return;
	if (!policy)
		add_rule(m, &accept, v6);
	m->line[1 + slot / 16].slots.line[slot & 15] = first;
	m->hooks[v6] |= 1U << hook;
}

static int image_map(const struct image *m)
{
	LIBBPF_OPTS(bpf_map_create_opts, o, .map_flags = BPF_F_INNER_MAP);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "t_image", 4, GW_LINE_SIZE, m->n, &o);

	ck_assert_int_ge(fd, 0);
	for (__u32 i = 0; i < m->n; i++)
		ck_assert_int_eq(bpf_map_update_elem(fd, &i, &m->line[i], BPF_ANY), 0);
	return fd;
}

void rules_set(const struct rule *rows, size_t n)
{
	static struct image m;
	__u32 zero = 0;
	int fd;

	memset(&m, 0, sizeof(m));
	m.n = GW_IMG_FIRST_RULE;
	for (int hook = 0; hook < GW_HOOK_MAX; hook++)
		for (int v6 = 0; v6 < 2; v6++)
			add_slot(&m, rows, n, hook, v6);
	stage.conf.gen++;
	stage.conf.hooks4 = m.hooks[0];
	stage.conf.hooks6 = m.hooks[1];
	m.line[0].head = (struct gw_image){
		.gen = stage.conf.gen, .nlines = m.n, .hooks4 = m.hooks[0], .hooks6 = m.hooks[1]
	};
	fd = image_map(&m);
	ck_assert_int_eq(
		bpf_map_update_elem(bpf_map__fd(stage.skel->maps.gw_rulesets), &zero, &fd, BPF_ANY),
		0);
	close(fd);
	stage_conf();
}
