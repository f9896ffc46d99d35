// SPDX-License-Identifier: GPL-2.0-only
/*
 * The classifier alone, for measuring: one header a run, from an array of many, so that BPF_PROG_RUN's repetitions meet a different one each.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <core/compat.h>
#include <gw/abi.h>
#include "headers.h"

struct line {
	__u64 w[8];
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct line);
	__uint(max_entries, 1); /* the program sets it before load */
	__uint(map_flags, BPF_F_MMAPABLE);
} region SEC(".maps");

static __always_inline const void *region_line(__u32 line)
{
	return bpf_map_lookup_elem(&region, &line);
}
#include <core/find.h>
#include <core/set.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct header);
	__uint(max_entries, HEADERS);
	__uint(map_flags, BPF_F_MMAPABLE);
} headers SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct gw_counter);
	__uint(max_entries, 1 << 17);
	__uint(map_flags, BPF_F_MMAPABLE);
} counters SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, struct flow_key);
	__type(value, struct flow_value);
	__uint(max_entries, 2 * HEADERS);
} flows SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__type(key, struct lpm_key);
	__type(value, __u32);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} trie SEC(".maps");

struct scratch {
	struct find f;
	struct gw_dynkey set_key;
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct scratch);
	__uint(max_entries, 1);
} scratch SEC(".maps");

__u32 next, root, v6, list_at, list_n;
__u64 sum; /* what was found: nothing may be left out, and runs can be compared */

static __always_inline struct header *next_header(void)
{
	__u32 i = next++ & (HEADERS - 1);

	return bpf_map_lookup_elem(&headers, &i);
}

static __always_inline struct scratch *my_scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratch, &zero);
}

static __always_inline void count(__u32 id)
{
	struct gw_counter *c = bpf_map_lookup_elem(&counters, &id);

	if (!c)
		return;
	c->pkts++;
	c->bytes += 64;
}

/* What all of them do. */
SEC("tc")
int run_base(struct __sk_buff *skb)
{
	struct header *h = next_header();
	struct scratch *s = my_scratch();

	if (h && s)
		sum += h->k.s[1] + h->k.sport;
	return 0;
}

SEC("tc")
int run_find(struct __sk_buff *skb)
{
	struct header *h = next_header();
	struct scratch *s = my_scratch();

	if (!h || !s)
		return 0;
	s->f.half = 0;
	s->f.root = root;
	s->f.min = 0;
	find_first(&s->f, &h->k, v6);
	if (s->f.prio != FIND_NONE) {
		count(s->f.id);
		sum += s->f.id;
	}
	return 0;
}

static long list_step(__u32 i, struct find_walk *w)
{
	find_list(w->f, w->k);
	return !w->f->list_n;
}

/* The same rules one by one. */
SEC("tc")
int run_list(struct __sk_buff *skb)
{
	struct header *h = next_header();
	struct scratch *s = my_scratch();
	const struct gw_head *head = region_line(0);
	struct find_walk w = {};

	if (!h || !s || !head)
		return 0;
	w.f = &s->f;
	w.k = &h->k;
	s->f.o_misc = head->o_misc;
	s->f.o_xaddr = head->o_xaddr;
	s->f.min = 0;
	s->f.prio = FIND_NONE;
	s->f.vary = FIND_NONE;
	find_list_set(&s->f, list_at, list_n, FIND_SORTED | !!v6);
	bpf_loop(FIND_STEPS_MAX, list_step, &w, 0);
	if (s->f.prio != FIND_NONE) {
		count(s->f.id);
		sum += s->f.id;
	}
	return 0;
}

SEC("tc")
int run_flow(struct __sk_buff *skb)
{
	struct header *h = next_header();
	struct scratch *s = my_scratch();
	struct flow_value *v;

	if (!h || !s)
		return 0;
	v = bpf_map_lookup_elem(&flows, &h->flow);
	if (v)
		sum += v->word[0];
	return 0;
}

SEC("tc")
int run_set(struct __sk_buff *skb)
{
	struct header *h = next_header();
	struct scratch *s = my_scratch();

	if (!h || !s)
		return 0;
	sum += set_has(0, 0, &h->set_key);
	return 0;
}

SEC("tc")
int run_trie(struct __sk_buff *skb)
{
	struct header *h = next_header();
	struct scratch *s = my_scratch();

	if (!h || !s)
		return 0;
	sum += !!bpf_map_lookup_elem(&trie, &h->lpm);
	return 0;
}

char _license[] SEC("license") = "GPL";
