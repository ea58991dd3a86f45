#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The torture messages of RFC 4475 and RFC 5118 over UDP, TCP and TLS, against what tests/data/torture.txt expects of each. Nothing may be answered
wrongly, nothing left silent, no stream stuck: behind each message an OPTIONS is answered, or the connection was closed."""
from common import *
space.enter()
import re
import select
import socket
import ssl
import single
from labkit import pki
from labkit.node import Node

DATA = ROOT / "tests" / "data"
SERVER, STRANGER = single.ADDRESS[0], "127.0.1.66"
MESSAGE_MS = 1500  # how long the node waits for the rest of a message
IDEAL_AT_LEAST = 50


def rows():
    for line in (DATA / "torture.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, where, ideal, good, stream, _ = (c.strip() for c in line.split("|"))
            on_stream = [part.split() for part in stream.split("/")] if stream else [ideal.split(), good.split()]
            yield name, where, (ideal.split(), good.split()), on_stream


def load(name, where):
    return (DATA / f"rfc{where.split()[0]}" / f"{name}.dat").read_bytes()


def probe(transport, n):
    return (f"OPTIONS sip:{SERVER} SIP/2.0\r\nVia: SIP/2.0/{transport} {STRANGER};branch=z9hG4bKprobe{transport}{n};rport\r\nMax-Forwards: 70\r\n"
            f"From: <sip:probe@{STRANGER}>;tag=p{n}\r\nTo: <sip:{SERVER}>\r\nCall-ID: probe-{transport}-{n}\r\nCSeq: {n} OPTIONS\r\n"
            "Content-Length: 0\r\n\r\n").encode()


def cut(data):
    """The messages of a stream of well-formed ones, and what is left over."""
    found = []
    while (end := data.find(b"\r\n\r\n")) >= 0:
        length = re.search(rb"\r\nContent-Length: (\d+)\r\n", data[:end + 2])
        whole = end + 4 + int(length[1])
        if len(data) < whole:
            break
        found.append(data[:whole])
        data = data[whole:]
    return found, data


said = {}  # why, in the node's words


def final_status(answers, n):
    """(status of the first final answer that isn't the probe's, whether the probe was answered)."""
    others = [a for a in answers if f"Call-ID: probe-".encode() not in a]
    final = [int(a.split(b" ", 2)[1]) for a in others if not a.startswith(b"SIP/2.0 1")]
    said[n] = (re.search(rb'Reason: .*text="([^\r]*)"', others[0]) or ["", b""])[1].decode() if others else ""
    return (str(final[0]) if final else "none"), any(re.search(rf"Call-ID: probe-\w+-{n}\r\n".encode(), a) and a.startswith(b"SIP/2.0 200") for a in answers)


def served(seen, silent):
    """The probe overtakes an INVITE, which is answered when the mailboxes have been asked."""
    status, probed = seen
    return probed and (silent or status != "none")


class Datagrams:
    """Answers go to the port that Via names, which is where the message says it is: one socket for each of them."""

    def __init__(self, ports):
        self.socks = []
        for port in ports:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind((STRANGER, port))
            self.socks.append(sock)

    def ask(self, message, n, silent, _):
        for sock in self.socks:  # repetitions of earlier answers
            while select.select([sock], [], [], 0)[0]:
                sock.recv(65536)
        known = (re.search(rb"^(?:Call-ID|i) *: *(\S+)", message, re.M | re.I) or [b"", b""])[1]
        self.socks[0].sendto(message, single.ADDRESS)
        self.socks[0].sendto(probe("UDP", n), single.ADDRESS)
        answers, end = [], time.monotonic() + 3
        while time.monotonic() < end:
            for sock in select.select(self.socks, [], [], 0.05)[0]:
                data = sock.recv(65536)
                if b"Call-ID: probe-" in data or not known or known in data or b"Call-ID:" not in data:
                    answers.append(data)
            if served(final_status(answers, n), silent):
                break
        return *final_status(answers, n), False


class Stream:
    def __init__(self, transport, context=None):
        self.transport, self.context = transport, context

    def ask(self, message, n, silent, may_wait):
        plain = socket.create_connection((SERVER, 5061 if self.context else 5060), 5, (STRANGER, 0))
        sock = self.context.wrap_socket(plain, server_hostname=SERVER) if self.context else plain
        data, closed, sent, end = b"", False, False, time.monotonic() + 3 + MESSAGE_MS / 1000
        with sock:
            sock.settimeout(0.1)
            try:
                sock.sendall(message if may_wait else message + probe(self.transport, n))
                while not closed and time.monotonic() < end and not served(final_status(cut(data)[0], n), silent):
                    try:
                        piece = sock.recv(65536)
                    except TimeoutError:
                        continue
                    data += piece
                    closed = not piece
            except OSError:
                closed = True
        answers, rest = cut(data)
        status, probed = final_status(answers, n)
        return ("close" if closed and status == "none" else status), probed, closed or bool(rest)


def judge(story, label, way, table, kind):
    counts, odd = {"ideal": 0, "good": 0, "wrong": 0, "silent": 0}, []
    stuck = []
    for n, (name, where, datagram, stream) in enumerate(table, 1):
        ideal, good = (datagram, stream)[kind]
        status, probed, closed = way.ask(load(name, where), n, ideal == ["none"], kind and name == "clerr")
        how = "ideal" if status in ideal else "good" if status in good else "silent" if status in ("none", "close") else "wrong"
        counts[how] += 1
        if how != "ideal":
            odd.append(f"{name} ({where}): {status}, expected {' '.join(ideal)}: {how}  {said.get(n, '')}")
        if not probed and not closed:
            stuck.append(name)
    story.say(f"{label}: " + ", ".join(f"{n} {how}" for how, n in counts.items()) + "".join(f"\n{o}" for o in odd))
    story.check(f"{label}: none is answered wrongly", not counts["wrong"], "\n".join(odd))
    story.check(f"{label}: none is left silent", not counts["silent"], "\n".join(odd))
    story.check(f"{label}: what follows is served, or the connection closed", not stuck, stuck)
    story.check(f"{label}: at least {IDEAL_AT_LEAST} of {len(table)} are answered ideally", counts["ideal"] >= IDEAL_AT_LEAST, counts)


def memory_kb(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{pid}/status").read())[1])


def sockets(pid):
    return sum(os.readlink(f).startswith("socket:") for f in Path(f"/proc/{pid}/fd").iterdir())


with Story("torture") as story:
    ca = pki.CA(story.dir / "ca")
    own, caller = ca.issue("node", space.NODES[0], space.NODES[:1]), ca.issue("pool", space.POOL, [space.POOL])
    config = single.config(story.dir)
    config["node"]["listen"].append(f"tls:{SERVER}:5061")
    config["node"]["identities"] = [{"name": "own", "cert": str(own.cert), "key": str(own.key)}]
    config["node"]["sip"] = {"message_timeout_ms": MESSAGE_MS, "t1_ms": 20, "max_connections_per_source": 400}
    config["trust"] = {"ca": [str(ca.cert)]}
    config["gateways"].append({"name": "pool", "address": space.POOL, "transport": "tls", "options": {"on": False}})
    node = Node(story.dir, "node01", config)
    node.start()
    table = list(rows())
    files = {f.stem for rfc in ("4475", "5118") for f in (DATA / f"rfc{rfc}").glob("*.dat")}
    story.check("the table knows every message, and each once", sorted(r[0] for r in table) == sorted(files), files ^ {r[0] for r in table})
    context = ssl.create_default_context(cafile=str(ca.cert))
    context.check_hostname = False
    context.load_cert_chain(caller.cert, caller.key)
    ports = {5060} | {int(p) for r in table for p in re.findall(rb"^v(?:ia)?\s*:\s*SIP\s*/\s*2.0\s*/\s*\w+\s+(?:\[[^\]]*\]|[^\s;:]+) *: *(\d+)", load(r[0], r[1]), re.M | re.I)}
    datagrams = Datagrams(sorted(ports))
    datagrams.ask(probe("UDP", 900), 901, True, False)
    memory, open_before = memory_kb(node.proc.pid), sockets(node.proc.pid)
    judge(story, "UDP", datagrams, table, 0)
    judge(story, "TCP", Stream("TCP"), table, 1)
    judge(story, "TLS", Stream("TLS", context), table, 1)
    after = memory_kb(node.proc.pid)
    story.check("memory is what it was, but for 20 MB at most", after - memory <= 20 << 10 or "asan" in os.environ.get("UMBEL_BUILD", ""),
                f"{memory} kB, then {after} kB")
    story.check("no connection is left over", until(lambda: sockets(node.proc.pid) <= open_before, 5), f"{open_before} sockets, now {sockets(node.proc.pid)}")
    story.check("no call is left over", not node.cli.json("call", "list").get("calls"), node.cli.run("call", "list")[1])
    call = single.Call(single.ADDRESS, "2001", caller="8801").start()
    story.check("a call is answered as if nothing had been", call.wait_status(8) == 200, call.reason)
    call.hang_up(8)
    call.close()
    story.check("SIGTERM ends it in time", node.stop() == 0)
