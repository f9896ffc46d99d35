/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connections: list, count, kill, flush, expire.
 *
 * A listing must show each connection once, while packets go on moving connections from the embryonic to the
 * assured table.  So the embryonic tables are copied first, then the assured ones are streamed and cross out what
 * the copy has too, and what is left of the copy comes last: a connection that moves in between is seen in the copy.
 */
#include <netinet/in.h>
#include <kern/impl.h>

#define BATCH_START 4096 /* entries a system call; grows to the fullest bucket */
#define BATCH_MAX   (1U << 20)

enum {
	TABLE_EST4,
	TABLE_EST6,
	TABLE_EMB4,
	TABLE_EMB6,
	TABLES,
	TABLE_EIM = TABLES /* mappings: no connections are in it */
};			   /* numbers of gw_expire_ctx.table */

struct table {
	int fd;
	uint8_t family;
	uint32_t key_size, value_size;
};

/* One entry, both families in the same form. */
struct entry {
	struct gw_flow f;
	struct gw_tuple6 key, peer;
	uint32_t nat_rule;
	uint8_t family;
	bool crossed_out;
};

typedef int (*entry_fn)(const struct entry *e, void *arg);

static struct table table_get(const struct kern *k, unsigned int index)
{
	const struct bpf_map *maps[TABLES] = {
		[TABLE_EST4] = k->skel->maps.gw_est4,
		[TABLE_EST6] = k->skel->maps.gw_est6,
		[TABLE_EMB4] = k->skel->maps.gw_emb4,
		[TABLE_EMB6] = k->skel->maps.gw_emb6,
	};
	const struct bpf_map *map = maps[index];

	return (struct table){ bpf_map__fd(map), index % 2 ? 6 : 4, bpf_map__key_size(map),
			       bpf_map__value_size(map) };
}

static struct gw_tuple6 tuple_widen(const struct gw_tuple4 *t)
{
	return (struct gw_tuple6){ .saddr = { t->saddr },
				   .daddr = { t->daddr },
				   .sport = t->sport,
				   .dport = t->dport,
				   .proto = t->proto,
				   .zone = t->zone };
}

static struct gw_tuple4 tuple_narrow(const struct gw_tuple6 *t)
{
	return (struct gw_tuple4){ .saddr = t->saddr[0],
				   .daddr = t->daddr[0],
				   .sport = t->sport,
				   .dport = t->dport,
				   .proto = t->proto,
				   .zone = t->zone };
}

static struct entry entry_read(uint8_t family, const void *key, const void *value)
{
	struct entry e = { .family = family };

	if (family == 4) {
		struct gw_tuple4 t;
		struct gw_flow4 v;

		memcpy(&t, key, sizeof(t));
		memcpy(&v, value, sizeof(v));
		e.f = v.f;
		e.nat_rule = v.nat_rule;
		e.key = tuple_widen(&t);
		e.peer = tuple_widen(&v.peer);
	} else {
		struct gw_flow6 v;

		memcpy(&e.key, key, sizeof(e.key));
		memcpy(&v, value, sizeof(v));
		e.f = v.f;
		e.nat_rule = v.nat_rule;
		e.peer = v.peer;
	}
	return e;
}

/* Buffers of a batch of one table. */
struct batch {
	uint8_t *keys, *values;
	uint32_t room;
};

static void batch_deinit(struct batch *b)
{
	free(b->keys);
	free(b->values);
	*b = (struct batch){};
}

static int batch_grow(struct batch *b, const struct table *t, uint32_t room)
{
	batch_deinit(b);
	b->keys = calloc(room, t->key_size);
	b->values = calloc(room, t->value_size);
	b->room = room;
	return b->keys && b->values ? 0 : -ENOMEM;
}

/* The next entries: the number of them; *ret_end is set with the last. */
static int batch_next(struct batch *b, const struct table *t, bool *started, uint32_t *cursor,
		      bool *ret_end)
{
	for (;;) {
		uint32_t count = b->room, next = 0;
		int r = bpf_map_lookup_batch(t->fd, *started ? cursor : NULL, &next, b->keys,
					     b->values, &count, NULL);

		if (r == 0 || errno == ENOENT) {
			*ret_end = r != 0;
			*started = true;
			*cursor = next;
			return (int)count;
		}
		if (errno == EINTR)
			continue;
		/* ENOSPC: one bucket holds more than there is room for */
		if (errno != ENOSPC || b->room >= BATCH_MAX)
			return -errno;
		r = batch_grow(b, t, b->room * 4);
		if (r < 0)
			return r;
	}
}

static int table_walk(const struct table *t, entry_fn fn, void *arg)
{
	_cleanup_(batch_deinit) struct batch b = {};
	bool started = false, end = false;
	uint32_t cursor = 0;
	int r = batch_grow(&b, t, BATCH_START);

	while (r == 0 && !end) {
		int n = batch_next(&b, t, &started, &cursor, &end);

		if (n < 0)
			return raise(n, "read the connection table");
		for (int i = 0; r == 0 && i < n; i++) {
			struct entry e = entry_read(t->family, b.keys + (size_t)i * t->key_size,
						    b.values + (size_t)i * t->value_size);

			if (!(e.f.flags & (GW_FLOW_REPLY | GW_FLOW_DYING)))
				r = fn(&e, arg);
		}
	}
	return r == -ENOMEM ? raise(r, "read the connection table") : r;
}

/*
 * The copy of the embryonic tables: entries in order, and an open hash over (key, family) to cross them out.
 */
struct copy {
	struct entry *entries;
	size_t n, cap;
	uint32_t *slots; /* index + 1 */
	uint32_t mask;
};

static void copy_deinit(struct copy *c)
{
	free(c->entries);
	free(c->slots);
	*c = (struct copy){};
}

static int copy_add(const struct entry *e, void *arg)
{
	struct copy *c = arg;

	if (array_reserve((void **)&c->entries, &c->cap, c->n, sizeof(*e)) < 0)
		return -ENOMEM;
	c->entries[c->n++] = *e;
	return 0;
}

static uint32_t entry_hash(const struct entry *e)
{
	uint32_t words[sizeof(e->key) / 4], hash = 0x9e3779b9U ^ e->family;

	memcpy(words, &e->key, sizeof(e->key));
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		hash = (hash ^ words[i]) * 0x85ebca6bU;
		hash ^= hash >> 15;
	}
	return hash;
}

static bool entry_same_key(const struct entry *a, const struct entry *b)
{
	return a->family == b->family && memcmp(&a->key, &b->key, sizeof(a->key)) == 0;
}

static int copy_index(struct copy *c)
{
	size_t size = 64;

	while (size < c->n * 2)
		size *= 2;
	c->slots = calloc(size, sizeof(*c->slots));
	if (!c->slots)
		return raise(-ENOMEM, "kern_flows");
	c->mask = size - 1;
	for (size_t i = 0; i < c->n; i++) {
		uint32_t slot = entry_hash(&c->entries[i]) & c->mask;

		while (c->slots[slot])
			slot = (slot + 1) & c->mask;
		c->slots[slot] = i + 1;
	}
	return 0;
}

static void copy_cross_out(struct copy *c, const struct entry *e)
{
	uint32_t slot = entry_hash(e) & c->mask;

	for (; c->slots[slot]; slot = (slot + 1) & c->mask) {
		struct entry *mine = &c->entries[c->slots[slot] - 1];

		if (entry_same_key(mine, e)) {
			mine->crossed_out = true;
			return;
		}
	}
}

int64_t flow_seconds_left(const struct gw_conf *conf, unsigned int hz, uint8_t proto,
			  const struct gw_flow *orig, const struct gw_flow *reply, uint32_t own,
			  uint32_t idle)
{
	uint32_t timeout = own ? own : gw_timeout(conf, proto, orig, reply);

	/* a packet that came after `now` was read looks as if from the future */
	if ((int32_t)idle < 0)
		idle = 0;
	if (orig->flags & GW_FLOW_ASSURED)
		timeout >>= MIN(conf->pressure, 31U);
	return idle > timeout ? -1 : (int64_t)((timeout - idle) / hz);
}

/* The walk of kern_flows(). */
struct listing {
	struct kern *k;
	kern_flow_fn fn;
	void *arg;
	uint32_t now;
	struct copy emb;
};

static bool lookup_in(const struct kern *k, unsigned int index, const struct gw_tuple6 *key,
		      struct entry *ret)
{
	struct table t = table_get(k, index);
	struct gw_tuple4 key4 = tuple_narrow(key);
	union {
		struct gw_flow4 v4;
		struct gw_flow6 v6;
	} value;

	if (bpf_map_lookup_elem(t.fd, t.family == 4 ? (void *)&key4 : (void *)key, &value) < 0)
		return false;
	*ret = entry_read(t.family, t.family == 4 ? (void *)&key4 : (void *)key, &value);
	return true;
}

/* The other direction: in the entry's own table, or just moved to the assured one. */
static struct entry reply_of(const struct listing *l, const struct entry *e, bool assured)
{
	unsigned int six = e->family == 6;
	struct entry reply = {};

	if (!assured && lookup_in(l->k, TABLE_EMB4 + six, &e->peer, &reply) &&
	    reply.f.id == e->f.id)
		return reply;
	if (lookup_in(l->k, TABLE_EST4 + six, &e->peer, &reply) && reply.f.id == e->f.id)
		return reply;
	return (struct entry){ .f.seen = e->f.seen };
}

/* Seconds left to a connection that was last seen at @seen; < 0: its time is over. */
static int64_t seconds_left(const struct listing *l, const struct entry *e,
			    const struct gw_flow *reply, uint32_t seen)
{
	uint32_t idle = l->now - seen, own = 0;
	unsigned int hz = l->k->features.hz;
	struct gw_ext ext;

	if (e->f.flags & GW_FLOW_EXT &&
	    !bpf_map_lookup_elem(bpf_map__fd(l->k->skel->maps.gw_ext), &e->f.id, &ext)) {
		own = ext.timeout;
		if (ext.once && ext.once_seen == seen)
			return (int32_t)idle < 0 ? ext.once / hz
			       : idle > ext.once ? -1
						 : (int64_t)((ext.once - idle) / hz);
	}
	return flow_seconds_left(&l->k->conf, hz, e->key.proto, &e->f, reply, own, idle);
}

static int listing_emit(struct listing *l, const struct entry *e, bool assured)
{
	struct entry reply = reply_of(l, e, assured);
	uint32_t seen = (int32_t)(reply.f.seen - e->f.seen) > 0 ? reply.f.seen : e->f.seen;
	int64_t left = seconds_left(l, e, &reply.f, seen);
	struct gw_event ev = {
		.type = GW_EVENT_NONE,
		.family = e->family,
		.proto = e->key.proto,
		.state = e->f.state,
		.flags = e->f.flags,
		.timeout = left,
		.id = e->f.id,
		.mark = e->f.mark,
		.rule = reply.f.created,
		.nat_rule = e->nat_rule,
		.nat_rule2 = reply.nat_rule,
		.iif = e->f.iif,
		.oif = e->f.oif,
		.created = e->f.created,
		.zone = e->key.zone,
		.pkts = { e->f.pkts, reply.f.pkts },
		.bytes = { e->f.bytes, reply.f.bytes },
		.tuple = { e->key, e->peer },
	};

	/* expired, only not collected yet */
	return left < 0 ? 0 : l->fn(&ev, l->arg);
}

static int listing_assured(const struct entry *e, void *arg)
{
	struct listing *l = arg;

	copy_cross_out(&l->emb, e);
	return listing_emit(l, e, true);
}

static int listing_run(struct listing *l)
{
	int r = 0;

	for (unsigned int i = TABLE_EMB4; r == 0 && i <= TABLE_EMB6; i++) {
		struct table t = table_get(l->k, i);

		r = table_walk(&t, copy_add, &l->emb);
	}
	if (r == 0)
		r = copy_index(&l->emb);
	for (unsigned int i = TABLE_EST4; r == 0 && i <= TABLE_EST6; i++) {
		struct table t = table_get(l->k, i);

		r = table_walk(&t, listing_assured, l);
	}
	for (size_t i = 0; r == 0 && i < l->emb.n; i++)
		if (!l->emb.entries[i].crossed_out)
			r = listing_emit(l, &l->emb.entries[i], false);
	return r;
}

int kern_flows(struct kern *k, kern_flow_fn fn, void *arg)
{
	struct listing l = { .k = k, .fn = fn, .arg = arg };
	int r = kern_jiffies(k, &l.now);

	if (r == 0)
		r = listing_run(&l);
	copy_deinit(&l.emb);
	return r;
}

/* Run a SYSCALL program; the kernel copies the context back. */
int run_program(const struct bpf_program *prog, void *ctx, size_t size)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = ctx, .ctx_size_in = size);

	if (bpf_prog_test_run_opts(bpf_program__fd(prog), &opts) < 0)
		return raise(-errno, "run %s", bpf_program__name(prog));
	return 0;
}

/* @now: what the first table of the round gave; 0 = this is the first. */
static int expire_table(struct kern *k, unsigned int table, uint32_t cause, uint32_t *now,
			uint64_t *ret_left)
{
	struct gw_expire_ctx ctx = { .table = table, .cause = cause, .now = *now };
	int r = run_program(k->skel->progs.gw_expire, &ctx, sizeof(ctx));

	if (r < 0)
		return r;
	if (!*now)
		*now = ctx.now;
	*ret_left = ctx.left;
	return 0;
}

/* All tables, and the mappings that none of their connections held: ret[TABLES]. */
static int expire_round(struct kern *k, uint64_t *ret)
{
	uint32_t now = 0;
	uint64_t none;
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < TABLES; i++)
		r = expire_table(k, i, GW_CAUSE_TIMEOUT, &now, &ret[i]);
	return r < 0 ? r : expire_table(k, TABLE_EIM, GW_CAUSE_TIMEOUT, &now, &none);
}

/*
 * Made, less ended, less there: what was made before the tables were walked and ended after it, so that what happens meanwhile makes it
 * less and not more.
 */
static int vanished_count(struct kern *k, uint64_t made, const uint64_t left[TABLES])
{
	uint64_t ended;
	int64_t n;
	int r = maps_stat_sum(k, GW_STAT_DELETE, &ended);

	if (r < 0)
		return r;
	n = (int64_t)(made - ended);
	for (unsigned int i = 0; i < TABLES; i++)
		n -= left[i];
	if (!k->vanished_known)
		k->vanished = k->vanished_told = n;
	k->vanished_known = true;
	k->vanished = MAX(k->vanished, n);
	return 0;
}

uint64_t kern_vanished(struct kern *k)
{
	uint64_t n = k->vanished - k->vanished_told;

	k->vanished_told = k->vanished;
	return n;
}

int kern_expire(struct kern *k, uint64_t *ret_left)
{
	uint64_t left[TABLES] = {}, made = 0;
	int r = maps_stat_sum(k, GW_STAT_INSERT, &made);

	if (r == 0)
		r = expire_round(k, left);
	if (r == 0)
		r = vanished_count(k, made, left);
	if (r == 0)
		*ret_left = left[TABLE_EST4] + left[TABLE_EST6];
	return r;
}

/* Counting is the expiry run: in the kernel, without a copy, and what is due does not count. */
int kern_flow_count(struct kern *k, uint64_t *ret_est, uint64_t *ret_emb)
{
	uint64_t left[TABLES] = {};
	int r = expire_round(k, left);

	if (r < 0)
		return r;
	*ret_est = left[TABLE_EST4] + left[TABLE_EST6];
	*ret_emb = left[TABLE_EMB4] + left[TABLE_EMB6];
	return 0;
}

int kern_flow_kill(struct kern *k, const struct gw_event *ev, uint32_t cause)
{
	struct gw_kill_ctx ctx = {
		.key = ev->tuple[0], .family = ev->family, .id = ev->id, .cause = cause
	};
	int r = run_program(k->skel->progs.gw_kill, &ctx, sizeof(ctx));

	return r < 0 ? r : ctx.done != 0;
}

/* Embryonic first: what becomes assured meanwhile is met in the second half. */
int kern_flow_flush(struct kern *k)
{
	static const uint8_t order[] = { TABLE_EMB4, TABLE_EMB6, TABLE_EST4, TABLE_EST6,
					 TABLE_EIM };
	uint32_t now = 0;
	uint64_t left;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(order); i++)
		r = expire_table(k, order[i], GW_CAUSE_USER, &now, &left);
	return r;
}

int kern_mappings_end(struct kern *k, int family, const void *addr)
{
	struct gw_expire_ctx ctx = { .table = TABLE_EIM, .cause = GW_CAUSE_KILL, .family = family };
	int r;

	memcpy(ctx.addr, addr, family == 6 ? 16 : 4);
	r = run_program(k->skel->progs.gw_expire, &ctx, sizeof(ctx));
	return r < 0 ? r : (int)ctx.ended;
}
