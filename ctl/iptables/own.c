/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets that matches need: named ones of the user (set), and those that the dialect makes for itself (hashlimit, recent, connlimit).
 *
 * A set of our own is found by its comment, "iptables KIND NAME"; its name is xt_KIND_NAME made of plain characters, with a number
 * behind it if somebody else has that name.  So no name that a user gives can be taken for ours, and ours never takes one.
 */
#include <iptables/convert.h>
#include <iptables/view.h>

#include <ctype.h>

#define OWN_PREFIX  "xt_"
#define OWN_COMMENT "iptables "
#define OWN_SIZE    65535 /* as the native language has it for sets that packets fill */

bool own_is(const struct set *s)
{
	return s->comment && !strncmp(s->comment, OWN_COMMENT, strlen(OWN_COMMENT)) &&
	       !strncmp(s->name, OWN_PREFIX, strlen(OWN_PREFIX));
}

static struct set *own_find(const struct table *t, const char *comment)
{
	for (size_t i = 0; i < t->n_sets; i++)
		if (own_is(t->sets[i]) && !strcmp(t->sets[i]->comment, comment))
			return t->sets[i];
	return NULL;
}

void own_sweep(struct ruleset *rs, int version)
{
	for (size_t i = 0; i < VIEW_TABLES; i++) {
		struct table *t = ruleset_table(rs, view_family(version), view_tables[i].name);

		for (size_t k = t ? t->n_sets : 0; k-- > 0;)
			if (own_is(t->sets[k]) && !table_uses_set(t, t->sets[k]->name))
				table_delete_set(t, t->sets[k]);
	}
}

/* A name nobody has, close to the wanted one. */
static void own_name(const struct table *t, const char *kind, const char *name, char ret[64])
{
	char plain[40];
	size_t i;

	for (i = 0; name[i] && i + 1 < sizeof(plain); i++)
		plain[i] = isalnum((unsigned char)name[i]) ? name[i] : '_';
	plain[i] = '\0';
	snprintf(ret, 64, OWN_PREFIX "%s_%s", kind, plain);
	for (unsigned int n = 2; table_set(t, ret); n++)
		snprintf(ret, 64, OWN_PREFIX "%s_%s_%u", kind, plain, n);
}

/* netfilter shares a name between the tables of a family; a set belongs to one table. */
static int own_elsewhere(const struct conv *c, const char *comment)
{
	const struct ruleset *rs = c->place->rs;

	for (size_t i = 0; i < rs->n_tables; i++) {
		const struct table *t = rs->tables[i];

		if (t == c->place->table || t->family != c->place->table->family)
			continue;
		if (own_find(t, comment))
			return xt_refuse(c->d,
					 "%s is used in table %s already: tables can not share "
					 "it",
					 comment + strlen(OWN_COMMENT), t->name);
	}
	return 0;
}

struct own_wish {
	const char *kind, *name;
	struct selector key;
	unsigned int flags;
	uint64_t timeout_ms;
	uint32_t size; /* 0 = the usual */
};

static uint32_t own_size(const struct own_wish *w)
{
	return w->size ? w->size : OWN_SIZE;
}

static bool own_fits(const struct set *s, const struct own_wish *w)
{
	if (s->n_fields != w->key.n || s->timeout_ms != w->timeout_ms || s->size != own_size(w))
		return false;
	for (unsigned int i = 0; i < w->key.n; i++)
		if (s->types[i] != field_rows[w->key.fields[i]].type)
			return false;
	return true;
}

/* Elements of other types are of no use any more. */
static int own_fill(struct set *s, const struct own_wish *w)
{
	bool same = s->n_fields == w->key.n;

	for (unsigned int i = 0; i < w->key.n; i++) {
		enum field_type type = field_rows[w->key.fields[i]].type;

		same = same && s->types[i] == type;
		s->types[i] = type;
	}
	s->n_fields = w->key.n;
	s->flags = SET_DYNAMIC | (w->timeout_ms ? SET_TIMEOUT : 0);
	s->timeout_ms = w->timeout_ms;
	s->size = own_size(w);
	if (same && s->elems)
		return 0;
	elems_free(s->elems);
	s->elems = elems_new(w->key.n);
	return s->elems ? 0 : -ENOMEM;
}

static int own_make(struct conv *c, const struct own_wish *w, const char *comment, struct set **ret)
{
	_cleanup_(set_freep) struct set *s = set_new();
	int r;

	if (!s)
		return -ENOMEM;
	own_name(c->place->table, w->kind, w->name, s->name);
	s->comment = strdup(comment);
	r = s->comment ? own_fill(s, w) : -ENOMEM;
	if (!r)
		r = table_add_set(c->place->rs, c->place->table, s);
	if (!r)
		*ret = TAKE_PTR(s);
	return r;
}

/*
 * The set of this kind and name, made if need be.  *ret NULL: no place, nothing made.  A set that no rule uses takes the new
 * settings; for one that is in use *ret_fits says whether they are the same.
 */
static int own_take(struct conv *c, const struct own_wish *w, struct set **ret, bool *ret_fits)
{
	char comment[128];
	int r;

	*ret = NULL;
	*ret_fits = true;
	if (!c->place)
		return 0;
	snprintf(comment, sizeof(comment), OWN_COMMENT "%s %s", w->kind, w->name);
	r = own_elsewhere(c, comment);
	if (r)
		return r;
	*ret = own_find(c->place->table, comment);
	if (!*ret)
		return own_make(c, w, comment, ret);
	if (!table_uses_set(c->place->table, (*ret)->name))
		return own_fill(*ret, w);
	*ret_fits = own_fits(*ret, w);
	return 0;
}

/* A set statement about the set, or a placeholder where nothing is made. */
static int add_set_stmt(struct conv *c, const struct set *set, struct stmt *s)
{
	s->kind = STMT_SET;
	s->set.set = strdup(set ? set->name : "-");
	return s->set.set ? conv_stmt(c, s) : -ENOMEM;
}

static int add_set_match(struct conv *c, const char *set, const struct selector *key, bool negate)
{
	struct match m = { .field = key->fields[0], .negate = negate, .mask = UINT32_MAX };
	int r;

	m.after = (uint16_t)c->r->n_stmts;
	if (key->n > 1) {
		m.n_fields = key->n;
		memcpy(m.more, key->fields, sizeof(m.more));
	}
	m.set = strdup(set);
	if (!m.set)
		return -ENOMEM;
	r = rule_add_match(c->r, &m);
	if (r)
		free(m.set);
	return r;
}

static struct selector addr_key(const struct conv *c, bool dest)
{
	struct selector key = { .n = 1 };

	key.fields[0] = dest ? conv_field(c, FIELD_ID_IP_DADDR, FIELD_ID_IP6_DADDR)
			     : conv_field(c, FIELD_ID_IP_SADDR, FIELD_ID_IP6_SADDR);
	return key;
}

static struct selector hashlimit_key(const struct conv *c, uint8_t modes)
{
	struct selector key = {};

	if (modes & XT_MODE_SRCIP)
		key.fields[key.n++] = conv_field(c, FIELD_ID_IP_SADDR, FIELD_ID_IP6_SADDR);
	if (modes & XT_MODE_SRCPORT)
		key.fields[key.n++] = conv_port_field(c->x->proto, false);
	if (modes & XT_MODE_DSTIP)
		key.fields[key.n++] = conv_field(c, FIELD_ID_IP_DADDR, FIELD_ID_IP6_DADDR);
	if (modes & XT_MODE_DSTPORT)
		key.fields[key.n++] = conv_port_field(c->x->proto, true);
	return key;
}

/* Does a rule that uses the set limit it in another way? */
static bool limit_differs(const struct table *t, const char *set, const struct limit *l)
{
	for (size_t i = 0; i < t->n_chains; i++)
		for (size_t k = 0; k < t->chains[i]->n_rules; k++) {
			const struct rule *r = t->chains[i]->rules[k];

			for (size_t n = 0; n < r->n_stmts; n++) {
				const struct stmt *s = &r->stmts[n];

				if (s->kind == STMT_SET && !strcmp(s->set.set, set) &&
				    (s->set.limit.rate != l->rate ||
				     s->set.limit.unit_s != l->unit_s ||
				     s->set.limit.burst != l->burst))
					return true;
			}
		}
	return false;
}

int conv_hashlimit(struct conv *c, const struct xt_match *m)
{
	struct xt_rate rate = xt_limit_of(m);
	struct own_wish w = { .kind = "hashlimit",
			      .name = rate.name,
			      .key = hashlimit_key(c, rate.modes),
			      .timeout_ms = rate.expire_ms,
			      .size = rate.max };
	struct stmt s = {};
	struct set *set;
	bool fits;
	int r = own_take(c, &w, &set, &fits);

	if (r)
		return r;
	s.set.verb = SET_UPDATE;
	s.set.key = w.key;
	s.set.has_limit = true;
	s.set.limit = conv_rate(&rate);
	if (set && (!fits || limit_differs(c->place->table, set->name, &s.set.limit)))
		return xt_refuse(c->d,
				 "hashlimit: the name `%s' is used with other options already",
				 rate.name);
	return add_set_stmt(c, set, &s);
}

static int conv_ctcount(struct conv *c, const struct xt_match *m)
{
	struct stmt s = { .kind = STMT_CTCOUNT };

	s.ctcount.count = m->value;
	s.ctcount.over = m->conn.above;
	return conv_stmt(c, &s);
}

/* Each rule counts for itself: the name is a number that no other rule has. */
int conv_connlimit(struct conv *c, const struct xt_match *m)
{
	char name[16] = "", comment[64];
	struct own_wish w = { .kind = "connlimit", .name = name };
	struct stmt s = {};
	struct set *set;
	bool fits;
	int r;

	if (m->seen & OPTION_SEEN('m') && !m->conn.plen)
		return conv_ctcount(c, m);
	w.key = addr_key(c, m->conn.dest);
	for (unsigned int n = 1; c->place; n++) {
		const struct set *used;

		snprintf(name, sizeof(name), "%u", n);
		snprintf(comment, sizeof(comment), OWN_COMMENT "connlimit %u", n);
		used = own_find(c->place->table, comment);
		if (!own_elsewhere(c, comment) &&
		    (!used || !table_uses_set(c->place->table, used->name)))
			break;
	}
	r = own_take(c, &w, &set, &fits);
	if (r)
		return r;
	s.set.verb = SET_ADD;
	s.set.key = w.key;
	s.set.has_ctcount = true;
	s.set.ctcount = m->value;
	s.set.ctcount_over = m->conn.above;
	return add_set_stmt(c, set, &s);
}

/* What the rules of a recent list ask of it. */
struct recent_use {
	bool checked; /* by rcheck or update */
	uint32_t seconds;
	bool removed; /* by a rule that does something */
};

static void recent_take(struct recent_use *use, const struct xt_rule *x, const char *name)
{
	for (size_t i = 0; i < x->n_matches; i++) {
		const struct xt_match *m = &x->matches[i];

		if (m->kind != XT_RECENT || strcmp(xt_recent_name(m), name))
			continue;
		if (m->recent.what == 'r')
			use->removed |= x->target.kind != XT_NO_TARGET;
		if (!strchr("cu", m->recent.what))
			continue;
		use->checked = true;
		use->seconds = m->recent.seconds;
	}
}

static bool rule_names(const struct rule *r, const char *set)
{
	for (size_t i = 0; i < r->n_matches; i++)
		if (r->matches[i].set && !strcmp(r->matches[i].set, set))
			return true;
	for (size_t i = 0; i < r->n_stmts; i++)
		if (r->stmts[i].kind == STMT_SET && !strcmp(r->stmts[i].set.set, set))
			return true;
	return false;
}

static void recent_uses(const struct conv *c, const char *set, const char *name,
			struct recent_use *ret)
{
	const struct table *t = c->place->table;
	struct xt_rule x;

	for (size_t i = 0; i < t->n_chains; i++)
		for (size_t k = 0; k < t->chains[i]->n_rules; k++)
			if (rule_names(t->chains[i]->rules[k], set) &&
			    view_rule(t->chains[i]->rules[k], c->x->version, &x))
				recent_take(ret, &x, name);
}

/*
 * An address is in the list for as long as the rules look back: the set's timeout.  So all rules that look have to look back
 * equally long, and --remove, which also finds what is older, only goes with lists that keep for ever.
 */
static int recent_agrees(struct conv *c, const struct recent_use *use, const struct xt_recent *rec)
{
	const char *name = *rec->name ? rec->name : "DEFAULT";
	bool checks = strchr("cu", rec->what);
	bool removes = rec->what == 'r' && c->x->target.kind != XT_NO_TARGET;

	if (checks && use->checked && use->seconds != rec->seconds)
		return xt_refuse(c->d,
				 "recent: list `%s' is looked at %s already: another "
				 "`--seconds' is not supported",
				 name, use->seconds ? "with other seconds" : "without seconds");
	if ((use->removed && checks && rec->seconds) || (removes && use->seconds))
		return xt_refuse(c->d,
				 "recent: `--remove' in a rule with a target is not supported "
				 "for list `%s', which is looked at with `--seconds'",
				 name);
	return 0;
}

int conv_recent(struct conv *c, const struct xt_match *m)
{
	const struct xt_recent *rec = &m->recent;
	struct own_wish w = { .kind = "recent",
			      .name = xt_recent_name(m),
			      .key = addr_key(c, rec->dest),
			      .timeout_ms = rec->seconds * 1000ULL };
	struct recent_use use = {};
	struct stmt s = {};
	struct set *set;
	bool fits;
	int r = own_take(c, &w, &set, &fits);

	if (!r && set) {
		recent_uses(c, set->name, w.name, &use);
		r = recent_agrees(c, &use, rec);
	}
	if (!r && set && rec->seconds)
		r = own_fill(set, &w);
	if (!r && rec->what != 's')
		r = add_set_match(c, set ? set->name : "-", &w.key, m->invert);
	if (r || rec->what == 'c')
		return r;
	s.set.verb = rec->what == 'r' ? SET_DELETE : SET_UPDATE;
	s.set.key = w.key;
	return add_set_stmt(c, set, &s);
}

static bool set_field(const struct conv *c, enum field_type type, bool dest, enum field *ret)
{
	switch (type) {
	case FIELD_ADDR4:
	case FIELD_ADDR6:
		*ret = addr_key(c, dest).fields[0];
		return (type == FIELD_ADDR6) == (c->x->version == 6);
	case FIELD_PORT:
		*ret = conv_port_field(c->x->proto_invert ? 0 : c->x->proto, dest);
		return true;
	case FIELD_IFNAME:
		*ret = dest ? FIELD_ID_OIFNAME : FIELD_ID_IIFNAME;
		return true;
	case FIELD_ETHER_ADDR:
		*ret = dest ? FIELD_ID_ETHER_DADDR : FIELD_ID_ETHER_SADDR;
		return true;
	case FIELD_MARK:
		*ret = FIELD_ID_META_MARK;
		return true;
	case FIELD_PROTO:
		*ret = FIELD_ID_L4PROTO;
		return true;
	default:
		return false;
	}
}

int conv_set(struct conv *c, const struct xt_match *m)
{
	struct selector key = { .n = m->set.n };
	const struct set *s = c->place ? table_set(c->place->table, m->set.name) : NULL;

	if (!c->place) {
		key.n = 1;
		key.fields[0] = addr_key(c, false).fields[0];
		return add_set_match(c, m->set.name, &key, m->invert);
	}
	if (!s || own_is(s))
		return xt_usage(c->d, "Set %s doesn't exist.", m->set.name);
	if (s->is_map)
		return xt_refuse(c->d, "set: `%s' is a map", m->set.name);
	if (s->n_fields != m->set.n)
		return xt_refuse(c->d,
				 "set: elements of `%s' have %u fields, `src' and `dst' name %u",
				 m->set.name, s->n_fields, m->set.n);
	for (unsigned int i = 0; i < key.n; i++)
		if (!set_field(c, s->types[i], m->set.dest[i], &key.fields[i]))
			return xt_refuse(
				c->d, "set: elements of `%s' are of a type that has no `%s' here",
				m->set.name, m->set.dest[i] ? "dst" : "src");
	return add_set_match(c, s->name, &key, m->invert);
}
