/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IPTABLES_NAMES_H
#define IPTABLES_NAMES_H
/*
 * names - numbers that have names: protocols, services, ICMP types, states, ways to reject.
 */
#include <iptables/spec.h>

/* Name or number; false if neither. */
bool name_to_proto(const char *s, uint8_t *ret);
/* "tcp", or the number if it has no name; buf holds the number. */
const char *proto_to_name(uint8_t proto, char buf[8]);
bool name_to_port(const char *s, const char *proto, uint16_t *ret);
const char *port_to_name(uint16_t port, const char *proto); /* or NULL */

/* Name, unique beginning of a name, TYPE or TYPE/CODE. */
int name_to_icmp(int version, const char *s, uint8_t *ret_type, int *ret_code, struct diag *d);
const char *icmp_to_name(int version, uint8_t type, int code); /* or NULL */

/* The long word, or any of its beginnings that means one thing. */
int name_to_reject(int version, const char *s, uint32_t *ret, struct diag *d);
const char *reject_to_name(int version, uint32_t reject);

/* "NEW,ESTABLISHED" <-> 1 << GW_CT_*; nat: SNAT and DNAT, too (XT_STATE_*) */
int names_to_states(const char *s, bool nat, uint32_t *ret, struct diag *d);
void states_print(uint32_t states, struct strbuf *b);

int name_to_dscp(const char *s, uint32_t *ret, struct diag *d); /* "AF41", "CS1", "EF", "BE" */
int name_to_level(const char *s, uint8_t *ret, struct diag *d); /* syslog's, also as number */
const char *level_to_name(uint8_t level);
#endif
