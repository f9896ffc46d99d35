/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iptables -A, -I, -C and -D of one rule: gwd is told that rule and nothing else, so that it takes no longer with more rules.  Whatever is
 * not exactly that, and every mistake, is left to the long way (iptables.c).
 */
#include <ctype.h>
#include <gwctl/gwctl.h>
#include <iptables/iptables.h>
#include <lang/lang.h>

/* A call whose refusal is not told: the long way will find out why. */
static int call_quietly(struct gwctl *g, json_t *request, struct reply *ret)
{
	int r = request ? gwctl_connect(g) : refuse("out of memory");

	if (!r) {
		r = client_call(g->client, request, NULL, ret);
		if (r < 0) /* perhaps it was done: not once more */
			r = refuse("talking to gwd at %s: %s", g->socket, strerror(-r));
		else if (ret->error || ret->code)
			r = SINGLE_OTHER;
	}
	json_decref(request);
	return r;
}

struct place {
	bool chain, base, plain;
	json_int_t gen, handle;
};

static int ask_place(struct gwctl *g, const struct iptables_single *s, struct place *ret)
{
	_cleanup_(reply_deinit) struct reply reply = { 0 };
	json_t *request = json_pack("{s:s, s:s, s:s, s:s}", "verb", "find-rule", "family",
				    family_name(s->table->family), "table", s->table->name, "chain",
				    s->chain->name);
	int r;

	if (s->number)
		json_object_set_new(request, "number", json_integer(s->number));
	else if (s->key == 'C' || s->key == 'D')
		json_object_set_new(request, "xt", json_string(s->text.len ? s->text.s + 1 : ""));
	r = call_quietly(g, request, &reply);
	if (r)
		return r;
	*ret = (struct place){
		.chain = json_is_true(json_object_get(reply.json, "chain")),
		.base = json_is_true(json_object_get(reply.json, "base")),
		.plain = json_is_true(json_object_get(reply.json, "plain")),
		.gen = json_integer_value(json_object_get(reply.json, "gen")),
		.handle = json_integer_value(json_object_get(reply.json, "handle")),
	};
	/* iptables does not see base chains that are not its own */
	return ret->chain && (!ret->base || s->builtin) ? EXIT_OK : SINGLE_OTHER;
}

static int change(struct gwctl *g, const char *command, const struct place *p)
{
	_cleanup_(reply_deinit) struct reply reply = { 0 };
	json_t *request = apply_request("", command, strlen(command));

	if (request && p)
		json_object_set_new(request, "base", json_integer(p->gen));
	return request ? call_quietly(g, request, &reply) : SINGLE_OTHER;
}

static bool name_is_plain(const char *s)
{
	size_t n = strlen(s);

	return isalpha((unsigned char)*s) &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == n;
}

static int add(struct gwctl *g, const struct iptables_single *s)
{
	_cleanup_(strbuf_deinit) struct strbuf b = { 0 };
	struct place p;
	int r;

	strbuf_printf(&b, "%s rule %s %s %s ", s->key == 'A' ? "add" : "insert",
		      family_name(s->table->family), s->table->name, s->chain->name);
	lang_print_rule(s->rule, LANG_INTERNAL, &b);
	if (b.failed)
		return SINGLE_OTHER;
	if (s->builtin)
		return change(g, b.s, NULL);
	r = ask_place(g, s, &p);
	return r ? r : change(g, b.s, &p);
}

/* -C, -D */
static int find(struct gwctl *g, const struct iptables_single *s)
{
	_cleanup_(strbuf_deinit) struct strbuf b = { 0 };
	struct place p;
	int r = ask_place(g, s, &p);

	if (r || !p.plain)
		return r ? r : SINGLE_OTHER;
	if (!p.handle)
		return s->number ? SINGLE_OTHER : SINGLE_NONE;
	if (s->key == 'C')
		return EXIT_OK;
	strbuf_printf(&b, "delete rule %s %s %s handle %lld", family_name(s->table->family),
		      s->table->name, s->chain->name, (long long)p.handle);
	return b.failed ? SINGLE_OTHER : change(g, b.s, &p);
}

int iptables_run_single(struct gwctl *g, int version, int argc, char **argv, struct strbuf *out,
			struct ruleset **ret_empty)
{
	_cleanup_(iptables_single_deinit) struct iptables_single s = { 0 };
	int r;

	if (!iptables_single(&s, version, argc, argv, out) || !name_is_plain(s.chain->name))
		return SINGLE_OTHER;
	r = s.rule ? add(g, &s) : find(g, &s);
	if (r == SINGLE_NONE)
		*ret_empty = TAKE_PTR(s.rs);
	return r;
}
