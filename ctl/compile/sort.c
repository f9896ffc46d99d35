/* SPDX-License-Identifier: GPL-2.0-only */
#include <compile/sort.h>

static void sort_few(struct sort_item *items, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct sort_item item = items[i];
		size_t j = i;

		for (; j && items[j - 1].key > item.key; j--)
			items[j] = items[j - 1];
		items[j] = item;
	}
}

static void sort_digit(const struct sort_item *from, struct sort_item *to, size_t n, int shift)
{
	size_t start[256] = { 0 }, sum = 0;

	for (size_t i = 0; i < n; i++)
		start[from[i].key >> shift & 255]++;
	for (size_t i = 0; i < 256; i++) {
		size_t count = start[i];

		start[i] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++)
		to[start[from[i].key >> shift & 255]++] = from[i];
}

void sort_items(struct sort_item *items, struct sort_item *tmp, size_t n)
{
	struct sort_item *from = items, *to = tmp;
	uint64_t differs = 0;

	if (n <= 48) {
		sort_few(items, n);
		return;
	}
	for (size_t i = 1; i < n; i++)
		differs |= items[i].key ^ items[0].key;
	for (int shift = 0; shift < 64; shift += 8) {
		struct sort_item *swap = from;

		if (!(differs >> shift & 255))
			continue;
		sort_digit(from, to, n, shift);
		from = to;
		to = swap;
	}
	if (from != items)
		memcpy(items, from, n * sizeof(*items));
}
