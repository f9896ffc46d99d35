#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Bulk transfers that know whether every byte arrived.

  bulk.py serve PORT              answers `get N` with N bytes and their SHA-256, `put N` (N bytes, SHA-256 follow) with ok
  bulk.py get|put ADDR PORT N     ends with status 0 only if all bytes arrived as they were sent
  bulk.py slow ADDR PORT N SECONDS   like get, reading at such a pace that it takes about SECONDS
  bulk.py gso ADDR PORT           datagrams in bursts that the kernel splits (as QUIC sends them) to and from a udp-echo server
  bulk.py steady ADDR PORT        a datagram every 2 ms to an echo server until SIGTERM; prints how many were sent and lost, and the longest
                                  time without an answer
"""

import hashlib
import random
import signal
import socket
import sys
import threading
import time

BLOCK = random.Random(1).randbytes((1 << 20) + 13)  # odd, so that nothing repeats at a multiple of a segment


def send_bytes(sock, size):
    digest, view = hashlib.sha256(), memoryview(BLOCK)
    while size:
        part = view[:size]
        sock.sendall(part)
        digest.update(part)
        size -= len(part)
    sock.sendall(digest.digest())


def read_exactly(stream, size, digest, pause=0.0):
    buffer = memoryview(bytearray(1 << 18))
    while size:
        got = stream.readinto(buffer[:size])
        if not got:
            sys.exit("the connection ended %d bytes early" % size)
        digest.update(buffer[:got])
        size -= got
        if pause:
            time.sleep(pause)


def read_bytes(stream, size, pause=0.0):
    digest, trailer = hashlib.sha256(), bytearray()
    read_exactly(stream, size, digest, pause)
    while len(trailer) < 32:
        got = stream.read(32 - len(trailer))
        if not got:
            sys.exit("the connection ended before the checksum")
        trailer += got
    return digest.digest() == bytes(trailer)


def session(conn):
    with conn, conn.makefile("rb") as stream:
        verb, size = stream.readline().split()
        if verb == b"get":
            send_bytes(conn, int(size))
        else:
            conn.sendall(b"ok\n" if read_bytes(stream, int(size)) else b"damaged\n")


def serve(port):
    s = socket.socket(socket.AF_INET6)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    s.bind(("::", port))
    s.listen(64)
    while True:
        conn, peer = s.accept()
        print("peer", peer[0].removeprefix("::ffff:"), peer[1], flush=True)
        threading.Thread(target=session, args=(conn,), daemon=True).start()


def client(verb, address, port, size, seconds=0.0):
    with socket.create_connection((address, port), timeout=30) as sock, sock.makefile("rb", buffering=0) as stream:
        sock.sendall(b"%s %d\n" % (b"put" if verb == "put" else b"get", size))
        if verb == "put":
            send_bytes(sock, size)
            return stream.read(3) == b"ok\n"
        return read_bytes(stream, size, seconds * (1 << 18) / size)


def steady(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.connect((address, port))
        sock.setblocking(False)
        answered, sent, running = set(), 0, [True]
        signal.signal(signal.SIGTERM, lambda *_: running.clear())
        last = time.monotonic()
        heard, silence = None, 0.0
        while running or time.monotonic() < last + 0.5:
            if running:
                sent, last = sent + 1, time.monotonic()
                sock.send(b"%d" % sent)
            time.sleep(0.002)
            try:
                while True:
                    answered.add(int(sock.recv(100)))
                    if len(answered) == 1:
                        print("begun", flush=True)
                    now = time.monotonic()
                    silence, heard = max(silence, now - (heard or now)), now
            except BlockingIOError:
                pass
        silence = max(silence, last - (heard or 0))
        print("sent", sent, "lost", sent - len(answered))
        print("silent", int(silence * 1000), "ms")


UDP_SEGMENT = 103


def gso(address, port, size=1200, count=20, rounds=50):
    """Each datagram of a burst comes back once and whole."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.connect((address, port))
        sock.settimeout(3)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sock.setsockopt(socket.SOL_UDP, UDP_SEGMENT, size)
        for r in range(rounds):
            at = r * 997
            wanted = [b"%06d" % (r * count + i) + BLOCK[at + i * size:at + i * size + size - 6] for i in range(count)]
            sock.send(b"".join(wanted))
            got = sorted(sock.recv(65536) for _ in range(count))
            if got != wanted:
                sys.exit("round %d: %d of %d datagrams are as they were sent" % (r, len(set(got) & set(wanted)), count))


def main(argv):
    if argv[0] == "gso":
        gso(argv[1], int(argv[2]))
        return
    if argv[0] == "serve":
        serve(int(argv[1]))
    if argv[0] == "steady":
        steady(argv[1], int(argv[2]))
        return
    seconds = float(argv[4]) if len(argv) > 4 else 0.0
    if not client(argv[0], argv[1], int(argv[2]), int(argv[3]), seconds):
        sys.exit("the bytes are not the ones that were sent")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (OSError, KeyboardInterrupt) as e:
        sys.exit(str(e))
