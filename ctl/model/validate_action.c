/* SPDX-License-Identifier: GPL-2.0-only */
/* validate_action - verdicts that have a place: NAT and reject. */
#include <model/validate.h>

#include <netinet/in.h>

struct nat_row {
	enum verdict verdict;
	const char *word;
	unsigned int hooks;
	const char *where;
};
static const struct nat_row nat_rows[] = {
	{ VERDICT_MASQUERADE, "masquerade", HOOK_POST, "postrouting" },
	{ VERDICT_SNAT, "snat", HOOK_POST | HOOK_IN, "postrouting or input" },
	{ VERDICT_DNAT, "dnat", HOOK_PRE | HOOK_OUT, "prerouting or output" },
	{ VERDICT_REDIRECT, "redirect", HOOK_PRE | HOOK_OUT, "prerouting or output" },
};

static const struct nat_row *nat_row_of(enum verdict v)
{
	for (size_t i = 0; i < ARRAY_SIZE(nat_rows); i++) {
		if (nat_rows[i].verdict == v)
			return &nat_rows[i];
	}
	return NULL;
}

static bool nat_fits_chain(const struct chain *c, const struct nat_row *row, struct diag *d)
{
	if (!c->base)
		return true;
	if (c->type != CHAIN_NAT) {
		diag_set(d, "`%s` belongs in a chain of type nat, this one is of type %s",
			 row->word, chain_type_name(c->type));
		return false;
	}
	if (!chain_at(c, row->hooks)) {
		diag_set(d, "`%s` works at hook %s, this chain is at %s", row->word, row->where,
			 hook_name(c->hook_nf));
		return false;
	}
	return true;
}

static bool nat_fits_family(const struct action *a, const struct nat_row *row,
			    const struct facts *f, struct diag *d)
{
	bool takes_addr = a->verdict == VERDICT_SNAT || a->verdict == VERDICT_DNAT;
	bool addrs = a->has_addr || (a->map && a->nat_family);

	if (addrs && !takes_addr) {
		diag_set(d, "`%s` takes no address", row->word);
		return false;
	}
	if (takes_addr && !addrs && !a->has_port && !a->map) {
		diag_set(d, "`%s` needs an address or a port", row->word);
		return false;
	}
	if (addrs && !(a->nat_family == 4 ? f->v4 : f->v6)) {
		diag_set(d, "an IPv%d address can not replace the addresses of IPv%d packets",
			 a->nat_family, f->v4 ? 4 : 6);
		return false;
	}
	if (a->nat_prefix && a->has_port) {
		diag_set(d, "a prefix keeps the ports: it takes none");
		return false;
	}
	return true;
}

static bool nat_ranges_are_ordered(const struct action *a, struct diag *d)
{
	if (a->has_addr && memcmp(a->addr_lo, a->addr_hi, a->nat_family == 4 ? 4 : 16) > 0) {
		diag_set(d, "the address range ends before it begins");
		return false;
	}
	if (a->has_port && a->port_lo > a->port_hi) {
		diag_set(d, "the port range ends before it begins");
		return false;
	}
	return true;
}

/* Do values of the map that is written here hold ports? */
static bool map_has_ports(const struct action *a)
{
	if (!a->map || !a->map->elems)
		return false;
	for (size_t i = 0; i < a->map->elems->n; i++) {
		if (!a->nat_family || a->map->elems->data[i].val[1].num_hi)
			return true;
	}
	return false;
}

static bool nat_validate(const struct chain *c, const struct action *a, const struct facts *f,
			 struct diag *d)
{
	static const uint8_t with_ports[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE,
					      IPPROTO_SCTP, IPPROTO_DCCP };
	const struct nat_row *row = nat_row_of(a->verdict);

	if (!row)
		return true;
	if (!nat_fits_chain(c, row, d) || !nat_fits_family(a, row, f, d) ||
	    !nat_ranges_are_ordered(a, d))
		return false;
	if ((a->has_port || map_has_ports(a)) &&
	    !protos_within(f, with_ports, sizeof(with_ports))) {
		diag_set(d, "a port needs a match on a transport protocol before it");
		diag_hint(d, "say `tcp dport ...`, `udp dport ...` or `meta l4proto { tcp, udp }` "
			     "first");
		return false;
	}
	return true;
}

static bool reject_fits_chain(const struct chain *c, struct diag *d)
{
	if (c->base && (c->type != CHAIN_FILTER || !chain_at(c, HOOK_IN | HOOK_FWD | HOOK_OUT) ||
			chain_is_raw(c))) {
		diag_set(d, "`reject` works in filter chains at hook input, forward or output");
		diag_hint(d, "use `drop` here");
		return false;
	}
	return true;
}

static bool reject_validate(const struct chain *c, const struct action *a, const struct facts *f,
			    struct diag *d)
{
	static const uint8_t tcp[] = { IPPROTO_TCP };

	if (a->verdict != VERDICT_REJECT)
		return true;
	if (!reject_fits_chain(c, d))
		return false;
	if ((a->reject_family == 4 && !f->v4) || (a->reject_family == 6 && !f->v6)) {
		diag_set(d, "`reject with icmp%s` is for IPv%d, the rule is for IPv%d",
			 a->reject_family == 6 ? "v6" : "", a->reject_family, f->v4 ? 4 : 6);
		return false;
	}
	if (a->reject == GW_REJECT_TCP_RESET && !protos_within(f, tcp, 1)) {
		diag_set(d, "`reject with tcp reset` works for TCP only");
		diag_hint(d, "match `meta l4proto tcp` or a TCP port first");
		return false;
	}
	return true;
}

bool action_validate(const struct chain *c, const struct action *a, const struct facts *f,
		     struct diag *d)
{
	return nat_validate(c, a, f, d) && reject_validate(c, a, f, d);
}

bool action_fits(const struct chain *base, const struct action *a, struct diag *d)
{
	const struct nat_row *row = nat_row_of(a->verdict);

	if (row)
		return nat_fits_chain(base, row, d);
	return a->verdict != VERDICT_REJECT || reject_fits_chain(base, d);
}
