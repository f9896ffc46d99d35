/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_HOOK_EXPIRE_H
#define GW_HOOK_EXPIRE_H
/*
 * Ageing, run by gwd: connections end in pairs, when neither direction was seen for the timeout of their state.
 */
struct expire {
	struct gw_conf *conf;
	__u32 now, round, cause, scanned, ended, left;
	__be32 addr[4];
	__u32 family;
};

static __always_inline bool expire_due(struct expire *x, __u8 proto, struct gw_flow *orig,
				       struct gw_flow *reply)
{
	__u32 last = flow_last(orig, reply), idle = x->now - last;

	return x->cause == GW_CAUSE_USER ||
	       ((__s32)idle > 0 && idle > flow_timeout(x->conf, proto, orig, reply, last));
}

/* Does this half alone say that it is not due?  What only both together know makes it a question to the other half. */
static __always_inline bool expire_rests(struct expire *x, __u8 proto, struct gw_flow *f)
{
	__u32 idle = x->now - f->seen, least;

	if (expire_due(x, proto, f, NULL))
		return false;
	if (proto != IPPROTO_TCP || !gw_tcp_hints(x->conf, f))
		return true;
	least = x->conf->timeout[GW_TIMEOUT_TCP_UNACK];
	if (least > x->conf->timeout[GW_TIMEOUT_TCP_RETRANS])
		least = x->conf->timeout[GW_TIMEOUT_TCP_RETRANS];
	return (__s32)idle <= 0 || idle <= least >> (x->conf->pressure & 31);
}

/* What was acknowledged meanwhile is no hint any more: the next run need not ask again. */
static __always_inline void expire_settle(struct gw_flow *f, struct gw_flow *other)
{
	if (f->tcp_flags & GW_TCPF_UNACKED && !gw_tcp_unacked(f, other))
		f->tcp_flags &= ~GW_TCPF_UNACKED;
}

/* Seconds that were left to it; only a flush asks. */
static __always_inline __u32 expire_left(struct expire *x, __u8 proto, struct gw_flow *orig,
					 struct gw_flow *reply)
{
	__u32 last = flow_last(orig, reply), idle = x->now - last;
	__u32 t = flow_timeout(x->conf, proto, orig, reply, last);

	return (__s32)idle < 0 || idle > t ? 0 : (t - idle) / cfg_hz;
}

/* End a pair that is due.  @orig, @reply (may be NULL) and their keys. */
static __always_inline bool expire_pair(struct expire *x, __u8 proto, struct gw_flow *orig,
					struct gw_flow *reply, union gw_key *ko, union gw_key *kr,
					const bool v6)
{
	if (!expire_due(x, proto, orig, reply))
		return false;
	flow_end(orig, reply, ko, kr,
		 x->cause == GW_CAUSE_USER ? GW_CAUSE_USER
		 : x->conf->pressure	   ? GW_CAUSE_EARLY
					   : GW_CAUSE_TIMEOUT,
		 expire_left(x, proto, orig, reply), v6);
	x->ended++;
	if (x->conf->pressure && x->cause != GW_CAUSE_USER)
		stat_add(GW_STAT_EARLY_DROP, 1);
	return true;
}

static __always_inline void expire_one(struct expire *x, const union gw_key *key, struct gw_flow *f,
				       const bool v6)
{
	union gw_key k, kp;
	struct gw_flow *peer;
	bool reply;
	__u8 proto;

	x->scanned++;
	key_copy(&k, key, v6);
	proto = key_proto(&k, v6);
	reply = f->flags & GW_FLOW_REPLY;
	x->left += !reply;
	key_copy(&kp, flow_peer(f, v6), v6);
	if (expire_rests(x, proto, f)) {
		if (!reply)
			eim_hold_flow(f, &k, &kp, x->now, v6);
		return;
	}
	peer = flow_find(&kp, v6);
	if (peer && peer->id != f->id)
		peer = NULL;
	if (reply && !peer) {
		/* left alone by an eviction */
		flow_erase_emb(&k, v6);
		if (!flow_erase_est(&k, v6))
			count_add(-1, v6);
		return;
	}
	if (peer && proto == IPPROTO_TCP)
		expire_settle(f, peer);
	if (!reply && expire_pair(x, proto, f, peer, &k, &kp, v6))
		x->left--;
	else if (!reply)
		eim_hold_flow(f, &k, &kp, x->now, v6);
	else if (proto == IPPROTO_TCP && x->cause != GW_CAUSE_USER)
		expire_pair(x, proto, peer, f, &kp, &k, v6); /* its original half may rest */
}

static long expire_v4(void *map, const void *key, void *value, struct expire *x)
{
	expire_one(x, key, value, false);
	return 0;
}

static long expire_v6(void *map, const void *key, void *value, struct expire *x)
{
	expire_one(x, key, value, true);
	return 0;
}

static __always_inline bool expire_is_on(const struct expire *x, const struct gw_eim_key *k)
{
	return (x->family == 6) == (k->kind & GW_EIM_V6) &&
	       !((x->addr[0] ^ k->addr[0]) | (x->addr[1] ^ k->addr[1]) | (x->addr[2] ^ k->addr[2]) |
		 (x->addr[3] ^ k->addr[3]));
}

/* Behind the connections: a mapping ends when none of them held it in this round, and nothing went out for its timeout. */
static long expire_eim(void *map, const void *key, void *value, struct expire *x)
{
	const struct gw_eim_key *k = key;
	struct gw_eim *m = value;
	__u32 timeout, idle = x->now - m->seen;

	if (!(k->kind & GW_EIM_OUTSIDE))
		return 0;
	x->scanned++;
	if (x->family) {
		if (expire_is_on(x, k)) {
			x->ended++;
			eim_end(k, m);
		}
		return 0;
	}
	timeout = eim_timeout(x->conf, k->proto);
	if (x->cause != GW_CAUSE_USER && ((__s32)idle <= 0 || idle <= timeout))
		return 0;
	if (x->cause == GW_CAUSE_USER || (__s32)(m->held - x->round) < 0) {
		x->ended++;
		eim_end(k, m);
	} else if (timeout) {
		m->flags |= GW_EIM_CLOSED;
	}
	return 0;
}

SEC("syscall") int gw_expire(struct gw_expire_ctx *ctx)
{
	struct expire x = {
		.now = gw_now(), .round = ctx->now, .cause = ctx->cause, .family = ctx->family
	};

	x.conf = conf_get();
	if (!x.conf)
		return -1;
	x.conf->beat = x.now;
	for (int i = 0; i < 4; i++)
		x.addr[i] = ctx->addr[i];
	switch (ctx->table) {
	case 0:
		bpf_for_each_map_elem(&gw_est4, expire_v4, &x, 0);
		CALL_APART(0);
		break;
	case 1:
		bpf_for_each_map_elem(&gw_est6, expire_v6, &x, 0);
		CALL_APART(1);
		break;
	case 2:
		bpf_for_each_map_elem(&gw_emb4, expire_v4, &x, 0);
		CALL_APART(2);
		break;
	case 3:
		bpf_for_each_map_elem(&gw_emb6, expire_v6, &x, 0);
		CALL_APART(3);
		break;
	case EIM_TABLE:
		bpf_for_each_map_elem(&gw_eim, expire_eim, &x, 0);
		CALL_APART(4);
		break;
	}
	ctx->now = x.now;
	ctx->scanned = x.scanned;
	ctx->ended = x.ended;
	ctx->left = x.left;
	return 0;
}

static __always_inline void kill_one(struct gw_kill_ctx *ctx, union gw_key *k, const bool v6)
{
	struct gw_flow *f = flow_find(k, v6), *peer, *orig, *reply;
	struct gw_conf *conf = conf_get();
	union gw_key kp;
	__u32 left, idle, last;
	bool is_reply;

	if (!f || !conf || (ctx->id && f->id != ctx->id))
		return;
	key_copy(&kp, flow_peer(f, v6), v6);
	peer = flow_find(&kp, v6);
	if (!peer)
		return;
	is_reply = f->flags & GW_FLOW_REPLY;
	orig = is_reply ? peer : f;
	reply = is_reply ? f : peer;
	last = flow_last(orig, reply);
	idle = gw_now() - last;
	left = flow_timeout(conf, key_proto(k, v6), orig, reply, last);
	left = (__s32)idle < 0 ? left : idle > left ? 0 : left - idle;
	flow_end(orig, reply, is_reply ? &kp : k, is_reply ? k : &kp, ctx->cause, left / cfg_hz,
		 v6);
	ctx->done = 1;
}

/* gwd names flows of both families in one form. */
static __always_inline void key_narrow(union gw_key *k, const struct gw_tuple6 *t, const bool v6)
{
	__builtin_memset(k, 0, sizeof(*k));
	if (v6) {
		k->v6 = *t;
		return;
	}
	k->v4.saddr = t->saddr[0];
	k->v4.daddr = t->daddr[0];
	k->v4.sport = t->sport;
	k->v4.dport = t->dport;
	k->v4.proto = t->proto;
	k->v4.zone = t->zone;
}

SEC("syscall") int gw_kill(struct gw_kill_ctx *ctx)
{
	union gw_key k;

	ctx->done = 0;
	if (ctx->family == 6) {
		key_narrow(&k, &ctx->key, true);
		kill_one(ctx, &k, true);
	} else {
		key_narrow(&k, &ctx->key, false);
		kill_one(ctx, &k, false);
	}
	return 0;
}
#endif
