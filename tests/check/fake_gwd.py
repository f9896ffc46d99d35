# SPDX-License-Identifier: GPL-2.0-only
"""A gwd that answers what it is told to: for tests of gwctl's side of the socket.

usage: fake_gwd.py SOCKET REQUESTS-FILE ANSWER-FILE
Each request's JSON becomes one line of REQUESTS-FILE; the answer is the one ANSWER-FILE names, see below.
"""
import json
import os
import socket
import struct
import sys

MAGIC = 0x31575747
TEXT, JSON, FLOWS, ERROR, END = 2, 3, 4, 5, 6


def frame(kind, data=b"", length=None, magic=MAGIC):
    return struct.pack("=III", magic, kind, len(data) if length is None else length) + data


def js(kind, value):
    return frame(kind, json.dumps(value).encode())


def done(code=0):
    return js(END, {"code": code})


def event(kind=0, proto=6, state=3, flags=6, cause=0, timeout=431998, ports=(50798, 443), lost=0):
    def tup(src, dst, sport, dport):
        pad = bytes(12)
        return (socket.inet_aton(src) + pad + socket.inet_aton(dst) + pad +
                struct.pack("!HH", sport, dport) + bytes([proto, 0]) + struct.pack("=H", 0))
    return (struct.pack("=QBBBBHBBIIIIII", 1795166454464159999, kind, 4, proto, state, flags,
                        cause, 0, timeout, 7, 0, 0, 0, 0) +
            struct.pack("=QQQQ", lost, 0, 0, 0) +
            tup("192.168.1.10", "82.120.11.99", *ports) +
            tup("82.120.11.99", "82.120.11.22", *reversed(ports)) +
            struct.pack("=IIQIIII", 0, 0, 0, 0, 0, 0, 0))


SHAPES = [None, True, 0, -1, 1 << 60, 1.5, "", "text", [], {}, [[]], [None], [1], ["x"], [{}],
          {"a": {}}, {"flows": 1, "drops": [], "interfaces": {}, "settings": "x", "features": 3},
          {"interfaces": [1, {"name": 5, "masquerade4": [1]}], "settings": {"a": None},
           "features": {"a": None}, "drops": {"total": "x"}, "flows": {"max": "y"}},
          [{"key": 1, "value": [], "default": {}, "unit": 4, "live": "x", "help": None}],
          [{"reason": 3, "pkts": 1, "bytes": "x", "example": [1]},
           {"pkts": 5, "example": {"a": None, "b": [1]}}]]

FIXED = {
    "ok": done(),
    "ping": js(JSON, {"version": "0", "gen": 1, "ready": True}) + done(),
    "not-ready": js(JSON, {"version": "0", "gen": 0, "ready": False}) + done(),
    "text": frame(TEXT, b"one\n") + frame(TEXT, b"two\n") + done(),
    "refused": js(ERROR, {"error": "no"}) + done(1),
    "diag": js(ERROR, {"error": "no", "diag": "1:5: error: no\nadd x\n    ^\n"}) + done(1),
    "flows": frame(FLOWS, event() + event(proto=99, flags=0, state=0, ports=(0, 0))) + done(),
    "no-flows": done(),
    "events": frame(FLOWS, event(1, state=1, flags=0, timeout=120)) +
              frame(FLOWS, event(4, lost=3) + event(3, state=7, timeout=0)) + done(),
    "stats": js(JSON, [{"found": 1, "clash_resolve": 2}, {"drop": 3}]) + done(),
    "count": js(JSON, {"assured": 40, "embryonic": 2}) + done(),
    # hostile
    "close": b"",
    "garbage": b"HTTP/1.1 400 Bad Request\r\n\r\n" * 4,
    "magic": frame(TEXT, b"x", magic=1) + done(),
    "kind": frame(77, b"x") + done(),
    "request": frame(1, b"{}") + done(),
    "huge": frame(TEXT, b"", length=0xffffffff),
    "cut": frame(TEXT, b"x" * 10, length=1000),
    "cut-head": frame(TEXT)[:7],
    "odd-flows": frame(FLOWS, event() + b"x") + done(),
    "empty-flows": frame(FLOWS) + done(),
    "bad-json": frame(JSON, b"{") + done(),
    "empty-json": frame(JSON) + done(),
    "nul-json": frame(JSON, b"\0\0") + done(),
    "deep-json": frame(JSON, b"[" * 100000) + done(),
    "bad-error": frame(ERROR, b"\xff") + done(1),
    "error-shape": js(ERROR, [1]) + done(1),
    "error-types": js(ERROR, {"error": 1, "diag": {}}) + done(1),
    "bad-end": frame(END, b"x"),
    "end-code": js(END, {"code": 77}),
    "end-text": js(END, {"code": "0"}),
    "end-none": frame(END),
    "ff-flows": frame(FLOWS, b"\xff" * 184 * 3) + done(),
}
for i, shape in enumerate(SHAPES):
    FIXED[f"shape-{i}"] = js(JSON, shape) + done()


def receive(conn, n):
    data = b""
    while len(data) < n:
        part = conn.recv(n - len(data))
        if not part:
            return None
        data += part
    return data


def serve(conn, log, answer_file):
    while True:
        head = receive(conn, 12)
        if not head:
            return
        request = receive(conn, struct.unpack("=III", head)[2])
        with open(log, "a", encoding="utf-8") as out:
            out.write(request.decode() + "\n")
        with open(answer_file, encoding="utf-8") as name:
            answer = name.read().strip()
        conn.sendall(FIXED[answer])
        if not FIXED[answer].endswith(done()) and answer not in ("refused", "diag"):
            return


def main():
    if sys.argv[1] == "--list":
        print("\n".join(FIXED))
        return
    path, log, answer_file = sys.argv[1:]
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(path + ".new")
    sock.listen(16)
    os.rename(path + ".new", path)  # there only when it answers
    while True:
        conn, _ = sock.accept()
        try:
            serve(conn, log, answer_file)
        except OSError:
            pass
        conn.close()


main()
