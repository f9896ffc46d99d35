#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Fragments through the gateway: whatever the order, all of a datagram arrives, translated, or nothing of it."""
import random

from wire import *

DATA = bytes(range(256)) * 12  # 3072 bytes


def split(n, packet, size=1024, ident=None):
    make = fragments4 if n.v == 4 else fragments6
    return make(packet, size, ident or random.randrange(1, 1 << (16 if n.v == 4 else 32)))


def joined(packets):
    """The transport bytes of one datagram, whole or in fragments (the gateway may have put them together)."""
    parts = sorted(packets, key=lambda p: p.offset)
    check(parts, "nothing arrived")
    at = 0
    for p in parts:
        check(not p.faults, "damaged:", p)
        equal("offset in %s" % "; ".join(map(str, parts)), at, p.offset)
        at += len(p.segment)
    check(not parts[-1].more, "the last fragment is missing:", "; ".join(map(str, parts)))
    return b"".join(p.segment for p in parts)


def datagram(wire, wait=0.3):
    came = wire.all(wait)
    ids = {(p.src, p.ident) for p in came}
    check(len(ids) <= 1, "more than one datagram:", "; ".join(map(str, came)))
    segment = joined(came)
    src, dst = came[0].src, came[0].dst
    whole = parse(ip(src, dst, came[0].proto, segment))
    check(not whole.faults, "put together:", whole)
    return whole


def out_in_order(n, order, proto=UDP):
    """Send a fragmented packet from A in the given order; expect the whole of it outside, translated."""
    p = n.fresh()
    if proto == UDP:
        sent = udp(n.a, n.far, p, 53, DATA)
    elif proto == TCP:
        n.out(tcp(n.a, n.far, p, 443, SYN, seq=99))
        n.back(tcp(n.far, n.gw, 443, p, SYN | ACK, seq=499, ack=100))
        n.out(tcp(n.a, n.far, p, 443, ACK, seq=100, ack=500))
        sent = tcp(n.a, n.far, p, 443, ACK, seq=100, ack=500, data=DATA)
    else:
        sent = echo(n.a, n.far, p, 1, DATA)
    parts = split(n, sent)
    n.lan.send(*[parts[i % len(parts)] for i in order(len(parts))])
    seen = datagram(n.wan)
    equal("source", (n.gw, p), (seen.src, seen.sport))
    equal("transport bytes after the checksum", parse(sent).segment[8:][-len(DATA):], seen.segment[-len(DATA):])
    return seen


@case("fragments in order pass translated: UDP, TCP, echo")
def in_order(n):
    for proto in (UDP, TCP, ICMP):
        out_in_order(n, range, proto)


@case("fragments in reverse order pass translated")
def reverse(n):
    for proto in (UDP, TCP, ICMP):
        out_in_order(n, lambda k: reversed(range(k)), proto)


@case("the second fragment before the first: all of the datagram passes")
def swapped(n):
    out_in_order(n, lambda k: [1, 0] + list(range(2, k)))


@case("answers in fragments, in and out of order, reach the host")
def answers(n):
    for order in ((0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)):
        p = n.fresh()
        n.out(udp(n.a, n.far, p, 53))
        parts = split(n, udp(n.far, n.gw, 53, p, DATA))
        n.wan.send(*[parts[i] for i in order if i < len(parts)])
        seen = datagram(n.lan)
        equal("to", (n.a, p), (seen.dst, seen.dport))
        equal("payload", DATA, seen.data)


@case("fragments towards a forwarded port reach the server, in and out of order")
def forwarded_port(n):
    for order in ((0, 1, 2, 3), (3, 0, 1, 2)):
        p = n.fresh()
        parts = split(n, udp(n.far, n.gw, p, 8080, DATA))
        n.wan.send(*[parts[i] for i in order if i < len(parts)])
        seen = datagram(n.lan)
        equal("to", (n.a, 80), (seen.dst, seen.dport))
        equal("payload", DATA, seen.data)


@case("datagrams of two hosts with the same fragment id, interleaved, are not mixed up")
def interleaved(n):
    p, i = n.fresh(), 0x7777
    one = split(n, udp(n.a, n.far, p, 53, DATA), ident=i)
    two = split(n, udp(n.b, n.far2, p, 53, DATA[::-1]), ident=i)
    for x, y in zip(one, two):
        n.lan.send(x, y)
    came = n.wan.all(0.3)
    for dst, data in ((n.far, DATA), (n.far2, DATA[::-1])):
        segment = joined([c for c in came if c.dst == dst])
        whole = parse(ip(n.gw, dst, UDP, segment))
        check(not whole.faults, "put together:", whole)
        equal("payload", data, whole.data)


@case("without its first fragment nothing of a datagram passes")
def no_first(n):
    p = n.fresh()
    n.out(udp(n.a, n.far, p, 53))
    n.wan.send(*split(n, udp(n.far, n.gw, 53, p, DATA))[1:])
    n.lan.quiet()
    n.lan.send(*split(n, udp(n.a, n.far, p, 53, DATA))[1:])
    n.wan.quiet()


@case("no fragment passes towards a port that is not forwarded")
def closed_port(n):
    for order in ((0, 1, 2), (2, 1, 0)):
        parts = split(n, udp(n.far, n.gw, n.fresh(), 8081, DATA))
        n.wan.send(*[parts[i] for i in order])
        n.lan.quiet()
        parts = split(n, udp(n.far, n.a, n.fresh(), 81, DATA))
        n.wan.send(*[parts[i] for i in order])
        n.lan.quiet()
    n.wan.all(0.05)


def raw_fragment(n, src, dst, proto, part, offset, more, ident):
    if n.v == 4:
        return ip4(src, dst, proto, part, ident=ident & 0xFFFF, flags=1 if more else 0, offset=offset)
    return ip6(src, dst, FRAGMENT, fragment_header(proto, offset, more, ident) + part)


@case("tiny fragments that hide the ports or the flags in the second do not pass a drop policy (RFC 1858)")
def tiny(n):
    for cut in (8, 16):
        i = n.fresh()
        segment = tcp_segment(n.far, n.a, i, 81, SYN, seq=1, options=b"\x01" * 12)
        n.wan.send(raw_fragment(n, n.far, n.a, TCP, segment[:cut], 0, True, i),
                   raw_fragment(n, n.far, n.a, TCP, segment[cut:], cut, False, i))
        n.lan.quiet()
    i = n.fresh()
    good, evil = (tcp_segment(n.far, n.a, i, port, flags, seq=1) for port, flags in ((80, ACK), (81, SYN)))
    n.wan.send(raw_fragment(n, n.far, n.a, TCP, good[:16] + b"\0" * 8, 0, True, i),
               raw_fragment(n, n.far, n.a, TCP, evil[8:], 8, False, i))  # overlaps the flags (RFC 3128)
    for seen in n.lan.all():
        check(seen.offset == 0, "an overlapping fragment passed:", seen)


@case("a fragment that lies beyond the largest datagram passes nowhere")
def too_long(n):
    i, p = n.fresh(), n.fresh()
    first = udp_segment(n.far, n.gw, p, 8080, DATA[:1016], length=65535 - 20)
    n.wan.send(raw_fragment(n, n.far, n.gw, UDP, first, 0, True, i),
               raw_fragment(n, n.far, n.gw, UDP, DATA[:1024], 65528, False, i))
    for seen in n.lan.all():
        check(seen.offset == 0, "passed:", seen)


@case("thousands of fragments that are never completed do not stop others", only="gw")
def never_completed(n):
    for i in range(20000):
        n.wan.send(raw_fragment(n, n.far2, n.gw, UDP, DATA[:24], 1480, True, i))
    n.wan.all(0)
    out_in_order(n, range)


if __name__ == "__main__":
    run(both_families)
