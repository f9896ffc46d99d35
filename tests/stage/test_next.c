/* SPDX-License-Identifier: GPL-2.0-only */
/* Link addresses of next hops: most packets of the fast path take what egress has learned, the others ask the kernel. */
#include <sched.h>
#include <string.h>
#include "stage.h"

#define QUARTER (HZ / 4)
#define LINK	12 /* bytes of the two addresses */

static const uint8_t one[LINK] = { 2, 0, 0, 0, 1, 1, 2, 0, 0, 0, 1, 2 };
static const uint8_t other[LINK] = { 2, 0, 0, 0, 2, 1, 2, 0, 0, 0, 2, 2 };

/* Rows are each CPU's own. */
static void stay_here(void)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(here), &here), 0);
}

/* The next packet of the connection, as ingress hands it on. */
static struct frame sent(const struct names *n)
{
	struct frame f = udp(n->lan, 5000, n->far, 53);

	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	ck_assert(stage.fast);
	ck_assert_str_eq(frame_text(&f), line("udp %s.5000 > %s.53", n->gw_wan, n->far));
	ck_assert_int_eq(frame_bad_sums(&f), 0);
	return f;
}

/* The same, and its link addresses are these, or those that it came with. */
static struct frame sent_to(const struct names *n, const uint8_t *link)
{
	struct frame came = udp(n->lan, 5000, n->far, 53), f = sent(n);

	ck_assert_mem_eq(f.b, link ? link : came.b, LINK);
	ck_assert_mem_eq(f.b + LINK, came.b + LINK, 2);
	return f;
}

/* A connection whose next packets take the fast path. */
static void connected(const struct names *n)
{
	struct frame last;

	RULES(MASQUERADE(WAN));
	for (int i = 0; i < 2; i++) {
		TAKES(udp(n->lan, 5000, n->far, 53), LAN, "");
		TAKES(udp(n->far, 53, n->gw_wan, 5000), WAN, "");
		stage_wait(3);
	}
	last = udp(n->lan, 5000, n->far, 53);
	ck_assert_int_eq(in(&last, LAN), REDIRECT);
}

/* What the kernel does behind bpf_redirect_neigh: a header in front, and egress. */
static void written(const struct frame *f, const uint8_t *link, bool v6)
{
	struct frame out = *f;
	uint16_t mark;

	ck_assert_ptr_nonnull(next_row(WAN, v6, &mark));
	memcpy(out.b, link, LINK);
	ck_assert_int_eq(out_with(mark, &out, WAN, LAN), PASS);
}

/* A packet that asks, and what it teaches; again if this process had to wait between the two. */
static struct gw_next *asks(const struct names *n, const uint8_t *link, bool v6)
{
	struct gw_next *row;
	struct frame f;
	uint16_t mark;

	for (int i = 0; i < 50; i++) {
		f = sent_to(n, NULL);
		written(&f, link, v6);
		row = next_row(WAN, v6, &mark);
		if (row->key)
			break;
		row->asked -= QUARTER;
	}
	return row;
}

/* A connection, and egress has learned where its packets go. */
static struct gw_next *learned(const struct names *n, const uint8_t *link, bool v6)
{
	connected(n);
	return asks(n, link, v6);
}

START_TEST(what_the_kernel_wrote_once_is_written_in_front_of_the_next_packets)
{
	const struct names *n = &names[_i];

	learned(n, one, _i);
	for (int i = 0; i < 3; i++)
		sent_to(n, one);
}
END_TEST

START_TEST(without_a_neighbour_every_packet_is_left_to_the_kernel)
{
	const struct names *n = &names[_i];
	struct gw_next *row;
	uint16_t mark, again;

	connected(n);
	sent_to(n, NULL);
	row = next_row(WAN, _i, &mark);
	sent_to(n, NULL); /* and does not ask once more so soon */
	ck_assert_ptr_eq(next_row(WAN, _i, &again), row);
	ck_assert_uint_eq(again, mark);
	ck_assert_uint_eq(row->key, 0);
}
END_TEST

START_TEST(after_a_quarter_second_the_kernel_is_asked_again)
{
	const struct names *n = &names[_i];
	struct gw_next *row = learned(n, one, _i);

	row->asked -= QUARTER / 2;
	sent_to(n, one);
	row->asked -= QUARTER;
	sent_to(n, NULL);
	sent_to(n, NULL); /* the answer is not there yet */
	row->asked -= QUARTER;
	asks(n, other, _i);
	sent_to(n, other);
}
END_TEST

START_TEST(a_change_of_links_or_routes_makes_it_ask_again)
{
	const struct names *n = &names[_i];
	struct frame f;

	learned(n, one, _i);
	stage.conf.rgen++;
	stage_conf();
	f = udp(n->lan, 5000, n->far, 53);
	ck_assert_int_eq(in(&f, LAN), REDIRECT); /* looks its route up */
	asks(n, other, _i);
	sent_to(n, other);
}
END_TEST

START_TEST(a_row_of_another_next_hop_is_left_alone)
{
	const struct names *n = &names[_i];
	struct gw_next *row = learned(n, one, _i), before;

	row->nh[_i ? 3 : 0] ^= 1;
	before = *row;
	sent_to(n, NULL);
	ck_assert_mem_eq(row, &before, sizeof(before));
	row->nh[_i ? 3 : 0] ^= 1;
	sent_to(n, one);
	row->key = GW_NEXT_KEY(stage.ifindex[DMZ], _i); /* the same next hop by another interface */
	sent_to(n, NULL);
	row->key = GW_NEXT_KEY(stage.ifindex[WAN], !_i); /* or of the other version */
	sent_to(n, NULL);
}
END_TEST

START_TEST(a_packet_that_waited_for_its_neighbour_teaches_nothing)
{
	const struct names *n = &names[_i];
	struct gw_next *row;
	uint16_t mark, old;
	struct frame f;

	connected(n);
	f = sent_to(n, NULL);
	row = next_row(WAN, _i, &old);
	row->asked -= 5; /* it waited longer than a jiffy */
	written(&f, one, _i);
	ck_assert_uint_eq(row->key, 0);
	row->asked -= QUARTER; /* until the row was asked for again */
	sent_to(n, NULL);
	ck_assert_ptr_eq(next_row(WAN, _i, &mark), row);
	ck_assert_uint_ne(mark, old);
	ck_assert_int_eq(out_with(old, &f, WAN, LAN), PASS);
	ck_assert_uint_eq(row->key, 0);
}
END_TEST

START_TEST(a_packet_by_another_interface_teaches_nothing)
{
	const struct names *n = &names[_i];
	struct gw_next *row;
	uint16_t mark;
	struct frame f;

	connected(n);
	f = sent_to(n, NULL);
	row = next_row(WAN, _i, &mark);
	ck_assert_int_eq(out_with(mark, &f, DMZ, LAN), PASS);
	ck_assert_uint_eq(row->key, 0);
}
END_TEST

START_TEST(a_device_without_link_addresses_is_the_kernels)
{
	const struct names *n = &names[_i];
	struct gw_if row = stage_get_if(WAN);

	connected(n);
	row.flags |= GW_IF_L3;
	stage_set_if(WAN, row);
	asks(n, one, _i);
	sent_to(n, NULL);
}
END_TEST

START_TEST(broadcast_multicast_and_odd_headers_are_not_kept)
{
	static const uint8_t many[LINK] = { 0x01, 0, 0x5e, 0, 0, 1, 2, 0, 0, 0, 1, 2 };
	static const uint8_t all[LINK] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 1, 2 };
	const struct names *n = &names[_i];
	struct frame f;
	uint16_t mark;

	connected(n);
	asks(n, many, _i);
	sent_to(n, NULL);
	next_row(WAN, _i, &mark)->asked -= QUARTER;
	asks(n, all, _i);
	sent_to(n, NULL);
	next_row(WAN, _i, &mark)->asked -= QUARTER;
	f = sent_to(n, NULL);
	put16(f.b + LINK, 0x8100);
	written(&f, one, _i);
	sent_to(n, NULL);
}
END_TEST

START_TEST(a_mark_from_an_interface_that_is_not_ours_means_nothing)
{
	const struct names *n = &names[_i];
	struct frame f, own;
	uint16_t mark;

	connected(n);
	f = sent_to(n, NULL);
	next_row(WAN, _i, &mark);
	memcpy(f.b, one, LINK);
	own = f;
	out_with(mark, &own, WAN, NOWHERE);
	sent_to(n, NULL);
	ck_assert(!next_row(WAN, _i, &mark)->key);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_checked_fixture(tc, stay_here, NULL);
	tcase_add_loop_test(tc, what_the_kernel_wrote_once_is_written_in_front_of_the_next_packets,
			    0, 2);
	tcase_add_loop_test(tc, without_a_neighbour_every_packet_is_left_to_the_kernel, 0, 2);
	tcase_add_loop_test(tc, after_a_quarter_second_the_kernel_is_asked_again, 0, 2);
	tcase_add_loop_test(tc, a_change_of_links_or_routes_makes_it_ask_again, 0, 2);
	tcase_add_loop_test(tc, a_row_of_another_next_hop_is_left_alone, 0, 2);
	tcase_add_loop_test(tc, a_packet_that_waited_for_its_neighbour_teaches_nothing, 0, 2);
	tcase_add_loop_test(tc, a_packet_by_another_interface_teaches_nothing, 0, 2);
	tcase_add_loop_test(tc, a_device_without_link_addresses_is_the_kernels, 0, 2);
	tcase_add_loop_test(tc, broadcast_multicast_and_odd_headers_are_not_kept, 0, 2);
	tcase_add_loop_test(tc, a_mark_from_an_interface_that_is_not_ours_means_nothing, 0, 2);
}

int main(void)
{
	return stage_main("next", add);
}
