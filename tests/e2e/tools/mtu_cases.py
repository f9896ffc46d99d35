#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Packets too big for the gateway's other interface: SIDE says which one has an MTU of 1400."""
from wire import *

SMALL = os.environ["SIDE"]
BIG = bytes(1420)


def df(n):
    return {"flags": 2, "ident": 99} if n.v == 4 else {}


def too_big(error, n):
    equal("type, code, MTU", (3, 4, 1400) if n.v == 4 else (2, 0, 1400), (error.kind, error.code, error.rest))


def quotes(error, sent):
    sent = parse(sent)
    q = error.quote
    check(not q.faults, "quote:", q.faults)
    equal("quote", (sent.src, sent.sport, sent.dst, sent.dport), (q.src, q.sport, q.dst, q.dport))
    equal("quoted UDP header", sent.segment[:8], q.segment[:8])


@case("too big for the LAN: the sender outside is told in its own words, an answer to a masqueraded host", when=SMALL == "lan")
def answer_too_big(n):
    p = n.fresh()
    n.out(udp(n.a, n.far, p, 53))
    sent = udp(n.far, n.gw, 53, p, BIG, **df(n))
    n.wan.send(sent)
    error = n.wan.see(what="too big")
    too_big(error, n)
    equal("from, to", (n.gw, n.far), (error.src, error.dst))
    quotes(error, sent)
    n.lan.quiet(0.05)
    equal("a small one passes", (n.a, p), (lambda s: (s.dst, s.dport))(n.back(udp(n.far, n.gw, 53, p, b"x"))))


@case("too big for the LAN: the sender outside is told in its own words, a forwarded port", when=SMALL == "lan")
def forwarded_too_big(n):
    for first in (True, False):  # the packet that creates the connection, and one of an established one
        p = n.fresh()
        if not first:
            n.back(udp(n.far, n.gw, p, 8080, b"x"))
        sent = udp(n.far, n.gw, p, 8080, BIG, **df(n))
        n.wan.send(sent)
        error = n.wan.see(what="too big")
        too_big(error, n)
        equal("from, to", (n.gw, n.far), (error.src, error.dst))
        quotes(error, sent)
        n.lan.quiet(0.05)


@case("too big for the WAN: the host inside is told about its own packet", when=SMALL == "wan")
def request_too_big(n):
    p = n.fresh()
    for _ in range(2):
        sent = udp(n.a, n.far, p, 53, BIG, **df(n))
        n.lan.send(sent)
        error = n.lan.see(what="too big")
        too_big(error, n)
        equal("from, to", (n.gw_lan, n.a), (error.src, error.dst))
        quotes(error, sent)
        n.wan.quiet(0.05)
        equal("a small one passes", p, n.out(udp(n.a, n.far, p, 53, b"x")).sport)


@case("without DF a packet that is too big passes in translated fragments", when=os.environ["FAMILY"] == "4")
def fragmented(n):
    p = n.fresh()
    if SMALL == "wan":
        n.lan.send(udp(n.a, n.far, p, 53, BIG, ident=77))
        wire, want = n.wan, (n.gw, p, n.far, 53)
    else:
        n.wan.send(udp(n.far, n.gw, p, 8080, BIG, ident=77))
        wire, want = n.lan, (n.far, p, n.a, 80)
    came = sorted(wire.all(0.3), key=lambda c: c.offset)
    check(len(came) >= 2 and all(c.length <= 1400 for c in came), "fragments:", "; ".join(map(str, came)))
    whole = parse(ip(came[0].src, came[0].dst, UDP, b"".join(c.segment for c in came)))
    check(not whole.faults, "put together:", whole)
    equal("addresses and ports", want, (whole.src, whole.sport, whole.dst, whole.dport))


if __name__ == "__main__":
    run(both_families)
