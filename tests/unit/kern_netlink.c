/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pure parts of ctl/kern: netlink messages, names of pins, seconds left of a flow.
 */
#include <arpa/inet.h>
#include <check.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <libmnl/libmnl.h>
#include <kern/impl.h>

struct message {
	char buf[1024];
	struct nlmsghdr *nlh;
	void *extra;
};

static void message_start(struct message *m, uint16_t type, size_t extra)
{
	memset(m, 0, sizeof(*m));
	m->nlh = mnl_nlmsg_put_header(m->buf);
	m->nlh->nlmsg_type = type;
	m->extra = mnl_nlmsg_put_extra_header(m->nlh, extra);
}

static void link_message(struct message *m, const char *name)
{
	struct ifinfomsg *ifi;

	message_start(m, RTM_NEWLINK, sizeof(*ifi));
	ifi = m->extra;
	ifi->ifi_index = 7;
	ifi->ifi_type = 1;
	ifi->ifi_flags = 0x41;
	if (name)
		mnl_attr_put_strz(m->nlh, IFLA_IFNAME, name);
}

START_TEST(link_is_read)
{
	struct nl_link link = {};
	struct message m;
	struct nlattr *nest;

	link_message(&m, "eth0.5");
	mnl_attr_put_u32(m.nlh, IFLA_MTU, 1492);
	mnl_attr_put_u32(m.nlh, IFLA_MASTER, 3);
	nest = mnl_attr_nest_start(m.nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(m.nlh, IFLA_INFO_KIND, "bridge"); /* what it is, not whose */
	mnl_attr_put_strz(m.nlh, IFLA_INFO_SLAVE_KIND, "vrf");
	mnl_attr_nest_end(m.nlh, nest);
	ck_assert(nl_parse_link(m.nlh, &link));
	ck_assert_str_eq(link.name, "eth0.5");
	ck_assert_uint_eq(link.ifindex, 7);
	ck_assert_uint_eq(link.mtu, 1492);
	ck_assert_uint_eq(link.master, 3);
	ck_assert_uint_eq(link.flags, 0x41);
	ck_assert(link.is_vrf_slave && !link.is_bridge_port);
}
END_TEST

START_TEST(damaged_links_are_refused)
{
	struct nl_link link = { .ifindex = 99 };
	struct message m;

	link_message(&m, NULL);
	ck_assert(!nl_parse_link(m.nlh, &link));
	link_message(&m, "eth0");
	m.nlh->nlmsg_type = RTM_DELLINK;
	ck_assert(!nl_parse_link(m.nlh, &link));
	message_start(&m, RTM_NEWLINK, 4);
	ck_assert(!nl_parse_link(m.nlh, &link));
	ck_assert_uint_eq(link.ifindex, 99);
}
END_TEST

START_TEST(name_without_an_end_is_cut)
{
	struct nl_link link;
	struct message m;

	link_message(&m, NULL);
	mnl_attr_put(m.nlh, IFLA_IFNAME, 20, "abcdefghijklmnopqrst");
	mnl_attr_put(m.nlh, IFLA_MTU, 2, "xx"); /* too short for a number */
	ck_assert(nl_parse_link(m.nlh, &link));
	ck_assert_str_eq(link.name, "abcdefghijklmno");
	ck_assert_uint_eq(link.mtu, 0);
}
END_TEST

static void addr_message(struct message *m, int family, uint8_t flags)
{
	struct ifaddrmsg *ifa;

	message_start(m, RTM_NEWADDR, sizeof(*ifa));
	ifa = m->extra;
	ifa->ifa_family = family;
	ifa->ifa_index = 4;
	ifa->ifa_prefixlen = 24;
	ifa->ifa_flags = flags;
}

START_TEST(own_address_of_a_point_to_point_link_is_the_local_one)
{
	struct nl_addr addr;
	struct message m;

	for (int order = 0; order < 2; order++) {
		addr_message(&m, AF_INET, IFA_F_SECONDARY);
		if (order)
			mnl_attr_put_u32(m.nlh, IFA_LOCAL, htonl(0x0a000001));
		mnl_attr_put_u32(m.nlh, IFA_ADDRESS, htonl(0x0a000009));
		if (!order)
			mnl_attr_put_u32(m.nlh, IFA_LOCAL, htonl(0x0a000001));
		ck_assert(nl_parse_addr(m.nlh, &addr));
		ck_assert_int_eq(addr.addr[3], 1);
		ck_assert_int_eq(addr.family, 4);
		ck_assert(addr.secondary && !addr.has_bcast);
	}
}
END_TEST

START_TEST(long_flags_replace_the_short_ones)
{
	uint8_t six[16] = { 0x20, 1 };
	struct nl_addr addr;
	struct message m;

	addr_message(&m, AF_INET6, IFA_F_DEPRECATED);
	mnl_attr_put(m.nlh, IFA_ADDRESS, sizeof(six), six);
	mnl_attr_put_u32(m.nlh, IFA_FLAGS, IFA_F_TENTATIVE | IFA_F_TEMPORARY);
	ck_assert(nl_parse_addr(m.nlh, &addr));
	ck_assert_mem_eq(addr.addr, six, 16);
	ck_assert(addr.tentative && !addr.deprecated && !addr.secondary);
	addr_message(&m, AF_BRIDGE, 0);
	mnl_attr_put(m.nlh, IFA_ADDRESS, sizeof(six), six);
	ck_assert(!nl_parse_addr(m.nlh, &addr));
	addr_message(&m, AF_INET, 0);
	ck_assert(!nl_parse_addr(m.nlh, &addr));
}
END_TEST

START_TEST(rule_looks_at_fwmark_by_value_or_mask)
{
	struct message m;

	message_start(&m, RTM_NEWRULE, sizeof(struct fib_rule_hdr));
	ck_assert(!nl_parse_rule_fwmark(m.nlh));
	mnl_attr_put_u32(m.nlh, FRA_FWMARK, 0);
	ck_assert(!nl_parse_rule_fwmark(m.nlh));
	mnl_attr_put_u32(m.nlh, FRA_FWMASK, 0xff); /* mark 0 of mask ff looks too */
	ck_assert(nl_parse_rule_fwmark(m.nlh));
}
END_TEST

static const struct {
	int bus;
	uint16_t type;
	unsigned int bits;
} changed_cases[] = {
	{ NETLINK_ROUTE, RTM_NEWLINK, NL_CHANGED_LINK },
	{ NETLINK_ROUTE, RTM_DELADDR, NL_CHANGED_ADDR },
	{ NETLINK_ROUTE, RTM_NEWROUTE, NL_CHANGED_ROUTE },
	{ NETLINK_ROUTE, RTM_DELRULE, NL_CHANGED_ROUTE },
	{ NETLINK_ROUTE, RTM_NEWNETCONF, NL_CHANGED_ROUTE | NL_CHANGED_LINK },
	{ NETLINK_ROUTE, RTM_DELTFILTER, NL_CHANGED_TC },
	{ NETLINK_ROUTE, RTM_NEWQDISC, NL_CHANGED_TC },
	{ NETLINK_ROUTE, RTM_NEWNEIGH, 0 },
	{ NETLINK_XFRM, XFRM_MSG_NEWPOLICY, NL_CHANGED_XFRM },
};

START_TEST(message_says_what_changed)
{
	ck_assert_uint_eq(nl_changed_bits(changed_cases[_i].bus, changed_cases[_i].type),
			  changed_cases[_i].bits);
}
END_TEST

START_TEST(pin_names)
{
	unsigned int ifindex = 0;
	enum kern_dir dir = KERN_DIRS;

	ck_assert(pins_parse_link("link_12_in", &ifindex, &dir));
	ck_assert_uint_eq(ifindex, 12);
	ck_assert_int_eq(dir, KERN_IN);
	ck_assert(pins_parse_link("link_3_out", &ifindex, &dir));
	ck_assert_int_eq(dir, KERN_OUT);
	ck_assert(!pins_parse_link("link_3_outs", &ifindex, &dir));
	ck_assert(!pins_parse_link("link_3_up", &ifindex, &dir));
	ck_assert(!pins_parse_link("link_3", &ifindex, &dir));
	ck_assert(!pins_parse_link("gw_conf", &ifindex, &dir));
	ck_assert(pins_parse_tc("tc_4", &ifindex));
	ck_assert_uint_eq(ifindex, 4);
	ck_assert(!pins_parse_tc("tc_4x", &ifindex));
}
END_TEST

static const struct {
	uint8_t proto, state;
	uint16_t flags;
	uint32_t pressure, idle;
	int64_t left;
	uint32_t own; /* the connection's own timeout, jiffies */
} left_cases[] = {
	/* timeouts are 1000 s + 10 s times their class, at 100 Hz */
	{ IPPROTO_TCP, GW_TCP_ESTABLISHED, 0, 0, 0, 1030, 0 },
	{ IPPROTO_TCP, GW_TCP_ESTABLISHED, 0, 0, 150, 1028, 0 },
	{ IPPROTO_TCP, 200, 0, 0, 0, 1000, 0 },
	{ IPPROTO_UDP, 0, 0, 0, 0, 1100, 0 },
	{ IPPROTO_UDP, 0, GW_FLOW_ASSURED, 0, 0, 1110, 0 },
	{ IPPROTO_UDPLITE, 0, GW_FLOW_ASSURED, 1, 0, 555, 0 },
	{ IPPROTO_UDP, 0, 0, 1, 0, 1100, 0 },
	{ IPPROTO_ICMP, 0, 0, 0, 0, 1120, 0 },
	{ IPPROTO_SCTP, GW_SCTP_ESTABLISHED, 0, 0, 0, 1200, 0 },
	{ IPPROTO_SCTP, 200, 0, 0, 0, 1160, 0 },
	{ IPPROTO_DCCP, GW_DCCP_TIMEWAIT, 0, 0, 0, 1330, 0 },
	{ IPPROTO_GRE, 0, 0, 0, 0, 1360, 0 },
	{ IPPROTO_GRE, 0, GW_FLOW_ASSURED, 0, 0, 1370, 0 },
	{ IPPROTO_ICMPV6, 0, 0, 0, 0, 1120, 0 },
	{ IPPROTO_ESP, 0, 0, 0, 0, 1130, 0 },
	{ IPPROTO_ESP, 0, 0, 0, 113000, 0, 0 },
	{ IPPROTO_ESP, 0, 0, 0, 113001, -1, 0 },
	{ IPPROTO_ESP, 0, 0, 0, 0xfffffff0, 1130, 0 }, /* seen after the clock was read */
	{ IPPROTO_ESP, 0, GW_FLOW_ASSURED, 40, 1, -1, 0 },
	{ IPPROTO_TCP, GW_TCP_ESTABLISHED, 0, 0, 100, 41, 4200 },
};

START_TEST(seconds_left)
{
	struct gw_flow f = { .state = left_cases[_i].state, .flags = left_cases[_i].flags };
	struct gw_conf conf = { .pressure = left_cases[_i].pressure };

	for (unsigned int i = 0; i < GW_TIMEOUT_MAX; i++)
		conf.timeout[i] = (1000 + 10 * i) * 100;
	ck_assert_int_eq(flow_seconds_left(&conf, 100, left_cases[_i].proto, &f, NULL,
					   left_cases[_i].own, left_cases[_i].idle),
			 left_cases[_i].left);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kern_netlink");
	TCase *tcase = tcase_create("pure");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, link_is_read);
	tcase_add_test(tcase, damaged_links_are_refused);
	tcase_add_test(tcase, name_without_an_end_is_cut);
	tcase_add_test(tcase, own_address_of_a_point_to_point_link_is_the_local_one);
	tcase_add_test(tcase, long_flags_replace_the_short_ones);
	tcase_add_test(tcase, rule_looks_at_fwmark_by_value_or_mask);
	tcase_add_loop_test(tcase, message_says_what_changed, 0, ARRAY_SIZE(changed_cases));
	tcase_add_test(tcase, pin_names);
	tcase_add_loop_test(tcase, seconds_left, 0, ARRAY_SIZE(left_cases));
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
