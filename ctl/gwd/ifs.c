/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <gwd/ifs.h>
#include <gwd/locals.h>
#include <gwd/masq.h>
#include <gwd/txn.h>
#include <net/if.h>
#include <net/if_arp.h>

struct ifs {
	struct nl_state *nl;
	struct compile_if *names, *compiled; /* now; as the image in force knows them */
	size_t n_names, n_compiled;
	struct ifs_row *rows; /* in the data plane */
	size_t n_rows;
	struct locals locals; /* in the data plane */
};

struct ifs *ifs_new(void)
{
	return calloc(1, sizeof(struct ifs));
}

struct ifs *ifs_free(struct ifs *s)
{
	if (!s)
		return NULL;
	nl_state_free(s->nl);
	locals_deinit(&s->locals);
	free(s->names);
	free(s->compiled);
	free(s->rows);
	free(s);
	return NULL;
}

size_t ifs_names(const struct ifs *s, const struct compile_if **ret)
{
	*ret = s->names;
	return s->n_names;
}

size_t ifs_rows(const struct ifs *s, const struct ifs_row **ret)
{
	*ret = s->rows;
	return s->n_rows;
}

const char *ifs_name(const struct ifs *s, unsigned int ifindex)
{
	for (size_t i = 0; i < s->n_names; i++)
		if (s->names[i].ifindex == ifindex)
			return s->names[i].name;
	return NULL;
}

void ifs_names_compiled(struct ifs *s)
{
	struct compile_if *copy = calloc(s->n_names + 1, sizeof(*copy));

	if (!copy)
		return; /* the ruleset is compiled once more than needed */
	if (s->n_names)
		memcpy(copy, s->names, s->n_names * sizeof(*copy));
	free(s->compiled);
	s->compiled = copy;
	s->n_compiled = s->n_names;
}

int ifs_read(struct gwd *g)
{
	_cleanup_(nl_state_freep) struct nl_state *nl = NULL;
	struct ifs *s = g->ifs;
	struct compile_if *names;
	int r = nl_state_read(&nl);

	if (r < 0)
		return r;
	names = calloc(nl->n_links + 1, sizeof(*names));
	if (!names)
		return raise(-ENOMEM, "interfaces");
	for (size_t i = 0; i < nl->n_links; i++) {
		names[i].ifindex = nl->links[i].ifindex;
		memcpy(names[i].name, nl->links[i].name, sizeof(names[i].name));
	}
	free(s->names);
	s->names = names;
	s->n_names = nl->n_links;
	nl_state_free(s->nl);
	s->nl = TAKE_PTR(nl);
	return 0;
}

static bool names_have(const struct compile_if *list, size_t n, const struct compile_if *one)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].ifindex == one->ifindex && !strcmp(list[i].name, one->name))
			return true;
	return false;
}

/* Is there a name in `a` that `b` has not, and that some rule asks for? */
static bool names_matter(const struct ruleset *rs, const struct compile_if *a, size_t n_a,
			 const struct compile_if *b, size_t n_b)
{
	for (size_t i = 0; i < n_a; i++)
		if (!names_have(b, n_b, &a[i]) && txn_names_interface(rs, a[i].name))
			return true;
	return false;
}

static bool ruleset_is_stale(const struct gwd *g)
{
	const struct ifs *s = g->ifs;

	if (g->model_lost)
		return false;
	return names_matter(g->rs, s->names, s->n_names, s->compiled, s->n_compiled) ||
	       names_matter(g->rs, s->compiled, s->n_compiled, s->names, s->n_names);
}

/* A port of a bridge or bond, or a VRF slave, has no addresses of its own: its master does, and there the programs belong. */
static bool link_is_managed(const struct gwd *g, const struct nl_link *l)
{
	return !(l->flags & IFF_LOOPBACK) && !l->master && !l->is_bridge_port && !l->is_vrf_slave &&
	       settings_manages(&g->cfg, l->name);
}

static uint32_t link_flags(const struct gwd *g, const struct nl_link *l)
{
	uint32_t flags = 0;

	if (l->flags & IFF_LOOPBACK)
		return GW_IF_LOOPBACK;
	if (!link_is_managed(g, l))
		return 0;
	flags |= GW_IF_MANAGED;
	flags |= l->type != ARPHRD_ETHER ? GW_IF_L3 : 0;
	flags |= l->rp_filter == 1 ? GW_IF_RP_STRICT : 0;
	flags |= l->rp_filter == 2 ? GW_IF_RP_LOOSE : 0;
	flags |= l->forward4 ? GW_IF_FORWARD4 : 0;
	flags |= l->forward6 ? GW_IF_FORWARD6 : 0;
	return flags;
}

/* The first address a masquerade may take: primary, of global scope, and for IPv6 usable for new connections. */
static const struct nl_addr *masquerade_addr(const struct nl_state *nl, unsigned int ifindex,
					     int family)
{
	for (size_t i = 0; i < nl->n_addrs; i++) {
		const struct nl_addr *a = &nl->addrs[i];

		if (a->ifindex != ifindex || a->family != family || a->scope != 0)
			continue;
		if (family == 4 ? !a->secondary : !a->deprecated && !a->tentative)
			return a;
	}
	return NULL;
}

static struct ifs_row link_row(const struct gwd *g, const struct nl_link *l)
{
	struct ifs_row row = {
		.ifindex = l->ifindex,
		.row = { .flags = link_flags(g, l), .mtu = l->mtu, .iftype = l->type }
	};
	const struct nl_addr *a4 = masquerade_addr(g->ifs->nl, l->ifindex, 4);
	const struct nl_addr *a6 = masquerade_addr(g->ifs->nl, l->ifindex, 6);

	memcpy(row.name, l->name, sizeof(row.name));
	if (!(row.row.flags & GW_IF_MANAGED))
		return row;
	if (a4)
		memcpy(&row.row.masq4, a4->addr, sizeof(row.row.masq4));
	if (a6)
		memcpy(row.row.masq6, a6->addr, sizeof(row.row.masq6));
	return row;
}

static struct ifs_row *row_find(struct ifs_row *rows, size_t n, unsigned int ifindex)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].ifindex == ifindex)
			return &rows[i];
	return NULL;
}

/* Rows of all interfaces the data plane should know of. */
static int rows_collect(const struct gwd *g, struct ifs_row **ret_rows, size_t *ret_n)
{
	const struct nl_state *nl = g->ifs->nl;
	struct ifs_row *rows = calloc(nl->n_links + 1, sizeof(*rows));
	size_t n = 0;

	if (!rows)
		return raise(-ENOMEM, "interfaces");
	for (size_t i = 0; i < nl->n_links; i++) {
		rows[n] = link_row(g, &nl->links[i]);
		if (rows[n].row.flags)
			n++;
	}
	*ret_rows = rows;
	*ret_n = n;
	return 0;
}

static void log_managed(const struct ifs_row *r, const char *what)
{
	char a4[INET_ADDRSTRLEN] = "none", a6[INET6_ADDRSTRLEN] = "none";

	if (r->row.masq4)
		inet_ntop(AF_INET, &r->row.masq4, a4, sizeof(a4));
	if (r->row.masq6[0])
		inet_ntop(AF_INET6, r->row.masq6, a6, sizeof(a6));
	log_info("%s interface name=%s ifindex=%u mtu=%u masquerade4=%s masquerade6=%s", what,
		 r->name, r->ifindex, r->row.mtu, a4, a6);
}

/* Write one row if it differs from what the data plane has. */
static int row_push(struct gwd *g, const struct ifs_row *have, struct ifs_row *want)
{
	int r;

	want->attached = have && have->attached;
	want->overtaken = have && have->overtaken;
	if (have && !memcmp(&have->row, &want->row, sizeof(have->row)) &&
	    !strcmp(have->name, want->name))
		return 0;
	r = kern_if_set(g->kern, want->ifindex, &want->row);
	if (r < 0)
		return r;
	if (want->attached)
		log_managed(want, "Updated");
	return 0;
}

static int row_attach(struct gwd *g, struct ifs_row *row, bool strict)
{
	int r;

	if (!(row->row.flags & GW_IF_MANAGED) ||
	    (row->attached && kern_is_attached(g->kern, row->ifindex)))
		return 0;
	if (row->attached)
		log_warning("Found own programs gone, attaching again name=%s", row->name);
	r = kern_attach(g->kern, row->ifindex);
	row->attached = r >= 0;
	if (r == -ENODEV) /* gone since the snapshot; the monitor tells */
		return 0;
	if (r < 0 && !strict)
		log_err("Could not attach, traffic is not filtered name=%s error=%s", row->name,
			strerror(-r));
	if (r < 0)
		return strict ? r : 0;
	log_managed(row, "Managing");
	return 0;
}

/* A program before ours can take packets away unfiltered; say it when it starts and when it ends. */
static void row_check_first(struct gwd *g, struct ifs_row *row)
{
	int first = row->attached ? kern_is_first(g->kern, row->ifindex) : -ENOENT;

	if (first < 0 || row->overtaken == !first)
		return;
	row->overtaken = !first;
	if (row->overtaken)
		log_warning("Found a foreign program before ours, it can bypass the rules name=%s",
			    row->name);
	else
		log_notice("Own program is the first again name=%s", row->name);
}

static void row_forget(struct gwd *g, const struct ifs_row *row)
{
	struct gw_if none = { 0 };

	if (row->row.flags & GW_IF_MANAGED) {
		kern_detach(g->kern, row->ifindex);
		log_info("Stopped managing interface name=%s ifindex=%u", row->name, row->ifindex);
	}
	kern_if_set(g->kern, row->ifindex, &none);
}

/* Which of the rows that the data plane has are over: the interface is gone or not ours any more. */
static void rows_forget(struct gwd *g, struct ifs_row *want, size_t n)
{
	for (size_t i = 0; i < g->ifs->n_rows; i++)
		if (!row_find(want, n, g->ifs->rows[i].ifindex))
			row_forget(g, &g->ifs->rows[i]);
}

static int rows_push(struct gwd *g, struct ifs_row *want, size_t n, bool strict)
{
	struct ifs *s = g->ifs;
	int r = 0;

	for (size_t i = 0; i < n && !r; i++)
		r = row_push(g, row_find(s->rows, s->n_rows, want[i].ifindex), &want[i]);
	/* the program may run the moment it is attached: all rows first */
	for (size_t i = 0; i < n && !r; i++)
		r = row_attach(g, &want[i], strict);
	for (size_t i = 0; i < n && !r; i++)
		row_check_first(g, &want[i]);
	return r;
}

/* Connections behind an address that the gateway lost would only wait for their timeout: end them, as netfilter does. */
static void retire_masqueraded(struct gwd *g, const struct locals *now)
{
	const struct ifs *s = g->ifs;

	for (size_t i = 0; i < s->n_rows; i++) {
		const struct gw_if *row = &s->rows[i].row;

		if (row->masq4 && !locals_has(now, 4, &row->masq4))
			masq_retire(g, 4, &row->masq4);
		if (row->masq6[0] && !locals_has(now, 6, row->masq6))
			masq_retire(g, 6, row->masq6);
	}
}

static int conf_push(struct gwd *g)
{
	struct gw_conf *conf = kern_conf(g->kern);

	conf->flags &= ~(GW_CONF_FIB_MARK | GW_CONF_XFRM);
	conf->flags |= g->ifs->nl->rule_fwmark ? GW_CONF_FIB_MARK : 0;
	conf->flags |= g->ifs->nl->xfrm ? GW_CONF_XFRM : 0;
	conf->rgen++; /* cached routes are asked for again */
	return kern_conf_push(g->kern);
}

/* New things first, so that nothing is attached before it is described; old things last. */
static int push_all(struct gwd *g, const struct locals *locals, struct ifs_row *rows, size_t n,
		    bool strict)
{
	int r = 0;

	if (!locals_equal(&g->ifs->locals, locals))
		r = locals_save(g->path.runtime_dir, &g->ifs->locals, locals);
	if (!r)
		r = locals_push_new(g->kern, &g->ifs->locals, locals);
	if (!r)
		r = conf_push(g);
	if (!r)
		r = rows_push(g, rows, n, strict);
	if (r < 0)
		return r;
	rows_forget(g, rows, n);
	locals_push_gone(g->kern, &g->ifs->locals, locals);
	retire_masqueraded(g, locals);
	return 0;
}

int ifs_push(struct gwd *g, bool strict)
{
	_cleanup_(locals_deinit) struct locals locals = { 0 };
	_cleanup_(freep) struct ifs_row *rows = NULL;
	struct ifs *s = g->ifs;
	size_t n = 0;
	int r = locals_collect(&locals, s->nl);

	if (!r)
		r = rows_collect(g, &rows, &n);
	if (!r)
		r = push_all(g, &locals, rows, n, strict);
	if (r < 0)
		return r;
	free(s->rows);
	s->rows = TAKE_PTR(rows);
	s->n_rows = n;
	locals_deinit(&s->locals);
	s->locals = locals;
	locals = (struct locals){ 0 };
	return 0;
}

int ifs_sync(struct gwd *g)
{
	struct diag d = { 0 };
	int r = ifs_read(g);

	if (r < 0)
		return r;
	if (ruleset_is_stale(g)) {
		r = txn_recompile(g, &d);
		if (r < 0)
			return r;
		if (r)
			log_err("Could not compile the ruleset for the interfaces of now error=%s",
				d.text);
	}
	return ifs_push(g, false);
}

static bool index_is_managed(const struct gwd *g, unsigned int ifindex)
{
	for (size_t i = 0; i < g->ifs->nl->n_links; i++)
		if (g->ifs->nl->links[i].ifindex == ifindex)
			return link_is_managed(g, &g->ifs->nl->links[i]);
	return false;
}

struct adopt {
	struct gwd *g;
	unsigned int *gone;
	size_t n, cap;
};

static void adopt_one(unsigned int ifindex, void *arg)
{
	struct adopt *a = arg;
	void *p = a->gone;

	if (index_is_managed(a->g, ifindex))
		return;
	if (array_reserve(&p, &a->cap, a->n, sizeof(*a->gone)) < 0)
		return;
	a->gone = p;
	a->gone[a->n++] = ifindex;
}

void ifs_adopt(struct gwd *g)
{
	struct adopt a = { .g = g };
	struct gw_if none = { 0 };

	kern_foreach_attached(g->kern, adopt_one, &a);
	for (size_t i = 0; i < a.n; i++) {
		log_info("Detaching from an interface that is not managed any more ifindex=%u",
			 a.gone[i]);
		kern_detach(g->kern, a.gone[i]);
		kern_if_set(g->kern, a.gone[i], &none);
	}
	free(a.gone);
	/* rows of interfaces that went while nobody looked; their numbers may come back as something else */
	for (unsigned int i = 1; i < GW_IFS_ARRAY; i++)
		if (!index_is_managed(g, i))
			kern_if_set(g->kern, i, &none);
	locals_load(g->path.runtime_dir, &g->ifs->locals);
	for (size_t i = 0; i < g->ifs->locals.n; i++)
		g->ifs->locals.list[i].is.kind = 0; /* write what is true in any case */
}
