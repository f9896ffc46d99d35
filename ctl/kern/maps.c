/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading and writing the small maps: conf, interfaces, own addresses, counters, statistics, drop reasons.
 */
#include <sys/mman.h>
#include <kern/impl.h>

static int counters_map(struct kern *k)
{
	struct bpf_map *map = k->skel->maps.gw_counters;
	size_t size = (size_t)bpf_map__max_entries(map) * sizeof(struct gw_counter);
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	if (p == MAP_FAILED)
		return raise(-errno, "map the rule counters");
	k->counters = p;
	k->counters_size = size;
	return 0;
}

int maps_open(struct kern *k)
{
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(bpf_map__fd(k->skel->maps.gw_conf), &zero, &k->conf) < 0)
		return raise(-errno, "read gw_conf");
	return counters_map(k);
}

struct gw_conf *kern_conf(struct kern *k)
{
	return &k->conf;
}

int maps_update_conf(struct kern *k, const struct gw_conf *conf)
{
	uint32_t zero = 0;

	if (bpf_map_update_elem(bpf_map__fd(k->skel->maps.gw_conf), &zero, conf, BPF_ANY) < 0)
		return raise(-errno, "write gw_conf");
	return 0;
}

int kern_conf_push(struct kern *k)
{
	return maps_update_conf(k, &k->conf);
}

/* Set, or delete without minding that it is not there. */
static int map_put(const struct bpf_map *map, const void *key, const void *value)
{
	int fd = bpf_map__fd(map);
	int r = value ? bpf_map_update_elem(fd, key, value, BPF_ANY) : bpf_map_delete_elem(fd, key);

	if (r < 0 && !(errno == ENOENT && !value))
		return raise(-errno, "write %s", bpf_map__name(map));
	return 0;
}

int kern_if_set(struct kern *k, unsigned int ifindex, const struct gw_if *row)
{
	static const struct gw_if none;
	uint32_t key = ifindex;
	bool forget = !row || !row->flags;

	if (ifindex < GW_IFS_ARRAY)
		return map_put(k->skel->maps.gw_ifs, &key, forget ? &none : row);
	return map_put(k->skel->maps.gw_ifs_far, &key, forget ? NULL : row);
}

int kern_local_set(struct kern *k, int family, const void *addr, const struct gw_local *value)
{
	const struct bpf_map *map = family == 4 ? k->skel->maps.gw_local4 : k->skel->maps.gw_local6;

	return map_put(map, addr, value);
}

static struct gw_counter *counter_row(const struct kern *k, uint32_t cid, unsigned int cpu)
{
	return &k->counters[(size_t)cpu * GW_COUNTERS_MAX + cid];
}

void kern_counter_get(const struct kern *k, uint32_t cid, uint64_t *ret_pkts, uint64_t *ret_bytes)
{
	uint64_t pkts = 0, bytes = 0;

	for (unsigned int cpu = 0; cid < GW_COUNTERS_MAX && cpu < k->features.cpus; cpu++) {
		const struct gw_counter *row = counter_row(k, cid, cpu);

		pkts += __atomic_load_n(&row->pkts, __ATOMIC_RELAXED);
		bytes += __atomic_load_n(&row->bytes, __ATOMIC_RELAXED);
	}
	*ret_pkts = pkts;
	*ret_bytes = bytes;
}

void kern_counter_set(struct kern *k, uint32_t cid, uint64_t pkts, uint64_t bytes)
{
	for (unsigned int cpu = 0; cid < GW_COUNTERS_MAX && cpu < k->features.cpus; cpu++) {
		struct gw_counter *row = counter_row(k, cid, cpu);

		__atomic_store_n(&row->pkts, cpu ? 0 : pkts, __ATOMIC_RELAXED);
		__atomic_store_n(&row->bytes, cpu ? 0 : bytes, __ATOMIC_RELAXED);
	}
}

/* All CPUs' values of one element; values are multiples of 8 bytes, as the kernel lays them out. */
static int percpu_get(const struct bpf_map *map, uint32_t index, void *ret_values)
{
	if (bpf_map_lookup_elem(bpf_map__fd(map), &index, ret_values) < 0)
		return raise(-errno, "read %s", bpf_map__name(map));
	return 0;
}

int kern_stats(struct kern *k, uint64_t *ret)
{
	_cleanup_(freep) uint64_t *values = calloc(k->features.cpus, sizeof(*values));

	if (!values)
		return raise(-ENOMEM, "kern_stats");
	for (unsigned int stat = 0; stat < GW_STAT_MAX; stat++) {
		int r = percpu_get(k->skel->maps.gw_stats, stat, values);

		if (r < 0)
			return r;
		for (unsigned int cpu = 0; cpu < k->features.cpus; cpu++)
			ret[cpu * GW_STAT_MAX + stat] = values[cpu];
	}
	return 0;
}

int maps_stat_sum(struct kern *k, enum gw_stat stat, uint64_t *ret_sum)
{
	_cleanup_(freep) uint64_t *values = calloc(k->features.cpus, sizeof(*values));
	uint64_t sum = 0;
	int r;

	if (!values)
		return raise(-ENOMEM, "maps_stat_sum");
	r = percpu_get(k->skel->maps.gw_stats, stat, values);
	if (r < 0)
		return r;
	for (unsigned int cpu = 0; cpu < k->features.cpus; cpu++)
		sum += values[cpu];
	*ret_sum = sum;
	return 0;
}

static struct gw_reason_row reason_sum(const struct gw_reason_row *rows, unsigned int cpus)
{
	struct gw_reason_row sum = rows[0];

	for (unsigned int cpu = 1; cpu < cpus; cpu++) {
		uint64_t pkts = sum.pkts + rows[cpu].pkts, bytes = sum.bytes + rows[cpu].bytes;

		if (rows[cpu].time_ns > sum.time_ns)
			sum = rows[cpu];
		sum.pkts = pkts;
		sum.bytes = bytes;
	}
	return sum;
}

int kern_reasons(struct kern *k, struct gw_reason_row *ret)
{
	_cleanup_(freep) struct gw_reason_row *rows = calloc(k->features.cpus, sizeof(*rows));

	if (!rows)
		return raise(-ENOMEM, "kern_reasons");
	for (unsigned int i = 0; i < GW_REASON_MAX; i++) {
		int r = percpu_get(k->skel->maps.gw_reasons, i, rows);

		if (r < 0)
			return r;
		ret[i] = reason_sum(rows, k->features.cpus);
	}
	return 0;
}
