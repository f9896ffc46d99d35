/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_CRC32C_H
#define GW_CRC32C_H
/*
 * crc32c - SCTP's checksum (RFC 9260 appendix A) of a packet whose ports change.
 *
 * A CRC is linear: what it changes by is the CRC of the difference, which is four bytes at the start and zeros behind them.  The zeros are a
 * multiplication by a power of x, so the packet's data is not read and its length does not matter.
 */
#define CRC32C_POLY 0x82f63b78U /* bits reversed, as the register is */

/* x to the power of 8 * 2^i: so many zero bytes. */
static const __u32 crc32c_zeros[16] = {
	0x00800000, 0x00008000, 0x82f63b78, 0x6ea2d55c, 0x18b8ea18, 0x510ac59a,
	0xb82be955, 0xb8fdb1e7, 0x88e56f72, 0x74c360a4, 0xe4172b16, 0x0d65762a,
	0x35d73a62, 0x28461564, 0xbf455269, 0xe2ea32dc,
};

/* Product of two polynomials; without branches, which would multiply in the verifier. */
static __always_inline __u32 crc32c_multiply(__u32 a, __u32 b)
{
	__u32 product = 0;

	for (int i = 31; i >= 0; i--) {
		product ^= b & -(a >> i & 1);
		b = b >> 1 ^ (CRC32C_POLY & -(b & 1));
	}
	return product;
}

struct crc32c {
	__u32 crc, bytes;
};

static long crc32c_step(__u32 i, struct crc32c *c)
{
	if (i > 15)
		return 1;
	if (c->bytes >> i & 1)
		c->crc = crc32c_multiply(c->crc, crc32c_zeros[i & 15]);
	return 0;
}

/* The ports at @at, of an SCTP packet of @len bytes, change by @diff (their words, one XOR the other). */
__noinline int crc32c_move(struct __sk_buff *skb, __u32 at, __u32 len, __u32 diff)
{
	struct crc32c c = { .crc = diff, .bytes = len };
	__u32 sum;

	if (bpf_skb_load_bytes(skb, at + 8, &sum, sizeof(sum)))
		return -1;
	bpf_loop(16, crc32c_step, &c, 0);
	sum ^= c.crc;
	return bpf_skb_store_bytes(skb, at + 8, &sum, sizeof(sum), 0);
}
#endif
