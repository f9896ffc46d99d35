/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections in the native words. */
#include <gwctl/rows.h>
#include <show/match.h>

static int parse(int argc, char **argv, struct flow_filter *ret)
{
	struct diag d;
	int r = reject_options(argc, argv);

	if (r)
		return r;
	if (!match_parse(argc, argv, ret, &d))
		return EXIT_OK;
	usage_error("%s", d.text);
	fputs(match_help, stderr);
	return EXIT_USAGE;
}

int verb_flow_list(struct gwctl *g, int argc, char **argv)
{
	bool proc = take_flag(&argc, argv, "--proc");
	_cleanup_(rows_deinit) struct rows rows = { .show = SHOW_ID | SHOW_ACCT | SHOW_RULE,
						    .proc = proc,
						    .json = g->json };
	struct flow_filter filter;
	int r = parse(argc, argv, &filter);

	return r ? r : rows_run(g, &rows, "flows", &filter);
}

int verb_flow_watch(struct gwctl *g, int argc, char **argv)
{
	bool resync = take_flag(&argc, argv, "--resync");
	bool seq = take_flag(&argc, argv, "--seq");
	_cleanup_(rows_deinit) struct rows rows = { .show = SHOW_ID | SHOW_ACCT | SHOW_RULE |
							    SHOW_TIMESTAMP | (seq ? SHOW_SEQ : 0),
						    .events = true,
						    .resync = resync,
						    .color = g->color,
						    .json = g->json };
	struct flow_filter filter;
	int r = parse(argc, argv, &filter);

	return r ? r : rows_run(g, &rows, "events", &filter);
}

int verb_flow_delete(struct gwctl *g, int argc, char **argv)
{
	_cleanup_(rows_deinit) struct rows rows = { .show = SHOW_ID | SHOW_ACCT | SHOW_RULE,
						    .json = g->json };
	struct flow_filter filter;
	int r = parse(argc, argv, &filter);

	if (!r)
		r = rows_run(g, &rows, "flows-delete", &filter);
	return r || rows.count ? r : refuse("no connection matches");
}

int verb_flow_flush(struct gwctl *g, int argc, char **argv)
{
	_cleanup_(reply_deinit) struct reply reply = { 0 };
	int r = gwctl_call(g, json_pack("{s:s}", "verb", "flows-flush"), &reply);

	if (r)
		return r;
	if (g->json)
		return print_json(reply.json);
	printf("%" JSON_INTEGER_FORMAT " connections ended\n",
	       json_integer_value(json_object_get(reply.json, "count")));
	return EXIT_OK;
}

int verb_flow_count(struct gwctl *g, int argc, char **argv)
{
	_cleanup_(reply_deinit) struct reply reply = { 0 };
	_cleanup_(freep) char *text = NULL;
	json_int_t assured, embryonic;
	struct flow_filter filter;
	json_t *json;
	int r = parse(argc, argv, &filter);

	if (r)
		return r;
	text = flow_filter_to_json(&filter);
	json = text ? json_loads(text, 0, NULL) : NULL;
	r = json ? gwctl_call(g, json_pack("{s:s, s:o}", "verb", "flows-count", "filter", json),
			      &reply)
		 : refuse("out of memory");
	if (r)
		return r;
	if (g->json)
		return print_json(reply.json);
	assured = json_integer_value(json_object_get(reply.json, "assured"));
	embryonic = json_integer_value(json_object_get(reply.json, "embryonic"));
	printf("%" JSON_INTEGER_FORMAT " (%" JSON_INTEGER_FORMAT " assured, %" JSON_INTEGER_FORMAT
	       " not yet)\n",
	       assured + embryonic, assured, embryonic);
	return EXIT_OK;
}
