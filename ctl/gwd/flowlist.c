/* SPDX-License-Identifier: GPL-2.0-only */
#include <gwd/flowlist.h>
#include <gwd/ids.h>

static void to_handle(const struct gwd *g, uint32_t *id, uint32_t when)
{
	uint64_t handle = *id ? ids_owner(g->ids, *id, when) : 0;

	*id = handle <= UINT32_MAX ? handle : 0;
}

void flow_dress(const struct gwd *g, struct gw_event *ev)
{
	to_handle(g, &ev->rule, ev->created);
	to_handle(g, &ev->nat_rule, ev->created);
	to_handle(g, &ev->nat_rule2, ev->created);
}

struct collect {
	struct gwd *g;
	struct flowlist *l;
	flow_pick_fn pick;
	void *arg;
};

static int collect_one(const struct gw_event *row, void *arg)
{
	struct collect *c = arg;
	struct gw_event ev = *row;
	void *p = c->l->list;
	int r;

	flow_dress(c->g, &ev);
	if (!c->pick(&ev, c->arg))
		return 0;
	r = array_reserve(&p, &c->l->cap, c->l->n, sizeof(*c->l->list));
	if (r < 0)
		return raise(r, "list of connections");
	c->l->list = p;
	c->l->list[c->l->n++] = ev;
	return 0;
}

int flowlist_collect(struct flowlist *l, struct gwd *g, flow_pick_fn pick, void *arg)
{
	struct collect c = { g, l, pick, arg };

	return kern_flows(g->kern, collect_one, &c);
}

void flowlist_deinit(struct flowlist *l)
{
	free(l->list);
	*l = (struct flowlist){ 0 };
}
