/* SPDX-License-Identifier: GPL-2.0-only */
/* Framing: what one side sends is what the other reads, however the stream is cut; and nothing else is accepted. */
#include <check.h>
#include <sys/socket.h>
#include <wire/wire.h>

static void pair(int fds[2])
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
}

START_TEST(a_frame_arrives_as_it_was_sent)
{
	_cleanup_(freep) char *data = NULL;
	enum wire_type type;
	size_t len;
	int fds[2];

	pair(fds);
	ck_assert_int_eq(wire_send(fds[0], WIRE_TEXT, "hello", 5), 0);
	ck_assert_int_eq(wire_send(fds[0], WIRE_END, NULL, 0), 0);
	ck_assert_int_eq(wire_recv(fds[1], 100, &type, &data, &len), 1);
	ck_assert_int_eq(type, WIRE_TEXT);
	ck_assert_uint_eq(len, 5);
	ck_assert_str_eq(data, "hello");
	free(TAKE_PTR(data));
	ck_assert_int_eq(wire_recv(fds[1], 100, &type, &data, &len), 1);
	ck_assert_int_eq(type, WIRE_END);
	ck_assert_str_eq(data, "");
	free(TAKE_PTR(data));
	close(fds[0]);
	ck_assert_int_eq(wire_recv(fds[1], 100, &type, &data, &len), 0);
	close(fds[1]);
}
END_TEST

START_TEST(a_peer_that_is_gone_is_an_error_and_no_signal)
{
	int fds[2];

	pair(fds);
	close(fds[1]);
	ck_assert_int_eq(wire_send(fds[0], WIRE_TEXT, "x", 1), -EPIPE);
	close(fds[0]);
}
END_TEST

static const struct {
	const char *name;
	struct wire_head head;
	size_t send, max;
	int r;
} bad_cases[] = {
	{ "wrong magic", { 0x12345678, WIRE_TEXT, 0 }, 12, 100, -EPROTO },
	{ "type 0", { WIRE_MAGIC, 0, 0 }, 12, 100, -EPROTO },
	{ "type 7", { WIRE_MAGIC, WIRE_END + 1, 0 }, 12, 100, -EPROTO },
	{ "too long", { WIRE_MAGIC, WIRE_TEXT, 101 }, 12, 100, -EMSGSIZE },
	{ "longest length", { WIRE_MAGIC, WIRE_TEXT, UINT32_MAX }, 12, 100, -EMSGSIZE },
	{ "cut in the head", { WIRE_MAGIC, WIRE_TEXT, 1 }, 7, 100, -EPROTO },
	{ "cut behind the head", { WIRE_MAGIC, WIRE_TEXT, 1 }, 12, 100, -EPROTO },
};
START_TEST(a_stream_that_is_not_ours_is_refused)
{
	_cleanup_(freep) char *data = NULL;
	enum wire_type type;
	size_t len;
	int fds[2];

	pair(fds);
	ck_assert_int_eq(write(fds[0], &bad_cases[_i].head, bad_cases[_i].send),
			 bad_cases[_i].send);
	close(fds[0]);
	ck_assert_msg(wire_recv(fds[1], bad_cases[_i].max, &type, &data, &len) == bad_cases[_i].r,
		      "%s", bad_cases[_i].name);
	ck_assert_ptr_null(data);
	close(fds[1]);
}
END_TEST

/* 40 frames of growing length in one buffer */
static size_t many_frames(char *buf)
{
	size_t n = 0;

	for (uint32_t i = 0; i < 40; i++) {
		struct wire_head head = { WIRE_MAGIC, WIRE_JSON, i * 3 };

		memcpy(buf + n, &head, sizeof(head));
		memset(buf + n + sizeof(head), 'a' + i % 26, i * 3);
		n += sizeof(head) + i * 3;
	}
	return n;
}

START_TEST(the_reader_does_not_care_where_the_stream_is_cut)
{
	struct wire_reader reader = { 0 };
	char buf[8192];
	size_t n = many_frames(buf), step = _i + 1, seen = 0;

	for (size_t at = 0; at < n; at += step) {
		enum wire_type type;
		const char *data;
		size_t len;

		ck_assert_int_eq(wire_reader_feed(&reader, buf + at, MIN(step, n - at)), 0);
		while (wire_reader_next(&reader, 1000, &type, &data, &len) == 1) {
			ck_assert_int_eq(type, WIRE_JSON);
			ck_assert_uint_eq(len, seen * 3);
			for (size_t i = 0; i < len; i++)
				ck_assert_int_eq(data[i], 'a' + seen % 26);
			seen++;
			wire_reader_pop(&reader);
		}
	}
	ck_assert_uint_eq(seen, 40);
	ck_assert_uint_eq(reader.len, 0);
	wire_reader_deinit(&reader);
	wire_reader_deinit(&reader);
}
END_TEST

START_TEST(the_reader_refuses_at_the_head)
{
	struct wire_reader reader = { 0 };
	struct wire_head head = { WIRE_MAGIC, WIRE_REQUEST, 1001 };
	enum wire_type type;
	const char *data;
	size_t len;

	ck_assert_int_eq(wire_reader_feed(&reader, &head, sizeof(head)), 0);
	ck_assert_int_eq(wire_reader_next(&reader, 1000, &type, &data, &len), -EMSGSIZE);
	wire_reader_deinit(&reader);
	head.magic++;
	ck_assert_int_eq(wire_reader_feed(&reader, &head, sizeof(head)), 0);
	ck_assert_int_eq(wire_reader_next(&reader, 1000, &type, &data, &len), -EPROTO);
	wire_reader_deinit(&reader);
}
END_TEST

START_TEST(a_large_request_leaves_no_large_buffer)
{
	struct wire_reader reader = { 0 };
	struct wire_head head = { WIRE_MAGIC, WIRE_REQUEST, 1 << 20 };
	_cleanup_(freep) char *body = calloc(1, head.len);
	enum wire_type type;
	const char *data;
	size_t len;

	ck_assert_int_eq(wire_reader_feed(&reader, &head, sizeof(head)), 0);
	ck_assert_int_eq(wire_reader_feed(&reader, body, head.len), 0);
	ck_assert_int_eq(wire_reader_next(&reader, WIRE_REQUEST_MAX, &type, &data, &len), 1);
	ck_assert_uint_eq(len, head.len);
	wire_reader_pop(&reader);
	ck_assert_uint_eq(reader.cap, 0);
	wire_reader_deinit(&reader);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("wire_frame");
	TCase *tc = tcase_create("all");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_test(tc, a_frame_arrives_as_it_was_sent);
	tcase_add_test(tc, a_peer_that_is_gone_is_an_error_and_no_signal);
	tcase_add_loop_test(tc, a_stream_that_is_not_ours_is_refused, 0, ARRAY_SIZE(bad_cases));
	tcase_add_loop_test(tc, the_reader_does_not_care_where_the_stream_is_cut, 0, 64);
	tcase_add_test(tc, the_reader_refuses_at_the_head);
	tcase_add_test(tc, a_large_request_leaves_no_large_buffer);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
