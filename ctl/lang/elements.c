/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The elements of sets and maps as they are written: `{ KEY [. KEY]... [timeout ...] [: DATA], ... }`.
 */
#include <lang/parse.h>

#include <lang/suggest.h>

void batch_deinit(struct batch *b)
{
	elems_free(b->elems);
	free(b->places);
	*b = (struct batch){ 0 };
}

static int batch_add(struct batch *b, const struct place *at, const struct elem *key,
		     struct map_data *data, struct elem_extra *extra)
{
	void *grown = b->places;
	int r = array_reserve(&grown, &b->cap, b->elems->n, sizeof(*b->places));

	if (r < 0)
		return r;
	b->places = grown;
	b->places[b->elems->n] = *at;
	return elems_add(b->elems, key, data, extra);
}

int batch_move(struct batch *to, struct batch *from)
{
	struct elems *e = from->elems;
	int r = 0;

	if (!to->elems) {
		batch_deinit(to);
		*to = *from;
		*from = (struct batch){ 0 };
		return 0;
	}
	for (size_t i = 0; !r && i < e->n; i++)
		r = batch_add(to, &from->places[i], e->keys + i * e->n_fields,
			      e->data ? &e->data[i] : NULL, e->extra ? &e->extra[i] : NULL);
	batch_deinit(from);
	return r;
}

static const struct {
	const char *word;
	enum verdict verdict;
} verdicts[] = {
	{ "accept", VERDICT_ACCEPT },	  { "drop", VERDICT_DROP }, { "return", VERDICT_RETURN },
	{ "continue", VERDICT_CONTINUE }, { "jump", VERDICT_JUMP }, { "goto", VERDICT_GOTO },
};

static int fail_verdict(struct parser *p)
{
	struct suggest s;

	if (token_is(&p->tok, "queue"))
		return fail_unsupported(p, &p->tok, "");
	fail_expected(p, "a verdict (accept, drop, return, continue, jump, goto)");
	suggest_init(&s, p->tok.s, p->tok.len);
	for (size_t i = 0; p->tok.type == TOK_WORD && i < ARRAY_SIZE(verdicts); i++)
		suggest_try(&s, verdicts[i].word);
	return suggest_hint(p, &s);
}

static int parse_verdict_chain(struct parser *p, struct map_data *ret)
{
	char name[NAME_SIZE];
	struct token at = p->tok;
	int r = parse_name(p, "the name of a chain", name);

	if (!r)
		r = ref_add(p, REF_CHAIN, name, &at);
	if (r)
		return r;
	ret->chain = strdup(name);
	return ret->chain ? 0 : -ENOMEM;
}

int parse_verdict(struct parser *p, struct map_data *ret)
{
	int r;

	*ret = (struct map_data){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
		if (token_is(&p->tok, verdicts[i].word))
			ret->verdict = verdicts[i].verdict;
	}
	if (ret->verdict == VERDICT_NONE)
		return fail_verdict(p);
	r = parse_advance(p);
	if (r || (ret->verdict != VERDICT_JUMP && ret->verdict != VERDICT_GOTO))
		return r;
	return parse_verdict_chain(p, ret);
}

/* FIELD [. FIELD]... */
static int parse_fields(struct parser *p, const enum field_type *types, unsigned int n,
			struct elem *ret)
{
	int r = parse_elem(p, types[0], &ret[0]);

	for (unsigned int i = 1; !r && i < n; i++) {
		if (!token_is_punct(&p->tok, ".")) {
			fail_expected(p, "`.`");
			return fail_hint(p, "the type has %u fields, this is the end of number %u",
					 n, i);
		}
		r = parse_advance(p);
		if (!r)
			r = parse_elem(p, types[i], &ret[i]);
	}
	if (!r && token_is_punct(&p->tok, ".")) {
		fail_at(p, &p->tok, "the type has no more than %u field%s", n, n > 1 ? "s" : "");
		return fail_hint(p,
				 "more fields are declared as in `type ipv4_addr . inet_service`");
	}
	return r;
}

static int parse_extra_counter(struct parser *p, struct elem_extra *x)
{
	bool taken;
	int r = parse_advance(p);

	if (!r)
		r = take_word(p, "packets", &taken);
	if (r || !taken)
		return r;
	r = parse_u64(p, "a number of packets", 0, UINT64_MAX, &x->pkts);
	if (!r && !token_is(&p->tok, "bytes"))
		return fail_expected(p, "`bytes`");
	if (!r)
		r = parse_advance(p);
	return r ? r : parse_u64(p, "a number of bytes", 0, UINT64_MAX, &x->bytes);
}

static int parse_extra_time(struct parser *p, uint64_t *ret)
{
	int r = parse_advance(p);

	return r ? r : parse_duration(p, ret);
}

/* What may stand behind the key. */
static int parse_extra(struct parser *p, struct elem_extra *x, bool *ret_done)
{
	static const char *const others[] = { "limit", "quota", "ct", "last", "connlimit" };
	int r;

	*ret_done = true;
	if (token_is(&p->tok, "timeout"))
		return parse_extra_time(p, &x->timeout_ms);
	if (token_is(&p->tok, "expires"))
		return parse_extra_time(p, &x->expires_ms);
	if (token_is(&p->tok, "counter"))
		return parse_extra_counter(p, x);
	if (token_is(&p->tok, "comment")) {
		r = parse_advance(p);
		return r ? r : parse_string(p, "a comment", COMMENT_MAX, &x->comment);
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (token_is(&p->tok, others[i]))
			return fail_at(p, &p->tok, "`%s` of an element is not supported yet",
				       others[i]);
	}
	*ret_done = false;
	return 0;
}

static int parse_data(struct parser *p, const struct shape *shape, struct map_data *ret)
{
	int r = 0;

	if (shape->data_optional && !token_is_punct(&p->tok, ":"))
		return 0;
	r = expect_punct(p, ":");
	if (r)
		return r;
	return shape->n_data ? parse_fields(p, shape->data, shape->n_data, ret->val)
			     : parse_verdict(p, ret);
}

struct row {
	struct elem key[CONCAT_MAX];
	struct map_data data;
	struct elem_extra extra;
	bool has_extra;
};

static int parse_row(struct parser *p, const struct shape *shape, struct row *row)
{
	bool more = true;
	int r = parse_fields(p, shape->keys, shape->n_keys, row->key);

	while (!r && more) {
		r = parse_extra(p, &row->extra, &more);
		row->has_extra = row->has_extra || more;
	}
	if (!r && shape->is_map)
		r = parse_data(p, shape, &row->data);
	if (!r && !shape->is_map && token_is_punct(&p->tok, ":")) {
		fail_at(p, &p->tok, "a set has no values behind `:`");
		return fail_hint(p, "that is what a map is for");
	}
	return r;
}

static int parse_one(struct parser *p, const struct shape *shape, struct batch *b)
{
	struct place at = token_place(&p->tok);
	struct row row = { 0 };
	int r;

	if (token_is_punct(&p->tok, "*"))
		return fail_at(p, &p->tok, "`*` for every other key is not supported yet");
	r = parse_row(p, shape, &row);
	if (!r)
		r = batch_add(b, &at, row.key, shape->is_map ? &row.data : NULL,
			      row.has_extra ? &row.extra : NULL);
	free(row.data.chain);
	free(row.extra.comment);
	return r;
}

static int parse_list(struct parser *p, const struct shape *shape, struct batch *b,
		      unsigned int depth);

/* An element, or the braces of a definition that holds several. */
static int parse_item(struct parser *p, const struct shape *shape, struct batch *b,
		      unsigned int depth)
{
	if (!token_is_punct(&p->tok, "{"))
		return parse_one(p, shape, b);
	if (depth >= NEST_MAX)
		return fail_at(p, &p->tok, "sets in sets are nested too deeply");
	return parse_list(p, shape, b, depth + 1);
}

static int parse_list(struct parser *p, const struct shape *shape, struct batch *b,
		      unsigned int depth)
{
	int r = expect_punct(p, "{");

	while (!r) {
		r = skip_newlines(p);
		/* a comma may end the list */
		if (!r && token_is_punct(&p->tok, "}"))
			break;
		if (!r)
			r = parse_item(p, shape, b, depth);
		if (!r)
			r = skip_newlines(p);
		if (r || token_is_punct(&p->tok, "}"))
			break;
		if (!token_is_punct(&p->tok, ","))
			return fail_expected(p, "`,` or `}`");
		r = parse_advance(p);
	}
	return r ? r : parse_advance(p);
}

int parse_elements(struct parser *p, const struct shape *shape, struct batch *b)
{
	struct token at = p->tok;
	size_t before;
	int r;

	if (!b->elems)
		b->elems = elems_new(shape->n_keys);
	if (!b->elems)
		return -ENOMEM;
	before = b->elems->n;
	r = parse_list(p, shape, b, 0);
	if (!r && b->elems->n == before)
		return fail_at(p, &at, "the set is empty");
	return r;
}

static int parse_anonymous(struct parser *p, const struct shape *shape, struct elems **ret)
{
	const struct settle s = { .shape = shape, .interval = true, .merge = !shape->is_map };
	struct elems *elems = NULL;
	struct batch b = { 0 };
	int r = parse_elements(p, shape, &b);

	if (!r)
		r = settle(p, &s, &b, &elems);
	batch_deinit(&b);
	if (!r)
		*ret = elems;
	return r;
}

int parse_set_body(struct parser *p, const enum field_type *types, unsigned int n,
		   struct elems **ret)
{
	const struct shape shape = { .keys = types, .n_keys = n };

	return parse_anonymous(p, &shape, ret);
}

int parse_map_body(struct parser *p, const enum field_type *keys, unsigned int n_keys,
		   const enum field_type *data, unsigned int n_data, struct elems **ret)
{
	const struct shape shape = {
		.keys = keys, .n_keys = n_keys, .data = data, .n_data = n_data, .is_map = true
	};

	return parse_anonymous(p, &shape, ret);
}
