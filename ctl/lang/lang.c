/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/lang.h>

#include <lang/parse.h>

static int parse_text(struct parser *p)
{
	int r = parse_advance(p);

	while (!r) {
		r = skip_separators(p);
		if (r || p->tok.type == TOK_END)
			break;
		r = parse_command(p);
		if (!r && (!at_separator(p) || token_is_punct(&p->tok, "}")))
			r = fail_expected(p, "`;` or the end of the line");
	}
	return r;
}

/* Everything that has a number, in one list. */
struct ids {
	uint64_t *v;
	size_t n, cap;
};

static int ids_add(struct ids *ids, uint64_t id)
{
	void *grown = ids->v;
	int r = id ? array_reserve(&grown, &ids->cap, ids->n, sizeof(id)) : 0;

	if (r < 0 || !id)
		return r;
	ids->v = grown;
	ids->v[ids->n++] = id;
	return 0;
}

static int compare_ids(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int collect_chain(const struct chain *c, struct ids *handles, struct ids *cids)
{
	int r = ids_add(handles, c->handle);

	if (!r)
		r = ids_add(cids, c->cid);
	for (size_t i = 0; !r && i < c->n_rules; i++) {
		r = ids_add(handles, c->rules[i]->handle);
		if (!r)
			r = ids_add(cids, c->rules[i]->cid);
	}
	return r;
}

static int collect(const struct ruleset *rs, struct ids *handles, struct ids *cids)
{
	int r = 0;

	for (size_t i = 0; !r && i < rs->n_tables; i++) {
		r = ids_add(handles, rs->tables[i]->handle);
		for (size_t j = 0; !r && j < rs->tables[i]->n_chains; j++)
			r = collect_chain(rs->tables[i]->chains[j], handles, cids);
	}
	return r;
}

static int check_unique(struct ids *ids, const char *what, struct diag *d)
{
	if (ids->n)
		qsort(ids->v, ids->n, sizeof(*ids->v), compare_ids);
	for (size_t i = 1; i < ids->n; i++) {
		if (ids->v[i] != ids->v[i - 1])
			continue;
		diag_set(d, "%s %llu is used twice", what, (unsigned long long)ids->v[i]);
		return LANG_E_DIAG;
	}
	return 0;
}

/* Handles and counter ids that came with the text could clash with each other and with what was there. */
static int check_internal(struct ruleset *rs, struct diag *d)
{
	struct ids handles = { 0 }, cids = { 0 };
	int r = collect(rs, &handles, &cids);

	if (!r)
		r = check_unique(&handles, "handle", d);
	if (!r)
		r = check_unique(&cids, "counter id", d);
	if (!r && handles.n && handles.v[handles.n - 1] >= rs->next_handle)
		rs->next_handle = handles.v[handles.n - 1] + 1;
	free(handles.v);
	free(cids.v);
	return r;
}

int lang_apply(struct ruleset *rs, const char *file, const char *text, size_t len,
	       struct lang_changes *ret_changes, struct diag *d)
{
	struct parser *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	lex_init(&p->lx, text, len);
	p->rs = rs;
	p->d = d;
	p->file = file ? file : "";
	p->text_end = text + len;
	r = parse_text(p);
	if (!r && p->saw_internal)
		r = check_internal(rs, d);
	if (!r && ret_changes)
		*ret_changes = p->ch;
	free(p->defines);
	free(p);
	return r;
}
