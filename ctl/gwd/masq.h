/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_MASQ_H
#define GWD_MASQ_H
/* masq - end the connections whose source is translated to an address the gateway does not have any more. */
#include <gwd/gwd.h>

void masq_retire(struct gwd *g, int family, const void *addr);
#endif
