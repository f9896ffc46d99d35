/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The language as rows: tests/golden/lang/rules.txt (text -> canonical text), refused.txt (text -> column, message,
 * hint) and files.txt (whole files -> what is printed, or the rendered mistake).
 */
#include <lang/lang.h>

#include <check.h>

static char *golden(const char *name)
{
	char path[512];
	char *text = NULL;

	snprintf(path, sizeof(path), "%s/lang/%s", GW_GOLDEN_DIR, name);
	ck_assert_int_eq(file_read(path, 1 << 20, &text, NULL), 0);
	return text;
}

static int apply(struct ruleset *rs, const char *text, struct diag *d)
{
	return lang_apply(rs, "ruleset", text, strlen(text), NULL, d);
}

static char *print(const struct ruleset *rs, unsigned int flags)
{
	struct strbuf b = { 0 };

	lang_print(rs, flags, &b);
	return strbuf_take(&b);
}

static void assert_matches_equal(const struct match *x, const struct match *y)
{
	ck_assert_int_eq(x->field, y->field);
	ck_assert_int_eq(x->negate, y->negate);
	ck_assert_int_eq(x->is_set, y->is_set);
	ck_assert_int_eq(x->exact, y->exact);
	ck_assert_int_eq(x->op, y->op);
	ck_assert_uint_eq(x->n_fields, y->n_fields);
	ck_assert_uint_eq(x->dir, y->dir);
	ck_assert_uint_eq(x->after, y->after);
	ck_assert_uint_eq(x->mask, y->mask);
	ck_assert_uint_eq(x->mod, y->mod);
	ck_assert_mem_eq(x->more, y->more, sizeof(x->more));
	ck_assert_pstr_eq(x->set, y->set);
	ck_assert_uint_eq(x->n, y->n);
	if (x->n)
		ck_assert_mem_eq(x->elems, y->elems,
				 x->n * MAX(x->n_fields, 1U) * sizeof(*x->elems));
}

static void assert_maps_equal(const struct map_use *x, const struct map_use *y)
{
	ck_assert_int_eq(!x, !y);
	if (!x)
		return;
	ck_assert_mem_eq(&x->key, &y->key, sizeof(x->key));
	ck_assert_pstr_eq(x->name, y->name);
	ck_assert_int_eq(!x->elems, !y->elems);
	if (!x->elems)
		return;
	ck_assert_uint_eq(x->elems->n, y->elems->n);
	ck_assert_mem_eq(x->elems->keys, y->elems->keys,
			 x->elems->n * x->elems->n_fields * sizeof(*x->elems->keys));
	for (size_t i = 0; i < x->elems->n; i++) {
		ck_assert_int_eq(x->elems->data[i].verdict, y->elems->data[i].verdict);
		ck_assert_pstr_eq(x->elems->data[i].chain, y->elems->data[i].chain);
		ck_assert_mem_eq(x->elems->data[i].val, y->elems->data[i].val,
				 sizeof(x->elems->data[i].val));
	}
}

/* Everything but what pointers point to is compared as it is. */
static void assert_stmts_equal(const struct stmt *x, const struct stmt *y)
{
	struct stmt a = *x, b = *y;

	ck_assert_int_eq(x->kind, y->kind);
	if (x->kind == STMT_OBJECT) {
		ck_assert_str_eq(x->object.name, y->object.name);
		a.object.name = b.object.name = NULL;
	} else if (x->kind == STMT_LOG) {
		ck_assert_pstr_eq(x->log.prefix, y->log.prefix);
		a.log.prefix = b.log.prefix = NULL;
	} else if (x->kind == STMT_SET) {
		ck_assert_str_eq(x->set.set, y->set.set);
		a.set.set = b.set.set = NULL;
	} else if (x->kind == STMT_MARK || x->kind == STMT_CTMARK) {
		assert_maps_equal(x->mark.map, y->mark.map);
		a.mark.map = b.mark.map = NULL;
	}
	ck_assert_mem_eq(&a, &b, sizeof(a));
}

static void assert_actions_equal(const struct action *x, const struct action *y)
{
	struct action a = *x, b = *y;

	assert_maps_equal(x->map, y->map);
	a.map = b.map = NULL;
	ck_assert_mem_eq(&a, &b, sizeof(a));
}

static void assert_rules_equal(const struct rule *a, const struct rule *b)
{
	ck_assert_uint_eq(a->handle, b->handle);
	ck_assert_uint_eq(a->cid, b->cid);
	ck_assert_uint_eq(a->pkts, b->pkts);
	ck_assert_uint_eq(a->bytes, b->bytes);
	ck_assert_int_eq(a->counter_given, b->counter_given);
	ck_assert_pstr_eq(a->comment, b->comment);
	ck_assert_pstr_eq(a->xtspec, b->xtspec);
	assert_actions_equal(&a->action, &b->action);
	ck_assert_uint_eq(a->n_matches, b->n_matches);
	for (size_t i = 0; i < a->n_matches; i++)
		assert_matches_equal(&a->matches[i], &b->matches[i]);
	ck_assert_uint_eq(a->n_stmts, b->n_stmts);
	for (size_t i = 0; i < a->n_stmts; i++)
		assert_stmts_equal(&a->stmts[i], &b->stmts[i]);
}

static void assert_rulesets_equal(const struct ruleset *a, const struct ruleset *b)
{
	ck_assert_uint_eq(a->next_handle, b->next_handle);
	ck_assert_uint_eq(a->n_tables, b->n_tables);
	for (size_t i = 0; i < a->n_tables; i++) {
		ck_assert_uint_eq(a->tables[i]->handle, b->tables[i]->handle);
		ck_assert_uint_eq(a->tables[i]->n_chains, b->tables[i]->n_chains);
		for (size_t j = 0; j < a->tables[i]->n_chains; j++) {
			const struct chain *c = a->tables[i]->chains[j],
					   *d = b->tables[i]->chains[j];

			ck_assert_str_eq(c->name, d->name);
			ck_assert_uint_eq(c->handle, d->handle);
			ck_assert_uint_eq(c->cid, d->cid);
			ck_assert(c->base == d->base && c->type == d->type && c->prio == d->prio);
			ck_assert(c->policy_drop == d->policy_drop && c->hook_nf == d->hook_nf);
			ck_assert(c->pkts == d->pkts && c->counter_given == d->counter_given);
			ck_assert_uint_eq(c->n_rules, d->n_rules);
			for (size_t k = 0; k < c->n_rules; k++)
				assert_rules_equal(c->rules[k], d->rules[k]);
		}
	}
}

/* What is printed is read back, and printed again it is the same; the internal form loses nothing at all. */
static void assert_fixed_points(const struct ruleset *rs)
{
	static const unsigned int forms[] = { 0, LANG_HANDLES, LANG_COUNTERS, LANG_STATELESS,
					      LANG_INTERNAL };

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		_cleanup_(ruleset_freep) struct ruleset *back = ruleset_new();
		_cleanup_(freep) char *text = print(rs, forms[i]), *again = NULL;
		struct diag d = { 0 };

		ck_assert_msg(apply(back, text, &d) == 0, "%u: %s in\n%s", d.line, d.text, text);
		/* handles are new ones unless they were given */
		again = print(back, forms[i] & ~LANG_HANDLES);
		if (forms[i] != LANG_HANDLES)
			ck_assert_str_eq(again, text);
		if (forms[i] == LANG_INTERNAL)
			assert_rulesets_equal(rs, back);
	}
}

/* Split "WHERE: TEXT => WANT" in place; false: not a row. */
static bool split_row(char *line, char **where, char **text, char **want)
{
	*where = line;
	*text = strstr(line, ": ");
	if (line[0] == '#' || !*text)
		return false;
	*want = strstr(*text, " => ");
	ck_assert_msg(*want, "no => in: %s", line);
	**text = **want = '\0';
	*text += 2;
	*want += 4;
	return true;
}

/* The one rule of a chain, as it is printed there. */
static char *only_rule(const struct ruleset *rs, const char *where)
{
	char family[16], table[64], chain[64];
	enum family f = FAMILY_INET;
	const struct table *t;
	struct strbuf b = { 0 };
	char *text, *end;

	ck_assert_int_eq(sscanf(where, "%15s %63s %63s", family, table, chain), 3);
	while (strcmp(family_name(f), family) != 0)
		f++;
	t = ruleset_table(rs, f, table);
	ck_assert_uint_eq(table_chain(t, chain)->n_rules, 1);
	lang_print_chain(t, table_chain(t, chain), 0, &b);
	end = strstr(b.s, "\n\t}\n}\n");
	ck_assert_ptr_nonnull(end);
	*end = '\0';
	text = strdup(strrchr(b.s, '\t') + 1);
	strbuf_deinit(&b);
	return text;
}

static void check_rule_row(const char *base, const char *where, const char *text, const char *want)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	_cleanup_(freep) char *printed = NULL;
	char command[1024];
	struct diag d = { 0 };

	ck_assert_msg(apply(rs, base, &d) == 0, "%u:%u: %s", d.line, d.col, d.text);
	snprintf(command, sizeof(command), "add rule %s %s", where, text);
	ck_assert_msg(apply(rs, command, &d) == 0, "%s: %s: col %u: %s", where, text, d.col,
		      d.text);
	printed = only_rule(rs, where);
	ck_assert_str_eq(printed, strcmp(want, "same") ? want : text);
	ck_assert_msg(ruleset_validate(rs, &d), "%s: %s", text, d.text);
	assert_fixed_points(rs);
}

static int check_rule_rows(const char *base, const char *file)
{
	_cleanup_(freep) char *text = golden(file);
	char *line, *state = NULL, *where, *rule, *want;
	int rows = 0;

	for (line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
		if (!split_row(line, &where, &rule, &want))
			continue;
		check_rule_row(base, where, rule, want);
		rows++;
	}
	return rows;
}

START_TEST(rules_are_printed_canonically)
{
	ck_assert_int_ge(check_rule_rows("", "rules.txt"), 120);
}
END_TEST

START_TEST(rules_are_printed_as_nft_lists_them)
{
	_cleanup_(freep) char *base = golden("nft_base.nft");

	ck_assert_int_ge(check_rule_rows(base, "nft.txt"), 300);
}
END_TEST

static void check_refused_row(const char *base, const char *where, const char *text,
			      const char *want)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	char command[1024], got[640];
	struct diag d = { 0 };
	int before = snprintf(command, sizeof(command), "add rule %s ", where);

	snprintf(command + before, sizeof(command) - (size_t)before, "%s", text);
	ck_assert_int_eq(apply(rs, base, &d), 0);
	ck_assert_msg(apply(rs, command, &d) == LANG_E_DIAG, "accepted: %s: %s", where, text);
	snprintf(got, sizeof(got), "%d: %s%s%s", MAX((int)d.col - before, 0), d.text,
		 d.hint[0] ? " | " : "", d.hint);
	ck_assert_msg(!strcmp(got, want), "%s\n got %s\nwant %s", text, got, want);
	ck_assert_uint_eq(d.line, 1);
	ck_assert_uint_ge(d.len, 1);
}

START_TEST(mistakes_are_refused_where_they_are)
{
	_cleanup_(freep) char *text = golden("refused.txt"), *base = golden("nft_base.nft");
	char *line, *state = NULL, *where, *rule, *want;
	int rows = 0;

	for (line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
		if (!split_row(line, &where, &rule, &want))
			continue;
		check_refused_row(base, where, rule, want);
		rows++;
	}
	ck_assert_int_ge(rows, 280);
}
END_TEST

static const struct {
	const char *word;
	unsigned int flags;
} forms[] = {
	{ "", 0 },
	{ "handles", LANG_HANDLES },
	{ "counters", LANG_COUNTERS },
	{ "stateless", LANG_STATELESS },
	{ "internal", LANG_INTERNAL },
};

static char *printed_as(const struct ruleset *rs, const char *form)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (!strcmp(forms[i].word, form))
			return print(rs, forms[i].flags);
	}
	ck_abort_msg("no such form: %s", form);
	return NULL;
}

static void check_file(const char *title, const char *text, const char *form, const char *want)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	_cleanup_(freep) char *got = NULL;
	struct strbuf b = { 0 };
	struct diag d = { 0 };
	int r = apply(rs, text, &d);

	if (!strcmp(form, "error")) {
		ck_assert_msg(r == LANG_E_DIAG, "accepted: %s", title);
		diag_render(&d, &b);
		got = strbuf_take(&b);
	} else {
		ck_assert_msg(r == 0, "%s: %u:%u: %s", title, d.line, d.col, d.text);
		got = printed_as(rs, form);
		assert_fixed_points(rs);
	}
	ck_assert_msg(!strcmp(got, want), "%s: got\n%.3000s\nwant\n%.3000s", title, got, want);
}

/* One section: "title\ntext--- form\nwanted". */
static void check_section(const char *section)
{
	const char *text = strchr(section, '\n') + 1;
	const char *mark = strncmp(text, "---", 3) ? strstr(text, "\n---") + 1 : text;
	const char *want = strchr(mark, '\n') + 1;
	const char *form = mark[3] == ' ' ? mark + 4 : want - 1;
	_cleanup_(freep) char *title = strndup(section, (size_t)(text - section - 1));
	_cleanup_(freep) char *input = strndup(text, (size_t)(mark - text));
	_cleanup_(freep) char *form_word = strndup(form, (size_t)(want - 1 - form));

	check_file(title, input, form_word, want);
}

START_TEST(files_are_read_as_nft_reads_them)
{
	_cleanup_(freep) char *text = golden("files.txt");
	char *at = strstr(text, "\n=== "), *next;
	int sections = 0;

	for (; at; at = next, sections++) {
		at += 5;
		next = strstr(at, "\n=== ");
		if (next)
			next[1] = '\0'; /* keep the newline that ends the section */
		check_section(at);
	}
	ck_assert_int_ge(sections, 70);
}
END_TEST

/* Whole files as they are found on routers; NAME.out is what the real nft lists of them. */
static const char *const real_files[] = { "openwrt-home", "openwrt-guest", "translated" };
START_TEST(files_of_real_routers_are_printed_as_nft_lists_them)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	_cleanup_(freep) char *text = NULL, *want = NULL, *got = NULL;
	char name[64];
	struct diag d = { 0 };

	snprintf(name, sizeof(name), "real/%s.nft", real_files[_i]);
	text = golden(name);
	snprintf(name, sizeof(name), "real/%s.out", real_files[_i]);
	want = golden(name);
	ck_assert_msg(apply(rs, text, &d) == 0, "%u:%u: %s", d.line, d.col, d.text);
	ck_assert_msg(ruleset_validate(rs, &d), "%s", d.text);
	got = print(rs, 0);
	ck_assert_str_eq(got, want);
	assert_fixed_points(rs);
}
END_TEST

/* For check/nft_oracle.sh: FILE as it is printed. */
static int print_file(const char *path)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	_cleanup_(freep) char *text = NULL, *out = NULL;
	struct strbuf b = { 0 };
	struct diag d = { 0 };
	size_t len;
	int r = file_read(path, 1 << 20, &text, &len);

	if (r == 0)
		r = lang_apply(rs, path, text, len, NULL, &d);
	if (r == 0 && !ruleset_validate(rs, &d))
		r = LANG_E_DIAG;
	if (r == LANG_E_DIAG) {
		diag_render(&d, &b);
		fputs(b.s, stderr);
		strbuf_deinit(&b);
	}
	if (r != 0)
		return EXIT_FAILURE;
	out = print(rs, 0);
	fputs(out, stdout);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	SRunner *sr;
	TCase *tc;
	Suite *s;
	int failed;

	/* hours of the day are local ones */
	setenv("TZ", "UTC", 1);
	if (argc == 3 && !strcmp(argv[1], "--print"))
		return print_file(argv[2]);
	s = suite_create("lang golden");
	tc = tcase_create("golden");
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, rules_are_printed_canonically);
	tcase_add_test(tc, rules_are_printed_as_nft_lists_them);
	tcase_add_test(tc, mistakes_are_refused_where_they_are);
	tcase_add_test(tc, files_are_read_as_nft_reads_them);
	tcase_add_loop_test(tc, files_of_real_routers_are_printed_as_nft_lists_them, 0,
			    ARRAY_SIZE(real_files));
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
