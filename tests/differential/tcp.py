#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The same TCP segments through nf_conntrack and through Gatewarden: same verdict, ct state, TCP state, timeout, ASSURED and UNREPLIED.

    tcp.py [--build DIR] [--seed N] [--sequences N] [--steps N] [--only N] [-v]

Each sequence is one connection with a seed of its own; a hundred of them go side by side, a segment of each in turn. Every second hundred has
rules that write the ct state into the DSCP of what passes; the others have `ct state invalid drop`, so that plain segments take
Gatewarden's fast path. Behind each turn both list their connections.

What differs by design is a row of BY_DESIGN; the sequence ends there, because the two go different ways from then on. Exit status: 0 all alike,
1 a divergence, 77 can not run here.
"""
import argparse
import collections
import os
import random
import re
import shutil
import signal
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import packets as pk  # noqa: E402
import world  # noqa: E402

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
SIDES = 100  # sequences side by side
MARKS = {8: "invalid", 16: "new", 24: "established"}
SHOW_STATE = """table inet t {
	chain f { type filter hook forward priority 0;
%s	}
}
""" % "".join(f"\t\tct state {state} {ip} dscp set {dscp}\n" for dscp, state in MARKS.items() for ip in ("ip", "ip6"))
DROP_INVALID = """table inet t {
	chain f { type filter hook forward priority 0; policy drop; ct state established accept; ct state invalid drop; ct state new accept; }
}
"""


def checksum_damaged(packet):
    """The same packet with one bit of its TCP checksum turned."""
    at = 40 + 16 if packet[0] >> 4 == 6 else 20 + 16
    return packet[:at] + bytes([packet[at] ^ 4]) + packet[at + 1:]


class End:
    """One end of a connection as a real one would see it, so that what is sent is near the borders and not noise."""

    def __init__(self, dice):
        self.isn = dice.choice((0, 1, 1000, 0x7fffff00, 0xffffff00, 0xfffffff0, dice.getrandbits(32)))
        self.next = self.isn
        self.win = dice.choice((0, 1, 500, 8192, 29200, 65535))
        self.scale = dice.choice((None, None, 0, 2, 7, 14))
        self.sack = dice.random() < .5
        self.acked = 0  # what it told the other side
        self.edge = 0  # how far the other side may send


class Sequence:
    """A generator of segments, and what both engines said of them."""

    def __init__(self, seed, number, six):
        self.seed, self.dice = seed, random.Random(seed)
        self.six = six
        self.port = 20000 + number
        self.c, self.s = End(self.dice), End(self.dice)
        self.addr = ("fd01::2", "2001:db8:9::9") if six else ("10.1.0.2", "198.51.100.9")
        self.last = {"C": None, "S": None}
        self.plan = self.opening()
        self.log, self.over = [], ""
        self.before = {"nf": None, "gw": None}
        self.refused = False  # a FIN or RST, since a SYN was let pass
        self.taught = ""  # what netfilter learnt from a segment that it refused

    def opening(self):
        """The first steps, by chance one of the ways in which connections begin."""
        return list(self.dice.choice((
            ["syn", "synack", "ack"], ["syn", "synack", "ack"], ["syn", "synack", "ack"], ["syn", "synack", "ack", "data", "answer"],
            ["syn", "synack", "ack", "data", "answer", "data", "answer"], ["syn", "synack"], ["syn"], ["syn", "syn", "synack", "ack"],
            ["syn", "syn2", "synack_c", "synack"], ["syn", "syn2", "synack", "ack"], ["ack"], ["data", "answer"], ["ack", "answer_blind", "data"],
            ["syn", "challenge", "rst_challenged", "syn"], ["syn", "synack_old", "synack", "ack"], ["syn", "synack", "synack_old", "ack"],
            ["syn", "synack", "ack", "fin", "ack_s", "fin_s", "ack"], ["syn", "synack", "ack", "fin_s", "ack", "fin", "ack_s"],
            ["syn", "synack", "ack", "fin", "fin_s", "ack", "syn_new"], ["syn", "synack", "ack", "syn_new", "synack_new", "ack"],
            ["syn", "synack", "ack", "syn_new", "ack_s"], ["syn", "synack", "ack", "again", "again", "again", "again"],
            ["syn", "synack", "ack", "data", "again", "again", "again"], ["syn", "synack", "ack", "rst", "syn_new", "synack_new", "ack"],
            ["syn", "synack", "ack", "rst_s", "syn_new", "synack_new"], ["syn_data", "synack", "ack"], ["synack"], ["rst"], ["fin"],
            ["syn", "synack", "ack", "fin", "ack_s", "fin_s", "syn_new", "ack_s", "ack_s"])))

    def ends(self, side):
        return (self.c, self.s) if side == "C" else (self.s, self.c)

    def make(self, side, flags, seq, ack=0, data=0, win=None, options=b"", raw=None):
        me, _ = self.ends(side)
        args = dict(flags=flags, seq=seq & 0xffffffff, ack=ack & 0xffffffff, data=data, win=me.win if win is None else win, options=options, raw=raw)
        return side, args

    def packet(self, side, a, tag):
        src, dst = self.addr if side == "C" else self.addr[::-1]
        sport, dport = (self.port, 80) if side == "C" else (80, self.port)
        packet = pk.tcp(src, dst, sport, dport, a["flags"], tag, seq=a["seq"], ack=a["ack"], data=b"d" * a["data"], options=a["options"], win=a["win"])
        return checksum_damaged(packet) if a["raw"] else packet

    def syn_options(self, e):
        out = b"\2\4\5\xb4"
        if e.scale is not None:
            out += b"\1\3\3" + bytes([e.scale])
        if e.sack:
            out += b"\1\1\4\2"
        return out if self.dice.random() < .95 else b""

    def options(self, me, peer):
        """Of a segment that is no SYN: nothing, a timestamp, SACK blocks."""
        roll = self.dice.random()
        if roll < .6:
            return b""
        if roll < .8:
            return b"\1\1\x08\x0a" + struct.pack("!II", 1, 2)
        left = peer.next + self.dice.choice((0, -100, -1000, -50000))
        right = left + self.dice.choice((1, 100, 1000, 66000))
        return b"\1\1\5\x0a" + struct.pack("!II", left & 0xffffffff, right & 0xffffffff)

    def sent(self, side, a):
        """Both ends remember what a sensible one would."""
        me, _ = self.ends(side)
        length = a["data"] + bool(a["flags"] & SYN) + bool(a["flags"] & FIN)
        end = (a["seq"] + length) & 0xffffffff
        if (end - me.next) & 0xffffffff < 0x80000000 and (end - me.next) & 0xffffffff < 1 << 20:
            me.next = end
        if a["flags"] & ACK:
            me.acked = a["ack"]
            scale = 0 if a["flags"] & SYN or self.c.scale is None or self.s.scale is None else me.scale
            me.edge = (a["ack"] + (a["win"] << scale)) & 0xffffffff
        self.last[side] = a

    def step(self):
        name = self.plan.pop(0) if self.plan else self.random_name()
        side, a = getattr(self, "do_" + name)()
        if self.dice.random() < .02:
            a = dict(a, raw=True)
        else:
            self.sent(side, a)
        return side, a

    def random_name(self):
        return self.dice.choice((
            "data", "data", "data", "answer", "answer", "answer", "again", "again_s", "border", "border", "border", "border_ack", "border_ack",
            "rst", "rst_s", "rst_border", "fin", "fin_s", "ack", "ack_s", "syn_new", "synack_new", "synack_old", "syn", "synack", "window", "odd", "probe",
            "syn2", "synack_c"))

    # steps by name
    def do_syn(self):
        self.c.next = self.c.isn
        return self.make("C", SYN, self.c.isn, options=self.syn_options(self.c))

    def do_syn_data(self):
        return self.make("C", SYN, self.c.isn, data=100, options=self.syn_options(self.c))

    def do_syn_new(self):
        self.c.isn = self.dice.choice((self.c.next + 100000, self.c.next - 100000, self.dice.getrandbits(32))) & 0xffffffff
        self.c.next = self.c.isn
        return self.make("C", SYN, self.c.isn, options=self.syn_options(self.c))

    def do_syn2(self):
        return self.make("S", SYN, self.s.isn, options=self.syn_options(self.s))

    def do_synack(self):
        return self.make("S", SYN | ACK, self.s.isn, self.c.next, options=self.syn_options(self.s))

    def do_synack_c(self):
        return self.make("C", SYN | ACK, self.c.isn, self.s.next, options=self.syn_options(self.c))

    def do_synack_new(self):
        self.s.isn = self.dice.getrandbits(32)
        self.s.next = self.s.isn
        return self.make("S", SYN | ACK, self.s.isn, self.c.next, options=self.syn_options(self.s))

    def do_synack_old(self):
        """Of a connection that was before this one."""
        return self.make("S", SYN | ACK, self.dice.getrandbits(32), self.c.isn + self.dice.choice((1, 1, -5, 100000, 0x40000000)))

    def do_challenge(self):
        return self.make("S", ACK, self.s.next + 5000, self.c.isn - 70000)

    def do_rst_challenged(self):
        return self.make("C", RST, self.c.isn - 70000)

    def plain(self, side, data):
        me, peer = self.ends(side)
        return self.make(side, ACK | (PSH if data else 0), me.next, peer.next, data, options=self.options(me, peer))

    def do_data(self):
        return self.plain("C", self.dice.choice((1, 100, 1000, 1400)))

    def do_answer(self):
        return self.plain("S", self.dice.choice((0, 0, 100, 1400)))

    def do_answer_blind(self):
        return self.make("S", ACK, self.dice.getrandbits(32), self.c.next)

    def do_ack(self):
        return self.plain("C", 0)

    def do_ack_s(self):
        return self.plain("S", 0)

    def do_again(self):
        return ("C", dict(self.last["C"])) if self.last["C"] else self.do_data()

    def do_again_s(self):
        return ("S", dict(self.last["S"])) if self.last["S"] else self.do_answer()

    def do_fin(self):
        return self.make("C", FIN | ACK, self.c.next, self.s.next)

    def do_fin_s(self):
        return self.make("S", FIN | ACK, self.s.next, self.c.next)

    def do_window(self):
        side = self.dice.choice("CS")
        me, peer = self.ends(side)
        return self.make(side, ACK, me.next, peer.next, win=self.dice.choice((0, 0, 1, 65535)))

    def do_probe(self):
        """A keep-alive."""
        side = self.dice.choice("CS")
        me, peer = self.ends(side)
        return self.make(side, ACK, me.next - 1, peer.next, self.dice.choice((0, 1)))

    def do_border(self):
        """Around the edges of what the other side announced, and of what was sent."""
        side = self.dice.choice("CS")
        me, peer = self.ends(side)
        edge = self.dice.choice((peer.edge, peer.edge, me.next, me.next - peer.win, peer.edge + peer.win, peer.acked))
        seq = edge + self.dice.choice((-1400, -2, -1, 0, 1, 2, 100, 70000, 0x7fffffff))
        return self.make(side, ACK, seq, peer.next, self.dice.choice((0, 1, 100, 1400)))

    def do_border_ack(self):
        side = self.dice.choice("CS")
        me, peer = self.ends(side)
        ack = peer.next + self.dice.choice((-66002, -66001, -66000, -65999, -1000, -1, 1, 2, 1000, 0x7fffffff))
        return self.make(side, ACK, me.next, ack, self.dice.choice((0, 0, 100)), options=self.options(me, peer))

    def reset(self, side):
        me, peer = self.ends(side)
        return self.make(side, self.dice.choice((RST, RST | ACK)), self.dice.choice((me.next, me.next, peer.acked, 0)), peer.next)

    def do_rst(self):
        return self.reset("C")

    def do_rst_s(self):
        return self.reset("S")

    def do_rst_border(self):
        side = self.dice.choice("CS")
        me, peer = self.ends(side)
        seq = self.dice.choice((peer.acked, peer.edge, me.next)) + self.dice.choice((-70000, -2, -1, 0, 1, 2, 500, 70000, 0x7fffffff))
        return self.make(side, self.dice.choice((RST, RST | ACK)), seq, peer.next + self.dice.choice((0, 0, -1, 1)))

    def do_odd(self):
        side = self.dice.choice("CS")
        me, peer = self.ends(side)
        flags = self.dice.choice((0, FIN, SYN | FIN, SYN | RST, PSH, URG, FIN | PSH | URG, 0x3f, ACK | URG, SYN | URG, SYN | ACK | FIN, FIN | ACK | RST))
        return self.make(side, flags, me.next, peer.next)


def show(side, a):
    letters = "".join(x for x, bit in zip("FSRPAU", (1, 2, 4, 8, 16, 32)) if a["flags"] & bit) or "none"
    return (f"{'client' if side == 'C' else 'server'} {letters} seq {a['seq']} ack {a['ack']} len {a['data']} win {a['win']}"
            + (f" options {a['options'].hex()}" if a["options"] else "") + (" damaged" if a["raw"] else ""))


Seen = collections.namedtuple("Seen", "state timeout unreplied assured")


def listing(text):
    """{port of the client: Seen}"""
    out = {}
    for line in text.splitlines():
        m = re.search(r"\btcp\s+6 (\d+) (\S+) src=\S+ dst=\S+ sport=(\d+) dport=(\d+) (\[UNREPLIED\] )?.*?(\[ASSURED\])?(?: mark=| use=| id=|$)", line)
        if m:
            port = int(m.group(3)) if m.group(4) == "80" else int(m.group(4))
            out[port] = Seen(m.group(2), int(m.group(1)), bool(m.group(5)), bool(m.group(6)))
    return out


# What differs by design: a name, when, and why.  A row may only speak of the segment that makes the difference.
BY_DESIGN = {
    "rst": "a RST that is not exactly what its receiver expects changes nothing, not even the timeout, in any state but TIME_WAIT and CLOSE "
           "(RFC 5961 3.2); netfilter lets it end what is closing or not assured, and gives the rest 10 s",
    "rst-window": "a RST outside the window, or that answers no SYN of SYN_SENT, is not delivered (RFC 5961 3.2, RFC 9293 3.10.7.3)",
    "rst-syn": "a RST that acknowledges a SYN ends what the SYN began, whatever its sequence number (RFC 9293 3.10.7.3)",
    "close-syn": "a SYN behind a RST of the other side begins a new connection to the rules; netfilter passes it as one of the old connection",
    "poison": "a segment that is refused teaches nothing; netfilter keeps what it says of a side that it has not seen before",
    "old-synack": "of two SYN-ACKs the client's ACK chooses; netfilter believes the first",
    "unanswered": "FINs and RSTs that are INVALID do not shorten a timeout and do not make netfilter's note of a SYN void: who sends them need "
                  "not be an end of the connection",
    "overshot": "data beyond the window that passes counts as not acknowledged at once, in netfilter with the next segment",
    "damaged": "the checksum of an assured connection's data is left to its ends",
}


def explained(q, side, a, nf, gw, before):
    """The row of BY_DESIGN that this difference belongs to, or ''.  nf, gw: (verdict, Seen or None)."""
    (nv, ns), (gv, gs) = nf, gw
    was = before["nf"]
    rst = a["flags"] & RST
    if rst and gv == "invalid" and nv != "invalid" and gs == before["gw_same"](gs):
        return "rst-window"
    if rst and gv != "invalid" and ns != gs and (not ns or ns.state == "CLOSE" or ns.timeout <= 10):
        return "rst"
    if rst and was and was.state in ("SYN_SENT", "SYN_SENT2") and gv == nv and (not gs or gs.state == "CLOSE"):
        return "rst-syn"
    if a["flags"] & SYN and not a["flags"] & ACK and was and was.state in ("CLOSE", "TIME_WAIT") and gs and gs.state == "SYN_SENT":
        return "close-syn"
    if q.taught == "poison":
        return "poison"
    if q.taught == "synack" and not rst:
        return "old-synack"
    if nv == gv == "invalid" and ns and gs and ns.timeout <= 300 < gs.timeout and a["flags"] & (FIN | RST):
        return "unanswered"
    if q.refused and not rst and gs and (gs.state == "SYN_RECV" and a["flags"] & SYN or gs.state == "LAST_ACK" and nv == "invalid"):
        return "unanswered"
    if gv == nv and ns and gs and gs.timeout <= 300 < ns.timeout and ns._replace(timeout=0) == gs._replace(timeout=0):
        return "overshot"
    if a["raw"] and nv == "invalid" and was and was.assured and was.state == "ESTABLISHED" and not a["flags"] & (SYN | FIN | RST):
        return "damaged"
    return ""


def alike(nf, gw):
    (nv, ns), (gv, gs) = nf, gw
    if nv != gv or bool(ns) != bool(gs):
        return False
    if not ns:
        return True
    return ns._replace(timeout=0) == gs._replace(timeout=0) and abs(ns.timeout - gs.timeout) <= 3


class Run:
    def __init__(self, w, verbose):
        self.w, self.verbose = w, verbose
        self.engines = {"nf": w.nf, "gw": w.gw}
        self.segments = 0
        self.pairs = collections.Counter()  # (state before, direction, flags): which cells of the table were met
        self.explained = collections.Counter()
        self.bad = []

    def exchange(self, batch):
        """Send [(side, packet)] into both; {engine: {tag: packet}} of what came out."""
        out = {g: [] for g in self.engines.values()}
        socks = [s.sock for g in out for s in g.sides.values()]
        with world.one_cpu():
            for g in out:
                for side, packet in batch:
                    g.sides[side].send(packet)
            asked = [s for g in out for s in g.sides.values()]
            for s in asked:
                s.answered = 0
                s.ask()
            self.w.collect(out, socks, lambda: all(s.answered for s in asked), 5)
        return {name: {pk.View(p).tag: p for _, p in out[g]} for name, g in self.engines.items()}

    @staticmethod
    def verdict(packet, marked):
        if not packet:
            return "invalid"
        if not marked:
            return "passed"
        return MARKS.get((packet[1] if packet[0] >> 4 == 4 else (packet[0] << 4 | packet[1] >> 4) & 0xff) >> 2, "unmarked")

    def turn(self, live, marked):
        todo = {}
        for tag, q in enumerate(live, 1):
            side, a = q.step()
            todo[tag] = (q, side, a)
        came = self.exchange([(side, q.packet(side, a, tag)) for tag, (q, side, a) in todo.items()])
        told = [(name, g.state()) for name, g in self.engines.items()]
        seen = {name: listing(self.engines[name].told(p)[1]) for name, p in told}
        for tag, (q, side, a) in todo.items():
            self.segments += 1
            now = {name: (self.verdict(came[name].get(tag), marked), seen[name].get(q.port)) for name in self.engines}
            q.log.append((show(side, a), now["nf"], now["gw"]))
            self.judge(q, side, a, now)

    def judge(self, q, side, a, now):
        was = dict(q.before)
        before = dict(was, gw_same=lambda s: was["gw"]._replace(timeout=s.timeout) if was["gw"] and s else was["gw"])
        kind = "RST" if a["flags"] & RST else ("SYN-ACK" if a["flags"] & ACK else "SYN") if a["flags"] & SYN else \
            "FIN" if a["flags"] & FIN else "ACK" if a["flags"] & ACK else "none"
        self.pairs[(was["nf"].state if was["nf"] else "NONE", side, kind)] += 1
        if not alike(now["nf"], now["gw"]):
            row = explained(q, side, a, now["nf"], now["gw"], before)
            q.over = row or "divergence"
            if row:
                self.explained[row] += 1
            else:
                self.bad.append(q)
        # what a later difference may come from
        elif kind in ("FIN", "RST") and now["nf"][0] == "invalid" and was["nf"] and was["nf"].assured:
            q.refused = True
        elif kind == "SYN":
            q.refused = False
        elif side == "S" and now["nf"][0] == "invalid" and was["nf"] and was["nf"].state in ("SYN_SENT", "SYN_SENT2"):
            q.taught = "poison"
        elif side == "S" and kind == "SYN-ACK" and was["nf"] and was["nf"].state == "SYN_RECV":
            q.taught = q.taught or "synack"
        q.before = {name: now[name][1] for name in now}

    def group(self, sequences, marked, steps):
        text = SHOW_STATE if marked else DROP_INVALID
        for g in self.engines.values():
            said = g.apply(text)
            if said:
                raise RuntimeError(f"{g.name}: {said}")
        self.w.drain()
        for _ in range(steps):
            live = [q for q in sequences if not q.over]
            if live:
                self.turn(live, marked)


def report(q):
    print(f"DIVERGENCE sequence {q.seed}{' (IPv6)' if q.six else ''}")
    for line, nf, gw in q.log:
        print(f"  {line}\n      nf {nf[0]} {tuple(nf[1]) if nf[1] else None}\n      gw {gw[0]} {tuple(gw[1]) if gw[1] else None}")
    sys.stdout.flush()


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--build", default=os.environ.get("GW_BUILD", "build"))
    ap.add_argument("--seed", type=int, default=int(os.environ.get("GW_SEED", "1")))
    ap.add_argument("--sequences", type=int, default=600)
    ap.add_argument("--steps", type=int, default=14)
    ap.add_argument("--show", type=int, default=5, help="print so many divergences")
    ap.add_argument("-v", action="store_true", help="print what was explained, too")
    args = ap.parse_args()
    if os.geteuid():
        print("needs root")
        return 77
    for tool in ("nft", "conntrack", "ip", "nsenter"):
        if not shutil.which(tool):
            print(f"needs {tool}")
            return 77
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # by way of close()
    w = world.World(args.build)
    run, done = Run(w, args.v), []
    try:
        for first in range(0, args.sequences, SIDES):
            group = [Sequence(args.seed * 1000000 + first + i, i, i % 2) for i in range(min(SIDES, args.sequences - first))]
            run.group(group, first // SIDES % 2 == 0, args.steps)
            done += group
    finally:
        w.close()
    for q in run.bad[:args.show] + ([q for q in done if q.over and q.over != "divergence"] if args.v else []):
        print(q.over) if args.v else None
        report(q)
    for row, n in run.explained.most_common():
        print(f"explained {n} times: {row}: {BY_DESIGN[row]}")
    print(f"seed {args.seed}: {len(done)} sequences, {run.segments} segments, {len(run.pairs)} cells of the table, "
          f"{sum(run.explained.values())} ended by design, {len(run.bad)} divergences")
    if run.segments < args.sequences * args.steps // 2:
        print("fewer than half of the segments were compared: too much ended early")
        return 1
    return 1 if run.bad else 0


if __name__ == "__main__":
    sys.exit(main())
