/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_SNAPSHOT_H
#define GWD_SNAPSHOT_H
/*
 * snapshot - all connections that pass a filter, read by a child while gwd goes on, and handed on as fast as they are wanted.
 */
#include <gwd/gwd.h>
#include <wire/wire.h>

struct snapshot;
/* Some rows: an array of struct gw_event. */
typedef void (*snapshot_rows_fn)(void *arg, const void *rows, size_t bytes);
/* The end; complete: there were `rows` of them.  The snapshot is still to be freed. */
typedef void (*snapshot_done_fn)(void *arg, bool complete, uint64_t rows);

int snapshot_start(struct gwd *g, const struct flow_filter *f, snapshot_rows_fn rows,
		   snapshot_done_fn done, void *arg, struct snapshot **ret);
struct snapshot *snapshot_free(struct snapshot *s);  /* NULL-safe; ends the child */
void snapshot_flow(struct snapshot *s, bool wanted); /* may more rows come? */
void snapshot_fail(struct snapshot *s);		     /* it will not be complete */
#endif
