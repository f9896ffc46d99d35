/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_COMPAT_H
#define GW_COMPAT_H
/*
 * What UAPI headers do not give a program without libc: linux/icmp.h and sys/socket.h pull in more than -target bpf has.
 */
#include <stdbool.h>
#include <stddef.h>
#ifndef AF_INET
#define AF_INET 2
#endif
#ifndef AF_INET6
#define AF_INET6 10
#endif
#define ICMP_ECHOREPLY	    0 /* RFC 792 */
#define ICMP_DEST_UNREACH   3
#define ICMP_SOURCE_QUENCH  4
#define ICMP_REDIRECT	    5
#define ICMP_ECHO	    8
#define ICMP_TIME_EXCEEDED  11
#define ICMP_PARAMETERPROB  12
#define ICMP_TIMESTAMP	    13
#define ICMP_TIMESTAMPREPLY 14
#define ICMP_INFO_REQUEST   15
#define ICMP_INFO_REPLY	    16
#define ICMP_ADDRESS	    17 /* RFC 950 */
#define ICMP_ADDRESSREPLY   18

#ifndef barrier
#define barrier() asm volatile("" ::: "memory")
#endif
/*
 * Keeps clang from merging two map calls into one with a selected map pointer: such a call can not be inlined by the verifier (an array
 * lookup then costs an indirect call), and 6.1 refuses it for for_each ("tail_call abusing map_ptr").
 */
#define CALL_APART(n) asm volatile("" : : "i"(n))
#ifndef __noinline
#define __noinline __attribute__((noinline))
#endif
#endif
