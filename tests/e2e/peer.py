#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Small clients and servers for the namespace tests.

Servers print one line `peer ADDRESS PORT` per connection or datagram: who the server thinks it talks to.
  ssh PORT              line service: SSH-like banner, then echoes lines; closes `linger` seconds after the client did
  http PORT [TEXT]      answers every GET with TEXT; --tls FILE for https
  udp-echo PORT         sends each datagram back
Clients end with status 0 only if every answer came.
  tcp ADDR PORT         reads the banner, then for each stdin line sends it and prints the answer
  udp ADDR PORT         sends `count` datagrams one after the other, each waits for its answer
"""
import argparse
import http.server
import socket
import ssl
import sys
import threading
import time

BANNER = b"SSH-2.0-gatewarden_demo\r\n"


def say_peer(addr):
    print("peer", addr[0].removeprefix("::ffff:"), addr[1], flush=True)


def dual_stack(kind, a):
    s = socket.socket(socket.AF_INET6, kind)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    addr = a.bind or "::"
    s.bind((addr if ":" in addr else "::ffff:" + addr, a.port))
    return s


def ssh_session(conn, linger):
    with conn:
        conn.sendall(BANNER)
        while data := conn.recv(4096):
            conn.sendall(data)
        time.sleep(linger)


def serve_ssh(a):
    s = dual_stack(socket.SOCK_STREAM, a)
    s.listen(64)
    while True:
        conn, addr = s.accept()
        say_peer(addr)
        threading.Thread(target=ssh_session, args=(conn, a.linger), daemon=True).start()


def serve_http(a):
    body = (a.text + "\n").encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            say_peer(self.client_address)
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    class Server(http.server.ThreadingHTTPServer):
        address_family = socket.AF_INET6
        daemon_threads = True

        def server_bind(self):  # the base class would ask DNS for its own name
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            self.socket.bind(self.server_address)

    server = Server(("::", a.port), Handler)
    if a.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(a.tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


def serve_udp(a):
    s = dual_stack(socket.SOCK_DGRAM, a)
    while True:
        data, addr = s.recvfrom(65535)
        say_peer(addr)
        s.sendto(data, addr)


def connect(a, kind):
    family, _, _, _, dst = socket.getaddrinfo(a.addr, a.port, type=kind)[0]
    s = socket.socket(family, kind)
    s.settimeout(a.timeout)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((a.bind or ("::" if family == socket.AF_INET6 else "0.0.0.0"), a.sport))
    s.connect(dst)
    return s


def run_tcp(a):
    s = connect(a, socket.SOCK_STREAM)
    answers = s.makefile("rb")
    print(answers.readline().decode().rstrip(), flush=True)
    for line in sys.stdin.buffer:
        s.sendall(line)
        got = answers.readline()
        print(got.decode().rstrip(), flush=True)
        if got != line:
            sys.exit("wrong answer: %r" % got)
    s.shutdown(socket.SHUT_WR)
    if answers.read():
        sys.exit("unexpected data")


def run_udp(a):
    s = connect(a, socket.SOCK_DGRAM)
    for i in range(a.count):
        s.send(b"%d:" % i + b"x" * (a.size - 3))
        s.recv(65535)
    print("answers", a.count)


def main():
    p = argparse.ArgumentParser()
    sub = p.add_subparsers(required=True)
    for name, run in (("ssh", serve_ssh), ("http", serve_http), ("udp-echo", serve_udp)):
        q = sub.add_parser(name)
        q.set_defaults(run=run)
        q.add_argument("port", type=int)
        q.add_argument("text", nargs="?", default="hello")
        q.add_argument("--bind", help="a UDP server on one of several addresses must answer from it")
        q.add_argument("--tls")
        q.add_argument("--linger", type=float, default=0)
    for name, run in (("tcp", run_tcp), ("udp", run_udp)):
        q = sub.add_parser(name)
        q.set_defaults(run=run)
        q.add_argument("addr")
        q.add_argument("port", type=int)
        q.add_argument("--bind")
        q.add_argument("--sport", type=int, default=0)
        q.add_argument("--count", type=int, default=1)
        q.add_argument("--size", type=int, default=20)
        q.add_argument("--timeout", type=float, default=5)
    a = p.parse_args()
    a.run(a)


if __name__ == "__main__":
    try:
        main()
    except (OSError, KeyboardInterrupt) as e:
        sys.exit(str(e))
