/* SPDX-License-Identifier: GPL-2.0-only */
#include <fnmatch.h>
#include <compile/compile.h>
#include <gwd/carry.h>
#include <gwd/cid.h>
#include <gwd/ifs.h>
#include <gwd/state.h>
#include <gwd/txn.h>

#define RULESET_FILE_MAX (64U << 20)

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

/* Where the text starts from. */
static struct ruleset *txn_start(const struct gwd *g, bool replace)
{
	struct ruleset *rs = replace ? ruleset_new() : ruleset_copy(g->rs);

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

/* The model that the request asks for, checked and with counter ids. */
static int txn_build(const struct gwd *g, const struct txn_request *req, struct ruleset **ret_rs,
		     struct lang_changes *ret_changes, struct diag *d)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = txn_start(g, req->replace);
	int r;

	if (!rs)
		return raise(-ENOMEM, "ruleset");
	r = lang_apply(rs, req->file, req->text, req->len, ret_changes, d);
	if (r)
		return r < 0 ? r : TXN_E_DIAG;
	if (!ruleset_validate(rs, d))
		return TXN_E_DIAG;
	if (req->replace && !req->internal)
		r = carry_over(g->rs, rs);
	if (!r)
		r = check_handles(rs, d);
	if (!r && req->replace)
		r = carry_diff(g->rs, rs, ret_changes);
	if (r)
		return r;
	r = cids_assign(g->cids, g->rs, rs, g->gen + 1);
	if (r == CIDS_E_FULL) {
		diag_set(d, "too many rules: there are counters for %u", GW_COUNTERS_MAX - 1);
		return TXN_E_DIAG;
	}
	if (r < 0)
		return r;
	*ret_rs = TAKE_PTR(rs);
	return 0;
}

struct counters {
	struct gwd *g;
	bool fresh;
};

/* Ids that nobody counts on yet are set before the swap, the others (a user's -Z, -c) after it. */
static void counter_start(const struct counted *c, void *arg)
{
	struct counters *a = arg;
	bool fresh = !cids_in_use(a->g->cids, *c->cid);

	if (fresh != a->fresh || (!fresh && !*c->given))
		return;
	kern_counter_set(a->g->kern, *c->cid, *c->given ? *c->pkts : 0, *c->given ? *c->bytes : 0);
}

static void counters_start(struct gwd *g, const struct ruleset *rs, bool fresh)
{
	cid_walk(rs, counter_start, &(struct counters){ g, fresh });
}

static void txn_commit(struct gwd *g, struct ruleset *rs, uint32_t gen)
{
	state_commit(g);
	counters_start(g, rs, false);
	cid_forget_given(rs);
	cids_commit(g->cids, rs, gen);
	if (rs != g->rs) {
		ruleset_free(g->rs);
		g->rs = rs;
	}
	g->gen = gen;
	g->model_lost = false;
	ifs_names_compiled(g->ifs);
}

/* Put a model in force; on success g owns it. */
static int txn_force(struct gwd *g, struct ruleset *rs, const struct image *img)
{
	uint32_t gen = g->gen + 1;
	int r = state_prepare(g, rs, gen);

	if (r < 0)
		return r;
	counters_start(g, rs, true);
	r = kern_image_swap(g->kern, img->lines, img->nlines);
	if (r < 0) {
		state_discard(g);
		return r;
	}
	txn_commit(g, rs, gen);
	return 0;
}

static int txn_compile(const struct gwd *g, const struct ruleset *rs, struct image **ret_img,
		       struct diag *d)
{
	const struct compile_if *names;
	size_t n = ifs_names(g->ifs, &names);
	int r = compile_ruleset(rs, names, n, g->gen + 1, ret_img, d);

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

int txn_apply(struct gwd *g, const struct txn_request *req, struct txn_result *ret, struct diag *d)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = NULL;
	_cleanup_(image_freep) struct image *img = NULL;
	struct lang_changes changes = { 0 };
	int r = check_base(g, req, d);

	if (!r)
		r = txn_build(g, req, &rs, &changes, d);
	if (!r)
		r = txn_compile(g, rs, &img, d);
	if (!r && !req->check) {
		r = txn_force(g, rs, img);
		if (!r) {
			TAKE_PTR(rs);
			txn_log(g, req, &changes);
		}
	}
	if (r)
		return r;
	*ret = (struct txn_result){ .changes = changes, .gen = g->gen };
	return 0;
}

int txn_apply_file(struct gwd *g, struct txn_result *ret, struct diag *d)
{
	_cleanup_(freep) char *text = NULL;
	size_t len = 0;
	int r = file_read(g->path.ruleset, RULESET_FILE_MAX, &text, &len);

	if (r == -ENOENT && !g->path.ruleset_given) {
		log_notice("Found no ruleset file, starting without rules path=%s",
			   g->path.ruleset);
	} else if (r < 0) {
		diag_set(d, "cannot read %s: %s", g->path.ruleset, strerror(-r));
		return TXN_E_DIAG;
	}
	return txn_apply(g,
			 &(struct txn_request){ .file = g->path.ruleset,
						.text = text ? text : "",
						.len = len,
						.replace = true },
			 ret, d);
}

int txn_recompile(struct gwd *g, struct diag *d)
{
	_cleanup_(image_freep) struct image *img = NULL;
	int r = txn_compile(g, g->rs, &img, d);

	if (!r)
		r = txn_force(g, g->rs, img);
	if (!r)
		log_info("Compiled ruleset again generation=%u", g->gen);
	return r;
}

static bool rule_names(const struct rule *r, const char *name)
{
	for (size_t m = 0; m < r->n_matches; m++) {
		const struct match *match = &r->matches[m];

		if (field_rows[match->field].type != FIELD_IFNAME)
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

int txn_check_text(const char *file, const char *text, size_t len, struct diag *d)
{
	_cleanup_(ruleset_freep) struct ruleset *none = ruleset_new(), *rs = ruleset_new();
	_cleanup_(cids_freep) struct cids *cids = cids_new();
	_cleanup_(image_freep) struct image *img = NULL;
	int r;

	if (!none || !rs || !cids)
		return raise(-ENOMEM, "ruleset");
	r = lang_apply(rs, file, text, len, NULL, d);
	if (!r && !ruleset_validate(rs, d))
		r = TXN_E_DIAG;
	if (!r)
		r = cids_assign(cids, none, rs, 1);
	if (r == CIDS_E_FULL)
		diag_set(d, "too many rules: there are counters for %u", GW_COUNTERS_MAX - 1);
	if (!r)
		r = compile_ruleset(rs, NULL, 0, 1, &img, d);
	return r > 0 ? TXN_E_DIAG : r;
}
