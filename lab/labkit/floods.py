# SPDX-License-Identifier: Apache-2.0
"""Floods against a node, each bounded in time, count and rate, and good calls meanwhile. Only for addresses of a namespace of our own (space.py).

A flood is a generator of work: run(flood, seconds) calls it until the time is over, in a thread of its own. Nothing here waits for an answer
that a flooded server need not give.
"""
import os
import resource
import select
import socket
import ssl
import struct
import threading
import time

from .caller import Call

SDP = ("v=0\r\no=f 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio {1} RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n")


def more_files(n=4096):
    """Half of a flood is files that are open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < n:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(n, hard), hard))


def invite(source, server, number, port=5070, n=0, transport="UDP"):
    body = SDP.format(source, 20000 + n % 20000 // 2 * 2)
    token = os.urandom(8).hex()
    return (f"INVITE sip:{number}@{server} SIP/2.0\r\nVia: SIP/2.0/{transport} {source}:{port};branch=z9hG4bK{token};rport\r\nMax-Forwards: 70\r\n"
            f"From: <sip:flood{n}@{source}>;tag={token[:8]}\r\nTo: <sip:{number}@{server}>\r\nCall-ID: {token}\r\nCSeq: 1 INVITE\r\n"
            f"Contact: <sip:flood@{source}:{port}>\r\nContent-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode()


class Flood:
    """`step()` does one piece of it; `close()` lets go of everything. `sent` counts pieces."""
    rate = 1000  # pieces a second at most

    def __init__(self, server, source):
        self.server, self.source, self.sent, self.socks = server, source, 0, []

    def step(self):
        raise NotImplementedError

    def socket(self, kind=socket.SOCK_DGRAM):
        sock = socket.socket(socket.AF_INET, kind)
        sock.bind((self.source, 0))
        self.socks.append(sock)
        return sock

    def connect(self, port=None):
        sock = self.socket(socket.SOCK_STREAM)
        sock.settimeout(2)
        sock.connect((self.server[0], port or self.server[1]))
        return sock

    def close(self):
        for sock in self.socks:
            sock.close()
        self.socks = []


class Invites(Flood):
    """INVITEs nobody means: no ACK, no answer is read."""

    def __init__(self, server, source, number="2001", rate=1000):
        super().__init__(server, source)
        self.number, self.rate = number, rate
        self.sock = self.socket()

    def step(self):
        self.sock.sendto(invite(self.source, self.server[0], self.number, self.sock.getsockname()[1], self.sent), self.server)
        if self.sent % 50 == 0:
            while select.select([self.sock], [], [], 0)[0]:
                self.sock.recv(65536)


class Garbage(Flood):
    def step(self):
        if not self.socks:
            self.socket()
        self.socks[0].sendto(os.urandom(200) if self.sent % 2 else b"INVITE sip:x SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK\r\n" + os.urandom(100) + b"\r\n\r\n",
                             self.server)


class Silent(Flood):
    """Connections that say nothing, or a byte now and then."""
    rate = 500

    def __init__(self, server, source, most=500, slow=False):
        super().__init__(server, source)
        self.most, self.slow, self.refused = most, slow, 0

    def step(self):
        if len(self.socks) < self.most:
            try:
                self.connect().setblocking(False)
            except OSError:
                self.refused += 1
        elif self.slow:
            sock = self.socks[self.sent % len(self.socks)]
            try:
                sock.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[self.sent // len(self.socks) % 11:][:1])
            except OSError:
                pass
        else:
            time.sleep(0.05)


class Endless(Flood):
    """A head, or a body, that never ends: what the other side does not take any more is begun anew."""
    rate = 2000

    def __init__(self, server, source, body=0, most=20):
        super().__init__(server, source)
        self.body, self.most, self.closed, self.answers = body, most, 0, set()

    def begin(self):
        sock = self.connect()
        sock.setblocking(False)
        head = (f"MESSAGE sip:x@{self.server[0]} SIP/2.0\r\nVia: SIP/2.0/TCP {self.source};branch=z9hG4bK{os.urandom(4).hex()}\r\nMax-Forwards: 70\r\n"
                f"From: <sip:e@{self.source}>;tag=1\r\nTo: <sip:x@{self.server[0]}>\r\nCall-ID: {os.urandom(6).hex()}\r\nCSeq: 1 MESSAGE\r\n")
        sock.send((head + (f"Content-Type: text/plain\r\nContent-Length: {self.body}\r\n\r\n" if self.body else "")).encode())

    def step(self):
        if len(self.socks) < self.most:
            self.begin()
            return
        i = self.sent % len(self.socks)
        sock = self.socks[i]
        try:
            if select.select([sock], [], [], 0)[0]:
                data = sock.recv(4096)
                self.answers.add(data[8:11].decode(errors="replace"))
                if not data:
                    raise ConnectionResetError
            sock.send(b"x" * 4096 if self.body else b"X-More: " + b"y" * 1000 + b"\r\n")
        except BlockingIOError:
            pass
        except OSError:
            self.closed += 1
            sock.close()
            self.socks.pop(i)


class Handshakes(Flood):
    """Whole TLS handshakes, one after the other, without a certificate."""
    rate = 400

    def __init__(self, server, source):
        super().__init__(server, source)
        self.context = ssl.create_default_context()
        self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE
        self.done = 0

    def step(self):
        try:
            plain = self.connect()
            with self.context.wrap_socket(plain):
                self.done += 1
        except OSError:
            pass
        self.close()


class Abandoned(Flood):
    """Calls that are answered and acknowledged, and then forgotten: no BYE, no voice."""
    rate = 200

    def __init__(self, server, source, number="2001", most=200):
        super().__init__(server, source)
        self.number, self.most, self.answered, self.refused = number, most, 0, 0
        self.sock = self.socket()

    def step(self):
        if self.sent < self.most:
            self.sock.sendto(invite(self.source, self.server[0], self.number, self.sock.getsockname()[1], self.sent), self.server)
        while select.select([self.sock], [], [], 0)[0]:
            self.answer(self.sock.recv(65536).decode(errors="replace"))

    def answer(self, text):
        if not text.startswith("SIP/2.0 "):
            head = text.split("\r\n\r\n")[0].split("\r\n")
            keep = [line for line in head if line.split(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
            self.sock.sendto(("SIP/2.0 200 OK\r\n" + "\r\n".join(keep) + "\r\nContent-Length: 0\r\n\r\n").encode(), self.server)
            return
        status = int(text[8:11])
        fields = dict(line.split(": ", 1) for line in text.split("\r\n\r\n")[0].split("\r\n")[1:] if ": " in line)
        if status < 200 or "INVITE" not in fields["CSeq"]:
            return
        self.answered += status == 200
        self.refused += status != 200
        via = fields["Via"].split(";received")[0] if status >= 300 else f"SIP/2.0/UDP {self.source}:{self.sock.getsockname()[1]};branch=z9hG4bK{os.urandom(6).hex()}"
        target = fields.get("Contact", "<sip:x>").split("<")[1].split(">")[0]
        self.sock.sendto((f"ACK {target} SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\nFrom: {fields['From']}\r\nTo: {fields['To']}\r\n"
                          f"Call-ID: {fields['Call-ID']}\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n").encode(), self.server)


class Requests(Flood):
    """Requests of one method that need no call, or belong to one that does not exist; or answers that nobody asked for."""

    def __init__(self, server, source, method, rate=1000, to_tag=""):
        super().__init__(server, source)
        self.method, self.rate, self.to_tag = method, rate, to_tag
        self.sock = self.socket()

    def step(self):
        token, here = os.urandom(8).hex(), "%s:%d" % self.sock.getsockname()
        first = "SIP/2.0 200 OK" if self.method == "answer" else f"{self.method} sip:2001@{self.server[0]} SIP/2.0"
        method = "OPTIONS" if self.method == "answer" else self.method
        self.sock.sendto((f"{first}\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK{token};rport\r\nMax-Forwards: 70\r\nFrom: <sip:f@{self.source}>;tag={token[:8]}\r\n"
                          f"To: <sip:2001@{self.server[0]}>{self.to_tag}\r\nCall-ID: {token}\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n").encode(), self.server)
        if self.sent % 50 == 0:
            while select.select([self.sock], [], [], 0)[0]:
                self.sock.recv(65536)


class Unread(Flood):
    """OPTIONS after OPTIONS over TCP, whose answers nobody reads."""
    rate = 500

    def __init__(self, server, source, most=50):
        super().__init__(server, source)
        self.most = most
        self.many = 20 * (f"OPTIONS sip:{server[0]} SIP/2.0\r\nVia: SIP/2.0/TCP {source};branch=z9hG4bKu\r\nMax-Forwards: 70\r\nFrom: <sip:u@{source}>;tag=u\r\n"
                          f"To: <sip:{server[0]}>\r\nCall-ID: u\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n").encode()

    def step(self):
        if len(self.socks) < self.most:
            self.connect().setblocking(False)
            return
        i = self.sent % len(self.socks)
        try:
            self.socks[i].send(self.many)
        except BlockingIOError:
            pass
        except OSError:
            self.socks.pop(i).close()


class Churn(Flood):
    """Connections that are reset as soon as they are there."""
    rate = 300

    def step(self):
        sock = self.connect()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
        self.socks.pop()


def run(flood, stop):
    """Until stop is set: steps at the flood's rate, caught up in small bursts. Errors of single steps are part of it."""
    began = time.monotonic()
    while not stop.is_set():
        due = int((time.monotonic() - began) * flood.rate)
        for _ in range(min(due - flood.sent, 50)):
            try:
                flood.step()
            except OSError:
                pass
            flood.sent += 1
        if flood.sent < due - 1000:  # this machine cannot: no burst later
            began = time.monotonic() - flood.sent / flood.rate
        time.sleep(0.005)


def good_calls(server, source, number, count, gap):
    """[(status, seconds to the answer)] of calls one after the other begun every `gap` seconds."""
    results = []

    def one(n):
        call = Call(server, number, caller=f"77{n:02d}", local=source)
        began = time.monotonic()
        call.start()
        status = call.wait_status(8)
        results.append((status, time.monotonic() - began))
        if status == 200:
            call.hang_up(5)
        call.close()
    threads = []
    for n in range(count):
        threads.append(threading.Thread(target=one, args=(n,), daemon=True))
        threads[-1].start()
        time.sleep(gap)
    for t in threads:
        t.join(15)
    return results


def under(flood, server, source, number, count=30, gap=0.2, before=0.5):
    """Good calls while the flood goes on: (results, flood)."""
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(flood, stop), daemon=True)
    thread.start()
    time.sleep(before)
    try:
        return good_calls(server, source, number, count, gap)
    finally:
        stop.set()
        thread.join(10)
        flood.close()
