#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""One UDP endpoint with a fixed port.

endpoint.py [--6] PORT [ADDR PORT]...   sends `hello` to each, then echoes what comes until it is ended; prints `from ADDRESS PORT TEXT` for each
datagram, and `error TEXT` for each ICMP error.  With --once it ends when every ADDR has answered or refused.  --6: IPv6.
"""
import socket
import sys


def receive(s):
    try:
        data, who = s.recvfrom(1000)
    except socket.timeout:
        print("silence", flush=True)
        return False
    except OSError as e:
        print("error", e.strerror, flush=True)
        return True
    print("from", who[0], who[1], data.decode(), flush=True)
    if data == b"hello":
        s.sendto(b"you %s %d" % (who[0].encode(), who[1]), who)
    return True


def main():
    args = [a for a in sys.argv[1:] if not a.startswith("--")]
    once, v6 = "--once" in sys.argv, "--6" in sys.argv
    targets = list(zip(args[1::2], map(int, args[2::2])))
    s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
    if v6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    # IP_RECVERR, IPV6_RECVERR: errors about unconnected sockets are told, too
    s.setsockopt(socket.IPPROTO_IPV6 if v6 else socket.IPPROTO_IP, 25 if v6 else 11, 1)
    s.bind(("", int(args[0])))
    s.settimeout(2 if once else None)
    for target in targets:
        s.sendto(b"hello", target)
        if once:
            receive(s)
    if once:
        return
    print("ready", flush=True)
    while receive(s):
        pass


main()
