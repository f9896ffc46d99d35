/* SPDX-License-Identifier: GPL-2.0-only */
/* set, map, element: each becomes one command of the ruleset language. */
#include <gwctl/gwctl.h>

static int set_words(struct gwctl *g, const char *command, int argc, char **argv, int min,
		     const char *usage)
{
	int used;

	words_family(argc, argv, &used);
	if (argc - used < min)
		return usage_error("%s", usage);
	return apply_words(g, command, argc, argv);
}

#define SET_VERB(name, command, min, usage)                           \
	int name(struct gwctl *g, int argc, char **argv)              \
	{                                                             \
		return set_words(g, command, argc, argv, min, usage); \
	}
SET_VERB(verb_set_add, "add set", 3, "a set needs a table, a name and { type ...; }")
SET_VERB(verb_set_delete, "delete set", 2, "which set? [FAMILY] TABLE SET")
SET_VERB(verb_set_flush, "flush set", 2, "which set? [FAMILY] TABLE SET")
SET_VERB(verb_map_add, "add map", 3, "a map needs a table, a name and { type ... : ...; }")
SET_VERB(verb_map_delete, "delete map", 2, "which map? [FAMILY] TABLE MAP")
SET_VERB(verb_map_flush, "flush map", 2, "which map? [FAMILY] TABLE MAP")
SET_VERB(verb_element_add, "add element", 3, "which elements? [FAMILY] TABLE SET { ELEMENTS }")
SET_VERB(verb_element_delete, "delete element", 3,
	 "which elements? [FAMILY] TABLE SET { ELEMENTS }")
