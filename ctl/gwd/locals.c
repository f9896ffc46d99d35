/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <gwd/locals.h>
#include <limits.h>

#define LOOPBACK_IFINDEX 1 /* in every network namespace */

static size_t addr_len(int family)
{
	return family == 4 ? 4 : 16;
}

/* By address; a host address before a broadcast one. */
static int local_cmp(const void *a, const void *b)
{
	const struct local *x = a, *y = b;
	int c = (int)x->family - (int)y->family;

	if (!c)
		c = memcmp(x->addr, y->addr, sizeof(x->addr));
	return c;
}

static int local_cmp_value(const void *a, const void *b)
{
	const struct local *x = a, *y = b;
	int c = local_cmp(a, b);

	if (!c)
		c = (int)x->is.kind - (int)y->is.kind;
	return c ? c : (x->is.ifindex > y->is.ifindex) - (x->is.ifindex < y->is.ifindex);
}

static int add(struct locals *l, int family, const void *addr, uint32_t kind, uint32_t ifindex)
{
	void *p = l->list;
	struct local *entry;
	int r = array_reserve(&p, &l->cap, l->n, sizeof(*l->list));

	if (r < 0)
		return r;
	l->list = p;
	entry = &l->list[l->n++];
	*entry = (struct local){ .family = (uint8_t)family, .is = { kind, ifindex } };
	memcpy(entry->addr, addr, addr_len(family));
	return 0;
}

/* One row for each address; that of several interfaces names none. */
static void sort_unique(struct locals *l)
{
	size_t kept = 0;

	if (l->n)
		qsort(l->list, l->n, sizeof(*l->list), local_cmp_value);
	for (size_t i = 0; i < l->n; i++) {
		struct local *last = kept ? &l->list[kept - 1] : NULL, *next = &l->list[i];

		if (!last || local_cmp(last, next))
			l->list[kept++] = *next;
		else if (last->is.kind == next->is.kind && last->is.ifindex != next->is.ifindex)
			last->is.ifindex = 0;
	}
	l->n = kept;
}

/* The last address of a network is its broadcast, whether the interface was told so or not. */
static int add_network_broadcast(struct locals *l, const struct nl_addr *a)
{
	uint32_t last;

	memcpy(&last, a->addr, sizeof(last));
	last |= htonl(UINT32_MAX >> a->plen);
	return add(l, 4, &last, GW_LOCAL_BROADCAST, a->ifindex);
}

int locals_collect(struct locals *l, const struct nl_state *nl)
{
	static const uint8_t loopback4[4] = { 127, 0, 0, 1 }, loopback6[16] = { [15] = 1 };
	int r = add(l, 4, loopback4, GW_LOCAL_HOST, LOOPBACK_IFINDEX);

	r |= add(l, 6, loopback6, GW_LOCAL_HOST, LOOPBACK_IFINDEX);
	for (size_t i = 0; i < nl->n_addrs; i++) {
		const struct nl_addr *a = &nl->addrs[i];

		r |= add(l, a->family, a->addr, GW_LOCAL_HOST, a->ifindex);
		if (a->has_bcast)
			r |= add(l, 4, a->bcast, GW_LOCAL_BROADCAST, a->ifindex);
		if (a->family == 4 && a->plen < 31)
			r |= add_network_broadcast(l, a);
	}
	sort_unique(l);
	return r ? raise(-ENOMEM, "addresses") : 0;
}

void locals_deinit(struct locals *l)
{
	free(l->list);
	*l = (struct locals){ 0 };
}

static const struct local *find(const struct locals *l, const struct local *like)
{
	return l->n ? bsearch(like, l->list, l->n, sizeof(*like), local_cmp) : NULL;
}

bool locals_equal(const struct locals *a, const struct locals *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (local_cmp_value(&a->list[i], &b->list[i]))
			return false;
	return true;
}

bool locals_has(const struct locals *l, int family, const void *addr)
{
	struct local like = { .family = family };
	const struct local *found;

	memcpy(like.addr, addr, addr_len(family));
	found = find(l, &like);
	return found && found->is.kind == GW_LOCAL_HOST;
}

int locals_push_new(struct kern *k, const struct locals *have, const struct locals *want)
{
	for (size_t i = 0; i < want->n; i++) {
		const struct local *w = &want->list[i], *h = find(have, w);
		int r;

		if (h && !local_cmp_value(h, w))
			continue;
		r = kern_local_set(k, w->family, w->addr, &w->is);
		if (r < 0)
			return r;
	}
	return 0;
}

void locals_push_gone(struct kern *k, const struct locals *have, const struct locals *want)
{
	for (size_t i = 0; i < have->n; i++)
		if (!find(want, &have->list[i]))
			kern_local_set(k, have->list[i].family, have->list[i].addr, NULL);
}

static void print_all(const struct locals *l, struct strbuf *b)
{
	char text[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < l->n; i++) {
		int af = l->list[i].family == 4 ? AF_INET : AF_INET6;

		strbuf_printf(b, "%u %s\n", l->list[i].is.kind,
			      inet_ntop(af, l->list[i].addr, text, sizeof(text)));
	}
}

int locals_save(const char *dir, const struct locals *a, const struct locals *b)
{
	_cleanup_(strbuf_deinit) struct strbuf text = { 0 };
	char path[PATH_MAX];
	int r;

	print_all(a, &text);
	print_all(b, &text);
	if (text.failed)
		return raise(-ENOMEM, "addresses");
	snprintf(path, sizeof(path), "%s/addresses", dir);
	r = file_write_atomic(path, text.s ? text.s : "", text.len, 0600);
	return r < 0 ? raise(r, "write %s", path) : 0;
}

static int load_line(struct locals *l, const char *line)
{
	uint8_t addr[16];
	int af = strchr(line, ':') ? AF_INET6 : AF_INET;

	if (strlen(line) < 3 || inet_pton(af, line + 2, addr) != 1)
		return 0; /* only what we can delete matters */
	return add(l, af == AF_INET ? 4 : 6, addr, (uint32_t)(line[0] - '0'), 0);
}

int locals_load(const char *dir, struct locals *ret)
{
	_cleanup_(locals_deinit) struct locals l = { 0 };
	_cleanup_(freep) char *text = NULL;
	char path[PATH_MAX], *line, *save = NULL;
	int r;

	snprintf(path, sizeof(path), "%s/addresses", dir);
	r = file_read(path, 16 << 20, &text, NULL);
	if (r < 0)
		return r == -ENOENT ? 0 : raise(r, "read %s", path);
	for (line = strtok_r(text, "\n", &save); line && !r; line = strtok_r(NULL, "\n", &save))
		r = load_line(&l, line);
	if (r < 0)
		return raise(r, "addresses");
	sort_unique(&l);
	*ret = l;
	l = (struct locals){ 0 };
	return 0;
}
