/* SPDX-License-Identifier: GPL-2.0-only */
/* reject - `reject [with icmp|icmpv6|icmpx TYPE | with tcp reset]` */
#include <lang/parse.h>

#include <lang/build.h>
#include <lang/names.h>
#include <lang/suggest.h>

#include <netinet/in.h>

static int parse_reject_icmp(struct parser *p, struct rule *r)
{
	struct token family = p->tok;
	int e = parse_advance(p);
	struct suggest s;
	bool taken;

	if (!e)
		e = take_word(p, "type", &taken);
	if (e)
		return e;
	suggest_init(&s, p->tok.s, p->tok.len);
	for (size_t i = 0; i < ARRAY_SIZE(reject_rows); i++) {
		const struct reject_row *row = &reject_rows[i];

		if (!token_is(&family, row->family))
			continue;
		suggest_try(&s, row->type);
		if (!token_is(&p->tok, row->type))
			continue;
		r->action.reject = row->code;
		return parse_advance(p);
	}
	fail_expected(p, "a kind of ICMP error (port-unreachable, admin-prohibited, ...)");
	return p->tok.type == TOK_WORD ? suggest_hint(p, &s) : LANG_E_DIAG;
}

static bool rule_has_proto(const struct rule *r)
{
	for (size_t i = 0; i < r->n_matches; i++) {
		const struct match *m = &r->matches[i];

		for (unsigned int k = 0; k < MAX(m->n_fields, 1U); k++) {
			const struct field_row *row =
				&field_rows[m->n_fields > 1 ? m->more[k] : m->field];

			if (row->implies || row->type == FIELD_PROTO)
				return true;
		}
	}
	return false;
}

int rule_add_number(struct rule *r, enum field field, uint64_t v)
{
	struct match m = { .field = field,
			   .n_fields = 1,
			   .mask = UINT32_MAX,
			   .n = 1,
			   .after = (uint16_t)r->n_stmts };
	int e;

	m.elems = calloc(1, sizeof(*m.elems));
	if (!m.elems)
		return -ENOMEM;
	m.elems[0] = (struct elem){ .plen = -1, .num_lo = v, .num_hi = v };
	e = rule_add_match(r, &m);
	free(m.elems);
	return e;
}

/*
 * What a refusal (or an extension header) implies stands in front of the whole rule, as nft puts it: a counter on the way counts only what can be refused.
 */
static void match_to_front(struct rule *r)
{
	struct match last = r->matches[r->n_matches - 1];

	last.after = 0;
	memmove(r->matches + 1, r->matches, (r->n_matches - 1) * sizeof(last));
	r->matches[0] = last;
}

static int rule_begin_number(struct rule *r, enum field field, uint64_t v)
{
	int e = rule_add_number(r, field, v);

	if (!e)
		match_to_front(r);
	return e;
}

static int parse_reset(struct parser *p, struct rule *r)
{
	int e = parse_advance(p);

	if (e)
		return e;
	if (!token_is(&p->tok, "reset"))
		return fail_expected(p, "`reset`");
	r->action.reject = GW_REJECT_TCP_RESET;
	/* As nft: a reset alone makes the rule one for TCP. */
	if (!rule_has_proto(r))
		e = rule_begin_number(r, FIELD_ID_L4PROTO, IPPROTO_TCP);
	return e ? e : parse_advance(p);
}

static bool version_is_open(const struct parser *p, const struct rule *r, int version)
{
	return version && p->table->family == FAMILY_INET && !version_of_rule(p->table, r);
}

static unsigned int nfproto_of(int version)
{
	return version == 4 ? NFPROTO_4 : NFPROTO_6;
}

/* What changes a header of one version of IP is for packets of that version. */
int rule_pin_version(struct parser *p, struct rule *r, int version)
{
	if (!version_is_open(p, r, version))
		return 0;
	return rule_add_number(r, FIELD_ID_NFPROTO, nfproto_of(version));
}

/* A refusal of one version, and a question about extension headers: all of the rule, what stands in front of them too. */
int rule_begin_version(struct parser *p, struct rule *r, int version)
{
	if (!version_is_open(p, r, version))
		return 0;
	return rule_begin_number(r, FIELD_ID_NFPROTO, nfproto_of(version));
}

/* `reject` for one version of IP has the words of that version. */
static void settle_reject(struct parser *p, struct rule *r)
{
	struct action *a = &r->action;
	int version = version_of_rule(p->table, r);

	if (a->reject == GW_REJECT_TCP_RESET)
		return;
	if (p->table->family != FAMILY_INET) {
		a->reject_family = (uint8_t)version;
	} else if (version && a->reject == GW_REJECT_PORT) {
		a->reject_family = (uint8_t)version;
		a->reject_explicit = true;
	}
}

int parse_reject(struct parser *p, struct rule *r)
{
	static const struct {
		const char *word;
		uint8_t family;
	} families[] = { { "icmp", 4 }, { "icmpv6", 6 }, { "icmpx", 46 } };
	struct action *a = &r->action;
	struct token at;
	bool with;
	int e = take_word(p, "with", &with);

	a->verdict = VERDICT_REJECT;
	if (e)
		return e;
	at = p->tok;
	a->reject_explicit = with;
	if (with && token_is(&p->tok, "tcp"))
		return parse_reset(p, r);
	for (size_t i = 0; with && i < ARRAY_SIZE(families); i++) {
		if (token_is(&p->tok, families[i].word))
			a->reject_family = families[i].family;
	}
	if (with && !a->reject_family)
		return fail_expected(p, "`icmp`, `icmpv6`, `icmpx` or `tcp reset`");
	if (with)
		e = parse_reject_icmp(p, r);
	if (!e && (a->reject_family == 4 || a->reject_family == 6)) {
		if (!family_sees(p->table->family, a->reject_family))
			return fail_at(p, &at, "this is for IPv%d, the table is of family %s",
				       a->reject_family, family_name(p->table->family));
		e = rule_begin_version(p, r, a->reject_family);
	}
	if (!e)
		settle_reject(p, r);
	return e;
}
