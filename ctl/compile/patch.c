/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes of an image in force and what it costs.  The image is in a mapped region that the data plane reads meanwhile: what a reader may
 * follow is complete before the store that leads to it, and that store is atomic.
 */
#include <compile/builder.h>

struct half {
	uint8_t *lines;
	size_t cap;
	struct gw_head *h;
};

static void *line_at(const struct half *f, uint32_t line)
{
	return f->lines + (size_t)line * LINE_BYTES;
}

/* n free lines; offsets are whole rows of the section that they will be counted from. */
static int take_lines(const struct half *f, size_t n, uint32_t *ret_line)
{
	if (f->h->nlines + n > f->cap)
		return INDEX_E_FULL;
	*ret_line = f->h->nlines;
	memset(line_at(f, *ret_line), 0, n * LINE_BYTES);
	f->h->nlines += (uint32_t)n;
	return 0;
}

static void publish_delta(struct gw_root *root, uint32_t n, uint32_t line)
{
	__atomic_store_n((uint64_t *)&root->ndelta, (uint64_t)line << 32 | n, __ATOMIC_RELEASE);
}

/* The delta list where GW_DELTA_MAX entries have room; what it holds so far moves there. */
static int make_room(const struct half *f, struct gw_root *root)
{
	uint32_t line;
	int r;

	if (root->flags & GW_ROOT_ROOM)
		return 0;
	r = take_lines(f, lines_of(GW_DELTA_MAX * sizeof(struct gw_ent)), &line);
	if (r)
		return r;
	if (root->ndelta)
		memcpy(line_at(f, line), line_at(f, root->o_delta),
		       root->ndelta * sizeof(struct gw_ent));
	publish_delta(root, root->ndelta, line);
	root->flags |= GW_ROOT_ROOM;
	return 0;
}

/* Rows that did not exist when the image was built are counted from their section's first line like all others. */
static int put_conditions(const struct half *f, const struct index_rule *rule, uint32_t *ret_misc)
{
	/* the family is not known here; IPv4's "any" compares as the range that it is */
	const int version = 6;
	struct gw_xaddr x;
	struct gw_misc m;
	uint32_t line, xa = 0;
	bool exact[2];
	int r;

	rule_exact(rule, version, exact);
	if (exact[0] || exact[1]) {
		r = take_lines(f, 1, &line);
		if (r)
			return r;
		xa = line - f->h->o_xaddr;
		if (xa > GW_MISC_XADDR(~0U))
			return INDEX_E_FULL;
		rule_xaddr(rule, version, exact, &x);
		memcpy(line_at(f, line), &x, sizeof(x));
	}
	r = take_lines(f, 1, &line);
	if (r)
		return r;
	rule_misc(rule, xa, &m);
	memcpy(line_at(f, line), &m, sizeof(m));
	*ret_misc = (line - f->h->o_misc) * (LINE_BYTES / sizeof(m));
	return 0;
}

static int put_act(const struct half *f, const void *lines, size_t n, uint32_t *ret_act)
{
	uint32_t line;
	int r;

	*ret_act = 0;
	if (!n)
		return 0;
	r = take_lines(f, n, &line);
	if (r)
		return r;
	memcpy(line_at(f, line), lines, n * LINE_BYTES);
	*ret_act = line - f->h->o_act;
	return *ret_act > GW_ENT_ACT_MAX ? INDEX_E_FULL : 0;
}

static int append_all(const struct half *f, struct gw_root *root, const struct index_rule *rules,
		      size_t n, const void *act_lines, size_t n_act_lines)
{
	uint32_t act;
	struct gw_ent *to;
	int r = make_room(f, root);

	if (!r)
		r = put_act(f, act_lines, n_act_lines, &act);
	if (r)
		return r;
	to = (struct gw_ent *)line_at(f, root->o_delta) + root->ndelta;
	for (size_t i = 0; i < n; i++) {
		rule_entry(&rules[i], &to[i]);
		if (act)
			to[i].flags = (to[i].flags & 0xfff) | act << 12;
		r = put_conditions(f, &rules[i], &to[i].misc);
		if (r)
			return r;
	}
	publish_delta(root, root->ndelta + (uint32_t)n, root->o_delta);
	return 0;
}

int image_append(void *half, size_t cap, uint32_t root, const struct index_rule *rules, size_t n,
		 const void *act_lines, size_t n_act_lines)
{
	struct half f = { half, cap, half };
	uint32_t nlines = f.h->nlines, flags;
	struct gw_root *to, before;
	int r;

	if (root >= f.h->n_roots)
		return INDEX_E_FULL;
	to = (struct gw_root *)line_at(&f, f.h->o_root) + root;
	if (n > GW_DELTA_MAX || to->ndelta + n > GW_DELTA_MAX)
		return INDEX_E_FULL;
	before = *to;
	r = append_all(&f, to, rules, n, act_lines, n_act_lines);
	if (!r)
		return 0;
	/* nobody was led to the new lines, but the list may have moved: those stay taken */
	flags = to->flags & ~before.flags & GW_ROOT_ROOM;
	f.h->nlines = nlines + (flags ? GW_DELTA_MAX * sizeof(struct gw_ent) / LINE_BYTES : 0);
	return r;
}

/* ---------------------------------------------------------------------------------------------------------- removal */

static void remove_from(struct gw_ent *e, size_t n, uint32_t id)
{
	for (size_t i = 0; i < n; i++) {
		if (e[i].id == id && !(e[i].flags & (GW_ENT_PORTS | GW_ENT_FIELD)))
			__atomic_store_n(&e[i].misc, 0, __ATOMIC_RELAXED);
	}
}

int image_remove(void *half, uint32_t id)
{
	struct half f = { half, 0, half };

	for (uint32_t i = 0; i < f.h->n_roots; i++) {
		struct gw_root *r = (struct gw_root *)line_at(&f, f.h->o_root) + i;

		remove_from(line_at(&f, r->o_bkt), r->nbkt * 2, id);
		remove_from(line_at(&f, r->o_rul), r->n_rul, id);
		remove_from(line_at(&f, r->o_delta), r->ndelta, id);
	}
	return 0;
}

/* ------------------------------------------------------------------------------------------------------- statistics */

static void count_list(const struct gw_root *r, const struct gw_ent *first,
		       const struct gw_ent *rul, struct index_stats *s)
{
	uint32_t n = 1;

	if (!(first->flags & GW_ENT_LAST)) {
		for (uint32_t i = first->next; i < r->n_rul; i++) {
			n++;
			if (rul[i].flags & GW_ENT_LAST)
				break;
		}
	}
	s->entries += n;
	if (n > s->largest) {
		s->largest = n;
		s->largest_id = first->id;
	}
}

int image_stats(const void *half, uint32_t root, struct index_stats *ret)
{
	struct half f = { (uint8_t *)half, 0, (struct gw_head *)half };
	struct index_stats s = {};
	const struct gw_root *r;
	const struct gw_ent *e;

	if (root >= f.h->n_roots)
		return raise(-ENOENT, "root %u", root);
	r = (struct gw_root *)line_at(&f, f.h->o_root) + root;
	s.handle = r->handle;
	s.delta = r->flags & (GW_ROOT_INDEX | GW_ROOT_ROOM) ? r->ndelta : 0;
	s.labels[0] = r->n_label[0];
	s.labels[1] = r->n_label[1];
	s.bytes = ((size_t)r->nlines + GW_ROOT_LINES) * LINE_BYTES;
	if (r->ndelta) {
		s.entries = s.largest = r->ndelta;
		s.largest_id = ((struct gw_ent *)line_at(&f, r->o_delta))->id;
	}
	e = line_at(&f, r->o_bkt);
	for (uint32_t i = 0; i < r->nbkt * 2; i++) {
		if (e[i].key == GW_KEY_EMPTY)
			continue;
		if (e[i].flags & (GW_ENT_PORTS | GW_ENT_FIELD)) {
			s.groups++;
			continue;
		}
		count_list(r, &e[i], line_at(&f, r->o_rul), &s);
	}
	*ret = s;
	return 0;
}
