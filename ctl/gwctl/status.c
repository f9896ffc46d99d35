/* SPDX-License-Identifier: GPL-2.0-only */
/* One screen: what runs here, and how it is doing. */
#include <gwctl/gwctl.h>

static const char *text_of(const json_t *obj, const char *key)
{
	const char *text = json_string_value(json_object_get(obj, key));

	return text ? text : "?";
}

static json_int_t number_of(const json_t *obj, const char *key)
{
	return json_integer_value(json_object_get(obj, key));
}

static void label(const struct gwctl *g, const char *name)
{
	printf("%s%-11s%s ", g->color ? "\033[1m" : "", name, g->color ? "\033[0m" : "");
}

static void print_uptime(json_int_t s)
{
	if (s >= 86400)
		printf("%" JSON_INTEGER_FORMAT "d ", s / 86400);
	if (s >= 3600)
		printf("%" JSON_INTEGER_FORMAT "h ", s / 3600 % 24);
	if (s >= 60)
		printf("%" JSON_INTEGER_FORMAT "m ", s / 60 % 60);
	printf("%" JSON_INTEGER_FORMAT "s", s % 60);
}

/* Features come as names, or as names with true/false or text. */
static void print_features(json_t *features)
{
	const char *key;
	json_t *value;
	size_t i;

	json_array_foreach(features, i, value) if (json_is_string(value))
		printf(" %s", json_string_value(value));
	json_object_foreach(features, key, value)
	{
		if (json_is_string(value))
			printf(" %s=%s", key, json_string_value(value));
		else if (json_is_integer(value))
			printf(" %s=%" JSON_INTEGER_FORMAT, key, json_integer_value(value));
		else
			printf(" %s%s", json_is_true(value) ? "" : "no-", key);
	}
}

static void print_addresses(const char *key, const json_t *iface)
{
	json_t *value = json_object_get(iface, key), *one;
	size_t i;

	if (json_is_string(value) && *json_string_value(value))
		printf("  masquerade %s", json_string_value(value));
	json_array_foreach(value, i, one) if (json_is_string(one))
		printf("  masquerade %s", json_string_value(one));
}

static void print_interfaces(const struct gwctl *g, const json_t *list)
{
	json_t *iface;
	size_t i;

	label(g, "interfaces");
	if (!json_array_size(list))
		printf("none; set them with --interface or `interfaces' in gwd.conf");
	putchar('\n');
	json_array_foreach(list, i, iface)
	{
		bool managed = !json_is_false(json_object_get(iface, "managed"));

		printf("  %-15s %4" JSON_INTEGER_FORMAT "  %s", text_of(iface, "name"),
		       number_of(iface, "ifindex"), managed ? "managed" : "not managed");
		if (json_is_false(json_object_get(iface, "attached")))
			printf(", not attached");
		if (json_is_true(json_object_get(iface, "overtaken")))
			printf(", another program runs before ours");
		print_addresses("masquerade4", iface);
		print_addresses("masquerade6", iface);
		putchar('\n');
	}
}

/* Settings that differ from the default, as an object or as rows of `get`. */
static void print_settings(const struct gwctl *g, json_t *settings)
{
	const char *key;
	json_t *value;
	size_t i;

	if (!json_object_size(settings) && !json_array_size(settings))
		return;
	label(g, "settings");
	puts("changed from the default:");
	json_object_foreach(settings, key, value)
	{
		_cleanup_(freep) char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

		printf("  %s = %s\n", key, json_is_string(value) ? json_string_value(value) : text);
	}
	json_array_foreach(settings, i, value)
	{
		json_t *v = json_object_get(value, "value");
		_cleanup_(freep) char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);

		printf("  %s = %s\n", text_of(value, "key"),
		       json_is_string(v) ? json_string_value(v) : text);
	}
}

static void print_status(const struct gwctl *g, const json_t *s)
{
	json_t *flows = json_object_get(s, "flows"), *drops = json_object_get(s, "drops");

	label(g, "gwd");
	printf("%s, pid %" JSON_INTEGER_FORMAT ", up ", text_of(s, "version"), number_of(s, "pid"));
	print_uptime(number_of(s, "uptime_s"));
	puts(json_is_false(json_object_get(s, "ready")) ? ", NOT READY" : "");
	label(g, "kernel");
	fputs(text_of(s, "kernel"), stdout);
	print_features(json_object_get(s, "features"));
	putchar('\n');
	label(g, "ruleset");
	printf("generation %" JSON_INTEGER_FORMAT ", ", number_of(s, "generation"));
	if (json_is_false(json_object_get(s, "rules_known")))
		puts("in force, but its text is lost: `gwctl reload' replaces it");
	else
		printf("%" JSON_INTEGER_FORMAT " rules\n", number_of(s, "rules"));
	label(g, "connections");
	printf("%" JSON_INTEGER_FORMAT " assured, %" JSON_INTEGER_FORMAT
	       " embryonic, room for %" JSON_INTEGER_FORMAT "\n",
	       number_of(flows, "assured"), number_of(flows, "embryonic"), number_of(flows, "max"));
	if (number_of(flows, "pressure"))
		printf("%-11s nearly full: idle connections end %" JSON_INTEGER_FORMAT
		       " times sooner\n",
		       "", (json_int_t)1 << (number_of(flows, "pressure") & 31));
	label(g, "drops");
	printf("%" JSON_INTEGER_FORMAT " packets%s\n",
	       json_is_object(drops) ? number_of(drops, "total") : json_integer_value(drops),
	       json_integer_value(drops) ? "; see `gwctl drops'" : "");
	label(g, "events");
	printf("%" JSON_INTEGER_FORMAT " lost\n", number_of(s, "events_lost"));
	print_interfaces(g, json_object_get(s, "interfaces"));
	print_settings(g, json_object_get(s, "settings"));
}

int verb_status(struct gwctl *g, int argc, char **argv)
{
	_cleanup_(reply_deinit) struct reply reply = { 0 };
	int r = gwctl_call(g, json_pack("{s:s}", "verb", "status"), &reply);

	if (r)
		return r;
	if (g->json)
		return print_json(reply.json);
	print_status(g, reply.json);
	return EXIT_OK;
}
