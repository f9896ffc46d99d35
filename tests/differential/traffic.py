# SPDX-License-Identifier: GPL-2.0-only
"""Random conversations: first packets, answers to what came out, repeats, errors, fragments and strays."""
import packets as pk
import rules


class Traffic:
    """Steps are taken one by one: what comes next may be an answer to what came out of the oracle."""

    def __init__(self, dice, first_tag, fragmented):
        self.d = dice
        self.fragmented = fragmented
        self.tag = first_tag
        self.tags = set()
        self.open = []  # conversations: dict(side, six, proto, src, dst, sport, dport, seq, state)
        self.last = []  # packets that came out lately: (side, packet, conversation)

    def next_tag(self):
        self.tag = self.tag % 60000 + 1
        self.tags.add(self.tag)
        return self.tag

    def begin(self):
        d = self.d
        six = d.random() < 0.35
        lan, wan, gw = (rules.LAN6, rules.WAN6, rules.GW6) if six else (rules.LAN4, rules.WAN4, rules.GW4)
        side = d.choice("CCCS")
        src = d.choice(lan if side == "C" else wan)
        dst = d.choice([a for a in ((wan * 3 + gw + lan) if side == "C" else (lan + gw[1:] * len(lan) + wan[:1])) if a != src])
        c = {"side": side, "six": six, "src": src, "dst": dst, "proto": d.choice([pk.TCP] * 4 + [pk.UDP] * 4 + [pk.ICMP] * 2),
             "sport": d.choice(rules.PORTS + list(range(40000, 40020))), "dport": d.choice(rules.PORTS), "seq": d.randrange(1 << 32), "peer": d.randrange(1 << 32),
             "turn": 0, "kw": {"ttl": d.choice([64, 64, 64, 64, 63, 2, 1]), "tos": d.choice([0, 0, 0, 0xB8, 0x28, 3, 2])}}
        self.open.append(c)
        return c

    def packet(self, c):
        """The next packet of the side that began."""
        d, tag = self.d, self.next_tag()
        if c["proto"] == pk.UDP:
            return pk.udp(c["src"], c["dst"], c["sport"], c["dport"], tag, data=b"u" * d.choice([1, 8, 1000]), **c["kw"])
        if c["proto"] == pk.ICMP:
            return pk.echo(c["src"], c["dst"], c["sport"], c["turn"], tag, data=b"e" * d.choice([4, 4, 1000]), **c["kw"])
        turn = c["turn"]
        flags = pk.SYN if turn == 0 else d.choice([pk.ACK, pk.ACK | pk.PSH, pk.ACK | pk.PSH, pk.FIN | pk.ACK]) if turn < 5 else d.choice([pk.FIN | pk.ACK, pk.ACK])
        data = b"t" * d.choice([0, 5, 200]) if turn and flags & pk.PSH else b""
        seq = c["seq"] + (1 if turn else 0)
        options = b"\x02\x04\x05\xb4" if flags & pk.SYN else b""
        out = pk.tcp(c["src"], c["dst"], c["sport"], c["dport"], flags, tag, seq=seq, ack=c["peer"] + 1 if turn else 0, data=data, options=options, **c["kw"])
        if turn:
            c["seq"] += len(data) + (1 if flags & pk.FIN else 0)
        return out

    def answer(self, packet, c):
        """What the receiver of a packet says."""
        d, v, tag = self.d, pk.View(packet), self.next_tag()
        if v.proto == pk.UDP:
            return pk.udp(v.dst, v.src, v.dport, v.sport, tag, data=b"a" * 8)
        if v.proto in (pk.ICMP, pk.ICMP6):
            ident = int.from_bytes(v.body[4:6], "big")
            return pk.echo(v.dst, v.src, ident, c["turn"], tag, reply=True)
        theirs, flags = int.from_bytes(v.body[4:8], "big"), v.body[13]
        size = len(v.body) - (v.body[12] >> 4) * 4 + (1 if flags & (pk.SYN | pk.FIN) else 0)
        if flags & pk.SYN and not flags & pk.ACK:
            if d.random() < 0.1:
                return pk.tcp(v.dst, v.src, v.dport, v.sport, pk.RST | pk.ACK, tag, seq=0, ack=theirs + 1)
            return pk.tcp(v.dst, v.src, v.dport, v.sport, pk.SYN | pk.ACK, tag, seq=c["peer"], ack=theirs + 1, options=b"\x02\x04\x05\xb4")
        out = pk.ACK | (pk.FIN if flags & pk.FIN and d.random() < 0.5 else 0)
        ours = int.from_bytes(v.body[8:12], "big")  # what the other side expects of us
        return pk.tcp(v.dst, v.src, v.dport, v.sport, out, tag, seq=ours, ack=theirs + size)

    def stray(self):
        """Something that belongs to nothing."""
        d, c = self.d, self.begin()
        self.open.pop()
        tag = self.next_tag()
        kind = d.randrange(3)  # an ICMP error about nothing is dropped by design: see the manual
        if kind == 0:
            return c["side"], pk.tcp(c["src"], c["dst"], c["sport"], c["dport"], d.choice([pk.ACK, pk.RST, pk.SYN | pk.ACK, pk.FIN | pk.ACK]), tag, seq=c["seq"], ack=c["peer"])
        if kind == 1:
            return c["side"], pk.echo(c["src"], c["dst"], c["sport"], 1, tag, reply=True)
        return c["side"], pk.ip(c["src"], c["dst"], 47, b"\0\0\x08\0" + b"g" * 20, tag)

    def step(self):
        """Side, packet (or its fragments), conversation or None."""
        d, roll = self.d, self.d.random()
        if roll < 0.35 and self.last:
            side, packet, c = self.last.pop(d.randrange(len(self.last)))
            if d.random() < 0.12:
                six, v = packet[0] >> 4 == 6, pk.View(packet)
                router = (rules.WAN6 if six else rules.WAN4)[-1] if side == "S" else v.dst
                return side, [pk.error(router, v.src, *((1, 4) if six else d.choice([(3, 3), (3, 1), (11, 0)])), packet, self.next_tag())], None
            return side, [self.answer(packet, c)], c
        if roll < 0.65 and self.open:
            c = d.choice(self.open)
            c["turn"] += 1
            return c["side"], self.in_pieces(self.packet(c)), c
        if roll < 0.72:
            side, packet = self.stray()
            return side, [packet], None
        c = self.begin()
        packet = self.packet(c)
        return c["side"], self.in_pieces(packet), c

    def in_pieces(self, packet):
        """
        Long ones as fragments, sometimes the last one first.  Not on their last hop: the error quotes the first fragment with Gatewarden, all
        that fits with netfilter, and rules of OUTPUT count it.
        """
        v = pk.View(packet)
        if not self.fragmented or v.proto == pk.TCP or len(packet) < 500 or packet[7 if v.six else 8] == 1:
            return [packet]
        pieces = pk.fragments(packet, 504)
        return pieces[::-1] if self.d.random() < 0.2 else pieces

    def came_out(self, side, packet, c):
        v = pk.View(packet)
        fragment = v.proto == 44 if v.six else packet[6] & 0x3F or packet[7]
        if c and v.tag in self.tags and v.proto in (pk.TCP, pk.UDP, pk.ICMP, pk.ICMP6) and not fragment:
            self.last = self.last[-12:] + [(side, packet, c)]
