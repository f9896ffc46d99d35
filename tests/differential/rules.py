# SPDX-License-Identifier: GPL-2.0-only
"""Random rulesets in nft's syntax, grammar-aware: each rule is meaningful where it stands, and drawn from the values that packets carry.

A ruleset is a Ruleset: lists that the minimiser can shorten, and text() that writes it out.
"""
LAN4 = [f"10.1.{n}.{h}" for n in (1, 2) for h in range(1, 5)]
WAN4 = [f"198.51.100.{h}" for h in range(1, 6)] + ["192.0.2.7"]
GW4 = ["10.1.0.1", "203.0.113.1"]
LAN6 = [f"fd01:{n}::{h}" for n in (1, 2) for h in range(1, 4)]
WAN6 = [f"2001:db8:1::{h}" for h in range(1, 5)] + ["2001:db8:7::7"]
GW6 = ["fd01::1", "2001:db8:f::1"]
NET4 = ["10.0.0.0/8", "10.1.1.0/24", "10.1.2.0/30", "198.51.100.0/24", "198.51.100.2/31", "192.0.2.0/24", "203.0.113.0/30"]
NET6 = ["fd01::/16", "fd01:1::/64", "2001:db8::/32", "2001:db8:1::/64", "2001:db8:1::2/127"]
# Gatewarden writes out concatenations: with a large network in them, it refuses the rule
SMALL4 = [n for n in NET4 if int(n.split("/")[1]) >= 24]
SMALL6 = ["2001:db8:1::2/127"]
PORTS = [22, 53, 80, 443, 1025, 2000, 2001, 2005, 5000, 8080, 33434]
# kinds of matches and statements that a release does not have are taken out with --without
COUNTER = "counter"
FEATURES = ("chains", "length", "sets", "concat", "vmap", "map", "limit", "quota", "log", "mark", "flags", "meta", "header", "ctmeta", "fib", "numgen",
            "dynset", "mangle", "compare", "reject", "raw", "nat", "objects", "prerouting", "iftype", "after")


# nft joins neighbouring fields of a header to one comparison, and moves them over a statement between them; Gatewarden goes on in order
HEADERS = ("ip ", "ip6 ", "tcp ", "udp ", "icmp ", "icmpv6 ", "meta nfproto ", "meta l4proto tcp ", "meta l4proto udp ")
# what asks how long a packet is: of fragments, Gatewarden knows the first one's length when it decides, netfilter that of all
OF_LENGTHS = ("length", "quota")


class Ruleset:
    def __init__(self):
        self.tables = []  # [family, name, [set text], [[chain name, head or '', [rule]]]]

    def text(self):
        out = []
        for family, name, sets, chains in self.tables:
            out.append(f"table {family} {name} {{")
            out += ["\t" + s for s in sets]
            for chain, head, rules in chains:
                out.append(f"\tchain {chain} {{")
                if head:
                    out.append("\t\t" + head)
                out += ["\t\t" + r for r in rules]
                out.append("\t}")
            out.append("}")
        return "\n".join(out) + "\n"

    def rule_lists(self):
        return [c[2] for t in self.tables for c in t[3]]


class Writer:
    def __init__(self, dice, features):
        self.d = dice
        self.features = features
        self.refuses = True
        # an element of nft keeps the limit of the rule that made it, ours has that of the rule that asks: one and the same here
        self.over = dice.choice(["", "over "])

    def has(self, feature):
        return feature in self.features

    def pick(self, *items):
        return self.d.choice(items)

    def chance(self, p):
        return self.d.random() < p

    # ---- values ----
    def addr(self, six):
        return self.d.choice(LAN6 + WAN6 + GW6 if six else LAN4 + WAN4 + GW4)

    def port_range(self):
        a, b = sorted(self.d.sample(PORTS, 2))
        return f"{a}-{b}"

    def several(self, draw, low=2, high=5):
        return "{ " + ", ".join(dict.fromkeys(str(draw()) for _ in range(self.d.randint(low, high)))) + " }"

    def compared(self, keyword, draw, wide=None):
        """A keyword with ==, !=, a range, a set or a comparison."""
        roll = self.d.random()
        ne = "!= " if self.chance(0.2) else ""
        if roll < 0.25:
            return f"{keyword} {ne}{self.several(draw)}"
        if roll < 0.4 and wide:
            return f"{keyword} {ne}{wide()}"
        if roll < 0.5 and self.has("compare") and wide:
            return f"{keyword} {self.pick('<', '>', '<=', '>=')} {draw()}"
        return f"{keyword} {ne}{draw()}"

    # ---- matches ----
    def address(self, six):
        fam = "ip6" if six else "ip"
        word = f"{fam} {self.pick('saddr', 'daddr')}"
        ne = "!= " if self.chance(0.2) else ""
        roll = self.d.random()
        if roll < 0.35:
            return f"{word} {ne}{self.d.choice(NET6 if six else NET4)}"
        if roll < 0.5:
            return f"{word} {ne}{self.several(lambda: self.addr(six))}"
        if roll < 0.6:
            lo, hi = ("2001:db8:1::2", "2001:db8:1::4") if six else ("10.1.1.2", "10.1.2.2")
            return f"{word} {ne}{lo}-{hi}"
        if roll < 0.75 and self.has("sets"):
            return f"{word} {ne}@{'nets6' if six else 'nets4'}"
        return f"{word} {ne}{self.addr(six)}"

    def pair(self, six):
        """Two elements that do not overlap."""
        a, b = self.d.sample(LAN6 + WAN6 if six else LAN4 + WAN4, 2)
        fam = "ip6" if six else "ip"
        return f"{fam} saddr . {fam} daddr {{ {a} . {self.addr(six)}, {b} . {self.d.choice(SMALL6 if six else SMALL4)} }}"

    def match(self, place):
        """place: family, hook, six or four only, what is allowed there."""
        six, proto = place["six"], place["proto"]
        options = [lambda: self.address(six)] * 4
        if proto != "icmp":
            options += [lambda: self.compared(f"{proto} {self.pick('sport', 'dport')}", lambda: self.d.choice(PORTS), self.port_range)] * 4
        else:
            options += [lambda: self.compared("icmpv6 type" if six else "icmp type", lambda: self.pick("echo-request", "echo-reply", "destination-unreachable"))] * 2
        options += [lambda: f"meta l4proto {proto if proto != 'icmp' else 'icmpv6' if six else 'icmp'}", lambda: "meta l4proto != 47"]
        if place["in"]:
            options += [lambda: f"iifname {self.pick('', '!= ')}\"{self.pick('lan0', 'wan0', 'lan*', 'w*', 'eth7')}\""] * 2
        if place["out"]:
            options += [lambda: f"oifname {self.pick('', '!= ')}{self.pick(chr(34) + 'lan0' + chr(34), chr(34) + 'wan0' + chr(34), '{ ' + chr(34) + 'lan0' + chr(34) + ', ' + chr(34) + 'ppp0' + chr(34) + ' }')}"] * 2
        if place["ct"]:
            options += [lambda: f"ct state {self.pick('new', 'established', 'established,related', 'invalid', 'new,established')}"] * 3
            if self.has("mark"):
                options += [lambda: f"ct mark {self.pick('0x0', '0x1', '0x2', '!= 0x1', 'and 0x3 == 0x2')}"]
            # an error about a packet that made no connection is RELATED to one that Gatewarden can not look at
            if self.has("ctmeta") and place["in"]:
                options += [lambda: f"ct direction {self.pick('original', 'reply')}", lambda: f"ct status {self.pick('snat', 'dnat', 'seen-reply')}",

                            lambda: f"ct original packets {self.pick('<', '>')} {self.d.randint(0, 3)}",
                            lambda: (f"ct original ip6 saddr {self.d.choice(LAN6)}" if six else f"ct original ip daddr {self.d.choice(GW4 + WAN4)}")]
            if self.has("ctmeta") and place["in"] and proto == "tcp":  # a UDP flow becomes a stream with time
                options += [lambda: "meta l4proto tcp ct status assured"]
        if place["ct"] and place["in"] and self.has("ctmeta") and proto != "icmp":
            options += [lambda: f"meta l4proto {proto} ct original proto-dst {self.d.choice(PORTS)}"]
        if self.has("mark"):
            options += [lambda: f"meta mark {self.pick('0x0', '0x1', '0x2', '!= 0x1', 'and 0x3 == 0x2', '{ 0x1, 0x3 }')}"]
        if self.has("flags") and proto == "tcp":
            options += [lambda: "tcp flags " + self.pick("syn", "ack", "syn / syn,ack", "& (fin | syn | rst | ack) == syn", "!= syn", "== syn | ack",
                                                         "{ syn, ack }", "fin,rst / fin,rst")] * 2
        if self.has("header"):
            options += [lambda: self.compared("ip6 hoplimit" if six else "ip ttl", lambda: self.pick(1, 2, 63, 64), lambda: "2-64"),
                        lambda: f"{'ip6' if six else 'ip'} dscp {self.pick('', '!= ')}{self.pick('cs0', 'ef', 'af11', '0x02')}",
                        lambda: f"{'ip6' if six else 'ip'} ecn {self.pick('not-ect', 'ce', 'ect0')}",
                        lambda: {"icmp": "icmpv6 code 0" if six else "icmp code { 0, 3 }", "tcp": self.pick("tcp window > 1000", "tcp window 65535"), "udp": "udp dport 53"}[proto],
                        lambda: "ip frag-off and 0x1fff != 0" if not six else "exthdr frag exists"]
        if self.has("length"):
            options += [lambda: self.compared("ip6 length" if six else "ip length", lambda: self.pick(40, 60, 28, 36, 1028), lambda: "30-100"),
                        lambda: self.compared("meta length", lambda: self.pick(40, 60, 28, 36, 1028), lambda: "30-100")]
        if self.has("meta"):
            if proto != "icmp":  # th reads any bytes behind the IP header; with Gatewarden only those of protocols with ports
                options += [lambda: f"meta l4proto {proto} " + self.compared("th dport", lambda: self.d.choice(PORTS), self.port_range)]
            if place["family"] == "inet":
                options += [lambda: f"meta nfproto {'ipv6' if six else 'ipv4'}"]
            options += [lambda: f"meta protocol {'ip6' if six else 'ip'}",
                        lambda: "meta pkttype host",
                        lambda: f"{'ip6 nexthdr' if six else 'ip protocol'} {proto if proto != 'icmp' else 'icmpv6' if six else 'icmp'}"]
        if self.has("fib"):
            options += [lambda: f"fib daddr type {self.pick('local', 'unicast', '!= local')}", lambda: "fib saddr type unicast"]
            if place["in"]:
                options += [lambda: "fib " + self.pick("saddr . iif oif exists", "saddr . iif oif missing", "saddr . iif oif 0", "saddr oif exists",
                                                       "daddr oif exists", "daddr . iif oif missing", "saddr . mark . iif oif exists",
                                                       "daddr . mark oif missing", "daddr . iif type local", "daddr . iif type != local",
                                                       "saddr . iif type unicast")]
        if self.has("numgen"):
            # in an inet table the version first: without it nft counts the other version's packets, too, unless its own match is moved in front
            version = f"meta nfproto {'ipv6' if six else 'ipv4'} " if place["family"] == "inet" else ""
            options += [lambda: f"{version}numgen inc mod {self.pick(2, 3)} {self.pick(0, 1)}"]
        if self.has("concat") and self.has("sets"):
            if proto != "icmp":
                options += [lambda: f"{'ip6' if six else 'ip'} {self.pick('saddr', 'daddr')} . {proto} dport @{'pairs6' if six else 'pairs4'}"]
            options += [lambda: self.pair(six)]
        return self.d.choice(options)()

    # ---- statements ----
    def statement(self, place):
        six, proto = place["six"], place["proto"]
        options = []
        if self.has("limit"):
            options += [lambda: f"limit rate {self.pick('', 'over ')}1/{self.pick('hour', 'day')} burst {self.d.randint(1, 4)} packets"]
        if self.has("quota"):
            options += [lambda: f"quota {self.pick('', 'over ')}{self.pick(100, 300, 1000)} bytes"]
        if self.has("log"):
            options += [lambda: f"log prefix \"p{self.d.randint(0, 9)}: \""]
        if self.has("mark") and place["type"] == "filter":
            values = ["0x1", "0x2", "meta mark or 0x2", "meta mark and 0x1"] + (["ct mark"] if place["ct"] else [])
            options += [lambda: f"meta mark set {self.pick(*values)}"]
            if place["ct"]:
                options += [lambda: f"ct mark set {self.pick('0x1', '0x2', 'meta mark')}"]
            if self.has("map") and proto == "tcp":
                options += [lambda: "meta mark set tcp dport map { 22 : 0x1, 80 : 0x2, 443 : 0x3 }"]
        if self.has("mangle") and place["mangle"]:
            options += [lambda: f"{'ip6' if six else 'ip'} dscp set {self.pick('cs1', 'ef', '0x02')}",
                        lambda: f"ip6 hoplimit set {self.pick(9, 64)}" if six else f"ip ttl set {self.pick(9, 64)}"]
            if proto == "tcp":
                options += [lambda: f"tcp flags syn tcp option maxseg size set {self.pick(536, 1000, 'rt mtu')}"]
        if self.has("dynset"):
            options += [lambda: f"{self.pick('add', 'update')} @{'seen6 { ip6 saddr }' if six else 'seen4 { ip saddr }'}",
                        lambda: f"add @{'seen6 { ip6 daddr }' if six else 'seen4 { ip daddr timeout 1h }'}",
                        lambda: f"{'ip6' if six else 'ip'} saddr @{'seen6' if six else 'seen4'}",
                        lambda: ("update @meter6 { ip6 saddr" if six else "update @meter4 { ip saddr") + f" limit rate {self.over}1/hour burst 2 packets }}"]
        if self.has("objects"):
            options += [lambda: 'counter name "c1"', lambda: 'limit name "l1"']
            options += [lambda: 'quota name "q1"'] if self.has("quota") else []
        return self.d.choice(options)() if options else ""

    def vmap(self, place, targets):
        def verdict():
            return self.pick("accept", "drop", "continue", *([f"jump {t}" for t in targets]))
        options = [lambda: f"meta l4proto vmap {{ {place['proto'] if place['proto'] != 'icmp' else 'icmpv6' if place['six'] else 'icmp'} : {verdict()}, 47 : {verdict()} }}"]
        if place["proto"] != "icmp":
            options.append(lambda: f"{place['proto']} dport vmap {{ 22 : {verdict()}, 80 : {verdict()}, 2000-2005 : {verdict()} }}")
        if not place["six"]:
            options.append(lambda: f"ip saddr vmap {{ {LAN4[0]} : {verdict()}, 198.51.100.0/24 : {verdict()}, 10.1.2.0-10.1.2.3 : {verdict()} }}")
        if place["ct"]:
            options.append(lambda: f"ct state vmap {{ established : {verdict()}, new : {verdict()}, invalid : {verdict()} }}")
        if place["in"]:
            options.append(lambda: f"iifname vmap {{ \"lan0\" : {verdict()}, \"wan0\" : {verdict()} }}")
            if self.has("concat"):
                options.append(lambda: f"iifname . meta l4proto vmap {{ \"lan0\" . tcp : {verdict()}, \"wan0\" . udp : {verdict()} }}")
        if self.has("sets") and place["proto"] != "icmp" and not place["user"]:
            options.append(lambda: f"{place['proto']} dport vmap @verdicts")
        return self.d.choice(options)()

    def settled(self, place):
        """The place for one rule, which is about one version of IP and one protocol."""
        six = place["six"] if place["six"] is not None else self.chance(0.4)
        return dict(place, six=six, proto=self.pick("tcp", "tcp", "udp", "udp", "icmp"))

    def beside_headers(self, place):
        for _ in range(20):
            m = self.match(place)
            if not m.startswith(HEADERS):
                return m
        return "meta l4proto != 47"

    def filter_rule(self, place, targets):
        place = self.settled(place)
        parts = [self.match(place) for _ in range(self.pick(0, 1, 1, 1, 2, 2, 3))]
        counter = [COUNTER]
        if self.chance(0.3):
            s = self.statement(place)
            if s:
                parts.append(s)
                if self.has("after") and self.chance(0.3):
                    parts.append(self.beside_headers(place))
        if self.has("after") and self.chance(0.15):
            at = self.d.randint(0, len(parts))
            if not at or not any(p.startswith(HEADERS) for p in parts[at:]):
                parts.insert(at, COUNTER)
                counter = []
        roll = self.d.random()
        if targets and roll < 0.25 and self.has("chains"):
            end = f"{self.pick('jump', 'jump', 'goto')} {self.d.choice(targets)}"
        elif roll < 0.35 and self.has("vmap"):
            end = self.vmap(place, targets if self.has("chains") else [])
            counter, parts = [], parts + counter
        elif roll < 0.45 and place["user"] and self.has("chains"):
            end = "return"
        elif roll < 0.55 and place["reject"]:
            kinds = ["reject"]
            if self.has("reject"):
                kinds += ["reject with icmpx admin-prohibited", "reject with icmpx no-route"] if place["family"] == "inet" else []
                kinds += ["reject with icmpv6 policy-fail"] if place["six"] else ["reject with icmp host-prohibited", "reject with icmp prot-unreachable"]
                kinds += ["reject with tcp reset"] * 2 if place["proto"] == "tcp" else []
            end = self.d.choice(kinds)
            if end == "reject with tcp reset":
                parts.insert(0, "meta l4proto tcp")
        else:
            end = self.pick("accept", "accept", "drop", "", "", "continue" if self.has("chains") else "")
        return " ".join(p for p in parts + counter + [end] if p)

    def place(self, family, hook, kind="filter", user=False, prio=0):
        return {"family": family, "six": {"inet": None, "ip": False, "ip6": True}[family], "in": hook in ("prerouting", "input", "forward"),
                "out": hook in ("forward", "postrouting", "output"), "ct": prio > -200, "type": kind, "user": user,
                "reject": kind == "filter" and hook in ("input", "forward"), "mangle": kind == "filter" and hook in ("prerouting", "forward", "postrouting")}

    def filter_table(self, family, name):
        sets = []
        if self.has("sets"):
            sets += [f"set nets4 {{ type ipv4_addr; flags interval; elements = {{ {', '.join(self.d.sample(['10.1.1.0/25', '198.51.100.1', '192.0.2.0/24', '203.0.113.0/31', '10.1.2.2-10.1.2.9'], 3))} }} }}",
                     f"set nets6 {{ type ipv6_addr; flags interval; elements = {{ {', '.join(self.d.sample(['fd01:1::/64', '2001:db8:1::2', '2001:db8:7::/48'], 2))} }} }}"]
            if self.has("concat"):
                sets += [f"set pairs4 {{ type ipv4_addr . inet_service; elements = {{ {', '.join(dict.fromkeys(f'{self.addr(False)} . {self.d.choice(PORTS)}' for _ in range(4)))} }} }}",
                         f"set pairs6 {{ type ipv6_addr . inet_service; elements = {{ {', '.join(dict.fromkeys(f'{self.addr(True)} . {self.d.choice(PORTS)}' for _ in range(4)))} }} }}"]
        if self.has("dynset"):
            sets += ["set seen4 { type ipv4_addr; size 1000; flags dynamic,timeout; timeout 1h; }", "set seen6 { type ipv6_addr; size 1000; flags dynamic,timeout; timeout 1h; }",
                     "set meter4 { type ipv4_addr; size 1000; flags dynamic,timeout; timeout 1h; }", "set meter6 { type ipv6_addr; size 1000; flags dynamic,timeout; timeout 1h; }"]
        if self.has("objects"):
            sets += ["counter c1 { packets 0 bytes 0 }", "limit l1 { rate 1/hour burst 3 packets }", "quota q1 { over 400 bytes }"]
        users = [f"u{i}" for i in range(self.d.randint(1, 3))] if self.has("chains") else []
        if self.has("sets") and self.has("vmap"):
            jump = f"jump {users[-1]}" if users else "drop"
            sets += [f"map verdicts {{ type inet_service : verdict; elements = {{ 53 : accept, 2000 : drop, 5000 : {jump} }} }}"]
        chains = []
        for i, u in enumerate(users):  # a chain jumps to later ones only: no loops
            place = self.place(family, "none", user=True)
            place["ct"] = False  # it may be entered from raw
            chains.append([u, "", [self.filter_rule(place, users[i + 1:]) for _ in range(self.d.randint(1, 4))]])
        bases = [("input", "input", "filter", 0), ("forward", "forward", "filter", 0)]
        if self.chance(0.3):
            bases.append(("forward2", "forward", "filter + 10", 10))
        if self.has("raw") and self.chance(0.4):
            bases.append(("raw", "prerouting", "raw", -300))
        if self.has("mangle") and self.chance(0.5):
            bases.append(("manglepre", "prerouting", "mangle", -150))
        if self.has("mangle") and not self.refuses:
            bases.append(("manglepost", "postrouting", "mangle", -150))
        if self.has("prerouting") and self.chance(0.3):
            bases.append(("pre", "prerouting", "filter", 0))
        if not self.refuses:
            bases.append(("out", "output", "filter", 0))
        for chain, hook, prio, number in bases:
            place = self.place(family, hook, prio=number)
            place["reject"] = place["reject"] and self.refuses
            policy = "drop" if chain == "forward" and self.chance(0.5) else "accept"
            rules = [self.filter_rule(place, users) for _ in range(self.d.randint(1, 7))]
            chains.append([chain, f"type filter hook {hook} priority {prio}; policy {policy};", rules])
        # users before their callers
        return [family, name, sets, list(reversed(chains[: len(users)])) + chains[len(users):]]

    def nat_table(self, family):
        with_sets, self.features = self.features, [f for f in self.features if f != "sets"]  # those of the filter table
        six = family == "ip6"
        lan, wan, gw = (LAN6, WAN6, GW6) if six else (LAN4, WAN4, GW4)
        sets, pre, post = [], [], []
        has_maps = "map" in with_sets and "sets" in with_sets
        if has_maps:
            sets.append(f"map ports {{ type inet_service : {'ipv6_addr' if six else 'ipv4_addr'}; elements = {{ 8080 : {self.d.choice(lan)}, 2001 : {self.d.choice(lan)} }} }}")
        place = self.place(family, "prerouting", "nat")
        for _ in range(self.d.randint(1, 4)):
            target = self.d.choice(lan)
            host = f"[{target}]" if six else target
            place = self.settled(place)
            proto = self.pick("tcp", "udp")
            ends = [f"{proto} dport {self.d.choice(PORTS)} {COUNTER} dnat to {host}:{self.d.choice(PORTS)}", f"{family} daddr {gw[1]} {proto} dport {self.port_range()} {COUNTER} dnat to {target}",
                    f"{proto} dport {self.d.choice(PORTS)} {COUNTER} redirect to :{self.d.choice(PORTS)}", f"{self.match(place)} {COUNTER} accept"]
            if self.has("map"):
                ends.append(f"{family} daddr {gw[1]} {COUNTER} dnat to tcp dport map {{ 80 : {self.d.choice(lan)}, 443 : {self.d.choice(lan)} }}")
                if has_maps:
                    ends.append(f"{COUNTER} dnat to tcp dport map @ports")
            pre.append(self.d.choice(ends))
        place = self.place(family, "postrouting", "nat")
        for _ in range(self.d.randint(1, 3)):
            place = self.settled(place)
            ends = [f"oifname \"wan0\" {self.match(place)} {COUNTER} masquerade", f"oifname \"wan0\" {COUNTER} masquerade",
                    f"oifname \"wan0\" {family} saddr {self.d.choice(lan)} {COUNTER} snat to {'2001:db8:f::9' if six else '203.0.113.9'}",
                    f"oifname \"lan0\" {family} daddr {self.d.choice(lan)} {COUNTER} masquerade", f"{self.match(place)} {COUNTER} accept"]
            post.append(self.d.choice(ends))
        self.features = with_sets
        return [family, "nat", sets, [["pre", "type nat hook prerouting priority dstnat; policy accept;", pre],
                                      ["post", "type nat hook postrouting priority srcnat; policy accept;", post]]]

    def ruleset(self):
        rs = Ruleset()
        # a refusal leaves Gatewarden where it was made and meets no chain of OUTPUT or POSTROUTING, by design: one or the other
        self.refuses = self.chance(0.65)
        rs.tables.append(self.filter_table(self.pick("inet", "inet", "ip", "ip6"), "f"))
        if self.chance(0.25):
            rs.tables.append(self.filter_table("inet", "g"))
        if self.has("nat") and self.chance(0.6):
            rs.tables.append(self.nat_table("ip"))
        # a reset made by a rule leaves through nft's POSTROUTING, and is no part of the connection there in IPv6; ours meets no chain
        if self.has("nat") and self.chance(0.3) and "tcp reset" not in rs.text():
            rs.tables.append(self.nat_table("ip6"))
        return rs
