/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets and maps: `set NAME { ... }`, `map NAME { ... }`.
 */
#include <lang/parse.h>

#include <lang/suggest.h>

#define DYNAMIC_SIZE 65535 /* of sets that packets fill, where none is given */

struct set_block {
	struct set *set; /* as it is declared here */
	struct token at, timeout_at, gc_at, merge_at;
	bool has_type;
	struct batch batch;
};

static struct shape shape_of(const struct set *s)
{
	return (struct shape){ .keys = s->types,
			       .n_keys = s->n_fields,
			       .data = s->data,
			       .n_data = s->n_data,
			       .is_map = s->is_map };
}

/* Types that nft knows and rules can not use here. */
static bool is_other_type(const struct token *t)
{
	static const char *const words[] = { "string",	"lladdr",   "arp_op",	"cgroupsv2",
					     "classid", "realm",    "devgroup", "uid",
					     "gid",	"ct_label", "ct_event", "ct_id",
					     "ifkind" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (token_is(t, words[i]))
			return true;
	}
	return false;
}

/* These have a name for messages only: nft writes them with `typeof`. */
static bool is_typeof_only(enum field_type type)
{
	return type == FIELD_NUM || type == FIELD_HOUR || type == FIELD_DAY || type == FIELD_DATE ||
	       type == FIELD_FIB_OIF;
}

static int fail_type(struct parser *p)
{
	struct suggest s;

	if (token_is(&p->tok, "iface_index")) {
		fail_unsupported(p, &p->tok, "type");
		return fail_hint(p, "interfaces are known by name: `type ifname`");
	}
	if (token_is(&p->tok, "integer")) {
		fail_at(p, &p->tok, "`integer` does not say how wide it is");
		return fail_hint(p, "write for example `typeof ip ttl`");
	}
	if (is_other_type(&p->tok))
		return fail_unsupported(p, &p->tok, "type");
	fail_expected(p, "a type");
	suggest_init(&s, p->tok.s, p->tok.type == TOK_WORD ? p->tok.len : 0);
	for (int i = 0; i < FIELD_TYPE_MAX; i++) {
		if (!is_typeof_only((enum field_type)i))
			suggest_try(&s, type_rows[i].name);
	}
	return suggest_hint(p, &s);
}

static int parse_type_name(struct parser *p, enum field_type *ret)
{
	for (int i = 0; i < FIELD_TYPE_MAX; i++) {
		if (is_typeof_only((enum field_type)i) || !token_is(&p->tok, type_rows[i].name))
			continue;
		*ret = (enum field_type)i;
		return parse_advance(p);
	}
	return fail_type(p);
}

/* TYPE [. TYPE]... */
static int parse_types(struct parser *p, enum field_type *types, uint8_t max, uint8_t *ret_n)
{
	int r = 0;

	for (*ret_n = 0; !r;) {
		if (*ret_n == max)
			return fail_at(p, &p->tok, "no more than %u fields are supported here",
				       max);
		r = parse_type_name(p, &types[*ret_n]);
		(*ret_n)++;
		if (r || !token_is_punct(&p->tok, "."))
			break;
		r = parse_advance(p);
	}
	return r;
}

static int parse_typeof(struct parser *p, struct selector *sel, enum field_type *types, uint8_t max,
			uint8_t *ret_n)
{
	struct token at = p->tok;
	bool done = false;
	int r = parse_selector(p, sel, &done);

	if (r)
		return r;
	if (!done)
		return fail_expected(p, "a field as in a match (`ip saddr`)");
	if (sel->n > max)
		return fail_at(p, &at, "no more than %u fields are supported here", max);
	for (uint8_t i = 0; i < sel->n; i++)
		types[i] = field_rows[sel->fields[i]].type;
	*ret_n = sel->n;
	return 0;
}

static int fail_map_data(struct parser *p)
{
	static const char *const objects[] = { "counter", "quota", "limit",   "synproxy",
					       "secmark", "ct",	   "interval" };

	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		if (token_is(&p->tok, objects[i]))
			return fail_at(p, &p->tok, "a map to `%s` is not supported yet",
				       objects[i]);
	}
	return 0;
}

/* What stands behind the `:` of a map's type. */
static int parse_data_type(struct parser *p, struct set *s, bool type_of)
{
	int r = expect_punct(p, ":");

	if (!r && !type_of)
		r = fail_map_data(p);
	if (r)
		return r;
	r = take_word(p, "verdict", &s->is_vmap);
	if (r || s->is_vmap)
		return r;
	return type_of ? parse_typeof(p, &s->data_of, s->data, ARRAY_SIZE(s->data), &s->n_data)
		       : parse_types(p, s->data, ARRAY_SIZE(s->data), &s->n_data);
}

static int parse_set_type(struct parser *p, struct set_block *b, bool type_of)
{
	struct set *s = b->set;
	int r;

	if (b->has_type)
		return fail_at(p, &p->tok, "the %s has a type already", s->is_map ? "map" : "set");
	b->has_type = true;
	r = parse_advance(p);
	if (!r)
		r = type_of ? parse_typeof(p, &s->type_of, s->types, CONCAT_MAX, &s->n_fields)
			    : parse_types(p, s->types, CONCAT_MAX, &s->n_fields);
	if (!r && s->is_map)
		return parse_data_type(p, s, type_of);
	if (!r && token_is_punct(&p->tok, ":")) {
		fail_at(p, &p->tok, "a set has no values behind `:`");
		return fail_hint(p, "that is what a map is for");
	}
	return r;
}

static const struct {
	const char *word;
	unsigned int flag;
} set_flags[] = { { "constant", SET_CONSTANT },
		  { "dynamic", SET_DYNAMIC },
		  { "interval", SET_INTERVAL },
		  { "timeout", SET_TIMEOUT } };

static int parse_set_flag(struct parser *p, struct set *s)
{
	struct suggest sug;

	suggest_init(&sug, p->tok.s, p->tok.type == TOK_WORD ? p->tok.len : 0);
	for (size_t i = 0; i < ARRAY_SIZE(set_flags); i++) {
		if (token_is(&p->tok, set_flags[i].word)) {
			s->flags |= set_flags[i].flag;
			return parse_advance(p);
		}
		suggest_try(&sug, set_flags[i].word);
	}
	fail_expected(p, "`constant`, `dynamic`, `interval` or `timeout`");
	return suggest_hint(p, &sug);
}

static int parse_set_flags(struct parser *p, struct set_block *b)
{
	int r = parse_advance(p);

	while (!r) {
		r = parse_set_flag(p, b->set);
		if (r || !token_is_punct(&p->tok, ","))
			break;
		r = parse_advance(p);
	}
	return r;
}

static int parse_set_timeout(struct parser *p, struct set_block *b)
{
	int r = parse_advance(p);

	b->set->flags |= SET_TIMEOUT;
	return r ? r : parse_duration(p, &b->set->timeout_ms);
}

static int parse_gc(struct parser *p, struct set_block *b)
{
	int r;

	b->gc_at = p->tok;
	r = parse_advance(p);
	return r ? r : parse_duration(p, &b->set->gc_ms);
}

static int parse_size(struct parser *p, struct set_block *b)
{
	uint64_t n = 0;
	int r = parse_advance(p);

	if (!r)
		r = parse_u64(p, "a number of elements", 1, UINT32_MAX, &n);
	b->set->size = (uint32_t)n;
	return r;
}

static int parse_policy(struct parser *p, struct set_block *b)
{
	int r = parse_advance(p);
	bool memory;

	if (r)
		return r;
	memory = token_is(&p->tok, "memory");
	if (!memory && !token_is(&p->tok, "performance"))
		return fail_expected(p, "`memory` or `performance`");
	free(b->set->policy);
	/* performance is what is meant when nothing is said */
	b->set->policy = memory ? strdup("memory") : NULL;
	if (memory && !b->set->policy)
		return -ENOMEM;
	return parse_advance(p);
}

static int parse_auto_merge(struct parser *p, struct set_block *b)
{
	b->merge_at = p->tok;
	if (b->set->is_map)
		return fail_at(p, &p->tok, "a map has no `auto-merge`: its keys stand for values");
	b->set->flags |= SET_AUTO_MERGE;
	return parse_advance(p);
}

/* Statements that each element has; counters alone are kept. */
static int parse_set_counter(struct parser *p, struct set_block *b)
{
	b->set->flags |= SET_COUNTER;
	return parse_advance(p);
}

static int parse_set_comment(struct parser *p, struct set_block *b)
{
	int r = parse_advance(p);

	return r ? r : parse_string(p, "a comment", COMMENT_MAX, &b->set->comment);
}

static int parse_set_elements(struct parser *p, struct set_block *b)
{
	struct shape shape = shape_of(b->set);
	int r;

	if (!b->has_type) {
		fail_at(p, &p->tok, "the type must stand before the elements");
		return fail_hint(p, "begin with `type ...` or `typeof ...`");
	}
	r = parse_advance(p);
	if (!r)
		r = expect_punct(p, "=");
	return r ? r : parse_elements(p, &shape, &b->batch);
}

static int parse_set_internal(struct parser *p, struct set_block *b)
{
	int r = parse_advance(p);

	p->saw_internal = true;
	if (!r && !token_is(&p->tok, "handle"))
		return fail_expected(p, "`handle`");
	if (!r)
		r = parse_advance(p);
	return r ? r : parse_u64(p, "a handle", 1, HANDLE_MAX, &b->set->handle);
}

static const struct {
	const char *word;
	int (*parse)(struct parser *p, struct set_block *b);
} set_items[] = {
	{ "flags", parse_set_flags },	    { "timeout", parse_set_timeout },
	{ "gc-interval", parse_gc },	    { "size", parse_size },
	{ "policy", parse_policy },	    { "auto-merge", parse_auto_merge },
	{ "counter", parse_set_counter },   { "comment", parse_set_comment },
	{ "elements", parse_set_elements }, { "gw-set", parse_set_internal },
};

static int fail_set_item(struct parser *p)
{
	static const char *const others[] = { "limit", "quota", "ct", "last", "connlimit" };
	struct suggest s;

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (token_is(&p->tok, others[i]))
			return fail_at(p, &p->tok, "`%s` in a set is not supported yet", others[i]);
	}
	fail_expected(p, "`type`, `flags`, `elements`, ... or `}`");
	suggest_init(&s, p->tok.s, p->tok.type == TOK_WORD ? p->tok.len : 0);
	suggest_try(&s, "type");
	suggest_try(&s, "typeof");
	for (size_t i = 0; i + 1 < ARRAY_SIZE(set_items); i++)
		suggest_try(&s, set_items[i].word);
	return suggest_hint(p, &s);
}

static int parse_set_item(struct parser *p, struct set_block *b)
{
	bool done;
	int r = parse_define(p, &done);

	if (r || done)
		return r;
	if (token_is(&p->tok, "type") || token_is(&p->tok, "typeof"))
		return parse_set_type(p, b, token_is(&p->tok, "typeof"));
	for (size_t i = 0; i < ARRAY_SIZE(set_items); i++) {
		if (token_is(&p->tok, set_items[i].word))
			return set_items[i].parse(p, b);
	}
	return fail_set_item(p);
}

static int judge_set(struct parser *p, struct set_block *b)
{
	const struct set *s = b->set;

	if (!b->has_type) {
		fail_at(p, &b->at, "the %s has no type", s->is_map ? "map" : "set");
		return fail_hint(p, "write for example `type %s;`",
				 s->is_map ? "ipv4_addr : verdict" : "ipv4_addr");
	}
	if (s->gc_ms && !(s->flags & SET_TIMEOUT)) {
		fail_at(p, &b->gc_at, "without a timeout there is nothing to collect");
		return fail_hint(p, "write `flags timeout` or `timeout ...`");
	}
	if (s->flags & SET_AUTO_MERGE && !(s->flags & SET_INTERVAL)) {
		fail_at(p, &b->merge_at, "`auto-merge` works for intervals only");
		return fail_hint(p, "write `flags interval`");
	}
	if (s->flags & SET_DYNAMIC && s->flags & SET_INTERVAL)
		return fail_at(p, &b->at,
			       "a set of intervals can not be dynamic: packets add "
			       "single values");
	return 0;
}

static bool same_types(const struct set *a, const struct set *b)
{
	return a->is_map == b->is_map && a->is_vmap == b->is_vmap && a->n_fields == b->n_fields &&
	       a->n_data == b->n_data &&
	       !memcmp(a->types, b->types, a->n_fields * sizeof(*a->types)) &&
	       !memcmp(a->data, b->data, a->n_data * sizeof(*a->data));
}

static int judge_existing(struct parser *p, const struct set *old, const struct set_block *b)
{
	const struct set *s = b->set;
	const char *what = old->is_map ? "map" : "set";

	if (!same_types(old, s))
		return fail_at(p, &b->at, "`%s` exists as a %s of another type", old->name, what);
	if (old->flags != s->flags)
		return fail_at(p, &b->at, "%s `%s` exists with other flags", what, old->name);
	if (old->timeout_ms != s->timeout_ms || old->gc_ms != s->gc_ms || old->size != s->size)
		return fail_at(p, &b->at, "%s `%s` exists with another timeout or size", what,
			       old->name);
	return 0;
}

static int set_resolve(struct parser *p, struct table *t, struct set_block *b, struct set **ret)
{
	int r;

	*ret = table_set(t, b->set->name);
	if (*ret)
		return judge_existing(p, *ret, b);
	r = table_add_set(p->rs, t, b->set);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(b->set);
	return 0;
}

/* `elements` of a block are added as `add element` would. */
static int set_fill(struct parser *p, struct set *set, struct set_block *b)
{
	struct batch *pending;
	int r;

	if (!b->batch.elems)
		return 0;
	r = pending_batch(p, set, ELEMENT_ADD, &pending);
	return r ? r : batch_move(pending, &b->batch);
}

static int parse_set_parts(struct parser *p, struct set_block *b)
{
	bool end = false;
	int r = expect_punct(p, "{");

	while (!r) {
		r = block_end(p, &end);
		if (r || end)
			return r;
		r = parse_set_item(p, b);
		if (!r)
			r = expect_separator(p);
	}
	return r;
}

int parse_set_block(struct parser *p, struct table *t, bool is_map, const char *name,
		    const struct token *at)
{
	_cleanup_(set_freep) struct set *spec = set_new();
	struct set_block b = { .set = spec, .at = *at };
	struct set *set;
	int r;

	if (!spec)
		return -ENOMEM;
	spec->is_map = is_map;
	snprintf(spec->name, sizeof(spec->name), "%s", name);
	r = parse_set_parts(p, &b);
	if (!r)
		r = judge_set(p, &b);
	/* as nft does: packets must not add without end */
	if (!r && spec->flags & SET_DYNAMIC && !spec->size)
		spec->size = DYNAMIC_SIZE;
	if (!r)
		r = set_resolve(p, t, &b, &set);
	if (!b.set)
		spec = NULL; /* the table has it */
	if (!r)
		r = set_fill(p, set, &b);
	batch_deinit(&b.batch);
	return r;
}
