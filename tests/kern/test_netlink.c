/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The snapshot and the monitor against a namespace that is changed step by step.
 */
#include <arpa/inet.h>
#include <net/if_arp.h>
#include <poll.h>
#include "fixture.h"

static struct nl_state *state;

static void teardown(void)
{
	state = nl_state_free(state);
}

static void read_state(void)
{
	teardown();
	ck_assert_int_eq(nl_state_read(&state), 0);
}

static const struct nl_link *link_named(const char *name)
{
	for (size_t i = 0; i < state->n_links; i++)
		if (strcmp(state->links[i].name, name) == 0)
			return &state->links[i];
	ck_abort_msg("no link %s", name);
	return NULL;
}

static const struct nl_addr *addr_of(const char *text)
{
	int family = strchr(text, ':') ? 6 : 4;
	uint8_t addr[16] = {};

	ck_assert_int_eq(inet_pton(family == 4 ? AF_INET : AF_INET6, text, addr), 1);
	for (size_t i = 0; i < state->n_addrs; i++)
		if (state->addrs[i].family == family && memcmp(state->addrs[i].addr, addr, 16) == 0)
			return &state->addrs[i];
	return NULL;
}

START_TEST(links_with_their_kind_and_sysctls)
{
	const struct nl_link *a0, *b0;

	sh("ip link set a0 mtu 1400");
	sh("ip link add br0 type bridge && ip link set b0 master br0");
	sh("echo 2 > /proc/sys/net/ipv4/conf/all/rp_filter");
	sh("echo 1 > /proc/sys/net/ipv4/conf/a0/rp_filter");
	sh("echo 0 > /proc/sys/net/ipv4/conf/b0/rp_filter");
	sh("echo 1 > /proc/sys/net/ipv4/conf/a0/forwarding");
	read_state();
	a0 = link_named("a0");
	b0 = link_named("b0");
	ck_assert_uint_eq(state->n_links, sh_lines("ip -o link"));
	ck_assert_uint_eq(a0->ifindex, ifindex_of("a0"));
	ck_assert_uint_eq(a0->mtu, 1400);
	ck_assert_uint_eq(a0->type, ARPHRD_ETHER);
	ck_assert(!a0->is_bridge_port && !a0->is_vrf_slave && !a0->master);
	ck_assert(b0->is_bridge_port);
	ck_assert_uint_eq(b0->master, ifindex_of("br0"));
	ck_assert_int_eq(a0->rp_filter, 2);
	ck_assert_int_eq(b0->rp_filter, 2);
	ck_assert(a0->forward4 && !b0->forward4 && !a0->forward6);
	sh("echo 1 > /proc/sys/net/ipv6/conf/all/forwarding");
	sh("echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter");
	read_state();
	ck_assert_int_eq(link_named("a0")->rp_filter, 1);
	ck_assert(link_named("b0")->forward6);
}
END_TEST

START_TEST(addresses_with_their_flags)
{
	const struct nl_addr *addr;
	uint8_t bcast[4] = { 10, 1, 0, 255 };

	sh("ip addr add 10.1.0.1/24 brd + dev a0 && ip addr add 10.1.0.2/24 dev a0");
	sh("ip addr add 10.2.0.1 peer 10.2.0.9 dev b0");
	sh("ip addr add 2001:db8::1/64 dev a0 nodad");
	sh("ip addr add 2001:db8::2/64 dev a0 nodad preferred_lft 0");
	read_state();
	addr = addr_of("10.1.0.1");
	ck_assert_ptr_nonnull(addr);
	ck_assert_uint_eq(addr->ifindex, ifindex_of("a0"));
	ck_assert(addr->has_bcast && !addr->secondary);
	ck_assert_mem_eq(addr->bcast, bcast, 4);
	ck_assert_uint_eq(addr->plen, 24);
	ck_assert(addr_of("10.1.0.2")->secondary);
	ck_assert_ptr_nonnull(addr_of("10.2.0.1"));
	ck_assert_ptr_null(addr_of("10.2.0.9"));
	ck_assert(!addr_of("2001:db8::1")->deprecated && !addr_of("2001:db8::1")->secondary);
	ck_assert(addr_of("2001:db8::2")->deprecated);
	ck_assert_ptr_nonnull(addr_of("127.0.0.1"));
}
END_TEST

START_TEST(rules_that_look_at_fwmark_are_noticed)
{
	read_state();
	ck_assert(!state->rule_fwmark);
	sh("ip rule add from 10.0.0.1 lookup 100");
	read_state();
	ck_assert(!state->rule_fwmark);
	sh("ip -6 rule add fwmark 1 lookup 100");
	read_state();
	ck_assert(state->rule_fwmark);
	sh("ip -6 rule del fwmark 1 && ip rule add fwmark 0x10/0xf0 lookup 100");
	read_state();
	ck_assert(state->rule_fwmark);
}
END_TEST

START_TEST(xfrm_policies_are_noticed)
{
	read_state();
	ck_assert(!state->xfrm);
	if (system("ip xfrm policy add src 10.0.0.0/8 dst 10.9.0.0/16 dir out "
		   "tmpl src 1.1.1.1 dst 2.2.2.2 proto esp mode tunnel 2>/dev/null") != 0)
		return; /* a kernel without XFRM */
	read_state();
	ck_assert(state->xfrm);
}
END_TEST

/* What the monitor says until it has said @wanted, for two seconds; late news of other things may come between. */
static unsigned int changed(struct nl_monitor *m, unsigned int wanted)
{
	struct pollfd p = { .fd = nl_monitor_fd(m), .events = POLLIN };
	unsigned int all = 0, bits;

	for (int i = 0; i < 20 && !(all & wanted); i++) {
		if (poll(&p, 1, 100) != 1)
			continue;
		ck_assert_int_eq(nl_monitor_read(m, &bits), 0);
		all |= bits;
	}
	return all;
}

START_TEST(monitor_says_what_changed)
{
	struct nl_monitor *m = NULL;
	unsigned int bits = 1;

	ck_assert_int_eq(nl_monitor_open(&m), 0);
	ck_assert_int_eq(nl_monitor_read(m, &bits), 0);
	ck_assert_uint_eq(bits, 0);

	sh("ip addr add 10.1.0.1/24 dev a0");
	bits = changed(m, NL_CHANGED_ADDR);
	ck_assert_uint_ne(bits & NL_CHANGED_ADDR, 0);
	ck_assert_uint_eq(bits & (NL_CHANGED_TC | NL_CHANGED_XFRM | NL_CHANGED_ALL), 0);
	sh("ip route add 10.5.0.0/16 via 10.1.0.9");
	ck_assert_uint_ne(changed(m, NL_CHANGED_ROUTE) & NL_CHANGED_ROUTE, 0);
	sh("ip rule add fwmark 1 lookup 100");
	ck_assert_uint_ne(changed(m, NL_CHANGED_ROUTE) & NL_CHANGED_ROUTE, 0);
	sh("ip link set a0 mtu 1300");
	ck_assert_uint_ne(changed(m, NL_CHANGED_LINK) & NL_CHANGED_LINK, 0);
	sh("echo 1 > /proc/sys/net/ipv4/conf/a0/forwarding");
	ck_assert_uint_ne(changed(m, NL_CHANGED_LINK) & NL_CHANGED_LINK, 0);
	sh("tc qdisc add dev a0 clsact");
	ck_assert_uint_ne(changed(m, NL_CHANGED_TC) & NL_CHANGED_TC, 0);
	ck_assert_int_eq(foreign_filter("a0", KERN_IN, 3), 0);
	ck_assert_uint_ne(changed(m, NL_CHANGED_TC) & NL_CHANGED_TC, 0);
	if (system("ip xfrm policy add src 10.0.0.0/8 dst 10.9.0.0/16 dir out "
		   "tmpl src 1.1.1.1 dst 2.2.2.2 proto esp mode tunnel 2>/dev/null") == 0)
		ck_assert_uint_ne(changed(m, NL_CHANGED_XFRM) & NL_CHANGED_XFRM, 0);
	nl_monitor_free(m);
}
END_TEST

START_TEST(overrun_means_read_everything)
{
	struct nl_monitor *m = NULL;
	unsigned int bits = 0;

	ck_assert_int_eq(nl_monitor_open(&m), 0);
	/* a batch of routes larger than the socket's buffer */
	sh("ip addr add 10.1.0.1/24 dev a0; for i in $(seq 1 20000); do echo route add "
	   "10.$((100 + i / 256)).$((i %% 256)).0/24 via 10.1.0.9; done | ip -batch -");
	ck_assert_int_eq(nl_monitor_read(m, &bits), 0);
	ck_assert_uint_ne(bits & NL_CHANGED_ALL, 0);
	nl_monitor_free(m);
}
END_TEST

static Suite *netlink_suite(void)
{
	Suite *suite = suite_create("kern_netlink");
	TCase *tcase = tcase_create("netlink");

	tcase_add_checked_fixture(tcase, fixture_setup, teardown);
	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, links_with_their_kind_and_sysctls);
	tcase_add_test(tcase, addresses_with_their_flags);
	tcase_add_test(tcase, rules_that_look_at_fwmark_are_noticed);
	tcase_add_test(tcase, xfrm_policies_are_noticed);
	tcase_add_test(tcase, monitor_says_what_changed);
	tcase_add_test(tcase, overrun_means_read_everything);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return fixture_main(netlink_suite);
}
