/* SPDX-License-Identifier: GPL-2.0-only */
/* log - `log prefix "..." level info flags tcp sequence`, `log group 2 snaplen 100 queue-threshold 20` */
#include <lang/print_part.h>

#include <lang/names.h>
#include <lang/parse.h>

#include <linux/netfilter/nf_log.h>

#define PREFIX_MAX 127

#define LEVEL_WARN 4

static int parse_level(struct parser *p, struct stmt *s)
{
	uint32_t level;

	if (s->log.group >= 0)
		return fail_at(p, &p->tok, "`level` and `group` exclude each other");
	if (p->tok.type == TOK_WORD &&
	    name_to_value(log_level_names, p->tok.s, p->tok.len, &level)) {
		s->log.level = (int)level;
		return parse_advance(p);
	}
	if (token_is(&p->tok, "audit"))
		return fail_unsupported(p, &p->tok, "level");
	fail_expected(p, "a level");
	return fail_hint(p, "emerg, alert, crit, err, warn, notice, info or debug");
}

/* The flag that the token is, of those of a layer. */
static const struct log_flag_row *find_flag(const struct token *t, const char *layer)
{
	for (size_t i = 0; i < ARRAY_SIZE(log_flag_rows); i++) {
		const char *own = log_flag_rows[i].layer;

		if (own != layer && (!own || !layer || strcmp(own, layer) != 0))
			continue;
		if (token_is(t, log_flag_rows[i].word))
			return &log_flag_rows[i];
	}
	return NULL;
}

static int parse_flags(struct parser *p, struct stmt *s)
{
	const char *layer = token_is(&p->tok, "tcp")  ? "tcp"
			    : token_is(&p->tok, "ip") ? "ip"
						      : NULL;
	bool more = true;
	int r = layer ? parse_advance(p) : 0;

	while (!r && more) {
		const struct log_flag_row *row = find_flag(&p->tok, layer);

		if (!row) {
			fail_expected(p, "a flag");
			return fail_hint(p,
					 "tcp sequence,options, ip options, skuid, ether or all");
		}
		s->log.flags |= row->flag;
		r = parse_advance(p);
		more = !r && layer && token_is_punct(&p->tok, ",");
		if (more)
			r = parse_advance(p);
	}
	return r;
}

static int parse_number(struct parser *p, const char *what, uint64_t max, uint64_t *ret)
{
	return parse_u64(p, what, 0, max, ret);
}

static int parse_word(struct parser *p, const struct token *word, struct stmt *s)
{
	uint64_t n = 0;
	int r;

	if (token_is(word, "prefix"))
		return parse_string(p, "a prefix", PREFIX_MAX, &s->log.prefix);
	if (token_is(word, "level"))
		return parse_level(p, s);
	if (token_is(word, "flags"))
		return parse_flags(p, s);
	if (token_is(word, "group")) {
		r = s->log.level >= 0 ? fail_at(p, word, "`level` and `group` exclude each other")
				      : parse_number(p, "a group", UINT16_MAX, &n);
		s->log.group = (int)n;
		return r;
	}
	r = parse_number(p, "a number of bytes or packets",
			 token_is(word, "snaplen") ? UINT32_MAX : UINT16_MAX, &n);
	if (token_is(word, "snaplen"))
		s->log.snaplen = (uint32_t)n;
	else
		s->log.threshold = (uint32_t)n;
	return r;
}

static bool is_log_word(const struct token *t)
{
	static const char *const words[] = { "prefix", "level",	  "flags",
					     "group",  "snaplen", "queue-threshold" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (token_is(t, words[i]))
			return true;
	}
	return false;
}

int parse_log(struct parser *p, struct rule *r)
{
	_cleanup_(stmt_deinit) struct stmt s = { .kind = STMT_LOG,
						 .log = { .level = -1, .group = -1 } };
	int e = 0;

	while (!e && is_log_word(&p->tok)) {
		struct token word = p->tok;

		e = parse_advance(p);
		if (!e)
			e = parse_word(p, &word, &s);
	}
	/* what is meant without a word */
	if (s.log.level == LEVEL_WARN)
		s.log.level = -1;
	return e ? e : rule_add_stmt(r, &s);
}

static void print_log_flags(unsigned int flags, struct strbuf *b)
{
	const char *layer = NULL;

	if (flags == NF_LOG_MASK) {
		strbuf_puts(b, "flags all ");
		return;
	}
	for (size_t i = 0; i + 1 < ARRAY_SIZE(log_flag_rows); i++) {
		const struct log_flag_row *row = &log_flag_rows[i];

		if (!(flags & row->flag))
			continue;
		if (row->layer && layer && !strcmp(layer, row->layer)) {
			b->len--; /* the blank: `tcp sequence,options` */
			strbuf_printf(b, ",%s ", row->word);
			continue;
		}
		layer = row->layer;
		strbuf_printf(b, "flags %s%s%s ", layer ? layer : "", layer ? " " : "", row->word);
	}
}

void print_log(const struct stmt *s, struct strbuf *b)
{
	strbuf_puts(b, "log ");
	if (s->log.prefix) {
		strbuf_puts(b, "prefix ");
		print_quoted(s->log.prefix, b);
		strbuf_puts(b, " ");
	}
	if (s->log.level >= 0)
		strbuf_printf(b, "level %s ",
			      value_to_name(log_level_names, (uint32_t)s->log.level & 7));
	if (s->log.group >= 0)
		strbuf_printf(b, "group %d ", s->log.group);
	if (s->log.snaplen)
		strbuf_printf(b, "snaplen %u ", s->log.snaplen);
	if (s->log.threshold)
		strbuf_printf(b, "queue-threshold %u ", s->log.threshold);
	print_log_flags(s->log.flags, b);
}
