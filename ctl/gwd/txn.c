/* SPDX-License-Identifier: GPL-2.0-only */
#include <fnmatch.h>
#include <compile/compile.h>
#include <gwd/able.h>
#include <gwd/carry.h>
#include <gwd/ids.h>
#include <gwd/ifs.h>
#include <gwd/journal.h>
#include <gwd/logs.h>
#include <gwd/replay.h>
#include <gwd/ruleset_file.h>
#include <gwd/sets.h>
#include <gwd/single.h>
#include <gwd/state.h>
#include <gwd/txn.h>
#include <systemd/sd-event.h>
#include <time.h>

#define CHECK_LINES_MAX (1U << 24) /* what the largest rules.memory holds */

static int check_base(const struct gwd *g, const struct txn_request *req, struct diag *d)
{
	if (g->model_lost && !req->replace) {
		diag_set(d, "the rules in force are not known: their state file is lost");
		diag_hint(d,
			  "replace them as a whole: `gwctl reload` or `gwctl ruleset apply FILE`");
		return TXN_E_DIAG;
	}
	if (!req->has_base || req->base == g->gen)
		return 0;
	diag_set(d, "the ruleset was changed meanwhile (generation %u, not %u)", g->gen, req->base);
	return TXN_E_BASE;
}

/* Where the text starts from.  What it flushes at once need not be copied. */
static struct ruleset *txn_start(const struct gwd *g, bool empty)
{
	struct ruleset *rs = empty ? ruleset_new() : ruleset_copy(g->rs);

	if (rs) /* handles are never reused, not even by a ruleset that replaces all */
		rs->next_handle = MAX(rs->next_handle, g->rs->next_handle);
	return rs;
}

static int check_handles(const struct ruleset *rs, struct diag *d)
{
	uint64_t handle;
	int r = carry_duplicate(rs, &handle);

	if (r > 0) {
		diag_set(d, "handle %llu stands for two things", (unsigned long long)handle);
		return TXN_E_DIAG;
	}
	return r;
}

/* A change under way. */
struct txn {
	struct ruleset *rs;
	struct index *index;
	struct sets_seen *seen;
	struct sets_change *sets;
	struct image *img;
	struct lang_changes changes;
	bool in_journal;
};

static void txn_deinit(struct txn *t)
{
	ruleset_free(t->rs);
	index_free(t->index);
	sets_seen_free(t->seen);
	sets_change_free(t->sets);
	image_free(t->img);
}

static bool text_has(const struct txn_request *req, const char *word)
{
	return memmem(req->text, req->len, word, strlen(word));
}

/* Who deletes elements must see those that are there; for everybody else they would only cost time. */
static bool text_may_delete_elements(const struct txn_request *req)
{
	return !req->replace && (text_has(req, "element") || text_has(req, "flush"));
}

void txn_full_diag(enum ids_space what, struct diag *d)
{
	diag_set(d, "too many rules: there is room for %u %s", ids_space_size(what) - 1,
		 ids_space_name(what));
}

/* What goes on from the model in force. */
static int txn_carry(const struct gwd *g, const struct txn_request *req, struct ruleset *rs)
{
	int r = 0;

	if (req->replace && !req->internal)
		r = carry_over(g->rs, rs);
	if (!r && req->replace)
		carry_sets(g->rs, rs);
	carry_objects(g->rs, rs, req->replace);
	return r;
}

/* As if the text had deleted it all. */
static void count_deleted(const struct ruleset *rs, struct lang_changes *ch)
{
	ch->tables_deleted += (unsigned int)rs->n_tables;
	for (size_t t = 0; t < rs->n_tables; t++) {
		ch->chains_deleted += (unsigned int)rs->tables[t]->n_chains;
		for (size_t c = 0; c < rs->tables[t]->n_chains; c++)
			ch->rules_deleted += (unsigned int)rs->tables[t]->chains[c]->n_rules;
	}
}

/* Change the model as the text says. */
static int txn_read(struct gwd *g, const struct txn_request *req, struct txn *t, struct diag *d)
{
	bool dynamic = sets_are_dynamic(g->rs);
	bool flush = !req->replace && !dynamic && lang_flushes_first(req->text, req->len);
	int r = 0;

	t->rs = txn_start(g, req->replace || flush);
	if (!t->rs)
		return raise(-ENOMEM, "ruleset");
	if (dynamic && text_may_delete_elements(req))
		r = sets_fill(g, t->rs, &t->seen);
	if (!r)
		r = lang_apply(t->rs, req->file, req->text, req->len, &t->changes, d);
	if (!r && flush)
		count_deleted(g->rs, &t->changes);
	return r;
}

/* Numbers for what is new; those that were given up lately are taken when no packet can use them any more. */
static int txn_number(struct gwd *g, const struct ruleset *rs, struct diag *d)
{
	enum ids_space full;
	int r = ids_assign(g->ids, g->index, rs, g->gen + 1, &full);

	if (r) {
		r = kern_wait_for_packets(g->kern);
		if (r < 0)
			return r;
		ids_rested(g->ids);
		r = ids_assign(g->ids, g->index, rs, g->gen + 1, &full);
	}
	if (!r)
		return 0;
	txn_full_diag(full, d);
	return TXN_E_DIAG;
}

/* The model that the request asks for, checked and with its numbers. */
static int txn_build(struct gwd *g, const struct txn_request *req, struct txn *t, struct diag *d)
{
	int r = txn_read(g, req, t, d);

	if (r)
		return r < 0 ? r : TXN_E_DIAG;
	if (!ruleset_validate(t->rs, d) ||
	    !able_ruleset(t->rs, kern_features(g->kern)->fib_mark, d))
		return TXN_E_DIAG;
	r = txn_carry(g, req, t->rs);
	if (!r)
		r = check_handles(t->rs, d);
	if (!r && req->replace)
		r = carry_diff(g->rs, t->rs, &t->changes);
	if (!r)
		r = txn_number(g, t->rs, d);
	if (r)
		return r;
	t->index = index_new(t->rs);
	return t->index ? sets_plan(g, t->rs, t->seen, &t->sets) : raise(-ENOMEM, "ruleset");
}

struct starts {
	struct gwd *g;
	bool fresh;
	int r;
};

/* Numbers that nobody uses yet are set before the swap, the others (a user's -Z, -c) after it. */
static void counter_start(const struct counted *c, void *arg)
{
	struct starts *a = arg;

	if (a->fresh != ids_is_fresh(a->g->ids, IDS_COUNTER, *c->cid) || (!a->fresh && !*c->given))
		return;
	kern_counter_set(a->g->kern, *c->cid, *c->given ? *c->pkts : 0, *c->given ? *c->bytes : 0);
}

static void state_start(const struct stateful *s, void *arg)
{
	struct starts *a = arg;
	const struct gw_state state = { .used = stateful_start(s) };

	if (!a->r && s->space == IDS_STATE && ids_is_fresh(a->g->ids, IDS_STATE, *s->id))
		a->r = kern_state_set(a->g->kern, *s->id, &state);
}

static int starts_fresh(struct gwd *g, const struct ruleset *rs)
{
	struct starts a = { .g = g, .fresh = true };

	ids_walk_counted(rs, counter_start, &a);
	ids_walk_stateful(rs, state_start, &a);
	return a.r;
}

static int image_force(struct gwd *g, const struct image *img)
{
	int r = 0;

	for (uint32_t i = 0; !r && i < img->n_states; i++)
		r = kern_state_set(g->kern, compile_state(g->gen + 1, i), &(struct gw_state){ 0 });
	return r ? r : kern_image_swap(g->kern, img->lines, img->nlines);
}

/* After a swap: what packets are counted by now. */
static void txn_in_force(struct gwd *g, struct compile_map *map)
{
	g->gen = kern_conf(g->kern)->gen;
	compile_map_free(g->map);
	g->map = map;
	g->in_place = 0;
	g->model_lost = false;
	ifs_names_compiled(g->ifs);
}

/* What is not in force any more; to let go of 100,000 rules takes longer than an answer should wait. */
struct past {
	struct ruleset *rs;
	struct index *index;
	struct image *img;
};

void txn_forget_past(struct gwd *g)
{
	struct past *p = TAKE_PTR(g->past);

	if (!p)
		return;
	ruleset_free(p->rs);
	index_free(p->index);
	image_free(p->img);
	free(p);
}

static int past_over(sd_event_source *source _unused_, void *arg)
{
	txn_forget_past(arg);
	return 0;
}

/* When all else is done, but never two of them. */
static void past_leave(struct gwd *g, const struct past *past)
{
	txn_forget_past(g);
	g->past = malloc(sizeof(*past));
	if (!g->past) {
		ruleset_free(past->rs);
		index_free(past->index);
		image_free(past->img);
		return;
	}
	*g->past = *past;
	if (!g->loop || sd_event_add_defer(g->loop, NULL, past_over, g) < 0)
		txn_forget_past(g);
}

static void txn_commit(struct gwd *g, struct txn *t)
{
	struct past past = { g->rs, g->index, NULL };

	if (!t->in_journal)
		state_commit(g);
	ids_walk_counted(t->rs, counter_start, &(struct starts){ .g = g });
	ids_forget_given(t->rs);
	ids_clock(g->ids, now_ns(CLOCK_BOOTTIME) / 1000000000);
	ids_commit(g->ids, t->rs, g->gen + 1);
	g->rs = TAKE_PTR(t->rs);
	g->index = TAKE_PTR(t->index);
	txn_in_force(g, TAKE_PTR(t->img->map));
	sets_commit(g, t->sets);
	logs_learn(g);
	past.img = TAKE_PTR(t->img);
	past_leave(g, &past);
}

/*
 * So that the next gwd knows what is in force.  The journal takes the request as it came: to print 100,000 rules takes longer than to read
 * them.  It can not take one whose outcome depends on more than the model before it.
 */
static int txn_record(struct gwd *g, const struct txn_request *req, struct txn *t)
{
	t->in_journal = g->gen && !g->model_lost && !g->state_unnamed && !t->seen &&
			!sets_have_deadlines(g->rs) && !sets_have_deadlines(t->rs);
	return t->in_journal ? replay_record_text(g, req, t->rs)
			     : state_prepare(g, t->rs, g->gen + 1);
}

/* Put a model in force; on success g owns it. */
static int txn_force(struct gwd *g, const struct txn_request *req, struct txn *t, struct diag *d)
{
	int r = txn_record(g, req, t);

	if (r < 0)
		return r;
	r = starts_fresh(g, t->rs);
	if (!r)
		r = sets_begin(g, t->sets);
	if (r == SETS_E_FULL)
		sets_full_diag(g, d);
	if (!r) {
		r = image_force(g, t->img);
		if (r)
			sets_abort(g, t->sets);
	}
	if (r && t->in_journal)
		journal_undo(g);
	else if (r)
		state_discard(g);
	if (r)
		return r < 0 ? r : TXN_E_DIAG;
	txn_commit(g, t);
	return 0;
}

static int txn_compile(const struct gwd *g, const struct ruleset *rs, struct image **ret_img,
		       struct diag *d)
{
	const struct compile_if *names;
	size_t n = ifs_names(g->ifs, &names);
	int r = compile_ruleset(rs, names, n, g->gen + 1, kern_image_cap(g->kern), ret_img, d);

	return r > 0 ? TXN_E_DIAG : r;
}

static void txn_log(const struct gwd *g, const struct txn_request *req,
		    const struct lang_changes *ch)
{
	log_info("Put ruleset in force generation=%u rules_added=%u rules_deleted=%u "
		 "chains_added=%u "
		 "chains_deleted=%u policies=%u from=%s",
		 g->gen, ch->rules_added, ch->rules_deleted, ch->chains_added, ch->chains_deleted,
		 ch->policies, req->file && *req->file ? req->file : "request");
}

static int txn_run(struct gwd *g, const struct txn_request *req, struct txn *t, struct diag *d)
{
	int r = txn_build(g, req, t, d);

	if (!r)
		r = txn_compile(g, t->rs, &t->img, d);
	if (!r && !req->check)
		r = txn_force(g, req, t, d);
	if (r || req->check)
		ids_abort(g->ids);
	return r;
}

int txn_apply(struct gwd *g, const struct txn_request *req, struct txn_result *ret, struct diag *d)
{
	_cleanup_(txn_deinit) struct txn t = { 0 };
	int r = check_base(g, req, d);

	if (r)
		return r;
	r = single_apply(g, req, &t.changes, d);
	if (r == SINGLE_E_OTHER) {
		t.changes = (struct lang_changes){ 0 };
		r = txn_run(g, req, &t, d);
		if (!r && !req->check)
			txn_log(g, req, &t.changes);
	}
	if (r)
		return r;
	*ret = (struct txn_result){ .changes = t.changes, .gen = g->gen };
	return 0;
}

int txn_apply_file(struct gwd *g, struct txn_result *ret, struct diag *d)
{
	_cleanup_(freep) char *text = NULL;
	size_t len = 0;
	int r = ruleset_file_read(g->path.ruleset, &text, &len, d);

	if (r == -ENOENT && !g->path.ruleset_given) {
		log_notice("Found no ruleset file, starting without rules path=%s",
			   g->path.ruleset);
	} else if (r == -ENOENT) {
		diag_set(d, "cannot read %s: %s", g->path.ruleset, strerror(-r));
		return TXN_E_DIAG;
	} else if (r) {
		return r < 0 ? r : TXN_E_DIAG;
	}
	return txn_apply(g,
			 &(struct txn_request){ .file = g->path.ruleset,
						.text = text ? text : "",
						.len = len,
						.replace = true },
			 ret, d);
}

int txn_swap_model(struct gwd *g, struct diag *d)
{
	_cleanup_(image_freep) struct image *img = NULL;
	int r = txn_compile(g, g->rs, &img, d);

	if (!r)
		r = image_force(g, img);
	if (!r)
		txn_in_force(g, TAKE_PTR(img->map));
	return r;
}

int txn_recompile(struct gwd *g, struct diag *d)
{
	int r = journal_append(g, g->gen + 1, JOURNAL_SAME, "", 0);

	if (r < 0)
		return r;
	r = txn_swap_model(g, d);
	if (r)
		journal_undo(g);
	else
		log_info("Compiled ruleset again generation=%u", g->gen);
	return r;
}

static bool rule_names(const struct rule *r, const char *name)
{
	for (size_t m = 0; m < r->n_matches; m++) {
		const struct match *match = &r->matches[m];

		if (type_rows[field_rows[match->field].type].base != BASE_NAME)
			continue;
		for (size_t i = 0; i < match->n; i++)
			if (!fnmatch(match->elems[i].name, name, FNM_NOESCAPE))
				return true;
	}
	return false;
}

bool txn_names_interface(const struct ruleset *rs, const char *name)
{
	for (size_t t = 0; t < rs->n_tables; t++)
		for (size_t c = 0; c < rs->tables[t]->n_chains; c++) {
			const struct chain *chain = rs->tables[t]->chains[c];

			for (size_t i = 0; i < chain->n_rules; i++)
				if (rule_names(chain->rules[i], name))
					return true;
		}
	return false;
}

static int check_text(struct ruleset *rs, const char *file, const char *text, size_t len,
		      struct image **ret_img, struct diag *d)
{
	_cleanup_(ruleset_freep) struct ruleset *none = ruleset_new();
	_cleanup_(index_freep) struct index *index = none ? index_new(none) : NULL;
	_cleanup_(ids_freep) struct ids *ids = ids_new();
	enum ids_space full;
	int r;

	if (!index || !ids)
		return raise(-ENOMEM, "ruleset");
	r = lang_apply(rs, file, text, len, NULL, d);
	if (!r && !ruleset_validate(rs, d))
		r = TXN_E_DIAG;
	if (!r && ids_assign(ids, index, rs, 1, &full)) {
		txn_full_diag(full, d);
		r = TXN_E_DIAG;
	}
	return r ? r : compile_ruleset(rs, NULL, 0, 1, CHECK_LINES_MAX, ret_img, d);
}

int txn_check_text(const char *file, const char *text, size_t len, struct diag *d)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	_cleanup_(image_freep) struct image *img = NULL;
	int r = rs ? check_text(rs, file, text, len, &img, d) : raise(-ENOMEM, "ruleset");

	return r > 0 ? TXN_E_DIAG : r;
}
