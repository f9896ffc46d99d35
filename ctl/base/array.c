/* SPDX-License-Identifier: GPL-2.0-only */
#include <base/base.h>

int array_reserve(void **items, size_t *cap, size_t n, size_t size)
{
	size_t want = *cap ? *cap : 8;
	void *p;

	if (n < *cap)
		return 0;
	while (want <= n) {
		if (want > SIZE_MAX / 2)
			return -ENOMEM;
		want *= 2;
	}
	if (want > SIZE_MAX / size)
		return -ENOMEM;
	p = realloc(*items, want * size);
	if (!p)
		return -ENOMEM;
	*items = p;
	*cap = want;
	return 0;
}
