/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_CID_H
#define GWD_CID_H
/*
 * cid - counter ids: each rule and each policy has one, and keeps it as long as it lives.
 *
 * A connection may hold the id of the rule that accepted it until its next packet under a newer generation, so an id rests
 * CID_REST_GENERATIONS before another rule may have it.  Pure: the kernel's counters are the caller's.
 */
#include <gw/abi.h>
#include <model/model.h>

#define CID_REST_GENERATIONS 2

/* Something that counts: a rule, or the policy of a base chain. */
struct counted {
	uint64_t handle;
	uint32_t *cid;
	uint64_t *pkts, *bytes;
	bool *given;
};
typedef void (*counted_fn)(const struct counted *c, void *arg);
void cid_walk(const struct ruleset *rs, counted_fn fn, void *arg);
void cid_forget_given(const struct ruleset *rs);

struct cids;
struct cids *cids_new(void);
struct cids *cids_free(struct cids *c);
DEFINE_FREEP(cids)

enum { CIDS_E_FULL = 1 };
/*
 * Give every rule and policy of `next` an id for generation gen.  An id it has already stays only if `old` has it on the same handle:
 * text from outside can not take somebody else's counter.
 */
int cids_assign(const struct cids *c, const struct ruleset *old, const struct ruleset *next,
		uint32_t gen);
/* `rs` is in force as generation gen: ids it does not have start to rest. */
void cids_commit(struct cids *c, const struct ruleset *rs, uint32_t gen);
bool cids_in_use(const struct cids *c, uint32_t cid);
#endif
