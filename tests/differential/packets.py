# SPDX-License-Identifier: GPL-2.0-only
"""Packets as bytes, conversations as lists of steps, and the form in which two answers are compared."""
import ipaddress
import struct

TCP, UDP, ICMP, ICMP6, GRE = 6, 17, 1, 58, 47
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo(src, dst, proto, length):
    s, d = ipaddress.ip_address(src).packed, ipaddress.ip_address(dst).packed
    if len(s) == 4:
        return s + d + struct.pack("!BBH", 0, proto, length)
    return s + d + struct.pack("!IHBB", length, 0, 0, proto)


def ip(src, dst, proto, payload, tag, ttl=64, tos=0, frag=0):
    """tag marks the packet: IPv4 id, IPv6 flow label; neither is changed on the way."""
    s, d = ipaddress.ip_address(src).packed, ipaddress.ip_address(dst).packed
    if len(s) == 4:
        head = struct.pack("!BBHHHBBH", 0x45, tos, 20 + len(payload), tag & 0xFFFF, frag, ttl, proto, 0) + s + d
        return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload
    return struct.pack("!IHBB", 6 << 28 | tos << 20 | (tag & 0xFFFFF), len(payload), proto, ttl) + s + d + payload


def tcp(src, dst, sport, dport, flags, tag, seq=1000, ack=0, data=b"", options=b"", win=65535, **kw):
    head = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, (20 + len(options)) << 2, flags, win, 0, 0) + options
    total = pseudo(src, dst, TCP, len(head) + len(data)) + head + data
    return ip(src, dst, TCP, head[:16] + struct.pack("!H", checksum(total)) + head[18:] + data, tag, **kw)


def udp(src, dst, sport, dport, tag, data=b"x" * 8, **kw):
    head = struct.pack("!HHHH", sport, dport, 8 + len(data), 0)
    value = checksum(pseudo(src, dst, UDP, 8 + len(data)) + head + data) or 0xFFFF
    return ip(src, dst, UDP, head[:6] + struct.pack("!H", value) + data, tag, **kw)


def icmp(src, dst, kind, code, rest, tag, data=b"ping", **kw):
    six = ":" in src
    body = struct.pack("!BBHI", kind, code, 0, rest) + data
    value = checksum((pseudo(src, dst, ICMP6, len(body)) if six else b"") + body)
    return ip(src, dst, ICMP6 if six else ICMP, body[:2] + struct.pack("!H", value) + body[4:], tag, **kw)


def echo(src, dst, ident, seq, tag, reply=False, **kw):
    six = ":" in src
    return icmp(src, dst, (129 if six else 0) if reply else (128 if six else 8), 0, ident << 16 | seq, tag, **kw)


def error(src, dst, kind, code, quoted, tag, rest=0, **kw):
    return icmp(src, dst, kind, code, rest, tag, data=quoted[: 576 if quoted[0] >> 4 == 4 else 1200], **kw)


def fragments(packet, first):
    """A packet in two pieces; the first has `first` bytes of payload (a multiple of 8)."""
    if packet[0] >> 4 == 6:
        return fragments6(packet, first)
    head, body = packet[:20], packet[20:]
    pieces = []
    for start, part, more in ((0, body[:first], 1), (first, body[first:], 0)):
        h = head[:2] + struct.pack("!H", 20 + len(part)) + head[4:6] + struct.pack("!H", more << 13 | start >> 3) + head[8:10] + b"\0\0" + head[12:]
        pieces.append(h[:10] + struct.pack("!H", checksum(h)) + h[12:] + part)
    return pieces


def fragments6(packet, first):
    head, body, ident = packet[:40], packet[40:], packet[1:4] + b"\1"
    pieces = []
    for start, part, more in ((0, body[:first], 1), (first, body[first:], 0)):
        extra = bytes([head[6], 0]) + struct.pack("!H", start | more) + ident
        pieces.append(head[:4] + struct.pack("!H", 8 + len(part)) + bytes([44]) + head[7:] + extra + part)
    return pieces


class View:
    """The fields of a packet that a reply needs."""

    def __init__(self, packet):
        self.six = packet[0] >> 4 == 6
        start = 40 if self.six else 20
        self.src = str(ipaddress.ip_address(packet[8:24] if self.six else packet[12:16]))
        self.dst = str(ipaddress.ip_address(packet[24:40] if self.six else packet[16:20]))
        self.proto = packet[6] if self.six else packet[9]
        self.tag = int.from_bytes(packet[1:4], "big") & 0xFFFFF if self.six else int.from_bytes(packet[4:6], "big")
        self.body = packet[start:]
        self.sport, self.dport = struct.unpack("!HH", self.body[:4]) if len(self.body) >= 4 else (0, 0)


def may_be_made(v):
    """Is it something that a gateway says itself: an ICMP error, an answer to a ping, a reset?  Its id is chance, and may be a tag."""
    if v.proto == TCP:
        return len(v.body) > 13 and v.body[13] & RST
    return v.proto == ICMP and v.body[0] in (0, 3, 11, 12) or v.proto == ICMP6 and (v.body[0] < 128 or v.body[0] == 129)


def settle(side, packet, tags):
    """One form for what the gateway made itself: its id, flow label and the checksums over them say nothing."""
    v = View(packet)
    if v.proto == 44 and v.six:  # the kernel puts IPv6 packets together and takes them apart again, under an id of its own
        packet = packet[:44] + bytes(4) + packet[48:]
    if v.tag in tags and not may_be_made(v):
        return side, packet
    if v.six:
        return side, packet[:1] + bytes([packet[1] & 0xF0, 0, 0]) + packet[4:]
    return side, packet[:4] + b"\0\0" + packet[6:10] + b"\0\0" + packet[12:]


def describe(packet):
    v = View(packet)
    name = {TCP: "tcp", UDP: "udp", ICMP: "icmp", ICMP6: "icmp6"}.get(v.proto, f"proto {v.proto}")
    if v.proto == TCP:
        bits = "".join(c for bit, c in ((SYN, "S"), (ACK, "A"), (FIN, "F"), (RST, "R"), (PSH, "P")) if v.body[13] & bit)
        return f"{name} {v.src}:{v.sport} > {v.dst}:{v.dport} [{bits}] len {len(packet)} tag {v.tag}"
    if v.proto == UDP:
        return f"{name} {v.src}:{v.sport} > {v.dst}:{v.dport} len {len(packet)} tag {v.tag}"
    if v.proto in (ICMP, ICMP6):
        return f"{name} {v.src} > {v.dst} type {v.body[0]} code {v.body[1]} len {len(packet)} tag {v.tag}"
    return f"{name} {v.src} > {v.dst} len {len(packet)} tag {v.tag}"
