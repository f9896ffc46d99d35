/* SPDX-License-Identifier: GPL-2.0-only */
/* import: a ruleset of iptables or nft, running or saved, in our words; what can not be carried over is listed. */
#include <gwctl/gwctl.h>
#include <iptables/iptables.h>
#include <lang/import.h>

#define FOREIGN_MAX (64U << 20)

enum source { SOURCE_NFT, SOURCE_SAVE4, SOURCE_SAVE6 };
static const struct {
	const char *word, *command;
	int version;
} sources[] = {
	[SOURCE_NFT] = { "nft", "nft -s list ruleset", 0 },
	[SOURCE_SAVE4] = { "iptables-save", "iptables-save", 4 },
	[SOURCE_SAVE6] = { "ip6tables-save", "ip6tables-save", 6 },
};

/* What the other program prints of the running ruleset. */
static int read_running(enum source s, struct strbuf *b)
{
	FILE *f = popen(sources[s].command, "re");
	char part[65536];
	size_t n;
	int status;

	if (!f)
		return refuse("cannot run `%s': %s", sources[s].command, strerror(errno));
	while ((n = fread(part, 1, sizeof(part), f)) > 0 && b->len < FOREIGN_MAX)
		strbuf_add(b, part, n);
	status = pclose(f);
	if (status)
		return refuse("`%s' failed; give it a FILE instead", sources[s].command);
	return b->failed ? refuse("out of memory") : EXIT_OK;
}

static int read_foreign(enum source s, int argc, char **argv, struct strbuf *b)
{
	_cleanup_(freep) char *text = NULL;
	size_t len;
	int r;

	if (!argc)
		return read_running(s, b);
	r = read_input(argv[0], &text, &len);
	if (!r)
		strbuf_add(b, text, len);
	return r;
}

static int convert(enum source s, const char *file, const struct strbuf *text, struct ruleset *rs,
		   struct strbuf *report, size_t *ret_lost)
{
	struct xt_import_result xt = { 0 };
	struct diag d = { 0 };
	unsigned int skipped = 0;
	int r;

	if (s == SOURCE_NFT) {
		r = lang_import(rs, file, text->s ? text->s : "", text->len, report, &skipped, &d);
		*ret_lost = skipped;
		if (r > 0)
			return refuse_diag(&d);
	} else {
		r = xt_import(file, text->s ? text->s : "", text->len, rs, report,
			      sources[s].version, 0, &xt);
		*ret_lost = xt.lost_lines;
	}
	return r < 0 ? refuse("%s: %s", file, strerror(-r)) : EXIT_OK;
}

static int import_from(enum source s, int argc, char **argv)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	_cleanup_(strbuf_deinit) struct strbuf text = { 0 }, report = { 0 }, out = { 0 };
	const char *file = argc ? argv[0] : sources[s].word;
	struct diag d = { 0 };
	size_t lost = 0;
	int r;

	if (!rs)
		return refuse("out of memory");
	r = read_foreign(s, argc, argv, &text);
	if (!r)
		r = convert(s, file, &text, rs, &report, &lost);
	if (r)
		return r;
	if (!ruleset_validate(rs, &d))
		return refuse_diag(&d);
	lang_print(rs, LANG_STATELESS, &out);
	if (out.failed || report.failed)
		return refuse("out of memory");
	if (out.len)
		fwrite(out.s, 1, out.len, stdout);
	fflush(stdout);
	if (report.len)
		fwrite(report.s, 1, report.len, stderr);
	if (lost)
		fprintf(stderr, "gwctl: %zu could not be carried over, see above\n", lost);
	return EXIT_OK;
}

int verb_import(struct gwctl *g, int argc, char **argv)
{
	int r = reject_options(argc - 1, argv + 1);

	for (size_t i = 0; !r && i < ARRAY_SIZE(sources); i++) {
		if (!strcmp(argv[0], sources[i].word))
			return import_from((enum source)i, argc - 1, argv + 1);
	}
	return r ? r
		 : usage_error("import from `nft', `iptables-save' or `ip6tables-save', not `%s'",
			       argv[0]);
}
