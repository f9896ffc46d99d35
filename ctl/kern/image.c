/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Putting a ruleset image in force.
 *
 * gw_region holds two halves, and gw_conf.gen says which one packets read (gw/image.h).  A swap writes the other half, whose bytes nobody
 * reads, and then stores the generation: whenever gwd dies, conf names a half that is complete.  A packet that began before the store may
 * read the old half for as long as it runs, so that half is written again only after a grace period (image_settle).
 */
#include <linux/membarrier.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <kern/impl.h>

static uint8_t *half_of(const struct kern *k, uint32_t gen)
{
	return k->region + (gen & 1) * (size_t)k->half_lines * GW_LINE_SIZE;
}

size_t kern_image_cap(const struct kern *k)
{
	return k->half_lines;
}

void *kern_image_live(struct kern *k)
{
	return k->image_gen ? half_of(k, k->image_gen) : NULL;
}

void *kern_image_spare(struct kern *k)
{
	return half_of(k, k->conf.gen + 1);
}

static void conf_take(struct gw_conf *conf, const struct gw_head *head)
{
	conf->hooks4 = head->hooks4;
	conf->hooks6 = head->hooks6;
	conf->image_flags = head->flags;
}

/* A write into a map of maps returns when no program runs any more that may have seen the old one. */
static int wait_by_map(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	_cleanup_(closep) int inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "gw_wait", 4, 8, 1, NULL);
	_cleanup_(closep) int outer = -EBADF;
	uint32_t zero = 0;

	if (inner < 0)
		return -errno;
	opts.inner_map_fd = inner;
	outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "gw_waits", 4, 4, 1, &opts);
	if (outer < 0 || bpf_map_update_elem(outer, &zero, &inner, BPF_ANY) < 0)
		return -errno;
	return 0;
}

/* Every program that runs now has ended when this returns.  Kernels with nohz_full CPUs refuse the membarrier. */
int wait_for_programs(void)
{
	int r = 0;

	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) < 0)
		r = wait_by_map();
	return r < 0 ? raise(r, "wait for the packets of the ruleset before") : 0;
}

int kern_wait_for_packets(struct kern *k _unused_)
{
	return wait_for_programs();
}

int kern_image_settle(struct kern *k)
{
	struct gw_conf exact = k->conf;
	int r;

	if (!k->grace_due)
		return 0;
	r = wait_for_programs();
	if (r < 0)
		return r;
	k->grace_due = false;
	if (!k->image_gen)
		return 0;
	conf_take(&exact, kern_image_live(k));
	if (!memcmp(&exact, &k->conf, sizeof(exact)))
		return 0;
	r = maps_update_conf(k, &exact);
	if (r == 0)
		k->conf = exact;
	return r;
}

/*
 * A packet in flight may read conf's hooks before the generation or after it, so until it has ended conf names the hooks of both images: a
 * hook too many finds an empty slot, a hook too few would let packets pass.
 */
static int image_publish(struct kern *k, const struct gw_head *head)
{
	struct gw_conf both = k->conf, new;
	int r;

	both.hooks4 |= head->hooks4;
	both.hooks6 |= head->hooks6;
	both.image_flags |= head->flags;
	new = both;
	new.gen = head->gen;
	r = maps_update_conf(k, &both);
	if (r == 0)
		r = maps_update_conf(k, &new);
	if (r < 0) {
		maps_update_conf(k, &k->conf); /* if this fails, too: hooks too many, see above */
		return r;
	}
	k->conf = new;
	k->image_gen = head->gen;
	k->grace_due = true;
	return 0;
}

static int image_check(const struct kern *k, const struct gw_head *head, size_t nlines)
{
	if (nlines < 1 || nlines > k->half_lines || head->nlines < 1 ||
	    head->nlines > k->half_lines)
		return raise(-EINVAL, "a ruleset image of %zu lines, room for %u", nlines,
			     k->half_lines);
	/* the half in force is never written over */
	if (!((head->gen ^ k->conf.gen) & 1))
		return raise(-EINVAL, "a ruleset image of generation %u after %u", head->gen,
			     k->conf.gen);
	return 0;
}

int kern_image_swap(struct kern *k, const void *lines, size_t nlines)
{
	uint8_t *half = kern_image_spare(k);
	struct gw_head head = {};
	int r;

	if (nlines)
		memcpy(&head, lines, sizeof(head));
	r = image_check(k, &head, nlines);
	if (r == 0)
		r = kern_image_settle(k);
	if (r < 0)
		return r;
	memcpy(half, lines, nlines * GW_LINE_SIZE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return image_publish(k, &head);
}

int kern_image_changed(struct kern *k)
{
	struct gw_head *head = kern_image_live(k);
	struct gw_conf new = k->conf;
	int r;

	if (!head)
		return raise(-ENOENT, "change a ruleset in force: there is none");
	new.gen += 2; /* the same half */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	r = maps_update_conf(k, &new);
	if (r < 0)
		return r;
	__atomic_store_n(&head->gen, new.gen, __ATOMIC_RELEASE);
	k->conf = new;
	k->image_gen = new.gen;
	return 0;
}

int kern_image_head(struct kern *k, struct gw_head *ret_head)
{
	const struct gw_head *head = kern_image_live(k);

	if (head)
		memcpy(ret_head, head, sizeof(*ret_head));
	else
		*ret_head = (struct gw_head){};
	return 0;
}

/* What a swap that was cut short left: the hooks of both in conf, and no word on whether its grace period passed. */
static int image_adopt(struct kern *k)
{
	struct gw_head *head = (struct gw_head *)half_of(k, k->conf.gen);

	k->grace_due = true;
	if (!k->conf.gen)
		return 0;
	/* conf moves first when an image is changed in its place */
	if (head->gen + 2 == k->conf.gen)
		head->gen = k->conf.gen;
	if (head->gen != k->conf.gen || !head->nlines || head->nlines > k->half_lines) {
		log_warning("found no ruleset in the region generation=%u", k->conf.gen);
		return 0;
	}
	k->image_gen = k->conf.gen;
	return kern_image_settle(k);
}

int image_open(struct kern *k)
{
	struct bpf_map *map = k->skel->maps.gw_region;
	uint32_t lines = bpf_map__max_entries(map);
	void *p = mmap(NULL, (size_t)lines * GW_LINE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		       bpf_map__fd(map), 0);

	if (p == MAP_FAILED)
		return raise(-errno, "map the region of rules");
	k->region = p;
	/* jobs do not read rules: a fork need not copy the page tables of up to 2 GB */
	if (madvise(p, (size_t)lines * GW_LINE_SIZE, MADV_DONTFORK) < 0)
		log_warning("jobs start slowly: madvise error=%s", strerror(errno));
	k->half_lines = lines / 2;
	k->conf.half_lines = k->half_lines;
	return image_adopt(k);
}

void image_close(struct kern *k)
{
	if (k->region)
		munmap(k->region, (size_t)k->half_lines * 2 * GW_LINE_SIZE);
	k->region = NULL;
}
