/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_IDS_H
#define GWD_IDS_H
/*
 * ids - the numbers under which the data plane finds what belongs to a rule: its counter, the states of its limits and quotas, its log
 * statements.  Whatever has one keeps it as long as it lives, through all generations.
 *
 * A packet in flight may still use a number that was just given up, so it rests for IDS_REST generations, or until it is known that no such
 * packet is left (ids_rested), and the one that rested longest is given out first.  Numbers are taken for a change that may yet fail: ids_commit() makes it true, ids_abort() gives them back.
 * Pure: what the kernel has under a number is the caller's.
 */
#include <gw/abi.h>
#include <gwd/index.h>
#include <model/model.h>

#define IDS_REST     4 /* a change in place raises the generation by 2 */
#define IDS_LOGS_MAX 65536

enum ids_space {
	IDS_COUNTER, /* rules, policies, counter objects */
	IDS_STATE,   /* limits, quotas, ct count */
	IDS_LOG,
	IDS_SPACES
};

/* Something that counts: a rule, the policy of a base chain, or a counter object. */
struct counted {
	uint64_t handle;
	uint32_t *cid;
	uint64_t *pkts, *bytes;
	bool *given;
};
typedef void (*counted_fn)(const struct counted *c, void *arg);
void ids_walk_counted(const struct ruleset *rs, counted_fn fn, void *arg);
void ids_forget_given(const struct ruleset *rs);
/* Whose counter it is now; 0 = nobody's. */
uint64_t ids_handle_of(const struct ruleset *rs, uint32_t cid);

/* Something with a state or a log of its own; exactly one of the two is set. */
struct stateful {
	enum ids_space space;
	uint32_t *id;
	struct stmt *stmt;
	struct object *object;
};
typedef void (*stateful_fn)(const struct stateful *s, void *arg);
void ids_walk_stateful(const struct ruleset *rs, stateful_fn fn, void *arg);
void ids_walk_rule(struct rule *r, stateful_fn fn, void *arg);
/* What a quota has used when it starts; 0 for all else. */
uint64_t stateful_start(const struct stateful *s);

struct ids;
struct ids *ids_new(void);
struct ids *ids_free(struct ids *ids);
DEFINE_FREEP(ids)

enum { IDS_E_FULL = 1 };
/*
 * Give everything in `next` its numbers for generation gen.  A counter id that is there already stays only if `old` has it on the same
 * handle: text from outside can not take somebody else's counter.  States and logs of a rule that goes on are those it had.
 * IDS_E_FULL: *ret_full says of what there are not enough.
 */
int ids_assign(struct ids *ids, const struct index *old, const struct ruleset *next, uint32_t gen,
	       enum ids_space *ret_full);
/* One new rule. */
int ids_assign_rule(struct ids *ids, struct rule *r, uint32_t gen, enum ids_space *ret_full);
/* Every packet that could use what was given up so far is through. */
void ids_rested(struct ids *ids);
/* Nothing came of it. */
void ids_abort(struct ids *ids);
/* `rs` is in force as generation gen: numbers it does not have start to rest. */
void ids_commit(struct ids *ids, const struct ruleset *rs, uint32_t gen);
/* Likewise where only these rules changed; either may be NULL. */
void ids_commit_rule(struct ids *ids, struct rule *added, struct rule *deleted, uint32_t gen);
/* The time of what is committed from now on: seconds since boot, 0 = always. */
void ids_clock(struct ids *ids, uint32_t now);
/*
 * The handle of what counter cid belonged to at `when`, also if that has been deleted since; 0 = unknown.  A counter that got another owner
 * forgets the one before.
 */
uint64_t ids_owner(const struct ids *ids, uint32_t cid, uint32_t when);
/* Was it taken since the last commit? */
bool ids_is_fresh(const struct ids *ids, enum ids_space space, uint32_t id);
const char *ids_space_name(enum ids_space space); /* "counters" */
uint32_t ids_space_size(enum ids_space space);	  /* number 0 is none */
#endif
