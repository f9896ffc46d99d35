/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attachment by filters of a clsact qdisc, for kernels before 6.6: priority 1, handle 1, so nothing runs before us.
 *
 * The symlink tc_<ifindex> remembers that a device carries our filters, and by its target whether the qdisc is ours
 * to remove ("made") or was there before us ("found").
 */
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <libmnl/libmnl.h>
#include <kern/impl.h>

#define FILTER_PRIO   1
#define FILTER_HANDLE 1

static const char *const prog_names[KERN_DIRS] = { "gw_in", "gw_out" };
static const enum bpf_tc_attach_point points[KERN_DIRS] = { BPF_TC_INGRESS, BPF_TC_EGRESS };
static const uint32_t parents[KERN_DIRS] = { TC_H_MIN_INGRESS, TC_H_MIN_EGRESS };

/* Program id of whatever sits at our place, 0 = nothing. */
static uint32_t clsact_place(unsigned int ifindex, enum kern_dir dir)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = points[dir]);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = FILTER_PRIO);

	return bpf_tc_query(&hook, &opts) < 0 ? 0 : opts.prog_id;
}

static bool clsact_is_ours(uint32_t prog_id, enum kern_dir dir)
{
	_cleanup_(closep) int fd = bpf_prog_get_fd_by_id(prog_id);
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &len) == 0 &&
	       strcmp(info.name, prog_names[dir]) == 0;
}

uint32_t clsact_prog_id(unsigned int ifindex, enum kern_dir dir)
{
	uint32_t id = clsact_place(ifindex, dir);

	return id && clsact_is_ours(id, dir) ? id : 0;
}

/* 1 = made now, 0 = was there. */
static int clsact_make_qdisc(unsigned int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	int r = bpf_tc_hook_create(&hook);

	if (r == -EEXIST)
		return 0;
	return r < 0 ? raise(r, "add a clsact qdisc to ifindex=%u", ifindex) : 1;
}

static int clsact_set_filter(struct kern *k, unsigned int ifindex, enum kern_dir dir)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = points[dir]);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = FILTER_PRIO,
		    .prog_fd = kern_prog_fd(k, dir), .flags = BPF_TC_F_REPLACE);
	uint32_t there = clsact_place(ifindex, dir);
	int r;

	if (there && !clsact_is_ours(there, dir))
		return raise(-EEXIST, "a foreign filter has priority 1 on ifindex=%u dir=%s",
			     ifindex, kern_dir_name(dir));
	r = bpf_tc_attach(&hook, &opts);
	return r < 0 ? raise(r, "add a filter to ifindex=%u dir=%s", ifindex, kern_dir_name(dir))
		     : 0;
}

/* 1 = removed, 0 = there was none of ours. */
static int clsact_unset_filter(unsigned int ifindex, enum kern_dir dir)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = points[dir]);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = FILTER_PRIO);
	int r;

	if (!clsact_prog_id(ifindex, dir))
		return 0;
	r = bpf_tc_detach(&hook, &opts);
	return r < 0 ? raise(r, "remove the filter from ifindex=%u", ifindex) : 1;
}

/*
 * Reading the filters of a hook, to learn whether others use the qdisc too and whether somebody came before us.
 */
struct filters {
	unsigned int count;
	uint32_t first_prio; /* lowest priority seen on a filter that is not ours, 0 = none */
};

static int clsact_filter_cb(const struct nlmsghdr *nlh, void *arg)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(nlh);
	struct filters *f = arg;
	uint32_t prio = tc->tcm_info >> 16;

	/* the kernel also lists the head of each priority, with handle 0 */
	if (nlh->nlmsg_type != RTM_NEWTFILTER || !tc->tcm_handle)
		return MNL_CB_OK;
	f->count++;
	if (prio != FILTER_PRIO || tc->tcm_handle != FILTER_HANDLE)
		f->first_prio = f->first_prio ? MIN(f->first_prio, prio) : prio;
	return MNL_CB_OK;
}

static int clsact_recv(struct mnl_socket *nl, unsigned int seq, struct filters *f)
{
	unsigned int port = mnl_socket_get_portid(nl);
	char buf[32768];
	int r = MNL_CB_OK;

	while (r > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(nl, buf, sizeof(buf));

		if (n < 0)
			return -errno;
		r = mnl_cb_run(buf, n, seq, port, clsact_filter_cb, f);
	}
	return r < 0 ? -errno : 0;
}

static int clsact_filters(unsigned int ifindex, enum kern_dir dir, struct filters *ret)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	char buf[MNL_NLMSG_HDRLEN + 64];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct tcmsg *tc = mnl_nlmsg_put_extra_header(nlh, sizeof(*tc));
	int r;

	if (!nl)
		return -errno;
	nlh->nlmsg_type = RTM_GETTFILTER;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = 1;
	tc->tcm_ifindex = ifindex;
	tc->tcm_parent = TC_H_MAKE(TC_H_CLSACT, parents[dir]);
	*ret = (struct filters){};
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		r = -errno;
	else
		r = clsact_recv(nl, nlh->nlmsg_seq, ret);
	mnl_socket_close(nl);
	return r;
}

bool clsact_is_first(unsigned int ifindex)
{
	for (enum kern_dir d = 0; d < KERN_DIRS; d++) {
		struct filters f;

		if (!clsact_prog_id(ifindex, d) || clsact_filters(ifindex, d, &f) < 0)
			return false;
		if (f.first_prio && f.first_prio <= FILTER_PRIO)
			return false;
	}
	return true;
}

static bool clsact_is_empty(unsigned int ifindex)
{
	for (enum kern_dir d = 0; d < KERN_DIRS; d++) {
		struct filters f;

		if (clsact_filters(ifindex, d, &f) < 0 || f.count)
			return false;
	}
	return true;
}

static int clsact_remove_qdisc(unsigned int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	int r = bpf_tc_hook_destroy(&hook);

	return r < 0 ? raise(r, "remove the clsact qdisc of ifindex=%u", ifindex) : 0;
}

static bool clsact_mark_says_made(const char *path)
{
	char target[8] = {};

	return readlink(path, target, sizeof(target) - 1) > 0 && strcmp(target, "made") == 0;
}

static int clsact_mark(const char *path, bool made)
{
	if (unlink(path) < 0 && errno != ENOENT)
		return raise(-errno, "replace %s", path);
	return symlink(made ? "made" : "found", path) < 0 ? raise(-errno, "make %s", path) : 0;
}

int clsact_attach(struct kern *k, unsigned int ifindex)
{
	bool was_ours = clsact_prog_id(ifindex, KERN_IN) != 0;
	char path[PATH_MAX];
	int made = clsact_make_qdisc(ifindex), r;

	if (made < 0)
		return made;
	pins_path(path, k->dir, "tc_%u", ifindex);
	/* The number may have belonged to another device: believe the mark only beside our filter. */
	r = clsact_mark(path, made || (was_ours && clsact_mark_says_made(path)));
	if (r == 0)
		r = clsact_set_filter(k, ifindex, KERN_IN);
	if (r == 0)
		r = clsact_set_filter(k, ifindex, KERN_OUT);
	if (r < 0) {
		if (!was_ours)
			clsact_drop(k->dir, ifindex);
		return r;
	}
	if (!clsact_is_first(ifindex))
		log_warning("another filter has priority 1 beside ours ifindex=%u", ifindex);
	return 0;
}

int clsact_drop(const char *dir, unsigned int ifindex)
{
	char path[PATH_MAX], target[8];
	bool removed = false;
	int r;

	pins_path(path, dir, "tc_%u", ifindex);
	if (readlink(path, target, sizeof(target)) < 0)
		return 0;
	for (enum kern_dir d = 0; d < KERN_DIRS; d++) {
		r = clsact_unset_filter(ifindex, d);
		if (r < 0)
			return r;
		removed |= r > 0;
	}
	/* without a filter of ours it may be another device of the same number: then nothing there is ours */
	if (removed && clsact_mark_says_made(path) && clsact_is_empty(ifindex)) {
		r = clsact_remove_qdisc(ifindex);
		if (r < 0)
			return r;
	}
	return unlink(path) < 0 ? raise(-errno, "remove %s", path) : 0;
}
