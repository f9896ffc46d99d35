/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/parse.h>

#include <lang/names.h>

#include <netinet/in.h>

static int parse_reject_icmp(struct parser *p, struct rule *r, int *version)
{
	struct token family = p->tok;
	int e = parse_advance(p);
	bool taken;

	if (!e)
		e = take_word(p, "type", &taken);
	if (e)
		return e;
	for (size_t i = 0; i < ARRAY_SIZE(reject_rows); i++) {
		if (!token_is(&family, reject_rows[i].family) ||
		    !token_is(&p->tok, reject_rows[i].type))
			continue;
		r->action.reject = reject_rows[i].code;
		if (token_is(&family, "icmp"))
			*version = 4;
		else if (token_is(&family, "icmpv6"))
			*version = 6;
		return parse_advance(p);
	}
	if (token_is(&p->tok, "host-prohibited") || token_is(&p->tok, "net-prohibited") ||
	    token_is(&p->tok, "prot-unreachable") || token_is(&p->tok, "policy-fail") ||
	    token_is(&p->tok, "reject-route")) {
		fail_unsupported(p, &p->tok, "reject with");
		return fail_hint(p, "`admin-prohibited` is the nearest that is");
	}
	return fail_expected(p, "a kind of ICMP error (port-unreachable, admin-prohibited, ...)");
}

static bool rule_has_proto(const struct rule *r)
{
	for (size_t i = 0; i < r->n_matches; i++) {
		const struct field_row *row = &field_rows[r->matches[i].field];

		if (row->implies || row->type == FIELD_PROTO)
			return true;
	}
	return false;
}

/* As nft: a reset alone makes the rule one for TCP. */
static int add_tcp_match(struct rule *r)
{
	struct match m = { .field = FIELD_ID_L4PROTO, .mask = UINT32_MAX };
	int e;

	m.elems = calloc(1, sizeof(*m.elems));
	if (!m.elems)
		return -ENOMEM;
	m.n = 1;
	m.elems[0] = (struct elem){ .plen = -1, .num_lo = IPPROTO_TCP, .num_hi = IPPROTO_TCP };
	e = rule_add_match(r, &m);
	free(m.elems);
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
	if (!rule_has_proto(r))
		e = add_tcp_match(r);
	return e ? e : parse_advance(p);
}

static int parse_reject(struct parser *p, struct rule *r, int *version)
{
	bool with;
	int e = take_word(p, "with", &with);

	if (e || !with)
		return e;
	r->action.reject_explicit = true;
	if (token_is(&p->tok, "tcp"))
		return parse_reset(p, r);
	if (token_is(&p->tok, "icmp") || token_is(&p->tok, "icmpv6") || token_is(&p->tok, "icmpx"))
		return parse_reject_icmp(p, r, version);
	return fail_expected(p, "`icmp`, `icmpv6`, `icmpx` or `tcp reset`");
}

static int parse_counter(struct parser *p, struct rule *r)
{
	bool taken;
	int e;

	if (rule_has_stmt(r, STMT_COUNTER))
		return fail_at(p, &p->tok, "a rule has one counter");
	e = rule_add_word(r, STMT_COUNTER);
	if (e < 0)
		return e;
	if (token_is(&p->tok, "name") || p->tok.type == TOK_STRING)
		return fail_at(p, &p->tok, "named counters are not supported yet");
	e = take_word(p, "packets", &taken);
	if (e || !taken)
		return e;
	r->counter_given = true;
	e = parse_u64(p, "a number of packets", 0, UINT64_MAX, &r->pkts);
	if (e)
		return e;
	if (!token_is(&p->tok, "bytes"))
		return fail_expected(p, "`bytes`");
	e = parse_advance(p);
	return e ? e : parse_u64(p, "a number of bytes", 0, UINT64_MAX, &r->bytes);
}

enum word_kind { WORD_VERDICT, WORD_NAT, WORD_COUNTER, WORD_NOTRACK };
static const struct stmt_row {
	const char *word;
	enum word_kind kind;
	enum verdict verdict;
} stmt_rows[] = {
	{ "accept", WORD_VERDICT, VERDICT_ACCEPT }, { "drop", WORD_VERDICT, VERDICT_DROP },
	{ "reject", WORD_VERDICT, VERDICT_REJECT }, { "masquerade", WORD_NAT, VERDICT_MASQUERADE },
	{ "snat", WORD_NAT, VERDICT_SNAT },	    { "dnat", WORD_NAT, VERDICT_DNAT },
	{ "redirect", WORD_NAT, VERDICT_REDIRECT }, { "counter", WORD_COUNTER, VERDICT_NONE },
	{ "notrack", WORD_NOTRACK, VERDICT_NONE },
};

int parse_stmt(struct parser *p, enum family f, struct rule *r, int *version, bool *ret_done)
{
	const struct stmt_row *row = NULL;
	int e;

	for (size_t i = 0; i < ARRAY_SIZE(stmt_rows) && !row; i++) {
		if (token_is(&p->tok, stmt_rows[i].word))
			row = &stmt_rows[i];
	}
	*ret_done = row;
	if (!row)
		return 0;
	e = parse_advance(p);
	if (e)
		return e;
	if (row->kind == WORD_COUNTER)
		return parse_counter(p, r);
	if (row->kind == WORD_NOTRACK) {
		return rule_add_word(r, STMT_NOTRACK);
	}
	r->action.verdict = row->verdict;
	if (row->kind == WORD_NAT)
		return parse_nat(p, f, r, row->verdict);
	return row->verdict == VERDICT_REJECT ? parse_reject(p, r, version) : 0;
}

int parse_rule_internal(struct parser *p, struct rule *r)
{
	uint64_t cid = 0;
	int e = parse_advance(p);

	p->saw_internal = true;
	while (!e && !at_separator(p)) {
		struct token word = p->tok;

		e = parse_advance(p);
		if (e)
			break;
		if (token_is(&word, "handle"))
			e = parse_u64(p, "a handle", 1, HANDLE_MAX, &r->handle);
		else if (token_is(&word, "cid"))
			e = parse_u64(p, "a counter id", 0, GW_COUNTERS_MAX - 1, &cid);
		else if (token_is(&word, "packets"))
			e = parse_u64(p, "a number of packets", 0, UINT64_MAX, &r->pkts);
		else if (token_is(&word, "bytes"))
			e = parse_u64(p, "a number of bytes", 0, UINT64_MAX, &r->bytes);
		else if (token_is(&word, "given"))
			r->counter_given = true;
		else if (token_is(&word, "xt"))
			e = parse_string(p, "a rule in iptables' words", XTSPEC_MAX, &r->xtspec);
		else
			return fail_at(
				p, &word,
				"`handle`, `cid`, `packets`, `bytes`, `given` or `xt` expected");
	}
	r->cid = (uint32_t)cid;
	return e;
}
