/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a stranger may send to the control socket.  '{' begins a flow filter, which is refused or survives the way to JSON and back;
 * everything else is a stream: however it is cut into pieces, the same frames come out, also of the blocking reader.
 */
#include "fuzz.h"

#include <gw/abi.h>
#include <sys/socket.h>
#include <wire/wire.h>

#define FRAME_MAX 65536

static void match_something(const struct flow_filter *f, const char *text)
{
	struct gw_event ev = { 0 };

	for (size_t i = 0; i < 4; i++) {
		ev.family = i & 1 ? 6 : 4;
		ev.proto = i & 2 ? 6 : 1;
		ev.type = (__u8)(strlen(text) % 8);
		memcpy(&ev.tuple, text, MIN(strlen(text), sizeof(ev.tuple)));
		flow_filter_match(f, &ev);
	}
}

static void run_filter(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = strndup((const char *)data, size), *json = NULL,
			      *again = NULL;
	struct flow_filter f, back;

	if (flow_filter_from_json(text, &f) < 0)
		return;
	json = flow_filter_to_json(&f);
	require(json, "a filter without JSON", text);
	require(flow_filter_from_json(json, &back) == 0, "what was written is refused", json);
	again = flow_filter_to_json(&back);
	require_same(json, again, "not a fixed point");
	match_something(&f, text);
}

/* The frames of a stream as a text: "TYPE LEN CHECKSUM" each, then how it ended. */
static void note_frame(struct strbuf *b, enum wire_type type, const char *data, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = sum * 31 + (uint8_t)data[i];
	strbuf_printf(b, "%d %zu %u\n", (int)type, len, sum);
}

static char *frames_by_pieces(const uint8_t *data, size_t size, size_t piece)
{
	struct wire_reader reader = { 0 };
	struct strbuf b = { 0 };
	int r = 0;

	for (size_t at = 0; at < size && r >= 0; at += piece) {
		enum wire_type type;
		const char *frame;
		size_t len;

		r = wire_reader_feed(&reader, data + at, MIN(piece, size - at));
		while (r >= 0 &&
		       (r = wire_reader_next(&reader, FRAME_MAX, &type, &frame, &len)) > 0) {
			note_frame(&b, type, frame, len);
			wire_reader_pop(&reader);
		}
	}
	strbuf_printf(&b, "end %d", r < 0 ? r : reader.len ? -EPROTO : 0);
	wire_reader_deinit(&reader);
	return strbuf_take(&b);
}

static char *frames_by_socket(const uint8_t *data, size_t size)
{
	struct strbuf b = { 0 };
	enum wire_type type;
	int fds[2], r;
	char *frame;
	size_t len;

	require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0, "socketpair", "");
	require(!size || send(fds[0], data, size, MSG_NOSIGNAL) == (ssize_t)size, "send", "");
	close(fds[0]);
	while ((r = wire_recv(fds[1], FRAME_MAX, &type, &frame, &len)) > 0) {
		require(!frame[len], "no NUL behind a frame", "");
		note_frame(&b, type, frame, len);
		free(frame);
	}
	strbuf_printf(&b, "end %d", r);
	close(fds[1]);
	return strbuf_take(&b);
}

static void run_stream(const uint8_t *data, size_t size)
{
	size_t piece = size ? data[size - 1] % 17U + 1 : 1;
	_cleanup_(freep) char *whole = frames_by_pieces(data, size, size ? size : 1);
	_cleanup_(freep) char *pieces = frames_by_pieces(data, size, piece);
	_cleanup_(freep) char *socket = frames_by_socket(data, size);

	require_same(whole, pieces, "frames depend on how they come");
	require_same(whole, socket, "the two readers disagree");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size && data[0] == '{')
		run_filter(data, size);
	else if (size < FRAME_MAX)
		run_stream(data, size);
	return 0;
}
