/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/parse.h>

#include <lang/suggest.h>

struct place token_place(const struct token *t)
{
	return (struct place){ .line_start = t->line_start,
			       .at = t->at,
			       .file = t->file,
			       .line = t->line,
			       .at_len = (unsigned int)MIN(t->at_len, (size_t)400),
			       .file_len = (unsigned int)t->file_len,
			       .depth = (uint16_t)t->depth };
}

struct token place_token(const struct place *place)
{
	return (struct token){ .type = TOK_WORD,
			       .s = place->at,
			       .len = place->at_len,
			       .line = place->line,
			       .line_start = place->line_start,
			       .at = place->at,
			       .at_len = place->at_len,
			       .file = place->file,
			       .file_len = place->file_len,
			       .depth = place->depth };
}

static const struct {
	const char *word;
	int object; /* enum object_kind */
} kinds[] = {
	[REF_CHAIN] = { "chain", -1 },
	[REF_SET] = { "set", -1 },
	[REF_COUNTER] = { "counter", OBJECT_COUNTER },
	[REF_QUOTA] = { "quota", OBJECT_QUOTA },
	[REF_LIMIT] = { "limit", OBJECT_LIMIT },
};

static bool ref_exists(const struct table *t, enum ref_kind kind, const char *name)
{
	if (kind == REF_CHAIN)
		return table_chain(t, name);
	if (kind == REF_SET)
		return table_set(t, name);
	return table_object(t, (enum object_kind)kinds[kind].object, name);
}

/* Somebody who used the name may be gone again. */
static bool ref_is_used(const struct table *t, enum ref_kind kind, const char *name)
{
	if (kind == REF_CHAIN)
		return table_uses_chain(t, name);
	if (kind == REF_SET)
		return table_uses_set(t, name);
	return table_uses_object(t, (enum object_kind)kinds[kind].object, name);
}

int ref_add(struct parser *p, enum ref_kind kind, const char *name, const struct token *at)
{
	void *grown = p->refs;
	struct ref *ref;
	int r;

	if (!p->table || ref_exists(p->table, kind, name))
		return 0;
	r = array_reserve(&grown, &p->cap_refs, p->n_refs, sizeof(*ref));
	if (r < 0)
		return r;
	p->refs = grown;
	ref = &p->refs[p->n_refs++];
	*ref = (struct ref){ .kind = kind, .family = p->table->family, .place = token_place(at) };
	snprintf(ref->table, sizeof(ref->table), "%s", p->table->name);
	snprintf(ref->name, sizeof(ref->name), "%s", name);
	return 0;
}

/* Names of the same kind, for a hint. */
static void suggest_ref(struct suggest *s, const struct table *t, enum ref_kind kind)
{
	for (size_t i = 0; kind == REF_CHAIN && i < t->n_chains; i++)
		suggest_try(s, t->chains[i]->name);
	for (size_t i = 0; kind == REF_SET && i < t->n_sets; i++)
		suggest_try(s, t->sets[i]->name);
	for (size_t i = 0; kind > REF_SET && i < t->n_objects; i++) {
		if ((int)t->objects[i]->kind == kinds[kind].object)
			suggest_try(s, t->objects[i]->name);
	}
}

int refs_check(struct parser *p)
{
	for (size_t i = 0; i < p->n_refs; i++) {
		const struct ref *ref = &p->refs[i];
		const struct table *t = ruleset_table(p->rs, ref->family, ref->table);
		struct token at = place_token(&ref->place);
		struct suggest s;

		if (!t || ref_exists(t, ref->kind, ref->name) ||
		    !ref_is_used(t, ref->kind, ref->name))
			continue;
		fail_at(p, &at, "there is no %s `%s` in table `%s %s`", kinds[ref->kind].word,
			ref->name, family_name(t->family), t->name);
		suggest_init(&s, ref->name, strlen(ref->name));
		suggest_ref(&s, t, ref->kind);
		return suggest_hint(p, &s);
	}
	return 0;
}
