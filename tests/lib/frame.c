/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "frame.h"

static const uint8_t mac_of_ours[6] = { 2, 0, 0, 0, 0, 1 }, mac_of_theirs[6] = { 2, 0, 0, 0, 0, 2 };

uint16_t get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

void put16(uint8_t *at, uint16_t v)
{
	at[0] = v >> 8;
	at[1] = v;
}

void put32(uint8_t *at, uint32_t v)
{
	put16(at, v >> 16);
	put16(at + 2, v);
}

/* An IP packet inside a frame or a quote, taken apart. */
struct view {
	const uint8_t *ip, *l4;
	bool v6;
	uint8_t proto;
	unsigned int frag_at; /* bytes */
	bool frag;
	unsigned int l4_len; /* by the IP header */
	unsigned int room;   /* bytes of it that are there */
};

static bool is_ext(uint8_t proto)
{
	return proto == 0 || proto == 43 || proto == 44 || proto == 60;
}

static void view6(struct view *v, unsigned int len)
{
	unsigned int head = 40, end = 40 + get16(v->ip + 4);

	v->proto = v->ip[6];
	while (is_ext(v->proto) && head + 8 <= len && !v->frag_at) {
		const uint8_t *h = v->ip + head;

		if (v->proto == 44) {
			v->frag_at = get16(h + 2) & 0xfff8;
			v->frag = get16(h + 2) & 0xfff9;
			head += 8;
		} else {
			head += 8 + h[1] * 8;
		}
		v->proto = h[0];
	}
	v->l4 = v->ip + head;
	v->l4_len = end > head ? end - head : 0;
	v->room = len > head ? len - head : 0;
}

static struct view view(const uint8_t *ip, unsigned int len)
{
	struct view v = { .ip = ip, .v6 = ip[0] >> 4 == 6 };
	unsigned int head = (ip[0] & 15) * 4, tot = get16(ip + 2);

	if (v.v6) {
		view6(&v, len);
	} else {
		v.proto = ip[9];
		v.frag_at = (get16(ip + 6) & 0x1fff) * 8;
		v.frag = get16(ip + 6) & 0x3fff;
		v.l4 = ip + head;
		v.l4_len = tot > head ? tot - head : 0;
		v.room = len > head ? len - head : 0;
	}
	if (v.room > v.l4_len)
		v.room = v.l4_len;
	return v;
}

static struct view view_frame(const struct frame *f)
{
	return view(f->b + FRAME_L3, f->len - FRAME_L3);
}

bool frame_is6(const struct frame *f)
{
	return get16(f->b + 12) == 0x86dd;
}

uint8_t frame_proto(const struct frame *f)
{
	return view_frame(f).proto;
}

uint8_t *frame_l4(struct frame *f)
{
	return f->b + (view_frame(f).l4 - f->b);
}

uint8_t *frame_ttl(struct frame *f)
{
	return f->b + FRAME_L3 + (frame_is6(f) ? 7 : 8);
}

/* ------------------------------------------------------------------------------------------------ checksums */

static uint32_t sum(const uint8_t *at, unsigned int len, uint32_t seed)
{
	for (; len > 1; at += 2, len -= 2)
		seed += get16(at);
	if (len)
		seed += at[0] << 8;
	while (seed >> 16)
		seed = (seed & 0xffff) + (seed >> 16);
	return seed;
}

/* Where the transport header keeps its checksum, -1 = nowhere. */
static int sum_offset(uint8_t proto)
{
	return proto == 6 ? 16 : proto == 17 ? 6 : proto == 1 || proto == 58 ? 2 : -1;
}

static uint16_t l4_sum(const struct view *v)
{
	uint32_t seed = 0;

	if (v->proto != 1) {
		seed = v->v6 ? sum(v->ip + 8, 32, 0) : sum(v->ip + 12, 8, 0);
		seed += v->l4_len + v->proto;
	}
	return sum(v->l4, v->l4_len, seed);
}

static bool is_error(const struct view *v)
{
	if (v->room < 8 || v->frag_at)
		return false;
	if (v->proto == 58)
		return v->l4[0] < 128;
	return v->proto == 1 && (v->l4[0] == 3 || v->l4[0] == 4 || v->l4[0] == 5 ||
				 v->l4[0] == 11 || v->l4[0] == 12);
}

static int bad_sums(const struct view *v)
{
	int off = sum_offset(v->proto), bad = 0;

	if (!v->v6 && sum(v->ip, (v->ip[0] & 15) * 4, 0) != 0xffff)
		bad++;
	if (off >= 0 && !v->frag && v->room == v->l4_len && v->room >= 8) {
		uint16_t check = get16(v->l4 + off);

		if (v->proto == 17 && !check)
			bad += v->v6; /* IPv4: the sender used none */
		else if (l4_sum(v) != 0xffff)
			bad++;
	}
	if (is_error(v) && v->room >= (v->v6 ? 48 : 28)) {
		struct view q = view(v->l4 + 8, v->room - 8);

		bad += bad_sums(&q);
	}
	return bad;
}

int frame_bad_sums(const struct frame *f)
{
	struct view v = view_frame(f);

	return bad_sums(&v);
}

void frame_seal(struct frame *f)
{
	uint8_t *ip = f->b + FRAME_L3, *l4 = frame_l4(f);
	struct view v;
	int off;

	if (!frame_is6(f)) {
		put16(ip + 10, 0);
		put16(ip + 10, ~sum(ip, (ip[0] & 15) * 4, 0));
	}
	v = view_frame(f);
	off = sum_offset(v.proto);
	if (off < 0 || v.frag || v.room < v.l4_len || v.room < (unsigned int)off + 2)
		return;
	put16(l4 + off, 0);
	put16(l4 + off, ~l4_sum(&v));
	if (v.proto == 17 && !get16(l4 + off))
		put16(l4 + off, 0xffff);
}

/* ---------------------------------------------------------------------------------------------------- build */

static void put_addr(uint8_t *at, const char *text, bool v6)
{
	if (inet_pton(v6 ? AF_INET6 : AF_INET, text, at) != 1)
		memset(at, 0xee, v6 ? 16 : 4);
}

static void build_l4(const struct spec *s, uint8_t *l4, unsigned int data)
{
	put16(l4, s->sport);
	put16(l4 + 2, s->dport);
	switch (s->proto) {
	case 6:
		put32(l4 + 4, s->seq);
		put32(l4 + 8, s->ack);
		l4[12] = (20 + s->opts_len) << 2;
		l4[13] = s->bits;
		put16(l4 + 14, s->win ? s->win : 64240);
		memcpy(l4 + 20, s->opts, s->opts_len);
		break;
	case 17:
		put16(l4 + 4, 8 + data);
		break;
	case 1:
	case 58:
		l4[0] = s->type;
		l4[1] = s->code;
		put16(l4 + 4, s->quote ? 0 : s->sport);
		put16(l4 + 6, s->quote ? s->sport : 1);
		break;
	default:
		put32(l4, 0);
	}
}

static unsigned int quote_len(const struct spec *s)
{
	unsigned int all = s->quote ? s->quote->len - FRAME_L3 : 0;

	return s->quote_len && s->quote_len < all ? s->quote_len : all;
}

static void build_ip(const struct spec *s, struct frame *f, unsigned int payload, bool v6)
{
	uint8_t *ip = f->b + FRAME_L3;

	if (v6) {
		ip[0] = 0x60;
		put16(ip + 4, payload + s->ext_len);
		ip[6] = s->ext_len ? s->ext_first : s->proto;
		ip[7] = s->ttl ? s->ttl : 64;
		put_addr(ip + 8, s->src, true);
		put_addr(ip + 24, s->dst, true);
		memcpy(ip + 40, s->ext, s->ext_len);
		return;
	}
	ip[0] = 0x45 + s->ip_opts;
	put16(ip + 2, 20 + s->ip_opts * 4 + payload);
	put16(ip + 4, s->id);
	ip[8] = s->ttl ? s->ttl : 64;
	ip[9] = s->proto;
	put_addr(ip + 12, s->src, false);
	put_addr(ip + 16, s->dst, false);
	memset(ip + 20, 1, s->ip_opts * 4);
}

struct frame frame_build(const struct spec *s)
{
	bool v6 = strchr(s->src, ':');
	unsigned int head = FRAME_L3 + (v6 ? 40 + s->ext_len : 20 + s->ip_opts * 4);
	unsigned int l4 = s->proto == 6 ? 20 + s->opts_len : 8, data = s->data + quote_len(s);
	struct frame f = { .len = head + l4 + data };

	memcpy(f.b, mac_of_ours, 6);
	memcpy(f.b + 6, mac_of_theirs, 6);
	put16(f.b + 12, v6 ? 0x86dd : 0x0800);
	build_ip(s, &f, l4 + data, v6);
	build_l4(s, f.b + head, data);
	for (unsigned int i = 0; i < data; i++)
		f.b[head + l4 + i] = i * 7 + 1;
	if (s->quote)
		memcpy(f.b + head + 8, s->quote->b + FRAME_L3, data);
	frame_seal(&f);
	return f;
}

struct frame udp(const char *src, uint16_t sport, const char *dst, uint16_t dport)
{
	return FRAME(.src = src, .dst = dst, .sport = sport, .dport = dport, .proto = 17,
		     .data = 12);
}

struct frame tcp(const char *src, uint16_t sport, const char *dst, uint16_t dport, uint8_t bits,
		 uint32_t seq, uint32_t ack)
{
	return FRAME(.src = src, .dst = dst, .sport = sport, .dport = dport, .proto = 6,
		     .bits = bits, .seq = seq, .ack = ack);
}

static struct frame echo(const char *src, const char *dst, uint16_t id, bool reply)
{
	bool v6 = strchr(src, ':');

	return FRAME(.src = src, .dst = dst, .sport = id, .proto = v6 ? 58 : 1,
		     .type = v6	     ? 128 + reply
			     : reply ? 0
				     : 8,
		     .data = 16);
}

struct frame ping(const char *src, const char *dst, uint16_t id)
{
	return echo(src, dst, id, false);
}

struct frame pong(const char *src, const char *dst, uint16_t id)
{
	return echo(src, dst, id, true);
}

struct frame icmp_error(const char *src, const char *dst, uint8_t type, uint8_t code,
			const struct frame *quote, uint16_t len)
{
	return FRAME(.src = src, .dst = dst, .proto = strchr(src, ':') ? 58 : 1, .type = type,
		     .code = code, .quote = quote, .quote_len = len);
}

struct frame frame_fragment(const struct frame *whole, unsigned int at, unsigned int len,
			    uint16_t id)
{
	struct view v = view_frame(whole);
	unsigned int head = v.l4 - whole->b, ext = v.v6 ? 8 : 0;
	bool more = at + len < v.l4_len;
	struct frame f = { .len = head + ext + len };
	uint8_t *ip = f.b + FRAME_L3;

	memcpy(f.b, whole->b, head);
	memcpy(f.b + head + ext, v.l4 + at, len);
	if (v.v6) {
		put16(ip + 4, ext + len);
		f.b[head] = v.proto;
		put16(f.b + head + 2, at | more);
		put32(f.b + head + 4, id);
		ip[6] = 44;
	} else {
		put16(ip + 2, head - FRAME_L3 + len);
		put16(ip + 4, id);
		put16(ip + 6, at / 8 | (more ? 0x2000 : 0));
	}
	frame_seal(&f);
	return f;
}

struct frame frame_join(const struct frame *parts, unsigned int n)
{
	struct view v = view_frame(&parts[0]);
	unsigned int head = v.l4 - parts[0].b - (v.v6 ? 8 : 0);
	struct frame f = { .len = head };
	uint8_t *ip = f.b + FRAME_L3;

	memcpy(f.b, parts[0].b, head);
	for (unsigned int i = 0; i < n; i++) {
		v = view_frame(&parts[i]);
		memcpy(f.b + head + v.frag_at, v.l4, v.l4_len);
		f.len += v.l4_len;
	}
	if (v.v6) {
		put16(ip + 4, f.len - head);
		ip[6] = v.proto;
		return f;
	}
	put16(ip + 2, f.len - FRAME_L3);
	put16(ip + 6, 0);
	put16(ip + 10, 0);
	put16(ip + 10, ~sum(ip, (ip[0] & 15) * 4, 0)); /* the transport's sum is what it is */
	return f;
}

struct frame frame_back(const struct frame *f)
{
	bool v6 = frame_is6(f);
	unsigned int size = v6 ? 16 : 4, at = FRAME_L3 + (v6 ? 8 : 12);
	struct frame back = *f;
	uint8_t *l4 = frame_l4(&back), proto = frame_proto(f);

	memcpy(back.b + at, f->b + at + size, size);
	memcpy(back.b + at + size, f->b + at, size);
	if (proto == 6 || proto == 17) {
		uint16_t sport = get16(l4);

		put16(l4, get16(l4 + 2));
		put16(l4 + 2, sport);
	}
	frame_seal(&back);
	return back;
}

/* ----------------------------------------------------------------------------------------------------- text */

struct text {
	char *s;
	size_t size, n;
};

static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	t->n += vsnprintf(t->s + t->n, t->size - t->n, fmt, ap);
	va_end(ap);
	if (t->n >= t->size)
		t->n = t->size - 1;
}

static void add_end(struct text *t, const struct view *v, bool dst)
{
	bool ports = (v->proto == 6 || v->proto == 17) && !v->frag_at && v->room >= 4;
	const uint8_t *at = v->ip + (v->v6 ? 8 + 16 * dst : 12 + 4 * dst);
	char addr[INET6_ADDRSTRLEN];

	inet_ntop(v->v6 ? AF_INET6 : AF_INET, at, addr, sizeof(addr));
	add(t, "%s", addr);
	if (ports)
		add(t, ".%u", get16(v->l4 + 2 * dst));
}

static void add_flags(struct text *t, uint8_t bits)
{
	static const char letters[] = "FSRPAUEC";

	add(t, " ");
	for (int i = 0; i < 8; i++)
		if (bits & 1 << i)
			add(t, "%c", letters[i]);
}

static void add_packet(struct text *t, const struct view *v)
{
	bool icmp = v->proto == 1 || v->proto == 58;

	if (icmp || v->proto == 6 || v->proto == 17)
		add(t, "%s ", v->proto == 6 ? "tcp" : v->proto == 17 ? "udp" : "icmp");
	else
		add(t, "proto%u ", v->proto);
	add_end(t, v, false);
	add(t, " > ");
	add_end(t, v, true);
	if (v->frag_at) {
		add(t, " at %u", v->frag_at);
		return;
	}
	if (v->proto == 6 && v->room >= 14)
		add_flags(t, v->l4[13]);
	if (icmp && v->room >= 8) {
		add(t, " %u/%u", v->l4[0], v->l4[1]);
		if (!is_error(v))
			add(t, " id %u", get16(v->l4 + 4));
	}
	if (is_error(v) && v->room >= (v->v6 ? 48 : 28)) {
		struct view q = view(v->l4 + 8, v->room - 8);

		add(t, " (");
		add_packet(t, &q);
		add(t, ")");
	}
}

const char *frame_text(const struct frame *f)
{
	static char pool[4][256];
	static int next;
	struct text t = { .s = pool[next++ & 3], .size = sizeof(pool[0]) };
	struct view v = view_frame(f);

	t.s[0] = 0;
	add_packet(&t, &v);
	return t.s;
}
