/* SPDX-License-Identifier: GPL-2.0-only */
#include <ctype.h>
#include <compile/compile.h>
#include <gwd/able.h>
#include <gwd/ifs.h>
#include <gwd/ids.h>
#include <gwd/journal.h>
#include <gwd/logs.h>
#include <gwd/sets.h>
#include <gwd/single.h>
#include <model/keys.h>
#include <time.h>

#define TEXT_MAX     65536
#define FOLD_IDLE_NS 1000000000ULL

enum what { WHAT_RULE, WHAT_ELEMENT };

/* The first words of a command. */
struct command {
	bool delete, insert;
	enum what what;
	struct table *table;
	char name[64];	  /* of the chain or set */
	const char *rest; /* behind it */
	const char *end;
};

static bool word_next(const char **at, const char *end, char *ret, size_t size)
{
	size_t n = 0;

	while (*at < end && (**at == ' ' || **at == '\t'))
		(*at)++;
	while (*at + n < end && (isalnum((unsigned char)(*at)[n]) || strchr("_-./\\", (*at)[n])))
		n++;
	if (!n || n >= size)
		return false;
	memcpy(ret, *at, n);
	ret[n] = '\0';
	*at += n;
	return true;
}

static bool family_of(const char *word, enum family *ret)
{
	for (int f = FAMILY_INET; f <= FAMILY_IP6; f++) {
		if (strcmp(family_name(f), word))
			continue;
		*ret = f;
		return true;
	}
	return false;
}

/* Behind the string that begins at p; NULL: it has no end. */
static const char *string_end(const char *p, const char *end)
{
	for (p++; p < end && *p != '"' && *p != '\n'; p++)
		p += *p == '\\';
	return p < end && *p == '"' ? p + 1 : NULL;
}

/* One command, and nothing in it that stands for something else. */
static bool text_is_plain(const char *text, size_t len)
{
	const char *p = text, *end = text + len;

	while (p && p < end) {
		if (!*p || strchr(";\n#\\$", *p))
			return false;
		p = *p == '"' ? string_end(p, end) : p + 1;
	}
	return p;
}

/* `gw xt "..."` at the end: how iptables says it (print.c of lang).  *len: what stands before it. */
static bool cut_xt(const char *text, size_t *len)
{
	static const char mark[] = " gw xt ";
	const char *at = memmem(text, *len, mark, sizeof(mark) - 1), *p, *end = text + *len;

	if (!at)
		return true;
	p = at + sizeof(mark) - 1;
	*len = (size_t)(at - text);
	return p < end && *p == '"' && string_end(p, end) == end;
}

/* More than one command, or one that names chains to go to, is not for here. */
static bool text_is_simple(const char *text, size_t len)
{
	static const char *const words[] = { "jump", "goto", "vmap", "define", "include", "gw" };

	if (len > TEXT_MAX || !text_is_plain(text, len) || !cut_xt(text, &len))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (memmem(text, len, words[i], strlen(words[i])))
			return false;
	return true;
}

static bool command_read(const struct ruleset *rs, const char *text, size_t len,
			 struct command *ret)
{
	struct command c = { .end = text + len };
	enum family family = FAMILY_INET;
	const char *at = text;
	char word[64];

	if (!text_is_simple(text, len) || !word_next(&at, c.end, word, sizeof(word)))
		return false;
	c.delete = !strcmp(word, "delete");
	c.insert = !strcmp(word, "insert");
	if ((!c.delete &&!c.insert && strcmp(word, "add")) ||
	    !word_next(&at, c.end, word, sizeof(word)))
		return false;
	c.what = strcmp(word, "rule") ? WHAT_ELEMENT : WHAT_RULE;
	if ((c.what == WHAT_ELEMENT && (strcmp(word, "element") || c.insert)) ||
	    !word_next(&at, c.end, word, sizeof(word)))
		return false;
	if (family_of(word, &family) && !word_next(&at, c.end, word, sizeof(word)))
		return false;
	c.table = ruleset_table(rs, family, word);
	if (!c.table || !word_next(&at, c.end, c.name, sizeof(c.name)))
		return false;
	c.rest = at;
	*ret = c;
	return true;
}

/*
 * A ruleset with one table, which has the pointers of the real one but for a chain and a set that are empty doubles.  What is read into it
 * is read exactly as it would be in the real one.
 */
struct shadow {
	struct ruleset rs;
	struct table table;
	struct chain chain;
	struct set set;
};

static void *pointers_dup(void *const *v, size_t n, const void *from, void *to, bool *failed)
{
	void **copy = calloc(n + 1, sizeof(*copy));

	*failed |= !copy;
	for (size_t i = 0; copy && i < n; i++)
		copy[i] = v[i] == from ? to : v[i];
	return copy;
}

static void shadow_deinit(struct shadow *s)
{
	for (size_t i = 0; i < s->chain.n_rules; i++)
		rule_free(s->chain.rules[i]);
	free(s->chain.rules);
	elems_free(s->set.elems);
	free(s->table.chains);
	free(s->table.sets);
	free(s->table.objects);
	free(s->rs.tables);
}

static int shadow_init(struct shadow *s, const struct ruleset *rs, const struct table *t,
		       const struct chain *c, const struct set *set)
{
	struct table *self = &s->table;
	bool failed = false;

	*s = (struct shadow){ .rs = { .next_handle = rs->next_handle }, .table = *t };
	s->table.chains = pointers_dup((void **)t->chains, t->n_chains, c, &s->chain, &failed);
	s->table.sets = pointers_dup((void **)t->sets, t->n_sets, set, &s->set, &failed);
	s->table.objects = pointers_dup((void **)t->objects, t->n_objects, NULL, NULL, &failed);
	s->table.cap_chains = t->n_chains + 1;
	s->table.cap_sets = t->n_sets + 1;
	s->table.cap_objects = t->n_objects + 1;
	if (c) {
		s->chain = *c;
		s->chain.rules = NULL;
		s->chain.n_rules = s->chain.cap_rules = 0;
	}
	if (set) {
		s->set = *set;
		s->set.elems = elems_new(set->n_fields);
		failed |= !s->set.elems;
	}
	s->rs.tables = pointers_dup((void **)&self, 1, NULL, NULL, &failed);
	s->rs.n_tables = 1;
	s->rs.cap_tables = 2;
	return failed ? raise(-ENOMEM, "rule") : 0;
}

/* Read the text; false: it did something else, or was refused. */
static bool shadow_apply(struct shadow *s, const struct table *t, const char *text, size_t len,
			 struct lang_changes *ret)
{
	struct lang_changes ch = { 0 };
	struct diag d = { 0 };

	if (lang_apply(&s->rs, "", text, len, &ch, &d))
		return false;
	*ret = ch;
	return s->rs.n_tables == 1 && s->table.n_chains == t->n_chains &&
	       s->table.n_sets == t->n_sets && s->table.n_objects == t->n_objects &&
	       ch.rules_added <= 1 && !ch.rules_deleted && !ch.chains_added && !ch.chains_deleted &&
	       !ch.tables_added && !ch.tables_deleted && !ch.policies;
}

/* The rule that the text adds, not in any chain yet; NULL = not for here. */
static struct rule *read_rule(const struct ruleset *rs, const struct command *c,
			      struct chain *chain, const char *text, size_t len)
{
	struct lang_changes ch;
	struct rule *r = NULL;
	struct shadow s;

	if (shadow_init(&s, rs, c->table, chain, NULL) == 0 &&
	    shadow_apply(&s, c->table, text, len, &ch) && ch.rules_added == 1 &&
	    s.chain.n_rules == 1 && s.chain.rules[0]->handle == rs->next_handle &&
	    !s.chain.rules[0]->cid) {
		r = s.chain.rules[0];
		s.chain.n_rules = 0;
		r->handle = 0;
	}
	shadow_deinit(&s);
	return r;
}

struct rule *single_read_rule(struct ruleset *rs, const char *text, size_t len,
			      struct index_entry *ret_at)
{
	struct command c;
	struct chain *chain;

	if (!command_read(rs, text, len, &c) || c.what != WHAT_RULE || c.delete)
		return NULL;
	chain = table_chain(c.table, c.name);
	if (!chain)
		return NULL;
	*ret_at = (struct index_entry){ .table = c.table, .chain = chain };
	ret_at->rule = read_rule(rs, &c, chain, text, len);
	return ret_at->rule;
}

static void state_start(const struct stateful *s, void *arg)
{
	struct gwd *g = arg;
	const struct gw_state state = { .used = stateful_start(s) };

	if (s->space == IDS_STATE)
		kern_state_set(g->kern, *s->id, &state);
}

static void rule_start(struct gwd *g, struct rule *r)
{
	kern_counter_set(g->kern, r->cid, r->counter_given ? r->pkts : 0,
			 r->counter_given ? r->bytes : 0);
	r->counter_given = false;
	ids_walk_rule(r, state_start, g);
}

static void print_id(const struct stateful *s, void *arg)
{
	strbuf_printf(arg, "%u,", *s->id);
}

/* "INDEX CID ID,ID,. COMMAND" */
static int journal_add(struct gwd *g, uint32_t gen, size_t index, struct rule *r,
		       const struct txn_request *req)
{
	_cleanup_(strbuf_deinit) struct strbuf b = { 0 };

	strbuf_printf(&b, "%zu %u ", index, r->cid);
	ids_walk_rule(r, print_id, &b);
	strbuf_puts(&b, ". ");
	strbuf_add(&b, req->text, req->len);
	return b.failed ? raise(-ENOMEM, "journal")
			: journal_append(g, gen, JOURNAL_ADD, b.s, b.len);
}

/* In the image in force; if it does not fit there, a new one.  *ret_gen: the journal's record is of this generation. */
static int add_in_place(struct gwd *g, const struct command *c, struct chain *chain, size_t index,
			const struct txn_request *req, struct diag *d)
{
	struct rule *r = chain->rules[index];
	struct compile_where w = { .rs = g->rs, .table = c->table, .chain = chain, .index = index };
	int e;

	w.n_ifs = ifs_names(g->ifs, &w.ifs);
	if (!g->map || !kern_image_live(g->kern))
		return COMPILE_E_AGAIN;
	e = journal_add(g, g->gen + 2, index, r, req);
	if (e < 0)
		return e;
	e = compile_append(g->map, kern_image_live(g->kern), kern_image_cap(g->kern), &w, d);
	if (e) {
		journal_undo(g);
		return e;
	}
	e = kern_image_changed(g->kern);
	if (e < 0) {
		compile_remove(kern_image_live(g->kern), r->cid);
		journal_undo(g);
	}
	return e;
}

static void changed_in_place(struct gwd *g)
{
	g->gen = kern_conf(g->kern)->gen;
	g->in_place++;
	g->changed_ns = now_ns(CLOCK_MONOTONIC);
}

/* A new image of the model as it is now. */
static int add_anew(struct gwd *g, struct rule *r, size_t index, const struct txn_request *req,
		    struct diag *d)
{
	int e = journal_add(g, g->gen + 1, index, r, req);

	if (e < 0)
		return e;
	e = txn_swap_model(g, d);
	if (e)
		journal_undo(g);
	return e;
}

static int add_inserted(struct gwd *g, const struct command *c, struct chain *chain, size_t index,
			const struct txn_request *req, struct diag *d)
{
	struct rule *r = chain->rules[index];
	enum ids_space full;
	int e;

	if (ids_assign_rule(g->ids, r, g->gen + 2, &full)) /* the long way can wait for some */
		return SINGLE_E_OTHER;
	rule_start(g, r);
	e = add_in_place(g, c, chain, index, req, d);
	if (e == 0)
		changed_in_place(g);
	else if (e == COMPILE_E_AGAIN)
		e = add_anew(g, r, index, req, d);
	if (e == 0)
		e = index_add(g->index, &(struct index_entry){ r->handle, c->table, chain, r });
	return e > 0 ? TXN_E_DIAG : e;
}

static int add_rule(struct gwd *g, const struct txn_request *req, const struct command *c,
		    struct lang_changes *ret, struct diag *d)
{
	struct chain *chain = table_chain(c->table, c->name);
	size_t index = chain && !c->insert ? chain->n_rules : 0;
	uint64_t next = g->rs->next_handle;
	struct rule *r;
	int e;

	r = chain ? read_rule(g->rs, c, chain, req->text, req->len) : NULL;
	if (r && !able_rule(r, kern_features(g->kern)->fib_mark))
		r = rule_free(r);
	if (!r)
		return SINGLE_E_OTHER;
	e = chain_insert_rule(g->rs, chain, index, r);
	if (e < 0) {
		rule_free(r);
		return raise(e, "rule");
	}
	e = add_inserted(g, c, chain, index, req, d);
	if (e) {
		ids_abort(g->ids);
		chain_delete_rule(chain, index);
		g->rs->next_handle = next;
		return e;
	}
	ids_clock(g->ids, now_ns(CLOCK_BOOTTIME) / 1000000000);
	ids_commit_rule(g->ids, r, NULL, g->gen);
	logs_learn_rule(g, r);
	*ret = (struct lang_changes){ .rules_added = 1, .last_handle = r->handle };
	return 0;
}

static bool rest_is_handle(const struct command *c, uint64_t *ret)
{
	const char *at = c->rest;
	char word[32];

	if (!word_next(&at, c->end, word, sizeof(word)) || strcmp(word, "handle") ||
	    !word_next(&at, c->end, word, sizeof(word)) || !str_to_u64(word, 1, INT64_MAX, ret))
		return false;
	while (at < c->end && isspace((unsigned char)*at))
		at++;
	return at == c->end;
}

size_t single_index_of(const struct chain *chain, const struct rule *r)
{
	size_t i = 0;

	while (i < chain->n_rules && chain->rules[i] != r)
		i++;
	return i;
}

static int delete_in_place(struct gwd *g, const struct rule *r)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)r->handle), e;

	if (!kern_image_live(g->kern))
		return COMPILE_E_AGAIN;
	e = journal_append(g, g->gen + 2, JOURNAL_DELETE, text, (size_t)n);
	if (e < 0)
		return e;
	e = compile_remove(kern_image_live(g->kern), r->cid);
	if (e == 0)
		e = kern_image_changed(g->kern);
	if (e)
		journal_undo(g);
	return e;
}

/* The rule is not in the model any more. */
static int delete_anew(struct gwd *g, const struct rule *r, struct diag *d)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)r->handle);
	int e = journal_append(g, g->gen + 1, JOURNAL_DELETE, text, (size_t)n);

	if (e < 0)
		return e;
	e = txn_swap_model(g, d);
	if (e)
		journal_undo(g);
	return e;
}

static int delete_rule(struct gwd *g, const struct command *c, struct lang_changes *ret,
		       struct diag *d)
{
	const struct index_entry *e;
	struct chain *chain;
	struct rule *r;
	uint64_t handle;
	size_t at;
	int rc;

	if (!rest_is_handle(c, &handle) || !(e = index_find(g->index, handle)) || !e->rule ||
	    e->table != c->table || strcmp(e->chain->name, c->name))
		return SINGLE_E_OTHER;
	chain = e->chain;
	r = e->rule;
	at = single_index_of(chain, r);
	/* out of the chain, but still there: it goes back if this fails */
	memmove(chain->rules + at, chain->rules + at + 1,
		(--chain->n_rules - at) * sizeof(struct rule *));
	rc = delete_in_place(g, r);
	if (rc == 0)
		changed_in_place(g);
	else if (rc == COMPILE_E_AGAIN)
		rc = delete_anew(g, r, d);
	if (rc) {
		memmove(chain->rules + at + 1, chain->rules + at,
			(chain->n_rules++ - at) * sizeof(struct rule *));
		chain->rules[at] = r;
		return rc > 0 ? TXN_E_DIAG : rc;
	}
	index_remove(g->index, handle);
	ids_commit_rule(g->ids, NULL, r, g->gen);
	rule_free(r);
	*ret = (struct lang_changes){ .rules_deleted = 1 };
	return 0;
}

/* Elements that the text names; false: not for here. */
static bool read_elements(const struct gwd *g, const struct txn_request *req,
			  const struct command *c, const struct set *set, struct elems **ret)
{
	_cleanup_(freep) char *text = strndup(req->text, req->len);
	char *verb = c->delete &&text ? strstr(text, "delete") : NULL;
	struct lang_changes ch;
	bool ok = false;
	struct shadow s;

	/* what is to be deleted is read as if it were added to an empty set */
	if (verb)
		memcpy(verb, "add   ", strlen("delete"));
	if (text && shadow_init(&s, g->rs, c->table, NULL, set) == 0) {
		ok = shadow_apply(&s, c->table, text, req->len, &ch) && !ch.rules_added &&
		     s.set.elems->n;
		if (ok)
			*ret = elems_ref(s.set.elems);
		shadow_deinit(&s);
	}
	return ok;
}

/*
 * Might these elements be more than the set takes?  Who really counts reads all that is there: users' elements may be in the model and in
 * the kernel's count, too.
 */
static bool may_be_full(struct gwd *g, const struct set *set, const struct elems *elems)
{
	int64_t there = 0;

	return set->size && (kern_dyncount_get(g->kern, (uint32_t)set->handle, &there) < 0 ||
			     (size_t)MAX(there, 0) + set->elems->n + elems->n > set->size);
}

static int change_elements(struct gwd *g, const struct txn_request *req, const struct command *c,
			   struct lang_changes *ret, struct diag *d)
{
	struct set *set = table_set(c->table, c->name);
	_cleanup_(sets_change_freep) struct sets_change *change = NULL;
	_cleanup_(elems_freep) struct elems *elems = NULL;
	int r;

	if (!set || !set_lives_in_map(set) || !read_elements(g, req, c, set, &elems))
		return SINGLE_E_OTHER;
	if (!c->delete &&may_be_full(g, set, elems))
		return SINGLE_E_OTHER;
	r = sets_plan_elements(g, set, elems, c->delete, &change);
	if (r > 0)
		return SINGLE_E_OTHER;
	if (r == 0)
		r = sets_begin(g, change);
	if (r == SETS_E_FULL) {
		sets_full_diag(g, d);
		return TXN_E_DIAG;
	}
	if (r < 0)
		return r;
	sets_commit(g, change);
	sets_note_elements(set, elems, c->delete);
	journal_note_elements(g);
	*ret = (struct lang_changes){ 0 };
	return 0;
}

int single_apply(struct gwd *g, const struct txn_request *req, struct lang_changes *ret_changes,
		 struct diag *d)
{
	struct command c;

	if (req->replace || req->internal || req->check || !g->gen ||
	    !command_read(g->rs, req->text, req->len, &c))
		return SINGLE_E_OTHER;
	if (c.what == WHAT_ELEMENT)
		return change_elements(g, req, &c, ret_changes, d);
	return c.delete ? delete_rule(g, &c, ret_changes, d) : add_rule(g, req, &c, ret_changes, d);
}

void single_fold(struct gwd *g)
{
	struct diag d = { 0 };

	if (g->in_place && now_ns(CLOCK_MONOTONIC) - g->changed_ns >= FOLD_IDLE_NS &&
	    txn_recompile(g, &d) > 0) {
		log_warning("Could not compile the ruleset anew error=%s", d.text);
		g->changed_ns = now_ns(CLOCK_MONOTONIC);
	}
	journal_compact(g);
}
