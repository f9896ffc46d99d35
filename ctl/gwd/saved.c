/* SPDX-License-Identifier: GPL-2.0-only */
#include <gwd/saved.h>
#include <jansson.h>
#include <limits.h>

#define FILE_MAX (1U << 20)

static void path_of(const struct gwd *g, char ret_path[PATH_MAX])
{
	snprintf(ret_path, PATH_MAX, "%s/settings", g->path.runtime_dir);
}

static void restore_one(struct gwd *g, const char *key, json_t *entry)
{
	const struct setting_row *row = setting_find(key);
	const char *value = json_string_value(json_object_get(entry, "value")),
		   *instead = json_string_value(json_object_get(entry, "instead"));
	char now[sizeof(g->cfg.interfaces)];
	struct diag d = { 0 };

	if (!row || !row->live || !value || !instead)
		return;
	setting_get(&g->configured, row, now, sizeof(now));
	if (strcmp(now, instead)) {
		log_notice("Dropped a setting that was changed at run time, the configuration is "
			   "newer key=%s value=%s configured=%s",
			   key, value, now);
		return;
	}
	if (settings_set(&g->cfg, key, value, &d))
		log_warning("Could not restore a setting key=%s error=%s", key, d.text);
	else
		log_info("Restored a setting that was changed at run time key=%s value=%s", key,
			 value);
}

void saved_restore(struct gwd *g)
{
	_cleanup_(freep) char *text = NULL;
	char path[PATH_MAX];
	json_t *all, *entry;
	const char *key;
	size_t len;
	int r;

	path_of(g, path);
	r = file_read(path, FILE_MAX, &text, &len);
	if (r == -ENOENT)
		return;
	all = r < 0 ? NULL : json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	if (!all)
		log_warning("Could not read the settings changed at run time path=%s", path);
	json_object_foreach(all, key, entry) restore_one(g, key, entry);
	json_decref(all);
}

int saved_write(const struct gwd *g)
{
	char value[sizeof(g->cfg.interfaces)], configured[sizeof(value)], path[PATH_MAX];
	_cleanup_(freep) char *text = NULL;
	json_t *all = json_object();
	int r;

	for (size_t i = 0; i < setting_rows_n; i++) {
		const struct setting_row *row = &setting_rows[i];

		setting_get(&g->cfg, row, value, sizeof(value));
		setting_get(&g->configured, row, configured, sizeof(configured));
		if (strcmp(value, configured) && !setting_follows(&g->cfg, row))
			json_object_set_new(
				all, row->name,
				json_pack("{s:s, s:s}", "value", value, "instead", configured));
	}
	text = json_dumps(all, JSON_INDENT(1));
	json_decref(all);
	path_of(g, path);
	r = text ? file_write_atomic(path, text, strlen(text), 0600) : -ENOMEM;
	return r < 0 ? raise(r, "write %s", path) : 0;
}
