/* SPDX-License-Identifier: GPL-2.0-only */
#include <iptables/parse.h>

#include <arpa/inet.h>

/* One to four numbers with dots between; what is missing is 0 ("10.1" is 10.1.0.0). */
static bool parse4(const char *s, uint8_t *addr)
{
	memset(addr, 0, 4);
	for (size_t i = 0; i < 4; i++) {
		size_t n = strcspn(s, ".");
		uint64_t v;
		char word[4];

		if (!n || n > 3 || !memchr("0123456789", *s, 10))
			return false;
		snprintf(word, sizeof(word), "%.*s", (int)n, s);
		if (!str_to_u64(word, 0, 255, &v))
			return false;
		addr[i] = (uint8_t)v;
		if (!s[n])
			return true;
		s += n + 1;
	}
	return false;
}

static bool parse_addr(const char *s, int version, uint8_t *addr)
{
	return version == 6 ? inet_pton(AF_INET6, s, addr) == 1 : parse4(s, addr);
}

/* How many ones a mask begins with; false if ones follow a zero. */
static bool mask_length(const uint8_t *mask, unsigned int bits, unsigned int *ret)
{
	unsigned int n = 0;

	while (n < bits && mask[n / 8] & (0x80 >> n % 8))
		n++;
	for (unsigned int i = n; i < bits; i++)
		if (mask[i / 8] & (0x80 >> i % 8))
			return false;
	*ret = n;
	return true;
}

static bool parse_mask(const char *s, int version, unsigned int *ret, struct diag *d)
{
	unsigned int bits = version == 6 ? 128 : 32;
	uint8_t mask[16];
	uint64_t n;

	if (str_to_u64(s, 0, bits, &n)) {
		*ret = (unsigned int)n;
		return true;
	}
	if (!strchr(s, version == 6 ? ':' : '.') || !parse_addr(s, version, mask)) {
		xt_usage(d, "invalid mask `%s' specified", s);
		return false;
	}
	if (mask_length(mask, bits, ret))
		return true;
	xt_refuse(d, "mask `%s' has holes: that is not supported yet", s);
	return false;
}

bool addr_parse(const char *s, size_t len, int version, struct xt_addr *ret, struct diag *d)
{
	struct xt_addr a = { .given = true, .plen = version == 6 ? 128 : 32 };
	char text[128], *slash;

	if (len >= sizeof(text)) {
		xt_usage(d, "host/network `%.40s...' is too long", s);
		return false;
	}
	snprintf(text, sizeof(text), "%.*s", (int)len, s);
	slash = strchr(text, '/');
	if (slash) {
		*slash = '\0';
		if (!parse_mask(slash + 1, version, &a.plen, d))
			return false;
	}
	if (!parse_addr(text, version, a.addr)) {
		xt_usage(d, "host/network `%s' is no IPv%d address (names are not looked up)", text,
			 version);
		return false;
	}
	for (unsigned int i = a.plen; i < 128; i++)
		a.addr[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	*ret = a;
	return true;
}
