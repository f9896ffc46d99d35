/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets, maps, objects and what is around rules, as rows: tests/golden/lang/sets.txt (tests/check/lang_oracle.sh asks nft
 * about the same rows).  And what can not be a row: a million elements, sharing, included files, hostile text.
 */
#include <lang/lang.h>

#include <check.h>
#include <time.h>

static int apply(struct ruleset *rs, const char *text, struct diag *d)
{
	return lang_apply(rs, "ruleset", text, strlen(text), NULL, d);
}

static void must_apply(struct ruleset *rs, const char *text)
{
	struct diag d = { 0 };

	ck_assert_msg(apply(rs, text, &d) == 0, "%u:%u: %s in\n%.2000s", d.line, d.col, d.text,
		      text);
}

static char *print(const struct ruleset *rs, unsigned int flags)
{
	struct strbuf b = { 0 };

	lang_print(rs, flags, &b);
	return strbuf_take(&b);
}

static void assert_elems_equal(const struct elems *a, const struct elems *b)
{
	ck_assert_uint_eq(a->n, b->n);
	ck_assert_uint_eq(a->n_fields, b->n_fields);
	ck_assert_int_eq(!a->data, !b->data);
	ck_assert_int_eq(!a->extra, !b->extra);
	if (a->n)
		ck_assert_mem_eq(a->keys, b->keys, a->n * a->n_fields * sizeof(*a->keys));
	for (size_t i = 0; i < a->n && a->data; i++) {
		ck_assert_int_eq(a->data[i].verdict, b->data[i].verdict);
		ck_assert_pstr_eq(a->data[i].chain, b->data[i].chain);
		ck_assert_mem_eq(a->data[i].val, b->data[i].val, sizeof(a->data[i].val));
	}
	for (size_t i = 0; i < a->n && a->extra; i++) {
		ck_assert_uint_eq(a->extra[i].timeout_ms, b->extra[i].timeout_ms);
		ck_assert_uint_eq(a->extra[i].expires_ms, b->extra[i].expires_ms);
		ck_assert_uint_eq(a->extra[i].pkts, b->extra[i].pkts);
		ck_assert_uint_eq(a->extra[i].bytes, b->extra[i].bytes);
		ck_assert_pstr_eq(a->extra[i].comment, b->extra[i].comment);
	}
}

static void assert_sets_equal(const struct set *a, const struct set *b)
{
	ck_assert_str_eq(a->name, b->name);
	ck_assert_uint_eq(a->handle, b->handle);
	ck_assert(a->is_map == b->is_map && a->is_vmap == b->is_vmap);
	ck_assert(a->n_fields == b->n_fields && a->n_data == b->n_data);
	ck_assert_mem_eq(a->types, b->types, sizeof(a->types));
	ck_assert_mem_eq(a->data, b->data, sizeof(a->data));
	ck_assert_mem_eq(&a->type_of, &b->type_of, sizeof(a->type_of));
	ck_assert_mem_eq(&a->data_of, &b->data_of, sizeof(a->data_of));
	ck_assert_uint_eq(a->flags, b->flags);
	ck_assert(a->timeout_ms == b->timeout_ms && a->gc_ms == b->gc_ms && a->size == b->size);
	ck_assert_pstr_eq(a->policy, b->policy);
	ck_assert_pstr_eq(a->comment, b->comment);
	assert_elems_equal(a->elems, b->elems);
}

static void assert_objects_equal(const struct object *a, const struct object *b)
{
	struct object x = *a, y = *b;

	ck_assert_pstr_eq(a->comment, b->comment);
	x.comment = y.comment = NULL;
	ck_assert_mem_eq(&x, &y, sizeof(x));
}

static void assert_tables_equal(const struct table *a, const struct table *b)
{
	ck_assert_uint_eq(a->handle, b->handle);
	ck_assert_pstr_eq(a->comment, b->comment);
	ck_assert_uint_eq(a->n_sets, b->n_sets);
	ck_assert_uint_eq(a->n_objects, b->n_objects);
	ck_assert_uint_eq(a->n_chains, b->n_chains);
	for (size_t i = 0; i < a->n_sets; i++)
		assert_sets_equal(a->sets[i], b->sets[i]);
	for (size_t i = 0; i < a->n_objects; i++)
		assert_objects_equal(a->objects[i], b->objects[i]);
	for (size_t i = 0; i < a->n_chains; i++) {
		ck_assert_uint_eq(a->chains[i]->handle, b->chains[i]->handle);
		ck_assert_pstr_eq(a->chains[i]->comment, b->chains[i]->comment);
	}
}

/* What is printed is read back, and printed again it is the same; the internal form loses nothing at all. */
static void assert_fixed_points(const struct ruleset *rs)
{
	static const unsigned int forms[] = { 0, LANG_HANDLES, LANG_STATELESS, LANG_INTERNAL };

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		_cleanup_(ruleset_freep) struct ruleset *back = ruleset_new();
		_cleanup_(freep) char *text = print(rs, forms[i]), *again = NULL;

		must_apply(back, text);
		again = print(back, forms[i]);
		if (forms[i] != LANG_HANDLES) /* new ones unless they were given */
			ck_assert_str_eq(again, text);
		if (forms[i] != LANG_INTERNAL)
			continue;
		ck_assert_uint_eq(back->next_handle, rs->next_handle);
		ck_assert_uint_eq(back->n_tables, rs->n_tables);
		for (size_t k = 0; k < rs->n_tables; k++)
			assert_tables_equal(rs->tables[k], back->tables[k]);
	}
}

static unsigned int form_flags(const char *form)
{
	static const struct {
		const char *word;
		unsigned int flags;
	} forms[] = { { "", 0 },
		      { "nft", 0 },
		      { "own", 0 },
		      { "handles", LANG_HANDLES },
		      { "stateless", LANG_STATELESS },
		      { "internal", LANG_INTERNAL } };

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (!strcmp(forms[i].word, form))
			return forms[i].flags;
	}
	ck_abort_msg("no such form: %s", form);
	return 0;
}

static void check_row(const char *title, const char *text, const char *form, const char *want)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	_cleanup_(freep) char *got = NULL;
	struct strbuf b = { 0 };
	struct diag d = { 0 };
	int r = apply(rs, text, &d);

	if (!strncmp(form, "error", 5)) {
		ck_assert_msg(r == LANG_E_DIAG, "accepted: %s", title);
		diag_render(&d, &b);
		got = strbuf_take(&b);
	} else {
		ck_assert_msg(r == 0, "%s: %u:%u: %s", title, d.line, d.col, d.text);
		ck_assert_msg(ruleset_validate(rs, &d), "%s: %s", title, d.text);
		got = print(rs, form_flags(form));
		assert_fixed_points(rs);
	}
	ck_assert_msg(!strcmp(got, want), "%s: got\n%.3000s\nwant\n%.3000s", title, got, want);
}

/* One row: "title\ntext--- form\nwanted". */
static void check_section(const char *section)
{
	const char *text = strchr(section, '\n') + 1;
	const char *mark = strncmp(text, "---", 3) ? strstr(text, "\n---") + 1 : text;
	const char *want = strchr(mark, '\n') + 1;
	const char *form = mark[3] == ' ' ? mark + 4 : want - 1;
	_cleanup_(freep) char *title = strndup(section, (size_t)(text - section - 1));
	_cleanup_(freep) char *input = strndup(text, (size_t)(mark - text));
	_cleanup_(freep) char *form_word = strndup(form, (size_t)(want - 1 - form));

	check_row(title, input, form_word, want);
}

START_TEST(everything_around_rules_is_read_and_printed_as_nft_does)
{
	_cleanup_(freep) char *text = NULL;
	char *at, *next;
	int rows = 0;

	ck_assert_int_eq(file_read(GW_GOLDEN_DIR "/lang/sets.txt", 1 << 20, &text, NULL), 0);
	for (at = strstr(text, "\n=== "); at; at = next, rows++) {
		at += 5;
		next = strstr(at, "\n=== ");
		if (next)
			next[1] = '\0'; /* keep the newline that ends the row */
		check_section(at);
	}
	ck_assert_int_ge(rows, 90);
}
END_TEST

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void put_addr(struct strbuf *b, unsigned int i)
{
	i *= 2654435761U; /* each once, in no order */
	strbuf_printf(b, "%u.%u.%u.%u", i >> 24, i >> 16 & 255, i >> 8 & 255, i & 255);
}

/* Two seconds for what takes 0.1 s: slow machines and sanitizers have room, squares have not. */
static double timed_apply(struct ruleset *rs, const struct strbuf *b)
{
	double from = seconds();

	must_apply(rs, b->s);
	return seconds() - from;
}

#define MANY 100000U

START_TEST(many_elements_in_one_command_cost_a_sort)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct strbuf b = { 0 };

	strbuf_puts(&b, "table inet t { set s { type ipv4_addr; elements = { ");
	for (unsigned int i = 0; i < MANY; i++) {
		strbuf_puts(&b, i ? ", " : "");
		put_addr(&b, i);
	}
	strbuf_puts(&b, " } } }");
	ck_assert(timed_apply(rs, &b) < 2);
	ck_assert_uint_eq(rs->tables[0]->sets[0]->elems->n, MANY);
	strbuf_deinit(&b);
}
END_TEST

START_TEST(many_commands_cost_what_one_does)
{
	static const char *const flags[] = { "", "flags interval;", "flags interval; auto-merge;" };

	for (size_t k = 0; k < ARRAY_SIZE(flags); k++) {
		_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
		struct strbuf b = { 0 };

		strbuf_printf(&b, "table inet t { set s { type ipv4_addr; %s } }\n", flags[k]);
		for (unsigned int i = 0; i < MANY; i++) {
			strbuf_puts(&b, "add element inet t s { ");
			put_addr(&b, i);
			strbuf_puts(&b, " }\n");
		}
		ck_assert(timed_apply(rs, &b) < 2);
		strbuf_deinit(&b);
	}
}
END_TEST

START_TEST(additions_and_deletions_in_turn_cost_no_more)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct strbuf b = { 0 };

	strbuf_puts(&b, "table inet t { set s { type ipv4_addr; } }\n");
	for (unsigned int i = 0; i < MANY / 2; i++) {
		strbuf_puts(&b, "add element inet t s { ");
		put_addr(&b, i);
		strbuf_puts(&b, " }\n");
		if (i % 2)
			continue;
		strbuf_puts(&b, "delete element inet t s { ");
		put_addr(&b, i);
		strbuf_puts(&b, " }\n");
	}
	ck_assert(timed_apply(rs, &b) < 2);
	ck_assert_uint_eq(rs->tables[0]->sets[0]->elems->n, MANY / 4);
	strbuf_deinit(&b);
}
END_TEST

START_TEST(ranges_that_are_open_everywhere_are_compared_within_bounds)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct strbuf b = { 0 };

	strbuf_puts(&b, "table inet t { map m { type inet_service . ipv4_addr : mark\n"
			"flags interval\nelements = { ");
	for (unsigned int i = 0; i < 20000; i++)
		strbuf_printf(&b, "0-65535 . 10.%u.%u.0/24 : %u, ", i >> 8, i & 255, i);
	strbuf_puts(&b, "1 . 1.2.3.4 : 1 } } }");
	ck_assert(timed_apply(rs, &b) < 2);
	strbuf_deinit(&b);
}
END_TEST

START_TEST(elements_are_shared_until_they_change)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new(), *copy = NULL;
	const struct set *a, *b;

	must_apply(rs, "table inet t { set a { type ipv4_addr; elements = { 1.2.3.4 } }\n"
		       "map b { type mark : verdict; elements = { 1 comment \"x\" : jump c } }\n"
		       "chain c { } }");
	copy = ruleset_copy(rs);
	a = copy->tables[0]->sets[0];
	b = copy->tables[0]->sets[1];
	ck_assert_ptr_eq(a->elems, rs->tables[0]->sets[0]->elems);
	must_apply(copy, "add element inet t b { 2 : drop }; add rule inet t c accept");
	ck_assert_ptr_eq(a->elems, rs->tables[0]->sets[0]->elems);
	ck_assert_ptr_ne(b->elems, rs->tables[0]->sets[1]->elems);
	ck_assert_uint_eq(b->elems->n, 2);
	ck_assert_uint_eq(rs->tables[0]->sets[1]->elems->n, 1);
	ck_assert_str_eq(rs->tables[0]->sets[1]->elems->data[0].chain, "c");
	ck_assert_str_eq(b->elems->extra[0].comment, "x");
	must_apply(copy, "rename chain inet t c d");
	ck_assert_str_eq(rs->tables[0]->sets[1]->elems->data[0].chain, "c");
	ck_assert_str_eq(b->elems->data[0].chain, "d");
}
END_TEST

/* gwd puts what packets added behind the rest. */
START_TEST(elements_that_packets_added_find_their_place)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct elem key = { .num_lo = 2, .num_hi = 2, .plen = -1 };
	struct elems *e;

	must_apply(rs, "table inet t { set s { type mark; elements = { 1, 5, 9 } } }");
	e = rs->tables[0]->sets[0]->elems;
	ck_assert_int_eq(elems_add(e, &key, NULL, NULL), 0);
	must_apply(rs, "add element inet t s { 2, 7 }; delete element inet t s { 5 }");
	e = rs->tables[0]->sets[0]->elems;
	ck_assert_uint_eq(e->n, 4);
	ck_assert_uint_eq(e->keys[1].num_lo, 2);
	ck_assert_uint_eq(e->keys[2].num_lo, 7);
}
END_TEST

/* Handles and ids that come with internal text must be unique, also those of sets and objects. */
START_TEST(numbers_of_the_internal_form_are_unique)
{
	static const char *const texts[] = {
		"table inet t {\ngw-table handle 5\nset s {\ntype mark\ngw-set handle 5\n}\n}",
		"table inet t {\ncounter a {\ngw-object handle 5 id 3\n}\n"
		"counter b {\ngw-object handle 6 id 3\n}\n}",
		"table inet t {\nquota a {\n1 mbytes\ngw-object handle 5 id 3\n}\n"
		"limit b {\nrate 1/second\ngw-object handle 6 id 3\n}\n}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
		struct diag d = { 0 };

		ck_assert_msg(apply(rs, texts[i], &d) == LANG_E_DIAG, "accepted: %s", texts[i]);
		ck_assert_ptr_nonnull(strstr(d.text, "used twice"));
	}
}
END_TEST

/* Files that exist only here. */
static const struct {
	const char *name, *text;
} files[] = {
	{ "/d/hosts", "define hosts = { 1.2.3.4,\n1.2.3.5 }" },
	{ "/d/table", "include \"/d/hosts\"\ntable inet t { set s { type ipv4_addr\nelements = "
		      "$hosts; } }" },
	{ "/d/chain", "chain c {\n\taccept\n}" },
	{ "/d/bad", "\n\n  bogus" },
	{ "/d/loop", "include \"/d/loop\"" },
	{ "/d/odd\"\n", "bogus" },
};

static int find(void *arg, const char *pattern, struct include_files *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		void *grown = ret->v;

		if (strncmp(pattern, files[i].name, strlen(pattern)) != 0)
			continue;
		ck_assert_int_eq(array_reserve(&grown, &ret->cap, ret->n, sizeof(*ret->v)), 0);
		ret->v = grown;
		ret->v[ret->n++] =
			(struct include_file){ strdup(files[i].name), strdup(files[i].text),
					       strlen(files[i].text) };
	}
	return ret->n ? 0 : -ENOENT;
}

static int apply_including(struct ruleset *rs, const char *text, struct diag *d)
{
	struct strbuf whole = { 0 };
	int r = lang_expand_includes("top", text, strlen(text), find, NULL, &whole, d);

	if (!r)
		r = lang_apply(rs, "top", whole.s ? whole.s : "", whole.len, NULL, d);
	strbuf_deinit(&whole);
	return r;
}

START_TEST(files_are_read_where_they_are_included)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct diag d = { 0 };
	int r = apply_including(rs,
				"include \"/d/table\"; table inet t {\n\tinclude \"/d/chain\"\n}\n"
				"add element inet t s { 9.9.9.9 }",
				&d);

	ck_assert_msg(r == 0, "%s:%u: %s", d.file, d.line, d.text);
	ck_assert_uint_eq(rs->tables[0]->sets[0]->elems->n, 3);
	ck_assert_uint_eq(rs->tables[0]->chains[0]->n_rules, 1);
}
END_TEST

static const struct {
	const char *text, *file;
	unsigned int line, col;
	const char *why;
} mistakes[] = {
	{ "include \"/d/bad\"", "/d/bad", 3, 3, "a command" },
	{ "\ninclude \"/d/hosts\"; bogus", "top", 2, 21, "a command" },
	{ "include \"/d/hosts\"\n\nadd table inet t; bogus", "top", 3, 19, "a command" },
	{ "include \"/d/table\"\nadd element inet t s { $hosts, x }", "top", 2, 32, "an IPv4" },
	{ "add table inet t\n include \"/nowhere\"", "top", 2, 10, "cannot include `/nowhere`" },
	{ "include \"/d/loop\"", "/d/loop", 1, 9, "files include each other too deeply" },
	{ "include hosts", "top", 1, 9, "the name of a file" },
	{ "include \"/d/odd\"", "/d/odd??", 1, 1, "a command" },
	{ "# include \"/nowhere\"\nadd chain inet filter include \"x\"", "top", 2, 31, "`;`" },
};

START_TEST(mistakes_are_where_they_were_written)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct diag d = { 0 };
	int r = apply_including(rs, mistakes[_i].text, &d);

	ck_assert_int_eq(r, LANG_E_DIAG);
	ck_assert_msg(!strncmp(d.text, mistakes[_i].why, strlen(mistakes[_i].why)), "%s", d.text);
	ck_assert_str_eq(d.file, mistakes[_i].file);
	ck_assert_uint_eq(d.line, mistakes[_i].line);
	ck_assert_uint_eq(d.col, mistakes[_i].col);
}
END_TEST

START_TEST(nothing_is_included_where_nobody_opens_files)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct diag d = { 0 };

	ck_assert_int_eq(apply(rs, "include \"/etc/passwd\"", &d), LANG_E_DIAG);
	ck_assert_str_eq(d.text, "`include` is not read here");
}
END_TEST

START_TEST(text_without_includes_stays_as_it_is)
{
	static const char text[] =
		"# include\n\tadd table inet t \"include \\\" $x\n{ }\\\n\r\xff@";
	struct strbuf b = { 0 };
	struct diag d = { 0 };

	ck_assert_int_eq(lang_expand_includes("f", text, sizeof(text), find, NULL, &b, &d), 0);
	ck_assert_uint_eq(b.len, sizeof(text));
	ck_assert_mem_eq(b.s, text, sizeof(text));
	strbuf_deinit(&b);
}
END_TEST

static void feed(const char *text, size_t len)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new(), *back = ruleset_new();
	_cleanup_(freep) char *copy = malloc(len ? len : 1), *printed = NULL, *again = NULL;
	struct strbuf whole = { 0 };
	struct diag d = { 0 };
	int r;

	/* exactly as long as it is: the sanitizer sees a read behind its end */
	memcpy(copy, text, len);
	r = lang_expand_includes("f", copy, len, find, NULL, &whole, &d);
	strbuf_deinit(&whole);
	ck_assert_int_ge(r, 0);
	r = lang_apply(rs, "f", copy, len, NULL, &d);
	if (r) {
		ck_assert_int_eq(r, LANG_E_DIAG);
		ck_assert(d.text[0]);
		return;
	}
	printed = print(rs, 0);
	ck_assert_msg(apply(back, printed, &d) == 0, "%s in\n%s", d.text, printed);
	again = print(back, 0);
	ck_assert_str_eq(again, printed);
}

static const char *const lines[] = {
	"table inet t { map m { type ipv4_addr . inet_service : verdict; flags interval,timeout; "
	"timeout 1h; counter; comment \"x\"; elements = { 10.0.0.0/8 . 1-9 counter packets 1 bytes "
	"2 "
	"timeout 1m expires 5s comment \"y\" : jump c, 1.2.3.4 . ssh : drop } } chain c { } }",
	"table ip6 t { set s { typeof ip6 saddr . tcp dport; size 9; policy memory; elements = { "
	"fd00::1 . 80, ::2 . 90 } } } add element ip6 t s { ::3 . 1 }; delete element ip6 t s { "
	"::2 "
	". 90 }",
	"table inet t { set s { type mark; flags interval; auto-merge; elements = { 1-5, 6, 9 } } "
	"}\n"
	"delete element inet t s { 2 }; destroy element inet t s { 77 }; flush set inet t s",
	"add table inet t; add quota inet t q over 10 mbytes used 5 kbytes; add limit inet t l "
	"rate "
	"over 5/second burst 9 packets; add counter inet t c { packets 1 bytes 2; comment \"z\"; }",
	"include \"/d/table\"; table inet t { include \"/d/chain\" }\n#gw-line 7 \"x\"\nbogus",
	("table inet t {\ncomment \"a\"\ngw-table handle 3\nset s {\ntype mark\ngw-set handle "
	 "4\n}\n"
	 "counter c {\npackets 1 bytes 2\ngw-object handle 5 id 6 given\n}\n}"),
};

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525U + 1013904223U;
	return *state >> 8;
}

START_TEST(broken_lines_are_survived)
{
	uint32_t seed = 3;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		for (size_t n = 0; n <= strlen(lines[i]); n++)
			feed(lines[i], n);
	}
	for (size_t round = 0; round < 4000; round++) {
		char text[512];
		size_t len = strlen(lines[round % ARRAY_SIZE(lines)]);

		memcpy(text, lines[round % ARRAY_SIZE(lines)], len);
		for (uint32_t n = 1 + next_random(&seed) % 4; n > 0; n--)
			text[next_random(&seed) % len] = (char)next_random(&seed);
		feed(text, len);
	}
}
END_TEST

static void feed_repeated(const char *head, const char *part, size_t times, const char *tail)
{
	struct strbuf b = { 0 };

	strbuf_puts(&b, head);
	for (size_t i = 0; i < times; i++)
		strbuf_puts(&b, part);
	strbuf_puts(&b, tail);
	feed(b.s, b.len);
	strbuf_deinit(&b);
}

START_TEST(huge_and_deep_input_ends)
{
	feed_repeated("table inet t { set s { type mark; elements = ", "{", 100000, "");
	feed_repeated("table inet t { set s { type mark; elements = { ", "1,\n", 500000, "2 } } }");
	feed_repeated("table inet t { set s { type mark", " . mark", 100000, "; } }");
	feed_repeated("table inet t { set s { type mark; flags interval", ",interval", 100000,
		      "; } }");
	feed_repeated("table inet t { set s { type mark; comment \"", "x", 10000000, "\"; } }");
	feed_repeated("table inet t { counter ", "c", 10000000, " { } }");
	feed_repeated("table inet t { ", "set s { type mark; } ", 50000, "}");
	feed_repeated("", "#gw-line 99999999999999999999 \"x\n", 100000, "");
	feed_repeated("#gw-line 1 \"", "x", 1000000, "\"\nbogus");
	feed_repeated("include \"", "x", 1000000, "\"");
	feed("table inet t { set s\0 { } }", 26);
	feed("table inet t { set s { type mark; elements = { 1\0, 2 } } }", 58);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lang sets");
	TCase *tc = tcase_create("sets");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 50);
	tcase_add_test(tc, everything_around_rules_is_read_and_printed_as_nft_does);
	tcase_add_test(tc, many_elements_in_one_command_cost_a_sort);
	tcase_add_test(tc, many_commands_cost_what_one_does);
	tcase_add_test(tc, additions_and_deletions_in_turn_cost_no_more);
	tcase_add_test(tc, ranges_that_are_open_everywhere_are_compared_within_bounds);
	tcase_add_test(tc, elements_are_shared_until_they_change);
	tcase_add_test(tc, elements_that_packets_added_find_their_place);
	tcase_add_test(tc, numbers_of_the_internal_form_are_unique);
	tcase_add_test(tc, files_are_read_where_they_are_included);
	tcase_add_loop_test(tc, mistakes_are_where_they_were_written, 0, ARRAY_SIZE(mistakes));
	tcase_add_test(tc, nothing_is_included_where_nobody_opens_files);
	tcase_add_test(tc, text_without_includes_stays_as_it_is);
	tcase_add_test(tc, broken_lines_are_survived);
	tcase_add_test(tc, huge_and_deep_input_ends);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
