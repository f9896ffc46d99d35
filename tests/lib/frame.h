/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_LIB_FRAME_H
#define TESTS_LIB_FRAME_H
/*
 * frame - Ethernet frames as values: built from a row, read back as one line of text.
 *
 * Pure: no I/O, no globals.  Addresses are text; one with a colon is IPv6.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX 2300
#define FRAME_L3  14

struct frame {
	unsigned int len;
	uint8_t b[FRAME_MAX];
};

/* TCP flags */
#define F 0x01
#define S 0x02
#define R 0x04
#define P 0x08
#define A 0x10
#define U 0x20

struct spec {
	const char *src, *dst;
	uint16_t sport, dport; /* ICMP: sport is the identifier (or the MTU of an error) */
	uint8_t proto;
	uint8_t ttl;		   /* 0 = 64 */
	uint8_t bits;		   /* TCP */
	uint8_t type, code;	   /* ICMP */
	uint32_t seq, ack;	   /* TCP */
	uint16_t win;		   /* TCP; 0 = 64240 */
	uint16_t data;		   /* payload bytes */
	uint16_t id;		   /* of the IPv4 header */
	uint8_t opts[12];	   /* TCP options */
	uint8_t opts_len;	   /* multiple of 4 */
	uint8_t ip_opts;	   /* words of IPv4 options (no-ops) */
	uint8_t ext[80];	   /* IPv6: what stands between its header and the transport's */
	uint8_t ext_first;	   /* number of the first extension header */
	uint8_t ext_len;	   /* bytes of ext */
	const struct frame *quote; /* ICMP error: the frame it quotes from */
	uint16_t quote_len;	   /* bytes of it, 0 = all */
};

struct frame frame_build(const struct spec *s);
#define FRAME(...) frame_build(&(struct spec){ __VA_ARGS__ })

/* The usual ones. */
struct frame udp(const char *src, uint16_t sport, const char *dst, uint16_t dport);
struct frame tcp(const char *src, uint16_t sport, const char *dst, uint16_t dport, uint8_t bits,
		 uint32_t seq, uint32_t ack);
struct frame ping(const char *src, const char *dst, uint16_t id); /* echo request */
struct frame pong(const char *src, const char *dst, uint16_t id); /* echo reply */
/* An ICMP error from @src to @dst that quotes the first @quote_len bytes (0 = all) of @quote's IP packet. */
struct frame icmp_error(const char *src, const char *dst, uint8_t type, uint8_t code,
			const struct frame *quote, uint16_t quote_len);

/* The bytes [at, at + len) behind the IP header of a whole packet, as a fragment. */
struct frame frame_fragment(const struct frame *whole, unsigned int at, unsigned int len,
			    uint16_t id);

/* The whole packet again, from its fragments in order of their places. */
struct frame frame_join(const struct frame *parts, unsigned int n);

/* The frame that answers @f: addresses and ports swapped, nothing else. */
struct frame frame_back(const struct frame *f);

bool frame_is6(const struct frame *f);
uint8_t frame_proto(const struct frame *f); /* transport */
uint8_t *frame_l4(struct frame *f);
uint8_t *frame_ttl(struct frame *f);
uint16_t get16(const uint8_t *at);
uint32_t get32(const uint8_t *at);
void put16(uint8_t *at, uint16_t v);
void put32(uint8_t *at, uint32_t v);

/* Compute all checksums anew, of a frame that was changed by hand. */
void frame_seal(struct frame *f);
/* How many checksums are wrong: IPv4 header, transport, and the same of a quoted packet. */
int frame_bad_sums(const struct frame *f);

/*
 * One line: "tcp 10.0.0.5.40000 > 8.8.8.8.80 SA", "udp fd00::5.53 > fd00::6.53", "icmp 10.0.0.5 > 8.8.8.8 8/0 id 7",
 * "icmp 9.9.9.9 > 10.0.0.5 3/3 (udp 10.0.0.5.5 > 8.8.8.8.53)", "proto47 10.0.0.5 > 8.8.8.8"; later fragments end with " at 1480".
 * The text lives until the fourth call from now.
 */
const char *frame_text(const struct frame *f);
#endif
