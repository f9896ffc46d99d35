/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "Something changed": multicast groups of rtnetlink and, where the kernel has it, of XFRM.
 */
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <libmnl/libmnl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <kern/impl.h>

#define RECEIVE_BUFFER (1 << 20)
#define READS_MAX      4096 /* messages of one call; a routing daemon may never stop */
#define BUF_SIZE       32768

struct nl_monitor {
	struct mnl_socket *route, *xfrm; /* xfrm NULL = the kernel has none */
	int epoll_fd;			 /* readable when one of the two is */
};

unsigned int nl_changed_bits(int bus, uint16_t type)
{
	if (bus == NETLINK_XFRM)
		return NL_CHANGED_XFRM;
	switch (type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return NL_CHANGED_LINK;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return NL_CHANGED_ADDR;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
	case RTM_NEWRULE:
	case RTM_DELRULE:
		return NL_CHANGED_ROUTE;
	case RTM_NEWNETCONF: /* forwarding and rp_filter are part of a link's row too */
	case RTM_DELNETCONF:
		return NL_CHANGED_ROUTE | NL_CHANGED_LINK;
	case RTM_NEWTFILTER:
	case RTM_DELTFILTER:
	case RTM_NEWQDISC:
	case RTM_DELQDISC:
		return NL_CHANGED_TC;
	default:
		return 0;
	}
}

static int monitor_join(struct mnl_socket *nl, const int *groups, size_t n)
{
	int fd = mnl_socket_get_fd(nl), size = RECEIVE_BUFFER;

	/* best effort: an overrun is reported and means one full read */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	for (size_t i = 0; i < n; i++)
		if (mnl_socket_setsockopt(nl, NETLINK_ADD_MEMBERSHIP, (void *)&groups[i],
					  sizeof(groups[i])) < 0)
			return -errno;
	return 0;
}

static int monitor_open_socket(struct nl_monitor *m, int bus, const int *groups, size_t n,
			       struct mnl_socket **ret_nl)
{
	struct epoll_event event = { .events = EPOLLIN };
	int r;

	*ret_nl = mnl_socket_open2(bus, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!*ret_nl)
		return -errno;
	r = monitor_join(*ret_nl, groups, n);
	if (r < 0)
		return r;
	return epoll_ctl(m->epoll_fd, EPOLL_CTL_ADD, mnl_socket_get_fd(*ret_nl), &event) < 0
		       ? -errno
		       : 0;
}

int nl_monitor_open(struct nl_monitor **ret)
{
	static const int route[] = {
		RTNLGRP_LINK,	      RTNLGRP_TC,	  RTNLGRP_IPV4_IFADDR,
		RTNLGRP_IPV6_IFADDR,  RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
		RTNLGRP_IPV4_RULE,    RTNLGRP_IPV6_RULE,  RTNLGRP_IPV4_NETCONF,
		RTNLGRP_IPV6_NETCONF,
	};
	static const int xfrm[] = { XFRMNLGRP_POLICY };
	_cleanup_(nl_monitor_freep) struct nl_monitor *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return raise(-ENOMEM, "nl_monitor_open");
	m->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (m->epoll_fd < 0)
		return raise(-errno, "nl_monitor_open");
	r = monitor_open_socket(m, NETLINK_ROUTE, route, ARRAY_SIZE(route), &m->route);
	if (r < 0)
		return raise(r, "listen to rtnetlink");
	r = monitor_open_socket(m, NETLINK_XFRM, xfrm, ARRAY_SIZE(xfrm), &m->xfrm);
	if (r < 0 && r != -EPROTONOSUPPORT)
		return raise(r, "listen to XFRM policies");
	*ret = TAKE_PTR(m);
	return 0;
}

struct nl_monitor *nl_monitor_free(struct nl_monitor *m)
{
	if (!m)
		return NULL;
	if (m->route)
		mnl_socket_close(m->route);
	if (m->xfrm)
		mnl_socket_close(m->xfrm);
	closep(&m->epoll_fd);
	free(m);
	return NULL;
}

int nl_monitor_fd(const struct nl_monitor *m)
{
	return m->epoll_fd;
}

/* Every message of one datagram. */
static unsigned int bits_of(int bus, const void *buf, ssize_t len)
{
	const struct nlmsghdr *nlh = buf;
	unsigned int changed = 0;
	int left = (int)len;

	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
		changed |= nl_changed_bits(bus, nlh->nlmsg_type);
	return changed;
}

static int monitor_drain(struct mnl_socket *nl, int bus, unsigned int *changed)
{
	_cleanup_(freep) char *buf = malloc(BUF_SIZE);

	if (!buf)
		return raise(-ENOMEM, "nl_monitor_read");
	for (int i = 0; i < READS_MAX; i++) {
		ssize_t n = mnl_socket_recvfrom(nl, buf, BUF_SIZE);

		if (n >= 0)
			*changed |= bits_of(bus, buf, n);
		else if (errno == EAGAIN)
			return 0;
		else if (errno == ENOBUFS || errno == ENOSPC) /* messages lost, one too long */
			*changed |= NL_CHANGED_ALL;
		else if (errno != EINTR)
			return raise(-errno, "read rtnetlink");
	}
	return 0;
}

int nl_monitor_read(struct nl_monitor *m, unsigned int *ret_changed)
{
	unsigned int changed = 0;
	int r = monitor_drain(m->route, NETLINK_ROUTE, &changed);

	if (r == 0 && m->xfrm)
		r = monitor_drain(m->xfrm, NETLINK_XFRM, &changed);
	if (r == 0)
		*ret_changed = changed;
	return r;
}
