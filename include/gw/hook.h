/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef GW_HOOK_H
#define GW_HOOK_H
/* Slots of the table x chain matrix (hook.def). */
enum gw_hook {
#define GW_HOOK(id, table, chain, prio_name, prio) GW_HOOK_##id,
#include <gw/hook.def>
#undef GW_HOOK
	GW_HOOK_MAX
};
#endif
