/* SPDX-License-Identifier: GPL-2.0-only */
#include <gwd/carry.h>
#include <gwd/ids.h>
#include <gwd/replay.h>
#include <gwd/single.h>
#include <sys/uio.h>

struct replay {
	struct ruleset **rs;
	struct index *index;
};

static void take_id(const struct stateful *s, void *arg)
{
	const char **at = arg;

	*s->id = (uint32_t)strtoul(*at, (char **)at, 10);
	*at += **at == ',';
}

static int replay_add(struct replay *p, const struct journal_record *rec)
{
	const char *end = rec->body + rec->len, *text = memmem(rec->body, rec->len, ". ", 2), *ids;
	unsigned int index, cid;
	struct index_entry at;
	struct rule *r;
	int n = 0, e;

	if (!text || sscanf(rec->body, "%u %u %n", &index, &cid, &n) < 2 || !n)
		return JOURNAL_E_BROKEN;
	ids = rec->body + n;
	text += 2;
	r = single_read_rule(*p->rs, text, (size_t)(end - text), &at);
	if (!r)
		return JOURNAL_E_BROKEN;
	if (index > at.chain->n_rules) {
		rule_free(r);
		return JOURNAL_E_BROKEN;
	}
	e = chain_insert_rule(*p->rs, at.chain, index, r);
	if (e < 0) {
		rule_free(r);
		return raise(e, "journal");
	}
	r->cid = cid;
	r->counter_given = false;
	ids_walk_rule(r, take_id, &ids);
	at.handle = r->handle;
	return index_add(p->index, &at);
}

static int replay_delete(struct replay *p, const struct journal_record *rec)
{
	const struct index_entry *e = index_find(p->index, strtoull(rec->body, NULL, 10));
	struct chain *chain;

	if (!e || !e->rule)
		return JOURNAL_E_BROKEN;
	chain = e->chain;
	chain_delete_rule(chain, single_index_of(chain, e->rule));
	index_remove(p->index, strtoull(rec->body, NULL, 10));
	return 0;
}

/* Behind the head: the numbers in the order of the walks, then the text. */
struct text_head {
	uint32_t replace, internal, n_counted, n_stateful;
};

struct numbers {
	uint32_t *v;
	size_t n, cap;
	bool failed;
};

static void note_number(struct numbers *l, uint32_t id)
{
	void *p = l->v;

	l->failed |= array_reserve(&p, &l->cap, l->n, sizeof(*l->v)) < 0;
	l->v = p;
	if (!l->failed)
		l->v[l->n++] = id;
}

static void note_counted(const struct counted *c, void *arg)
{
	note_number(arg, *c->cid);
}

static void note_stateful(const struct stateful *s, void *arg)
{
	note_number(arg, *s->id);
}

int replay_record_text(struct gwd *g, const struct txn_request *req, const struct ruleset *next)
{
	struct text_head head = { .replace = req->replace, .internal = req->internal };
	struct numbers l = { 0 };
	struct iovec parts[3];
	int r;

	ids_walk_counted(next, note_counted, &l);
	head.n_counted = (uint32_t)l.n;
	ids_walk_stateful(next, note_stateful, &l);
	head.n_stateful = (uint32_t)l.n - head.n_counted;
	parts[0] = (struct iovec){ &head, sizeof(head) };
	parts[1] = (struct iovec){ l.v, l.n * sizeof(*l.v) };
	parts[2] = (struct iovec){ (char *)req->text, req->len };
	r = l.failed ? raise(-ENOMEM, "journal")
		     : journal_append_parts(g, g->gen + 1, JOURNAL_TEXT, parts, 3);
	free(l.v);
	return r;
}

/* Numbers that are not there stay 0 and are counted as too many. */
struct take {
	const char *at;
	size_t left, missing;
};

static uint32_t take_number(struct take *t)
{
	uint32_t id = 0;

	if (!t->left) {
		t->missing++;
		return 0;
	}
	memcpy(&id, t->at, sizeof(id));
	t->at += sizeof(id);
	t->left--;
	return id;
}

static void take_counted(const struct counted *c, void *arg)
{
	*c->cid = take_number(arg);
}

static void take_stateful(const struct stateful *s, void *arg)
{
	*s->id = take_number(arg);
}

static int take_numbers(const struct ruleset *rs, const struct text_head *head, const char *at)
{
	struct take t = { .at = at, .left = head->n_counted };

	ids_walk_counted(rs, take_counted, &t);
	if (t.left || t.missing)
		return JOURNAL_E_BROKEN;
	t.left = head->n_stateful;
	ids_walk_stateful(rs, take_stateful, &t);
	return t.left || t.missing ? JOURNAL_E_BROKEN : 0;
}

/* As txn_apply() did it. */
static int replay_request(const struct ruleset *old, struct ruleset *next,
			  const struct text_head *head, const char *text, size_t len)
{
	struct diag d = { 0 };
	int r = lang_apply(next, "journal", text, len, NULL, &d);

	if (r > 0) {
		log_err("Could not read the journal line=%u error=%s", d.line, d.text);
		return JOURNAL_E_BROKEN;
	}
	if (!r && head->replace && !head->internal)
		r = carry_over(old, next);
	if (!r && head->replace)
		carry_sets(old, next);
	if (!r)
		carry_objects(old, next, head->replace);
	return r;
}

static int replay_text(struct replay *p, const struct journal_record *rec)
{
	_cleanup_(ruleset_freep) struct ruleset *next = NULL;
	struct text_head head;
	size_t n;
	int r;

	if (rec->len < sizeof(head))
		return JOURNAL_E_BROKEN;
	memcpy(&head, rec->body, sizeof(head));
	n = sizeof(head) + ((size_t)head.n_counted + head.n_stateful) * sizeof(uint32_t);
	if (rec->len < n)
		return JOURNAL_E_BROKEN;
	next = head.replace ? ruleset_new() : ruleset_copy(*p->rs);
	if (!next)
		return raise(-ENOMEM, "journal");
	next->next_handle = MAX(next->next_handle, (*p->rs)->next_handle);
	r = replay_request(*p->rs, next, &head, rec->body + n, rec->len - n);
	if (!r)
		r = take_numbers(next, &head, rec->body + sizeof(head));
	if (r)
		return r;
	index_free(p->index);
	p->index = index_new(next);
	ruleset_free(*p->rs);
	*p->rs = TAKE_PTR(next);
	return p->index ? 0 : raise(-ENOMEM, "journal");
}

static int replay_one(const struct journal_record *rec, void *arg)
{
	switch (rec->kind) {
	case JOURNAL_SAME:
		return 0;
	case JOURNAL_ADD:
		return replay_add(arg, rec);
	case JOURNAL_DELETE:
		return replay_delete(arg, rec);
	case JOURNAL_TEXT:
		return replay_text(arg, rec);
	default:
		return JOURNAL_E_BROKEN;
	}
}

int replay(const struct gwd *g, struct ruleset **rs, uint32_t from, uint32_t to)
{
	struct replay p = { rs, index_new(*rs) };
	int r = p.index ? journal_replay(g, from, to, replay_one, &p) : raise(-ENOMEM, "journal");

	index_free(p.index);
	return r;
}
