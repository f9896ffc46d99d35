/* SPDX-License-Identifier: GPL-2.0-only */
/* What the data plane made of the rules: the cost of the image in force, and the packets that met a log statement. */
#include <compile/index.h>
#include <gwd/client.h>
#include <gwd/ids.h>
#include <gwd/logs.h>
#include <gwd/request.h>

int req_logs(struct gwd *g, json_t *req _unused_, struct reply *r)
{
	if (logs_subscribe(g, r->client) < 0) {
		reply_error(r, "no memory for another listener");
		return REQUEST_FAILED;
	}
	client_listen_logs(r->client);
	return REQUEST_STREAM;
}

static json_t *root_json(const struct gwd *g, const struct index_stats *s)
{
	const struct index_entry *e = index_find(g->index, s->handle);

	return json_pack(
		"{s:I, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "handle",
		(json_int_t)s->handle, "family", e ? family_name(e->table->family) : "", "table",
		e ? e->table->name : "", "chain", e ? e->chain->name : "", "entries",
		(json_int_t)s->entries, "delta", (json_int_t)s->delta, "source_labels",
		(json_int_t)s->labels[0], "destination_labels", (json_int_t)s->labels[1], "groups",
		(json_int_t)s->groups, "largest", (json_int_t)s->largest, "largest_rule",
		(json_int_t)ids_handle_of(g->rs, s->largest_id), "bytes", (json_int_t)s->bytes);
}

int req_rule_stats(struct gwd *g, json_t *req _unused_, struct reply *r)
{
	json_t *roots = json_array();
	struct index_stats s;
	struct gw_head head;
	int rc = kern_image_head(g->kern, &head);

	for (uint32_t i = 0; rc == 0 && i < head.n_roots; i++) {
		rc = image_stats(kern_image_live(g->kern), i, &s);
		if (rc == 0)
			json_array_append_new(roots, root_json(g, &s));
	}
	if (rc < 0) {
		json_decref(roots);
		reply_error(r, "the image in force can not be read: %s", strerror(-rc));
		return REQUEST_FAILED;
	}
	reply_json(r, json_pack("{s:I, s:I, s:I, s:I, s:o}", "gen", (json_int_t)g->gen, "lines",
				(json_int_t)head.nlines, "capacity",
				(json_int_t)kern_image_cap(g->kern), "in_place",
				(json_int_t)g->in_place, "roots", roots));
	return REQUEST_OK;
}
