/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Putting a ruleset image in force.
 */
#include <kern/impl.h>

static int image_fill_single(int fd, const uint8_t *lines, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (bpf_map_update_elem(fd, &i, lines + (size_t)i * GW_LINE_SIZE, BPF_ANY) < 0)
			return raise(-errno, "write line %u of the ruleset", i);
	return 0;
}

static int image_fill(int fd, const void *lines, uint32_t n)
{
	_cleanup_(freep) uint32_t *keys = calloc(n, sizeof(*keys));
	uint32_t count = n;

	if (!keys)
		return raise(-ENOMEM, "kern_image_swap");
	for (uint32_t i = 0; i < n; i++)
		keys[i] = i;
	if (bpf_map_update_batch(fd, keys, lines, &count, NULL) == 0)
		return 0;
	return image_fill_single(fd, lines, n);
}

/* A new inner map with the image in it. */
static int image_make(const void *lines, size_t nlines)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP);
	_cleanup_(closep) int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "gw_image", sizeof(uint32_t),
						  GW_LINE_SIZE, nlines, &opts);
	int r;

	if (fd < 0)
		return raise(-errno, "make a map for %zu lines of rules", nlines);
	r = image_fill(fd, lines, nlines);
	return r < 0 ? r : TAKE_FD(fd);
}

static int image_set(struct kern *k, int inner_fd)
{
	int fd = bpf_map__fd(k->skel->maps.gw_rulesets);
	uint32_t zero = 0;

	return bpf_map_update_elem(fd, &zero, &inner_fd, BPF_ANY) < 0 ? -errno : 0;
}

/* The inner map in force, -ENOENT = none. */
static int image_get(struct kern *k)
{
	uint32_t zero = 0, id = 0;
	int fd;

	if (bpf_map_lookup_elem(bpf_map__fd(k->skel->maps.gw_rulesets), &zero, &id) < 0)
		return -errno;
	fd = bpf_map_get_fd_by_id(id);
	return fd < 0 ? -errno : fd;
}

/* Back to the image before; old_fd < 0 = there was none. */
static void image_undo(struct kern *k, int old_fd)
{
	uint32_t zero = 0;

	if (old_fd >= 0)
		image_set(k, old_fd);
	else
		bpf_map_delete_elem(bpf_map__fd(k->skel->maps.gw_rulesets), &zero);
	maps_update_conf(k, &k->conf);
}

/*
 * A packet in flight may read conf before and the image after the exchange, so during it conf names the hooks of
 * both: a hook too many finds an empty slot, a hook too few would let packets pass.  The generation moves last:
 * verdicts cached under the old one are asked again only when the new image can answer.
 */
int kern_image_swap(struct kern *k, const void *lines, size_t nlines)
{
	_cleanup_(closep) int fd = -EBADF, old_fd = -EBADF;
	struct gw_conf both = k->conf, new = k->conf;
	struct gw_image head;
	int r;

	if (nlines < GW_IMG_FIRST_RULE || nlines > UINT32_MAX / GW_LINE_SIZE)
		return raise(-EINVAL, "a ruleset image of %zu lines", nlines);
	memcpy(&head, lines, sizeof(head));
	fd = image_make(lines, nlines);
	if (fd < 0)
		return fd;
	old_fd = image_get(k);
	new.gen = head.gen;
	new.hooks4 = head.hooks4;
	new.hooks6 = head.hooks6;
	new.image_flags = head.flags;
	both.hooks4 |= head.hooks4;
	both.hooks6 |= head.hooks6;
	both.image_flags |= head.flags;

	r = maps_update_conf(k, &both);
	if (r == 0) {
		r = image_set(k, fd);
		if (r < 0)
			raise(r, "put the ruleset in force");
	}
	if (r == 0)
		r = maps_update_conf(k, &new);
	if (r < 0) {
		image_undo(k, old_fd);
		return r;
	}
	k->conf = new;
	return 0;
}

int kern_image_head(struct kern *k, struct gw_image *ret_head)
{
	_cleanup_(closep) int fd = image_get(k);
	uint32_t zero = 0;

	if (fd == -ENOENT) {
		*ret_head = (struct gw_image){};
		return 0;
	}
	if (fd < 0 || bpf_map_lookup_elem(fd, &zero, ret_head) < 0)
		return raise(fd < 0 ? fd : -errno, "read the ruleset in force");
	return 0;
}

/* A gwd killed between the last two steps of a swap left the image ahead of conf: do the last step. */
int image_finish_swap(struct kern *k)
{
	struct gw_conf conf = k->conf;
	struct gw_image head;
	int r = kern_image_head(k, &head);

	if (r < 0 || !head.gen || head.gen == conf.gen)
		return r;
	conf.gen = head.gen;
	conf.hooks4 = head.hooks4;
	conf.hooks6 = head.hooks6;
	conf.image_flags = head.flags;
	r = maps_update_conf(k, &conf);
	if (r == 0)
		k->conf = conf;
	return r;
}
