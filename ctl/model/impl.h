/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MODEL_IMPL_H
#define MODEL_IMPL_H
/*
 * impl - what the files of the model share.
 */
#include <model/model.h>

/* Put item into a growing pointer array at index; the caller has checked index <= *n. */
int pointers_insert(void ***items, size_t *n, size_t *cap, size_t index, void *item);
void pointers_remove(void **items, size_t *n, size_t index);
/* Take item out if it is there. */
bool pointers_drop(void **items, size_t *n, const void *item);
/* Give a handle, or see that the next one given is beyond. */
void handle_take(struct ruleset *rs, uint64_t *handle);

bool string_copy(char **to, const char *from); /* NULL stays NULL */
int map_use_copy(struct map_use **to, const struct map_use *from);
int stmt_copy(struct stmt *to, const struct stmt *from);
struct set *set_copy(const struct set *from); /* elems are shared */
struct object *object_copy(const struct object *from);

#endif
