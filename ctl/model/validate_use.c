/* SPDX-License-Identifier: GPL-2.0-only */
/* validate_use - the sets, maps and objects that rules name: are they there, and do they hold what the rule looks up? */
#include <model/validate.h>

/* "ipv4_addr . inet_service" */
static void types_in_words(const enum field_type *types, unsigned int n, char *ret, size_t size)
{
	size_t len = 0;

	ret[0] = '\0';
	for (unsigned int i = 0; i < n && len < size; i++)
		len += (size_t)snprintf(ret + len, size - len, "%s%s", i ? " . " : "",
					type_rows[types[i]].name);
}

static bool types_equal(const enum field_type *a, unsigned int n, const enum field_type *b,
			unsigned int m)
{
	return n == m && !memcmp(a, b, n * sizeof(*a));
}

static bool keys_fit(const struct set *s, const enum field_type *types, unsigned int n,
		     struct diag *d)
{
	char holds[96], asked[96];

	if (types_equal(s->types, s->n_fields, types, n))
		return true;
	types_in_words(s->types, s->n_fields, holds, sizeof(holds));
	types_in_words(types, n, asked, sizeof(asked));
	diag_set(d, "`@%s` is for %s, this is %s", s->name, holds, asked);
	return false;
}

static bool selector_fits(const struct set *s, const struct selector *sel, struct diag *d)
{
	enum field_type types[CONCAT_MAX];

	for (unsigned int i = 0; i < sel->n; i++)
		types[i] = field_rows[sel->fields[i]].type;
	return keys_fit(s, types, sel->n, d);
}

static bool match_fits_set(const struct table *t, const struct match *m, struct diag *d)
{
	const struct set *s = m->set ? table_set(t, m->set) : NULL;
	enum field_type types[CONCAT_MAX];
	unsigned int n = MAX(m->n_fields, 1U);

	if (!s)
		return true;
	if (s->is_map) {
		diag_set(d, "`@%s` is a map, not a set", s->name);
		diag_hint(d, "maps are looked up with `map @%s` or `vmap @%s`", s->name, s->name);
		return false;
	}
	for (unsigned int i = 0; i < n; i++)
		types[i] = field_rows[n > 1 ? m->more[i] : m->field].type;
	return keys_fit(s, types, n, d);
}

/* What a map has to give, n types; n = 0: verdicts. */
static bool map_fits(const struct table *t, const struct map_use *use, const enum field_type *data,
		     unsigned int n, struct diag *d)
{
	const struct set *s = use && use->name ? table_set(t, use->name) : NULL;
	char gives[96], asked[96];

	if (!s)
		return true;
	if (!s->is_map || s->is_vmap != !n) {
		diag_set(d, "`@%s` is not a %s", s->name, n ? "map of values" : "verdict map");
		return false;
	}
	if (!selector_fits(s, &use->key, d))
		return false;
	/* an address may bring its port along */
	if (!n || types_equal(s->data, s->n_data, data, n) ||
	    (type_rows[data[0]].base == BASE_ADDR && s->n_data == 2 && s->data[0] == data[0] &&
	     s->data[1] == FIELD_PORT))
		return true;
	types_in_words(s->data, s->n_data, gives, sizeof(gives));
	types_in_words(data, n, asked, sizeof(asked));
	diag_set(d, "`@%s` gives %s, %s is needed", s->name, gives, asked);
	return false;
}

static bool action_fits_map(const struct table *t, const struct action *a, struct diag *d)
{
	enum field_type data = a->nat_family == 4   ? FIELD_ADDR4
			       : a->nat_family == 6 ? FIELD_ADDR6
						    : FIELD_PORT;

	return map_fits(t, a->map, &data, a->verdict == VERDICT_VMAP ? 0 : 1, d);
}

static bool stmt_fits_set(const struct table *t, const struct stmt *stmt, struct diag *d)
{
	const struct set *s = table_set(t, stmt->set.set);

	if (!s)
		return true;
	if (s->is_map) {
		diag_set(d, "`@%s` is a map: packets can not change it yet", s->name);
		return false;
	}
	if (s->flags & SET_INTERVAL || s->flags & SET_CONSTANT ||
	    !(s->flags & (SET_DYNAMIC | SET_TIMEOUT))) {
		diag_set(d, "packets can not change `@%s`", s->name);
		diag_hint(d,
			  "declare it with `flags dynamic`, and not with `constant` or `interval`");
		return false;
	}
	if (stmt->set.timeout_ms && !(s->flags & SET_TIMEOUT) && !s->timeout_ms) {
		diag_set(d, "elements of `@%s` have no timeout", s->name);
		diag_hint(d, "declare it with `flags dynamic,timeout`");
		return false;
	}
	return selector_fits(s, &stmt->set.key, d);
}

static bool target_has_no_hook(const struct table *t, const struct action *a, struct diag *d)
{
	bool jumps = a->verdict == VERDICT_JUMP || a->verdict == VERDICT_GOTO;
	const struct chain *to = jumps ? table_chain(t, a->chain) : NULL;

	if (!to || !to->base)
		return true;
	diag_set(d, "chain `%s` has a hook: it can not be jumped to", to->name);
	return false;
}

bool uses_validate(const struct table *t, const struct rule *r, struct diag *d)
{
	static const enum field_type mark = FIELD_MARK;

	for (size_t i = 0; i < r->n_matches; i++) {
		if (!match_fits_set(t, &r->matches[i], d))
			return false;
	}
	for (size_t i = 0; i < r->n_stmts; i++) {
		const struct stmt *s = &r->stmts[i];

		if (s->kind == STMT_SET && !stmt_fits_set(t, s, d))
			return false;
		if ((s->kind == STMT_MARK || s->kind == STMT_CTMARK) &&
		    !map_fits(t, s->mark.map, &mark, 1, d))
			return false;
	}
	return action_fits_map(t, &r->action, d) && target_has_no_hook(t, &r->action, d);
}

static bool set_is_there(const struct table *t, const char *name, struct diag *d)
{
	if (!name || table_set(t, name))
		return true;
	diag_set(d, "there is no set `%s` in table `%s %s`", name, family_name(t->family), t->name);
	return false;
}

static bool stmt_refs(const struct table *t, const struct stmt *s, struct diag *d)
{
	if (s->kind == STMT_OBJECT && !table_object(t, s->object.kind, s->object.name)) {
		diag_set(d, "there is no %s `%s` in table `%s %s`",
			 object_kind_name((int)s->object.kind), s->object.name,
			 family_name(t->family), t->name);
		return false;
	}
	if (s->kind == STMT_SET)
		return set_is_there(t, s->set.set, d);
	if ((s->kind == STMT_MARK || s->kind == STMT_CTMARK) && s->mark.map)
		return set_is_there(t, s->mark.map->name, d);
	return true;
}

bool refs_validate(const struct table *t, const struct rule *r, struct diag *d)
{
	for (size_t i = 0; i < r->n_matches; i++) {
		if (!set_is_there(t, r->matches[i].set, d))
			return false;
	}
	for (size_t i = 0; i < r->n_stmts; i++) {
		if (!stmt_refs(t, &r->stmts[i], d))
			return false;
	}
	return !r->action.map || set_is_there(t, r->action.map->name, d);
}
