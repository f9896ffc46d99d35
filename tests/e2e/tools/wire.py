# SPDX-License-Identifier: GPL-2.0-only
"""Hand-made packets on the two wires of a gateway, from one process.

A test case sends frames on one wire and looks at what comes out of the other; sockets live in the namespaces of the wires,
where no protocol stack answers for them, so that every packet seen is the gateway's doing.  Only the standard
library: importing a packet library takes longer than the tests.

Builders return bytes and take what a test wants to get wrong as a keyword.  `parse` gives back a Packet, whose
`faults` names every length and checksum that does not hold.
"""
import ctypes
import ipaddress
import os
import select
import socket
import struct
import sys
import time

TCP, UDP, ICMP, ICMP6, FRAGMENT = 6, 17, 1, 58, 44
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
ETH_IP, ETH_IP6 = 0x0800, 0x86DD


def addr(text):
    return ipaddress.ip_address(text).packed


def text(packed):
    return str(ipaddress.ip_address(packed))


def csum(data, start=0):
    if len(data) % 2:
        data += b"\0"
    total = start + sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo(src, dst, proto, length):
    src, dst = addr(src), addr(dst)
    if len(src) == 4:
        return src + dst + struct.pack("!BBH", 0, proto, length)
    return src + dst + struct.pack("!II", length, proto)


def l4_sum(src, dst, proto, segment):
    return csum(pseudo(src, dst, proto, len(segment)) + segment)


# ---- builders -----------------------------------------------------------------------------------------------


def ip4(src, dst, proto, payload, ttl=64, tos=0, ident=1, flags=0, offset=0, options=b"", ihl=None, total=None,
        version=4, check=None):
    """flags: 1 = more fragments, 2 = don't fragment; offset in bytes."""
    words = 5 + len(options) // 4 if ihl is None else ihl
    length = 20 + len(options) + len(payload) if total is None else total
    frag = flags << 13 | offset // 8
    head = struct.pack("!BBHHHBBH", version << 4 | words, tos, length, ident, frag, ttl, proto, 0)
    head += addr(src) + addr(dst) + options
    return head[:10] + struct.pack("!H", csum(head) if check is None else check) + head[12:] + payload


def ip6(src, dst, proto, payload, hops=64, tclass=0, flow=0, length=None, version=6):
    word = version << 28 | tclass << 20 | flow
    size = len(payload) if length is None else length
    return struct.pack("!IHBB", word, size, proto, hops) + addr(src) + addr(dst) + payload


def ip(src, dst, proto, payload, **kw):
    return (ip6 if ":" in src else ip4)(src, dst, proto, payload, **kw)


def udp_segment(src, dst, sport, dport, data=b"", length=None, check=None):
    size = 8 + len(data) if length is None else length
    head = struct.pack("!HHHH", sport, dport, size, 0) + data
    value = (l4_sum(src, dst, UDP, head) or 0xFFFF) if check is None else check
    return head[:6] + struct.pack("!H", value) + data


def udp(src, dst, sport, dport, data=b"", **kw):
    return ip(src, dst, UDP, udp_segment(src, dst, sport, dport, data), **kw)


def tcp_segment(src, dst, sport, dport, flags, seq=0, ack=0, data=b"", window=65535, options=b"", doff=None, check=None):
    words = 5 + len(options) // 4 if doff is None else doff
    head = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, words << 4, flags, window, 0, 0)
    segment = head + options + data
    value = l4_sum(src, dst, TCP, segment) if check is None else check
    return segment[:16] + struct.pack("!H", value) + segment[18:]


def tcp(src, dst, sport, dport, flags, seq=0, ack=0, data=b"", window=65535, options=b"", **kw):
    return ip(src, dst, TCP, tcp_segment(src, dst, sport, dport, flags, seq, ack, data, window, options), **kw)


def icmp(src, dst, kind, code, rest=0, data=b"", check=None, **kw):
    """ICMP or ICMPv6 by the family of src; rest is the second word (id << 16 | seq, or an MTU)."""
    six = ":" in src
    body = struct.pack("!BBHI", kind, code, 0, rest) + data
    if check is None:
        check = l4_sum(src, dst, ICMP6, body) if six else csum(body)
    return ip(src, dst, ICMP6 if six else ICMP, body[:2] + struct.pack("!H", check) + body[4:], **kw)


def echo(src, dst, ident, seq=1, data=b"ping", reply=False, **kw):
    kind = (129 if reply else 128) if ":" in src else (0 if reply else 8)
    return icmp(src, dst, kind, 0, ident << 16 | seq, data, **kw)


def fragments4(packet, size, ident=None):
    """Split an IPv4 packet without options into fragments of `size` payload bytes (a multiple of 8)."""
    out, payload = [], packet[20:]
    ident = struct.unpack("!H", packet[4:6])[0] if ident is None else ident
    for at in range(0, len(payload), size):
        more = at + size < len(payload)
        out.append(ip4(text(packet[12:16]), text(packet[16:20]), packet[9], payload[at:at + size],
                       ttl=packet[8], ident=ident, flags=1 if more else 0, offset=at))
    return out


def fragment_header(proto, offset, more, ident):
    return struct.pack("!BBHI", proto, 0, offset | (1 if more else 0), ident)


def fragments6(packet, size, ident=7):
    out, payload = [], packet[40:]
    for at in range(0, len(payload), size):
        head = fragment_header(packet[6], at, at + size < len(payload), ident)
        out.append(ip6(text(packet[8:24]), text(packet[24:40]), FRAGMENT, head + payload[at:at + size], hops=packet[7]))
    return out


# ---- parsing ------------------------------------------------------------------------------------------------


class Packet:
    """What a test asks about a packet: addresses as text, ports (ICMP echo: id as sport), payload, faults."""

    def __init__(self, raw, quoted=False):
        self.raw, self.faults, self.quoted = raw, [], quoted
        self.sport = self.dport = self.flags = self.kind = self.code = self.rest = None
        self.offset, self.more, self.ident, self.df = 0, False, 0, False
        self.segment = self.data = b""
        self.v = raw[0] >> 4
        (self._ip4 if self.v == 4 else self._ip6)()
        if self.offset == 0:
            self._l4()

    def _ip4(self):
        raw = self.raw
        self.ihl = (raw[0] & 15) * 4
        total, self.ident, frag = struct.unpack("!HHH", raw[2:8])
        self.tos, self.ttl, self.proto = raw[1], raw[8], raw[9]
        self.src, self.dst = text(raw[12:16]), text(raw[16:20])
        self.df, self.more, self.offset = bool(frag & 0x4000), bool(frag & 0x2000), (frag & 0x1FFF) * 8
        if csum(raw[:self.ihl]):
            self.faults.append("IP header checksum")
        if not self.quoted and total > len(raw):
            self.faults.append("total length %d of %d bytes" % (total, len(raw)))
        self.length = total
        self.segment = raw[self.ihl:total]

    def _ip6(self):
        raw = self.raw
        word, size, self.proto, self.ttl = struct.unpack("!IHBB", raw[:8])
        self.tos, self.flow = word >> 20 & 0xFF, word & 0xFFFFF
        self.src, self.dst, self.length = text(raw[8:24]), text(raw[24:40]), size + 40
        if not self.quoted and self.length > len(raw):
            self.faults.append("payload length %d of %d bytes" % (size, len(raw)))
        at = 40
        while self.proto in (0, 43, 60, FRAGMENT) and at + 8 <= len(raw):
            if self.proto == FRAGMENT:
                _, _, frag, self.ident = struct.unpack("!BBHI", raw[at:at + 8])
                self.offset, self.more = frag & 0xFFF8, bool(frag & 1)
                step = 8
            else:
                step = raw[at + 1] * 8 + 8
            self.proto = raw[at]
            at += step
            if self.offset:
                break
        self.segment = raw[at:self.length]

    @property
    def fragment(self):
        return self.more or self.offset > 0

    def _check(self, name, value):
        if value and not self.fragment and not self.quoted:
            self.faults.append(name + " checksum")

    def _l4(self):
        seg = self.segment
        if self.proto == UDP and len(seg) >= 8:
            self.sport, self.dport, size, self.sum = struct.unpack("!HHHH", seg[:8])
            self.data = seg[8:]
            if self.sum:
                self._check("UDP", l4_sum(self.src, self.dst, UDP, seg))
            if size != len(seg) and not self.fragment and not self.quoted:
                self.faults.append("UDP length %d of %d" % (size, len(seg)))
        elif self.proto == TCP and len(seg) >= 4:
            self.sport, self.dport = struct.unpack("!HH", seg[:4])
            if len(seg) >= 20:
                self.seq, self.ack, doff, self.flags, self.window, self.sum = struct.unpack("!IIBBHH", seg[4:18])
                self.data, self.options = seg[(doff >> 4) * 4:], seg[20:(doff >> 4) * 4]
                self._check("TCP", l4_sum(self.src, self.dst, TCP, seg))
        elif self.proto in (ICMP, ICMP6) and len(seg) >= 8:
            self.kind, self.code, self.sum, self.rest = struct.unpack("!BBHI", seg[:8])
            self.data = seg[8:]
            self._check("ICMP", csum(seg) if self.proto == ICMP else l4_sum(self.src, self.dst, ICMP6, seg))
            if self.is_echo:
                self.sport = self.rest >> 16

    @property
    def is_echo(self):
        return self.kind in ((0, 8) if self.v == 4 else (128, 129))

    @property
    def is_error(self):
        if self.kind is None:
            return False
        return self.kind < 128 if self.v == 6 else self.kind in (3, 4, 5, 11, 12)

    @property
    def quote(self):
        return Packet(self.data, quoted=True)

    def __str__(self):
        what = {TCP: "tcp", UDP: "udp", ICMP: "icmp", ICMP6: "icmp6"}.get(self.proto, "proto %d" % self.proto)
        out = "%s %s:%s > %s:%s ttl %d tos 0x%x len %d" % (
            what, self.src, self.sport, self.dst, self.dport, self.ttl, self.tos, self.length)
        if self.kind is not None:
            out += " type %d code %d rest 0x%x" % (self.kind, self.code, self.rest)
        if self.flags is not None:
            out += " flags 0x%x seq %d ack %d" % (self.flags, self.seq, self.ack)
        if self.fragment:
            out += " fragment id %d at %d%s" % (self.ident, self.offset, "+" if self.more else "")
        if self.is_error and len(self.data) >= 28:
            out += " [quotes %s]" % self.quote
        return out + "".join(" !" + f for f in self.faults)


def parse(raw):
    return Packet(raw)


# ---- the wires ----------------------------------------------------------------------------------------------


def enter_namespace(path):
    libc = ctypes.CDLL(None, use_errno=True)
    with open(path) as f:
        if libc.setns(f.fileno(), 0):
            raise OSError(ctypes.get_errno(), "setns " + path)


class Failure(Exception):
    pass


class Wire:
    """One interface in one namespace."""

    def __init__(self, namespace, dev, gw_mac):
        self.name, self.kept = dev, []
        self.head = bytes.fromhex(gw_mac.replace(":", ""))
        with open("/proc/self/ns/net") as home:
            enter_namespace("/run/netns/" + namespace)
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            self.sock.bind((dev, 3))
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            enter_namespace("/proc/self/fd/%d" % home.fileno())
        self.mac = self.sock.getsockname()[4]

    def send(self, *packets, dst=None, ethertype=None):
        for p in packets:
            kind = ethertype or (ETH_IP6 if p[:1] and p[0] >> 4 == 6 else ETH_IP)
            self.sock.send((dst or self.head) + self.mac + struct.pack("!H", kind) + p)

    def frames(self, wait):
        """IP packets as they come in, until nothing comes for `wait` seconds."""
        while select.select([self.sock], [], [], max(wait, 0))[0]:
            frame, sender = self.sock.recvfrom(65600)
            if sender[2] == socket.PACKET_OUTGOING or sender[1] not in (ETH_IP, ETH_IP6) or len(frame) < 34:
                continue
            packet = parse(frame[14:])
            if packet.proto == ICMP6 and packet.kind is not None and 130 <= packet.kind <= 137 or packet.dst.startswith("ff02:"):
                continue  # the link's own talk: neighbours, routers, multicast
            if (packet.v, packet.kind, packet.code) in ((4, 11, 1), (6, 3, 1), (4, 3, 1), (6, 1, 3)):
                continue  # the gateway gave up on fragments or on a neighbour for something that an earlier case sent
            yield packet

    def see(self, match=None, wait=1.0, what="a packet"):
        """The next packet that matches; everything else that came is a failure of the test."""
        deadline = time.monotonic() + wait
        for packet in self.frames(wait):
            if match is None or match(packet):
                if packet.faults:
                    raise Failure("%s: damaged: %s" % (self.name, packet))
                return packet
            raise Failure("%s: expected %s, came: %s" % (self.name, what, packet))
        if time.monotonic() < deadline - 0.01:
            raise Failure("%s: no %s" % (self.name, what))
        raise Failure("%s: expected %s, nothing came in %.1f s" % (self.name, what, wait))

    def all(self, wait=0.15):
        return list(self.frames(wait))

    def quiet(self, wait=0.15, what="nothing"):
        came = self.all(wait)
        if came:
            raise Failure("%s: expected %s, came: %s" % (self.name, what, "; ".join(map(str, came[:4]))))


# ---- cases --------------------------------------------------------------------------------------------------

CASES = []


def case(sentence, rows="-", only=None, when=True):
    """A test: its name is a sentence; only="gw" when netfilter is known to do worse; not there unless `when`."""
    def add(fn):
        if when:
            CASES.append((fn, sentence, rows, only))
        return fn
    return add


def check(condition, *what):
    if not condition:
        raise Failure(" ".join(str(w) for w in what))


def equal(what, expected, actual):
    check(expected == actual, "%s: expected %r, actual %r" % (what, expected, actual))


def run(make_net):
    """Run the cases of the calling script; lines `ok|FAIL|skip TAB rows TAB sentence TAB detail` for the shell."""
    chosen = os.environ.get("CASE", "")
    net = make_net()
    for fn, sentence, rows, only in CASES:
        if chosen not in fn.__name__:
            continue
        if only and only != os.environ["ENGINE"]:
            print("skip\t%s\t%s\t" % (rows, sentence), flush=True)
            continue
        try:
            fn(net)
            print("ok\t%s\t%s\t" % (rows, sentence), flush=True)
        except Failure as e:
            print("FAIL\t%s\t%s\t%s: %s" % (rows, sentence, fn.__name__, e), flush=True)
        net.settle()
    sys.stdout.flush()


class Net:
    """The two wires of the standard topology of net.sh and the addresses on it."""

    def __init__(self, v):
        self.v = v
        self.lan = Wire(os.environ["NS_LAN"], "l0", "02:00:00:00:00:01")
        self.wan = Wire(os.environ["NS_WAN"], "w0", "02:00:00:00:00:02")
        if v == 4:
            self.a, self.b, self.gw_lan, self.gw = "10.0.0.5", "10.0.0.6", "10.0.0.1", "203.0.113.1"
            self.next_hop, self.far, self.far2 = "203.0.113.254", "198.51.100.9", "198.51.100.10"
        else:
            self.a, self.b, self.gw_lan, self.gw = "fd00:10::5", "fd00:10::6", "fd00:10::1", "2001:db8:1::1"
            self.next_hop, self.far, self.far2 = "2001:db8:1::fe", "2001:db8:9::9", "2001:db8:9::a"
        self.port = 20000

    def fresh(self):
        """A source port that no case used before."""
        self.port += 1
        return self.port

    def settle(self):
        self.lan.all(0.05)
        self.wan.all(0.0)

    def out(self, packet, **kw):
        """Send on the LAN, see on the WAN: from the gateway's address, nothing else changed but TTL and ports."""
        self.lan.send(packet)
        seen = self.wan.see(**kw)
        equal("source on the WAN", self.gw, seen.src)
        return seen

    def back(self, packet, **kw):
        self.wan.send(packet)
        return self.lan.see(**kw)


def both_families():
    """Cases take a net; a script runs once per family, chosen by FAMILY."""
    return Net(int(os.environ.get("FAMILY", "4")))
