/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "gw.skel.h"
#include "stage.h"

struct stage stage;

const struct names names[2] = {
	{ LAN4, LAN4_B, GW_LAN4, GW_WAN4, DMZ4, GW_DMZ4, FAR4 },
	{ LAN6, LAN6_B, GW_LAN6, GW_WAN6, DMZ6, GW_DMZ6, FAR6 },
};

static const struct {
	const char *name, *addr4, *addr6;
	__u8 mac;
} ports[PORTS] = {
	[LAN] = { "lan", GW_LAN4, GW_LAN6, 1 },
	[WAN] = { "wan", GW_WAN4, GW_WAN6, 1 },
	[DMZ] = { "dmz", GW_DMZ4, GW_DMZ6, 1 },
};

/* Whose link address is known. */
static const struct {
	const char *addr;
	enum port at;
} hosts[] = {
	{ LAN4, LAN },
	{ LAN4_B, LAN },
	{ DMZ4, DMZ },
	{ LAN6, LAN },
	{ LAN6_B, LAN },
	{ DMZ6, DMZ },
	{ "203.0.113.254", WAN },
	{ "2001:db8:1::fe", WAN },
};

/* What the child processes inherit. */
static struct {
	struct ring_buffer *ring, *logs;
	int mark_fd; /* sets skb->tc_index to .mark, then jumps to gw_out */
	uint16_t mark;
	struct gw_next *next; /* gw_next, mapped */
	int wire_fd;	      /* sees what enters lan */
	int ncpus;
	void *percpu, *poison; /* one value of gw_scratch or gw_reasons for each CPU */
} own;

static struct {
	struct gw_event rows[4096];
	unsigned int n, read;
} seen;

static struct {
	struct gw_log rows[4096];
	unsigned int n, read;
} noted;

const char *line(const char *fmt, ...)
{
	static char pool[8][256];
	static int next;
	char *to = pool[next++ & 7];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(to, sizeof(pool[0]), fmt, ap);
	va_end(ap);
	return to;
}

/* ---------------------------------------------------------------------------------------------------- world */

static int put_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return -1;
	fputs(text, f);
	return fclose(f);
}

/* Everything by one `ip`: the addresses are permanent, so are the neighbours, nothing is ever asked for on a wire. */
static int world_make(void)
{
	FILE *ip;

	if (unshare(CLONE_NEWNET))
		return -1;
	put_file("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
	put_file("/proc/sys/net/ipv6/conf/default/addr_gen_mode", "1");
	ip = popen("ip -batch - >/dev/null", "w");
	if (!ip)
		return -1;
	fprintf(ip, "link set lo up\n");
	for (int i = 0; i < PORTS; i++) {
		const char *n = ports[i].name;

		fprintf(ip, "link add %s address 02:00:00:00:00:01 type veth peer name %s_peer\n",
			n, n);
		fprintf(ip, "link set %s up\nlink set %s_peer up\n", n, n);
		fprintf(ip, "addr add %s/24 dev %s\naddr add %s/64 dev %s nodad\n", ports[i].addr4,
			n, ports[i].addr6, n);
	}
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		fprintf(ip, "neigh add %s lladdr 02:00:00:00:00:02 dev %s\n", hosts[i].addr,
			ports[hosts[i].at].name);
	fprintf(ip, "route add default via 203.0.113.254\nroute add default via 2001:db8:1::fe\n");
	if (pclose(ip))
		return -1;
	return put_file("/proc/sys/net/ipv4/conf/all/forwarding", "1") ||
	       put_file("/proc/sys/net/ipv6/conf/all/forwarding", "1");
}

static int wire_open(void)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = stage.ifindex[LAN] };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL));

	if (fd >= 0 && bind(fd, (void *)&to, sizeof(to))) {
		close(fd);
		return -1;
	}
	return fd;
}

bool caught(struct frame *f)
{
	struct pollfd p = { .fd = own.wire_fd, .events = POLLIN };
	struct sockaddr_ll from;
	socklen_t size = sizeof(from);
	ssize_t n;

	while (poll(&p, 1, 100) > 0) {
		n = recvfrom(own.wire_fd, f->b, sizeof(f->b), 0, (void *)&from, &size);
		if (n <= 0)
			return false;
		f->len = n;
		if (from.sll_pkttype == PACKET_HOST)
			return true;
	}
	return false;
}

/* ----------------------------------------------------------------------------------------------------- load */

static int event_add(void *ctx, void *data, size_t size)
{
	if (size == sizeof(struct gw_event) && seen.n < sizeof(seen.rows) / sizeof(seen.rows[0]))
		memcpy(&seen.rows[seen.n++], data, size);
	return 0;
}

static int log_add(void *ctx, void *data, size_t size)
{
	if (size == sizeof(struct gw_log) && noted.n < sizeof(noted.rows) / sizeof(noted.rows[0]))
		memcpy(&noted.rows[noted.n++], data, size);
	return 0;
}

/* A packet as ingress left it to the stack: skb->tc_index is what skb->cb[0] says. */
static int mark_load(void)
{
	int jump = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "t_jump", 4, 4, 1, NULL);
	int out_fd = bpf_program__fd(stage.skel->progs.gw_out);
	__u32 zero = 0;
	struct bpf_insn insns[] = {
		{ .code = BPF_LDX | BPF_MEM | BPF_W,
		  .dst_reg = 2,
		  .src_reg = 1,
		  .off = offsetof(struct __sk_buff, cb) },
		{ .code = BPF_STX | BPF_MEM | BPF_W,
		  .dst_reg = 1,
		  .src_reg = 2,
		  .off = offsetof(struct __sk_buff, tc_index) },
		{ .code = BPF_LD | BPF_DW | BPF_IMM,
		  .dst_reg = 2,
		  .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = jump },
		{ 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_tail_call },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 99 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	if (jump < 0)
		return -1;
	own.mark_fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "t_mark", "GPL", insns,
				    sizeof(insns) / sizeof(insns[0]), NULL);
	return own.mark_fd < 0 ? -1 : bpf_map_update_elem(jump, &zero, &out_fd, BPF_ANY);
}

/* As kern does; STAGE_OLD_KERNEL=1 has the programs do without what only younger kernels can. */
static bool has_kern_ctx(void)
{
	struct btf *btf = getenv("STAGE_OLD_KERNEL") ? NULL : btf__load_vmlinux_btf();
	bool found = btf && btf__find_by_name_kind(btf, "bpf_cast_to_kern_ctx", BTF_KIND_FUNC) > 0;

	btf__free(btf);
	return found;
}

static void skel_size(struct gw_bpf *skel)
{
	struct bpf_map *flows[] = { skel->maps.gw_est4, skel->maps.gw_est6, skel->maps.gw_emb4,
				    skel->maps.gw_emb6 };

	for (int i = 0; i < TABLES; i++)
		bpf_map__set_max_entries(flows[i], 4096);
	bpf_map__set_max_entries(skel->maps.gw_counters, own.ncpus * GW_COUNTERS_MAX);
	bpf_map__set_max_entries(skel->maps.gw_next, own.ncpus * GW_NEXT_MAX);
	bpf_map__set_max_entries(skel->maps.gw_events, 262144);
	bpf_map__set_max_entries(skel->maps.gw_region, 2 * RULES_HALF_LINES);
	bpf_map__set_max_entries(skel->maps.gw_frag, 1024);
	bpf_map__set_max_entries(skel->maps.gw_hold, 256);
	skel->rodata->cfg_hz = HZ;
	skel->rodata->cfg_kern_ctx = has_kern_ctx();
}

static int map_fd(enum table t)
{
	struct bpf_map *flows[] = { stage.skel->maps.gw_est4, stage.skel->maps.gw_est6,
				    stage.skel->maps.gw_emb4, stage.skel->maps.gw_emb6 };

	return bpf_map__fd(flows[t]);
}

#define MAP(name) bpf_map__fd(stage.skel->maps.name)

static size_t next_size(void)
{
	return (size_t)own.ncpus * GW_NEXT_MAX * sizeof(struct gw_next);
}

static int object_load(void)
{
	size_t scratch, row = sizeof(struct gw_reason_row);

	own.ncpus = libbpf_num_possible_cpus();
	stage.skel = gw_bpf__open();
	if (!stage.skel)
		return -1;
	skel_size(stage.skel);
	if (gw_bpf__load(stage.skel))
		return -1;
	scratch = bpf_map__value_size(stage.skel->maps.gw_scratch);
	scratch = (scratch + 7) / 8 * 8 * own.ncpus;
	own.percpu = malloc(scratch > row * own.ncpus ? scratch : row * own.ncpus);
	own.poison = malloc(scratch);
	if (!own.percpu || !own.poison)
		return -1;
	memset(own.poison, 0xa5, scratch);
	own.next = mmap(NULL, next_size(), PROT_READ | PROT_WRITE, MAP_SHARED, MAP(gw_next), 0);
	if (own.next == MAP_FAILED)
		return -1;
	own.ring = ring_buffer__new(MAP(gw_events), event_add, NULL, NULL);
	own.logs = ring_buffer__new(MAP(gw_logs), log_add, NULL, NULL);
	return own.ring && own.logs ? mark_load() : -1;
}

/* 0, or 77: this machine can not run the tests. */
static int stage_open(void)
{
	if (geteuid()) {
		fprintf(stderr, "SKIP: stage tests need root\n");
		return 77;
	}
	if (world_make()) {
		fprintf(stderr, "SKIP: no network namespace with veth devices to be had\n");
		return 77;
	}
	for (int i = 0; i < PORTS; i++)
		stage.ifindex[i] = if_nametoindex(ports[i].name);
	own.wire_fd = wire_open();
	if (object_load()) {
		if (errno == EPERM) {
			fprintf(stderr, "SKIP: BPF is not allowed here\n");
			return 77;
		}
		fprintf(stderr, "FAIL: the object does not load\n");
		return 1;
	}
	return 0;
}

/* ---------------------------------------------------------------------------------------------------- reset */

static void map_clear(int fd)
{
	__u8 key[64];

	for (int i = 0; i < 100000 && !bpf_map_get_next_key(fd, NULL, key); i++)
		bpf_map_delete_elem(fd, key);
}

static void local_put(enum port p)
{
	struct gw_local kind = { GW_LOCAL_HOST, stage.ifindex[p] },
			broadcast = { GW_LOCAL_BROADCAST, stage.ifindex[p] };
	struct in6_addr a6;
	struct in_addr a4;

	inet_pton(AF_INET, ports[p].addr4, &a4);
	inet_pton(AF_INET6, ports[p].addr6, &a6);
	bpf_map_update_elem(MAP(gw_local4), &a4, &kind, BPF_ANY);
	bpf_map_update_elem(MAP(gw_local6), &a6, &kind, BPF_ANY);
	a4.s_addr |= htonl(0xff);
	bpf_map_update_elem(MAP(gw_local4), &a4, &broadcast, BPF_ANY);
}

void stage_set_if(enum port p, struct gw_if row)
{
	bpf_map_update_elem(MAP(gw_ifs), &stage.ifindex[p], &row, BPF_ANY);
}

struct gw_if stage_get_if(enum port p)
{
	struct gw_if row = {};

	bpf_map_lookup_elem(MAP(gw_ifs), &stage.ifindex[p], &row);
	return row;
}

static void if_put(enum port p)
{
	struct gw_if row = { .flags = GW_IF_MANAGED | GW_IF_FORWARD4 | GW_IF_FORWARD6,
			     .mtu = 1500 };

	inet_pton(AF_INET, ports[p].addr4, &row.masq4);
	inet_pton(AF_INET6, ports[p].addr6, row.masq6);
	stage_set_if(p, row);
	local_put(p);
}

void stage_conf(void)
{
	__u32 zero = 0;

	ck_assert_int_eq(bpf_map_update_elem(MAP(gw_conf), &zero, &stage.conf, BPF_ANY), 0);
}

static const __u32 timeouts_s[GW_TIMEOUT_MAX] = {
	[GW_TCP_NONE] = 60,
	[GW_TCP_SYN_SENT] = 120,
	[GW_TCP_SYN_RECV] = 60,
	[GW_TCP_ESTABLISHED] = 432000,
	[GW_TCP_FIN_WAIT] = 120,
	[GW_TCP_CLOSE_WAIT] = 60,
	[GW_TCP_LAST_ACK] = 30,
	[GW_TCP_TIME_WAIT] = 120,
	[GW_TCP_CLOSE] = 10,
	[GW_TCP_SYN_SENT2] = 120,
	[GW_TIMEOUT_UDP] = 30,
	[GW_TIMEOUT_UDP_STREAM] = 120,
	[GW_TIMEOUT_ICMP] = 30,
	[GW_TIMEOUT_GENERIC] = 600,
	[GW_TIMEOUT_TCP_RETRANS] = 300,
	[GW_TIMEOUT_TCP_UNACK] = 300,
	[GW_TIMEOUT_SCTP... GW_TIMEOUT_SCTP + GW_SCTP_STATES - 1] = 30,
	[GW_TIMEOUT_DCCP... GW_TIMEOUT_DCCP + GW_DCCP_STATES - 1] = 240,
	[GW_TIMEOUT_GRE] = 30,
	[GW_TIMEOUT_GRE_STREAM] = 180,
};

static void conf_reset(void)
{
	stage.conf = (struct gw_conf){
		.gen = 1, .rgen = 1, .est_max = 3000, .half_lines = RULES_HALF_LINES
	};
	stage.conf.flags = GW_CONF_TCP_LOOSE | GW_CONF_CHECKSUM;
	stage.conf.tcp_max_retrans = 3;
	for (int i = 0; i < GW_TIMEOUT_MAX; i++)
		stage.conf.timeout[i] = timeouts_s[i] * HZ;
	stage_conf();
}

static void percpu_zero(int fd, unsigned int rows, size_t size)
{
	memset(own.percpu, 0, size * own.ncpus);
	for (__u32 i = 0; i < rows; i++)
		bpf_map_update_elem(fd, &i, own.percpu, BPF_ANY);
}

static void counters_zero(void)
{
	struct gw_counter none = {};

	for (int cpu = 0; cpu < own.ncpus; cpu++) {
		for (__u32 cid = 0; cid < 64; cid++) {
			__u32 i = cpu * GW_COUNTERS_MAX + cid;

			bpf_map_update_elem(MAP(gw_counters), &i, &none, BPF_ANY);
		}
	}
}

void stage_reset(void)
{
	struct gw_state state = {};
	__u64 none = 0;

	for (int t = 0; t < TABLES; t++)
		map_clear(map_fd(t));
	map_clear(MAP(gw_frag));
	map_clear(MAP(gw_hold));
	map_clear(MAP(gw_slow));
	map_clear(MAP(gw_eim));
	map_clear(MAP(gw_dynset));
	map_clear(MAP(gw_dyncount));
	for (__u32 i = 0; i < 64; i++)
		bpf_map_update_elem(MAP(gw_states), &i, &state, BPF_ANY);
	memset(own.next, 0, next_size());
	rules_reset();
	for (__u32 i = 0; i < 4; i++)
		bpf_map_update_elem(MAP(gw_count), &i, &none, BPF_ANY);
	percpu_zero(MAP(gw_stats), GW_STAT_MAX, sizeof(__u64));
	percpu_zero(MAP(gw_reasons), GW_REASON_MAX, sizeof(struct gw_reason_row));
	counters_zero();
	stage.skel->data_clock->gw_clock_skew = 0;
	stage.mark = stage.gso_size = stage.racy = 0;
	for (int p = 0; p < PORTS; p++)
		if_put(p);
	conf_reset();
	ring_buffer__consume(own.ring);
	seen.n = seen.read = 0;
	ring_buffer__consume(own.logs);
	noted.n = noted.read = 0;
}

/* ------------------------------------------------------------------------------------------------------ run */

static int run_quick(int fd, struct frame *f, enum port p, enum port from, int *ret)
{
	struct __sk_buff ctx = { .ifindex = stage.ifindex[p],
				 .ingress_ifindex = from < PORTS ? stage.ifindex[from] : 0,
				 .mark = stage.mark,
				 .cb = { own.mark },
				 .gso_size = stage.gso_size,
				 .gso_segs = stage.gso_size ? 2 : 0 };
	struct frame to;
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = f->b, .data_size_in = f->len, .data_out = to.b,
		    .data_size_out = sizeof(to.b), .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));
	int r = bpf_prog_test_run_opts(fd, &o);

	if (r)
		return r;
	f->len = o.data_size_out;
	memcpy(f->b, to.b, f->len);
	*ret = (int)o.retval;
	return 0;
}

static int run(int fd, struct frame *f, enum port p, enum port from)
{
	size_t size = (size_t)bpf_map__value_size(stage.skel->maps.gw_scratch) * own.ncpus;
	__u32 zero = 0;
	int r, ret = 0;

	/* the slow path writes the scratch element, and must not depend on what it finds there */
	bpf_map_update_elem(MAP(gw_scratch), &zero, own.poison, BPF_ANY);
	r = run_quick(fd, f, p, from, &ret);
	ck_assert_msg(!r, "BPF_PROG_RUN: %s: %s", strerror(-r), frame_text(f));
	bpf_map_lookup_elem(MAP(gw_scratch), &zero, own.percpu);
	stage.fast = !memcmp(own.percpu, own.poison, size);
	return ret;
}

int in_quick(struct frame *f, enum port p)
{
	int ret, r = run_quick(bpf_program__fd(stage.skel->progs.gw_in), f, p, NOWHERE, &ret);

	return r ? r : ret;
}

int in(struct frame *f, enum port p)
{
	return run(bpf_program__fd(stage.skel->progs.gw_in), f, p, NOWHERE);
}

int out(struct frame *f, enum port p, enum port from)
{
	return run(bpf_program__fd(stage.skel->progs.gw_out), f, p, from);
}

int out_with(uint16_t mark, struct frame *f, enum port p, enum port from)
{
	own.mark = mark;
	return run(own.mark_fd, f, p, from);
}

int out_marked(struct frame *f, enum port p, enum port from)
{
	return out_with(0x4758, f, p, from); /* MARK_SLOW of bpf/stage/finish.h */
}

struct gw_next *next_row(enum port p, bool v6, uint16_t *ret_mark)
{
	struct gw_next *rows = own.next + (size_t)sched_getcpu() * GW_NEXT_MAX;

	for (uint32_t i = 0; i < GW_NEXT_MAX; i++) {
		if (rows[i].asked_key != GW_NEXT_KEY(stage.ifindex[p], v6))
			continue;
		*ret_mark = GW_NEXT_MARK(rows[i].turn, i);
		return &rows[i];
	}
	return NULL;
}

void expect_in(struct frame f, enum port p, int r, const char *text)
{
	const char *before = frame_text(&f);
	int ttl = *frame_ttl(&f), got = in(&f, p);

	ck_assert_msg(got == r, "%s: returned %d, not %d; became %s", before, got, r,
		      frame_text(&f));
	if (!*text)
		return;
	ck_assert_str_eq(frame_text(&f), text);
	ck_assert_msg(frame_bad_sums(&f) == 0, "%d bad checksums: %s", frame_bad_sums(&f), text);
	ck_assert_int_eq(*frame_ttl(&f), ttl - (r == REDIRECT));
}

/* Counted for this reason, and no other. */
static int run_counted(struct frame *f, enum port p, enum gw_reason want)
{
	uint64_t before[GW_REASON_MAX];
	const char *text = frame_text(f);
	int r;

	for (int i = 0; i < GW_REASON_MAX; i++)
		before[i] = reason(i);
	r = in(f, p);
	for (int i = GW_REASON_NONE + 1; i < GW_REASON_MAX; i++)
		ck_assert_msg(reason(i) == before[i] + (i == (int)want),
			      "%s: returned %d, reason %d counted %d times, wanted reason %d", text,
			      r, i, (int)(reason(i) - before[i]), want);
	return r;
}

void expect_drop(struct frame f, enum port p, enum gw_reason want)
{
	const char *text = frame_text(&f);
	int r = run_counted(&f, p, want);

	ck_assert_msg((r == SHOT) == (want != GW_REASON_NONE), "%s: returned %d", text, r);
}

void expect_told(struct frame f, enum port p, enum gw_reason want, const char *answer)
{
	const char *text = frame_text(&f);
	int r = run_counted(&f, p, want);

	ck_assert_msg(r == REDIRECT, "%s: returned %d", text, r);
	ck_assert_str_eq(frame_text(&f), answer);
	ck_assert_int_eq(frame_bad_sums(&f), 0);
}

void stage_wait(unsigned int s)
{
	stage.skel->data_clock->gw_clock_skew += s * HZ;
}

void stage_wall(uint64_t s)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	stage.conf.wall_ns = (s - now.tv_sec) * 1000000000ULL;
	stage_conf();
}

/* ------------------------------------------------------------------------------------------------- counters */

uint64_t stat(enum gw_stat s)
{
	__u32 i = s;
	uint64_t n = 0;

	ck_assert_int_eq(bpf_map_lookup_elem(MAP(gw_stats), &i, own.percpu), 0);
	for (int cpu = 0; cpu < own.ncpus; cpu++)
		n += ((__u64 *)own.percpu)[cpu];
	return n;
}

uint64_t reason(enum gw_reason r)
{
	__u32 i = r;
	uint64_t n = 0;

	ck_assert_int_eq(bpf_map_lookup_elem(MAP(gw_reasons), &i, own.percpu), 0);
	for (int cpu = 0; cpu < own.ncpus; cpu++)
		n += ((struct gw_reason_row *)own.percpu)[cpu].pkts;
	return n;
}

struct gw_reason_row reason_row(enum gw_reason r)
{
	struct gw_reason_row *rows = own.percpu, *last = rows;
	__u32 i = r;

	ck_assert_int_eq(bpf_map_lookup_elem(MAP(gw_reasons), &i, rows), 0);
	for (int cpu = 0; cpu < own.ncpus; cpu++)
		if (rows[cpu].time_ns > last->time_ns)
			last = &rows[cpu];
	return *last;
}

struct gw_counter counter(uint32_t cid)
{
	struct gw_counter sum = {}, one;

	for (int cpu = 0; cpu < own.ncpus; cpu++) {
		__u32 i = cpu * GW_COUNTERS_MAX + cid;

		ck_assert_int_eq(bpf_map_lookup_elem(MAP(gw_counters), &i, &one), 0);
		sum.pkts += one.pkts;
		sum.bytes += one.bytes;
	}
	return sum;
}

/* -------------------------------------------------------------------------------------------------- entries */

union value {
	struct gw_flow f;
	struct gw_flow4 v4;
	struct gw_flow6 v6;
};

static void tuple_narrow(struct gw_tuple4 *to, const struct gw_tuple6 *t)
{
	*to = (struct gw_tuple4){ .saddr = t->saddr[0],
				  .daddr = t->daddr[0],
				  .sport = t->sport,
				  .dport = t->dport,
				  .proto = t->proto,
				  .zone = t->zone };
}

static struct gw_tuple6 tuple_widen(const struct gw_tuple4 *t)
{
	return (struct gw_tuple6){ .saddr = { t->saddr },
				   .daddr = { t->daddr },
				   .sport = t->sport,
				   .dport = t->dport,
				   .proto = t->proto,
				   .zone = t->zone };
}

static void key_of(const struct gw_tuple6 *t, enum table table, void *key)
{
	if (table & 1)
		memcpy(key, t, sizeof(*t));
	else
		tuple_narrow(key, t);
}

static bool entry_read(struct entry *e, enum table t)
{
	__u8 key[sizeof(struct gw_tuple6)];
	union value v;

	key_of(&e->key, t, key);
	if (bpf_map_lookup_elem(map_fd(t), key, &v))
		return false;
	e->table = t;
	e->f = v.f;
	e->peer = t & 1 ? v.v6.peer : tuple_widen(&v.v4.peer);
	return true;
}

static struct entry entry_find(const struct gw_tuple6 *key, bool v6)
{
	struct entry e = { .key = *key };

	if (!entry_read(&e, EST4 + v6) && !entry_read(&e, EMB4 + v6))
		e.table = NO_TABLE;
	return e;
}

static struct gw_tuple6 tuple_of(const struct frame *f)
{
	struct gw_tuple6 t = { .proto = frame_proto(f) };
	const uint8_t *l4 = frame_l4((struct frame *)f), *ip = f->b + FRAME_L3;
	bool v6 = frame_is6(f), reply;

	memcpy(t.saddr, ip + (v6 ? 8 : 12), v6 ? 16 : 4);
	memcpy(t.daddr, ip + (v6 ? 24 : 16), v6 ? 16 : 4);
	if (t.proto == 6 || t.proto == 17 || t.proto == 33 || t.proto == 132) {
		memcpy(&t.sport, l4, 2);
		memcpy(&t.dport, l4 + 2, 2);
	} else if (t.proto == 1 || t.proto == 58) {
		reply = l4[0] == (v6 ? 129 : 0);
		memcpy(reply ? &t.dport : &t.sport, l4 + 4, 2);
	}
	return t;
}

struct entry entry_of(const struct frame *f)
{
	struct gw_tuple6 t = tuple_of(f);

	return entry_find(&t, frame_is6(f));
}

void entry_store(const struct entry *e)
{
	__u8 key[sizeof(struct gw_tuple6)];
	union value v;

	ck_assert_int_ne(e->table, NO_TABLE);
	key_of(&e->key, e->table, key);
	ck_assert_int_eq(bpf_map_lookup_elem(map_fd(e->table), key, &v), 0);
	v.f = e->f;
	ck_assert_int_eq(bpf_map_update_elem(map_fd(e->table), key, &v, BPF_EXIST), 0);
}

void entry_delete(const struct entry *e)
{
	__u8 key[sizeof(struct gw_tuple6)];

	key_of(&e->key, e->table, key);
	ck_assert_int_eq(bpf_map_delete_elem(map_fd(e->table), key), 0);
}

unsigned int entries(enum table t)
{
	__u8 key[64], *last = NULL;
	unsigned int n = 0;

	for (; !bpf_map_get_next_key(map_fd(t), last, key); last = key)
		n++;
	return n;
}

unsigned int entries_all(void)
{
	return entries(EST4) + entries(EST6) + entries(EMB4) + entries(EMB6);
}

uint64_t assured_count(bool v6)
{
	__u32 i = v6;
	__u64 n;

	ck_assert_int_eq(bpf_map_lookup_elem(MAP(gw_count), &i, &n), 0);
	return n;
}

unsigned int mappings(void)
{
	__u8 key[64], *last = NULL;
	__u32 i = 2;
	__u64 count;
	unsigned int n = 0;

	for (; !bpf_map_get_next_key(MAP(gw_eim), last, key); last = key)
		n++;
	ck_assert_int_eq(bpf_map_lookup_elem(MAP(gw_count), &i, &count), 0);
	ck_assert_uint_eq(count * 2, n); /* an outside and an inside half each */
	return count;
}

static void check_pair(const struct gw_tuple6 *key, enum table t)
{
	const __u16 same = GW_FLOW_SNAT | GW_FLOW_DNAT | (stage.racy ? 0 : GW_FLOW_ASSURED);
	struct entry e = { .key = *key }, peer;

	ck_assert(entry_read(&e, t));
	ck_assert_int_ne(e.f.id, 0);
	ck_assert_int_eq(e.f.flags & GW_FLOW_DYING, 0);
	peer = entry_find(&e.peer, t & 1);
	ck_assert_msg(peer.table == t, "half a connection: table %d, peer in %d", t, peer.table);
	ck_assert_mem_eq(&peer.peer, key, sizeof(*key));
	ck_assert_int_eq(peer.f.id, e.f.id);
	ck_assert_int_eq(peer.f.state, e.f.state);
	ck_assert_int_ne(peer.f.flags & GW_FLOW_REPLY, e.f.flags & GW_FLOW_REPLY);
	ck_assert_int_eq(peer.f.flags & same, e.f.flags & same);
}

static void check_table(enum table t)
{
	__u8 key[64], *last = NULL;
	struct gw_tuple6 wide;

	for (; !bpf_map_get_next_key(map_fd(t), last, key); last = key) {
		wide = t & 1 ? *(struct gw_tuple6 *)key : tuple_widen((struct gw_tuple4 *)key);
		check_pair(&wide, t);
	}
}

void stage_check_tables(void)
{
	for (int t = 0; t < TABLES; t++)
		check_table(t);
	mappings();
	ck_assert_int_eq(assured_count(false) * 2, entries(EST4));
	ck_assert_int_eq(assured_count(true) * 2, entries(EST6));
}

/* --------------------------------------------------------------------------------------------------- ageing */

static unsigned int age(__u32 cause)
{
	unsigned int ended = 0;
	__u32 round = 0;

	for (__u32 t = 0; t <= TABLES; t++) { /* at last the mappings */
		struct gw_expire_ctx ctx = { .table = t,
					     .cause = cause,
					     .now = t == TABLES ? round : 0 };
		LIBBPF_OPTS(bpf_test_run_opts, o, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));

		ck_assert_int_eq(
			bpf_prog_test_run_opts(bpf_program__fd(stage.skel->progs.gw_expire), &o),
			0);
		round = t ? round : ctx.now;
		ended += t == TABLES ? 0 : ctx.ended;
	}
	return ended;
}

unsigned int expire(void)
{
	return age(GW_CAUSE_TIMEOUT);
}

unsigned int flush(void)
{
	return age(GW_CAUSE_USER);
}

bool kill_flow(const struct frame *f, uint32_t id)
{
	struct gw_kill_ctx ctx = {
		.key = tuple_of(f), .family = frame_is6(f) ? 6 : 4, .id = id, .cause = GW_CAUSE_USER
	};
	LIBBPF_OPTS(bpf_test_run_opts, o, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));

	ck_assert_int_eq(bpf_prog_test_run_opts(bpf_program__fd(stage.skel->progs.gw_kill), &o), 0);
	return ctx.done;
}

/* --------------------------------------------------------------------------------------------------- events */

unsigned int events(struct gw_event *ret, unsigned int max)
{
	unsigned int n = 0;

	ring_buffer__consume(own.ring);
	for (; n < max && seen.read < seen.n; n++)
		ret[n] = seen.rows[seen.read++];
	return n;
}

static const char *tuple_text(const struct gw_tuple6 *t, __u8 family)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	int af = family == 6 ? AF_INET6 : AF_INET;

	inet_ntop(af, t->saddr, src, sizeof(src));
	inet_ntop(af, t->daddr, dst, sizeof(dst));
	return line("%s.%u > %s.%u", src, ntohs(t->sport), dst, ntohs(t->dport));
}

const char *event_text(const struct gw_event *e)
{
	static const char *const types[] = { "NONE", "NEW", "UPDATE", "DESTROY", "LOST" };
	static const char *const states[] = { "NONE",	  "SYN_SENT",	"SYN_RECV", "ESTABLISHED",
					      "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT",
					      "CLOSE",	  "SYN_SENT2" };
	const char *proto = e->proto == 6 ? "tcp" : e->proto == 17 ? "udp" : "icmp";

	return line("%s %s%s%s %s, %s%s%s", e->type < 5 ? types[e->type] : "?", proto,
		    e->proto == 6 ? " " : "",
		    e->proto == 6 && e->state < 10 ? states[e->state] : "",
		    tuple_text(&e->tuple[0], e->family), tuple_text(&e->tuple[1], e->family),
		    e->flags & GW_FLOW_SEEN_REPLY ? "" : " UNREPLIED",
		    e->flags & GW_FLOW_ASSURED ? " ASSURED" : "");
}

void expect_event(const char *text)
{
	struct gw_event e;

	ck_assert_msg(events(&e, 1) == 1, "no event, wanted: %s", text);
	ck_assert_str_eq(event_text(&e), text);
}

void expect_no_event(void)
{
	struct gw_event e;

	if (events(&e, 1))
		ck_abort_msg("nobody expected: %s", event_text(&e));
}

bool logged(struct gw_log *ret)
{
	ring_buffer__consume(own.logs);
	if (noted.read == noted.n)
		return false;
	*ret = noted.rows[noted.read++];
	return true;
}

/* --------------------------------------------------------------------------------------------- dynamic sets */

static struct gw_dynkey dyn_key(uint32_t set, const void *key, size_t len)
{
	struct gw_dynkey k = { .set = set };

	memcpy(k.key, key, len);
	return k;
}

bool dyn_get(uint32_t set, const void *key, size_t len, struct gw_dynval *ret)
{
	struct gw_dynkey k = dyn_key(set, key, len);

	return !bpf_map_lookup_elem(MAP(gw_dynset), &k, ret);
}

void dyn_put(uint32_t set, const void *key, size_t len, const struct gw_dynval *v)
{
	struct gw_dynkey k = dyn_key(set, key, len);

	ck_assert_int_eq(bpf_map_update_elem(MAP(gw_dynset), &k, v, BPF_ANY), 0);
}

void dyn_size(uint32_t set)
{
	__u64 none = 0;

	ck_assert_int_eq(bpf_map_update_elem(MAP(gw_dyncount), &set, &none, BPF_ANY), 0);
}

uint64_t dyn_count(uint32_t set)
{
	__u64 n = 0;

	ck_assert_int_eq(bpf_map_lookup_elem(MAP(gw_dyncount), &set, &n), 0);
	return n;
}

/* ----------------------------------------------------------------------------------------------------- main */

void handshake(const char *src, uint16_t sport, const char *dst, uint16_t dport,
	       struct frame *ret_ack, struct frame *ret_back)
{
	struct frame syn = tcp(src, sport, dst, dport, S, 1000, 0), back, ack;

	ck_assert_int_eq(in(&syn, LAN), REDIRECT);
	back = frame_back(&syn);
	frame_l4(&back)[13] = S | A;
	put32(frame_l4(&back) + 4, 5000);
	put32(frame_l4(&back) + 8, 1001);
	*frame_ttl(&back) = 64;
	frame_seal(&back);
	*ret_back = back;
	ck_assert_int_eq(in(&back, WAN), REDIRECT);
	ack = tcp(src, sport, dst, dport, A, 1001, 5001);
	*ret_ack = ack;
	ck_assert_int_eq(in(&ack, LAN), REDIRECT);
	frame_l4(ret_back)[13] = A;
	put32(frame_l4(ret_back) + 4, 5001);
	frame_seal(ret_back);
}

int stage_main(const char *name, void (*add)(TCase *tc))
{
	Suite *suite = suite_create(name);
	TCase *tc = tcase_create(name);
	SRunner *runner;
	int failed, r = stage_open();

	if (r)
		return r;
	tcase_add_checked_fixture(tc, stage_reset, stage_check_tables);
	tcase_set_timeout(tc, 60);
	add(tc);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
