/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Load the object: adopt the state maps that are pinned, pin the new ones.  Nothing is attached here, and until the
 * last step succeeded the pins are as they were.
 */
#include <sys/mman.h>
#include <sys/resource.h>
#include <kern/impl.h>

/* State that survives a restart and an upgrade ("pinned: yes" on the map page). */
static const char *const pinned_maps[] = {
	"gw_est4",   "gw_est6",	  "gw_emb4",	 "gw_emb6", "gw_ifs",	"gw_ifs_far", "gw_local4",
	"gw_local6", "gw_region", "gw_counters", "gw_conf", "gw_count", "gw_stats",   "gw_reasons",
	"gw_events", "gw_dynset", "gw_states",	 "gw_logs", "gw_ext",	"gw_eim",
};

#define LOG_SIZE      \
	((1U << 24) - \
	 1) /* what kernels before 6.4 take at most; they do not keep the tail of a longer one */
#define LOG_LINES 20

static int print_loud(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char line[1024];

	if (level == LIBBPF_DEBUG)
		return 0;
	vsnprintf(line, sizeof(line), fmt, ap);
	line[strcspn(line, "\n")] = '\0';
	log_err("%s", line);
	return 0;
}

static int print_quiet(enum libbpf_print_level level _unused_, const char *fmt _unused_,
		       va_list ap _unused_)
{
	return 0;
}

/* The end of the verifier's log says why. */
static void log_tail(char *log)
{
	char *start = log + strlen(log);
	char *save = NULL;
	int lines = 0;

	for (; start > log; start--)
		if (start[-1] == '\n' && start[0] && ++lines == LOG_LINES)
			break;
	for (char *s = strtok_r(start, "\n", &save); s; s = strtok_r(NULL, "\n", &save))
		log_err("verifier: %s", s);
}

static bool map_is_flow_table(const char *name)
{
	return strncmp(name, "gw_est", 6) == 0 || strncmp(name, "gw_emb", 6) == 0;
}

static bool map_is_region(const char *name)
{
	return strcmp(name, "gw_region") == 0;
}

/* Where the rules are, and how they are found there: both or none. */
static bool map_is_of_rules(const char *name)
{
	return map_is_region(name) || strcmp(name, "gw_conf") == 0;
}

static bool type_is_hash(uint32_t type)
{
	return type == BPF_MAP_TYPE_HASH || type == BPF_MAP_TYPE_LRU_HASH;
}

static bool map_fits(const struct bpf_map *map, const struct bpf_map_info *info)
{
	const char *name = bpf_map__name(map);
	bool flow = map_is_flow_table(name);

	if (info->key_size != bpf_map__key_size(map) ||
	    info->value_size != bpf_map__value_size(map))
		return false;
	if (flow ? !type_is_hash(info->type) : info->type != bpf_map__type(map))
		return false;
	if (info->map_flags != bpf_map__map_flags(map))
		return false;
	/* hashes and rings work with any size; an array that is too small would read as missing elements */
	return info->type == BPF_MAP_TYPE_RINGBUF || type_is_hash(info->type) ||
	       info->max_entries == bpf_map__max_entries(map) || map_is_region(name);
}

struct pinned {
	struct bpf_map *map;
	char path[PATH_MAX];
	int fd; /* of the pin found, -1 = none */
	bool made;
};

struct pins {
	struct pinned rows[ARRAY_SIZE(pinned_maps)];
	bool adopted;
	bool replace; /* the pins found do not fit: new ones take their place */
	/*
	 * The region found is of another size than is wanted.  The programs that are attached go on with it and with the conf that
	 * describes it; those of this load get a new region and a copy of conf.
	 */
	bool resized;
	struct gw_conf conf; /* resized: what to copy */
};

static bool row_is_new(const struct pins *p, size_t i)
{
	return p->rows[i].fd < 0 || p->replace || (p->resized && map_is_of_rules(pinned_maps[i]));
}

static struct pins *pins_free(struct pins *p)
{
	if (!p)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(p->rows); i++)
		closep(&p->rows[i].fd);
	free(p);
	return NULL;
}
DEFINE_FREEP(pins)

static uint32_t pin_size(int fd)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) < 0 ? 0 : info.max_entries;
}

static int pin_fd(const struct pins *p, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(p->rows); i++)
		if (strcmp(pinned_maps[i], name) == 0)
			return p->rows[i].fd;
	return -EBADF;
}

/* A gwd that died between the two pins left a region that conf does not describe: it is empty. */
static int pinned_check_region(struct kern *k, struct pins *p)
{
	int conf_fd = pin_fd(p, "gw_conf"), region_fd = pin_fd(p, "gw_region");
	uint32_t zero = 0;

	if (!p->adopted || p->replace || conf_fd < 0)
		return 0;
	if (bpf_map_lookup_elem(conf_fd, &zero, &p->conf) < 0)
		return raise(-errno, "read gw_conf");
	if (region_fd < 0 || p->conf.half_lines * 2 != pin_size(region_fd))
		p->resized = true;
	if (p->resized)
		log_notice("Replacing the region of rules lines=%u before=%u",
			   bpf_map__max_entries(k->skel->maps.gw_region) / 2, p->conf.half_lines);
	return 0;
}

static int pinned_find(struct kern *k, struct pins *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(p->rows); i++) {
		struct pinned *row = &p->rows[i];
		struct bpf_map_info info = {};
		__u32 len = sizeof(info);

		row->map = bpf_object__find_map_by_name(k->skel->obj, pinned_maps[i]);
		if (!row->map)
			return raise(-ENOENT, "the BPF object has no map %s", pinned_maps[i]);
		pins_path(row->path, k->dir, "%s", pinned_maps[i]);
		row->fd = bpf_obj_get(row->path);
		if (row->fd < 0)
			continue;
		p->adopted = true;
		if (map_is_region(pinned_maps[i]) &&
		    pin_size(row->fd) != bpf_map__max_entries(row->map))
			p->resized = true;
		if (bpf_obj_get_info_by_fd(row->fd, &info, &len) < 0 ||
		    !map_fits(row->map, &info)) {
			log_warning("found a pinned map of another layout, starting without state "
				    "path=%s",
				    row->path);
			p->replace = true;
		}
	}
	return 0;
}

/* All or nothing: a ruleset without its conf, or flows without their rules, would be neither old nor new. */
static int pinned_reuse(struct pins *p)
{
	if (p->replace)
		p->adopted = false;
	for (size_t i = 0; p->adopted && i < ARRAY_SIZE(p->rows); i++) {
		struct pinned *row = &p->rows[i];
		uint32_t wanted = bpf_map__max_entries(row->map);
		int r;

		if (row_is_new(p, i))
			continue;
		r = bpf_map__reuse_fd(row->map, row->fd);
		if (r < 0)
			return raise(r, "adopt %s", row->path);
		if (bpf_map__max_entries(row->map) != wanted)
			log_notice(
				"kept the size of a table in use map=%s entries=%u configured=%u",
				pinned_maps[i], bpf_map__max_entries(row->map), wanted);
	}
	return 0;
}

/* Take back what pinned_make() did. */
static void pinned_undo(struct pins *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(p->rows); i++) {
		struct pinned *row = &p->rows[i];

		if (!row->made)
			continue;
		unlink(row->path);
		if (row->fd >= 0 && bpf_obj_pin(row->fd, row->path) < 0)
			log_err("can not put back pin %s", row->path);
	}
}

/* In one step, so that whoever looks finds the old one or the new one. */
static int pin_over(int fd, const char *path)
{
	char next[PATH_MAX];

	if (snprintf(next, sizeof(next), "%s_next", path) >= (int)sizeof(next))
		return -ENAMETOOLONG;
	unlink(next);
	if (bpf_obj_pin(fd, next) < 0)
		return -errno;
	return rename(next, path) < 0 ? -errno : 0;
}

static int pinned_make(struct pins *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(p->rows); i++) {
		struct pinned *row = &p->rows[i];
		int r;

		if (!row_is_new(p, i))
			continue;
		row->made = true;
		r = pin_over(bpf_map__fd(row->map), row->path);
		if (r < 0)
			return raise(r, "pin map %s", row->path);
	}
	return 0;
}

bool jmp_path(const struct kern *k, const struct bpf_map *map, char path[static PATH_MAX])
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	if (bpf_map__type(map) != BPF_MAP_TYPE_PROG_ARRAY ||
	    bpf_obj_get_info_by_fd(bpf_map__fd(map), &info, &len) < 0)
		return false;
	pins_path(path, k->dir, "jmp_%u", info.id);
	return true;
}

static int jmp_pin(struct kern *k)
{
	struct bpf_map *map;
	char path[PATH_MAX];

	bpf_object__for_each_map(map, k->skel->obj) if (jmp_path(k, map, path) &&
							bpf_obj_pin(bpf_map__fd(map), path) <
								0) return raise(-errno,
										"pin map %s", path);
	return 0;
}

static void jmp_unpin(struct kern *k)
{
	struct bpf_map *map;
	char path[PATH_MAX];

	bpf_object__for_each_map(map, k->skel->obj) if (jmp_path(k, map, path)) unlink(path);
}

static void knobs_set(struct kern *k)
{
	struct gw_bpf *s = k->skel;

	s->rodata->cfg_hz = k->features.hz;
	s->rodata->cfg_fib_mark = k->features.fib_mark;
	s->rodata->cfg_fib_skip_neigh = probe_fib_skip_neigh();
	s->rodata->cfg_csum_ipv6 = k->features.csum_ipv6;
	s->rodata->cfg_kern_ctx = k->features.kern_ctx;
}

static int resize(struct bpf_map *map, uint32_t max)
{
	int r = max ? bpf_map__set_max_entries(map, max) : 0;

	return r < 0 ? raise(r, "size of %s: %u", bpf_map__name(map), max) : 0;
}

static int sizes_set(struct kern *k, const struct kern_config *cfg)
{
	struct gw_bpf *s = k->skel;
	const struct {
		struct bpf_map *map;
		uint64_t max;
	} rows[] = {
		{ s->maps.gw_est4, 2 * (uint64_t)cfg->flows_max },
		{ s->maps.gw_est6, 2 * (uint64_t)cfg->flows_max },
		{ s->maps.gw_emb4, 2 * (uint64_t)cfg->embryonic_max },
		{ s->maps.gw_emb6, 2 * (uint64_t)cfg->embryonic_max },
		{ s->maps.gw_counters, GW_COUNTERS_MAX * (uint64_t)k->features.cpus },
		{ s->maps.gw_next, GW_NEXT_MAX * (uint64_t)k->features.cpus },
		{ s->maps.gw_events, cfg->ring_bytes },
		{ s->maps.gw_region, 2 * (uint64_t)cfg->rules_mb * (1 << 20) / GW_LINE_SIZE },
		{ s->maps.gw_dynset, cfg->dynset_max },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int r = rows[i].max > UINT32_MAX ? -E2BIG : resize(rows[i].map, rows[i].max);

		if (r < 0)
			return r == -E2BIG ? raise(r, "size of %s", bpf_map__name(rows[i].map)) : r;
	}
	if (cfg->flows_hash) {
		bpf_map__set_type(s->maps.gw_est4, BPF_MAP_TYPE_HASH);
		bpf_map__set_type(s->maps.gw_est6, BPF_MAP_TYPE_HASH);
	}
	return 0;
}

static int object_load(struct kern *k, char *log)
{
	int r;

	libbpf_set_print(print_loud);
	r = gw_bpf__load(k->skel);
	libbpf_set_print(print_quiet);
	if (r == 0)
		return 0;
	log_tail(log);
	return raise(r, "the kernel refused the BPF object (kernel %s)", k->features.release);
}

static int object_open(struct kern *k, const struct kern_config *cfg, char *log)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .kernel_log_buf = log, .kernel_log_size = LOG_SIZE);

	k->skel = gw_bpf__open_opts(&opts);
	if (!k->skel)
		return raise(-errno, "read the built-in BPF object");
	knobs_set(k);
	return sizes_set(k, cfg);
}

static int open_maps(struct kern *k, const struct kern_config *cfg, bool *ret_adopted)
{
	_cleanup_(pins_freep) struct pins *p = calloc(1, sizeof(*p));
	_cleanup_(freep) char *log = calloc(1, LOG_SIZE);
	int r;

	if (!p || !log)
		return raise(-ENOMEM, "kern_open");
	for (size_t i = 0; i < ARRAY_SIZE(p->rows); i++)
		p->rows[i].fd = -EBADF;
	r = object_open(k, cfg, log);
	if (r == 0)
		r = pinned_find(k, p);
	if (r == 0)
		r = pinned_check_region(k, p);
	if (r == 0)
		r = pinned_reuse(p);
	if (r == 0)
		r = object_load(k, log);
	if (r == 0 && p->resized)
		r = maps_update_conf(k, &p->conf);
	if (r == 0)
		r = maps_open(k);
	if (r == 0)
		r = image_open(k);
	if (r == 0)
		r = maps_update_conf(k, &k->conf);
	if (r == 0)
		r = events_open(k);
	if (r < 0)
		return r;
	r = jmp_pin(k);
	if (r == 0)
		r = pinned_make(p);
	if (r < 0) {
		jmp_unpin(k);
		pinned_undo(p);
	}
	*ret_adopted = p->adopted;
	return r;
}

static void features_add_sizes(struct kern *k)
{
	k->features.flows_max = bpf_map__max_entries(k->skel->maps.gw_est4) / 2;
	k->features.embryonic_max = bpf_map__max_entries(k->skel->maps.gw_emb4) / 2;
	k->features.dynset_max = bpf_map__max_entries(k->skel->maps.gw_dynset);
}

int kern_open(const struct kern_config *cfg, struct kern **ret_kern, bool *ret_adopted)
{
	_cleanup_(kern_freep) struct kern *k = calloc(1, sizeof(*k));
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	bool adopted = false;
	int r;

	if (!k)
		return raise(-ENOMEM, "kern_open");
	k->jiffies_fd = -EBADF;
	libbpf_set_print(print_quiet);
	/* Kernels before 5.11 counted maps; later ones do not care, nor that this may be forbidden. */
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	r = pins_prepare(cfg->pin_dir);
	if (r < 0)
		return r;
	snprintf(k->pin_dir, sizeof(k->pin_dir), "%s", cfg->pin_dir);
	pins_path(k->dir, k->pin_dir, "v%u", GW_ABI_VERSION);
	k->jiffies_fd = probe_load_jiffies();
	if (k->jiffies_fd < 0)
		return k->jiffies_fd;
	r = probe_features(&k->features, cfg->force_clsact);
	if (r == 0)
		r = open_maps(k, cfg, &adopted);
	if (r < 0)
		return r;
	features_add_sizes(k);
	attach_collect(k);
	*ret_kern = TAKE_PTR(k);
	*ret_adopted = adopted;
	return 0;
}

struct kern *kern_free(struct kern *k)
{
	if (!k)
		return NULL;
	ring_buffer__free(k->ring);
	ring_buffer__free(k->log_ring);
	image_close(k);
	if (k->counters)
		munmap(k->counters, k->counters_size);
	closep(&k->jiffies_fd);
	gw_bpf__destroy(k->skel);
	free(k);
	return NULL;
}

const struct kern_features *kern_features(const struct kern *k)
{
	return &k->features;
}
