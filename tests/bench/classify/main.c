/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * classify - what finding the first match costs: rule sets of several kinds and sizes, one packet after the other from 131072 different ones,
 * beside one LRU_HASH lookup of as many flows and a linear search.  Each round is a process of its own, because where memory happens to
 * lie shifts everything; the table shows the medians.
 */
#include <getopt.h>
#include <sys/wait.h>
#include <bpf/bpf.h>
#include <compile/builder.h>
#include "measure.h"

static const size_t sizes[] = { 10, 100, 1000, 10000, 100000 };
static const enum rulegen_kind mixes[] = { RULEGEN_ACL, RULEGEN_FW, RULEGEN_IPC };

struct options {
	unsigned int rounds;
	bool smoke, verify, raw;
};

/* ---------------------------------------------------------------------------------------------------------- a rule set */

static void make_headers(struct bench *b, const struct index_rule *rules, size_t n, int version,
			 bool flood)
{
	struct rulegen g = { 42 + n };

	for (uint32_t i = 0; i < HEADERS; i++) {
		struct header *h = &b->headers[i];

		rulegen_key(&g, rules, n, version, &h->k);
		if (flood) {
			h->k.s[0] = version == 6 ? rulegen_next(&g) : 0;
			h->k.s[1] = version == 6 ? rulegen_next(&g) : rulegen_next(&g) >> 32;
		}
		h->flow = (struct flow_key){ (uint32_t)h->k.s[1], (uint32_t)h->k.d[1], h->k.sport,
					     h->k.dport, i };
	}
}

/* Root 0 is the index; root 1 has no rules, but the list behind the image's lines is what run_list searches. */
static int build(struct bench *b, const struct index_rule *rules, size_t n, int version,
		 struct image **ret, struct gw_ent *list, double *ret_ms)
{
	_cleanup_(builder_freep) struct builder *builder = NULL;
	const struct gw_root head = { .next = GW_NO_ROOT };
	const struct gw_head h = { .gen = 1 };
	double start = bench_now_ms();
	int r = builder_new(REGION_LINES, &builder);

	if (!r)
		r = builder_root(builder, builder_reserve_root(builder), version, &head, rules, n);
	for (size_t i = 0; !r && list && i < n; i++) {
		bool exact[2];

		rule_exact(&rules[i], version, exact);
		r = builder_entry(builder, &rules[i], version, exact, &list[i]);
	}
	if (!r)
		r = builder_finish(builder, &h, ret);
	*ret_ms = bench_now_ms() - start;
	return r;
}

/* Sum of the ids found for the first `runs` headers. */
static uint64_t found(struct bench *b, struct bpf_program *prog, uint32_t runs)
{
	double base = b->base_ns;
	unsigned int passes = b->passes;

	b->passes = 1;
	bench_run(b, prog, runs);
	b->passes = passes;
	b->base_ns = base;
	return b->skel->bss->sum;
}

/* A set that is searched one by one, and whether both find the same. */
static int measure_list(struct bench *b, const struct index_rule *rules, size_t n, int version,
			const char *name)
{
	_cleanup_(freep) struct gw_ent *list = calloc(n, sizeof(*list));
	_cleanup_(image_freep) struct image *img = NULL;
	uint32_t runs = (uint32_t)MAX(HEADERS / n, 200U);
	double ms;
	int r;

	if (!list)
		return raise(-ENOMEM, "no room for a list");
	r = build(b, rules, n, version, &img, list, &ms);
	if (!r)
		r = bench_put(b, img);
	if (r)
		return r;
	list[n - 1].flags |= GW_ENT_LAST;
	memcpy(b->region + img->nlines * GW_LINE_SIZE, list, n * sizeof(*list));
	b->skel->bss->list_at = (uint32_t)img->nlines * 2;
	b->skel->bss->list_n = (uint32_t)n;
	bench_say(b, bench_run(b, b->skel->progs.run_list, runs), "list %d %s %zu", version, name,
		  n);
	if (found(b, b->skel->progs.run_list, runs) == found(b, b->skel->progs.run_find, runs))
		return 0;
	return raise(-EBADMSG, "index and list differ: %s, %zu rules", name, n);
}

static int measure_rules(struct bench *b, enum rulegen_kind kind, size_t n, int version, bool list)
{
	_cleanup_(freep) struct index_rule *rules = rulegen_rules(kind, version, n, 7);
	_cleanup_(image_freep) struct image *img = NULL;
	const char *name = rulegen_names[kind];
	double ms;
	int r = rules ? build(b, rules, n, version, &img, NULL, &ms) : -ENOMEM;

	if (!r)
		r = bench_put(b, img);
	if (r)
		return r;
	b->skel->bss->v6 = version == 6;
	make_headers(b, rules, n, version, false);
	bench_base(b);
	bench_say(b, bench_run(b, b->skel->progs.run_find, HEADERS), "ns %d %s %zu", version, name,
		  n);
	bench_say(b, (double)img->nlines * GW_LINE_SIZE / (double)n, "bytes %d %s %zu", version,
		  name, n);
	bench_say(b, ms, "ms %d %s %zu", version, name, n);
	make_headers(b, rules, n, version, true);
	bench_say(b, bench_run(b, b->skel->progs.run_find, HEADERS), "flood %d %s %zu", version,
		  name, n);
	make_headers(b, rules, n, version, false);
	return list ? measure_list(b, rules, n, version, name) : 0;
}

/* ------------------------------------------------------------------------------------------------- what stands beside */

static int fill_flows(struct bench *b)
{
	const struct flow_value v = { { 1 } };

	for (uint32_t i = 0; i < HEADERS; i++) {
		if (bpf_map_update_elem(bpf_map__fd(b->skel->maps.flows), &b->headers[i].flow, &v,
					BPF_ANY) < 0)
			return raise(-errno, "cannot fill the flows");
	}
	return 0;
}

static int measure_flows(struct bench *b)
{
	_cleanup_(freep) struct index_rule *rules = rulegen_rules(RULEGEN_ACL, 4, 10000, 7);
	int r;

	if (!rules)
		return raise(-ENOMEM, "no rules");
	make_headers(b, rules, 10000, 4, false);
	r = fill_flows(b);
	if (r)
		return r;
	bench_base(b);
	bench_say(b, bench_run(b, b->skel->progs.run_flow, HEADERS), "lru");
	return b->skel->bss->sum == HEADERS ? 0 : raise(-EBADMSG, "flows are missing");
}

static void put_be(uint8_t *to, uint64_t v, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		to[i] = (uint8_t)(v >> (8 * (bytes - 1 - i)));
}

/* A blocklist: 70 % single addresses, the rest /24 and other lengths. */
static void make_prefixes(struct index_range *to, size_t n, int version)
{
	struct rulegen g = { 1234 };

	for (size_t i = 0; i < n; i++) {
		uint32_t dice = rulegen_below(&g, 100);
		unsigned int len = dice < 70 ? 32 : dice < 85 ? 24 : 17 + rulegen_below(&g, 15);
		uint64_t hi = 0x20010000ULL << 32 | rulegen_next(&g) >> 16, lo = rulegen_next(&g);
		uint64_t host = version == 6 ? len < 32 ? ~0ULL : 0 : UINT32_MAX >> (len - 1) >> 1;

		if (version == 4) {
			hi = 0;
			lo >>= 32;
		}
		to[i] = (struct index_range){ { hi, lo & ~host }, { hi, lo | host } };
	}
}

/* Half of the packets meet an element. */
static void set_headers(struct bench *b, const struct index_range *ranges, size_t n, int version)
{
	struct rulegen g = { 99 };

	for (uint32_t i = 0; i < HEADERS; i++) {
		struct header *h = &b->headers[i];
		uint64_t hi = rulegen_next(&g) >> 3 | 1ULL << 61, lo = rulegen_next(&g);

		if (i & 1) {
			const struct index_range *r = &ranges[rulegen_below(&g, (uint32_t)n)];

			hi = r->lo[0];
			lo = r->lo[1] + (lo & (r->hi[1] - r->lo[1]));
		}
		put_be(h->set_key.key, version == 6 ? hi : lo, version == 6 ? 8 : 4);
		put_be(h->set_key.key + 8, lo, 8);
		h->lpm.len = 32;
		put_be(h->lpm.addr, lo, 4);
	}
}

static int measure_trie(struct bench *b, const struct index_range *ranges, size_t n)
{
	double start = bench_now_ms();
	const uint32_t one = 1;

	for (size_t i = 0; i < n; i++) {
		uint64_t host = ranges[i].hi[1] - ranges[i].lo[1];
		struct lpm_key key = { 32 - (host ? 64 - (uint32_t)__builtin_clzll(host) : 0), {} };

		put_be(key.addr, ranges[i].lo[1], 4);
		if (bpf_map_update_elem(bpf_map__fd(b->skel->maps.trie), &key, &one, BPF_ANY) < 0)
			return raise(-errno, "cannot fill the trie");
	}
	bench_say(b, bench_now_ms() - start, "trie ms %zu", n);
	bench_say(b, bench_run(b, b->skel->progs.run_trie, HEADERS), "trie ns %zu", n);
	return 0;
}

static int measure_set(struct bench *b, size_t n, int version, bool trie)
{
	_cleanup_(freep) struct index_range *ranges = calloc(n, sizeof(*ranges));
	_cleanup_(builder_freep) struct builder *builder = NULL;
	_cleanup_(image_freep) struct image *img = NULL;
	const struct gw_set head = {};
	const struct gw_head h = {};
	uint32_t set;
	uint64_t in;
	double start;
	int r;

	if (!ranges)
		return raise(-ENOMEM, "no prefixes");
	make_prefixes(ranges, n, version);
	set_headers(b, ranges, n, version);
	start = bench_now_ms();
	r = builder_new(REGION_LINES, &builder);
	if (!r)
		r = builder_set_ranges(builder, version == 6 ? 16 : 4, ranges, n, &head, &set);
	if (!r)
		r = builder_finish(builder, &h, &img);
	if (!r)
		bench_say(b, bench_now_ms() - start, "set ms %d %zu", version, n);
	if (!r)
		r = bench_put(b, img);
	if (r)
		return r;
	bench_base(b);
	bench_say(b, bench_run(b, b->skel->progs.run_set, HEADERS), "set ns %d %zu", version, n);
	in = b->skel->bss->sum;
	bench_say(b, (double)img->nlines * GW_LINE_SIZE / (double)n, "set bytes %d %zu", version,
		  n);
	if (!trie)
		return 0;
	r = measure_trie(b, ranges, n);
	return r ? r : b->skel->bss->sum == in ? 0 : raise(-EBADMSG, "set and trie differ");
}

/* -------------------------------------------------------------------------------------------------------------- rounds */

static int measure_mixes(struct bench *b, const struct options *o)
{
	size_t n_sizes = o->smoke ? 3 : ARRAY_SIZE(sizes);
	int r = 0;

	for (int version = 4; !r && version <= 6; version += 2) {
		for (size_t i = 0; !r && i < ARRAY_SIZE(mixes); i++) {
			for (size_t s = 0; !r && s < n_sizes; s++)
				r = measure_rules(b, mixes[i], sizes[s], version,
						  version == 4 && (o->smoke || i == 0));
		}
	}
	return r;
}

static int measure_all(struct bench *b, const struct options *o)
{
	int r = measure_flows(b);

	if (!r)
		r = measure_mixes(b, o);
	for (int kind = RULEGEN_NEST; !r && kind < RULEGEN_SAME; kind++)
		r = measure_rules(b, (enum rulegen_kind)kind, o->smoke ? 1000 : 100000, 4, false);
	for (int version = 4; !r && version <= 6; version += 2)
		r = measure_set(b, o->smoke ? 10000 : 1000000, version, version == 4);
	return r ? r : measure_flows(b);
}

static void say_verified(struct bench *b)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, b->skel->obj)
	{
		struct bpf_prog_info info = {};
		uint32_t len = sizeof(info);

		if (!bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len))
			bench_say(b, info.verified_insns, "verified %s", bpf_program__name(prog));
	}
}

static int round_of(const struct options *o, FILE *out)
{
	struct bench b = { .out = out, .passes = o->smoke ? 1 : 3 };
	int r = bench_open(&b, 1000000);

	if (!r)
		say_verified(&b);
	if (!r && !o->verify)
		r = measure_all(&b, o);
	bench_close(&b);
	return r;
}

/* -------------------------------------------------------------------------------------------------------------- report */

#define ROUNDS_MAX 15
struct figure {
	char name[48];
	double values[ROUNDS_MAX];
	unsigned int n;
};
struct report {
	struct figure figures[1024];
	size_t n;
};

static struct figure *figure_named(struct report *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++) {
		if (!strcmp(p->figures[i].name, name))
			return &p->figures[i];
	}
	if (p->n == ARRAY_SIZE(p->figures))
		return NULL;
	snprintf(p->figures[p->n].name, sizeof(p->figures[0].name), "%.*s",
		 (int)sizeof(p->figures[0].name) - 1, name);
	return &p->figures[p->n++];
}

/* "NAME VALUE" lines of one round; a name may come several times. */
static void read_round(struct report *p, FILE *in)
{
	char line[128];

	while (fgets(line, sizeof(line), in)) {
		char *value = strrchr(line, ' ');
		struct figure *f;

		if (!value)
			continue;
		*value++ = '\0';
		f = figure_named(p, line);
		if (f && f->n < ROUNDS_MAX)
			f->values[f->n++] = strtod(value, NULL);
	}
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(struct report *p, const char *fmt, ...)
{
	char name[48];
	struct figure *f;
	va_list args;

	va_start(args, fmt);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	f = figure_named(p, name);
	if (!f || !f->n)
		return 0;
	qsort(f->values, f->n, sizeof(*f->values), compare_doubles);
	return f->values[f->n / 2];
}

static void print_mixes(struct report *p, int version)
{
	double lru = median(p, "lru");

	printf("\nIPv%d, ns a packet (net; counters included)\n", version);
	printf("| rules | 10 | 100 | 1k | 10k | 100k | 10k/10 | 100k/10 | 10k/LRU | 100k/LRU | "
	       "flood 10k | flood 100k | "
	       "bytes a rule 100k | compile ms 10k | 100k "
	       "|\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < ARRAY_SIZE(mixes); i++) {
		const char *name = rulegen_names[mixes[i]];
		double ns[ARRAY_SIZE(sizes)];

		printf("| %s ", name);
		for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
			ns[s] = median(p, "ns %d %s %zu", version, name, sizes[s]);
			printf("| %.0f ", ns[s]);
		}
		printf("| %.1f | %.1f | %.2f | %.2f | %.2fx | %.2fx | %.0f | %.1f | %.1f |\n",
		       ns[3] / ns[0], ns[4] / ns[0], ns[3] / lru, ns[4] / lru,
		       median(p, "flood %d %s 10000", version, name) / ns[3],
		       median(p, "flood %d %s 100000", version, name) / ns[4],
		       median(p, "bytes %d %s 100000", version, name),
		       median(p, "ms %d %s 10000", version, name),
		       median(p, "ms %d %s 100000", version, name));
	}
}

static void print_report(struct report *p)
{
	printf("LRU_HASH lookup, 131072 flows: %.0f ns\n", median(p, "lru"));
	print_mixes(p, 4);
	print_mixes(p, 6);
	printf("\nLinear search, acl: ");
	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++)
		printf("%zu: %.0f ns  ", sizes[s], median(p, "list 4 acl %zu", sizes[s]));
	printf("\n\n| hard set, 100k | ns | flood ns | bytes a rule | compile ms "
	       "|\n|---|---|---|---|---|\n");
	for (int kind = RULEGEN_NEST; kind < RULEGEN_SAME; kind++) {
		const char *name = rulegen_names[kind];

		printf("| %s | %.0f | %.0f | %.0f | %.1f |\n", name,
		       median(p, "ns 4 %s 100000", name), median(p, "flood 4 %s 100000", name),
		       median(p, "bytes 4 %s 100000", name), median(p, "ms 4 %s 100000", name));
	}
	printf("\n| set of 1M prefixes | lookup ns | bytes each | build ms |\n|---|---|---|---|\n");
	for (int version = 4; version <= 6; version += 2)
		printf("| IPv%d | %.0f | %.1f | %.0f |\n", version,
		       median(p, "set ns %d 1000000", version),
		       median(p, "set bytes %d 1000000", version),
		       median(p, "set ms %d 1000000", version));
	printf("| LPM_TRIE, IPv4 | %.0f | | %.0f |\n\n", median(p, "trie ns 1000000"),
	       median(p, "trie ms 1000000"));
}

static void print_raw(struct report *p)
{
	for (size_t i = 0; i < p->n; i++)
		printf("%s %.1f\n", p->figures[i].name, median(p, "%s", p->figures[i].name));
}

/* One process; its figures go into the report. */
static int do_round(const struct options *o, struct report *p)
{
	FILE *file = tmpfile();
	int status;
	pid_t pid;

	if (!file)
		return raise(-errno, "cannot make a file");
	pid = fork();
	if (!pid) {
		int r = round_of(o, file);

		exit(fflush(file) || r ? 1 : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return raise(-errno, "cannot run a round");
	rewind(file);
	read_round(p, file);
	fclose(file);
	return status ? -ECHILD : 0;
}

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option known[] = { { "rounds", required_argument, NULL, 'r' },
					       { "smoke", no_argument, NULL, 's' },
					       { "verify", no_argument, NULL, 'v' },
					       { "raw", no_argument, NULL, 'w' },
					       {} };
	uint64_t n;
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 's') {
			o->smoke = true;
			o->rounds = 1;
		} else if (c == 'v') {
			o->verify = true;
			o->rounds = 1;
		} else if (c == 'w') {
			o->raw = true;
		} else if (c == 'r' && str_to_u64(optarg, 1, ROUNDS_MAX / 2, &n)) {
			o->rounds = (unsigned int)n;
		} else {
			fprintf(stderr,
				"usage: classify [--rounds N] [--smoke] [--verify] [--raw]\n");
			return 2;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = { .rounds = 5 };
	struct report *p = calloc(1, sizeof(*p));
	int r = parse(argc, argv, &o);

	if (r || !p)
		return r;
	if (geteuid()) {
		fprintf(stderr, "classify: needs root\n");
		free(p);
		return 77;
	}
	for (unsigned int i = 0; i < o.rounds && !r; i++)
		r = do_round(&o, p);
	if (o.smoke || o.verify || o.raw)
		print_raw(p);
	if (o.raw)
		putchar('\n');
	if (!o.smoke && !o.verify && !r)
		print_report(p);
	free(p);
	return r ? 1 : 0;
}
