#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Random rulesets and packets through the kernel's nft and through Gatewarden: same verdict, same packet, same counters, same connections.

    run.py [--build DIR] [--seed N] [--rulesets N] [--batches N] [--packets N] [--without FEATURE,...] [--keep-going] ...

Prints the seed of each ruleset that diverges, a minimised reproducer, and a last line with the figures.  Exit status: 0 all alike, 1 a
divergence, 77 can not run here.
"""
import argparse
import collections
import os
import random
import re
import shutil
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import packets as pk  # noqa: E402
import rules  # noqa: E402
import traffic  # noqa: E402
import world  # noqa: E402


def counters(listing):
    """{(table, chain): [(packets, bytes)]} of the rules, in order; named counters by name."""
    out, table, chain = {}, "", ""
    for line in listing.splitlines():
        m = re.match(r"table (\S+ \S+) \{", line) or re.match(r"\t(chain \S+|counter \S+) \{", line)
        if m and line[0] != "\t":
            table = m.group(1)
        elif m:
            chain = m.group(1)
        for packets, size in re.findall(r"\bpackets (\d+) bytes (\d+)", line):
            out.setdefault((table, chain), []).append((int(packets), int(size)))
    return out


def flows(listing):
    """Connections without what time and identity make of them."""
    out = []
    for line in listing.splitlines():
        if "src=" not in line:
            continue
        line = re.sub(r"^(\S+\s+\d+\s+\S+\s+\d+) \d+ ", r"\1 ", line)
        line = re.sub(r" (mark=0|use=\d+|id=\d+|secctx=\S+|zone=0|packets=\d+ bytes=\d+)\b", "", line)
        if " udp " in line:  # a stream after 2 s in the kernel, in the third second with Gatewarden
            line = line.replace(" [ASSURED]", "")
        out.append(" ".join(line.split()))
    return sorted(out)


# drop reasons, and why netfilter lets such a packet go
BY_DESIGN = {
    "icmp-error": "an ICMP error about no connection passes netfilter as INVALID; Gatewarden drops it, it may be forged",
    "ct-invalid": "an INVALID packet passes netfilter's NAT chains untranslated; Gatewarden drops it where a rule would translate",
    "nat-no-port": "netfilter drops in silence what no free port or address is left for; Gatewarden tells the sender",
    "nat-untracked": "an untracked packet leaves netfilter untranslated; Gatewarden drops it where a rule would translate",
}


class Divergence(Exception):
    pass


class Clash(Exception):
    """The two go different ways from here, rightly."""


def clash(nf, gw):
    """The same packet but for one port of TCP or UDP (an id of ICMP) and the checksums over it."""
    if len(nf) != 1 or len(gw) != 1 or nf[0][0] != gw[0][0]:
        return False
    a, b = bytearray(nf[0][1]), bytearray(gw[0][1])
    v = pk.View(bytes(a))
    start = 40 if v.six else 20
    at = {pk.TCP: 16, pk.UDP: 6, pk.ICMP: 2, pk.ICMP6: 2}.get(v.proto)
    ports = (start, start + 2) if v.proto in (pk.TCP, pk.UDP) else (start + 4,)
    if at is None or len(a) != len(b):
        return False
    for port in ports:
        x, y = bytearray(a), bytearray(b)
        for i in (port, port + 1, start + at, start + at + 1):
            x[i] = y[i] = 0
        if x == y:
            return True
    return False


def is_refusal(packet):
    """An ICMP error: administratively prohibited."""
    v = pk.View(packet)
    return v.body[:2] == (b"\1\1" if v.six else b"\3\x0d") and v.proto == (pk.ICMP6 if v.six else pk.ICMP)


def about_fragments(nf, gw):
    """ICMP errors, the same but for what they quote; IPv6 has one for each fragment."""
    if len(nf) != 1 or not gw:
        return False
    a = pk.View(nf[0][1])
    errors = (pk.ICMP6, (1, 3)) if a.six else (pk.ICMP, (3, 11))
    return a.proto == errors[0] and a.body[0] in errors[1] and all(
        (side, v.proto, v.src, v.dst, v.body[:2]) == (nf[0][0], a.proto, a.src, a.dst, a.body[:2]) for side, v in ((s, pk.View(p)) for s, p in gw))


class Run:
    def __init__(self, w):
        self.w = w
        self.decisions = 0
        self.explained = collections.Counter()
        self.dropped = self.damaged = 0
        self.fragmented = False
        self.delivered = 0

    def send(self, side, pieces, tags):
        nf, gw, same = self.w.exchange(side, pieces, lambda s, p: pk.settle(s, p, tags))
        self.decisions += 1
        self.delivered += bool(nf)
        if not same and all(is_refusal(p) for _, p in gw) and self.explains(pieces[-1]):
            raise Clash  # what netfilter went on to count is another matter from here
        if not same and self.kernel_calls_it_damaged():
            raise Clash
        if not same and len(pieces) > 1 and about_fragments(nf, gw):
            self.explained["an error about a fragmented packet quotes all of it with netfilter, a fragment with Gatewarden (IPv6: each)"] += 1
            raise Clash
        if not same and clash(nf, gw):
            self.explained["a source port was taken: which free one comes in its place is chance in both"] += 1
            raise Clash
        if not same:
            lines = [f"sent on {side}: {pk.describe(p)}" for p in pieces]
            for name, out in (("nft", nf), ("gatewarden", gw)):
                lines += [f"  {name}: {s} {pk.describe(p)} {p.hex()[:360]}" for s, p in out] or [f"  {name}: nothing"]
            raise Divergence("\n".join(lines))
        return nf

    def explains(self, packet):
        """Did Gatewarden drop this packet for a reason that netfilter does not have by design?"""
        v = pk.View(packet)
        for row in self.w.gw.drops():
            e = row["example"]
            if e and row["reason"] in BY_DESIGN and (e["saddr"], e["daddr"]) == (v.src, v.dst):
                self.explained[BY_DESIGN[row["reason"]]] += 1
                return True
        return False

    def kernel_calls_it_damaged(self):
        """
        A rule of PREROUTING changed the IPv6 header behind conntrack's look at the checksum, and the kernel does not correct what it noted
        then: its own transport drops whatever is longer than 76 bytes (Udp6InCsumErrors).
        """
        if self.w.nf.damaged() == self.damaged:
            return False
        self.explained["the kernel takes a packet to itself for damaged once a rule of PREROUTING has changed its IPv6 header"] += 1
        return True

    def dropped_by_design(self):
        return sum(row["pkts"] for row in self.w.gw.drops() if row["reason"] in BY_DESIGN)

    def check_state(self):
        both = (self.w.nf, self.w.gw)
        told = [g.told(p) for g, p in [(g, g.state()) for g in both]]
        a, b = (self.counted(text) for text, _ in told)
        for key in sorted(set(a) | set(b)):
            if a.get(key) != b.get(key) and self.dropped_by_design() > self.dropped:
                self.explained["counters behind a packet that Gatewarden drops by design"] += 1
                raise Clash
            if a.get(key) != b.get(key) and self.kernel_calls_it_damaged():
                raise Clash
            if a.get(key) != b.get(key):
                raise Divergence(f"counters of {key}: nft {a.get(key)}\n  gatewarden {b.get(key)}")
        a, b = (flows(text) for _, text in told)
        if a != b:
            only = [f"  nft only: {x}" for x in a if x not in b] + [f"  gatewarden only: {x}" for x in b if x not in a]
            raise Divergence("connections differ:\n" + "\n".join(only))

    def counted(self, listing):
        """A NAT rule sees the first fragment of a connection's first packet only: how often it applied is compared, not how many bytes."""
        out = counters(listing)
        if self.fragmented:
            out.update({key: [n for n, _ in rows] for key, rows in out.items() if key[0].endswith(" nat")})
        return out

    def start(self, text):
        """Why one of the engines refuses the ruleset, or ''."""
        both = (self.w.nf, self.w.gw)
        for g, said in [(g, g.applied(p)) for g, p in [(g, g.applying(text)) for g in both]]:
            if said:
                return f"{g.name}: {said}"
        self.w.drain()
        self.dropped, self.damaged = self.dropped_by_design(), self.w.nf.damaged()
        return ""

    def replay(self, text, sent):
        """Does the same ruleset with these packets diverge?  What it says, or ''."""
        if self.start(text):
            return ""
        tags = {pk.View(p).tag for _, pieces in sent for p in pieces}
        try:
            for side, pieces in sent:
                self.send(side, pieces, tags)
            self.check_state()
        except Divergence as d:
            return str(d)
        except Clash:
            pass
        return ""

    def batch(self, t, steps, sent):
        for _ in range(steps):
            side, pieces, c = t.step()
            sent.append((side, pieces))
            for where, out in self.send(side, pieces, t.tags):
                t.came_out(where, out, c)
        self.check_state()

    def minimise(self, rs, sent):
        """Fewer packets, then fewer rules, while it still diverges; bounded."""
        said, tries = self.replay(rs.text(), sent), 0
        if not said:
            return "", sent
        size = max(len(sent) // 2, 1)
        while size and tries < 120:
            i = 0
            while i < len(sent) and tries < 120:
                tries += 1
                shorter = sent[:i] + sent[i + size:]
                now = self.replay(rs.text(), shorter)
                if now:
                    sent, said = shorter, now
                else:
                    i += size
            size //= 2
        for lst in rs.rule_lists():
            for i in range(len(lst) - 1, -1, -1):
                rule = lst.pop(i)
                tries += 1
                now = self.replay(rs.text(), sent) if tries < 400 else ""
                if now:
                    said = now
                else:
                    lst.insert(i, rule)
        return said, sent


def refusal(said):
    """The kind of a refusal: its first line without what is particular."""
    line = next((x for x in said.splitlines() if x.strip()), "")
    return re.sub(r"^(\w+): \S+:\d+:\d+(-\d+)?: ", r"\1: ", line)[:110]


def report(seed, rs, sent, said):
    print(f"DIVERGENCE seed {seed}")
    print(said)
    print("ruleset:\n" + rs.text())
    for side, pieces in sent:
        for packet in pieces:
            print(f"packet {side} {pk.describe(packet)}\n  {packet.hex()[:360]}")
    sys.stdout.flush()


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--build", default=os.environ.get("GW_BUILD", "build"))
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--rulesets", type=int, default=50)
    ap.add_argument("--batches", type=int, default=4)
    ap.add_argument("--packets", type=int, default=15)
    ap.add_argument("--without", default="")
    ap.add_argument("--keep-going", action="store_true", help="do not stop at the first divergence, but at the tenth")
    ap.add_argument("--least-decisions", type=int, default=0, help="fail if fewer packets were compared")
    ap.add_argument("--least-batches", type=int, default=0, help="fail if there were fewer batches")
    ap.add_argument("--most-refused", type=int, default=100, metavar="PERCENT", help="fail if more rulesets were refused")
    args = ap.parse_args()
    if os.geteuid():
        print("needs root")
        return 77
    for tool in ("nft", "conntrack", "ip", "nsenter"):
        if not shutil.which(tool):
            print(f"needs {tool}")
            return 77
    features = [f for f in rules.FEATURES if f not in args.without.split(",")]
    refused, bad, done, begun = collections.Counter(), 0, 0, 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # by way of close()
    w = world.World(args.build, long_timeouts=True)
    run = Run(w)
    try:
        for seed in range(args.seed, args.seed + args.rulesets):
            dice = random.Random(seed)
            run.fragmented = seed % 2 == 0
            rs = rules.Writer(dice, [f for f in features if not run.fragmented or f not in rules.OF_LENGTHS]).ruleset()
            said = run.start(rs.text())
            if said:
                refused[refusal(said)] += 1
                begun += 1
                continue
            t, sent = traffic.Traffic(dice, dice.randrange(60000), run.fragmented), []
            for _ in range(args.batches):
                try:
                    run.batch(t, args.packets, sent)
                    done += 1
                except Clash:
                    done += 1
                    run.start(rs.text())
                    t, sent = traffic.Traffic(dice, dice.randrange(60000), run.fragmented), []
                except Divergence as d:
                    bad += 1
                    said, sent = run.minimise(rs, list(sent))
                    report(seed, rs, sent, said or f"(not when repeated) {d}")
                    break
            begun += 1
            if bad >= (10 if args.keep_going else 1):
                break
    finally:
        w.close()
    for why, n in run.explained.most_common():
        print(f"explained {n} times: {why}")
    for why, n in refused.most_common():
        print(f"refused {n} times: {why}")
    print(f"seed {args.seed}: {begun - sum(refused.values())} rulesets, {done} batches, {run.decisions} packet decisions "
          f"({run.delivered} delivered), {sum(refused.values())} rulesets refused, {bad} divergences")
    if not bad and (run.decisions < args.least_decisions or done < args.least_batches):
        print(f"fewer than {args.least_decisions} packet decisions, or than {args.least_batches} batches")
        return 1
    if sum(refused.values()) * 100 > args.most_refused * begun:
        print(f"more than {args.most_refused} % of the rulesets were refused")
        return 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
