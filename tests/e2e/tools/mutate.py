#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Mutated packets in both directions: nothing leaks, nothing crosses the policy, the gateway lives.

COUNT packets per direction, SEED makes a run repeatable.  After each batch an honest exchange must work.
"""
import random

from wire import *

COUNT = int(os.environ.get("COUNT", "10000"))
SEED = int(os.environ.get("SEED", "1"))
BATCH = 250


def parents(n, src, dst):
    """Well-formed packets of every kind, to be damaged."""
    out = [
        udp(src, dst, 20001, 53, b"question"), udp(src, dst, 20002, 8080, bytes(700)), tcp(src, dst, 20003, 443, SYN, seq=1),
        tcp(src, dst, 20003, 443, ACK, seq=2, ack=2, data=b"data"), tcp(src, dst, 20004, 8080, SYN, options=b"\x02\x04\x05\xb4\x01\x03\x03\x07"),
        echo(src, dst, 77), echo(src, dst, 78, reply=True), ip(src, dst, 47, bytes(24)), ip(src, dst, 132, bytes(24)), ip(src, dst, 50, bytes(40)),
    ]
    inner = [udp(dst, src, 53, 20001, b"answer"), tcp(dst, src, 443, 20003, ACK), echo(dst, src, 77)]
    for quoted in inner:
        for kind, code in ((3, 3), (3, 4), (11, 0), (12, 0), (5, 0)) if n.v == 4 else ((1, 4), (2, 0), (3, 0), (4, 0), (137, 0)):
            out.append(icmp(src, dst, kind, code, 1400, quoted))
    for part in (fragments4(udp(src, dst, 20005, 53, bytes(600)), 200, 9) if n.v == 4 else fragments6(udp(src, dst, 20005, 53, bytes(600)), 200, 9)):
        out.append(part)
    if n.v == 4:
        out += [ip4(src, dst, UDP, udp_segment(src, dst, 20006, 53), options=o) for o in (b"\x01\x01\x01\0", b"\x07\x07\x04\0\0\0\0\0", b"\x83\x07\x04\x0a\0\0\x01\0")]
    else:
        for head in (0, 43, 60):
            out.append(ip6(src, dst, head, bytes([UDP, 0, 1, 4, 0, 0, 0, 0]) + udp_segment(src, dst, 20006, 53)))
    return out


def mutate(draw, parent, others):
    p = bytearray(parent)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
        how = draw.randrange(7)
        if not p:
            break
        at = draw.randrange(min(len(p), draw.choice((8, 40, 80, 2000))))
        if how == 0:
            p[at] ^= 1 << draw.randrange(8)
        elif how == 1:
            p[at] = draw.choice((0, 1, 4, 5, 15, 0x45, 0x4F, 0x60, 127, 128, 254, 255))
        elif how == 2:
            del p[at:]
        elif how == 3:
            del p[at:at + draw.choice((1, 2, 4, 8))]
        elif how == 4:
            p[at:at] = draw.randbytes(draw.choice((1, 2, 4, 8, 40)))
        elif how == 5:
            other = draw.choice(others)
            p[at:] = other[min(at, len(other)):]
        else:
            p[at:at + 2] = struct.pack("!H", draw.choice((0, 1, 7, 8, 20, 40, 1500, 0x2000, 0x3FFF, 65535)))
    return bytes(p[:1500])


def mend(draw, p):
    """Half of the damaged IPv4 packets get a right header checksum, or the stack would stop at it."""
    size = (p[0] & 15) * 4 if p else 0
    if not p or p[0] >> 4 != 4 or len(p) < size or size < 20 or draw.random() < 0.5:
        return p
    head = p[:10] + b"\0\0" + p[12:size]
    return p[:10] + struct.pack("!H", csum(head)) + p[12:]


def private(n, packed):
    """The LAN's own prefix, which the masquerade rule names; a mutated source elsewhere is not its business."""
    return packed[:3] == addr(n.a)[:3] if n.v == 4 else packed[:8] == addr(n.a)[:8]


def judge_outside(n, frames):
    for seen in frames:
        if seen.is_error and seen.src == n.gw_lan:
            continue  # the gateway's own word to a mutated source that no rule translates
        check(not private(n, addr(seen.src)), "left with a private source:", seen)


def judge_inside(n, frames):
    """Inside may come what goes to the forwarded port, errors about it, and what the gateway itself has to say."""
    for seen in frames:
        if seen.src not in (n.gw, n.gw_lan) and not seen.dst.startswith("ff02:"):
            check(seen.dst == n.a and (seen.dport == 80 or seen.offset or seen.is_error), "crossed the policy:", seen)


def honest(n):
    for _ in range(3):
        n.lan.all(0.02)
        n.wan.all(0.02)
    p = n.fresh()
    n.lan.send(udp(n.a, n.far, p, 53, b"honest"))
    seen = [s for s in n.wan.all(0.05) if s.dport == 53 and s.data == b"honest"]
    check(len(seen) == 1 and seen[0].src == n.gw, "the gateway does not serve any more:", "; ".join(map(str, seen)))
    n.wan.send(udp(n.far, n.gw, 53, seen[0].sport, b"answer"))
    back = [s for s in n.lan.all(0.05) if s.data == b"answer" and s.dst == n.a and s.dport == p]
    check(len(back) == 1, "an answer did not come back")


def collect(wire, wait):
    """Frames as they are, however damaged."""
    out = []
    while select.select([wire.sock], [], [], wait)[0]:
        frame, sender = wire.sock.recvfrom(65600)
        if sender[2] != socket.PACKET_OUTGOING and sender[1] in (ETH_IP, ETH_IP6):
            out.append(frame[14:])
    return out


def parsed(n, raws):
    out = []
    for raw in raws:
        if len(raw) >= (20 if raw[:1] and raw[0] >> 4 == 4 else 40):
            try:
                out.append(parse(raw))
            except (struct.error, ValueError, IndexError):
                pass
    return out


def batch(n, draw, sender, packets, judged, judge):
    sent = [mend(draw, mutate(draw, draw.choice(packets), packets)) for _ in range(BATCH)]
    for s in sent:
        if s:
            sender.send(s, ethertype=ETH_IP if n.v == 4 else ETH_IP6)
    judge(n, parsed(n, collect(judged, 0.01)))
    collect(sender, 0)


# First, while no connection from inside exists that would let answers in.
@case("mutated packets from outside do not cross the policy")
def from_outside(n):
    draw = random.Random(SEED + 1)
    packets = parents(n, n.far, n.gw) + parents(n, n.far, n.a)
    for _ in range(COUNT // BATCH):
        batch(n, draw, n.wan, packets, n.lan, judge_inside)
    honest(n)


@case("mutated packets from inside never leave with a private source", only="gw")
def from_inside(n):
    draw, packets = random.Random(SEED), parents(n, n.a, n.far)
    for _ in range(COUNT // BATCH):
        batch(n, draw, n.lan, packets, n.wan, judge_outside)
    honest(n)


if __name__ == "__main__":
    run(both_families)
