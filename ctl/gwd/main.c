/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gwd - the daemon.  The order of a start is the order of trust: lock, data plane, rules, interfaces, and only then the control
 * socket and readiness.  Whatever fails leaves what was in force before.
 */
#include <compile/compile.h>
#include <gwd/ids.h>
#include <gwd/client.h>
#include <gwd/conf.h>
#include <gwd/events.h>
#include <gwd/expire.h>
#include <gwd/ifs.h>
#include <gwd/journal.h>
#include <gwd/logs.h>
#include <gwd/loop.h>
#include <gwd/options.h>
#include <gwd/saved.h>
#include <gwd/ruleset_file.h>
#include <gwd/say.h>
#include <gwd/state.h>
#include <gwd/txn.h>
#include <time.h>

static int check_only(const struct options *o)
{
	_cleanup_(freep) char *text = NULL;
	struct diag d = { 0 };
	size_t len = 0;
	int r = ruleset_file_read(o->path.ruleset, &text, &len, &d);

	if (r == -ENOENT && !o->path.ruleset_given)
		return EXIT_SUCCESS;
	if (r == -ENOENT)
		diag_set(&d, "cannot read %s: %s", o->path.ruleset, strerror(-r));
	else if (!r)
		r = txn_check_text(o->path.ruleset, text, len, &d);
	if (!r)
		return EXIT_SUCCESS;
	if (*d.text)
		say_diag(&d);
	return EXIT_FAILURE;
}

static int open_parts(struct gwd *g)
{
	g->rs = ruleset_new();
	g->ids = ids_new();
	g->index = g->rs ? index_new(g->rs) : NULL;
	g->journal = journal_new();
	g->ifs = ifs_new();
	if (!g->index || !g->ids || !g->journal || !g->ifs)
		return raise(-ENOMEM, "gwd");
	return logs_open(g);
}

static int open_kern(struct gwd *g, bool *ret_adopted)
{
	struct kern_config cfg = {
		.pin_dir = g->path.pin_dir,
		.flows_max = g->cfg.flows_max,
		.embryonic_max = g->cfg.flows_embryonic_max,
		.flows_hash = g->cfg.flows_type == FLOWS_HASH,
		.ring_bytes = g->cfg.ring_bytes,
		.rules_mb = g->cfg.rules_mb,
		.dynset_max = g->cfg.dynset_max,
	};
	int r = kern_open(&cfg, &g->kern, ret_adopted);

	return r < 0 ? r : conf_apply(g);
}

/* Take over the model of the image that is in force.  0 = done, STATE_E_MISSING = nothing (known) to take over. */
static int adopt_rules(struct gwd *g)
{
	struct ruleset *rs = NULL;
	int r;

	g->gen = kern_conf(g->kern)->gen;
	if (!g->gen)
		return STATE_E_MISSING;
	r = state_load(g, g->gen, &rs);
	if (r) {
		g->model_lost = true;
		if (r == STATE_E_MISSING)
			log_warning("Found rules in force but not their text generation=%u",
				    g->gen);
		return r;
	}
	ruleset_free(g->rs);
	index_free(g->index);
	g->rs = rs;
	g->index = index_new(rs);
	if (!g->index)
		return raise(-ENOMEM, "ruleset");
	ids_commit(g->ids, rs, g->gen);
	logs_learn(g);
	log_info("Adopted ruleset in force generation=%u", g->gen);
	return 0;
}

/* The rules of the file; when they are refused, rules that are in force stay. */
static int load_rules(struct gwd *g)
{
	struct txn_result res;
	struct diag d = { 0 };
	int r = txn_apply_file(g, &res, &d);

	if (r > 0)
		say_diag_log(&d);
	if (!r || !g->model_lost || !kern_image_live(g->kern))
		return r > 0 ? -EINVAL : r;
	log_err("Refused the ruleset file, the rules in force stay path=%s generation=%u",
		g->path.ruleset, g->gen);
	return 0;
}

static int start_rules(struct gwd *g)
{
	struct diag d = { 0 };
	int r = adopt_rules(g);

	if (r < 0)
		return r;
	if (r > 0)
		return load_rules(g);
	/* interfaces may have come and gone while nobody looked */
	r = txn_recompile(g, &d);
	if (r > 0)
		say_diag_log(&d);
	/* a region that was replaced is empty, and programs on it would let everything pass */
	if (r > 0 && !kern_image_live(g->kern))
		return -EINVAL;
	return MIN(r, 0);
}

/* Patterns are expected to match nothing yet; a plain name that is missing may be a typing error. */
static void note_missing(const struct gwd *g)
{
	_cleanup_(freep) char *copy = strdup(g->cfg.interfaces);
	const struct compile_if *names;
	size_t n = ifs_names(g->ifs, &names), i;
	char *name, *save = NULL;

	if (!copy || !*copy) {
		log_warning("Found no interfaces to manage, set `interfaces`");
		return;
	}
	for (name = strtok_r(copy, ", \t", &save); name; name = strtok_r(NULL, ", \t", &save)) {
		for (i = 0; i < n && strcmp(names[i].name, name); i++)
			;
		if (i == n && !strpbrk(name, "*?["))
			log_notice("Waiting for an interface that does not exist yet name=%s",
				   name);
	}
}

/* From here on packets meet the programs. */
static int start_data_path(struct gwd *g, bool adopted)
{
	int r = loop_watch_network(g);

	if (!r)
		r = ifs_read(g);
	if (r < 0)
		return r;
	log_info("Opened data plane kernel=%s adopted=%s", kern_features(g->kern)->release,
		 adopted ? "yes" : "no");
	if (adopted)
		ifs_adopt(g);
	r = start_rules(g);
	if (!r)
		r = ifs_push(g, true);
	if (!r)
		note_missing(g);
	return r;
}

/* A first start that fails leaves nothing behind; a later one leaves what was in force. */
static int start_or_undo(struct gwd *g)
{
	bool adopted = false;
	int r = open_kern(g, &adopted);

	if (!r)
		r = start_data_path(g, adopted);
	if (r && !adopted && g->kern) {
		kern_off(g->path.pin_dir);
		g->off = true;
	}
	return r;
}

static int serve(struct gwd *g)
{
	int r = state_dir_open(g->path.runtime_dir);

	if (!r)
		r = state_lock(g->path.runtime_dir, &g->lock_fd);
	if (!r)
		r = open_parts(g);
	if (!r)
		saved_restore(g);
	log_set_level(LOG_LEVEL_ERR + g->cfg.log_level);
	if (!r)
		r = loop_open(g);
	if (!r)
		r = start_or_undo(g);
	if (!r)
		r = expire_start(g);
	if (!r)
		r = events_start(g);
	if (!r)
		r = logs_start(g);
	if (!r)
		r = server_open(g);
	return r ? r : loop_run(g);
}

static void gwd_deinit(struct gwd *g)
{
	g->server = server_free(g->server);
	g->events = events_free(g->events);
	g->logs = logs_free(g->logs);
	journal_finish(g);
	g->journal = journal_free(g->journal);
	loop_close(g);
	g->kern = kern_free(g->kern);
	g->ifs = ifs_free(g->ifs);
	g->ids = ids_free(g->ids);
	txn_forget_past(g);
	g->index = index_free(g->index);
	g->map = compile_map_free(g->map);
	g->rs = ruleset_free(g->rs);
	if (g->off)
		state_remove(g);
	closep(&g->lock_fd);
}

int main(int argc, char **argv)
{
	struct options o;
	struct gwd g;
	int r = options_read(argc, argv, &o);

	if (r)
		return r == OPTIONS_E_DONE ? EXIT_SUCCESS : r == OPTIONS_E_USAGE ? 2 : EXIT_FAILURE;
	if (o.check)
		return check_only(&o);
	log_set_level(LOG_LEVEL_ERR + o.cfg.log_level);
	g = (struct gwd){ .path = o.path,
			  .cfg = o.cfg,
			  .configured = o.cfg,
			  .lock_fd = -EBADF,
			  .started_ns = now_ns(CLOCK_BOOTTIME) };
	r = serve(&g);
	gwd_deinit(&g);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
