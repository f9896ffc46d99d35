/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The iptables dialect: gwd's model is fetched, changed here, and sent back whole (one rule: iptables_single.c).  gwd refuses when somebody else
 * changed it meanwhile; then it is done again.
 */
#include <sys/random.h>
#include <time.h>
#include <gwctl/gwctl.h>
#include <iptables/iptables.h>
#include <lang/lang.h>

/* Writers that meet again and again draw lots; iptables -w waits for its lock as well. */
#define TRIES	     60
#define PAUSE_MAX_MS 100

struct dialect {
	const char *program;
	int version;
	int argc;
	char **argv;
	int (*run)(const struct dialect *d, struct ruleset *rs, struct strbuf *out,
		   bool *ret_changed, struct diag *diag);
	const char *text; /* restore's input */
	size_t len;
	bool check; /* restore --test: change nothing */
};

static int call_iptables(const struct dialect *d, struct ruleset *rs, struct strbuf *out,
			 bool *ret_changed, struct diag *diag)
{
	return iptables_run(rs, d->version, d->argc, d->argv, out, ret_changed, diag);
}

static int call_save(const struct dialect *d, struct ruleset *rs, struct strbuf *out,
		     bool *ret_changed, struct diag *diag)
{
	*ret_changed = false;
	return iptables_save(rs, d->version, d->argc, d->argv, out, diag);
}

static int call_restore(const struct dialect *d, struct ruleset *rs, struct strbuf *out,
			bool *ret_changed, struct diag *diag)
{
	*ret_changed = true;
	return iptables_restore(rs, d->version, d->argc, d->argv, d->text, d->len, diag);
}

/* The generation is asked for first: if the ruleset changes in between, the base is too old and gwd refuses. */
static int fetch(struct gwctl *g, struct ruleset **ret, json_int_t *ret_gen)
{
	_cleanup_(reply_deinit) struct reply ping = { 0 }, show = { 0 };
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct diag diag = { 0 };
	int r = gwctl_call(g, json_pack("{s:s}", "verb", "ping"), &ping);

	if (!r)
		r = gwctl_call(g, json_pack("{s:s, s:b}", "verb", "show", "internal", 1), &show);
	if (r)
		return r;
	if (!rs)
		return refuse("out of memory");
	r = lang_apply(rs, "<gwd>", show.text.s ? show.text.s : "", show.text.len, NULL, &diag);
	if (r < 0)
		return refuse("%s", strerror(-r));
	if (r)
		return refuse_diag(&diag);
	*ret_gen = json_integer_value(json_object_get(ping.json, "gen"));
	*ret = TAKE_PTR(rs);
	return EXIT_OK;
}

/* One line, the program's name in front, as the original has it. */
static int say_diag(const struct dialect *d, int r, const struct diag *diag)
{
	bool named = !strncmp(diag->text, d->program, strlen(d->program));

	if (r < 0)
		return refuse("%s: %s", d->program, strerror(-r));
	fflush(stdout);
	fprintf(stderr, "%s%s%s\n", named ? "" : d->program, named ? "" : ": ", diag->text);
	if (diag->hint[0])
		fprintf(stderr, "hint: %s\n", diag->hint);
	return r == IPTABLES_E_USAGE ? EXIT_USAGE : EXIT_REFUSED;
}

static json_t *commit_request(const struct dialect *d, const struct ruleset *rs, json_int_t gen)
{
	_cleanup_(strbuf_deinit) struct strbuf b = { 0 };
	json_t *request;

	lang_print(rs, LANG_INTERNAL, &b);
	strbuf_puts(&b, "");
	request = b.failed ? NULL : apply_request("", b.s, b.len);
	if (!request)
		return NULL;
	json_object_set_new(request, "internal", json_true());
	json_object_set_new(request, "replace", json_true());
	json_object_set_new(request, "base", json_integer(gen));
	json_object_set_new(request, "check", json_boolean(d->check));
	return request;
}

/* gwd names its generation when that, and only that, was the reason to refuse. */
static bool is_stale(const struct reply *reply)
{
	return json_object_get(reply->error, "base");
}

enum { STALE = -1 };
static int commit(struct gwctl *g, const struct dialect *d, const struct ruleset *rs,
		  json_int_t gen, bool last)
{
	_cleanup_(reply_deinit) struct reply reply = { 0 };
	json_t *request = commit_request(d, rs, gen);
	int r;

	if (!request)
		return refuse("out of memory");
	r = client_call(g->client, request, NULL, &reply);
	json_decref(request);
	if (r < 0)
		return refuse("talking to gwd at %s: %s", g->socket, strerror(-r));
	if (!last && is_stale(&reply))
		return STALE;
	return gwctl_report(&reply);
}

static int attempt(struct gwctl *g, const struct dialect *d, bool last)
{
	_cleanup_(strbuf_deinit) struct strbuf out = { 0 };
	_cleanup_(ruleset_freep) struct ruleset *rs = NULL;
	struct diag diag = { 0 };
	bool changed = false;
	json_int_t gen = 0;
	int r = fetch(g, &rs, &gen);

	if (r)
		return r;
	r = d->run(d, rs, &out, &changed, &diag);
	if (!r && changed)
		r = commit(g, d, rs, gen, last);
	else if (r)
		r = say_diag(d, r, &diag);
	if (r != STALE && out.len)
		fwrite(out.s, 1, out.len, stdout);
	return r;
}

static void pause_random(int tries)
{
	unsigned int lot = 0, max_ms = MIN(4 * tries, PAUSE_MAX_MS);
	struct timespec ts = { 0 };

	if (getrandom(&lot, sizeof(lot), GRND_NONBLOCK) < 0)
		lot = getpid();
	ts.tv_nsec = 1000000L * (1 + lot % max_ms);
	nanosleep(&ts, NULL);
}

static int run(struct gwctl *g, const struct dialect *d)
{
	int r = STALE;

	for (int i = 1; i <= TRIES && r == STALE; i++) {
		r = attempt(g, d, i == TRIES);
		if (r == STALE)
			pause_random(i);
	}
	return r;
}

/* argv[-1] is there, but the dialect does not want the program's name */
static struct dialect dialect_of(const char *program, int version, int argc, char **argv)
{
	return (struct dialect){
		.program = program, .version = version, .argc = argc, .argv = argv
	};
}

/* One rule without all the others, if that is what the command is about. */
static int run_single(struct gwctl *g, const struct dialect *d)
{
	_cleanup_(strbuf_deinit) struct strbuf out = { 0 };
	_cleanup_(ruleset_freep) struct ruleset *empty = NULL;
	struct diag diag = { 0 };
	bool changed;
	int r = iptables_run_single(g, d->version, d->argc, d->argv, &out, &empty);

	if (r == SINGLE_NONE)
		return say_diag(d, d->run(d, empty, &out, &changed, &diag), &diag);
	if (r == EXIT_OK && out.len)
		fwrite(out.s, 1, out.len, stdout);
	return r;
}

static int run_commands(struct gwctl *g, int version, int argc, char **argv)
{
	struct dialect d = dialect_of(version == 4 ? "iptables" : "ip6tables", version, argc, argv);
	int r;

	d.run = call_iptables;
	r = run_single(g, &d);
	return r == SINGLE_OTHER ? run(g, &d) : r;
}

static int run_save(struct gwctl *g, int version, int argc, char **argv)
{
	struct dialect d =
		dialect_of(version == 4 ? "iptables-save" : "ip6tables-save", version, argc, argv);

	d.run = call_save;
	return run(g, &d);
}

/* The last word is the file, unless it is an option or an option's value. */
static const char *restore_file(int *argc, char **argv)
{
	const char *before = *argc > 1 ? argv[*argc - 2] : "";

	if (!*argc || argv[*argc - 1][0] == '-' || !strcmp(before, "-T") ||
	    !strcmp(before, "--table"))
		return "-";
	return argv[--*argc];
}

static int run_restore(struct gwctl *g, int version, int argc, char **argv)
{
	struct dialect d = dialect_of(version == 4 ? "iptables-restore" : "ip6tables-restore",
				      version, 0, argv);
	_cleanup_(freep) char *text = NULL;
	int r;

	d.check = take_flag(&argc, argv, "-t") || take_flag(&argc, argv, "--test");
	r = read_input(restore_file(&argc, argv), &text, &d.len);
	if (r)
		return r;
	d.argc = argc;
	d.text = text;
	d.run = call_restore;
	return run(g, &d);
}

int verb_iptables(struct gwctl *g, int argc, char **argv)
{
	return run_commands(g, 4, argc, argv);
}

int verb_ip6tables(struct gwctl *g, int argc, char **argv)
{
	return run_commands(g, 6, argc, argv);
}

int verb_iptables_save(struct gwctl *g, int argc, char **argv)
{
	return run_save(g, 4, argc, argv);
}

int verb_ip6tables_save(struct gwctl *g, int argc, char **argv)
{
	return run_save(g, 6, argc, argv);
}

int verb_iptables_restore(struct gwctl *g, int argc, char **argv)
{
	return run_restore(g, 4, argc, argv);
}

int verb_ip6tables_restore(struct gwctl *g, int argc, char **argv)
{
	return run_restore(g, 6, argc, argv);
}
