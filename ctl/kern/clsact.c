/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attachment by filters of a clsact qdisc, for kernels before 6.6: priority 1, handle 1, so nothing runs before us.
 *
 * The symlink tc_<ifindex> remembers that a device carries our filters, and by its target whether the qdisc is ours
 * to remove ("made") or was there before us ("found").
 *
 * Our filters are named after the pin directory: the name tells them from those of others, also of another gwd, after
 * a restart and without a look at the program, which takes CAP_SYS_ADMIN.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <libmnl/libmnl.h>
#include <kern/impl.h>

#define FILTER_PRIO   1
#define FILTER_HANDLE 1

static const enum bpf_tc_attach_point points[KERN_DIRS] = { BPF_TC_INGRESS, BPF_TC_EGRESS };
static const uint32_t parents[KERN_DIRS] = { TC_H_MIN_INGRESS, TC_H_MIN_EGRESS };

/* The filters of one hook: whether ours is among them, and what others have there. */
struct filters {
	char own_name[256];  /* CLS_BPF_NAME_LEN */
	unsigned int count;  /* of anybody */
	uint32_t first_prio; /* lowest priority of the ones that are not at our place, 0 = none */
	bool taken;	     /* something is at our place ... */
	uint32_t prog_id;    /* ... and it is our filter with this program, 0 = not ours */
};

/* PIN_DIR/v<N> -> "gatewarden:PIN_DIR" */
static void clsact_name(char name[static 256], const char *dir)
{
	const char *slash = strrchr(dir, '/');

	snprintf(name, 256, "gatewarden:%.*s", slash ? (int)(slash - dir) : 0, dir);
}

static const struct nlattr *clsact_attr(const struct nlmsghdr *nlh, uint16_t type)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh,
			  sizeof(struct tcmsg)) if (mnl_attr_get_type(attr) == type) return attr;
	return NULL;
}

static uint32_t clsact_own_prog(const struct nlmsghdr *nlh, const char *own_name)
{
	const struct nlattr *kind = clsact_attr(nlh, TCA_KIND), *attr;
	const struct nlattr *options = clsact_attr(nlh, TCA_OPTIONS);
	bool own = false;
	uint32_t id = 0;

	if (!kind || mnl_attr_validate(kind, MNL_TYPE_NUL_STRING) < 0 ||
	    strcmp(mnl_attr_get_str(kind), "bpf") != 0 || !options)
		return 0;
	mnl_attr_for_each_nested(attr, options)
	{
		if (mnl_attr_get_type(attr) == TCA_BPF_NAME &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
			own = strcmp(mnl_attr_get_str(attr), own_name) == 0;
		if (mnl_attr_get_type(attr) == TCA_BPF_ID &&
		    mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
			id = mnl_attr_get_u32(attr);
	}
	return own ? id : 0;
}

static int clsact_filter_cb(const struct nlmsghdr *nlh, void *arg)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *chain = clsact_attr(nlh, TCA_CHAIN);
	struct filters *f = arg;
	uint32_t prio = tc->tcm_info >> 16;

	/* the kernel also lists the head of each priority, with handle 0 */
	if (nlh->nlmsg_type != RTM_NEWTFILTER || !tc->tcm_handle)
		return MNL_CB_OK;
	f->count++;
	/* packets begin in chain 0: the others run only if a filter there says so */
	if (chain && mnl_attr_validate(chain, MNL_TYPE_U32) == 0 && mnl_attr_get_u32(chain))
		return MNL_CB_OK;
	if (prio == FILTER_PRIO && tc->tcm_handle == FILTER_HANDLE) {
		f->taken = true;
		f->prog_id = clsact_own_prog(nlh, f->own_name);
	} else {
		f->first_prio = f->first_prio ? MIN(f->first_prio, prio) : prio;
	}
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

/* Send one message and read until its acknowledgement or the end of the listing. */
static int clsact_talk(const struct nlmsghdr *nlh, struct filters *f)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int r;

	if (!nl)
		return -errno;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		r = -errno;
	else
		r = clsact_recv(nl, nlh->nlmsg_seq, f);
	mnl_socket_close(nl);
	return r;
}

static struct tcmsg *clsact_message(struct nlmsghdr *nlh, uint16_t type, uint16_t flags,
				    unsigned int ifindex, enum kern_dir d)
{
	struct tcmsg *tc = mnl_nlmsg_put_extra_header(nlh, sizeof(*tc));

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = 1;
	tc->tcm_ifindex = ifindex;
	tc->tcm_parent = TC_H_MAKE(TC_H_CLSACT, parents[d]);
	return tc;
}

static int clsact_filters(const char *dir, unsigned int ifindex, enum kern_dir d,
			  struct filters *ret)
{
	char buf[MNL_NLMSG_HDRLEN + 64];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	clsact_message(nlh, RTM_GETTFILTER, NLM_F_DUMP, ifindex, d);
	*ret = (struct filters){};
	clsact_name(ret->own_name, dir);
	return clsact_talk(nlh, ret);
}

uint32_t clsact_prog_id(const char *dir, unsigned int ifindex, enum kern_dir d)
{
	struct filters f;

	return clsact_filters(dir, ifindex, d, &f) < 0 ? 0 : f.prog_id;
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

/* libbpf would do the same under a name of its own. */
static int clsact_put_filter(struct kern *k, unsigned int ifindex, enum kern_dir d, bool replace,
			     const char *name)
{
	char buf[MNL_NLMSG_HDRLEN + 512];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	/* EXCL: whoever took the place since we looked keeps it */
	uint16_t flags = NLM_F_ACK | NLM_F_CREATE | (replace ? 0 : NLM_F_EXCL);
	struct tcmsg *tc = clsact_message(nlh, RTM_NEWTFILTER, flags, ifindex, d);
	struct nlattr *options;

	tc->tcm_handle = FILTER_HANDLE;
	tc->tcm_info = TC_H_MAKE(FILTER_PRIO << 16, htons(ETH_P_ALL));
	mnl_attr_put_strz(nlh, TCA_KIND, "bpf");
	options = mnl_attr_nest_start(nlh, TCA_OPTIONS);
	mnl_attr_put_u32(nlh, TCA_BPF_FD, kern_prog_fd(k, d));
	mnl_attr_put_strz(nlh, TCA_BPF_NAME, name);
	mnl_attr_put_u32(nlh, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	mnl_attr_nest_end(nlh, options);
	return clsact_talk(nlh, &(struct filters){});
}

static int clsact_set_filter(struct kern *k, unsigned int ifindex, enum kern_dir d)
{
	struct filters f;
	int r = clsact_filters(k->dir, ifindex, d, &f);

	if (r < 0)
		return raise(r, "list the filters of ifindex=%u", ifindex);
	if (f.taken && !f.prog_id)
		return raise(-EEXIST, "a foreign filter has priority 1 on ifindex=%u dir=%s",
			     ifindex, kern_dir_name(d));
	r = clsact_put_filter(k, ifindex, d, f.taken, f.own_name);
	return r < 0 ? raise(r, "add a filter to ifindex=%u dir=%s", ifindex, kern_dir_name(d)) : 0;
}

/* 1 = removed, 0 = there was none of ours. */
static int clsact_unset_filter(const char *dir, unsigned int ifindex, enum kern_dir d)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = points[d]);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = FILTER_PRIO);
	int r;

	if (!clsact_prog_id(dir, ifindex, d))
		return 0;
	r = bpf_tc_detach(&hook, &opts);
	return r < 0 ? raise(r, "remove the filter from ifindex=%u", ifindex) : 1;
}

bool clsact_is_first(const char *dir, unsigned int ifindex)
{
	for (enum kern_dir d = 0; d < KERN_DIRS; d++) {
		struct filters f;

		if (clsact_filters(dir, ifindex, d, &f) < 0 || !f.prog_id)
			return false;
		if (f.first_prio && f.first_prio <= FILTER_PRIO)
			return false;
	}
	return true;
}

static bool clsact_is_empty(const char *dir, unsigned int ifindex)
{
	for (enum kern_dir d = 0; d < KERN_DIRS; d++) {
		struct filters f;

		if (clsact_filters(dir, ifindex, d, &f) < 0 || f.count)
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
	bool was_ours = clsact_prog_id(k->dir, ifindex, KERN_IN) != 0;
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
	if (!clsact_is_first(k->dir, ifindex))
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
		r = clsact_unset_filter(dir, ifindex, d);
		if (r < 0)
			return r;
		removed |= r > 0;
	}
	/* without a filter of ours it may be another device of the same number: then nothing there is ours */
	if (removed && clsact_mark_says_made(path) && clsact_is_empty(dir, ifindex)) {
		r = clsact_remove_qdisc(ifindex);
		if (r < 0)
			return r;
	}
	return unlink(path) < 0 ? raise(-errno, "remove %s", path) : 0;
}
