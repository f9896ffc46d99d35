/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H
/*
 * fuzz - what the fuzz targets share.  A target is LLVMFuzzerTestOneInput(): any bytes go in; what must hold for all of them is said with
 * require().  tests/fuzz/run runs it with libFuzzer; replay.c runs it over the committed corpus with any compiler.
 */
#include <base/base.h>
#include <base/diag.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A finding: says what did not hold, and for which text. */
static inline void require(bool ok, const char *what, const char *text)
{
	if (ok)
		return;
	fprintf(stderr, "FINDING: %s:\n%s\n", what, text ? text : "");
	abort();
}

static inline void require_same(const char *a, const char *b, const char *what)
{
	if (!strcmp(a, b))
		return;
	fprintf(stderr, "FINDING: %s:\n%s\n--- and then\n%s\n", what, a, b);
	abort();
}

/* A mistake of the user is one line, and can be shown with its caret. */
static inline void require_diag(const struct diag *d)
{
	struct strbuf b = { 0 };

	require(d->text[0], "refused without a word", "");
	require(!strchr(d->text, '\n') && !strchr(d->hint, '\n'), "more than one line", d->text);
	diag_render(d, &b);
	strbuf_deinit(&b);
}
#endif
