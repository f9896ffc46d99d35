/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/parse.h>

#include <lang/names.h>

/* The number whose name the token is, or -1. */
static int name_index(const struct token *t, const char *(*name)(int))
{
	for (int i = 0; name(i); i++) {
		if (token_is(t, name(i)))
			return i;
	}
	return -1;
}

static int parse_type(struct parser *p, struct chain_spec *spec)
{
	int i = name_index(&p->tok, chain_type_name);

	if (i < 0)
		return fail_expected(p, "a chain type (filter, nat or route)");
	spec->type = (enum chain_type)i;
	return parse_advance(p);
}

static int parse_hook(struct parser *p, struct chain_spec *spec)
{
	int i, r;

	if (!token_is(&p->tok, "hook"))
		return fail_expected(p, "`hook`");
	r = parse_advance(p);
	if (r)
		return r;
	if (token_is(&p->tok, "ingress") || token_is(&p->tok, "egress"))
		return fail_unsupported(p, &p->tok, "hook");
	i = name_index(&p->tok, hook_name);
	if (i < 0) {
		fail_expected(p, "a hook");
		return fail_hint(p, "prerouting, input, forward, output or postrouting");
	}
	spec->hook_nf = i;
	r = parse_advance(p);
	if (!r && (token_is(&p->tok, "device") || token_is(&p->tok, "devices")))
		return fail_unsupported(p, &p->tok, "");
	return r;
}

/* NAME [+-N] or [-]N; the sign may be glued to nothing but the number. */
static int parse_prio_value(struct parser *p, struct chain_spec *spec)
{
	bool named = p->tok.type == TOK_WORD &&
		     prio_to_value(p->tok.s, p->tok.len, spec->hook_nf, &spec->prio);
	bool minus;
	uint64_t n;
	int r = named ? parse_advance(p) : 0;

	if (r)
		return r;
	minus = token_is_punct(&p->tok, "-");
	if (minus || (named && token_is_punct(&p->tok, "+")))
		r = parse_advance(p);
	else if (named)
		return 0;
	if (r)
		return r;
	if (!token_to_u64(&p->tok, 0, INT32_MAX / 2, &n)) {
		fail_expected(p, "a priority");
		return fail_hint(
			p,
			"a number, or raw, mangle, dstnat (prerouting), filter, security, srcnat "
			"(postrouting), with + or - a number");
	}
	spec->prio += minus ? -(int)n : (int)n;
	return parse_advance(p);
}

static int parse_type_line(struct parser *p, struct chain_spec *spec)
{
	int r;

	if (spec->has_type)
		return fail_at(p, &p->tok, "the chain has a type already");
	spec->has_type = true;
	spec->type_tok = p->tok;
	r = parse_advance(p);
	if (!r)
		r = parse_type(p, spec);
	if (!r)
		r = parse_hook(p, spec);
	if (!r && !token_is(&p->tok, "priority"))
		return fail_expected(p, "`priority`");
	if (!r)
		r = parse_advance(p);
	return r ? r : parse_prio_value(p, spec);
}

static int parse_policy_line(struct parser *p, struct chain_spec *spec)
{
	int r;

	spec->has_policy = true;
	spec->policy_tok = p->tok;
	r = parse_advance(p);
	if (r)
		return r;
	spec->policy_drop = token_is(&p->tok, "drop");
	if (!spec->policy_drop && !token_is(&p->tok, "accept"))
		return fail_expected(p, "`accept` or `drop`");
	return parse_advance(p);
}

static int parse_chain_comment(struct parser *p, struct chain_spec *spec)
{
	int r = parse_advance(p);

	return r ? r : parse_string(p, "a comment", COMMENT_MAX, &spec->comment);
}

int parse_chain_spec(struct parser *p, struct chain_spec *spec, bool *ret_done)
{
	*ret_done = true;
	if (token_is(&p->tok, "type"))
		return parse_type_line(p, spec);
	if (token_is(&p->tok, "policy"))
		return parse_policy_line(p, spec);
	if (token_is(&p->tok, "comment"))
		return parse_chain_comment(p, spec);
	if (token_is(&p->tok, "device") || token_is(&p->tok, "devices") ||
	    token_is(&p->tok, "flags"))
		return fail_at(p, &p->tok, "`%.*s` of a chain is not supported yet",
			       (int)p->tok.len, p->tok.s);
	*ret_done = false;
	return 0;
}

/* Standard chains exist from the start; the model makes them on first use. */
struct chain *standard_chain(struct parser *p, enum family f, const char *table, const char *chain)
{
	const struct table *t = ruleset_table(p->rs, f, table);
	size_t tables = p->rs->n_tables, chains = t ? t->n_chains : 0;
	struct chain *c = ruleset_standard_chain(p->rs, f, table, chain);

	if (!c)
		return NULL;
	p->ch.tables_added += (unsigned int)(p->rs->n_tables - tables);
	t = ruleset_table(p->rs, f, table);
	p->ch.chains_added += (unsigned int)(t->n_chains - chains);
	return c;
}

static int check_same(struct parser *p, const struct chain *c, const struct chain_spec *spec)
{
	if (!spec->has_type || (c->base && c->type == spec->type && c->hook_nf == spec->hook_nf &&
				c->prio == spec->prio))
		return 0;
	if (!c->base)
		return fail_at(p, &spec->type_tok, "chain `%s` exists without a hook", c->name);
	fail_at(p, &spec->type_tok, "chain `%s` exists with another type, hook or priority",
		c->name);
	return fail_hint(p, "it is type %s hook %s priority %d; delete it first or `flush ruleset`",
			 chain_type_name((int)c->type), hook_name(c->hook_nf), c->prio);
}

static int make_chain(struct parser *p, struct table *t, const char *name, const struct token *at,
		      const struct chain_spec *spec, struct chain **ret)
{
	struct chain *c;
	int r = table_add_chain(p->rs, t, name, &c);

	if (r == -ENAMETOOLONG)
		return fail_at(p, at, "the name is too long");
	if (r < 0)
		return r;
	p->ch.chains_added++;
	if (spec->has_type) {
		c->base = true;
		c->type = spec->type;
		c->hook_nf = spec->hook_nf;
		c->prio = spec->prio;
		if (!chain_validate(t, c, p->d))
			return fail_model(p, &spec->type_tok);
	}
	*ret = c;
	return 0;
}

int chain_resolve(struct parser *p, struct table *t, const char *name, const struct token *at,
		  const struct chain_spec *spec, struct chain **ret)
{
	struct chain *c = table_chain(t, name);

	if (!c && !spec->has_type)
		c = standard_chain(p, t->family, t->name, name);
	if (!c)
		return make_chain(p, t, name, at, spec, ret);
	*ret = c;
	return check_same(p, c, spec);
}

int chain_set_policy(struct parser *p, struct chain *c, const struct chain_spec *spec)
{
	if (!spec->has_policy)
		return 0;
	if (!c->base) {
		fail_at(p, &spec->policy_tok, "chain `%s` has no hook, so it has no policy",
			c->name);
		return fail_hint(p, "say `type ... hook ... priority ...;` first");
	}
	if (c->policy_drop != spec->policy_drop)
		p->ch.policies++;
	c->policy_drop = spec->policy_drop;
	return 0;
}

int chain_append(struct parser *p, struct chain *c, size_t index, struct rule *r)
{
	int e = chain_insert_rule(p->rs, c, index, r);

	if (e < 0) {
		rule_free(r);
		return e;
	}
	p->ch.rules_added++;
	p->ch.last_handle = r->handle;
	return 0;
}
