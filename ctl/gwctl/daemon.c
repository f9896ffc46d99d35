/* SPDX-License-Identifier: GPL-2.0-only */
/* The daemon itself: settings, counters, reload, off, wait. */
#include <time.h>
#include <gwctl/gwctl.h>

#define WAIT_DEFAULT_S 30
#define WAIT_STEP_NS   50000000

static void print_value(const json_t *value)
{
	_cleanup_(freep) char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

	if (json_is_string(value))
		fputs(json_string_value(value), stdout);
	else if (text && !json_is_null(value))
		fputs(text, stdout);
}

static const char *text_of(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));

	return text ? text : "";
}

/* "key = value", as in gwd.conf, and the rest as a comment */
static void print_setting(const json_t *row)
{
	const char *unit = text_of(row, "unit"), *def = text_of(row, "default");
	bool live = json_is_true(json_object_get(row, "live"));

	printf("%s = ", text_of(row, "key"));
	print_value(json_object_get(row, "value"));
	printf("\t# %s%sdefault %s%s; %s\n", unit, *unit ? ", " : "", *def ? def : "empty",
	       live ? "" : ", needs a restart", text_of(row, "help"));
}

int verb_get(struct gwctl *g, int argc, char **argv)
{
	_cleanup_(reply_deinit) struct reply reply = { 0 };
	json_t *request = json_pack("{s:s}", "verb", "get"), *row;
	size_t i;
	int r;

	if (argc)
		json_object_set_new(request, "key", json_string(argv[0]));
	r = gwctl_call(g, request, &reply);
	if (r)
		return r;
	if (g->json)
		return print_json(reply.json);
	/* one key: its value alone, for scripts */
	if (argc && json_array_size(reply.json) == 1) {
		print_value(json_object_get(json_array_get(reply.json, 0), "value"));
		putchar('\n');
		return EXIT_OK;
	}
	json_array_foreach(reply.json, i, row) print_setting(row);
	return EXIT_OK;
}

/* A request whose answer is only of interest as JSON. */
static int command(struct gwctl *g, json_t *request)
{
	_cleanup_(reply_deinit) struct reply reply = { 0 };
	int r = gwctl_call(g, request, &reply);

	if (!r && g->json && reply.json)
		return print_json(reply.json);
	return r;
}

int verb_set(struct gwctl *g, int argc, char **argv)
{
	json_t *request =
		json_pack("{s:s, s:s, s:s}", "verb", "set", "key", argv[0], "value", argv[1]);

	return request ? command(g, request) : usage_error("key and value must be UTF-8");
}

int verb_zero(struct gwctl *g, int argc, char **argv)
{
	json_t *request = json_pack("{s:s}", "verb", "zero");
	const char *family;
	uint64_t handle;
	int used;

	family = words_family(argc, argv, &used);
	argc -= used;
	argv += used;
	if (argc > 2 && !str_to_u64(argv[2], 1, INT64_MAX, &handle)) {
		json_decref(request);
		return usage_error("`%s' is no handle; `gwctl rule list' shows handles", argv[2]);
	}
	if (argc || used)
		json_object_set_new(request, "family", json_string(family));
	if (argc > 0)
		json_object_set_new(request, "table", json_string(argv[0]));
	if (argc > 1)
		json_object_set_new(request, "chain", json_string(argv[1]));
	if (argc > 2)
		json_object_set_new(request, "handle", json_integer(handle));
	return command(g, request);
}

/* Each name once, in gwd's order: the sum, and behind it the CPUs. */
static void print_stat(json_t *cpus, const char *name)
{
	json_int_t sum = 0;
	json_t *cpu;
	size_t i;

	json_array_foreach(cpus, i, cpu) sum += json_integer_value(json_object_get(cpu, name));
	printf("%-14s %12" JSON_INTEGER_FORMAT " ", name, sum);
	json_array_foreach(cpus, i, cpu)
		printf(" %" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(cpu, name)));
	putchar('\n');
}

int verb_stats(struct gwctl *g, int argc, char **argv)
{
	_cleanup_(reply_deinit) struct reply reply = { 0 };
	int r = gwctl_call(g, json_pack("{s:s}", "verb", "stats"), &reply);
	const char *name;
	json_t *value;

	if (r)
		return r;
	if (g->json)
		return print_json(reply.json);
	json_object_foreach(json_array_get(reply.json, 0), name, value) if (strcmp(name, "cpu"))
		print_stat(reply.json, name);
	return EXIT_OK;
}

int verb_off(struct gwctl *g, int argc, char **argv)
{
	return command(g, json_pack("{s:s}", "verb", "off"));
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* 1 = ready; 0 = not yet, *ret_error says why if it is known */
static int is_ready(struct gwctl *g, int *ret_error)
{
	_cleanup_(reply_deinit) struct reply reply = { 0 };
	json_t *request = json_pack("{s:s}", "verb", "ping");
	int r = client_open(g->socket, &g->client);

	if (!r)
		r = client_call(g->client, request, NULL, &reply);
	json_decref(request);
	g->client = client_close(g->client);
	*ret_error = r;
	return !r && json_is_true(json_object_get(reply.json, "ready"));
}

int verb_wait(struct gwctl *g, int argc, char **argv)
{
	const struct timespec step = { .tv_nsec = WAIT_STEP_NS };
	uint64_t timeout_s = WAIT_DEFAULT_S, start = now_ns();
	const char *text = NULL;
	int error, r = take_value(&argc, argv, "--timeout", &text);

	if (!r && argc)
		r = usage_error("usage: gwctl wait [--timeout S]");
	if (!r && text && !str_to_u64(text, 0, 86400, &timeout_s))
		r = usage_error("--timeout is a number of seconds up to 86400, not `%s'", text);
	while (!r) {
		if (is_ready(g, &error))
			return EXIT_OK;
		if (error == -EACCES)
			return gwctl_connect(g); /* waiting will not help: say so */
		if (now_ns() - start >= timeout_s * 1000000000ULL)
			break;
		nanosleep(&step, NULL);
	}
	if (r)
		return r;
	if (error)
		return refuse("gwd at %s is not there after %llu s: %s", g->socket,
			      (unsigned long long)timeout_s, strerror(-error));
	return refuse("gwd at %s is not ready after %llu s; see `gwctl status'", g->socket,
		      (unsigned long long)timeout_s);
}
