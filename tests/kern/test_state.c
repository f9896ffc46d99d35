/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Images, counters, statistics, connections and events through the maps of a loaded object.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <time.h>
#include "fixture.h"

static struct kern *kern;

static void setup(void)
{
	fixture_setup();
	kern = fixture_open(false, false);
}

static void teardown(void)
{
	kern = kern_free(kern);
	fixture_teardown();
}

/* Lines of an empty ruleset. */
#define IMAGE_LINES 2
struct lines {
	uint8_t line[IMAGE_LINES + 5000][GW_LINE_SIZE];
};

static int swap(uint32_t gen, size_t nlines, uint32_t hooks4)
{
	_cleanup_(freep) struct lines *image = calloc(1, sizeof(*image));
	struct gw_head head = {
		.gen = gen, .nlines = nlines, .hooks4 = hooks4, .hooks6 = 3, .flags = 1
	};

	memcpy(image->line[0], &head, sizeof(head));
	return kern_image_swap(kern, image, nlines);
}

static struct gw_conf conf_in_force(void)
{
	struct gw_conf conf;
	uint32_t zero = 0;

	ck_assert_int_eq(bpf_map_lookup_elem(bpf_map__fd(kern->skel->maps.gw_conf), &zero, &conf),
			 0);
	return conf;
}

/* As a header says it, whatever is there. */
static int swap_lines(uint32_t gen, size_t nlines)
{
	_cleanup_(freep) struct gw_head *lines = calloc(nlines, GW_LINE_SIZE);

	*lines = (struct gw_head){ .gen = gen, .nlines = (uint32_t)nlines };
	return kern_image_swap(kern, lines, nlines);
}

START_TEST(image_swap_publishes_generation_and_hooks)
{
	struct gw_head head = { .gen = 99 };

	ck_assert_int_eq(kern_image_head(kern, &head), 0);
	ck_assert_uint_eq(head.gen, 0);
	ck_assert_int_eq(swap(1, IMAGE_LINES, 5), 0);
	ck_assert_int_eq(swap(2, IMAGE_LINES + 5000, 8), 0);
	ck_assert_int_eq(kern_image_head(kern, &head), 0);
	ck_assert_uint_eq(head.gen, 2);
	ck_assert_uint_eq(head.nlines, IMAGE_LINES + 5000);
	ck_assert_uint_eq(conf_in_force().gen, 2);
	ck_assert_uint_eq(conf_in_force().hooks4 & 8, 8);
	ck_assert_uint_eq(conf_in_force().image_flags, 1);
	ck_assert_uint_eq(kern_conf(kern)->gen, 2);
}
END_TEST

START_TEST(image_survives_the_process)
{
	struct gw_head head;

	ck_assert_int_eq(swap(7, IMAGE_LINES, 1), 0);
	kern_free(kern);
	kern = fixture_open(false, true);
	ck_assert_int_eq(kern_image_head(kern, &head), 0);
	ck_assert_uint_eq(head.gen, 7);
	ck_assert_uint_eq(kern_conf(kern)->gen, 7);
}
END_TEST

START_TEST(hooks_of_both_images_hold_until_no_packet_reads_the_old_one)
{
	ck_assert_int_eq(swap(1, IMAGE_LINES, 5), 0);
	ck_assert_int_eq(swap(2, IMAGE_LINES, 8), 0);
	ck_assert_uint_eq(conf_in_force().hooks4, 5 | 8);
	ck_assert_int_eq(kern_image_settle(kern), 0);
	ck_assert_uint_eq(conf_in_force().hooks4, 8);
}
END_TEST

START_TEST(swap_that_was_not_settled_is_settled_by_the_next_gwd)
{
	ck_assert_int_eq(swap(1, IMAGE_LINES, 9), 0);
	ck_assert_int_eq(swap(2, IMAGE_LINES, 1), 0);
	kern_free(kern);
	kern = fixture_open(false, true);
	ck_assert_uint_eq(conf_in_force().gen, 2);
	ck_assert_uint_eq(conf_in_force().hooks4, 1);
	ck_assert_uint_eq(conf_in_force().hooks6, 3);
}
END_TEST

START_TEST(change_in_place_stays_in_its_half)
{
	struct gw_head head;
	void *live;

	ck_assert_int_lt(kern_image_changed(kern), 0);
	ck_assert_int_eq(swap(1, IMAGE_LINES, 5), 0);
	live = kern_image_live(kern);
	ck_assert_int_eq(kern_image_changed(kern), 0);
	ck_assert_ptr_eq(kern_image_live(kern), live);
	ck_assert_uint_eq(conf_in_force().gen, 3);
	ck_assert_int_eq(kern_image_head(kern, &head), 0);
	ck_assert_uint_eq(head.gen, 3);
	ck_assert_int_lt(swap(5, IMAGE_LINES, 5), 0);
	ck_assert_int_eq(swap(4, IMAGE_LINES, 5), 0);
	ck_assert_ptr_ne(kern_image_live(kern), live);
}
END_TEST

/* conf moves first, and gwd is killed. */
START_TEST(change_in_place_that_was_cut_short_is_finished_by_the_next_gwd)
{
	struct gw_head head;

	ck_assert_int_eq(swap(1, IMAGE_LINES, 5), 0);
	kern_conf(kern)->gen = 3;
	ck_assert_int_eq(kern_conf_push(kern), 0);
	kern_free(kern);
	kern = fixture_open(false, true);
	ck_assert_int_eq(kern_image_head(kern, &head), 0);
	ck_assert_uint_eq(head.gen, 3);
}
END_TEST

static struct kern *open_with_memory(uint32_t mb)
{
	struct kern_config cfg = fixture_config(false);
	struct kern *k = NULL;
	bool adopted = false;

	cfg.rules_mb = mb;
	ck_assert_int_eq(kern_open(&cfg, &k, &adopted), 0);
	ck_assert(adopted);
	return k;
}

/* Programs that are attached go on with the old region: the new one is empty, everything else is as it was. */
START_TEST(region_of_another_size_replaces_the_one_that_is_pinned)
{
	struct gw_head head;

	ck_assert_int_eq(swap(1, IMAGE_LINES, 5), 0);
	kern_counter_set(kern, 3, 30, 300);
	for (uint32_t mb = 2; mb > 0; mb--) {
		uint64_t pkts, bytes;

		kern_free(kern);
		kern = open_with_memory(mb);
		ck_assert_uint_eq(kern_image_cap(kern), mb << 14);
		ck_assert_uint_eq(conf_in_force().half_lines, mb << 14);
		ck_assert_uint_eq(conf_in_force().gen, mb == 2 ? 1 : 2);
		ck_assert_ptr_null(kern_image_live(kern));
		kern_counter_get(kern, 3, &pkts, &bytes);
		ck_assert_uint_eq(pkts, 30);
		ck_assert_int_eq(swap(mb == 2 ? 2 : 3, IMAGE_LINES, 5), 0);
	}
	kern_free(kern);
	kern = open_with_memory(1);
	ck_assert_int_eq(kern_image_head(kern, &head), 0);
	ck_assert_uint_eq(head.gen, 3);
}
END_TEST

/* Killed between the two pins: a region that conf does not describe. */
START_TEST(region_without_its_conf_is_made_anew)
{
	ck_assert_int_eq(swap(1, IMAGE_LINES, 5), 0);
	kern_conf(kern)->half_lines = 12345;
	ck_assert_int_eq(kern_conf_push(kern), 0);
	kern_free(kern);
	kern = fixture_open(false, true);
	ck_assert_ptr_null(kern_image_live(kern));
	ck_assert_uint_eq(conf_in_force().half_lines, kern_image_cap(kern));
	ck_assert_uint_eq(conf_in_force().gen, 1);
}
END_TEST

START_TEST(elements_of_dynamic_sets_are_put_found_and_survive)
{
	struct gw_dynkey key = { .set = 7, .key = { 10, 0, 0, 1 } };
	struct gw_dynval value = { .expires_ns = 5, .pkts = 1 }, got;

	ck_assert_int_eq(kern_dynset_get(kern, &key, &got), 0);
	ck_assert_int_eq(kern_dynset_put(kern, &key, &value, true), 0);
	value.pkts = 2;
	ck_assert_int_eq(kern_dynset_put(kern, &key, &value, true), 1);
	kern_free(kern);
	kern = fixture_open(false, true);
	ck_assert_int_eq(kern_dynset_get(kern, &key, &got), 1);
	ck_assert_uint_eq(got.pkts, 1);
	ck_assert_int_eq(kern_dynset_put(kern, &key, &value, false), 0);
	ck_assert_int_eq(kern_dynset_get(kern, &key, &got), 1);
	ck_assert_uint_eq(got.pkts, 2);
	ck_assert_int_eq(kern_dynset_delete(kern, &key), 1);
	ck_assert_int_eq(kern_dynset_delete(kern, &key), 0);
}
END_TEST

#define ELEMENTS 5000
static int see_element(const struct gw_dynkey *key, const struct gw_dynval *value, void *arg)
{
	uint8_t *seen = arg;
	uint32_t n;

	memcpy(&n, key->key, sizeof(n));
	ck_assert_uint_lt(n, ELEMENTS);
	ck_assert_uint_eq(value->pkts, n);
	seen[n]++;
	return 0;
}

static int stop_walk(const struct gw_dynkey *key, const struct gw_dynval *value, void *arg)
{
	return 42;
}

START_TEST(walk_over_elements_sees_each_one_once)
{
	_cleanup_(freep) uint8_t *seen = calloc(ELEMENTS, 1);

	ck_assert_int_eq(kern_dynset_walk(kern, stop_walk, NULL), 0);
	for (uint32_t n = 0; n < ELEMENTS; n++) {
		struct gw_dynkey key = { .set = 1 };

		memcpy(key.key, &n, sizeof(n));
		ck_assert_int_eq(
			kern_dynset_put(kern, &key, &(struct gw_dynval){ .pkts = n }, true), 0);
	}
	ck_assert_int_eq(kern_dynset_walk(kern, see_element, seen), 0);
	for (uint32_t n = 0; n < ELEMENTS; n++)
		ck_assert_uint_eq(seen[n], 1);
	ck_assert_int_eq(kern_dynset_walk(kern, stop_walk, NULL), 42);
}
END_TEST

START_TEST(full_map_of_elements_refuses_one_more)
{
	struct gw_dynval value = {};
	struct kern_config cfg = fixture_config(false);
	bool adopted;
	int r = 0;

	kern_free(kern);
	ck_assert_int_eq(kern_off(pin_dir), 0);
	cfg.dynset_max = 64;
	ck_assert_int_eq(kern_open(&cfg, &kern, &adopted), 0);
	ck_assert_uint_eq(kern_features(kern)->dynset_max, 64);
	/* the spare elements of other CPUs may be used, too */
	for (uint32_t n = 0; n < 1000 && r == 0; n++) {
		struct gw_dynkey key = { .set = n + 1 };

		r = kern_dynset_put(kern, &key, &value, true);
	}
	ck_assert_int_eq(r, -E2BIG);
}
END_TEST

START_TEST(states_of_rules_are_kept)
{
	struct gw_state state = { .tat = 1, .used = 2 }, got;

	ck_assert_int_eq(kern_state_set(kern, 9, &state), 0);
	kern_free(kern);
	kern = fixture_open(false, true);
	ck_assert_int_eq(kern_state_get(kern, 9, &got), 0);
	ck_assert_uint_eq(got.used, 2);
	ck_assert_int_lt(kern_state_get(kern, GW_STATES_MAX, &got), 0);
}
END_TEST

START_TEST(impossible_image_changes_nothing)
{
	struct gw_head head;

	ck_assert_int_eq(swap(1, IMAGE_LINES, 5), 0);
	ck_assert_int_lt(swap(2, 0, 8), 0);
	ck_assert_int_lt(swap(3, IMAGE_LINES, 8), 0);
	ck_assert_int_lt(swap_lines(2, kern_image_cap(kern) + 1), 0);
	ck_assert_int_eq(kern_image_head(kern, &head), 0);
	ck_assert_uint_eq(head.gen, 1);
	ck_assert_uint_eq(conf_in_force().hooks4, 5);
}
END_TEST

START_TEST(counters_sum_over_cpus)
{
	uint64_t pkts, bytes;

	kern_counter_set(kern, 3, 30, 300);
	for (unsigned int cpu = 0; cpu < kern_features(kern)->cpus; cpu++) {
		struct gw_counter row;
		uint32_t key = cpu * GW_COUNTERS_MAX + 3;
		int fd = bpf_map__fd(kern->skel->maps.gw_counters);

		ck_assert_int_eq(bpf_map_lookup_elem(fd, &key, &row), 0);
		ck_assert_uint_eq(row.pkts, cpu ? 0 : 30);
		row.pkts += 1;
		ck_assert_int_eq(bpf_map_update_elem(fd, &key, &row, BPF_ANY), 0);
	}
	kern_counter_get(kern, 3, &pkts, &bytes);
	ck_assert_uint_eq(pkts, 30 + kern_features(kern)->cpus);
	ck_assert_uint_eq(bytes, 300);
	kern_counter_get(kern, GW_COUNTERS_MAX, &pkts, &bytes);
	ck_assert_uint_eq(pkts, 0);
}
END_TEST

static void stat_set(enum gw_stat stat, uint64_t on_each_cpu)
{
	unsigned int cpus = kern_features(kern)->cpus;
	_cleanup_(freep) uint64_t *values = calloc(cpus, sizeof(*values));
	uint32_t key = stat;

	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		values[cpu] = on_each_cpu;
	ck_assert_int_eq(
		bpf_map_update_elem(bpf_map__fd(kern->skel->maps.gw_stats), &key, values, BPF_ANY),
		0);
}

START_TEST(stats_come_by_cpu)
{
	unsigned int cpus = kern_features(kern)->cpus;
	_cleanup_(freep) uint64_t *stats = calloc(cpus * GW_STAT_MAX, sizeof(*stats));

	stat_set(GW_STAT_INSERT, 5);
	ck_assert_int_eq(kern_stats(kern, stats), 0);
	ck_assert_uint_eq(stats[GW_STAT_INSERT], 5);
	ck_assert_uint_eq(stats[(cpus - 1) * GW_STAT_MAX + GW_STAT_INSERT], 5);
	ck_assert_uint_eq(stats[GW_STAT_DELETE], 0);
}
END_TEST

START_TEST(reasons_are_summed_and_the_newest_example_wins)
{
	unsigned int cpus = kern_features(kern)->cpus;
	_cleanup_(freep) struct gw_reason_row *rows = calloc(cpus, sizeof(*rows));
	struct gw_reason_row sums[GW_REASON_MAX];
	uint32_t key = GW_REASON_POLICY;

	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		rows[cpu] = (struct gw_reason_row){
			.pkts = 2, .bytes = 100, .time_ns = 1 + cpu, .iif = 10 + cpu
		};
	ck_assert_int_eq(
		bpf_map_update_elem(bpf_map__fd(kern->skel->maps.gw_reasons), &key, rows, BPF_ANY),
		0);
	ck_assert_int_eq(kern_reasons(kern, sums), 0);
	ck_assert_uint_eq(sums[GW_REASON_POLICY].pkts, 2 * cpus);
	ck_assert_uint_eq(sums[GW_REASON_POLICY].bytes, 100 * cpus);
	ck_assert_uint_eq(sums[GW_REASON_POLICY].iif, 10 + cpus - 1);
	ck_assert_uint_eq(sums[GW_REASON_RULE].pkts, 0);
}
END_TEST

START_TEST(interfaces_and_addresses_are_set_and_forgotten)
{
	struct gw_if row = { .flags = GW_IF_MANAGED, .mtu = 1500 }, got;
	uint32_t near = 5, far = 70000;
	uint8_t addr[16] = { 10, 0, 0, 1 };
	struct gw_local is = { GW_LOCAL_BROADCAST, 7 }, value;

	ck_assert_int_eq(kern_if_set(kern, near, &row), 0);
	ck_assert_int_eq(kern_if_set(kern, far, &row), 0);
	ck_assert_int_eq(bpf_map_lookup_elem(bpf_map__fd(kern->skel->maps.gw_ifs), &near, &got), 0);
	ck_assert_uint_eq(got.mtu, 1500);
	ck_assert_int_eq(bpf_map_lookup_elem(bpf_map__fd(kern->skel->maps.gw_ifs_far), &far, &got),
			 0);
	row = (struct gw_if){};
	for (int again = 0; again < 2; again++) {
		ck_assert_int_eq(kern_if_set(kern, near, &row), 0);
		ck_assert_int_eq(kern_if_set(kern, far, &row), 0);
	}
	ck_assert_int_ne(bpf_map_lookup_elem(bpf_map__fd(kern->skel->maps.gw_ifs_far), &far, &got),
			 0);

	for (int family = 4; family <= 6; family += 2) {
		const struct bpf_map *map =
			family == 4 ? kern->skel->maps.gw_local4 : kern->skel->maps.gw_local6;

		ck_assert_int_eq(kern_local_set(kern, family, addr, &is), 0);
		ck_assert_int_eq(bpf_map_lookup_elem(bpf_map__fd(map), addr, &value), 0);
		ck_assert_mem_eq(&value, &is, sizeof(is));
		ck_assert_int_eq(kern_local_set(kern, family, addr, NULL), 0);
		ck_assert_int_eq(kern_local_set(kern, family, addr, NULL), 0);
		ck_assert_int_ne(bpf_map_lookup_elem(bpf_map__fd(map), addr, &value), 0);
	}
}
END_TEST

/*
 * Connections.
 */
static uint32_t now(void)
{
	uint32_t jiffies;

	ck_assert_int_eq(kern_jiffies(kern, &jiffies), 0);
	return jiffies;
}

static struct gw_flow flow(uint32_t id, uint16_t flags, unsigned int idle_s)
{
	return (struct gw_flow){ .id = id,
				 .flags = flags,
				 .pkts = id,
				 .bytes = 2ULL * id,
				 .mark = 9,
				 .seen = now() - idle_s * kern_features(kern)->hz,
				 .created = 77,
				 .rule = 12 };
}

/* Connection number id: 10.x.y.z:id > 8.8.8.8:53, translated to 203.0.113.1. */
static void put4(const struct bpf_map *map, uint32_t id, uint8_t proto, uint16_t flags,
		 unsigned int idle_s)
{
	struct gw_tuple4 orig = { .saddr = htonl(0x0a000000 + id),
				  .daddr = htonl(0x08080808),
				  .sport = htons(id),
				  .dport = htons(53),
				  .proto = proto };
	struct gw_tuple4 reply = { .saddr = orig.daddr,
				   .daddr = htonl(0xcb007101),
				   .sport = orig.dport,
				   .dport = htons(id),
				   .proto = proto,
				   .pad = 0 };
	struct gw_flow4 fwd = { .f = flow(id, flags, idle_s), .peer = reply };
	struct gw_flow4 back = { .f = flow(id, flags | GW_FLOW_REPLY, idle_s + 1), .peer = orig };

	back.f.pkts += 100;
	back.f.created = 12; /* of a reply entry: what admitted the connection */
	fwd.f.rule = back.f.rule = 13;
	/* the reply keys must differ for every id, also beyond 65535 */
	reply.daddr = fwd.peer.daddr = htonl(0xcb000000 + (id >> 16));
	ck_assert_int_eq(bpf_map_update_elem(bpf_map__fd(map), &orig, &fwd, BPF_ANY), 0);
	ck_assert_int_eq(bpf_map_update_elem(bpf_map__fd(map), &reply, &back, BPF_ANY), 0);
}

static void put6(const struct bpf_map *map, uint32_t id, uint16_t flags)
{
	struct gw_tuple6 orig = { .saddr = { htonl(0x20010db8), 0, 0, htonl(id) },
				  .daddr = { htonl(0x20010db8), 0, 0, htonl(0xffff) },
				  .sport = htons(id),
				  .proto = IPPROTO_ICMPV6 };
	struct gw_tuple6 reply = { .proto = IPPROTO_ICMPV6, .dport = orig.sport };
	struct gw_flow6 fwd = { .f = flow(id, flags, 0) };
	struct gw_flow6 back = { .f = flow(id, flags | GW_FLOW_REPLY, 0), .peer = orig };

	memcpy(reply.saddr, orig.daddr, 16);
	memcpy(reply.daddr, orig.saddr, 16);
	fwd.peer = reply;
	ck_assert_int_eq(bpf_map_update_elem(bpf_map__fd(map), &orig, &fwd, BPF_ANY), 0);
	ck_assert_int_eq(bpf_map_update_elem(bpf_map__fd(map), &reply, &back, BPF_ANY), 0);
}

struct seen {
	unsigned int count, stop_after;
	uint64_t ids; /* sum */
	struct gw_event last;
};

static int collect(const struct gw_event *ev, void *arg)
{
	struct seen *seen = arg;

	seen->count++;
	seen->ids += ev->id;
	seen->last = *ev;
	return seen->count == seen->stop_after ? 42 : 0;
}

static struct seen list(void)
{
	struct seen seen = {};

	ck_assert_int_eq(kern_flows(kern, collect, &seen), 0);
	return seen;
}

static void set_timeouts(unsigned int seconds)
{
	for (unsigned int i = 0; i < GW_TIMEOUT_MAX; i++)
		kern_conf(kern)->timeout[i] = (seconds + i) * kern_features(kern)->hz;
}

START_TEST(connection_is_listed_with_both_directions)
{
	struct seen seen;

	set_timeouts(100);
	put4(kern->skel->maps.gw_est4, 5, IPPROTO_UDP, GW_FLOW_SEEN_REPLY | GW_FLOW_ASSURED, 10);
	seen = list();
	ck_assert_uint_eq(seen.count, 1);
	ck_assert_uint_eq(seen.last.type, GW_EVENT_NONE);
	ck_assert_uint_eq(seen.last.family, 4);
	ck_assert_uint_eq(seen.last.proto, IPPROTO_UDP);
	ck_assert_uint_eq(seen.last.flags, GW_FLOW_SEEN_REPLY | GW_FLOW_ASSURED);
	ck_assert_uint_eq(seen.last.id, 5);
	ck_assert_uint_eq(seen.last.mark, 9);
	ck_assert_uint_eq(seen.last.rule, 12);
	ck_assert_uint_eq(seen.last.created, 77);
	ck_assert_uint_eq(seen.last.pkts[0], 5);
	ck_assert_uint_eq(seen.last.pkts[1], 105);
	ck_assert_uint_eq(ntohl(seen.last.tuple[0].saddr[0]), 0x0a000005);
	ck_assert_uint_eq(ntohs(seen.last.tuple[1].dport), 5);
	/* 100 + UDP_STREAM's 11 seconds, 10 of them idle in the younger direction */
	ck_assert_uint_ge(seen.last.timeout, 100);
	ck_assert_uint_le(seen.last.timeout, 101);
}
END_TEST

START_TEST(every_connection_of_every_table_is_listed_once)
{
	struct seen seen;

	set_timeouts(100);
	for (uint32_t id = 1; id <= 10000; id++)
		put4(kern->skel->maps.gw_est4, id, IPPROTO_UDP, 0, 0);
	for (uint32_t id = 20001; id <= 21000; id++)
		put4(kern->skel->maps.gw_emb4, id, IPPROTO_UDP, 0, 0);
	for (uint32_t id = 30001; id <= 30100; id++)
		put6(id % 2 ? kern->skel->maps.gw_est6 : kern->skel->maps.gw_emb6, id, 0);
	seen = list();
	ck_assert_uint_eq(seen.count, 10000 + 1000 + 100);
	ck_assert_uint_eq(seen.ids,
			  10000ULL * 10001 / 2 + 1000ULL * 41001 / 2 + 100ULL * 60101 / 2);
}
END_TEST

START_TEST(connection_in_both_tables_is_listed_as_assured)
{
	struct seen seen;

	set_timeouts(100);
	put4(kern->skel->maps.gw_emb4, 6, IPPROTO_UDP, 0, 0);
	put4(kern->skel->maps.gw_est4, 6, IPPROTO_UDP, GW_FLOW_ASSURED, 0);
	put6(kern->skel->maps.gw_emb6, 7, 0);
	put6(kern->skel->maps.gw_est6, 7, GW_FLOW_ASSURED);
	seen = list();
	ck_assert_uint_eq(seen.count, 2);
	ck_assert_uint_eq(seen.ids, 13);
	ck_assert_uint_eq(seen.last.flags, GW_FLOW_ASSURED);
}
END_TEST

START_TEST(dying_and_expired_connections_are_not_listed)
{
	set_timeouts(20);
	put4(kern->skel->maps.gw_est4, 1, IPPROTO_UDP, GW_FLOW_DYING, 0);
	put4(kern->skel->maps.gw_emb4, 2, IPPROTO_UDP, 0, 40);
	ck_assert_uint_eq(list().count, 0);
	put4(kern->skel->maps.gw_emb4, 3, IPPROTO_UDP, 0, 25);
	ck_assert_uint_eq(list().count, 1);
}
END_TEST

START_TEST(walk_ends_when_the_reader_says_so)
{
	struct seen seen = { .stop_after = 3 };

	set_timeouts(100);
	for (uint32_t id = 1; id <= 10; id++)
		put4(kern->skel->maps.gw_est4, id, IPPROTO_UDP, 0, 0);
	ck_assert_int_eq(kern_flows(kern, collect, &seen), 42);
	ck_assert_uint_eq(seen.count, 3);
}
END_TEST

START_TEST(flush_and_count_agree)
{
	uint64_t est = 1, emb = 1, left = 1;

	set_timeouts(100);
	put4(kern->skel->maps.gw_est4, 1, IPPROTO_UDP, GW_FLOW_ASSURED, 0);
	put4(kern->skel->maps.gw_emb4, 2, IPPROTO_UDP, 0, 0);
	put6(kern->skel->maps.gw_est6, 3, GW_FLOW_ASSURED);
	ck_assert_int_eq(kern_conf_push(kern), 0);
	ck_assert_int_eq(kern_flow_count(kern, &est, &emb), 0);
	ck_assert_uint_eq(est, 2);
	ck_assert_uint_eq(emb, 1);
	ck_assert_int_eq(kern_flow_flush(kern), 0);
	ck_assert_int_eq(kern_expire(kern, &left), 0);
	ck_assert_uint_eq(left, 0);
	ck_assert_uint_eq(list().count, 0);
}
END_TEST

/* The whole way: a packet of ours is tracked, told, listed, killed and told again. */
static void manage_a0(void)
{
	struct gw_if row = { .flags = GW_IF_MANAGED, .mtu = 1500 };
	uint8_t own[4] = { 10, 0, 0, 1 };

	sh("ip addr add 10.0.0.1/24 dev a0 && ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev "
	   "a0");
	set_timeouts(100);
	kern_conf(kern)->est_max = 1000;
	ck_assert_int_eq(kern_conf_push(kern), 0);
	ck_assert_int_eq(swap(1, IMAGE_LINES, 0), 0);
	ck_assert_int_eq(kern_if_set(kern, ifindex_of("a0"), &row), 0);
	ck_assert_int_eq(kern_local_set(kern, 4, own, &(struct gw_local){ GW_LOCAL_HOST, 0 }), 0);
	ck_assert_int_eq(kern_attach(kern, ifindex_of("a0")), 0);
}

static int collect_to_neighbour(const struct gw_event *ev, void *arg)
{
	return ev->proto == IPPROTO_UDP && ntohs(ev->tuple[0].dport) == 7777 ? collect(ev, arg) : 0;
}

START_TEST(connection_is_tracked_listed_and_killed)
{
	struct seen seen = {};

	manage_a0();
	sh("bash -c 'echo hello > /dev/udp/10.0.0.2/7777'");
	ck_assert_int_eq(kern_events(kern, collect_to_neighbour, &seen), 0);
	ck_assert_uint_eq(seen.count, 1);
	ck_assert_uint_eq(seen.last.type, GW_EVENT_NEW);

	seen = (struct seen){};
	ck_assert_int_eq(kern_flows(kern, collect_to_neighbour, &seen), 0);
	ck_assert_uint_eq(seen.count, 1);
	ck_assert_uint_eq(seen.last.pkts[0], 1);
	ck_assert_uint_eq(seen.last.bytes[0], 20 + 8 + 6);
	ck_assert_uint_eq(seen.last.pkts[1], 0);

	seen.last.id++;
	ck_assert_int_eq(kern_flow_kill(kern, &seen.last, GW_CAUSE_USER), 0);
	seen.last.id--;
	ck_assert_int_eq(kern_flow_kill(kern, &seen.last, GW_CAUSE_USER), 1);
	ck_assert_int_eq(kern_flow_kill(kern, &seen.last, GW_CAUSE_USER), 0);

	seen = (struct seen){};
	ck_assert_int_eq(kern_events(kern, collect_to_neighbour, &seen), 0);
	ck_assert_uint_eq(seen.count, 1);
	ck_assert_uint_eq(seen.last.type, GW_EVENT_DESTROY);
	ck_assert_uint_eq(seen.last.cause, GW_CAUSE_USER);
	seen = (struct seen){};
	ck_assert_int_eq(kern_flows(kern, collect_to_neighbour, &seen), 0);
	ck_assert_uint_eq(seen.count, 0);
}
END_TEST

/* Tail calls of the generation in force must work after the older one was collected. */
START_TEST(tracking_goes_on_after_an_upgrade)
{
	struct seen seen = {};

	manage_a0();
	sh("bash -c 'echo hello > /dev/udp/10.0.0.2/7777'");
	kern_free(kern);
	sh("bash -c 'echo hello > /dev/udp/10.0.0.2/7777'");
	kern = fixture_open(false, true);
	ck_assert_int_eq(kern_attach(kern, ifindex_of("a0")), 0);
	sh("bash -c 'echo hello > /dev/udp/10.0.0.2/7777'");
	ck_assert_int_eq(kern_flows(kern, collect_to_neighbour, &seen), 0);
	ck_assert_uint_eq(seen.count, 3);
	ck_assert_int_eq(kern_events(kern, collect_to_neighbour, &seen), 0);
	ck_assert_uint_eq(seen.count, 6);
}
END_TEST

/*
 * Events: a small program writes records into the ring as the data plane does.
 */
static int event_source(void)
{
	const int size = sizeof(struct gw_event);
	int ring = bpf_map__fd(kern->skel->maps.gw_events);
	struct bpf_insn insns[64] = {}, *i = insns;
	int fd;

	for (int off = -size; off < 0; off += 8)
		*i++ = (struct bpf_insn){ .code = BPF_ST | BPF_MEM | BPF_DW,
					  .dst_reg = BPF_REG_10,
					  .off = off };
	*i++ = (struct bpf_insn){ .code = BPF_ST | BPF_MEM | BPF_B,
				  .dst_reg = BPF_REG_10,
				  .off = (int)offsetof(struct gw_event, type) - size,
				  .imm = GW_EVENT_NEW };
	*i++ = (struct bpf_insn){ .code = BPF_LD | BPF_DW | BPF_IMM,
				  .dst_reg = BPF_REG_1,
				  .src_reg = BPF_PSEUDO_MAP_FD,
				  .imm = ring };
	i++;
	*i++ = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_X,
				  .dst_reg = BPF_REG_2,
				  .src_reg = BPF_REG_10 };
	*i++ = (struct bpf_insn){ .code = BPF_ALU64 | BPF_ADD | BPF_K,
				  .dst_reg = BPF_REG_2,
				  .imm = -size };
	*i++ = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K,
				  .dst_reg = BPF_REG_3,
				  .imm = size };
	*i++ = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K,
				  .dst_reg = BPF_REG_4,
				  .imm = BPF_RB_NO_WAKEUP };
	*i++ = (struct bpf_insn){ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_ringbuf_output };
	*i++ = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
	fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "source", "GPL", insns, i - insns, NULL);
	ck_assert_int_ge(fd, 0);
	return fd;
}

static void emit(int source, int n, uint32_t expect)
{
	for (uint32_t value = 0; n > 0; n--) {
		ck_assert_int_eq(probe_run(source, &value), 0);
		ck_assert_uint_eq(value, expect);
	}
}

static struct seen read_events(void)
{
	struct seen seen = {};

	ck_assert_int_eq(kern_events(kern, collect, &seen), 0);
	return seen;
}

START_TEST(events_arrive_in_wall_clock_time)
{
	_cleanup_(closep) int source = event_source();
	struct timespec real, boot;
	int64_t offset;
	struct seen seen;

	ck_assert_int_ge(kern_events_fd(kern), 0);
	ck_assert_uint_eq(read_events().count, 0);
	emit(source, 3, 0);
	seen = read_events();
	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	offset = (real.tv_sec - boot.tv_sec) * NSEC_PER_SEC + real.tv_nsec - boot.tv_nsec;
	ck_assert_uint_eq(seen.count, 3);
	ck_assert_uint_eq(seen.last.type, GW_EVENT_NEW);
	/* the record said 0 = boot */
	ck_assert(llabs((long long)((int64_t)seen.last.time_ns - offset)) < NSEC_PER_SEC / 10);
	ck_assert_uint_eq(read_events().count, 0);
}
END_TEST

START_TEST(full_ring_is_read_without_a_wake_up)
{
	_cleanup_(closep) int source = event_source();
	uint32_t value = 0;
	unsigned int n = 0;

	while (n < 10000 && probe_run(source, &value) == 0 && value == 0)
		n++;
	ck_assert_int_eq((int32_t)value, -EAGAIN);
	ck_assert_uint_eq(read_events().count, n);
	emit(source, 1, 0);
	ck_assert_uint_eq(read_events().count, 1);
}
END_TEST

START_TEST(reader_that_stops_gets_the_rest_later)
{
	_cleanup_(closep) int source = event_source();
	struct seen seen = { .stop_after = 2 };

	emit(source, 5, 0);
	ck_assert_int_eq(kern_events(kern, collect, &seen), 42);
	ck_assert_uint_eq(seen.count, 2);
	ck_assert_uint_eq(read_events().count, 3);
}
END_TEST

START_TEST(lost_events_are_reported_once)
{
	struct seen seen;

	stat_set(GW_STAT_EVENT_LOST, 4);
	seen = read_events();
	ck_assert_uint_eq(seen.count, 1);
	ck_assert_uint_eq(seen.last.type, GW_EVENT_LOST);
	ck_assert_uint_eq(seen.last.pkts[0], 4 * kern_features(kern)->cpus);
	ck_assert_uint_eq(read_events().count, 0);
}
END_TEST

START_TEST(features_say_what_the_kernel_has)
{
	const struct kern_features *f = kern_features(kern);
	uint32_t before = now(), after;
	struct timespec wait = { .tv_nsec = 100000000 };

	ck_assert_uint_ge(f->cpus, 1);
	ck_assert_uint_ge(f->hz, 100);
	ck_assert_uint_le(f->hz, 1000);
	ck_assert_uint_ne(f->release[0], 0);
	nanosleep(&wait, NULL);
	after = now();
	/* a tenth of a second in ticks, give or take a busy machine */
	ck_assert_uint_ge(after - before, f->hz / 10 - 2);
	ck_assert_uint_le(after - before, f->hz);
}
END_TEST

static Suite *state_suite(void)
{
	Suite *suite = suite_create("kern_state");
	TCase *maps = tcase_create("maps"), *flows = tcase_create("flows"),
	      *events = tcase_create("events");

	tcase_add_checked_fixture(maps, setup, teardown);
	tcase_add_test(maps, image_swap_publishes_generation_and_hooks);
	tcase_add_test(maps, image_survives_the_process);
	tcase_add_test(maps, hooks_of_both_images_hold_until_no_packet_reads_the_old_one);
	tcase_add_test(maps, swap_that_was_not_settled_is_settled_by_the_next_gwd);
	tcase_add_test(maps, change_in_place_stays_in_its_half);
	tcase_add_test(maps, change_in_place_that_was_cut_short_is_finished_by_the_next_gwd);
	tcase_add_test(maps, region_of_another_size_replaces_the_one_that_is_pinned);
	tcase_add_test(maps, region_without_its_conf_is_made_anew);
	tcase_add_test(maps, elements_of_dynamic_sets_are_put_found_and_survive);
	tcase_add_test(maps, walk_over_elements_sees_each_one_once);
	tcase_add_test(maps, full_map_of_elements_refuses_one_more);
	tcase_add_test(maps, states_of_rules_are_kept);
	tcase_add_test(maps, impossible_image_changes_nothing);
	tcase_add_test(maps, counters_sum_over_cpus);
	tcase_add_test(maps, stats_come_by_cpu);
	tcase_add_test(maps, reasons_are_summed_and_the_newest_example_wins);
	tcase_add_test(maps, interfaces_and_addresses_are_set_and_forgotten);
	tcase_add_test(maps, features_say_what_the_kernel_has);
	suite_add_tcase(suite, maps);

	tcase_add_checked_fixture(flows, setup, teardown);
	tcase_set_timeout(maps, 60);
	tcase_set_timeout(flows, 60);
	tcase_set_timeout(events, 60);
	tcase_add_test(flows, connection_is_listed_with_both_directions);
	tcase_add_test(flows, every_connection_of_every_table_is_listed_once);
	tcase_add_test(flows, connection_in_both_tables_is_listed_as_assured);
	tcase_add_test(flows, dying_and_expired_connections_are_not_listed);
	tcase_add_test(flows, walk_ends_when_the_reader_says_so);
	tcase_add_test(flows, flush_and_count_agree);
	tcase_add_test(flows, connection_is_tracked_listed_and_killed);
	tcase_add_test(flows, tracking_goes_on_after_an_upgrade);
	suite_add_tcase(suite, flows);

	tcase_add_checked_fixture(events, setup, teardown);
	tcase_add_test(events, events_arrive_in_wall_clock_time);
	tcase_add_test(events, full_ring_is_read_without_a_wake_up);
	tcase_add_test(events, reader_that_stops_gets_the_rest_later);
	tcase_add_test(events, lost_events_are_reported_once);
	suite_add_tcase(suite, events);
	return suite;
}

int main(void)
{
	return fixture_main(state_suite);
}
