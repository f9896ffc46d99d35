/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef GW_ABI_H
#define GW_ABI_H
/*
 * The binary interface between the data plane (clang -target bpf) and the control plane (gcc or clang).
 * Plain structs of fixed-width integers; network order unless a field says otherwise; padding named and zero.
 * A change of any layout below raises GW_ABI_VERSION: pins live under gw/v<GW_ABI_VERSION>/.
 */
#define GW_ABI_VERSION 4
#define GW_ABI_SIZE(type, size) \
	_Static_assert(sizeof(struct type) == (size), #type ": ABI size changed")

#include <gw/tuple.h>
#include <gw/flow.h>
#include <gw/eim.h>
#include <gw/event.h>
#include <gw/hook.h>
#include <gw/rule.h>
#include <gw/image.h>
#include <gw/config.h>
#include <gw/timeout.h>
#include <gw/next.h>
#include <gw/reason.h>
#endif
