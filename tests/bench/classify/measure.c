/* SPDX-License-Identifier: GPL-2.0-only */
#include <sys/mman.h>
#include <time.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "measure.h"

static int print_warnings(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, fmt, args) : 0;
}

static void *map_memory(const struct bpf_map *map)
{
	size_t size = (size_t)bpf_map__max_entries(map) * ((bpf_map__value_size(map) + 7) & ~7U);
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	return p == MAP_FAILED ? NULL : p;
}

int bench_open(struct bench *b, size_t trie_entries)
{
	libbpf_set_print(print_warnings);
	b->skel = find_bpf__open();
	if (!b->skel)
		return raise(-errno, "cannot open the programs");
	bpf_map__set_max_entries(b->skel->maps.region, REGION_LINES);
	bpf_map__set_max_entries(b->skel->maps.trie, (uint32_t)trie_entries + 1);
	if (find_bpf__load(b->skel) < 0)
		return raise(-errno, "cannot load the programs");
	b->region = map_memory(b->skel->maps.region);
	b->headers = map_memory(b->skel->maps.headers);
	return b->region && b->headers ? 0 : raise(-errno, "cannot map the region");
}

void bench_close(struct bench *b)
{
	find_bpf__destroy(b->skel);
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double run_once(struct bpf_program *prog, uint32_t runs)
{
	unsigned char frame[64] = {};
	double start = bench_now_ms();
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = (int)runs);

	if (bpf_prog_test_run_opts(bpf_program__fd(prog), &opts) < 0) {
		raise(-errno, "cannot run %s", bpf_program__name(prog));
		exit(1);
	}
	return (bench_now_ms() - start) * 1e6 / runs;
}

static double median_run(struct bench *b, struct bpf_program *prog, uint32_t runs)
{
	double ns[16];

	b->skel->bss->next = 0;
	run_once(prog, runs); /* warm */
	for (unsigned int i = 0; i < b->passes; i++) {
		b->skel->bss->next = 0;
		b->skel->bss->sum = 0;
		ns[i] = run_once(prog, runs);
	}
	qsort(ns, b->passes, sizeof(*ns), compare_doubles);
	return ns[b->passes / 2];
}

void bench_base(struct bench *b)
{
	b->base_ns = median_run(b, b->skel->progs.run_base, HEADERS);
}

double bench_run(struct bench *b, struct bpf_program *prog, uint32_t runs)
{
	return median_run(b, prog, runs) - b->base_ns;
}

void bench_say(struct bench *b, double value, const char *name, ...)
{
	va_list args;

	va_start(args, name);
	vfprintf(b->out, name, args);
	va_end(args);
	fprintf(b->out, " %.3f\n", value);
}

double bench_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

int bench_put(struct bench *b, const struct image *img)
{
	if (img->nlines > REGION_LINES)
		return raise(-ENOSPC, "the image has %zu lines", img->nlines);
	memcpy(b->region, img->lines, img->nlines * GW_LINE_SIZE);
	return 0;
}
