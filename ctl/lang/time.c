/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/time.h>

#include <lang/print.h>

#include <time.h>

#define DAY_S 86400

/* How far local time is ahead of UTC now. */
static int64_t utc_offset(void)
{
	time_t now = time(NULL);
	struct tm tm;

	return localtime_r(&now, &tm) ? tm.tm_gmtoff : 0;
}

static uint64_t to_utc(uint64_t local)
{
	return (uint64_t)(((int64_t)local - utc_offset() + 2 * DAY_S) % DAY_S);
}

static int fail_hour(struct parser *p, const struct token *at)
{
	fail_at(p, at, "an hour expected");
	return fail_hint(p, "for example \"17:30\", from \"00:00\" to \"23:59:59\"");
}

/* HH:MM[:SS]; false: it is not. */
static bool text_to_hour(const char *s, size_t len, uint64_t *ret)
{
	unsigned int h, m, sec = 0;
	char text[16], end;
	int n;

	if (len >= sizeof(text))
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	n = sscanf(text, "%2u:%2u:%2u%c", &h, &m, &sec, &end);
	if (n != 3 && (n != 2 || sscanf(text, "%2u:%2u%c", &h, &m, &end) != 2))
		return false;
	*ret = (h * 60ULL + m) * 60 + sec;
	return h < 24 && m < 60 && sec < 60;
}

/* Without quotes 17:30 is three tokens. */
static int parse_bare_hour(struct parser *p, uint64_t *ret)
{
	struct token first = p->tok;
	uint64_t h, m;
	int r = parse_advance(p);

	if (r)
		return r;
	if (!token_is_punct(&p->tok, ":")) {
		if (!token_to_u64(&first, 0, DAY_S - 1, ret))
			return fail_hour(p, &first);
		return 0;
	}
	r = parse_advance(p);
	if (r)
		return r;
	if (!token_to_u64(&p->tok, 0, 59, &m) || !token_to_u64(&first, 0, 23, &h) ||
	    p->tok.len != 2)
		return fail_hour(p, &first);
	*ret = (h * 60 + m) * 60;
	return parse_advance(p);
}

int parse_hour(struct parser *p, uint64_t *ret)
{
	struct token at = p->tok;
	uint64_t local;
	int r = 0;

	if (at.type == TOK_STRING || (at.type == TOK_WORD && memchr(at.s, ':', at.len))) {
		if (!text_to_hour(at.s, at.len, &local))
			return fail_hour(p, &at);
		r = parse_advance(p);
	} else if (at.type == TOK_WORD) {
		r = parse_bare_hour(p, &local);
	} else {
		return fail_hour(p, &at);
	}
	if (!r)
		*ret = to_utc(local);
	return r;
}

void print_hour(uint64_t utc, struct strbuf *b)
{
	uint64_t s = (uint64_t)(((int64_t)utc + utc_offset() + 2 * DAY_S) % DAY_S);

	strbuf_printf(b, "\"%02u:%02u", (unsigned int)(s / 3600), (unsigned int)(s / 60 % 60));
	if (s % 60)
		strbuf_printf(b, ":%02u", (unsigned int)(s % 60));
	strbuf_puts(b, "\"");
}

/* The last second that still is a number of nanoseconds. */
#define DATE_MAX (UINT64_MAX / 1000000000)

/* YYYY-MM-DD[ HH:MM[:SS]], local time; false: it is none. */
static bool text_to_date(const char *s, size_t len, uint64_t *ret)
{
	struct tm tm = { .tm_isdst = -1 }, is;
	char text[24], end;
	time_t at;
	int n;

	if (len >= sizeof(text))
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	if (strspn(text, "0123456789-: ") != len)
		return false;
	n = sscanf(text, "%4d-%2d-%2d %2d:%2d:%2d%c", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &end);
	if (n != 6 && (n != 5 || sscanf(text, "%*d-%*d-%*d %*d:%*d%c", &end) == 1) &&
	    (n != 3 || sscanf(text, "%*d-%*d-%*d%c", &end) == 1))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	is = tm;
	at = mktime(&is);
	*ret = (uint64_t)at;
	/* there is no 30th of February */
	return at >= 0 && (uint64_t)at <= DATE_MAX && is.tm_mon == tm.tm_mon &&
	       is.tm_mday == tm.tm_mday && is.tm_min == tm.tm_min && is.tm_sec == tm.tm_sec;
}

int parse_date(struct parser *p, uint64_t *ret)
{
	const struct token *t = &p->tok;

	if (!(t->type == TOK_STRING && text_to_date(t->s, t->len, ret)) &&
	    !(t->type == TOK_WORD && token_to_u64(t, 0, DATE_MAX, ret))) {
		fail_expected(p, "a date");
		return fail_hint(p, "for example \"2026-11-21 17:30\"");
	}
	return parse_advance(p);
}

void print_date(uint64_t s, struct strbuf *b)
{
	time_t at = (time_t)s;
	struct tm tm;
	char text[40];

	if (!localtime_r(&at, &tm) || !strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
		strbuf_printf(b, "%llu", (unsigned long long)s);
	else
		strbuf_printf(b, "\"%s\"", text);
}

static const struct {
	const char *unit;
	uint64_t ms;
} units[] = {
	{ "d", DAY_S * 1000ULL }, { "h", 3600000 }, { "ms", 1 }, { "m", 60000 }, { "s", 1000 }
};

/* "1d2h" -> milliseconds; false: no such span. */
static bool text_to_ms(const char *s, size_t len, uint64_t *ret)
{
	const char *end = s + len;

	*ret = 0;
	while (s < end) {
		uint64_t n = 0;
		size_t digits = 0, i = 0, n_unit;

		for (; s < end && *s >= '0' && *s <= '9' && digits < 10; s++, digits++)
			n = n * 10 + (uint64_t)(*s - '0');
		for (; digits && i < ARRAY_SIZE(units); i++) {
			n_unit = strlen(units[i].unit);
			if ((size_t)(end - s) >= n_unit && !memcmp(s, units[i].unit, n_unit))
				break;
		}
		if (!digits || i == ARRAY_SIZE(units))
			return false;
		s += strlen(units[i].unit);
		*ret += n * units[i].ms;
	}
	return len > 0;
}

int parse_duration(struct parser *p, uint64_t *ret_ms)
{
	const struct token *t = &p->tok;
	uint64_t v;

	if (token_to_u64(t, 0, UINT32_MAX, &v))
		v *= 1000;
	else if ((t->type != TOK_WORD && t->type != TOK_STRING) || !text_to_ms(t->s, t->len, &v) ||
		 v / 1000 > UINT32_MAX) {
		fail_expected(p, "a time");
		return fail_hint(p, "for example 90s, 5m or 1d2h");
	}
	*ret_ms = v;
	return parse_advance(p);
}

int parse_seconds(struct parser *p, uint64_t *ret)
{
	struct token at = p->tok;
	uint64_t ms = 0;
	int r = parse_duration(p, &ms);

	if (!r && ms % 1000)
		return fail_at(p, &at, "whole seconds expected");
	*ret = ms / 1000;
	return r;
}

void print_duration(uint64_t ms, struct strbuf *b)
{
	static const size_t order[] = { 0, 1, 3, 4, 2 };

	if (!ms)
		strbuf_puts(b, "0s");
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		uint64_t unit = units[order[i]].ms;

		if (ms >= unit)
			strbuf_printf(b, "%llu%s", (unsigned long long)(ms / unit),
				      units[order[i]].unit);
		ms %= unit;
	}
}
