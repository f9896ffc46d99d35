/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connections that are changed or entered by hand.  The programs do it, one connection a run, while packets go on.
 *
 * A connection that becomes assured is copied from one table to the other: what was changed between the copy and its appearance would be
 * lost.  So when all have been changed, and every program that ran meanwhile has ended, those that may have been copied are looked
 * after once more.
 */
#include <kern/impl.h>

/* The kernel's own limit of a timeout. */
static uint32_t to_jiffies(const struct kern *k, uint32_t seconds)
{
	return MIN((uint64_t)seconds * k->features.hz, (uint64_t)INT32_MAX);
}

struct changed {
	uint32_t old_mark;
	bool embryonic;
};

/* 1 = changed, 0 = gone, or it was so before. */
static int update_one(struct kern *k, struct gw_event *ev, const struct kern_change *c,
		      struct changed *ret)
{
	struct gw_update_ctx ctx = {
		.key = ev->tuple[0],
		.family = ev->family,
		.id = ev->id,
		.what = c->what,
		.mark = c->mark,
		.mark_mask = c->mark_mask,
		.timeout = to_jiffies(k, c->timeout),
		.status = c->status,
		.state = c->state,
	};
	int r = run_program(k->skel->progs.gw_update, &ctx, sizeof(ctx));

	if (r < 0 || ctx.done != GW_CHANGE_DONE)
		return r;
	if (c->what & GW_UPDATE_MARK)
		ev->mark = ctx.mark;
	ret->old_mark = ctx.mark_mask;
	ret->embryonic = !(ev->flags & GW_FLOW_ASSURED);
	ev->flags = ctx.status;
	ev->state = ctx.state;
	ev->timeout = ctx.timeout / k->features.hz;
	return 1;
}

static int update_again(struct kern *k, const struct gw_event *ev, const struct kern_change *c,
			uint32_t old_mark)
{
	struct gw_update_ctx ctx = {
		.key = ev->tuple[0],
		.family = ev->family,
		.id = ev->id,
		/* a state is the packets' again from now on */
		.what = (c->what & ~GW_UPDATE_STATE) | GW_UPDATE_AGAIN,
		.mark = ev->mark,
		.mark_mask = old_mark,
		.timeout = to_jiffies(k, c->timeout),
		.status = c->status,
	};

	return run_program(k->skel->progs.gw_update, &ctx, sizeof(ctx));
}

int kern_flows_update(struct kern *k, struct gw_event *list, size_t n, const struct kern_change *c,
		      size_t *ret_n)
{
	_cleanup_(freep) struct changed *changed = calloc(n ? n : 1, sizeof(*changed));
	bool embryonic = false;
	size_t done = 0;
	int r = 0;

	if (!changed)
		return raise(-ENOMEM, "change connections");
	for (size_t i = 0; i < n; i++) {
		struct gw_event ev = list[i];

		r = update_one(k, &ev, c, &changed[done]);
		if (r < 0)
			return r;
		if (!r)
			continue;
		embryonic |= changed[done].embryonic;
		list[done++] = ev;
	}
	if (embryonic)
		r = wait_for_programs();
	for (size_t i = 0; embryonic && r >= 0 && i < done; i++)
		if (changed[i].embryonic)
			r = update_again(k, &list[i], c, changed[i].old_mark);
	*ret_n = done;
	return r < 0 ? r : 0;
}

int kern_flow_insert(struct kern *k, struct gw_event *ev)
{
	struct gw_insert_ctx ctx = {
		.orig = ev->tuple[0],
		.reply = ev->tuple[1],
		.family = ev->family,
		.flags = ev->flags,
		.state = ev->state,
		.mark = ev->mark,
		.timeout = to_jiffies(k, ev->timeout),
	};
	uint64_t left;
	int r = run_program(k->skel->progs.gw_insert, &ctx, sizeof(ctx));

	if (r == 0 && ctx.done == GW_CHANGE_EXISTS) {
		/* perhaps only because what is over was not collected yet */
		r = kern_expire(k, &left);
		if (r == 0)
			r = run_program(k->skel->progs.gw_insert, &ctx, sizeof(ctx));
	}
	ev->id = ctx.id;
	return r < 0 ? r : (int)ctx.done;
}
