/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_PAIR_H
#define GW_PAIR_H
/*
 * pair - both halves of the connection in scratch: telling about it, promoting it, ending it.
 */
struct ct {
	struct gw_flow *own, *peer; /* the packet's direction and the other; NULL = no flow */
	bool est;		    /* found in the assured table */
};

/*
 * What happens seldom sits in global functions: verified once, and the common path's branches do not multiply with theirs.
 * They find the pair again by p->t and p->alt.
 */
static __always_inline void ct_pair(struct pkt *p, struct ct *ct, const bool v6)
{
	ct->own = flow_find(&p->t, v6);
	ct->peer = flow_find(&p->alt, v6);
}

static __always_inline int ct_end_pair(struct pkt *p, __u32 cause, const bool v6)
{
	struct ct ct;
	bool reply;

	ct_pair(p, &ct, v6);
	if (!ct.own || !ct.peer)
		return 0;
	reply = ct.own->flags & GW_FLOW_REPLY;
	flow_end(reply ? ct.peer : ct.own, reply ? ct.own : ct.peer, reply ? &p->alt : &p->t,
		 reply ? &p->t : &p->alt, cause, 0, v6);
	return 1;
}

/* End the connection of p->t and p->alt. */
__noinline int ct_end(__u32 v6, __u32 cause)
{
	struct pkt *p = pkt_scratch();

	if (!p)
		return 0;
	return v6 ? ct_end_pair(p, cause, true) : ct_end_pair(p, cause, false);
}

static __always_inline int ct_news_pair(struct pkt *p, __u32 what, const bool v6)
{
	struct gw_conf *conf = conf_get();
	struct gw_flow *orig, *other;
	union gw_key *ko, *kr;
	struct ct ct;
	bool reply;

	ct_pair(p, &ct, v6);
	if (!ct.own || !ct.peer || !conf)
		return 0;
	reply = ct.own->flags & GW_FLOW_REPLY;
	orig = reply ? ct.peer : ct.own;
	other = reply ? ct.own : ct.peer;
	ko = reply ? &p->alt : &p->t;
	kr = reply ? &p->t : &p->alt;
	if (what & CT_NEWS_UPDATE)
		event_send(GW_EVENT_UPDATE, 0, orig, other, ko, kr,
			   gw_timeout(conf, p->proto, orig, other) / cfg_hz, v6);
	if (what & CT_NEWS_PROMOTE)
		flow_promote(conf, orig, other, ko, kr, v6);
	return 1;
}

/*
 * Tell about the connection of p->t and p->alt, or promote it.  When the packet has passed the rules: what they drop is no news, as in
 * netfilter, which tells at the end of its last hook.
 */
__noinline int ct_news(__u32 v6, __u32 what)
{
	struct pkt *p = pkt_scratch();

	if (!p)
		return 0;
	return v6 ? ct_news_pair(p, what, true) : ct_news_pair(p, what, false);
}

/* A RST that was the only answer: tell and forget, whether the packet itself goes on or not. */
__noinline int ct_kill(__u32 v6)
{
	struct pkt *p = pkt_scratch();
	struct gw_flow *own;

	if (!p)
		return 0;
	own = v6 ? flow_find(&p->t, true) : flow_find(&p->t, false);
	if (!own)
		return 0;
	if (v6)
		key_copy(&p->alt, flow_peer(own, true), true);
	else
		key_copy(&p->alt, flow_peer(own, false), false);
	return ct_end(v6, GW_CAUSE_KILL);
}
#endif
