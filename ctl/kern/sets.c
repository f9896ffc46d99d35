/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What rules remember between packets: elements of dynamic sets, states of limits and quotas.
 */
#include <kern/impl.h>

#define WALK_BATCH 1024

static int dynset_fd(const struct kern *k)
{
	return bpf_map__fd(k->skel->maps.gw_dynset);
}

int kern_dynset_put(struct kern *k, const struct gw_dynkey *key, const struct gw_dynval *value,
		    bool fresh)
{
	if (bpf_map_update_elem(dynset_fd(k), key, value, fresh ? BPF_NOEXIST : BPF_ANY) == 0)
		return 0;
	if (fresh && errno == EEXIST)
		return 1;
	return errno == E2BIG || errno == ENOMEM ? -E2BIG
						 : raise(-errno, "write an element of a set");
}

int kern_dynset_get(struct kern *k, const struct gw_dynkey *key, struct gw_dynval *ret_value)
{
	if (bpf_map_lookup_elem(dynset_fd(k), key, ret_value) == 0)
		return 1;
	return errno == ENOENT ? 0 : raise(-errno, "read an element of a set");
}

int kern_dynset_delete(struct kern *k, const struct gw_dynkey *key)
{
	if (bpf_map_delete_elem(dynset_fd(k), key) == 0)
		return 1;
	return errno == ENOENT ? 0 : raise(-errno, "delete an element of a set");
}

struct walk {
	struct gw_dynkey *keys;
	struct gw_dynval *values;
	uint32_t cap;
};

static void walk_deinit(struct walk *w)
{
	free(w->keys);
	free(w->values);
}

static int walk_reserve(struct walk *w, uint32_t cap)
{
	walk_deinit(w);
	w->cap = cap;
	w->keys = calloc(cap, sizeof(*w->keys));
	w->values = calloc(cap, sizeof(*w->values));
	return w->keys && w->values ? 0 : raise(-ENOMEM, "read the elements of sets");
}

int kern_dynset_walk(struct kern *k, kern_dynset_fn fn, void *arg)
{
	_cleanup_(walk_deinit) struct walk w = { 0 };
	uint32_t in = 0, out = 0;
	void *from = NULL;
	int r = walk_reserve(&w, WALK_BATCH);

	while (r == 0) {
		uint32_t n = w.cap;
		int end = bpf_map_lookup_batch(dynset_fd(k), from, &out, w.keys, w.values, &n,
					       NULL) < 0
				  ? errno
				  : 0;

		/* a bucket of the hash holds more than the buffer */
		if (end == ENOSPC) {
			r = walk_reserve(&w, w.cap * 2);
			continue;
		}
		if (end && end != ENOENT)
			return raise(-end, "read the elements of sets");
		for (uint32_t i = 0; i < n && r == 0; i++)
			r = fn(&w.keys[i], &w.values[i], arg);
		if (end)
			break;
		in = out;
		from = &in;
	}
	return r;
}

int kern_dyncount_get(struct kern *k, uint32_t set, int64_t *ret)
{
	int64_t n = 0;

	if (bpf_map_lookup_elem(bpf_map__fd(k->skel->maps.gw_dyncount), &set, &n) < 0 &&
	    errno != ENOENT)
		return raise(-errno, "read how many elements a set has");
	*ret = n;
	return 0;
}

int kern_dyncount_set(struct kern *k, uint32_t set, int64_t n)
{
	int fd = bpf_map__fd(k->skel->maps.gw_dyncount);
	int r = n < 0 ? bpf_map_delete_elem(fd, &set) : bpf_map_update_elem(fd, &set, &n, BPF_ANY);

	return r < 0 && !(errno == ENOENT && n < 0) ? raise(-errno, "count the elements of a set")
						    : 0;
}

int kern_state_get(struct kern *k, uint32_t id, struct gw_state *ret)
{
	if (bpf_map_lookup_elem(bpf_map__fd(k->skel->maps.gw_states), &id, ret) < 0)
		return raise(-errno, "read state %u of a rule", id);
	return 0;
}

int kern_state_set(struct kern *k, uint32_t id, const struct gw_state *state)
{
	if (bpf_map_update_elem(bpf_map__fd(k->skel->maps.gw_states), &id, state, BPF_ANY) < 0)
		return raise(-errno, "write state %u of a rule", id);
	return 0;
}
