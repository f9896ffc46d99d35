# SPDX-License-Identifier: GPL-2.0-only
"""Two gateways side by side: one with the kernel's nft, one with gwd, each between a client and a server side.

The sides have no IP stack: frames are written and read by packet sockets, so that nothing answers but the gateways, and both get the very
same bytes.  All names carry the process id; close() takes everything away again.
"""
import contextlib
import ctypes
import json
import os
import select
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time

LIBC = ctypes.CDLL(None, use_errno=True)
ETH_P_ALL = 3
PACKET_OUTGOING = 4
MAC = {"c0": "02:00:00:00:00:01", "lan0": "02:00:00:00:00:02", "wan0": "02:00:00:00:00:03", "s0": "02:00:00:00:00:04"}
IPV4, ARP, IPV6 = 0x0800, 0x0806, 0x86DD
# who asks whom on each side: see Side.ask()
ASKED = {"c0": ("10.1.0.2", "10.1.0.1"), "s0": ("203.0.113.2", "203.0.113.1")}
# netfilter's, where gwd's are longer
NF_TIMEOUTS = {"timeout.udp": 30, "timeout.udp_stream": 120, "timeout.icmp": 30}
# for all states: no connection ends because the machine was busy
LONG_TIMEOUT = 3600
# on a machine with other work; nothing takes so long that goes well
PATIENCE = 120


def mac_bytes(name):
    return bytes(int(b, 16) for b in MAC[name].split(":"))


def run(args, check=True):
    p = subprocess.run(args, text=True, capture_output=True, timeout=PATIENCE)
    if check and p.returncode:
        raise RuntimeError(f"{' '.join(args)}: {p.stdout}{p.stderr}")
    return p


@contextlib.contextmanager
def inside_netns(name):
    """What is opened here belongs to that namespace."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        if LIBC.setns(there, 0):
            raise OSError(ctypes.get_errno(), "setns")
        yield
    finally:
        LIBC.setns(home, 0)
        os.close(home)
        os.close(there)


class Side:
    """One end of the wire: a packet socket in a namespace of its own."""

    def __init__(self, netns, dev, gateway_dev):
        with inside_netns(netns):
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            self.sock.bind((dev, ETH_P_ALL))
            self.sock.setblocking(False)
        self.header = mac_bytes(gateway_dev) + mac_bytes(dev)
        me, gateway = (socket.inet_aton(a) for a in ASKED[dev])
        self.question = self.header + ARP.to_bytes(2, "big") + b"\0\1\x08\0\6\4\0\1" + mac_bytes(dev) + me + bytes(6) + gateway
        self.answered = 0

    def send(self, packet):
        kind = IPV4 if packet[0] >> 4 == 4 else IPV6
        self.sock.send(self.header + kind.to_bytes(2, "big") + packet)

    def ask(self):
        """An ARP request: the gateway's answer comes when what was sent before it has gone its way.

        All of it goes through the backlog queue of one CPU, in order, and a packet and what is made of it have one wire in front of them.
        """
        self.sock.send(self.question)

    def take(self):
        """IP packets that have come, oldest first; answers to ask() are counted."""
        out = []
        while True:
            try:
                frame, addr = self.sock.recvfrom(65535)
            except BlockingIOError:
                return out
            kind = int.from_bytes(frame[12:14], "big")
            if addr[2] == PACKET_OUTGOING:
                continue
            if kind == ARP:
                self.answered += 1
            elif kind in (IPV4, IPV6):
                out.append(strip_padding(frame[14:]))


@contextlib.contextmanager
def one_cpu():
    """Stay where we are: a queue of packets belongs to a CPU."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {LIBC.sched_getcpu()})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def strip_padding(packet):
    if packet[0] >> 4 == 4:
        return packet[: int.from_bytes(packet[2:4], "big")]
    return packet[: 40 + int.from_bytes(packet[4:6], "big")]


class Gateway:
    """What the engines have in common: the namespaces, the wires and the routes."""

    name = ctl = TRACK = APPLY = FLUSH = STATE = ""

    def __init__(self, tmp, long_timeouts):
        self.tmp = tmp
        self.long_timeouts = long_timeouts
        self.rules = os.path.join(tmp, f"{self.name}.nft")
        self.ns = {h: f"gwt{os.getpid()}-{self.name}-{h}" for h in ("c", "r", "s")}
        for ns in self.ns.values():
            run(["ip", "netns", "add", ns])
        self.wire("c", "c0", "lan0")
        self.wire("s", "s0", "wan0")
        self.configure()
        self.sides = {"C": Side(self.ns["c"], "c0", "lan0"), "S": Side(self.ns["s"], "s0", "wan0")}

    def wire(self, host, dev, gateway_dev):
        run(["ip", "link", "add", dev, "address", MAC[dev], "netns", self.ns[host], "type", "veth", "peer", "name", gateway_dev,
             "address", MAC[gateway_dev], "netns", self.ns["r"]])
        # no IPv6 of their own on the ends: they would speak unasked
        self.inside(host, "sh", "-c", f"echo 1 >/proc/sys/net/ipv6/conf/{dev}/disable_ipv6; ip link set {dev} up arp off")

    def configure(self):
        self.inside("r", "sh", "-ec", """
            cd /proc/sys/net
            for i in all default lan0 wan0; do
                echo 0 >ipv6/conf/$i/accept_dad; echo 0 >ipv6/conf/$i/accept_ra; echo 0 >ipv6/conf/$i/router_solicitations
                echo 0 >ipv4/conf/$i/rp_filter; echo 0 >ipv4/conf/$i/send_redirects; echo none >/dev/null
            done
            echo 1 >ipv4/ip_forward; echo 1 >ipv6/conf/all/forwarding
            echo 0 >ipv4/icmp_ratelimit; echo 0 >ipv6/icmp/ratelimit; echo 1000000 >ipv4/icmp_msgs_per_sec 2>/dev/null || :
            ip link set lo up
            for d in lan0 wan0; do ip link set $d addrgenmode none; done
            ip addr add 10.1.0.1/30 dev lan0; ip addr add fd01::1/126 dev lan0 nodad
            ip addr add 203.0.113.1/30 dev wan0; ip addr add 2001:db8:f::1/126 dev wan0 nodad
            ip link set lan0 up; ip link set wan0 up""")
        for dev, end, via4, via6, nets in (("lan0", "c0", "10.1.0.2", "fd01::2", ("10.0.0.0/8", "fd01::/16")),
                                           ("wan0", "s0", "203.0.113.2", "2001:db8:f::2", ("default", "2000::/3"))):
            for via, net in zip((via4, via6), nets):
                self.inside("r", "ip", "neigh", "replace", via, "lladdr", MAC[end], "nud", "permanent", "dev", dev)
                self.inside("r", "ip", "-6" if ":" in via else "-4", "route", "add", net, "via", via, "dev", dev)

    def inside(self, host, *args):
        return run(["nsenter", f"--net=/run/netns/{self.ns[host]}", "--", *args])

    def begin(self, script):
        """A shell's work inside, which goes on beside us."""
        return subprocess.Popen(["nsenter", f"--net=/run/netns/{self.ns['r']}", "--", "sh", "-c", script], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def applying(self, ruleset):
        """A new ruleset, no connections: it is on its way, finish with applied()."""
        with open(self.rules, "w", encoding="ascii") as f:
            f.write("flush ruleset\n" + self.TRACK + ruleset)
        return self.begin(f"{self.APPLY} && {self.FLUSH}".format(rules=self.rules, ctl=self.ctl))

    @staticmethod
    def applied(process):
        """'' or why the ruleset was refused."""
        return process.communicate(timeout=PATIENCE)[1]

    def apply(self, ruleset):
        return self.applied(self.applying(ruleset))

    def flush(self):
        self.applied(self.begin(self.FLUSH.format(ctl=self.ctl)))

    def state(self):
        """The listings of rules and of connections are on their way; finish with told()."""
        return self.begin(self.STATE.format(ctl=self.ctl))

    def told(self, process):
        """(ruleset with counters, connections)"""
        out = process.communicate(timeout=PATIENCE)[0]
        if process.returncode:
            raise RuntimeError(f"{self.name}: the state can not be read")
        text, _, flows = out.partition("\n\n\n")
        return text + "\n", flows

    def close(self):
        for side in self.sides.values():
            side.sock.close()
        for ns in self.ns.values():
            run(["ip", "netns", "del", ns], check=False)


class Netfilter(Gateway):
    name = "nf"
    # connections are tracked only while a rule asks for it
    TRACK = ("table inet oracle { chain c { type filter hook prerouting priority 300; ct state invalid continue; }; "
             "chain o { type filter hook output priority 300; ct state invalid continue; }; }\n")

    APPLY = "nft -f {rules}"
    FLUSH = "conntrack -F >/dev/null 2>&1"
    STATE = "nft list ruleset; echo; echo; conntrack -L -o extended 2>/dev/null; :"

    def configure(self):
        super().configure()
        if self.long_timeouts:
            self.inside("r", "sh", "-ec", f"""
                cd /proc/sys/net/netfilter
                for i in nf_conntrack_*timeout*; do
                    echo {LONG_TIMEOUT} >$i
                done""")
        with inside_netns(self.ns["r"]):
            self.kernel = [open(f"/proc/thread-self/net/{name}", encoding="ascii") for name in ("snmp6", "netstat", "snmp")]

    def damaged(self):
        """How many packets to itself the kernel dropped for a wrong checksum."""
        total = 0
        for f in self.kernel:
            f.seek(0)
            words = {}
            for line in f:
                name, *rest = line.split()
                if f is self.kernel[0]:
                    words[name] = rest
                elif name in words:  # the line of names, then that of values
                    words |= zip([name + w for w in words[name]], [[v] for v in rest])
                else:
                    words[name] = rest
            total += sum(int(v[0]) for k, v in words.items() if "Csum" in k and len(v) == 1)
        return total

    def close(self):
        for f in self.kernel:
            f.close()
        super().close()

    def told(self, process):
        text, flows = super().told(process)
        start = text.find("table inet oracle")
        return (text[text.find("\n}\n", start) + 3:] if start >= 0 else text), flows


class Gatewarden(Gateway):
    name = "gw"

    def __init__(self, tmp, long_timeouts, build):
        super().__init__(tmp, long_timeouts)
        self.gwctl_binary = os.path.join(build, "ctl/gwctl")
        self.socket = os.path.join(tmp, "run/control.sock")
        self.ctl = f"{shlex.quote(self.gwctl_binary)} --socket {shlex.quote(self.socket)}"
        self.bpf = os.path.join(tmp, "bpf")
        os.makedirs(self.bpf)
        os.makedirs(os.path.join(tmp, "run"))
        run(["mount", "-t", "bpf", "bpf", self.bpf])
        for name in ("gwd.conf", "ruleset.nft"):
            with open(os.path.join(tmp, name), "w", encoding="ascii"):
                pass
        self.log = open(os.path.join(tmp, "gwd.log"), "w", encoding="utf-8")
        gwd = os.path.join(build, "ctl/gwd")
        timeouts = NF_TIMEOUTS
        if self.long_timeouts:
            timeouts = {key: LONG_TIMEOUT for key in re.findall(r"^  (timeout\.\w+) .*\n +default \d+ seconds", run([gwd, "--help"]).stdout, re.M)}
        self.daemon = subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{self.ns['r']}", "--", gwd, "--runtime-dir", os.path.join(tmp, "run"), "--pin-dir", os.path.join(self.bpf, "gw"),
             "--config", os.path.join(tmp, "gwd.conf"), "--ruleset", os.path.join(tmp, "ruleset.nft"), "--interface", "lan0,wan0",
             *[x for key, value in timeouts.items() for x in ("--set", f"{key}={value}")]], stdout=self.log, stderr=self.log)
        self.gwctl("wait", "--timeout", str(PATIENCE))

    def gwctl(self, *args):
        return run([self.gwctl_binary, "--socket", self.socket, *args])

    APPLY = "{ctl} ruleset apply {rules} >/dev/null"
    FLUSH = "{ctl} conntrack -F >/dev/null 2>&1"
    STATE = "{ctl} ruleset show; echo; echo; {ctl} conntrack -L -o extended 2>/dev/null; :"

    def drops(self):
        return json.loads(self.gwctl("-j", "drops").stdout)

    def close(self):
        self.daemon.send_signal(signal.SIGTERM)
        try:
            self.daemon.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            self.daemon.wait()
        self.log.close()
        super().close()
        run(["umount", "-l", self.bpf], check=False)


class World:
    def __init__(self, build, long_timeouts=False):
        self.tmp = tempfile.mkdtemp(prefix="gwt-diff-")
        self.nf = self.gw = None
        try:
            self.nf = Netfilter(self.tmp, long_timeouts)
            self.gw = Gatewarden(self.tmp, long_timeouts, build)
        except BaseException:
            self.close()
            raise

    def drain(self):
        for g in (self.nf, self.gw):
            for side in g.sides.values():
                side.take()

    def collect(self, out, socks, until, patience):
        """Take what comes into out, until until() or for so many seconds."""
        deadline = time.monotonic() + patience
        while True:
            for g in out:
                for name, s in g.sides.items():
                    out[g] += [(name, p) for p in s.take()]
            left = deadline - time.monotonic()
            if until() or left <= 0:
                return
            select.select(socks, [], [], left)

    def exchange(self, side, pieces, settle):
        """Send a packet (or the fragments of one) into both; what came out of each, as [(side, bytes)] brought into one form by settle()."""
        out = {self.nf: [], self.gw: []}
        asked = [g.sides[side] for g in out]
        socks = [s.sock for g in out for s in g.sides.values()]

        def alike():
            shown = [sorted(settle(n, p) for n, p in out[g]) for g in out]
            return shown[0] == shown[1]

        with one_cpu():
            for g in out:
                for packet in pieces:
                    g.sides[side].send(packet)
            # a fragment that was kept goes round once more when it is let go
            for _ in range(2 if len(pieces) > 1 else 1):
                for s in asked:
                    s.answered = 0
                    s.ask()
                self.collect(out, socks, lambda: all(s.answered for s in asked), PATIENCE)
                if not all(s.answered for s in asked):
                    raise RuntimeError("a gateway does not answer")
        same = alike()
        if not same:  # before that is called a divergence, a longer look
            self.collect(out, socks, alike, 0.2)
            same = alike()
        return out[self.nf], out[self.gw], same

    def close(self):
        for g in (self.gw, self.nf):
            if g:
                g.close()
        shutil.rmtree(self.tmp, ignore_errors=True)
