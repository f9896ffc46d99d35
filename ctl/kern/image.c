/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Putting a ruleset image in force.
 *
 * gw_rulesets keeps the inner map alive but gives only its id, and to open a map by its id takes CAP_SYS_ADMIN.  So
 * each inner map is pinned as image_<id> before it is put in force and until another one has taken its place: the
 * next gwd opens the one that gw_rulesets names and removes the others.
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

/* Id of the inner map in force, 0 = none. */
static int image_lookup(struct kern *k, uint32_t *ret_id)
{
	uint32_t zero = 0, id = 0;

	if (bpf_map_lookup_elem(bpf_map__fd(k->skel->maps.gw_rulesets), &zero, &id) < 0 &&
	    errno != ENOENT)
		return raise(-errno, "read gw_rulesets");
	*ret_id = id;
	return 0;
}

static uint32_t image_id(int fd)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) < 0 ? 0 : info.id;
}

static void image_path(const struct kern *k, uint32_t id, char path[static PATH_MAX])
{
	pins_path(path, k->dir, "image_%u", id);
}

static int image_pin(const struct kern *k, int fd)
{
	char path[PATH_MAX];

	image_path(k, image_id(fd), path);
	return bpf_obj_pin(fd, path) < 0 ? raise(-errno, "pin ruleset %s", path) : 0;
}

static int image_unpin_other(const char *dir, const char *name, void *arg)
{
	const struct kern *k = arg;
	char path[PATH_MAX];
	unsigned int id;
	char end;

	if (sscanf(name, "image_%u%c", &id, &end) != 1 || id == k->image_id)
		return 0;
	pins_path(path, dir, "%s", name);
	if (unlink(path) < 0)
		log_warning("can not remove the pin of an old ruleset path=%s", path);
	return 0;
}

/* A pin too many costs memory until the next time: no reason to fail. */
static void image_collect(struct kern *k)
{
	pins_walk(k->dir, image_unpin_other, k);
}

/* Back to the image before. */
static int image_restore(struct kern *k)
{
	uint32_t zero = 0;

	if (k->image_fd >= 0)
		return image_set(k, k->image_fd);
	/* An empty slot lets everything pass: only for what was empty before. */
	if (k->image_id)
		return -ENOENT;
	return bpf_map_delete_elem(bpf_map__fd(k->skel->maps.gw_rulesets), &zero) < 0 ? -errno : 0;
}

static void image_undo(struct kern *k, bool was_set, const struct gw_conf *both)
{
	int r = was_set ? image_restore(k) : 0;

	if (r == 0) {
		maps_update_conf(k, &k->conf);
		return;
	}
	raise(r, "take back a ruleset: it stays in force");
	k->conf = *both; /* no later push may take the hooks of the new image away */
}

/*
 * A packet in flight may read conf before and the image after the exchange, so during it conf names the hooks of
 * both: a hook too many finds an empty slot, a hook too few would let packets pass.  The generation moves last:
 * verdicts cached under the old one are asked again only when the new image can answer.
 */
static int image_exchange(struct kern *k, int fd, const struct gw_image *head)
{
	struct gw_conf both = k->conf, new = k->conf;
	bool was_set = false;
	int r;

	new.gen = head->gen;
	new.hooks4 = head->hooks4;
	new.hooks6 = head->hooks6;
	new.image_flags = head->flags;
	both.hooks4 |= head->hooks4;
	both.hooks6 |= head->hooks6;
	both.image_flags |= head->flags;

	r = maps_update_conf(k, &both);
	if (r == 0) {
		r = image_set(k, fd);
		was_set = r == 0;
		if (r < 0)
			raise(r, "put the ruleset in force");
	}
	if (r == 0)
		r = maps_update_conf(k, &new);
	if (r < 0) {
		image_undo(k, was_set, &both);
		return r;
	}
	k->conf = new;
	return 0;
}

/* The pin of an image that did not come into force; if in doubt it stays, and the next gwd decides. */
static void image_unpin(struct kern *k, int fd)
{
	uint32_t id = image_id(fd), in_force;
	char path[PATH_MAX];

	image_path(k, id, path);
	if (image_lookup(k, &in_force) == 0 && in_force != id)
		unlink(path);
}

int kern_image_swap(struct kern *k, const void *lines, size_t nlines)
{
	_cleanup_(closep) int fd = -EBADF;
	struct gw_image head;
	int r;

	if (nlines < GW_IMG_FIRST_RULE || nlines > UINT32_MAX / GW_LINE_SIZE)
		return raise(-EINVAL, "a ruleset image of %zu lines", nlines);
	memcpy(&head, lines, sizeof(head));
	fd = image_make(lines, nlines);
	if (fd < 0)
		return fd;
	r = image_pin(k, fd);
	if (r < 0)
		return r;
	r = image_exchange(k, fd, &head);
	if (r < 0) {
		image_unpin(k, fd);
		return r;
	}
	closep(&k->image_fd);
	k->image_id = image_id(fd);
	k->image_fd = TAKE_FD(fd);
	image_collect(k);
	return 0;
}

int kern_image_head(struct kern *k, struct gw_image *ret_head)
{
	struct gw_image head = {};
	uint32_t zero = 0;

	if (k->image_id && k->image_fd < 0)
		return raise(-ENOENT, "read the ruleset in force: its pin is lost");
	if (k->image_id && bpf_map_lookup_elem(k->image_fd, &zero, &head) < 0)
		return raise(-errno, "read the ruleset in force");
	*ret_head = head;
	return 0;
}

/* A gwd killed between the last two steps of a swap left the image ahead of conf: do the last step. */
static int image_finish_swap(struct kern *k)
{
	struct gw_conf conf = k->conf;
	struct gw_image head;
	int r;

	if (k->image_fd < 0)
		return 0;
	r = kern_image_head(k, &head);
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

/* Find the image in force.  Without its pin it works on, but can neither be read nor be put back. */
int image_open(struct kern *k)
{
	char path[PATH_MAX];
	int r = image_lookup(k, &k->image_id);

	if (r < 0)
		return r;
	if (k->image_id) {
		image_path(k, k->image_id, path);
		k->image_fd = bpf_obj_get(path);
		if (k->image_fd >= 0 && image_id(k->image_fd) != k->image_id) {
			close(k->image_fd);
			k->image_fd = -EBADF;
		}
		if (k->image_fd < 0)
			log_warning("can not open the ruleset in force path=%s", path);
	}
	r = image_finish_swap(k);
	if (r == 0)
		image_collect(k);
	return r;
}
