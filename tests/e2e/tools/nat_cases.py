#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Translation of single packets: what changes, and what does not."""
from wire import *


@case("a datagram leaves with the gateway's address, its port kept and its TTL one less", "S29,S30")
def snat_udp(n):
    p = n.fresh()
    seen = n.out(udp(n.a, n.far, p, 53, b"question"))
    equal("ports", (p, 53), (seen.sport, seen.dport))
    equal("TTL", 63, seen.ttl)
    equal("payload", b"question", seen.data)
    answer = n.back(udp(n.far, n.gw, 53, p, b"answer"))
    equal("answer", (n.far, 53, n.a, p, 63), (answer.src, answer.sport, answer.dst, answer.dport, answer.ttl))


@case("DSCP, ECN and the rest of the header are kept", "-")
def header_kept(n):
    p = n.fresh()
    for mark in (0xB8, 0x03, 0xFF):
        extra = {"tos": mark, "ident": 4711, "flags": 2} if n.v == 4 else {"tclass": mark, "flow": 0x12345}
        seen = n.out(udp(n.a, n.far, p, 53, b"q", **extra))
        equal("DSCP and ECN", mark, seen.tos)
        if n.v == 4:
            equal("id, DF", (4711, True), (seen.ident, seen.df))
        else:
            equal("flow label", 0x12345, seen.flow)
        extra = {"tos": mark} if n.v == 4 else {"tclass": mark}
        equal("DSCP of the answer", mark, n.back(udp(n.far, n.gw, 53, p, b"a", **extra)).tos)


@case("two hosts with the same source port both get their own answers", "S110")
def same_port(n):
    p = n.fresh()
    for make, proto in ((udp, UDP), (lambda *a: tcp(*a, SYN, seq=100), TCP)):
        one = n.out(make(n.a, n.far, p, 53))
        two = n.out(make(n.b, n.far, p, 53))
        equal("the first keeps its port", p, one.sport)
        check(two.sport != p, "both left from port", p)
        reply = (lambda *a: udp(*a)) if proto == UDP else (lambda *a: tcp(*a, SYN | ACK, seq=5, ack=101))
        equal("first answer", (n.a, p), (lambda q: (q.dst, q.dport))(n.back(reply(n.far, n.gw, 53, one.sport))))
        equal("second answer", (n.b, p), (lambda q: (q.dst, q.dport))(n.back(reply(n.far, n.gw, 53, two.sport))))


@case("two hosts with the same echo id both get their own answers", "-")
def same_echo_id(n):
    i = n.fresh()
    one = n.out(echo(n.a, n.far, i, 1))
    two = n.out(echo(n.b, n.far, i, 1))
    check(one.sport != two.sport, "both left with id", one.sport)
    for host, seen in ((n.b, two), (n.a, one)):
        answer = n.back(echo(n.far, n.gw, seen.sport, 1, reply=True))
        equal("answer", (host, i), (answer.dst, answer.sport))
    again = n.out(echo(n.b, n.far, i, 2))
    equal("the id of the second host stays", two.sport, again.sport)


@case("a zero UDP checksum stays zero, and a damaged one is not repaired", "-")
def udp_checksums(n):
    if n.v == 4:
        p = n.fresh()
        seg = udp_segment(n.a, n.far, p, 53, b"zero", check=0)
        equal("checksum", 0, n.out(ip(n.a, n.far, UDP, seg)).sum)
    p = n.fresh()
    n.out(udp(n.a, n.far, p, 53, b"good"))
    good = udp_segment(n.a, n.far, p, 53, b"damaged")
    value = struct.unpack("!H", good[6:8])[0]
    n.lan.send(ip(n.a, n.far, UDP, udp_segment(n.a, n.far, p, 53, b"damaged", check=value ^ 0x0101)))
    for seen in n.wan.all():
        check("UDP checksum" in seen.faults, "repaired:", seen)


@case("a computed UDP checksum of zero is sent as ffff", "-")
def udp_ffff(n):
    p = n.fresh()
    base = udp_segment(n.gw, n.far, p, 53, b"\0\0")
    fix = struct.unpack("!H", base[6:8])[0]
    data = struct.pack("!H", fix if fix != 0xFFFF else 0)  # now the translated sum is 0 before it is mapped to ffff
    equal("test data", 0xFFFF, struct.unpack("!H", udp_segment(n.gw, n.far, p, 53, data)[6:8])[0])
    equal("checksum", 0xFFFF, n.out(udp(n.a, n.far, p, 53, data)).sum)


@case("a forwarded port reaches the server and its answers come from the public address", "S40,S41,S45,S46")
def dnat(n):
    for make, proto in ((udp, UDP), (lambda *a, **k: tcp(*a, SYN, seq=7), TCP)):
        p = n.fresh()
        seen = n.back(make(n.far, n.gw, p, 8080))
        equal("towards the server", (n.far, p, n.a, 80), (seen.src, seen.sport, seen.dst, seen.dport))
        reply = udp(n.a, n.far, 80, p) if proto == UDP else tcp(n.a, n.far, 80, p, SYN | ACK, seq=9, ack=8)
        out = n.out(reply)
        equal("answer", (8080, p), (out.sport, out.dport))


@case("hairpin: a LAN host reaches the forwarded UDP port by the public address, and the answer comes from there", "S109,S112")
def hairpin_udp(n):
    p = n.fresh()
    n.lan.send(udp(n.b, n.gw, p, 8080, b"hello"))
    seen = n.lan.see(what="the hairpinned datagram")
    equal("towards the server", (n.gw_lan, n.a, 80), (seen.src, seen.dst, seen.dport))
    n.lan.send(udp(n.a, n.gw_lan, 80, seen.sport, b"answer"))
    back = n.lan.see(what="the hairpinned answer")
    equal("answer", (n.gw, 8080, n.b, p), (back.src, back.sport, back.dst, back.dport))
    n.wan.quiet(0.02)


@case("hairpin to oneself works", "-")
def hairpin_self(n):
    p = n.fresh()
    n.lan.send(udp(n.a, n.gw, p, 8080, b"hello"))
    seen = n.lan.see(what="the hairpinned datagram")
    equal("towards the server", (n.gw_lan, n.a, 80), (seen.src, seen.dst, seen.dport))
    n.lan.send(udp(n.a, n.gw_lan, 80, seen.sport, b"answer"))
    back = n.lan.see(what="the hairpinned answer")
    equal("answer", (n.gw, 8080, n.a, p), (back.src, back.sport, back.dst, back.dport))


@case("a TTL of 1 is answered with time exceeded and not forwarded", "-")
def ttl_one(n):
    hop = {"ttl": 1} if n.v == 4 else {"hops": 1}
    p = n.fresh()
    n.lan.send(udp(n.a, n.far, p, 53, b"x", **hop))
    error = n.lan.see(what="time exceeded")
    equal("type, code", (11, 0) if n.v == 4 else (3, 0), (error.kind, error.code))
    equal("from, quoted source", (n.gw_lan, n.a, p), (error.src, error.quote.src, error.quote.sport))
    n.wan.quiet(0.05)
    n.wan.send(udp(n.far, n.gw, p, 8080, b"x", **hop))
    error = n.wan.see(what="time exceeded")
    equal("type, quoted destination", (11 if n.v == 4 else 3, n.gw, 8080), (error.kind, error.quote.dst, error.quote.dport))
    n.lan.quiet(0.05)


@case("an unrelated datagram from outside opens nothing", "-")
def unsolicited(n):
    p = n.fresh()
    n.out(udp(n.a, n.far, p, 53))
    n.wan.send(udp(n.far2, n.gw, 53, p), udp(n.far, n.gw, 54, p), udp(n.far, n.a, 53, p), tcp(n.far, n.gw, 53, p, ACK))
    n.lan.quiet()
    n.wan.all(0)


@case("protocols without ports are translated by addresses", "-")
def portless(n):
    seen = n.out(ip(n.a, n.far, 47, b"\0\0\x08\0payload!"))
    equal("payload", b"\0\0\x08\0payload!", seen.segment)
    answer = n.back(ip(n.far, n.gw, 47, b"\0\0\x08\0answer.."))
    equal("answer", (n.far, n.a), (answer.src, answer.dst))


@case("a late segment of an unknown connection never leaves with the private source", "-", only="gw")
def stray_segments(n):
    p = n.fresh()
    for flags in (RST, FIN | ACK, SYN | ACK, 0, SYN | FIN, 0x3F):
        n.lan.send(tcp(n.a, n.far2, p, 443, flags, seq=1, ack=1))
    for seen in n.wan.all():
        equal("source of %s" % seen, n.gw, seen.src)


if __name__ == "__main__":
    run(both_families)
