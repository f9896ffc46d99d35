/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A snapshot of links, addresses, rules and IPsec policies of this network namespace.
 */
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <libmnl/libmnl.h>
#include <netinet/in.h>
#include <kern/impl.h>

#define DUMP_TRIES 5	 /* the tables may change while they are read */
#define BUF_SIZE   32768 /* a link with many virtual functions does not fit in less */

struct nl_read {
	struct nl_state *state;
	size_t cap_links, cap_addrs;
	bool forward_all6;
	int rp_filter_all;
};

static void copy_name(char to[static 16], const struct nlattr *attr)
{
	snprintf(to, 16, "%.*s",
		 (int)strnlen(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr)),
		 (const char *)mnl_attr_get_payload(attr));
}

static uint32_t attr_u32(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr) >= sizeof(uint32_t) ? mnl_attr_get_u32(attr) : 0;
}

static void parse_linkinfo(const struct nlattr *info, struct nl_link *link)
{
	const struct nlattr *attr;
	char kind[16];

	mnl_attr_for_each_nested(attr, info)
	{
		if (mnl_attr_get_type(attr) != IFLA_INFO_SLAVE_KIND)
			continue;
		copy_name(kind, attr);
		link->is_vrf_slave = strcmp(kind, "vrf") == 0;
		link->is_bridge_port = strcmp(kind, "bridge") == 0;
	}
}

bool nl_parse_link(const struct nlmsghdr *nlh, struct nl_link *ret_link)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct nl_link link = {};
	const struct nlattr *attr;

	if (nlh->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi))
		return false;
	link.ifindex = ifi->ifi_index;
	link.type = ifi->ifi_type;
	link.flags = ifi->ifi_flags;
	mnl_attr_for_each(attr, nlh, sizeof(*ifi))
	{
		switch (mnl_attr_get_type(attr)) {
		case IFLA_IFNAME:
			copy_name(link.name, attr);
			break;
		case IFLA_MTU:
			link.mtu = attr_u32(attr);
			break;
		case IFLA_MASTER:
			link.master = attr_u32(attr);
			break;
		case IFLA_LINKINFO:
			parse_linkinfo(attr, &link);
			break;
		}
	}
	if (!link.name[0])
		return false;
	*ret_link = link;
	return true;
}

static void copy_addr(uint8_t to[static 16], const struct nlattr *attr)
{
	memcpy(to, mnl_attr_get_payload(attr), MIN(mnl_attr_get_payload_len(attr), 16));
}

bool nl_parse_addr(const struct nlmsghdr *nlh, struct nl_addr *ret_addr)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr, *own = NULL;
	struct nl_addr addr = {};
	uint32_t flags;

	if (nlh->nlmsg_type != RTM_NEWADDR || mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifa) ||
	    (ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6))
		return false;
	flags = ifa->ifa_flags;
	mnl_attr_for_each(attr, nlh, sizeof(*ifa))
	{
		switch (mnl_attr_get_type(attr)) {
		case IFA_LOCAL: /* on point-to-point links IFA_ADDRESS is the other end's */
			own = attr;
			break;
		case IFA_ADDRESS:
			own = own ? own : attr;
			break;
		case IFA_BROADCAST:
			copy_addr(addr.bcast, attr);
			addr.has_bcast = true;
			break;
		case IFA_FLAGS:
			flags = attr_u32(attr);
			break;
		}
	}
	if (!own)
		return false;
	copy_addr(addr.addr, own);
	addr.ifindex = ifa->ifa_index;
	addr.family = ifa->ifa_family == AF_INET ? 4 : 6;
	addr.plen = ifa->ifa_prefixlen;
	addr.scope = ifa->ifa_scope;
	/* the same bit means a privacy address in IPv6 */
	addr.secondary = addr.family == 4 && (flags & IFA_F_SECONDARY);
	addr.deprecated = flags & IFA_F_DEPRECATED;
	addr.tentative = flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED);
	*ret_addr = addr;
	return true;
}

bool nl_parse_rule_fwmark(const struct nlmsghdr *nlh)
{
	const struct nlattr *attr;

	if (nlh->nlmsg_type != RTM_NEWRULE ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(struct fib_rule_hdr))
		return false;
	mnl_attr_for_each(attr, nlh, sizeof(struct fib_rule_hdr))
	{
		uint16_t type = mnl_attr_get_type(attr);

		if ((type == FRA_FWMARK || type == FRA_FWMASK) && attr_u32(attr))
			return true;
	}
	return false;
}

/* A number in /proc/sys/net, which shows the network namespace of who opens it; 0 if absent. */
static int sysctl_read(const char *family, const char *ifname, const char *key)
{
	_cleanup_(fclosep) FILE *f = NULL;
	char path[128];
	int value;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, ifname, key);
	f = fopen(path, "re");
	return f && fscanf(f, "%d", &value) == 1 ? value : 0;
}

/* What the kernel itself goes by: IPv4 forwards by interface, IPv6 by "all" (force_forwarding: 6.17). */
static void read_sysctls(const struct nl_read *ctx, struct nl_link *link)
{
	link->rp_filter = MAX(ctx->rp_filter_all, sysctl_read("ipv4", link->name, "rp_filter"));
	link->forward4 = sysctl_read("ipv4", link->name, "forwarding") > 0;
	link->forward6 =
		ctx->forward_all6 || sysctl_read("ipv6", link->name, "force_forwarding") > 0;
}

static int read_message(const struct nlmsghdr *nlh, void *arg)
{
	struct nl_read *ctx = arg;
	struct nl_state *s = ctx->state;
	struct nl_link link;
	struct nl_addr addr;

	if (nl_parse_link(nlh, &link)) {
		if (array_reserve((void **)&s->links, &ctx->cap_links, s->n_links, sizeof(link)) <
		    0)
			return MNL_CB_ERROR;
		read_sysctls(ctx, &link);
		s->links[s->n_links++] = link;
	} else if (nl_parse_addr(nlh, &addr)) {
		if (array_reserve((void **)&s->addrs, &ctx->cap_addrs, s->n_addrs, sizeof(addr)) <
		    0)
			return MNL_CB_ERROR;
		s->addrs[s->n_addrs++] = addr;
	}
	return MNL_CB_OK;
}

static int read_policy(const struct nlmsghdr *nlh, void *arg)
{
	struct nl_read *ctx = arg;

	ctx->state->xfrm |= nlh->nlmsg_type == XFRM_MSG_NEWPOLICY;
	return MNL_CB_OK;
}

static int read_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct nl_read *ctx = arg;

	if (nl_parse_rule_fwmark(nlh))
		ctx->state->rule_fwmark = true;
	return MNL_CB_OK;
}

/* One dump request: what to ask, with a header of `size` zero bytes whose first is the family. */
struct dump {
	uint16_t type;
	uint8_t family;
	size_t size;
	mnl_cb_t cb;
};

static int dump_receive(struct mnl_socket *nl, unsigned int seq, mnl_cb_t cb, struct nl_read *ctx)
{
	_cleanup_(freep) char *buf = malloc(BUF_SIZE);
	unsigned int port = mnl_socket_get_portid(nl);
	int r = MNL_CB_OK;

	if (!buf)
		return -ENOMEM;
	while (r > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(nl, buf, BUF_SIZE);

		if (n < 0)
			return -errno;
		r = mnl_cb_run(buf, n, seq, port, cb, ctx);
	}
	return r < 0 ? -errno : 0;
}

static int dump_run(struct mnl_socket *nl, const struct dump *d, unsigned int seq,
		    struct nl_read *ctx)
{
	char buf[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	uint8_t *extra = mnl_nlmsg_put_extra_header(nlh, d->size);
	int r;

	nlh->nlmsg_type = d->type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = seq;
	extra[0] = d->family;
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	r = dump_receive(nl, seq, d->cb, ctx);
	/* a kernel booted without IPv6 */
	return r == -EAFNOSUPPORT || r == -EOPNOTSUPP ? 0 : r;
}

static int dump_all(int bus, const struct dump *dumps, size_t n, struct nl_read *ctx)
{
	struct mnl_socket *nl = mnl_socket_open2(bus, SOCK_CLOEXEC);
	int r;

	if (!nl)
		return -errno;
	r = mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : 0;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = dump_run(nl, &dumps[i], i + 1, ctx);
	mnl_socket_close(nl);
	return r;
}

static int read_once(struct nl_read *ctx)
{
	static const struct dump route[] = {
		{ RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg), read_message },
		{ RTM_GETADDR, AF_UNSPEC, sizeof(struct ifaddrmsg), read_message },
		{ RTM_GETRULE, AF_INET, sizeof(struct fib_rule_hdr), read_rule },
		{ RTM_GETRULE, AF_INET6, sizeof(struct fib_rule_hdr), read_rule },
	};
	static const struct dump xfrm[] = {
		{ XFRM_MSG_GETPOLICY, 0, sizeof(struct xfrm_userpolicy_id), read_policy },
	};
	int r = dump_all(NETLINK_ROUTE, route, ARRAY_SIZE(route), ctx);

	if (r < 0)
		return r;
	r = dump_all(NETLINK_XFRM, xfrm, ARRAY_SIZE(xfrm), ctx);
	return r == -EPROTONOSUPPORT ? 0 : r;
}

int nl_state_read(struct nl_state **ret)
{
	int r = -EINTR;

	for (int i = 0; r == -EINTR && i < DUMP_TRIES; i++) {
		_cleanup_(nl_state_freep) struct nl_state *s = calloc(1, sizeof(*s));
		struct nl_read ctx = { .state = s };

		if (!s)
			return raise(-ENOMEM, "nl_state_read");
		ctx.forward_all6 = sysctl_read("ipv6", "all", "forwarding") > 0;
		ctx.rp_filter_all = sysctl_read("ipv4", "all", "rp_filter");
		r = read_once(&ctx);
		if (r == 0)
			*ret = TAKE_PTR(s);
	}
	return r < 0 ? raise(r, "read interfaces and addresses") : 0;
}

struct nl_state *nl_state_free(struct nl_state *s)
{
	if (s) {
		free(s->links);
		free(s->addrs);
		free(s);
	}
	return NULL;
}
