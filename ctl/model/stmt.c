/* SPDX-License-Identifier: GPL-2.0-only */
#include <model/impl.h>

bool string_copy(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return *to || !from;
}

void stmt_deinit(struct stmt *s)
{
	switch (s->kind) {
	case STMT_OBJECT:
		free(s->object.name);
		break;
	case STMT_LOG:
		free(s->log.prefix);
		break;
	case STMT_SET:
		free(s->set.set);
		break;
	case STMT_MARK:
	case STMT_CTMARK:
		map_use_free(s->mark.map);
		break;
	default:
		break;
	}
	*s = (struct stmt){ 0 };
}

int stmt_copy(struct stmt *to, const struct stmt *from)
{
	bool ok = true;

	*to = *from;
	switch (from->kind) {
	case STMT_OBJECT:
		ok = string_copy(&to->object.name, from->object.name);
		break;
	case STMT_LOG:
		ok = string_copy(&to->log.prefix, from->log.prefix);
		break;
	case STMT_SET:
		ok = string_copy(&to->set.set, from->set.set);
		break;
	case STMT_MARK:
	case STMT_CTMARK:
		return map_use_copy(&to->mark.map, from->mark.map);
	default:
		break;
	}
	return ok ? 0 : -ENOMEM;
}

int rule_add_word(struct rule *r, enum stmt_kind kind)
{
	struct stmt s = { .kind = kind };

	return rule_add_stmt(r, &s);
}

bool rule_has_stmt(const struct rule *r, enum stmt_kind kind)
{
	for (size_t i = 0; i < r->n_stmts; i++) {
		if (r->stmts[i].kind == kind)
			return true;
	}
	return false;
}
