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

/* Numbers that must differ from each other, by what they number. */
struct numbers {
	struct ids handles, cids, states, logs;
};

static int collect_stmts(const struct rule *rule, struct numbers *n)
{
	int r = 0;

	for (size_t i = 0; !r && i < rule->n_stmts; i++) {
		const struct stmt *s = &rule->stmts[i];

		r = ids_add(s->kind == STMT_LOG ? &n->logs : &n->states, s->id);
	}
	return r;
}

static int collect_chain(const struct chain *c, struct numbers *n)
{
	int r = ids_add(&n->handles, c->handle);

	if (!r)
		r = ids_add(&n->cids, c->cid);
	for (size_t i = 0; !r && i < c->n_rules; i++) {
		r = ids_add(&n->handles, c->rules[i]->handle);
		if (!r)
			r = ids_add(&n->cids, c->rules[i]->cid);
		if (!r)
			r = collect_stmts(c->rules[i], n);
	}
	return r;
}

static int collect_table(const struct table *t, struct numbers *n)
{
	int r = ids_add(&n->handles, t->handle);

	for (size_t i = 0; !r && i < t->n_sets; i++)
		r = ids_add(&n->handles, t->sets[i]->handle);
	for (size_t i = 0; !r && i < t->n_objects; i++) {
		const struct object *o = t->objects[i];

		r = ids_add(&n->handles, o->handle);
		if (!r)
			r = ids_add(o->kind == OBJECT_COUNTER ? &n->cids : &n->states, o->id);
	}
	for (size_t i = 0; !r && i < t->n_chains; i++)
		r = collect_chain(t->chains[i], n);
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

/* Handles and ids that came with the text could clash with each other and with what was there. */
static int check_numbers(struct ruleset *rs, struct numbers *n, struct diag *d)
{
	uint64_t last;
	int r = check_unique(&n->handles, "handle", d);

	if (!r)
		r = check_unique(&n->cids, "counter id", d);
	if (!r)
		r = check_unique(&n->states, "state id", d);
	if (!r)
		r = check_unique(&n->logs, "log id", d);
	last = !r && n->handles.n ? n->handles.v[n->handles.n - 1] : 0;
	rs->next_handle = MAX(rs->next_handle, last + 1);
	return r;
}

static int check_internal(struct ruleset *rs, struct diag *d)
{
	struct numbers n = { 0 };
	int r = 0;

	for (size_t i = 0; !r && i < rs->n_tables; i++)
		r = collect_table(rs->tables[i], &n);
	if (!r)
		r = check_numbers(rs, &n, d);
	free(n.handles.v);
	free(n.cids.v);
	free(n.states.v);
	free(n.logs.v);
	return r;
}

bool lang_flushes_first(const char *text, size_t len)
{
	struct lexer lx;
	struct token t;

	lex_init(&lx, text, len);
	do
		lex_next(&lx, &t);
	while (token_is_punct(&t, "\n") || token_is_punct(&t, ";"));
	if (!token_is(&t, "flush"))
		return false;
	lex_next(&lx, &t);
	if (!token_is(&t, "ruleset"))
		return false;
	lex_next(&lx, &t);
	return t.type == TOK_END || token_is_punct(&t, "\n") || token_is_punct(&t, ";");
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
	field_index_init(&p->fields);
	r = parse_text(p);
	if (!r)
		r = pending_flush(p);
	if (!r)
		r = refs_check(p);
	if (!r && p->saw_internal)
		r = check_internal(rs, d);
	if (!r && ret_changes)
		*ret_changes = p->ch;
	batch_deinit(&p->pending.batch);
	free(p->refs);
	free(p->defines);
	free(p);
	return r;
}
