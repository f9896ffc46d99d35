/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <gw/abi.h>
#include "ruletext.h"
#include "rulegen.h"
#include "util.h"

#define SEED	  56
#define PROTO(r)  ((unsigned int)((r)->meta >> 8 & 0xff))
#define IIF(r)	  ((unsigned int)((r)->meta >> 40))
#define OIF(r)	  ((unsigned int)((r)->meta >> 16 & GW_META_IF_MAX))
#define IS_SYN(r) ((r)->mmask & 0xff)

static bool meets(index_addr lo, index_addr hi, __u32 from, __u32 to)
{
	return lo <= to && hi >= from;
}

static bool rule_meets_flows(const struct index_rule *r)
{
	return meets(r->s_lo, r->s_hi, FRAME_CLIENTS, FRAME_CLIENTS + 63) &&
	       meets(r->d_lo, r->d_hi, FRAME_SERVER, FRAME_SERVER);
}

/* A rule of several protocols or of flags of something else than TCP could not be written as one. */
static void rule_tidy(struct index_rule *r)
{
	if (IS_SYN(r))
		r->meta = (r->meta & ~GW_META_PROTO(0xff)) | GW_META_PROTO(IPPROTO_TCP);
}

struct index_rule *ruletext_make(size_t n)
{
	static const enum rulegen_kind kinds[] = { RULEGEN_ACL, RULEGEN_FW, RULEGEN_IPC };
	struct index_rule *of[COUNT(kinds)], *rules = calloc(n + 1, sizeof(*rules));
	size_t each = n / COUNT(kinds) + 64, at[COUNT(kinds)] = { 0 }, i = 0, k;

	for (k = 0; k < COUNT(kinds); k++)
		of[k] = rulegen_rules(kinds[k], 4, each, SEED);
	while (i < n) {
		k = i % COUNT(kinds);
		if (!rules || !of[k] || at[k] == each)
			die("no rules");
		rules[i] = of[k][at[k]++];
		rule_tidy(&rules[i]);
		i += !rule_meets_flows(&rules[i]);
	}
	for (k = 0; k < COUNT(kinds); k++)
		free(of[k]);
	return rules;
}

static FILE *file_open(const char *dir, const char *kind, size_t n, const char *suffix)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s-%zu.%s", dir, kind, n, suffix);
	f = fopen(path, "w");
	if (!f)
		die("cannot write %s: %s", path, strerror(errno));
	return f;
}

static void file_close(FILE *f)
{
	if (ferror(f) || fclose(f))
		die("cannot write the rules: %s", strerror(errno));
}

/* "a.b.c.d/len", behind `words`; nothing for any address. */
static void addr_write(FILE *f, const char *words, index_addr lo, index_addr hi)
{
	__u32 at = (__u32)lo, host = (__u32)(hi - lo);

	if (host == UINT32_MAX)
		return;
	fprintf(f, "%s%u.%u.%u.%u", words, at >> 24, at >> 16 & 255, at >> 8 & 255, at & 255);
	if (host)
		fprintf(f, "/%d", __builtin_clz(host));
}

static void ports_write(FILE *f, const char *words, unsigned int lo, unsigned int hi, char to)
{
	if (!lo && hi == 0xffff)
		return;
	fprintf(f, "%s%u", words, lo);
	if (hi != lo)
		fprintf(f, "%c%u", to, hi);
}

static bool has_ports(const struct index_rule *r)
{
	return r->sp_lo || r->sp_hi != 0xffff || r->dp_lo || r->dp_hi != 0xffff;
}

static void rule_write_ipt(FILE *f, const struct index_rule *r, bool accept)
{
	const char *proto = PROTO(r) == IPPROTO_TCP ? "tcp" : "udp";

	fputs("-A FORWARD", f);
	addr_write(f, " -s ", r->s_lo, r->s_hi);
	addr_write(f, " -d ", r->d_lo, r->d_hi);
	if (IIF(r))
		fprintf(f, " -i if%u", IIF(r));
	if (OIF(r))
		fprintf(f, " -o if%u", OIF(r));
	if (PROTO(r))
		fprintf(f, " -p %s", proto);
	if (has_ports(r) || IS_SYN(r))
		fprintf(f, " -m %s", proto);
	ports_write(f, " --sport ", r->sp_lo, r->sp_hi, ':');
	ports_write(f, " --dport ", r->dp_lo, r->dp_hi, ':');
	if (IS_SYN(r))
		fputs(" --tcp-flags FIN,SYN,RST,ACK SYN", f);
	if (r->markm)
		fprintf(f, " -m mark --mark 0x%x/0x%x", r->mark, r->markm);
	if (r->states != 0xff)
		fprintf(f, " -m conntrack --ctstate NEW%s",
			r->states & 1U << GW_CT_ESTABLISHED ? ",ESTABLISHED" : "");
	fprintf(f, " -j %s\n", accept ? "ACCEPT" : "DROP");
}

static void rule_write_nft(FILE *f, const struct index_rule *r, bool accept)
{
	const char *proto = PROTO(r) == IPPROTO_TCP ? "tcp" : "udp";
	char words[24];

	addr_write(f, " ip saddr ", r->s_lo, r->s_hi);
	addr_write(f, " ip daddr ", r->d_lo, r->d_hi);
	if (IIF(r))
		fprintf(f, " iifname \"if%u\"", IIF(r));
	if (OIF(r))
		fprintf(f, " oifname \"if%u\"", OIF(r));
	if (PROTO(r) && !has_ports(r) && !IS_SYN(r))
		fprintf(f, " meta l4proto %s", proto);
	snprintf(words, sizeof(words), " %s sport ", proto);
	ports_write(f, words, r->sp_lo, r->sp_hi, '-');
	snprintf(words, sizeof(words), " %s dport ", proto);
	ports_write(f, words, r->dp_lo, r->dp_hi, '-');
	if (IS_SYN(r))
		fputs(" tcp flags & (fin | syn | rst | ack) == syn", f);
	if (r->markm)
		fprintf(f, " meta mark & 0x%x == 0x%x", r->markm, r->mark);
	if (r->states != 0xff)
		fprintf(f, " ct state new%s",
			r->states & 1U << GW_CT_ESTABLISHED ? ",established" : "");
	fprintf(f, " counter %s\n", accept ? "accept" : "drop");
}

#define CLIENTS_NET "10.77.0.0/16"
#define SERVER	    "10.88.0.2"

static void nft_begin(FILE *f, const char *sets, const char *type)
{
	fprintf(f, "flush ruleset\ntable ip filter {\n%s", sets);
	if (type)
		fprintf(f, " map rules {\n  type %s\n  elements = {\n", type);
}

static void nft_chain(FILE *f)
{
	fputs(" chain FORWARD {\n  type filter hook forward priority 0; policy drop;\n"
	      "  ct state established,related counter accept\n",
	      f);
}

/* masquerade as the other phases have it: `flush ruleset` took it */
static void nft_end(FILE *f)
{
	fputs("  ip saddr " CLIENTS_NET " ip daddr " SERVER " counter accept\n }\n}\n"
	      "table ip nat {\n chain POSTROUTING {\n  type nat hook postrouting priority 100;\n"
	      "  oifname \"rs\" masquerade\n }\n}\n",
	      f);
	file_close(f);
}

static void write_linear(const char *dir, const struct index_rule *rules, size_t n)
{
	FILE *ipt = file_open(dir, "rules", n, "ipt"), *nft = file_open(dir, "rules", n, "nft");
	size_t i;

	fputs("*filter\n:FORWARD DROP [0:0]\n"
	      "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n",
	      ipt);
	nft_begin(nft, "", NULL);
	nft_chain(nft);
	for (i = 0; i < n; i++) {
		rule_write_ipt(ipt, &rules[i], i & 1);
		rule_write_nft(nft, &rules[i], i & 1);
	}
	fputs("-A FORWARD -s " CLIENTS_NET " -d " SERVER " -j ACCEPT\nCOMMIT\n", ipt);
	file_close(ipt);
	nft_end(nft);
}

/* A different address for each i, so that no two elements can overlap; never the server's. */
static __u32 address_of(size_t i)
{
	__u32 x = (__u32)i * 2654435761U;

	return 0x14000000 | (x & 0x3fffffff);
}

static void addr_element(FILE *f, index_addr lo, index_addr hi)
{
	addr_write(f, "", lo, hi);
	if (hi - lo == UINT32_MAX)
		fputs("0.0.0.0/0", f);
}

static void write_map(const char *dir, const struct index_rule *rules, size_t n)
{
	FILE *f = file_open(dir, "map", n, "nft");
	size_t i;

	nft_begin(f, "", "ipv4_addr . inet_proto . inet_service : verdict");
	for (i = 0; i < n; i++) {
		addr_write(f, "   ", address_of(i), address_of(i));
		fprintf(f, " . %s . %u : %s,\n", PROTO(&rules[i]) == IPPROTO_UDP ? "udp" : "tcp",
			rules[i].dp_lo, i & 1 ? "accept" : "drop");
	}
	fputs("  }\n }\n", f);
	nft_chain(f);
	fputs("  ip daddr . meta l4proto . th dport vmap @rules\n", f);
	nft_end(f);
}

static void write_concat(const char *dir, const struct index_rule *rules, size_t n)
{
	FILE *f = file_open(dir, "concat", n, "nft");
	size_t i;

	nft_begin(f, "",
		  "ipv4_addr . ipv4_addr . inet_proto . inet_service : verdict; flags interval;");
	for (i = 0; i < n; i++) {
		fputs("   ", f);
		addr_element(f, rules[i].s_lo, rules[i].s_hi);
		addr_write(f, " . ", address_of(i), address_of(i));
		fprintf(f, " . %s . ", PROTO(&rules[i]) == IPPROTO_UDP ? "udp" : "tcp");
		if (!rules[i].dp_lo && rules[i].dp_hi == 0xffff)
			fputs("0-65535", f);
		ports_write(f, "", rules[i].dp_lo, rules[i].dp_hi, '-');
		fprintf(f, " : %s,\n", i & 1 ? "accept" : "drop");
	}
	fputs("  }\n }\n", f);
	nft_chain(f);
	fputs("  ip saddr . ip daddr . meta l4proto . th dport vmap @rules\n", f);
	nft_end(f);
}

void ruletext_write(const char *dir, const struct index_rule *rules, size_t n)
{
	write_linear(dir, rules, n);
	write_map(dir, rules, n);
	if (n <= RULES_CONCAT_MAX)
		write_concat(dir, rules, n);
}

void ruletext_write_set(const char *dir, size_t n)
{
	FILE *f = file_open(dir, "set", n, "nft");
	struct rulegen g = { SEED };
	__u32 at = 0x0b000000;
	size_t i;

	fputs("flush ruleset\ntable ip filter {\n set block {\n  type ipv4_addr\n"
	      "  flags interval\n  elements = {\n",
	      f);
	for (i = 0; i < n; i++) {
		__u32 len = rulegen_below(&g, 100) < 70 ? 32 : 26 + rulegen_below(&g, 6);
		__u32 size = 1U << (32 - len);

		at = (at + 1 + rulegen_below(&g, 1024) + size) & -size;
		addr_write(f, "   ", at, at + size - 1);
		fputs(",\n", f);
		at += size;
	}
	fputs("  }\n }\n", f);
	nft_chain(f);
	fputs("  ip saddr @block counter drop\n", f);
	nft_end(f);
}

static bool rule_matches(const struct index_rule *r, const struct frame_head *h)
{
	return h->saddr >= r->s_lo && h->saddr <= r->s_hi && h->daddr >= r->d_lo &&
	       h->daddr <= r->d_hi && (!PROTO(r) || PROTO(r) == h->proto) && h->sport >= r->sp_lo &&
	       h->sport <= r->sp_hi && h->dport >= r->dp_lo && h->dport <= r->dp_hi && !IIF(r) &&
	       !OIF(r) && !r->markm;
}

/* What a router would not forward, whatever the rules say: 0/8, 127/8, its own networks, multicast. */
static bool address_is_usual(__u32 a)
{
	return a >> 24 && a >> 24 != 127 && a >> 24 != 10 && a >> 24 < 224;
}

static bool head_misses(const struct index_rule *rules, size_t n, const struct frame_head *h)
{
	size_t i;

	if (!address_is_usual(h->saddr) || !address_is_usual(h->daddr))
		return false;
	for (i = 0; i < n; i++)
		if (rule_matches(&rules[i], h))
			return false;
	return true;
}

void ruletext_misses(const struct index_rule *rules, size_t n, struct frame_head *list, size_t size)
{
	struct rulegen g = { SEED + n };
	size_t i = 0, tries;

	for (tries = 0; i < size; tries++) {
		struct find_key k;

		if (tries > size * 1000)
			die("the rules match everything");
		rulegen_key(&g, rules, n, 4, &k);
		list[i] = (struct frame_head){
			.saddr = rulegen_below(&g, 2) ? (__u32)k.s[1] : rulegen_next(&g) >> 32,
			.daddr = (__u32)k.d[1],
			.sport = k.sport,
			.dport = k.dport,
			.proto = rulegen_below(&g, 2) ? IPPROTO_TCP : IPPROTO_UDP,
		};
		i += head_misses(rules, n, &list[i]);
	}
}
