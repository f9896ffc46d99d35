/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/suggest.h>

void suggest_init(struct suggest *s, const char *word, size_t len)
{
	*s = (struct suggest){ .distance = UINT32_MAX };
	if (len < sizeof(s->word))
		memcpy(s->word, word, len);
}

/* Insertions, deletions, changes and swaps of neighbours that make b of a. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int rows[3][NAME_SIZE + 1];
	size_t na = strlen(a), nb = strlen(b);

	for (size_t j = 0; j <= nb; j++)
		rows[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned int *row = rows[i % 3], *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned int d = up[j - 1] + (a[i - 1] != b[j - 1]);

			d = MIN(d, MIN(up[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d = MIN(d, up2[j - 2] + 1);
			row[j] = d;
		}
	}
	return rows[na % 3][nb];
}

void suggest_try(struct suggest *s, const char *candidate)
{
	unsigned int d;

	if (!s->word[0] || strlen(candidate) >= sizeof(s->best))
		return;
	d = distance(s->word, candidate);
	if (d >= s->distance)
		return;
	s->distance = d;
	snprintf(s->best, sizeof(s->best), "%s", candidate);
}

void suggest_words(struct suggest *s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		suggest_try(s, words[i]);
}

int suggest_hint(struct parser *p, const struct suggest *s)
{
	if (s->best[0] && s->distance < strlen(s->word) && s->distance <= 1 + strlen(s->word) / 4)
		return fail_hint(p, "did you mean `%s`?", s->best);
	return LANG_E_DIAG;
}
