# SPDX-License-Identifier: GPL-2.0-only
"""The control socket as its enemies and its heavy users see it.

usage: gwdsock.py SOCKET request VERB [JSON]    frames of the answer, one a line; exit code of WIRE_END
       gwdsock.py SOCKET stream VERB            frames as they come, one a line, until somebody ends it
       gwdsock.py SOCKET as GID...              the first frame of an answer to `nobody` in these groups, or why not
       gwdsock.py SOCKET malformed|cut|huge|idle|stuck|vanish|writers|slow   one attack; says "ok" or what went wrong
"""
import json
import os
import random
import socket
import struct
import sys
import threading
import time

MAGIC = 0x31575747
REQUEST, TEXT, JSON, FLOWS, ERROR, END = 1, 2, 3, 4, 5, 6
EVENT_SIZE, EVENT_TYPE, EVENT_PKTS, LOST = 184, 8, 40, 4


def frame(data, kind=REQUEST):
    return struct.pack("=III", MAGIC, kind, len(data)) + data


def connect(timeout=10):
    s = socket.socket(socket.AF_UNIX)
    s.connect(PATH)  # before the timeout: with one, a full backlog is an error instead of a wait
    s.settimeout(timeout)
    return s


def exactly(s, n):
    data = b""
    while len(data) < n:
        part = s.recv(n - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def receive(s):
    magic, kind, length = struct.unpack("=III", exactly(s, 12))
    assert magic == MAGIC
    return kind, exactly(s, length)


def answer(s):
    frames = []
    while True:
        frames.append(receive(s))
        if frames[-1][0] == END:
            return frames


def request(verb, s=None, **fields):
    s = s or connect(30)
    s.sendall(frame(json.dumps(dict(verb=verb, **fields)).encode()))
    return answer(s)


def code(frames):
    return json.loads(frames[-1][1])["code"]


def alive():
    assert code(request("ping")) == 0


def malformed():
    """Every one is refused with an error and the connection goes on."""
    bad = [b"", b"{", b"[]", b"1", b"null", b'{"verb":1}', b'{"verb":"nope"}', b'{"verb":"ping","x":1}',
           b'{"verb":"apply"}', b'{"verb":"apply","text":1}', b'{"verb":"apply","text":"","base":-1}',
           b'{"verb":"apply","text":"","base":4294967296}', b'{"verb":"apply","text":"","replace":"yes"}',
           b'{"verb":"flows","filter":[]}', b'{"verb":"flows","filter":{"colour":1}}', b"\xff\xfe",
           b'{"verb":"set","key":"a\\u0000"}', b'{"verb":"apply","text":"\xc3\x28"}',
           b'{"verb":"ping","verb":"off"}', b"[" * 100000, b'{"a":' * 100000, b'{"verb":"set","key":"log.level"}']
    s = connect()
    for text in bad:
        s.sendall(frame(text))
        frames = answer(s)
        assert frames[0][0] == ERROR and code(frames) == 2, (text[:60], frames)
    for fields in (dict(key="nope", value="1"), dict(key="timeout.udp", value="0"), dict(key="flows.max", value="99999"),
                   dict(key="metrics.listen", value=":9100"), dict(key="interfaces", value="a/b")):
        frames = request("set", s, **fields)
        assert frames[0][0] == ERROR and code(frames) == 1, (fields, frames)


def cut():
    """Half messages, other protocols, bytes one by one, random damage."""
    random.seed(7)
    whole = frame(b'{"verb":"get"}')
    for n in range(len(whole)):
        s = connect()
        s.sendall(whole[:n])
        s.close()
    s = connect()
    for byte in whole:
        s.sendall(bytes([byte]))
    assert code(answer(s)) == 0
    s = connect()
    s.sendall(b"GET / HTTP/1.0\r\n\r\n")
    assert code(answer(s)) == 2 and s.recv(1) == b""
    s = connect()
    s.sendall(frame(b"{}", kind=END))
    assert code(answer(s)) == 2
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(random.randrange(1, 4)):
            damaged[random.randrange(len(damaged))] = random.randrange(256)
        s = connect()
        s.sendall(damaged)
        s.close()


def huge():
    """The longest request is taken, a longer one is refused at its head."""
    s = connect(60)
    s.sendall(frame(b'{"verb":"ping"}' + b" " * ((64 << 20) - 15)))
    assert code(answer(s)) == 0
    s = connect()
    s.sendall(struct.pack("=III", MAGIC, REQUEST, (64 << 20) + 1))
    assert code(answer(s)) == 2 and s.recv(1) == b""


def idle():
    """1000 clients that say nothing: the limit refuses in words, and who leaves makes room."""
    clients, refused = [], 0
    for _ in range(1000):
        s = socket.socket(socket.AF_UNIX)
        s.connect(PATH)
        clients.append(s)
    time.sleep(0.3)
    for s in clients:
        s.setblocking(False)
        try:
            refused += b"too many clients" in s.recv(1000)
        except BlockingIOError:
            pass
    assert 740 <= refused <= 760, refused
    for s in clients:
        s.close()
    time.sleep(0.2)


def stuck():
    """A client that asks and never reads holds nobody up."""
    s = connect(0.5)
    try:
        for _ in range(100000):
            s.sendall(frame(b'{"verb":"get"}'))
        raise AssertionError("gwd buffered without end")
    except socket.timeout:
        pass
    start = time.time()
    alive()
    assert time.time() - start < 0.2


def vanish():
    """Clients that leave in the middle of a job."""
    for _ in range(50):
        s = connect()
        s.sendall(frame(b'{"verb":"flows"}'))
        s.close()
    for _ in range(50):
        s = connect()
        s.sendall(frame(b'{"verb":"show"}'))
        s.shutdown(socket.SHUT_WR)
        assert code(answer(s)) == 0


def writers():
    """R15: eight writers, each puts whole rulesets in force; the end is one of the inputs, whole."""
    def text(writer, turn):
        rules = "".join("tcp dport %d accept comment \"w%dt%d\"\n" % (p, writer, turn) for p in range(1, 40))
        return "table inet filter { chain forward { type filter hook forward priority 0; policy accept;\n%s} }" % rules
    failures = []

    def write(writer):
        s = connect(60)
        for turn in range(12):
            frames = request("apply", s, text=text(writer, turn), replace=True)
            if code(frames):
                failures.append(frames)
    threads = [threading.Thread(target=write, args=(w,)) for w in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not failures, failures[0]
    shown = b"".join(data for kind, data in request("show", stateless=True) if kind == TEXT).decode()
    tags = {part.split('"')[0] for part in shown.split('comment "')[1:]}
    assert len(tags) == 1 and shown.count("accept comment") == 39, shown[:300]
    assert tags.pop().endswith("t11")


def slow():
    """A listener that does not read: it gets what fits, then the exact number of what was lost.  Says "listening" first."""
    s = connect(3)
    s.sendall(frame(b'{"verb":"events"}'))
    print("listening", flush=True)
    sys.stdin.readline()
    seen = lost = 0
    try:
        while True:
            kind, data = receive(s)
            assert kind == FLOWS
            for at in range(0, len(data), EVENT_SIZE):
                if data[at + EVENT_TYPE] == LOST:
                    lost += struct.unpack_from("=Q", data, at + EVENT_PKTS)[0]
                else:
                    seen += data[at + EVENT_TYPE] == 1
    except socket.timeout:
        pass
    print(seen, lost)


def stream(verb):
    s = connect(None)
    s.sendall(frame(json.dumps(dict(verb=verb)).encode()))
    while True:
        print(receive(s)[1].decode(), flush=True)


def as_nobody():
    """Python is started by root: an interpreter or a checkout that nobody may read is no reason to fail."""
    os.setgroups([int(g) for g in sys.argv[3:]])
    os.setgid(65533)
    os.setuid(65534)
    try:
        s = connect()
    except OSError as e:
        print(e)
        return
    try:
        s.sendall(frame(b'{"verb":"ping"}'))
    except BrokenPipeError:
        pass  # refused at once, with words that still can be read
    print(receive(s)[1].decode())


PATH = sys.argv[1]
if sys.argv[2] == "as":
    as_nobody()
    sys.exit(0)
if sys.argv[2] == "stream":
    stream(sys.argv[3])
if sys.argv[2] == "request":
    frames = request(sys.argv[3], **json.loads(sys.argv[4] if len(sys.argv) > 4 else "{}"))
    for kind, data in frames[:-1]:
        print(len(data) // EVENT_SIZE if kind == FLOWS else data.decode())
    sys.exit(code(frames))
globals()[sys.argv[2]]()
if sys.argv[2] != "slow":
    alive()
    print("ok")
