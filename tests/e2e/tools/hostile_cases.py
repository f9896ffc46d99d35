#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Malformed and malicious packets: none crosses a drop policy, none leaves with a private source, the gateway lives."""
from wire import *

V4 = os.environ["FAMILY"] == "4"


def alive(n):
    """Both directions still work for honest packets, and nothing else came but what the gateway itself has to say."""
    p = n.fresh()
    n.wan.send(udp(n.far, n.gw, p, 8080, b"good"))
    came = [c for c in n.lan.all(0.1) if not (c.is_error and c.src in (n.gw, n.gw_lan))]
    check(len(came) == 1, "expected inside: only the good packet; came:", "; ".join(map(str, came[:4])))
    seen = came[0]
    equal("destination", (n.a, 80), (seen.dst, seen.dport))
    n.wan.all(0)  # errors that the gateway sent
    seen = n.out(udp(n.a, n.far, p, 53, b"good"))
    equal("port", p, seen.sport)


def nothing_crosses(n, packets, **kw):
    """From outside; nothing of it may come out inside."""
    n.wan.send(*packets, **kw)
    alive(n)
    n.settle()


def nothing_leaks(n, packets, **kw):
    """From inside; whatever comes out outside has the gateway's source."""
    n.lan.send(*packets, **kw)
    for seen in n.wan.all(0.1):
        equal("source of %s" % seen, n.gw, seen.src)
    n.lan.all(0)
    alive(n)


# ---- what may be wrong with an IPv4 header ------------------------------------------------------------------


def bad_headers4(src, dst, port):
    seg = tcp_segment(src, dst, 1234, port, SYN, seq=1)
    good = ip4(src, dst, TCP, seg)
    out = [ip4(src, dst, TCP, seg, ihl=words) for words in (0, 1, 2, 3, 4, 11, 15)]
    out += [ip4(src, dst, TCP, seg, version=v) for v in (0, 1, 3, 5, 6, 15)]
    out += [ip4(src, dst, TCP, seg, total=size) for size in (0, 1, 10, 19, 21, 41, 1000, 65535)]
    out += [good[:size] for size in (1, 2, 9, 16, 19, 20)]
    out += [ip4(src, dst, TCP, seg, check=value) for value in (0, 0x1234)]
    out += [ip4(src, dst, TCP, seg, ttl=0)]
    return out


def bad_transports(src, dst, port):
    """Short or contradictory transport headers."""
    t = tcp_segment(src, dst, 1234, port, SYN, seq=1)
    u = udp_segment(src, dst, 1234, port, b"data")
    out = [ip(src, dst, TCP, t[:size]) for size in (0, 1, 2, 4, 8, 13, 19)]
    out += [ip(src, dst, TCP, tcp_segment(src, dst, 1234, port, SYN, doff=words)) for words in (0, 1, 4, 6, 15)]
    out += [ip(src, dst, UDP, u[:size]) for size in (0, 1, 2, 4, 7)]
    out += [ip(src, dst, UDP, udp_segment(src, dst, 1234, port, b"data", length=size)) for size in (1, 7, 13, 65535)]
    kind = ICMP if V4 else ICMP6
    out += [ip(src, dst, kind, b"\x08\0\0\0\0\0\0\0"[:size]) for size in range(8)]
    return out


@case("damaged IPv4 headers do not cross a drop policy", when=V4)
def headers_in(n):
    nothing_crosses(n, bad_headers4(n.far, n.a, 81), ethertype=ETH_IP)
    nothing_crosses(n, bad_headers4(n.far, n.gw, 8081), ethertype=ETH_IP)


@case("damaged IPv4 headers from inside leave nothing untranslated", when=V4, only="gw")
def headers_out(n):
    nothing_leaks(n, bad_headers4(n.a, n.far, 443), ethertype=ETH_IP)


@case("damaged IPv4 headers towards an open port do not arrive", when=V4)
def headers_open(n):
    bad = [p for p in bad_headers4(n.far, n.gw, 8080) if p[:1] != b"\x45" or len(p) < 40]
    nothing_crosses(n, bad, ethertype=ETH_IP)


@case("short and contradictory transport headers do not cross a drop policy")
def transports_in(n):
    nothing_crosses(n, bad_transports(n.far, n.a, 81))
    nothing_crosses(n, bad_transports(n.far, n.gw, 8081))


@case("short and contradictory transport headers from inside leave nothing untranslated", only="gw")
def transports_out(n):
    nothing_leaks(n, bad_transports(n.a, n.far, 443))


@case("IP options do not bypass a drop policy, and leave nothing untranslated", when=V4)
def options(n):
    kinds = [b"\x01\x01\x01\x00", b"\x07\x07\x04\0\0\0\0\0", b"\x83\x07\x04" + addr(n.a) + b"\0", b"\x89\x07\x04" + addr(n.a) + b"\0",
             b"\x44\x0c\x05\0" + bytes(8), b"\x94\x04\0\0", b"\x07\xff\x04\0", b"\x07\x00\x00\x00", b"\x88\x04\0\0", b"\x01" * 40]
    for o in kinds:
        seg = tcp_segment(n.far, n.a, 99, 81, SYN)
        n.wan.send(ip4(n.far, n.a, TCP, seg, options=o), ip4(n.far, n.gw, TCP, seg, options=o))
    n.lan.quiet(0.1)
    n.wan.all(0)
    p = n.fresh()
    for o in kinds:
        n.lan.send(ip4(n.a, n.far, UDP, udp_segment(n.a, n.far, p, 53, b"x"), options=o))
    for seen in n.wan.all(0.15):
        equal("source of %s" % seen, n.gw, seen.src)
    n.lan.all(0)
    alive(n)


@case("sources and destinations that can not be on the wire do not cross")
def martians(n):
    if n.v == 4:
        sources = ["127.0.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", n.gw, n.gw_lan, "10.0.0.255", "240.0.0.1"]
        targets = ["127.0.0.1", "255.255.255.255", "0.0.0.0", "224.0.0.1", "203.0.113.255"]
    else:
        sources = ["::1", "::", "ff02::1", "ff0e::1", n.gw, n.gw_lan, "fe80::1", "::ffff:10.0.0.6"]
        targets = ["::1", "::", "ff02::1", "ff05::2", "fe80::5"]
    packets = [udp(s, n.a, 7, 81, b"spoofed") for s in sources] + [udp(n.far, t, 7, 8081, b"odd") for t in targets]
    packets += [udp(s, n.gw, 7, 8081, b"spoofed") for s in sources]
    nothing_crosses(n, packets)


@case("a spoofed loopback source does not reach an open port", "-")
def loopback_source(n):
    nothing_crosses(n, [udp("127.0.0.1" if n.v == 4 else "::1", n.a, 7, 80, b"spoofed")])


@case("the gateway's own addresses as a source from inside leave nothing untranslated", only="gw")
def own_source(n):
    sources = [n.gw_lan] + ([] if n.v == 4 else ["fd00:10::"])  # IPv6: the subnet's anycast address is the router's too
    packets = [ip(s, n.far, proto, bytes(40)) for s in sources for proto in (47, 50, 51, 4, 41, 132)]
    packets += [udp(s, n.far, port, 4500, bytes(20)) for s in sources for port in (4500, 4501, 500)]
    packets += [tcp(s, n.far, 7777, 443, SYN) for s in sources] + [echo(s, n.far, 9) for s in sources]
    nothing_leaks(n, packets)


@case("a host inside can not answer for the gateway", only=None if V4 else "gw")
def own_answers(n):
    for own in (n.gw, n.gw_lan):
        n.wan.send(udp(n.far, own, 5555, 7007), ip(n.far, own, 50, bytes(20)), echo(n.far, own, 77))
        n.wan.all(0.05)  # what the gateway itself answers
        n.lan.send(udp(own, n.far, 7007, 5555, b"not from the gateway"), ip(own, n.far, 50, b"not from the gateway"),
                   echo(own, n.far, 77, reply=True, data=b"not from the gateway"))
        n.wan.quiet(0.1)


@case("a neighbour outside who routes into the LAN meets the policy")
def routed_in(n):
    packets = [udp(n.far, n.a, 7, 81), tcp(n.far, n.b, 7, 80, SYN), echo(n.far, n.a, 1), ip(n.far, n.a, 47, bytes(8)),
               tcp(n.far, n.a, 7, 81, SYN | ACK), tcp(n.far, n.a, 7, 81, ACK), tcp(n.far, n.a, 7, 81, RST)]
    nothing_crosses(n, packets)


@case("packets for other machines are not forwarded")
def other_host(n):
    p = n.fresh()
    n.wan.send(udp(n.far, n.gw, p, 8080, b"x"), dst=b"\x02\0\0\0\0\x99")
    n.lan.send(udp(n.a, n.far, p, 53, b"x"), dst=b"\x02\0\0\0\0\x99")
    n.lan.quiet(0.1)
    n.wan.quiet(0.02)
    alive(n)


# ---- IPv6 extension headers ---------------------------------------------------------------------------------


def chain(kinds, last, payload):
    """Extension headers of 8 bytes, padded with PadN; kinds[0] is named in the IPv6 header by the caller."""
    out = b""
    for i, kind in enumerate(kinds):
        following = kinds[i + 1] if i + 1 < len(kinds) else last
        out += bytes([following, 0]) + (b"\x01\x04\0\0\0\0" if kind != 43 else b"\0\0\0\0\0\0")
    return out + payload


def chains(n, dst, port):
    seg = tcp_segment(n.far, dst, 1234, port, SYN, seq=1)
    out = []
    for kinds in ([0], [60], [0, 60], [43], [0, 43, 60], [60] * 5, [60] * 9, [60] * 20, [60] * 100, [0] * 3, [60, 0], [51], [135], [139], [140], [253]):
        out.append(ip6(n.far, dst, kinds[0], chain(kinds, TCP, seg)))
    out.append(ip6(n.far, dst, 60, bytes([TCP, 160]) + bytes(160 * 8 + 6) + seg))  # one header of 1288 bytes
    out.append(ip6(n.far, dst, 60, bytes([TCP, 255]) + bytes(6) + seg))  # longer than the packet
    out += [ip6(n.far, dst, 60, bytes([60, 0, 1, 4, 0, 0, 0, 0])[:size]) for size in (0, 1, 2, 7)]
    out.append(ip6(n.far, dst, 59, seg))
    out.append(ip6(n.far, dst, FRAGMENT, fragment_header(FRAGMENT, 0, False, 1) + fragment_header(TCP, 0, False, 2) + seg))
    out.append(ip6(n.far, dst, 60, chain([60], FRAGMENT, fragment_header(TCP, 0, True, 3) + seg[:8])))
    out.append(ip6(n.far, dst, FRAGMENT, fragment_header(60, 0, True, 4) + bytes([TCP, 10]) + bytes(6)))
    out.append(ip6(n.far, dst, FRAGMENT, fragment_header(60, 8, False, 4) + seg))
    return out


@case("extension header chains, however long, do not cross a drop policy", when=not V4)
def exthdrs_in(n):
    nothing_crosses(n, chains(n, n.a, 81))
    nothing_crosses(n, chains(n, n.gw, 8081))


@case("extension header chains from inside leave nothing untranslated", when=not V4, only="gw")
def exthdrs_out(n):
    flipped = [p[:8] + addr(n.a) + addr(n.far) + p[40:] for p in chains(n, n.far, 443)]
    nothing_leaks(n, flipped)


@case("damaged IPv6 headers do not cross a drop policy", when=not V4)
def headers6(n):
    seg = tcp_segment(n.far, n.a, 1234, 81, SYN)
    good = ip6(n.far, n.a, TCP, seg)
    packets = [ip6(n.far, n.a, TCP, seg, version=v) for v in (0, 4, 5, 7, 15)]
    packets += [ip6(n.far, n.a, TCP, seg, length=size) for size in (0, 1, 19, 21, 1000, 65535)]
    packets += [good[:size] for size in (1, 7, 20, 39, 40, 41)] + [ip6(n.far, n.a, TCP, seg, hops=0)]
    nothing_crosses(n, packets, ethertype=ETH_IP6)


@case("a jumbogram option and a router alert do not bypass the policy", when=not V4)
def hop_by_hop(n):
    seg = tcp_segment(n.far, n.a, 1234, 81, SYN)
    jumbo = bytes([TCP, 0, 0xC2, 4]) + struct.pack("!I", 70000)
    alert = bytes([TCP, 0, 5, 2, 0, 0, 1, 0])
    nothing_crosses(n, [ip6(n.far, n.a, 0, jumbo + seg, length=0), ip6(n.far, n.a, 0, alert + seg), ip6(n.far, n.a, 0, jumbo + seg)])


# ---- TCP ----------------------------------------------------------------------------------------------------


def connection(n):
    """Open a TCP connection from inside; its port, and the next sequence numbers of both sides."""
    p = n.fresh()
    n.out(tcp(n.a, n.far, p, 443, SYN, seq=1000, options=b"\x02\x04\x05\xb4"))
    n.back(tcp(n.far, n.gw, 443, p, SYN | ACK, seq=5000, ack=1001, options=b"\x02\x04\x05\xb4", window=8192))
    n.out(tcp(n.a, n.far, p, 443, ACK, seq=1001, ack=5001, window=8192))
    return p


def talks(n, p):
    seen = n.out(tcp(n.a, n.far, p, 443, ACK | PSH, seq=1001, ack=5001, data=b"ping", window=8192))
    equal("port of %s" % seen, p, seen.sport)
    seen = n.back(tcp(n.far, n.gw, 443, p, ACK, seq=5001, ack=1005, window=8192))
    equal("to", (n.a, p), (seen.dst, seen.dport))


@case("resets off the path do not end a connection and are not delivered")
def blind_reset(n):
    p = connection(n)
    for i in range(200):
        n.wan.send(tcp(n.far, n.gw, 443, p, RST, seq=(i * 21474836 + 1000000) & 0xFFFFFFFF))
    n.lan.quiet(0.1)
    talks(n, p)


@case("a reset inside the window that is not exact does not end a connection")
def inexact_reset(n):
    p = connection(n)
    n.wan.send(*[tcp(n.far, n.gw, 443, p, RST, seq=5001 + i * 97) for i in range(1, 40)])
    n.lan.all(0.1)  # it may be delivered: the host answers with a challenge
    talks(n, p)


@case("a reset to a SYN must acknowledge it")
def reset_to_syn(n):
    p = n.fresh()
    n.out(tcp(n.a, n.far, p, 443, SYN, seq=1000))
    n.wan.send(tcp(n.far, n.gw, 443, p, RST | ACK, seq=0, ack=77777))
    n.lan.all(0.1)
    seen = n.back(tcp(n.far, n.gw, 443, p, SYN | ACK, seq=5000, ack=1001))
    equal("to", (n.a, p), (seen.dst, seen.dport))


@case("an exact reset is delivered and the port can be used again at once")
def exact_reset(n):
    p = connection(n)
    seen = n.back(tcp(n.far, n.gw, 443, p, RST, seq=5001))
    equal("flags", RST, seen.flags)
    n.out(tcp(n.a, n.far, p, 443, SYN, seq=900000))
    seen = n.back(tcp(n.far, n.gw, 443, p, SYN | ACK, seq=70000, ack=900001))
    equal("to", (n.a, p), (seen.dst, seen.dport))


@case("impossible flags open nothing and leave nothing untranslated", only="gw")
def impossible_flags(n):
    p = connection(n)
    flags = [0, SYN | FIN, SYN | RST, FIN, FIN | RST, URG, FIN | PSH | URG, 0x3F, SYN | FIN | RST | PSH | ACK | URG]
    nothing_leaks(n, [tcp(n.a, n.far2, 4444, 443, f, seq=5) for f in flags])
    n.wan.send(*[tcp(n.far, n.gw, 443, p, f, seq=5001, ack=1001) for f in flags if f & SYN or not f])
    n.lan.all(0.1)
    n.wan.all(0)
    talks(n, p)


@case("an outsider who guesses the reply's ports but not the address gets nothing in")
def hijack(n):
    p = connection(n)
    packets = [tcp(n.far2, n.gw, 443, p, ACK, seq=5001, ack=1001, data=b"evil"), tcp(n.far, n.gw, 444, p, ACK, seq=5001, ack=1001),
               tcp(n.far2, n.gw, 443, p, SYN), tcp(n.far, n.gw, 443, p + 999, SYN | ACK, ack=1001)]
    nothing_crosses(n, packets)
    talks(n, p)


if __name__ == "__main__":
    run(both_families)
