/* SPDX-License-Identifier: GPL-2.0-only */
/* The product's own builder of images (ctl/compile) and the loaded classifier, against a walk over the rules. */
#include <arpa/inet.h>
#include <string.h>
#include <stdlib.h>
#include "indexed.h"
#include "stage.h"

#define RULE_COUNT 300
#define PACKETS	   400

static uint64_t seed;

static uint32_t draw(uint32_t n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(seed >> 33) % n;
}

/* Sources are hosts of one network, destinations are all over two. */
static indexed_addr source(bool v6, uint32_t host)
{
	return v6 ? (indexed_addr)0xfd00001000000000ULL << 64 | host : 0x0a000000U | host;
}

static indexed_addr destination(bool v6, uint32_t host)
{
	return v6 ? (indexed_addr)0x20010db800090000ULL << 64 | (indexed_addr)host << 32 | 9
		  : 0x08080000U | host;
}

static void narrow(indexed_addr *lo, indexed_addr *hi, indexed_addr at, unsigned int host_bits)
{
	indexed_addr mask = ((indexed_addr)1 << host_bits) - 1;

	*lo = at & ~mask;
	*hi = at | mask;
}

static void make_rule(struct indexed_rule *r, bool v6, uint32_t i)
{
	static const uint8_t bits[] = { 0, 2, 4, 8, 12, 16 };
	unsigned int shift = v6 ? 32 : 0;

	*r = (struct indexed_rule){ .s_hi = v6 ? ~(indexed_addr)0 : UINT32_MAX,
				    .d_hi = v6 ? ~(indexed_addr)0 : UINT32_MAX,
				    .dp_hi = 0xffff,
				    .verdict = draw(2) ? GW_V_DROP : GW_V_ACCEPT,
				    .id = i + 1 };
	if (draw(3))
		narrow(&r->s_lo, &r->s_hi, source(v6, 16 + draw(200)), draw(2) ? 0 : 3);
	if (draw(4))
		narrow(&r->d_lo, &r->d_hi, destination(v6, draw(4096)),
		       bits[draw(sizeof(bits))] + shift);
	if (draw(3)) {
		r->proto = 17;
		r->dp_lo = 50 + draw(20);
		r->dp_hi = r->dp_lo + draw(4);
	}
	r->not_s = r->s_lo && !draw(8);
}

static bool holds(const struct indexed_rule *r, indexed_addr s, indexed_addr d, uint16_t dport)
{
	return (s >= r->s_lo && s <= r->s_hi) != r->not_s && d >= r->d_lo && d <= r->d_hi &&
	       dport >= r->dp_lo && dport <= r->dp_hi;
}

static void put_in_force(const struct indexed_rule *rules, size_t n, bool v6)
{
	size_t lines = 0;
	void *image = indexed_build(GW_HOOK_FILTER_FORWARD, v6, rules, n, RULES_HALF_LINES, &lines);

	ck_assert_ptr_nonnull(image);
	stage.conf.hooks4 = stage.conf.hooks6 = 1U << GW_HOOK_FILTER_FORWARD;
	rules_put(image, lines);
	free(image);
}

static const char *text_of(indexed_addr a, bool v6)
{
	static char pool[2][INET6_ADDRSTRLEN];
	static int next;
	char *to = pool[next++ & 1];
	uint8_t bytes[16];

	for (int i = 0; i < 16; i++)
		bytes[i] = (uint8_t)(a >> (120 - i * 8));
	return inet_ntop(v6 ? AF_INET6 : AF_INET, v6 ? bytes : bytes + 12, to, INET6_ADDRSTRLEN);
}

START_TEST(an_index_finds_the_first_rule)
{
	static struct indexed_rule rules[RULE_COUNT];
	size_t n = _i / 2 ? RULE_COUNT : 8, hits = 0; /* few rules are a list */
	bool v6 = _i & 1;

	seed = 7 + _i;
	for (size_t i = 0; i < n; i++)
		make_rule(&rules[i], v6, i);
	put_in_force(rules, n, v6);
	for (int i = 0; i < PACKETS; i++) {
		indexed_addr s = source(v6, 16 + draw(200)), d = destination(v6, draw(4096));
		uint16_t dport = 45 + draw(30);
		struct frame f = udp(text_of(s, v6), 5000, text_of(d, v6), dport);
		const struct indexed_rule *hit = NULL;
		uint64_t before = 0;

		for (size_t j = 0; j < n && !hit; j++)
			if (holds(&rules[j], s, d, dport))
				hit = &rules[j];
		if (hit)
			before = counter(hit->id).pkts;
		flush();
		expect_drop(f, LAN,
			    hit && hit->verdict == GW_V_DROP ? GW_REASON_RULE : GW_REASON_NONE);
		if (hit)
			ck_assert_uint_eq(counter(hit->id).pkts, before + 1);
		hits += hit != NULL;
	}
	ck_assert_uint_gt(hits, 20);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, an_index_finds_the_first_rule, 0, 4);
}

int main(void)
{
	return stage_main("index", add);
}
