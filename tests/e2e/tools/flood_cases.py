#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Floods of connections that nobody finishes, with a table much smaller than the flood: established ones live on."""
import random

from wire import *

FLOWS = int(os.environ.get("FLOWS", "1024"))
FLOOD = int(os.environ.get("FLOOD", "200000"))


class Template:
    """A TCP SYN of which only addresses and ports change; the checksum follows by difference."""

    def __init__(self, wire, src, dst, dport):
        packet = tcp(src, dst, 0, dport, SYN, seq=1, options=b"\x02\x04\x05\xb4")
        self.six = packet[0] >> 4 == 6
        self.frame = bytearray(wire.head + wire.mac + struct.pack("!H", ETH_IP6 if self.six else ETH_IP) + packet)
        self.l4 = 14 + (40 if self.six else 20)

    def fill(self, at, value, l4_only=False):
        """Put a 16-bit value at an even offset and mend the sums that cover it."""
        f = self.frame
        old = f[at] << 8 | f[at + 1]
        f[at], f[at + 1] = value >> 8, value & 255
        places = [self.l4 + 16] if self.six or l4_only else [24, self.l4 + 16]
        for c in places:
            total = (~(f[c] << 8 | f[c + 1]) & 0xFFFF) + (~old & 0xFFFF) + value
            total = (total & 0xFFFF) + (total >> 16)
            total = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
            f[c], f[c + 1] = total >> 8, total & 255


def flood(wire, template, places, count, seed):
    """Send `count` frames with random values in `places`; frames a second."""
    draw, send = random.Random(seed), wire.sock.send
    started = time.monotonic()
    for i in range(count):
        for at in places:
            template.fill(at, draw.randrange(1, 65535))
        template.fill(template.l4, 1024 + i % 60000, l4_only=True)
        send(template.frame)
        if not i % 500:
            drain(wire)
    return count / (time.monotonic() - started)


def drain(wire):
    while select.select([wire.sock], [], [], 0)[0]:
        wire.sock.recv(64)


def establish(n, count):
    """Connections from inside, each with its third packet and data in both directions; their ports."""
    ports = [30000 + i for i in range(count)]
    for p in ports:
        n.lan.send(tcp(n.a, n.far, p, 443, SYN, seq=1000, options=b"\x02\x04\x05\xb4"))
        n.wan.send(tcp(n.far, n.gw, 443, p, SYN | ACK, seq=5000, ack=1001, options=b"\x02\x04\x05\xb4", window=8192))
        n.lan.send(tcp(n.a, n.far, p, 443, ACK, seq=1001, ack=5001, window=8192))
        n.lan.send(tcp(n.a, n.far, p, 443, ACK | PSH, seq=1001, ack=5001, window=8192, data=b"ping"))
        n.wan.send(tcp(n.far, n.gw, 443, p, ACK | PSH, seq=5001, ack=1005, window=8192, data=b"pong"))
    drain(n.wan)
    drain(n.lan)
    return ports


def survivors(n, ports, seq):
    """How many of the connections still carry data in both directions under their own tuples."""
    inward, outward = set(), set()
    for at in range(0, len(ports), 64):
        part = ports[at:at + 64]
        n.wan.send(*[tcp(n.far, n.gw, 443, p, ACK | PSH, seq=5005, ack=1005, window=8192, data=b"%04d" % seq) for p in part])
        inward |= {q.dport for q in n.lan.all(0.05) if q.src == n.far and q.dst == n.a and q.sport == 443}
        n.lan.send(*[tcp(n.a, n.far, p, 443, ACK, seq=1005, ack=5009, window=8192) for p in part])
        outward |= {q.sport for q in n.wan.all(0.05) if q.src == n.gw and q.dst == n.far and q.dport == 443}
    return len(inward & set(ports)), len(outward & set(ports))


def check_survivors(n, ports, seq):
    equal("established connections that carry data (in, out)", (len(ports), len(ports)), survivors(n, ports, seq))


@case("established connections survive a flood at a forwarded port")
def from_outside(n):
    ports = establish(n, FLOWS)
    check_survivors(n, ports, 1)
    template = Template(n.wan, "198.18.0.1" if n.v == 4 else "2001:db8:5::1", n.gw, 8080)
    rate = flood(n.wan, template, (26, 28) if n.v == 4 else (34, 36), FLOOD, 1)
    print("# %d SYN from outside, %d a second" % (FLOOD, rate), file=sys.stderr)
    n.settle()
    check_survivors(n, ports, 2)


@case("established connections survive a flood from inside, and none of it leaves untranslated")
def from_inside(n):
    ports = [30000 + i for i in range(FLOWS)]
    template = Template(n.lan, n.b, "198.18.0.1" if n.v == 4 else "2001:db8:5::1", 80)
    rate = flood(n.lan, template, (30, 32) if n.v == 4 else (50, 52), FLOOD, 2)
    print("# %d SYN from inside, %d a second" % (FLOOD, rate), file=sys.stderr)
    n.settle()
    check_survivors(n, ports, 3)


@case("after the floods new connections are served")
def newcomers(n):
    for _ in range(20):
        p = n.fresh()
        n.out(tcp(n.a, n.far, p, 443, SYN, seq=1))
        seen = n.back(tcp(n.far, n.gw, 443, p, SYN | ACK, seq=9, ack=2))
        equal("to", (n.a, p), (seen.dst, seen.dport))


if __name__ == "__main__":
    run(both_families)
