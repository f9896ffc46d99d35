#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Packets of a script through the gateway of net.sh, and what comes out of both of its wires.

Each line of stdin is `WIRE EXPRESSION` with the builders of wire.py: `lan udp(a, far, 1000, 53, ttl=3)`; an expression may be
a list of packets.  What was sent and what came is printed, one packet a line.  An ARP request behind each packet is answered when the
gateway is done with it: a packet that was dropped needs no time to be waited for.
"""
from wire import *

ARP = 0x0806
NAMES = {"a": "10.0.0.5", "b": "10.0.0.6", "gwl": "10.0.0.1", "gw": "203.0.113.1", "far": "203.0.113.9", "hop": "203.0.113.254",
         "a6": "fd00:10::5", "b6": "fd00:10::6", "gwl6": "fd00:10::1", "gw6": "2001:db8:1::1", "far6": "2001:db8:1::9"}
ASK = {"lan": ("10.0.0.250", "10.0.0.1"), "wan": ("203.0.113.250", "203.0.113.1")}


def arp_request(wire, src, dst):
    body = struct.pack("!HHBBH", 1, ETH_IP, 6, 4, 1) + wire.mac + addr(src) + bytes(6) + addr(dst)
    wire.sock.send(b"\xff" * 6 + wire.mac + struct.pack("!H", ARP) + body)


def until_answer(wire, seen):
    """Collect IP packets until the ARP answer has come."""
    deadline = time.monotonic() + 5
    while select.select([wire.sock], [], [], max(0, deadline - time.monotonic()))[0]:
        frame, sender = wire.sock.recvfrom(65600)
        if sender[2] == socket.PACKET_OUTGOING:
            continue
        if sender[1] == ARP and frame[20:22] == b"\0\2":
            return
        note(wire, frame, sender, seen)
    raise Failure("%s: the gateway does not answer ARP" % wire.name)


def drain(wire, seen):
    while select.select([wire.sock], [], [], 0)[0]:
        frame, sender = wire.sock.recvfrom(65600)
        if sender[2] != socket.PACKET_OUTGOING:
            note(wire, frame, sender, seen)


def note(wire, frame, sender, seen):
    if sender[1] not in (ETH_IP, ETH_IP6):
        return
    packet = parse(frame[14:])
    if packet.v == 6 and (packet.dst.startswith("ff0") or packet.proto == ICMP6 and 130 <= (packet.kind or 0) <= 143):
        return  # the link's own talk
    seen.append("  %s < %s" % (wire.label, show(packet)))


def show(packet):
    out = str(packet)
    if packet.proto == TCP and packet.offset == 0 and getattr(packet, "options", b"")[:2] == b"\2\4":
        out += " mss %d" % struct.unpack("!H", packet.options[2:4])
    return out


def mss(value):
    return struct.pack("!BBH", 2, 4, value)


def main():
    # one CPU: its queue keeps the order of packet and ARP request
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    wires = {"lan": Wire(os.environ["NS_LAN"], "l0", "02:00:00:00:00:01"),
             "wan": Wire(os.environ["NS_WAN"], "w0", "02:00:00:00:00:02")}
    for label, wire in wires.items():
        wire.label = label
    for line in sys.stdin:
        label, _, expression = line.strip().partition(" ")
        if not label or label.startswith("#"):
            continue
        packets = eval(expression, dict(globals(), **NAMES))  # the script is part of the test
        for packet in packets if isinstance(packets, list) else [packets]:
            print("  %s > %s" % (label, show(parse(packet))))
            seen = []
            wires[label].send(packet)
            for name in sorted(wires, key=lambda n: n != label):
                arp_request(wires[name], *ASK[name])
                until_answer(wires[name], seen)
            for wire in wires.values():
                drain(wire, seen)
            print("\n".join(sorted(seen)) or "  nothing")


try:
    main()
except Failure as e:
    sys.exit(str(e))
