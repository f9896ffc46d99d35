/* SPDX-License-Identifier: GPL-2.0-only */
#include <gwd/ids.h>
#include <gwd/request.h>
#include <gwd/sets.h>
#include <gwd/txn.h>

static json_t *changes_json(const struct txn_result *res)
{
	const struct lang_changes *ch = &res->changes;

	return json_pack("{s:I, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:I}", "gen",
			 (json_int_t)res->gen, "rules_added", ch->rules_added, "rules_deleted",
			 ch->rules_deleted, "chains_added", ch->chains_added, "chains_deleted",
			 ch->chains_deleted, "tables_added", ch->tables_added, "tables_deleted",
			 ch->tables_deleted, "policies", ch->policies, "handle",
			 (json_int_t)ch->last_handle);
}

/* One answer for all ways a transaction can end. */
static int answer_txn(struct gwd *g, int r, const struct txn_result *res, const struct diag *d,
		      struct reply *reply)
{
	if (r < 0) {
		reply_error(reply, "the ruleset could not be put in force: %s; nothing was changed",
			    strerror(-r));
		return REQUEST_FAILED;
	}
	if (r == TXN_E_BASE) {
		reply_diag(reply, d, json_pack("{s:I}", "base", (json_int_t)g->gen));
		return REQUEST_FAILED;
	}
	if (r) {
		reply_diag(reply, d, NULL);
		return REQUEST_FAILED;
	}
	reply_json(reply, changes_json(res));
	return REQUEST_OK;
}

int req_apply(struct gwd *g, json_t *req, struct reply *r)
{
	struct txn_request txn = { .file = "" };
	struct txn_result res = { 0 };
	struct diag d = { 0 };

	if (!field_text(req, "text", &txn.text, &txn.len, r) ||
	    !field_text(req, "file", &txn.file, NULL, r) ||
	    !field_bool(req, "replace", &txn.replace, r) ||
	    !field_bool(req, "internal", &txn.internal, r) ||
	    !field_bool(req, "check", &txn.check, r) ||
	    !field_u32(req, "base", &txn.has_base, &txn.base, r))
		return REQUEST_USAGE;
	if (!txn.text) {
		reply_error(r, "`apply` needs the field `text`");
		return REQUEST_USAGE;
	}
	return answer_txn(g, txn_apply(g, &txn, &res, &d), &res, &d, r);
}

int req_reload(struct gwd *g, json_t *req, struct reply *r)
{
	struct txn_result res = { 0 };
	struct diag d = { 0 };

	return answer_txn(g, txn_apply_file(g, &res, &d), &res, &d, r);
}

/* Which tables and chains a request is about. */
struct scope {
	const char *family, *table, *chain;
	bool has_handle;
	uint64_t handle;
};

static bool scope_read(json_t *req, struct scope *s, struct reply *r)
{
	*s = (struct scope){ 0 };
	return field_text(req, "family", &s->family, NULL, r) &&
	       field_text(req, "table", &s->table, NULL, r) &&
	       field_text(req, "chain", &s->chain, NULL, r) &&
	       field_u64(req, "handle", &s->has_handle, &s->handle, r);
}

static bool scope_has_table(const struct scope *s, const struct table *t)
{
	return (!s->family || !strcmp(s->family, family_name(t->family))) &&
	       (!s->table || !strcmp(s->table, t->name));
}

static bool scope_has_chain(const struct scope *s, const struct chain *c)
{
	return !s->chain || !strcmp(s->chain, c->name);
}

static void fill_counter(const struct counted *c, void *arg)
{
	struct gwd *g = arg;

	kern_counter_get(g->kern, *c->cid, c->pkts, c->bytes);
}

static json_t *rule_json(const struct rule *rule)
{
	_cleanup_(strbuf_deinit) struct strbuf b = { 0 };
	json_t *obj;

	lang_print_rule(rule, LANG_STATELESS, &b);
	obj = json_pack("{s:I, s:I, s:I, s:s}", "handle", (json_int_t)rule->handle, "packets",
			(json_int_t)rule->pkts, "bytes", (json_int_t)rule->bytes, "text",
			b.s ? b.s : "");
	if (obj && rule->comment)
		json_object_set_new(obj, "comment", json_string(rule->comment));
	return obj;
}

static json_t *chain_json(const struct chain *c)
{
	static const char *const types[] = { "filter", "nat", "route" };
	static const char *const hooks[] = { "prerouting", "input", "forward", "output",
					     "postrouting" };
	json_t *rules = json_array();
	json_t *obj = json_pack("{s:s, s:I, s:o}", "name", c->name, "handle", (json_int_t)c->handle,
				"rules", rules);

	for (size_t i = 0; i < c->n_rules; i++)
		json_array_append_new(rules, rule_json(c->rules[i]));
	if (c->base)
		json_object_update_new(
			obj, json_pack("{s:s, s:s, s:i, s:s, s:I, s:I}", "type", types[c->type],
				       "hook", hooks[c->hook_nf], "prio", c->prio, "policy",
				       c->policy_drop ? "drop" : "accept", "packets",
				       (json_int_t)c->pkts, "bytes", (json_int_t)c->bytes));
	return obj;
}

static json_t *scope_json(const struct gwd *g, const struct scope *s)
{
	json_t *tables = json_array();

	for (size_t t = 0; t < g->rs->n_tables; t++) {
		const struct table *tab = g->rs->tables[t];
		json_t *chains = json_array();

		if (!scope_has_table(s, tab)) {
			json_decref(chains);
			continue;
		}
		for (size_t i = 0; i < tab->n_chains; i++)
			if (scope_has_chain(s, tab->chains[i]))
				json_array_append_new(chains, chain_json(tab->chains[i]));
		json_array_append_new(tables, json_pack("{s:s, s:s, s:I, s:o}", "family",
							family_name(tab->family), "name", tab->name,
							"handle", (json_int_t)tab->handle, "chains",
							chains));
	}
	return json_pack("{s:I, s:o}", "gen", (json_int_t)g->gen, "tables", tables);
}

static size_t scope_print(const struct gwd *g, const struct scope *s, unsigned int flags,
			  struct strbuf *b)
{
	size_t found = 0;

	if (!s->family && !s->table && !s->chain) {
		lang_print(g->rs, flags, b);
		return 1;
	}
	for (size_t t = 0; t < g->rs->n_tables; t++) {
		const struct table *tab = g->rs->tables[t];

		if (!scope_has_table(s, tab))
			continue;
		if (!s->chain) {
			lang_print_table(tab, flags, b);
			found++;
		}
		for (size_t i = 0; i < tab->n_chains && s->chain; i++) {
			if (!scope_has_chain(s, tab->chains[i]))
				continue;
			lang_print_chain(tab, tab->chains[i], flags, b);
			found++;
		}
	}
	return found;
}

static bool show_flags(json_t *req, unsigned int *ret, bool *ret_json, struct reply *r)
{
	bool internal = false, handles = false, counters = false, stateless = false;

	if (!field_bool(req, "internal", &internal, r) ||
	    !field_bool(req, "handles", &handles, r) ||
	    !field_bool(req, "counters", &counters, r) ||
	    !field_bool(req, "stateless", &stateless, r) || !field_bool(req, "json", ret_json, r))
		return false;
	*ret = (internal ? LANG_INTERNAL : 0) | (handles ? LANG_HANDLES : 0) |
	       (counters ? LANG_COUNTERS : 0) | (stateless ? LANG_STATELESS : 0);
	return true;
}

static void fill_state(const struct stateful *s, void *arg)
{
	struct gwd *g = arg;
	struct gw_state state;

	if (s->space != IDS_STATE || kern_state_get(g->kern, *s->id, &state) < 0)
		return;
	if (s->stmt && s->stmt->kind == STMT_QUOTA)
		s->stmt->quota.used = state.used;
	if (s->object && s->object->kind == OBJECT_QUOTA)
		s->object->bytes = state.used;
}

/* What the kernel counted; for people also which elements are there.  Only a job may do this to the model. */
static int fill_snapshot(struct gwd *g, bool internal)
{
	ids_walk_counted(g->rs, fill_counter, g);
	ids_walk_stateful(g->rs, fill_state, g);
	return internal ? 0 : sets_show(g, g->rs);
}

/* A job: it may write the counters into its copy of the model. */
int req_show(struct gwd *g, json_t *req, struct reply *r)
{
	_cleanup_(strbuf_deinit) struct strbuf b = { 0 };
	struct scope scope;
	unsigned int flags;
	bool json = false;

	if (!scope_read(req, &scope, r) || !show_flags(req, &flags, &json, r))
		return REQUEST_USAGE;
	if (fill_snapshot(g, flags & LANG_INTERNAL) < 0) {
		reply_error(r, "the elements of sets could not be read");
		return REQUEST_FAILED;
	}
	if (json) {
		reply_json(r, scope_json(g, &scope));
		return REQUEST_OK;
	}
	if (!scope_print(g, &scope, flags, &b)) {
		reply_error(r, "there is no such %s", scope.chain ? "chain" : "table");
		return REQUEST_FAILED;
	}
	if (b.failed)
		r->failed = true;
	else if (b.len)
		reply_text(r, b.s, b.len);
	return REQUEST_OK;
}

static size_t zero_chain(struct gwd *g, const struct scope *s, const struct chain *c)
{
	size_t n = 0;

	if (!s->has_handle && c->base) {
		kern_counter_set(g->kern, c->cid, 0, 0);
		n++;
	}
	for (size_t i = 0; i < c->n_rules; i++) {
		if (s->has_handle && c->rules[i]->handle != s->handle)
			continue;
		kern_counter_set(g->kern, c->rules[i]->cid, 0, 0);
		n++;
	}
	return n;
}

int req_zero(struct gwd *g, json_t *req, struct reply *r)
{
	struct scope scope;
	size_t n = 0;

	if (!scope_read(req, &scope, r))
		return REQUEST_USAGE;
	for (size_t t = 0; t < g->rs->n_tables; t++) {
		const struct table *tab = g->rs->tables[t];

		for (size_t i = 0; scope_has_table(&scope, tab) && i < tab->n_chains; i++)
			if (scope_has_chain(&scope, tab->chains[i]))
				n += zero_chain(g, &scope, tab->chains[i]);
	}
	if (!n && (scope.table || scope.chain || scope.has_handle)) {
		reply_error(r, "there is no such %s",
			    scope.has_handle ? "rule"
			    : scope.chain    ? "chain"
					     : "table");
		return REQUEST_FAILED;
	}
	reply_json(r, json_pack("{s:I}", "count", (json_int_t)n));
	return REQUEST_OK;
}

int req_save(struct gwd *g, json_t *req, struct reply *r)
{
	_cleanup_(strbuf_deinit) struct strbuf b = { 0 };
	int rc;

	if (g->model_lost) {
		reply_error(r, "the rules in force are not known: there is nothing to save");
		return REQUEST_FAILED;
	}
	strbuf_puts(&b, "# The rules of this gateway, written by `gwctl ruleset save`.\n");
	lang_print(g->rs, LANG_STATELESS, &b);
	rc = b.failed ? -ENOMEM : file_write_atomic(g->path.ruleset, b.s, b.len, 0640);
	if (rc < 0) {
		reply_error(r, "cannot write %s: %s", g->path.ruleset, strerror(-rc));
		return REQUEST_FAILED;
	}
	log_info("Saved ruleset path=%s generation=%u", g->path.ruleset, g->gen);
	reply_json(r, json_pack("{s:s}", "path", g->path.ruleset));
	return REQUEST_OK;
}
