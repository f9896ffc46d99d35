#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""ICMP errors about translated connections: they reach the right host with the quote as that host sent it."""
from wire import *

V4_ERRORS = [(3, 3, 0), (3, 4, 1400), (11, 0, 0), (3, 13, 0), (12, 0, 20 << 24)]
V6_ERRORS = [(1, 4, 0), (2, 0, 1400), (3, 0, 0), (1, 1, 0), (4, 0, 6)]


def errors(n):
    return V4_ERRORS if n.v == 4 else V6_ERRORS


def unreachable(n):
    return (3, 3) if n.v == 4 else (1, 4)


def start(n, proto, host=None):
    """A new connection from inside: the packet as sent, and as seen outside."""
    p, host = n.fresh(), host or n.a
    if proto == UDP:
        sent = udp(host, n.far, p, 53, b"a question of some length")
    elif proto == TCP:
        sent = tcp(host, n.far, p, 443, SYN, seq=1000, options=b"\x02\x04\x05\xb4")
    else:
        sent = echo(host, n.far, p, 1, b"0123456789abcdef")
    return parse(sent), n.out(sent)


def same_quote(sent, quote, l4=None):
    """The quote equals what the host sent, but for TTL and what was cut off."""
    equal("quoted addresses", (sent.src, sent.dst), (quote.src, quote.dst))
    equal("quoted ports", (sent.sport, sent.dport), (quote.sport, quote.dport))
    check(not quote.faults, "quote:", quote.faults)
    got = quote.segment[:l4] if l4 else quote.segment
    equal("quoted transport bytes", sent.segment[:len(got)], got)


@case("errors from a router outside reach the host with the quote restored, code and MTU kept", "-")
def from_router(n):
    for proto in (UDP, TCP, ICMP):
        for kind, code, rest in errors(n):
            sent, seen = start(n, proto)
            error = n.back(icmp(n.next_hop, n.gw, kind, code, rest, seen.raw))
            equal("from, to", (n.next_hop, n.a), (error.src, error.dst))
            equal("type, code, rest", (kind, code, rest), (error.kind, error.code, error.rest))
            same_quote(sent, error.quote)


@case("a quote of 8 transport bytes is restored", "-")
def short_quote(n):
    for proto in (UDP, TCP, ICMP):
        sent, seen = start(n, proto)
        kind, code = unreachable(n)
        size = (20 if n.v == 4 else 40) + 8
        error = n.back(icmp(n.next_hop, n.gw, kind, code, 0, seen.raw[:size]))
        same_quote(sent, error.quote)
        equal("length of the quote", size, len(error.data))


@case("an error about a connection whose port was changed names the port of its host", "-")
def changed_port(n):
    p = n.fresh()
    n.out(udp(n.a, n.far, p, 53))
    sent = udp(n.b, n.far, p, 53, b"second")
    seen = n.out(sent)
    kind, code = unreachable(n)
    error = n.back(icmp(n.far, n.gw, kind, code, 0, seen.raw))
    equal("to", n.b, error.dst)
    same_quote(parse(sent), error.quote)


@case("an error from the server inside shows only public addresses, the quote included", "-")
def from_inside_server(n):
    p = n.fresh()
    sent = udp(n.far, n.gw, p, 8080, b"to the forwarded port")
    seen = n.back(sent)
    kind, code = unreachable(n)
    n.lan.send(icmp(n.a, n.far, kind, code, 0, seen.raw))
    error = n.wan.see(what="the error of the inside server")
    equal("from, to", (n.gw, n.far), (error.src, error.dst))
    same_quote(parse(sent), error.quote)


@case("an inside host that refuses an answer shows only public addresses", "-")
def refused_answer(n):
    p = n.fresh()
    n.out(udp(n.a, n.far, p, 53))
    answer = udp(n.far, n.gw, 53, p, b"too late")
    seen = n.back(answer)
    kind, code = unreachable(n)
    n.lan.send(icmp(n.a, n.far, kind, code, 0, seen.raw))
    error = n.wan.see(what="the error of the host")
    equal("from, to", (n.gw, n.far), (error.src, error.dst))
    same_quote(parse(answer), error.quote)


@case("an error does not end its connection", "-")
def flow_lives(n):
    sent, seen = start(n, UDP)
    kind, code = unreachable(n)
    n.back(icmp(n.far, n.gw, kind, code, 0, seen.raw))
    answer = n.back(udp(n.far, n.gw, 53, seen.sport, b"still there"))
    equal("answer", (n.a, sent.sport), (answer.dst, answer.dport))


@case("errors that quote no connection are dropped", "-")
def forged(n):
    p = n.fresh()
    n.out(udp(n.a, n.far, p, 53))
    for kind, code, rest in errors(n):
        n.wan.send(
            icmp(n.next_hop, n.gw, kind, code, rest, udp(n.gw, n.far, p + 7000, 53)),  # a port that is not in use
            icmp(n.next_hop, n.gw, kind, code, rest, udp(n.gw, n.far2, p, 53)),  # a server that was not asked
            icmp(n.next_hop, n.gw, kind, code, rest, udp(n.far, n.gw, 53, p)),  # the other direction
            icmp(n.next_hop, n.a, kind, code, rest, udp(n.a, n.far2, p, 53)),  # straight to the host
            icmp(n.next_hop, n.gw, kind, code, rest, b""),
            icmp(n.next_hop, n.gw, kind, code, rest, udp(n.gw, n.far, p, 53)[:22]))
    n.lan.quiet()
    n.wan.all(0)


@case("an error with a wrong checksum is not repaired", "-")
def damaged(n):
    _, seen = start(n, UDP)
    kind, code = unreachable(n)
    n.wan.send(icmp(n.next_hop, n.gw, kind, code, 0, seen.raw, check=0x1234))
    for error in n.lan.all():
        check("ICMP checksum" in error.faults, "repaired:", error)
    _, seen = start(n, UDP)
    if n.v == 4:  # the quote's own header checksum
        n.wan.send(icmp(n.next_hop, n.gw, kind, code, 0, seen.raw[:10] + b"\x12\x34" + seen.raw[12:]))
        for error in n.lan.all():
            check("IP header checksum" in error.quote.faults, "repaired:", error)


@case("redirects and unknown types are not forwarded", "-")
def odd_types(n):
    _, seen = start(n, UDP)
    for kind in (5, 4, 9, 10, 13, 15, 17, 37, 40, 255) if n.v == 4 else (137, 100, 127, 139, 200, 255):
        n.wan.send(icmp(n.next_hop, n.gw, kind, 0, 0, seen.raw))
    for error in n.lan.all():
        # netfilter relates source quench and all error types of ICMPv6, which hosts that know no better ignore
        check(error.kind == 4 if n.v == 4 else error.kind < 128, "forwarded:", error)
    n.wan.all(0)


@case("an echo reply that nobody asked for is not delivered inside", "-")
def stray_reply(n):
    i = n.fresh()
    n.out(echo(n.a, n.far, i))
    n.wan.send(echo(n.far2, n.gw, i, reply=True), echo(n.far, n.gw, i + 7000, reply=True), echo(n.far, n.gw, i))
    n.lan.quiet()
    n.wan.all(0)


@case("an error about a hairpinned connection reaches the host that began it", "-")
def hairpin(n):
    p = n.fresh()
    sent = udp(n.b, n.gw, p, 8080, b"hello")
    n.lan.send(sent)
    seen = n.lan.see(what="the hairpinned datagram")
    kind, code = unreachable(n)
    n.lan.send(icmp(n.a, n.gw_lan, kind, code, 0, seen.raw))
    error = n.lan.see(what="the error")
    equal("from, to", (n.gw, n.b), (error.src, error.dst))
    same_quote(parse(sent), error.quote)


if __name__ == "__main__":
    run(both_families)
