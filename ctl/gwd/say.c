/* SPDX-License-Identifier: GPL-2.0-only */
#include <gwd/say.h>

void say_diag(const struct diag *d)
{
	_cleanup_(strbuf_deinit) struct strbuf b = { 0 };

	diag_render(d, &b);
	fputs(b.s ? b.s : "error: no memory\n", stderr);
}

void say_diag_log(const struct diag *d)
{
	_cleanup_(strbuf_deinit) struct strbuf b = { 0 };
	char *line, *save = NULL;

	diag_render(d, &b);
	for (char *p = b.s; p && *p; p++)
		if (*p == '\t')
			*p = ' ';
	for (line = b.s ? strtok_r(b.s, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		log_err("%s", line);
}
