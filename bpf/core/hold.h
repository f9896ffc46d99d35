/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_HOLD_H
#define GW_HOLD_H
/*
 * Fragments that overtook the first one of their packet.
 *
 * Their ports are not known yet, so they are kept (up to HOLD_MAX for one packet) and dropped from the wire.  When the first fragment
 * comes, its skb is filled with each of them in turn and a clone is sent back into the same interface's ingress, where the ports are
 * now known; then the skb gets its own bytes back and goes on.  There is no other way to make a packet out of memory in TC.
 *
 * gw_hold - kept fragments.  writers, readers: ingress;  pinned: no
 * full:    LRU; a packet whose fragments were taken is never complete, its receiver times out
 */
#define HOLD_MAX  8    /* kept fragments for one packet */
#define HOLD_SIZE 2048 /* longest one, IP header included */

struct hold_key {
	struct gw_frag_key frag;
	__u32 slot;
};

struct hold {
	__u32 len;
	__u32 seen;
	__u8 data[HOLD_SIZE];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, struct hold_key);
	__type(value, struct hold);
	__uint(max_entries, 1024);
} gw_hold SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct hold);
	__uint(max_entries, 2); /* 0: being stored, 1: the first fragment while its skb is lent */
} gw_hold_buf SEC(".maps");

/* Copy the packet (from the IP header) into @h; false = too long. */
static __always_inline bool hold_copy(struct __sk_buff *skb, __u32 l3, struct hold *h)
{
	__u64 last = skb->len - l3 - 1;

	if (skb->len - l3 > HOLD_SIZE || skb->len <= l3)
		return false;
	asm volatile("%0 &= 2047"
		     : "+r"(last)); /* HOLD_SIZE - 1; 6.1 does not learn from the comparison */
	h->len = last + 1;
	return !bpf_skb_load_bytes(skb, l3, h->data, last + 1);
}

/* Make the skb hold @h's bytes behind its link header. */
static __always_inline bool hold_fill(struct __sk_buff *skb, __u32 l3, const struct hold *h)
{
	__u64 last = h->len - 1;

	asm volatile("%0 &= 2047" : "+r"(last));
	if (bpf_skb_change_tail(skb, l3 + last + 1, 0))
		return false;
	return !bpf_skb_store_bytes(skb, l3, h->data, last + 1, 0);
}

/* Keep this fragment as number @slot of its packet. */
static __always_inline bool hold_keep(struct __sk_buff *skb, struct pkt *p,
				      const struct gw_frag_key *k, __u32 slot)
{
	struct hold_key hk = { .frag = *k, .slot = slot };
	__u32 zero = 0;
	struct hold *h = bpf_map_lookup_elem(&gw_hold_buf, &zero);

	if (!h || slot >= HOLD_MAX || !hold_copy(skb, p->l3, h))
		return false;
	h->seen = p->now;
	return !bpf_map_update_elem(&gw_hold, &hk, h, BPF_ANY);
}

struct hold_walk {
	struct __sk_buff *skb;
	struct hold_key key;
	__u32 l3, now, n;
};

static long hold_release_one(__u32 i, struct hold_walk *w)
{
	struct hold *h;

	w->key.slot = i;
	if (i >= w->n)
		return 1;
	h = bpf_map_lookup_elem(&gw_hold, &w->key);
	if (h && w->now - h->seen <= FRAG_LIFE_S * cfg_hz && hold_fill(w->skb, w->l3, h))
		bpf_clone_redirect(w->skb, w->skb->ifindex, BPF_F_INGRESS);
	bpf_map_delete_elem(&gw_hold, &w->key);
	return 0;
}

/* The first fragment is here: send what waited for it round again.  false: its own bytes could not be put back. */
static __always_inline bool hold_release(struct __sk_buff *skb, struct pkt *p,
					 const struct gw_frag_key *k, __u32 n)
{
	struct hold_walk w = { .skb = skb, .l3 = p->l3, .now = p->now, .n = n };
	__u32 one = 1;
	struct hold *own = bpf_map_lookup_elem(&gw_hold_buf, &one);

	w.key.frag = *k;
	if (!own || !hold_copy(skb, p->l3, own))
		return true; /* nothing was touched; the receiver will miss fragments */
	bpf_loop(HOLD_MAX, hold_release_one, &w, 0);
	return hold_fill(skb, p->l3, own);
}
#endif
