/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every script of golden/iptables gives, command by command, the output it was captured with from iptables itself.
 * With a file as argument the program prints that script with our output: how iptables_oracle.sh compares.
 */
#include "iptables_script.h"

#include <check.h>
#include <dirent.h>
#include <netdb.h>

#define SCRIPT_MAX (16U << 20)

static char *slurp(const char *path)
{
	char *text = NULL;
	size_t len;

	return file_read(path, SCRIPT_MAX, &text, &len) < 0 ? NULL : text;
}

/* The first line that differs, with the command it belongs to. */
static void compare(const char *name, const char *want, const char *got)
{
	char command[256] = "";

	while (*want || *got) {
		size_t nw, ng;
		const char *w = line_of(&want, &nw), *g = line_of(&got, &ng);

		if (!strncmp(w, "$ ", 2))
			snprintf(command, sizeof(command), "%.*s", (int)nw, w);
		if (nw != ng || memcmp(w, g, nw))
			ck_abort_msg("%s: %s\n want: %.*s|\n  got: %.*s|", name, command, (int)nw,
				     w, (int)ng, g);
	}
}

START_TEST(output_is_iptables_own)
{
	const char *dir = GW_GOLDEN_DIR "/iptables";
	struct dirent **names;
	int n = scandir(dir, &names, NULL, alphasort), scripts = 0;

	ck_assert_int_gt(n, 0);
	for (int i = 0; i < n; i++) {
		struct strbuf out = {};
		char path[512];
		char *text;

		snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
		text = strstr(names[i]->d_name, ".txt") ? slurp(path) : NULL;
		if (text) {
			script_run(text, &out);
			compare(names[i]->d_name, text, out.s);
			scripts++;
		}
		strbuf_deinit(&out);
		free(text);
		free(names[i]);
	}
	free(names);
	ck_assert_int_ge(scripts, 5);
}
END_TEST

static int print_script(const char *path)
{
	struct strbuf out = {};
	char *text = slurp(path);

	if (!text)
		return EXIT_FAILURE;
	script_run(text, &out);
	fwrite(out.s, 1, out.len, stdout);
	strbuf_deinit(&out);
	free(text);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	Suite *s;
	TCase *t;
	SRunner *r;
	int failed;

	if (argc > 1)
		return print_script(argv[1]);
	if (!getservbyname("http", "tcp") || !getprotobyname("gre")) {
		puts("SKIPPED: the golden rows name services: /etc/services or /etc/protocols "
		     "(netbase) is missing");
		return EXIT_SUCCESS;
	}
	s = suite_create("iptables/golden");
	t = tcase_create("golden");
	tcase_add_test(t, output_is_iptables_own);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
