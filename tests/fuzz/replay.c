/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The driver that needs no fuzzer: a target meets every file of its corpus, and every file cut short at a few places.
 *
 *   replay_TARGET [FILE|DIRECTORY]...
 */
#include "fuzz.h"

#include <dirent.h>
#include <sys/stat.h>

#define INPUT_MAX (1U << 20)

/* In memory of just its size, so that the sanitizer sees a step too far. */
static void run_bytes(const char *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	require(copy, "out of memory", "");
	memcpy(copy, data, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static int run_file(const char *path)
{
	_cleanup_(freep) char *data = NULL;
	size_t len;

	if (file_read(path, INPUT_MAX, &data, &len) < 0) {
		fprintf(stderr, "%s can not be read\n", path);
		return -1;
	}
	if (getenv("REPLAY_VERBOSE"))
		fprintf(stderr, "%s\n", path);
	run_bytes(data, len);
	for (size_t part = 1; part < 4; part++)
		run_bytes(data, len * part / 4);
	return 1;
}

static int run_path(const char *path)
{
	struct dirent **names;
	int n, files = 0;
	struct stat st;

	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		return run_file(path);
	n = scandir(path, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		char child[4096];

		snprintf(child, sizeof(child), "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.')
			files += run_file(child);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return files;
}

int main(int argc, char **argv)
{
	int files = 0;

	if (argc < 2) {
		fprintf(stderr, "%s: nothing to replay\n", argv[0]);
		return EXIT_FAILURE;
	}
	for (int i = 1; i < argc; i++) {
		int n = run_path(argv[i]);

		if (n <= 0) {
			fprintf(stderr, "%s: nothing to replay\n", argv[i]);
			return EXIT_FAILURE;
		}
		files += n;
	}
	printf("%d inputs\n", files);
	return EXIT_SUCCESS;
}
