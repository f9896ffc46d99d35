/* SPDX-License-Identifier: GPL-2.0-only */
/* conntrack(8): the same commands, lines, summaries and exit codes. */
#include <arpa/inet.h>
#include <gwctl/rows.h>

/* What the original prints, so that scripts which look at it keep working. */
#define PROGRAM "conntrack v1.4.7 (conntrack-tools)"

static int say(int code, const char *fmt, ...) _printf_(2, 3);
static int say(int code, const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fputs(PROGRAM ": ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return code;
}

static struct rows rows_of(const struct ctargs *a)
{
	bool held = a->command == CT_GET || a->command == CT_UPDATE;

	return (struct rows){ .show = a->show | (held ? SHOW_HELD : 0),
			      .events = a->command == CT_EVENT,
			      .resync = a->resync,
			      .json = a->json,
			      .proc = a->proc,
			      .save = a->save,
			      .xml = a->xml };
}

static int ct_rows(struct gwctl *g, const struct ctargs *a, const char *verb, const char *summary)
{
	_cleanup_(rows_deinit) struct rows rows = rows_of(a);
	int r = rows_run(g, &rows, verb, &a->filter);

	if (r)
		return r;
	if (a->command == CT_GET && !rows.count)
		return say(EXIT_REFUSED, "Operation failed: such conntrack doesn't exist");
	say(0, "%lu %s", rows.count, summary);
	return a->command == CT_DELETE && !rows.count ? EXIT_REFUSED : EXIT_OK;
}

/* What -I and -U set, into the request. */
static int put_change(json_t *req, const struct ct_change *c)
{
	int bad = 0;

	if (c->has_mark) {
		bad |= json_object_set_new(req, "mark", json_integer(c->mark));
		bad |= json_object_set_new(req, "mark_mask", json_integer(c->mark_mask));
	}
	if (c->has_timeout)
		bad |= json_object_set_new(req, "timeout", json_integer(c->timeout));
	if (c->status)
		bad |= json_object_set_new(req, "status", json_integer(c->status));
	if (c->has_state)
		bad |= json_object_set_new(req, "state", json_integer(c->state));
	return bad;
}

static int ct_update(struct gwctl *g, const struct ctargs *a)
{
	_cleanup_(rows_deinit) struct rows rows = rows_of(a);
	json_t *req = json_pack("{s:s}", "verb", "flows-update");
	int r;

	if (put_change(req, &a->change)) {
		json_decref(req);
		return refuse("out of memory");
	}
	r = rows_request(g, &rows, req, &a->filter);
	if (r)
		return r;
	say(0, "%lu flow entries have been updated.", rows.count);
	return rows.count ? EXIT_OK : EXIT_REFUSED;
}

static json_t *tuple_json(const struct gw_event *ev, int dir)
{
	const struct gw_tuple6 *t = &ev->tuple[dir];
	int af = ev->family == 6 ? AF_INET6 : AF_INET;
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];

	inet_ntop(af, t->saddr, src, sizeof(src));
	inet_ntop(af, t->daddr, dst, sizeof(dst));
	return json_pack("{s:s, s:s, s:i, s:i}", "src", src, "dst", dst, "sport", ntohs(t->sport),
			 "dport", ntohs(t->dport));
}

static int ct_create(struct gwctl *g, const struct ctargs *a)
{
	_cleanup_(reply_deinit) struct reply reply = { 0 };
	const struct gw_event *ev = &a->flow;
	bool add = a->command == CT_ADD, exists;
	json_t *req = json_pack("{s:s, s:i, s:i, s:i, s:o, s:o}", "verb", "flows-insert", "family",
				ev->family, "proto", ev->proto, "zone", ev->zone, "original",
				tuple_json(ev, 0), "reply", tuple_json(ev, 1));
	int r;

	if (!req || put_change(req, &a->change)) {
		json_decref(req);
		return refuse("out of memory");
	}
	json_object_del(req, "mark_mask");
	r = gwctl_call(g, req, &reply);
	if (r)
		return r;
	exists = json_is_true(json_object_get(reply.json, "exists"));
	if (exists && !add)
		return say(EXIT_REFUSED,
			   "Operation failed: Such conntrack exists, try -U to update");
	return say(EXIT_OK, "%d flow entries have been %s.", !exists, add ? "added" : "created");
}

static int ct_flush(struct gwctl *g)
{
	_cleanup_(reply_deinit) struct reply reply = { 0 };
	int r = gwctl_call(g, json_pack("{s:s}", "verb", "flows-flush"), &reply);

	return r ? r : say(EXIT_OK, "connection tracking table has been emptied.");
}

static int ct_count(struct gwctl *g, bool json)
{
	_cleanup_(reply_deinit) struct reply reply = { 0 };
	int r = gwctl_call(g, json_pack("{s:s}", "verb", "flows-count"), &reply);
	json_int_t n;

	if (r)
		return r;
	if (json)
		return print_json(reply.json);
	n = json_integer_value(json_object_get(reply.json, "assured")) +
	    json_integer_value(json_object_get(reply.json, "embryonic"));
	printf("%" JSON_INTEGER_FORMAT "\n", n);
	return EXIT_OK;
}

static void print_cpu(size_t cpu, const json_t *stats)
{
	/* the two that are always 0 count what can not happen here: there are no hash chains */
	static const char *const names[] = { "found",	      "invalid",	"insert",
					     "insert_failed", "drop",		"early_drop",
					     "error",	      "search_restart", "clash_resolve",
					     "chaintoolong" };

	printf("cpu=%-4zu\t", cpu);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		printf("%s=%" JSON_INTEGER_FORMAT " ", names[i],
		       json_integer_value(json_object_get(stats, names[i])));
	putchar('\n');
}

static int ct_stats(struct gwctl *g, bool json)
{
	_cleanup_(reply_deinit) struct reply reply = { 0 };
	int r = gwctl_call(g, json_pack("{s:s}", "verb", "stats"), &reply);
	json_t *row;
	size_t i;

	if (r)
		return r;
	if (json)
		return print_json(reply.json);
	json_array_foreach(reply.json, i, row) print_cpu(i, row);
	return EXIT_OK;
}

static int say_usage(const char *text)
{
	say(0, "%s", text);
	fputs("Try `gwctl conntrack -h' or 'gwctl conntrack --help' for more information.\n",
	      stderr);
	return EXIT_USAGE;
}

/* Tables that are always empty here: helpers expect nothing, nothing waits to be confirmed or to die. */
static int ct_other_table(const struct ctargs *a)
{
	bool expect = a->table == CT_TABLE_EXPECT;

	if (a->command == CT_UPDATE && expect)
		return say_usage("Can't do --update on expectations");
	if (!expect && (a->command == CT_UPDATE || a->command == CT_CREATE))
		return say_usage("Can't do that command with tables `dying' and `unconfirmed'");
	if (a->command == CT_LIST && expect)
		return say(EXIT_OK, "0 expectations have been shown.");
	if (a->command == CT_LIST)
		return say(EXIT_OK, "0 flow entries have been shown.");
	if (a->command == CT_FLUSH && expect)
		return say(EXIT_OK, "expectation table has been emptied.");
	if (a->command == CT_COUNT && expect)
		return puts("0") < 0 ? EXIT_REFUSED : EXIT_OK;
	return say(EXIT_USAGE, "this command is only supported for the table conntrack");
}

static int ct_run(struct gwctl *g, const struct ctargs *a)
{
	switch (a->command) {
	case CT_LIST:
	case CT_GET:
		return ct_rows(g, a, "flows", "flow entries have been shown.");
	case CT_DELETE:
		return ct_rows(g, a, "flows-delete", "flow entries have been deleted.");
	case CT_EVENT:
		return ct_rows(g, a, "events", "flow events have been shown.");
	case CT_UPDATE:
		return ct_update(g, a);
	case CT_CREATE:
	case CT_ADD:
		return ct_create(g, a);
	case CT_FLUSH:
		return ct_flush(g);
	case CT_COUNT:
		return ct_count(g, a->json);
	case CT_STATS:
		return ct_stats(g, a->json);
	case CT_VERSION:
		puts(PROGRAM);
		return EXIT_OK;
	default:
		fputs(ctargs_help, stdout);
		return EXIT_OK;
	}
}

int verb_conntrack(struct gwctl *g, int argc, char **argv)
{
	struct ctargs a;
	struct diag d;
	int r;

	/* getopt wants a program name in front: the noun is there */
	r = ctargs_parse(argc + 1, argv - 1, &a, &d);
	if (r == CTARGS_E_REFUSED)
		return say(EXIT_REFUSED, "%s", d.text);
	if (r)
		return say_usage(d.text);
	a.json |= g->json;
	if (a.table != CT_TABLE_CONNTRACK)
		return ct_other_table(&a);
	return ct_run(g, &a);
}
