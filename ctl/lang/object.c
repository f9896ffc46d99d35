/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Named counters, quotas and limits: `counter NAME { packets N bytes M }`, `quota NAME { over 10 mbytes }`,
 * `limit NAME { rate 5/second }`.
 */
#include <lang/parse.h>

#include <lang/suggest.h>

struct object_block {
	struct object *object;
	struct token at;
	bool defined; /* the definition itself stood there */
};

static int parse_counter_object(struct parser *p, struct object *o)
{
	int r = parse_advance(p);

	if (!r)
		r = parse_u64(p, "a number of packets", 0, UINT64_MAX, &o->pkts);
	if (!r && !token_is(&p->tok, "bytes"))
		return fail_expected(p, "`bytes`");
	if (!r)
		r = parse_advance(p);
	if (!r)
		r = parse_u64(p, "a number of bytes", 0, UINT64_MAX, &o->bytes);
	o->given = true;
	return r;
}

static int parse_definition(struct parser *p, struct object_block *b)
{
	struct object *o = b->object;

	if (b->defined)
		return fail_at(p, &p->tok, "the %s is defined already",
			       object_kind_name((int)o->kind));
	b->defined = true;
	if (o->kind == OBJECT_LIMIT)
		return parse_limit_rate(p, &o->limit);
	if (o->kind == OBJECT_QUOTA) {
		o->given = true;
		return parse_quota_value(p, &o->quota, &o->quota_over, &o->bytes);
	}
	if (token_is(&p->tok, "packets"))
		return parse_counter_object(p, o);
	return fail_expected(p, "`packets`, `comment` or `}`");
}

static int parse_object_word(struct parser *p, struct object *o, uint64_t *id)
{
	struct token word = p->tok;
	int r = parse_advance(p);

	if (r)
		return r;
	if (token_is(&word, "handle"))
		return parse_u64(p, "a handle", 1, HANDLE_MAX, &o->handle);
	if (token_is(&word, "id"))
		return parse_u64(p, "an id", 1,
				 (o->kind == OBJECT_COUNTER ? GW_COUNTERS_MAX : GW_STATES_MAX) - 1,
				 id);
	if (!token_is(&word, "given"))
		return fail_at(p, &word, "`handle`, `id` or `given` expected");
	o->given = true;
	return 0;
}

/* `gw-object handle N id N given` behind the definition */
static int parse_object_internal(struct parser *p, struct object *o)
{
	uint64_t id = o->id;
	int r = parse_advance(p);

	p->saw_internal = true;
	o->given = false;
	while (!r && !at_separator(p))
		r = parse_object_word(p, o, &id);
	o->id = (uint32_t)id;
	return r;
}

static int parse_object_item(struct parser *p, struct object_block *b)
{
	bool done;
	int r = parse_define(p, &done);

	if (r || done)
		return r;
	if (token_is(&p->tok, "gw-object"))
		return parse_object_internal(p, b->object);
	r = take_word(p, "comment", &done);
	if (r || done)
		return r ? r : parse_string(p, "a comment", COMMENT_MAX, &b->object->comment);
	return parse_definition(p, b);
}

static int parse_object_parts(struct parser *p, struct object_block *b)
{
	bool end = false;
	int r;

	if (!token_is_punct(&p->tok, "{"))
		return at_separator(p) ? 0 : parse_definition(p, b);
	r = parse_advance(p);
	while (!r) {
		r = block_end(p, &end);
		if (r || end)
			break;
		r = parse_object_item(p, b);
		if (!r)
			r = expect_separator(p);
	}
	return r;
}

static int judge_object(struct parser *p, const struct object_block *b)
{
	const char *kind = object_kind_name((int)b->object->kind);

	if (b->defined || b->object->kind == OBJECT_COUNTER)
		return 0;
	fail_at(p, &b->at, "the %s says nothing", kind);
	return fail_hint(p, "write for example `%s`",
			 b->object->kind == OBJECT_QUOTA ? "over 10 mbytes" : "rate 5/second");
}

/* One that is there already stays as it is; a quota can be given more. */
static void object_update(struct object *old, const struct object *new)
{
	if (old->kind != OBJECT_QUOTA)
		return;
	old->quota = new->quota;
	old->quota_over = new->quota_over;
}

int parse_object_block(struct parser *p, struct table *t, enum object_kind kind, const char *name,
		       const struct token *at)
{
	_cleanup_(object_freep) struct object *o = calloc(1, sizeof(*o));
	struct object_block b = { .object = o, .at = *at };
	struct object *old = table_object(t, kind, name);
	int r;

	if (!o)
		return -ENOMEM;
	o->kind = kind;
	snprintf(o->name, sizeof(o->name), "%s", name);
	r = parse_object_parts(p, &b);
	if (!r)
		r = judge_object(p, &b);
	if (r)
		return r;
	if (old) {
		object_update(old, o);
		return 0;
	}
	r = table_add_object(p->rs, t, o);
	if (r < 0)
		return r;
	TAKE_PTR(o);
	return 0;
}
