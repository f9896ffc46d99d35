/* SPDX-License-Identifier: GPL-2.0-only */
#include <signal.h>
#include <sys/signalfd.h>
#include <gwctl/rows.h>

void rows_deinit(struct rows *rows)
{
	strbuf_deinit(&rows->b);
}

static void put_json(struct rows *rows, const struct gw_event *ev)
{
	json_t *obj = show_json(ev);
	char *text = json_dumps(obj, JSON_COMPACT | JSON_PRESERVE_ORDER);

	/* events are a stream of objects, one per line; a listing is one array */
	if (!rows->events)
		strbuf_puts(&rows->b, rows->count ? ",\n" : "[\n");
	strbuf_puts(&rows->b, text ? text : "null");
	if (rows->events)
		strbuf_puts(&rows->b, "\n");
	free(text);
	json_decref(obj);
}

static const char *event_color(const struct gw_event *ev)
{
	switch (ev->type) {
	case GW_EVENT_NEW:
		return "\033[32m";
	case GW_EVENT_DESTROY:
		return "\033[31m";
	case GW_EVENT_LOST:
		return "\033[1;31m";
	default:
		return "";
	}
}

static void put_text(struct rows *rows, const struct gw_event *ev)
{
	if (rows->xml) {
		show_xml(ev, rows->show, &rows->b);
	} else if (rows->save) {
		if (ev->type < GW_EVENT_LOST)
			show_save(ev, &rows->b);
	} else if (rows->events) {
		if (rows->color)
			strbuf_puts(&rows->b, event_color(ev));
		show_event(ev, rows->show, rows->portid, &rows->b);
		if (rows->color)
			strbuf_puts(&rows->b, "\033[0m");
	} else if (rows->proc) {
		show_flow_proc(ev, &rows->b);
	} else {
		show_flow(ev, rows->show, &rows->b);
	}
}

static int rows_row(void *arg, const struct gw_event *ev)
{
	struct rows *rows = arg;

	if (rows->events && !rows->resync &&
	    (ev->type == GW_EVENT_NONE || ev->type > GW_EVENT_LOST))
		return -EPROTO;
	if (rows->json)
		put_json(rows, ev);
	else if (!rows->quiet)
		put_text(rows, ev);
	if (ev->type < GW_EVENT_LOST && !(rows->events && ev->type == GW_EVENT_NONE))
		rows->count++;
	return rows->b.failed ? -ENOMEM : 0;
}

static int rows_batch(void *arg)
{
	struct rows *rows = arg;

	if (rows->b.len && fwrite(rows->b.s, 1, rows->b.len, stdout) != rows->b.len)
		return -errno;
	rows->b.len = 0;
	if (rows->events && fflush(stdout))
		return -errno;
	return 0;
}

static int stop_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* What stands around all rows. */
static void put_frame(struct rows *rows, bool begin)
{
	if (rows->xml)
		fputs(begin ? SHOW_XML_HEAD : SHOW_XML_TAIL, stdout);
	else if (rows->json && !rows->events && !begin)
		fputs(rows->count ? "\n]\n" : "[]\n", stdout);
}

int rows_request(struct gwctl *g, struct rows *rows, json_t *request,
		 const struct flow_filter *filter)
{
	_cleanup_(reply_deinit) struct reply reply = { 0 };
	_cleanup_(freep) char *text = flow_filter_to_json(filter);
	_cleanup_(closep) int stop = rows->events ? stop_open() : -1;
	struct flow_sink sink = {
		.row = rows_row, .batch = rows_batch, .arg = rows, .stop_fd = stop
	};
	json_t *json = text ? json_loads(text, 0, NULL) : NULL;
	int r = json && !json_object_set_new(request, "filter", json) ? gwctl_connect(g)
								      : refuse("out of memory");

	if (!r && rows->resync)
		r = json_object_set_new(request, "resync", json_true()) ? refuse("out of memory")
									: 0;
	if (r) {
		json_decref(request);
		return r;
	}
	rows->portid = client_peer_pid(g->client);
	put_frame(rows, true);
	r = gwctl_stream(g, request, &sink, &reply);
	put_frame(rows, false);
	fflush(stdout);
	return r;
}

int rows_run(struct gwctl *g, struct rows *rows, const char *verb, const struct flow_filter *filter)
{
	return rows_request(g, rows, json_pack("{s:s}", "verb", verb), filter);
}
