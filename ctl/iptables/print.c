/* SPDX-License-Identifier: GPL-2.0-only */
#include <iptables/ext.h>
#include <iptables/names.h>

#include <arpa/inet.h>

static const char *addr_text(const struct xt_addr *a, int version, char buf[INET6_ADDRSTRLEN])
{
	const char *s =
		inet_ntop(version == 6 ? AF_INET6 : AF_INET, a->addr, buf, INET6_ADDRSTRLEN);

	return s ? s : "";
}

static void save_addr(const char *option, const struct xt_addr *a, int version, struct strbuf *b)
{
	char text[INET6_ADDRSTRLEN];

	if (a->given && a->plen)
		strbuf_printf(b, "%s %s %s/%u", a->invert ? " !" : "", option,
			      addr_text(a, version, text), a->plen);
}

static void save_if(const char *option, const char *name, bool invert, struct strbuf *b)
{
	if (*name)
		strbuf_printf(b, "%s %s %s", invert ? " !" : "", option, name);
}

void xt_save(const struct xt_rule *x, bool counters, struct strbuf *b)
{
	const struct target_row *target = target_row(x->target.kind);
	char number[8];

	save_addr("-s", &x->src, x->version, b);
	save_addr("-d", &x->dst, x->version, b);
	save_if("-i", x->iif, x->iif_invert, b);
	save_if("-o", x->oif, x->oif_invert, b);
	if (x->proto)
		strbuf_printf(b, "%s -p %s", x->proto_invert ? " !" : "",
			      proto_to_name(x->proto, number));
	if (x->frag)
		strbuf_puts(b, x->frag_invert ? " ! -f" : " -f");
	for (size_t i = 0; i < x->n_matches; i++) {
		const struct match_row *row = match_row(x->matches[i].kind);

		strbuf_printf(b, " -m %s", row->name);
		row->save(&x->matches[i], x, b);
	}
	if (counters)
		strbuf_printf(b, " -c %llu %llu", (unsigned long long)x->pkts,
			      (unsigned long long)x->bytes);
	if (x->target.kind != XT_NO_TARGET)
		strbuf_printf(b, " -%c %s", x->target.go_to ? 'g' : 'j', target_name(&x->target));
	target->save(&x->target, x->version, b);
}

void xt_print_count(uint64_t n, const struct xt_list_format *f, bool column, struct strbuf *b)
{
	static const char units[] = "KMGT";
	const char *unit = units;

	if (f->exact) {
		strbuf_printf(b, column ? "%8llu " : "%llu ", (unsigned long long)n);
		return;
	}
	if (n <= 99999) {
		strbuf_printf(b, column ? "%5llu " : "%llu ", (unsigned long long)n);
		return;
	}
	n = (n + 500) / 1000;
	while (n > 9999 && unit[1]) {
		n = (n + 500) / 1000;
		unit++;
	}
	strbuf_printf(b, column ? "%4llu%c " : "%llu%c ", (unsigned long long)n, *unit);
}

void xt_list_header(const struct xt_list_format *f, struct strbuf *b)
{
	if (f->line_numbers)
		strbuf_printf(b, "%-4s ", "num");
	if (f->verbose)
		strbuf_printf(b, f->exact ? "%8s %10s " : "%5s %5s ", "pkts", "bytes");
	strbuf_printf(b, "%-9s  %-4s opt ", "target", "prot");
	if (f->verbose)
		strbuf_printf(b, "%-6s %-6s  ", "in", "out");
	strbuf_printf(b, "%-19s  %-19s \n", "source", "destination");
}

static void addr_shown(const struct xt_addr *a, int version, bool numeric, char *ret, size_t size)
{
	char text[INET6_ADDRSTRLEN];
	unsigned int whole = version == 6 ? 128 : 32;

	if (!a->given || !a->plen)
		snprintf(ret, size, "%s",
			 !numeric	? "anywhere"
			 : version == 6 ? "::/0"
					: "0.0.0.0/0");
	else if (a->plen == whole)
		snprintf(ret, size, "%s", addr_text(a, version, text));
	else
		snprintf(ret, size, "%s/%u", addr_text(a, version, text), a->plen);
}

static void list_addr(const struct xt_addr *a, int version, bool numeric, struct strbuf *b)
{
	char text[INET6_ADDRSTRLEN + 8];

	addr_shown(a, version, numeric, text, sizeof(text));
	strbuf_printf(b, "%c%-19s ", a->invert ? '!' : ' ', text);
}

static void list_if(const char *name, bool invert, bool numeric, struct strbuf *b)
{
	const char *any = numeric ? "*" : "any";
	char text[24];

	snprintf(text, sizeof(text), "%s%s", invert ? "!" : "", *name ? name : any);
	strbuf_printf(b, "%-6s ", text);
}

static void list_proto(const struct xt_rule *x, bool numeric, struct strbuf *b)
{
	char number[8];
	const char *text = number;

	if (numeric)
		snprintf(number, sizeof(number), "%u", x->proto);
	else
		text = x->proto ? proto_to_name(x->proto, number) : "all";
	strbuf_printf(b, "%c%-4s ", x->proto_invert ? '!' : ' ', text);
}

static void list_exts(const struct xt_rule *x, bool numeric, struct strbuf *b)
{
	if (x->target.go_to)
		strbuf_puts(b, "[goto] ");
	for (size_t i = 0; i < x->n_matches; i++)
		match_row(x->matches[i].kind)->list(&x->matches[i], x, numeric, b);
	target_row(x->target.kind)->list(&x->target, x->version, numeric, b);
	strbuf_puts(b, "\n");
}

static const char *frag_shown(const struct xt_rule *x)
{
	return !x->frag ? "--" : x->frag_invert ? "!f" : "-f";
}

void xt_list(const struct xt_rule *x, const struct xt_list_format *f, size_t number,
	     struct strbuf *b)
{
	if (f->line_numbers)
		strbuf_printf(b, "%-4zu ", number);
	if (f->verbose) {
		xt_print_count(x->pkts, f, true, b);
		xt_print_count(x->bytes, f, true, b);
	}
	strbuf_printf(b, "%-9s ", target_shown(&x->target));
	list_proto(x, f->numeric, b);
	strbuf_printf(b, "%s ", frag_shown(x));
	if (f->verbose) {
		strbuf_puts(b, " ");
		list_if(x->iif, x->iif_invert, f->numeric, b);
		list_if(x->oif, x->oif_invert, f->numeric, b);
	}
	list_addr(&x->src, x->version, f->numeric, b);
	list_addr(&x->dst, x->version, f->numeric, b);
	list_exts(x, f->numeric, b);
}

void xt_list_line(const struct xt_rule *x, struct strbuf *b)
{
	char src[INET6_ADDRSTRLEN + 8], dst[INET6_ADDRSTRLEN + 8], number[8];

	addr_shown(&x->src, x->version, true, src, sizeof(src));
	addr_shown(&x->dst, x->version, true, dst, sizeof(dst));
	strbuf_printf(b, "%s %c%s opt %s in %s%s out %s%s %c%s %c-> %s  ", target_shown(&x->target),
		      x->proto_invert ? '!' : ' ',
		      x->proto ? proto_to_name(x->proto, number) : "all", frag_shown(x),
		      x->iif_invert ? "!" : "", *x->iif ? x->iif : "*", x->oif_invert ? "!" : "",
		      *x->oif ? x->oif : "*", x->src.invert ? '!' : ' ', src,
		      x->dst.invert ? '!' : ' ', dst);
	list_exts(x, true, b);
}
