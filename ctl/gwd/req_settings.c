/* SPDX-License-Identifier: GPL-2.0-only */
#include <gwd/client.h>
#include <gwd/conf.h>
#include <gwd/ifs.h>
#include <gwd/request.h>
#include <gwd/saved.h>

static json_t *row_json(const struct settings *s, const struct setting_row *row)
{
	char value[sizeof(s->interfaces)];

	setting_get(s, row, value, sizeof(value));
	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:s}", "key", row->name, "value", value,
			 "default", setting_default(s, row), "unit", row->unit, "live", row->live,
			 "help", row->help);
}

int req_get(struct gwd *g, json_t *req, struct reply *r)
{
	const char *key = NULL;
	json_t *rows;

	if (!field_text(req, "key", &key, NULL, r))
		return REQUEST_USAGE;
	if (key && !setting_find(key)) {
		reply_error(r, "there is no setting `%s`", key);
		return REQUEST_FAILED;
	}
	rows = json_array();
	for (size_t i = 0; i < setting_rows_n; i++)
		if (!key || !strcmp(key, setting_rows[i].name))
			json_array_append_new(rows, row_json(&g->cfg, &setting_rows[i]));
	reply_json(r, rows);
	return REQUEST_OK;
}

/* Make everything true that a live setting can change; each step only does what differs. */
static int settings_enforce(struct gwd *g, const struct settings *old)
{
	int r = 0;

	log_set_level(LOG_LEVEL_ERR + g->cfg.log_level);
	if (strcmp(old->socket_group, g->cfg.socket_group))
		r = server_set_group(g);
	if (!r)
		r = conf_apply(g);
	if (!r && strcmp(old->interfaces, g->cfg.interfaces))
		r = ifs_sync(g);
	return r;
}

static int settings_change(struct gwd *g, const struct settings *next, struct reply *r)
{
	struct settings old = g->cfg;
	int rc;

	g->cfg = *next;
	rc = settings_enforce(g, &old);
	if (!rc)
		rc = saved_write(g);
	if (!rc)
		return REQUEST_OK;
	g->cfg = old;
	settings_enforce(g, next);
	reply_error(r, "the setting could not be put in force: %s", strerror(-rc));
	return REQUEST_FAILED;
}

int req_set(struct gwd *g, json_t *req, struct reply *r)
{
	const char *key = NULL, *value = NULL;
	const struct setting_row *row;
	struct settings next = g->cfg;
	struct diag d = { 0 };
	int code;

	if (!field_text(req, "key", &key, NULL, r) || !field_text(req, "value", &value, NULL, r))
		return REQUEST_USAGE;
	if (!key || !value) {
		reply_error(r, "`set` needs the fields `key` and `value`");
		return REQUEST_USAGE;
	}
	if (settings_set(&next, key, value, &d)) {
		reply_diag(r, &d, NULL);
		return REQUEST_FAILED;
	}
	row = setting_find(key);
	if (!row->live) {
		reply_error(r, "%s takes effect at the next start: write it to %s", key,
			    g->path.config);
		return REQUEST_FAILED;
	}
	code = settings_change(g, &next, r);
	if (code != REQUEST_OK)
		return code;
	log_info("Set %s value=%s", key, value);
	reply_json(r, row_json(&g->cfg, row));
	return REQUEST_OK;
}
