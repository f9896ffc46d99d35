/* SPDX-License-Identifier: GPL-2.0-only */
#include <gwd/flowlist.h>

struct collect {
	struct flowlist *l;
	flow_pick_fn pick;
	void *arg;
};

static int collect_one(const struct gw_event *ev, void *arg)
{
	struct collect *c = arg;
	void *p = c->l->list;
	int r;

	if (!c->pick(ev, c->arg))
		return 0;
	r = array_reserve(&p, &c->l->cap, c->l->n, sizeof(*c->l->list));
	if (r < 0)
		return raise(r, "list of connections");
	c->l->list = p;
	c->l->list[c->l->n++] = *ev;
	return 0;
}

int flowlist_collect(struct flowlist *l, struct kern *k, flow_pick_fn pick, void *arg)
{
	struct collect c = { l, pick, arg };

	return kern_flows(k, collect_one, &c);
}

void flowlist_deinit(struct flowlist *l)
{
	free(l->list);
	*l = (struct flowlist){ 0 };
}
