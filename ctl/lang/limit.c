/* SPDX-License-Identifier: GPL-2.0-only */
/* limit - rates, amounts of bytes, numbers of connections. */
#include <lang/print.h>

#include <lang/names.h>
#include <lang/parse.h>

static int byte_scale(const struct token *t)
{
	for (int i = 0; i < (int)ARRAY_SIZE(byte_unit_names); i++) {
		if (token_is(t, byte_unit_names[i]))
			return i;
	}
	return -1;
}

/* The unit of N bytes, which stands behind it. */
static int parse_byte_unit(struct parser *p, uint64_t *n)
{
	int scale = byte_scale(&p->tok);

	if (scale < 0)
		return fail_expected(p, "`bytes`, `kbytes` or `mbytes`");
	*n <<= 10 * scale;
	return parse_advance(p);
}

static int parse_time_unit(struct parser *p, uint32_t *ret)
{
	int r = expect_punct(p, "/");

	if (r)
		return r;
	if (p->tok.type == TOK_WORD && name_to_value(time_unit_names, p->tok.s, p->tok.len, ret))
		return parse_advance(p);
	return fail_expected(p, "`second`, `minute`, `hour`, `day` or `week`");
}

static int parse_burst(struct parser *p, struct limit *l)
{
	struct token at = p->tok;
	int r = parse_u64(p, "a burst", 0, UINT32_MAX, &l->burst);

	if (r)
		return r;
	if (l->bytes) {
		r = parse_byte_unit(p, &l->burst);
	} else if (token_is(&p->tok, "packets")) {
		r = parse_advance(p);
	} else {
		return fail_expected(p, "`packets`");
	}
	if (!r && !l->bytes && !l->burst)
		return fail_at(p, &at, "a burst of packets is at least 1");
	return r;
}

int parse_limit_rate(struct parser *p, struct limit *ret)
{
	struct limit l = { 0 };
	bool taken;
	int r;

	if (!token_is(&p->tok, "rate"))
		return fail_expected(p, "`rate` or `name`");
	r = parse_advance(p);
	if (!r)
		r = take_word(p, "over", &l.over);
	if (!r && !l.over)
		r = take_word(p, "until", &taken);
	if (!r)
		r = parse_u64(p, "a rate", 1, UINT32_MAX, &l.rate);
	if (!r && byte_scale(&p->tok) >= 0) {
		l.bytes = true;
		r = parse_byte_unit(p, &l.rate);
		l.scale = byte_unit_of(l.rate);
	}
	if (!r)
		r = parse_time_unit(p, &l.unit_s);
	if (!r)
		r = take_word(p, "burst", &taken);
	if (!r && taken)
		r = parse_burst(p, &l);
	if (r)
		return r;
	/* 5 packets are what a rate has without being told */
	if (!l.bytes && l.burst == 5)
		l.burst = 0;
	*ret = l;
	return 0;
}

int parse_quota_value(struct parser *p, uint64_t *ret_bytes, bool *ret_over, uint64_t *ret_used)
{
	bool taken;
	int r = take_word(p, "over", ret_over);

	*ret_used = 0;
	if (!r && !*ret_over)
		r = take_word(p, "until", &taken);
	if (!r)
		r = parse_u64(p, "a number of bytes", 0, UINT64_MAX >> 20, ret_bytes);
	if (!r)
		r = parse_byte_unit(p, ret_bytes);
	if (!r)
		r = take_word(p, "used", &taken);
	if (r || !taken)
		return r;
	r = parse_u64(p, "a number of bytes", 0, UINT64_MAX >> 20, ret_used);
	return r ? r : parse_byte_unit(p, ret_used);
}

void print_bytes(uint64_t bytes, struct strbuf *b)
{
	uint8_t scale = byte_unit_of(bytes);

	strbuf_printf(b, "%llu %s", (unsigned long long)(bytes >> 10 * scale),
		      byte_unit_names[scale]);
}

void print_limit_rate(const struct limit *l, struct strbuf *b)
{
	strbuf_puts(b, l->over ? "rate over " : "rate ");
	if (l->bytes)
		print_bytes(l->rate, b);
	else
		strbuf_printf(b, "%llu", (unsigned long long)l->rate);
	strbuf_printf(b, "/%s", value_to_name(time_unit_names, l->unit_s));
	if (!l->burst)
		return;
	strbuf_puts(b, " burst ");
	if (l->bytes)
		print_bytes(l->burst, b);
	else
		strbuf_printf(b, "%llu packets", (unsigned long long)l->burst);
}
