#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Random walks of SCTP associations and GRE: what passes, and what the connection table says after each packet.

The lines must be equal on both engines.  The walks are the same on each run; most steps follow the protocol, the rest are
anything.
"""
import os
import random
import re
import shlex
import subprocess

from wire import *

SCTP, GRE = 132, 47
INIT, INIT_ACK, SACK, HEARTBEAT, HEARTBEAT_ACK, ABORT, SHUTDOWN, SHUTDOWN_ACK = 1, 2, 3, 4, 5, 6, 7, 8
ERROR, COOKIE_ECHO, COOKIE_ACK, COMPLETE, DATA = 9, 10, 11, 14, 0
LIFE = [("a", INIT), ("b", INIT_ACK), ("a", COOKIE_ECHO), ("b", COOKIE_ACK), ("a", DATA), ("b", SACK), ("a", HEARTBEAT),
        ("b", HEARTBEAT_ACK), ("a", SHUTDOWN), ("b", SHUTDOWN_ACK), ("a", COMPLETE)]
KINDS = [INIT, INIT_ACK, SACK, HEARTBEAT, HEARTBEAT_ACK, ABORT, SHUTDOWN, SHUTDOWN_ACK, ERROR, COOKIE_ECHO, COOKIE_ACK,
         COMPLETE, DATA, 12, 130]


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def chunk(kind, flags=0, tag=0, length=None):
    body = struct.pack("!IIHHI", tag, 65535, 1, 1, 1) if kind in (INIT, INIT_ACK) else b"body"
    return struct.pack("!BBH", kind, flags, 4 + len(body) if length is None else length) + body


def sctp(src, dst, sport, dport, tag, chunks):
    head = struct.pack("!HHII", sport, dport, tag, 0) + chunks
    return ip(src, dst, SCTP, head[:8] + struct.pack("<I", crc32c(head)) + head[12:])


def gre(src, dst, key=None):
    head = struct.pack("!HH", 0x2000 if key else 0, 0x0800) + (struct.pack("!I", key) if key else b"")
    return ip(src, dst, GRE, head + b"tunnelled")


class Table:
    """What the engine lists of one connection."""

    def __init__(self):
        tool = ["conntrack"] if os.environ["ENGINE"] == "nf" else [os.environ["GWCTL"], "conntrack"]
        self.command = ["nsenter", "--net=/run/netns/" + os.environ["NS_GW"]] + tool

    def line(self, v, proto, port=None):
        args = ["-L", "-f", "ipv%d" % v, "-p", str(proto)] + (["--orig-port-src", str(port)] if port else [])
        got = subprocess.run(self.command + args, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        got = re.sub(r"(use|id)=\d+ ?", "", got.strip())
        return re.sub(r"^(\w+ +\d+) (\d+)", lambda m: "%s %d" % (m[1], round(int(m[2]), -1) if int(m[2]) > 20 else m[2] and 0), got)


def passed(n, side, packet):
    (n.lan if side == "a" else n.wan).send(packet)
    came = (n.wan if side == "a" else n.lan).all(0.02)
    return "pass" if came else "drop"


class Walk:
    def __init__(self, net, table, rnd):
        self.n, self.table, self.rnd = net, table, rnd
        self.port = net.fresh()
        self.tags = {"a": rnd.getrandbits(31) + 1, "b": rnd.getrandbits(31) + 1}  # what each side announces
        self.at = 0

    def step(self):
        rnd = self.rnd
        if rnd.random() < 0.7:
            side, kind = LIFE[self.at % len(LIFE)]
            self.at += 1
        else:
            side, kind = rnd.choice("ab"), rnd.choice(KINDS)
        flags = rnd.choice([0, 0, 0, 1]) if kind in (ABORT, COMPLETE) else 0
        tag = 0 if kind == INIT else self.tags["b" if side == "a" else "a"]
        if flags:
            tag = self.tags[side]
        if rnd.random() < 0.1:
            tag = rnd.getrandbits(32)
        chunks = chunk(kind, flags, self.tags[side])
        extra = rnd.random()
        if extra < 0.08:
            chunks += chunk(rnd.choice(KINDS), 0, self.tags[side])
        elif extra < 0.1:
            chunks = chunk(kind, flags, self.tags[side], length=0)
        ends = (self.n.a, self.n.far, self.port, 5000) if side == "a" else (self.n.far, self.n.a, 5000, self.port)
        what = passed(self.n, side, sctp(*ends, tag, chunks))
        print("%d %s %d%s: %s, %s" % (self.port, side, kind, "+" if len(chunks) > 24 else "", what,
                                     self.table.line(self.n.v, "sctp", self.port)), flush=True)


def main():
    n = both_families()
    table = Table()
    rnd = random.Random(99 + n.v)
    for _ in range(int(os.environ.get("WALKS", "10"))):
        walk = Walk(n, table, rnd)
        for _ in range(rnd.randint(6, 14)):
            walk.step()
    for side, key in (("a", None), ("a", 7), ("b", None), ("a", None), ("b", 9)):
        ends = (n.a, n.far) if side == "a" else (n.far, n.a)
        print("gre %s: %s, %s" % (side, passed(n, side, gre(*ends, key)), table.line(n.v, "gre")), flush=True)


main()
