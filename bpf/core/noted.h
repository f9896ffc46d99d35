/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_NOTED_H
#define GW_NOTED_H
/*
 * noted - the TCP segment that a connection let pass without learning, in its row of gw_ext.
 *
 * While one is noted the connection leaves the fast path (GW_FLOW_NOFAST): the next segment that is accepted makes the note void.
 */
static __always_inline void noted_load(struct pkt *p, __u16 flow_flags)
{
	struct tcp_noted *n = &p->noted;
	struct gw_ext *row;

	n->valid = 0;
	if (!(flow_flags & GW_FLOW_EXT))
		return;
	row = bpf_map_lookup_elem(&gw_ext, &p->tcp_id);
	if (!row || row->id != p->tcp_id || !(row->flags & GW_EXT_LAST))
		return;
	n->valid = 1;
	n->index = row->last_index;
	n->dir = row->last_dir;
	n->scale = row->last_scale;
	n->flags = row->last_flags;
	n->win = row->last_win;
	n->ack = row->last_seq;
	n->end = row->last_end;
}

static __always_inline void noted_put(struct gw_ext *row, const struct tcp_noted *n)
{
	row->last_index = n->index;
	row->last_dir = n->dir;
	row->last_scale = n->scale;
	row->last_flags = n->flags;
	row->last_win = n->win;
	row->last_seq = n->ack;
	row->last_end = n->end;
	row->flags |= GW_EXT_LAST;
}

/* Keep p->noted.  GW_FLOW_* to set in both halves. */
__noinline int noted_keep(__u32 flow_flags)
{
	struct pkt *p = pkt_scratch();
	struct gw_ext *row;

	if (!p)
		return 0;
	row = flow_flags & GW_FLOW_EXT ? bpf_map_lookup_elem(&gw_ext, &p->tcp_id) : NULL;
	if (row && row->id == p->tcp_id) {
		noted_put(row, &p->noted);
		return GW_FLOW_NOFAST;
	}
	__builtin_memset(&p->ext, 0, sizeof(p->ext));
	p->ext.id = p->tcp_id;
	p->ext.flags = flow_flags & GW_FLOW_NOFAST ? GW_EXT_SLOW : 0;
	noted_put(&p->ext, &p->noted);
	if (bpf_map_update_elem(&gw_ext, &p->tcp_id, &p->ext, BPF_ANY))
		return 0;
	return GW_FLOW_EXT | GW_FLOW_NOFAST;
}

/* A segment was accepted: the note is void.  GW_FLOW_* to clear in both halves. */
__noinline int noted_drop(void)
{
	struct pkt *p = pkt_scratch();
	struct gw_ext *row;
	__u32 fast;

	row = p ? bpf_map_lookup_elem(&gw_ext, &p->tcp_id) : NULL;
	if (!row)
		return 0;
	row->flags &= ~GW_EXT_LAST;
	fast = row->flags & GW_EXT_SLOW || row->helper ? 0 : GW_FLOW_NOFAST;
	if (row->timeout || row->once || row->master || row->helper || row->flags & ~GW_EXT_SLOW)
		return fast;
	bpf_map_delete_elem(&gw_ext, &p->tcp_id);
	return fast | GW_FLOW_EXT;
}
#endif
