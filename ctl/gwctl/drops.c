/* SPDX-License-Identifier: GPL-2.0-only */
/* Why packets were dropped. */
#include <time.h>
#include <gwctl/gwctl.h>
#include <show/show.h>

#define INTERVAL_MAX 3600

static const char *text_of(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));

	return text ? text : "";
}

static json_int_t number_of(const json_t *row, const char *key)
{
	return json_integer_value(json_object_get(row, key));
}

static void clock_text(time_t t, char *ret, size_t size)
{
	struct tm tm;

	if (!localtime_r(&t, &tm) || !strftime(ret, size, "%H:%M:%S", &tm))
		snprintf(ret, size, "?");
}

static void print_end(const json_t *example, const char *addr, const char *port)
{
	bool v6 = number_of(example, "family") == 6, has_port = number_of(example, port);

	printf(" %s%s%s", v6 && has_port ? "[" : "", text_of(example, addr),
	       v6 && has_port ? "]" : "");
	if (has_port)
		printf(":%" JSON_INTEGER_FORMAT, number_of(example, port));
}

/* "last: 12:00:01 tcp 1.2.3.4:60000 > 203.0.113.1:8080 in wan0 out lan0 handle 12" */
static void print_example(const json_t *example)
{
	json_int_t proto = number_of(example, "proto");
	char when[16];

	if (!json_is_object(example))
		return;
	clock_text(number_of(example, "time_ns") / 1000000000, when, sizeof(when));
	printf("%24s %s ", "last:", when);
	if (strcmp(show_proto_name(proto), "unknown"))
		printf("%s", show_proto_name(proto));
	else
		printf("protocol %" JSON_INTEGER_FORMAT, proto);
	print_end(example, "saddr", "sport");
	printf(" >");
	print_end(example, "daddr", "dport");
	if (*text_of(example, "iif"))
		printf(" in %s", text_of(example, "iif"));
	if (*text_of(example, "oif"))
		printf(" out %s", text_of(example, "oif"));
	if (number_of(example, "handle"))
		printf(" handle %" JSON_INTEGER_FORMAT, number_of(example, "handle"));
	putchar('\n');
}

static void print_row(const json_t *row)
{
	printf("%10" JSON_INTEGER_FORMAT " %12" JSON_INTEGER_FORMAT "  %-14s %s\n",
	       number_of(row, "pkts"), number_of(row, "bytes"), text_of(row, "reason"),
	       text_of(row, "text"));
	print_example(json_object_get(row, "example"));
}

int verb_drops(struct gwctl *g, int argc, char **argv)
{
	_cleanup_(reply_deinit) struct reply reply = { 0 };
	int r = gwctl_call(g, json_pack("{s:s}", "verb", "drops"), &reply);
	bool any = false;
	json_t *row;
	size_t i;

	if (r)
		return r;
	if (g->json)
		return print_json(reply.json);
	json_array_foreach(reply.json, i, row)
	{
		if (!number_of(row, "pkts"))
			continue;
		if (!any)
			printf("%s%10s %12s  %-14s %s%s\n", g->color ? "\033[1m" : "", "packets",
			       "bytes", "reason", "why", g->color ? "\033[0m" : "");
		any = true;
		print_row(row);
	}
	if (!any)
		puts("no packet was dropped");
	return EXIT_OK;
}

static json_int_t before_of(const json_t *before, const char *reason)
{
	json_t *row;
	size_t i;

	json_array_foreach(before, i, row) if (!strcmp(text_of(row, "reason"),
						       reason)) return number_of(row, "pkts");
	return 0;
}

static void print_moves(struct gwctl *g, const json_t *before, const json_t *now)
{
	time_t t = time(NULL);
	char when[16];
	json_t *row;
	size_t i;

	clock_text(t, when, sizeof(when));
	json_array_foreach(now, i, row)
	{
		const char *reason = text_of(row, "reason");
		json_int_t moved = number_of(row, "pkts") - before_of(before, reason);

		if (moved <= 0)
			continue;
		if (g->json)
			printf("{\"time\": %lld, \"reason\": \"%s\", \"pkts\": "
			       "%" JSON_INTEGER_FORMAT "}\n",
			       (long long)t, reason, moved);
		else
			printf("%s  %-14s +%" JSON_INTEGER_FORMAT "  %s\n", when, reason, moved,
			       text_of(row, "text"));
	}
	fflush(stdout);
}

static int watch_options(int *argc, char **argv, uint64_t *ret_interval, uint64_t *ret_count)
{
	const char *interval = "1", *count = "0";
	int r = take_value(argc, argv, "--interval", &interval);

	if (!r)
		r = take_value(argc, argv, "--count", &count);
	if (!r && *argc)
		r = usage_error("unknown option `%s'", argv[0]);
	if (!r && !str_to_u64(interval, 1, INTERVAL_MAX, ret_interval))
		r = usage_error("--interval is 1 to %d seconds, not `%s'", INTERVAL_MAX, interval);
	if (!r && !str_to_u64(count, 0, UINT32_MAX, ret_count))
		r = usage_error("--count is a number, not `%s'", count);
	return r;
}

int verb_drops_watch(struct gwctl *g, int argc, char **argv)
{
	uint64_t interval, count;
	json_t *before = NULL;
	int r = watch_options(&argc, argv, &interval, &count);

	for (uint64_t i = 0; !r && (!count || i <= count); i++) {
		_cleanup_(reply_deinit) struct reply reply = { 0 };

		if (i)
			sleep(interval);
		r = gwctl_call(g, json_pack("{s:s}", "verb", "drops"), &reply);
		if (r)
			break;
		if (i)
			print_moves(g, before, reply.json);
		json_decref(before);
		before = json_incref(reply.json);
	}
	json_decref(before);
	return r;
}
