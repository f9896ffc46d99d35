/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A packet that reads the region as rules do: takes the half that conf names once, then looks at its lines for a while.  All of them must be
 * of one generation, and of the one that the packet began with.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <gw/abi.h>

#define LINES 512

struct line {
	__u64 w[8];
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct line);
	__uint(max_entries, 2 * 16384);
	__uint(map_flags, BPF_F_MMAPABLE);
} gw_region SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct gw_conf);
	__uint(max_entries, 1);
} gw_conf SEC(".maps");

__u64 read, wrong;

SEC("tc")
int reader(struct __sk_buff *skb)
{
	__u32 zero = 0, at, gen;
	struct gw_conf *conf = bpf_map_lookup_elem(&gw_conf, &zero);
	struct line *line;

	if (!conf)
		return 0;
	gen = *(volatile __u32 *)&conf->gen;
	at = (gen & 1) * conf->half_lines;
	for (int i = 1; i < LINES; i++) {
		__u32 key = at + i;

		line = bpf_map_lookup_elem(&gw_region, &key);
		if (!line)
			return 0;
		if (*(volatile __u64 *)&line->w[i & 7] != gen) {
			wrong++;
			return 0;
		}
	}
	read++;
	return 0;
}

char _license[] SEC("license") = "GPL";
