/* SPDX-License-Identifier: GPL-2.0-only */
/* What the data plane made of the rules, and the packets that met a log statement. */
#include <gwctl/gwctl.h>
#include <inttypes.h>

static int64_t number(const json_t *row, const char *name)
{
	return json_integer_value(json_object_get(row, name));
}

static void print_root(const json_t *row)
{
	printf("%s %s %s: %" PRId64 " entries (%" PRId64 " beside the index), %" PRId64
	       " x %" PRId64 " labels, %" PRId64 " groups, %" PRId64 " KiB\n",
	       json_string_value(json_object_get(row, "family")),
	       json_string_value(json_object_get(row, "table")),
	       json_string_value(json_object_get(row, "chain")), number(row, "entries"),
	       number(row, "delta"), number(row, "source_labels"),
	       number(row, "destination_labels"), number(row, "groups"),
	       (number(row, "bytes") + 1023) / 1024);
	if (number(row, "largest") > 1)
		printf("  at most %" PRId64 " rules are looked at one by one, among them handle "
		       "%" PRId64 "\n",
		       number(row, "largest"), number(row, "largest_rule"));
}

int verb_rule_stats(struct gwctl *g, int argc, char **argv)
{
	_cleanup_(reply_deinit) struct reply reply = { 0 };
	int r = gwctl_call(g, json_pack("{s:s}", "verb", "rule-stats"), &reply);
	json_t *row;
	size_t i;

	if (r)
		return r;
	if (g->json)
		return print_json(reply.json);
	printf("generation %" PRId64 ": %" PRId64 " of %" PRId64 " lines, %" PRId64
	       " changes since it was compiled\n",
	       number(reply.json, "gen"), number(reply.json, "lines"),
	       number(reply.json, "capacity"), number(reply.json, "in_place"));
	json_array_foreach(json_object_get(reply.json, "roots"), i, row) print_root(row);
	return EXIT_OK;
}

static int print_log(void *arg, const json_t *value)
{
	const struct gwctl *g = arg;
	const char *line = json_string_value(json_object_get(value, "line"));
	int r = 0;

	if (g->json)
		r = print_json(value);
	else if (line)
		puts(line);
	else
		printf("[LOST %" PRId64 "]\n", number(value, "lost"));
	return r || fflush(stdout) ? -EPIPE : 0;
}

int verb_log_watch(struct gwctl *g, int argc, char **argv)
{
	_cleanup_(reply_deinit) struct reply reply = { 0 };
	const struct flow_sink sink = { .json = print_log, .arg = g, .stop_fd = -1 };

	return gwctl_stream(g, json_pack("{s:s}", "verb", "logs"), &sink, &reply);
}
