#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Some five hundred messages with one thing wrong in each (tests/data/malformed.txt) over UDP, TCP and TLS, outside of calls and within one. Each is answered
as the table says, what is said in answer is itself well-formed, a refusal is counted, no stream stays stuck, and the call that they were about lives on."""
from common import *
space.enter()
import re
import select
import socket
import ssl
import single
from labkit import pki
from labkit import site as lab
from labkit.caller import Call, speech
from labkit.node import Node

SERVER, STRANGER = single.ADDRESS[0], "127.0.1.66"
WAYS = ("UDP", "TCP", "TLS")
MESSAGE_MS = 1500  # how long the node waits for the rest of a message
METHODS = {"O": "OPTIONS", "I": "INVITE", "C": "INVITE", "S": "SUBSCRIBE", "U": "NONSENSE", "R": "REGISTER", "M": "MESSAGE", "P": "PUBLISH", "K": "CANCEL", "B": "BYE",
           "N": "NOTIFY", "F": "INFO", "D": "UPDATE", "T": "PRACK", "A": "ACK", "E": "REFER", "X": "OPTIONS"}
LIVING = "BNFDTA"  # methods of requests that belong to a call
ORIGIN = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"
SDP = ORIGIN + "c=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 20000 RTP/AVP 0\r\n"
NEST = "".join(f"--b{'b' * n}\r\nContent-Type: multipart/mixed;boundary=b{'b' * (n + 1)}\r\n\r\n" for n in range(8)).replace("--b\r", "--b\r", 1)
ROOM = {"sdp": SDP, "sdp1": SDP[5:], "o": ORIGIN, "h": SERVER, "key": "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz", "nest": NEST,
        "40p": "--b\r\n\r\nx\r\n" * 40 + "--b--\r\n", "20m": "m=audio 20000 RTP/AVP 0\r\n" * 20, "30r": ", ".join(f"<sip:p{n}.example;lr>" for n in range(30)),
        "5000a": "a=x:" + "y" * 5000 + "\r\n", "700u": "sip:" + "x" * 700 + "@b", "300n": "9" * 300,
        **{f"{n}x": "x" * n for n in (80, 100, 200, 300, 4000)}}


def plain(text):
    return re.sub(r"\\(x[0-9a-f]{2}|[rnt0\\])", lambda m: {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}.get(m[1]) or chr(int(m[1][1:], 16)), text)


def rows():
    for number, line in enumerate((ROOT / "tests/data/malformed.txt").read_text().splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            base, edits, ideal, good, stream, what = (c[1:] if c[:1] == " " else c for c in line.split(" |"))
            both = [part.split() for part in stream.split("/")] if stream.strip() else [ideal.split(), good.split()]
            yield number, base, [e for e in edits.split(" ;; ") if e], (ideal.split(), good.split()), both, what


def build(base, edits, way, here, token, call):
    """The message as bytes. Headers are (name, value) pairs; an edit replaces, removes (-), adds (+), or writes a raw line (!), the first line (=) or the body (#)."""
    inside = base.startswith("d ")
    method = base[2:] if inside else METHODS[base]
    number = call.cseq if inside else 7
    dialled = "9999" if base == "I" else "2001"
    room = {**ROOM, "t": way, "here": here, "tok": token, "via": f"SIP/2.0/{way} {here};branch=z9hG4bK{token};rport"}
    fill = lambda t: plain(re.sub(r"\{(\w+)\}", lambda m: room.get(m[1], m[0]), t)).encode("latin1")
    start = f"{method} " + (call.remote_target if inside else f"sip:{dialled}@{SERVER}" if base in "ICS" else f"sip:{SERVER}") + " SIP/2.0"
    to = f"<{call._uri()}>;tag={call.remote_tag}" if inside else f"<sip:{dialled}@{SERVER}>" + (";tag=nobody" if base in LIVING else "")
    heads = [("Via", room["via"]), ("Max-Forwards", "70"), ("From", f"<sip:8801@domain.com>;tag={call.tag}" if inside else f"<sip:mal@{STRANGER}>;tag=m{token}"), ("To", to),
             ("Call-ID", call.call_id if inside else token), ("CSeq", f"{number} {method}"), ("Contact", call._contact() if inside else f"<sip:mal@{here}>")]
    body = b""
    if base in "IC" or base == "d INVITE":
        heads.append(("Content-Type", "application/sdp"))
        body = SDP.encode()
    if base == "S":
        heads += [("Event", "message-summary"), ("Expires", "600")]
    heads = [(n.encode(), v.encode()) for n, v in heads]
    raw, length = [], None
    for e in edits:
        kind, rest = e[0], e[1:]
        if kind == "=":
            start = rest
        elif kind == "!" and rest.startswith("^"):
            raw.insert(0, fill(rest[1:]))
        elif kind == "!":
            raw.append(fill(rest))
        elif kind == "#":
            body = fill(rest)
        elif kind == "-" and rest == "Content-Length":
            length = False
        elif kind == "-":
            heads = [h for h in heads if h[0] != rest.encode()]
        else:
            name, value = re.match(r"\+?([^:]+):\s?(.*)", e, re.S).groups()
            if name == "Content-Length" and kind != "+":
                length = fill(value)
            elif kind == "+" or name.encode() not in [h[0] for h in heads]:
                heads.append((name.encode(), fill(value)))
            else:
                heads = [(n, fill(value) if n == name.encode() else v) for n, v in heads]
    if length is not False:
        heads.append((b"Content-Length", str(len(body)).encode() if length is None else length))
    lines = [fill(start)] + ([raw.pop(0)] if [e for e in edits if e.startswith("!^")] else []) + [n + b": " + v for n, v in heads] + raw
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def probe(way, here, token):
    return (f"OPTIONS sip:{SERVER} SIP/2.0\r\nVia: SIP/2.0/{way} {here};branch=z9hG4bKp{token};rport\r\nMax-Forwards: 70\r\nFrom: <sip:probe@{STRANGER}>;tag=p{token}\r\n"
            f"To: <sip:{SERVER}>\r\nCall-ID: probe-{token}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n").encode()


def cut(data):
    """The messages of a stream of well-formed ones, and what is left over."""
    found = []
    while (end := data.find(b"\r\n\r\n")) >= 0:
        length = re.search(rb"\r\nContent-Length: (\d+)\r\n", data[:end + 2])
        if not length or len(data) < end + 4 + int(length[1]):
            break
        found.append(data[:end + 4 + int(length[1])])
        data = data[end + 4 + int(length[1]):]
    return found, data


def faults_of(answer, sent):
    """What is wrong with an answer itself."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    found = []
    if not re.fullmatch(rb"SIP/2\.0 [1-6]\d\d [^\0-\x1f]*", lines[0]):
        found.append("first line")
    for line in lines[1:]:
        if not re.match(rb"([A-Za-z0-9.!%*_+`'~-]+[ \t]*:|[ \t])", line) or b"\n" in line or b"\r" in line:
            found.append(f"line {line[:60]!r}")
    names = [line.split(b":")[0].strip().lower() for line in lines[1:] if line[:1] not in b" \t"]
    for name in (b"from", b"to", b"call-id", b"cseq", b"content-length"):
        if names.count(name) > 1:
            found.append(f"{name.decode()} {names.count(name)} times")
    for name in (b"via", b"content-length"):
        if name not in names:
            found.append(f"no {name.decode()}")
    length = re.search(rb"\r\nContent-Length: (\d+)", head)
    if length and int(length[1]) != len(body):
        found.append("Content-Length")
    return found


class Talk:
    """A socket or connection: of one message, but for TLS, where it serves until it is closed."""

    def __init__(self, way, context):
        self.way, self.data, self.answers, self.closed = way, b"", [], False
        if way == "UDP":
            self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.sock.bind((STRANGER, 0))
            self.sock.connect(single.ADDRESS)
        else:
            self.sock = socket.create_connection((SERVER, 5061 if way == "TLS" else 5060), 10, (STRANGER, 0))
            if way == "TLS":
                self.sock = context.wrap_socket(self.sock, server_hostname=SERVER)
        self.here = "%s:%d" % self.sock.getsockname()[:2]

    def again(self):
        """For the next message; None: with another one."""
        if self.way == "TLS" and not self.closed:
            self.answers = []
            return self
        self.sock.close()
        return None

    def say(self, data):
        try:
            self.sock.sendall(data)
        except OSError:
            self.closed = True

    def hear(self, seconds):
        self.sock.settimeout(seconds)
        try:
            piece = self.sock.recv(65536)
        except TimeoutError:
            return
        except OSError:
            piece = b""
        if self.way == "UDP":
            if piece:
                self.answers.append(piece)
            return
        self.closed = self.closed or not piece
        found, self.data = cut(self.data + piece)
        self.answers += found

    def of_message(self):
        return [a for a in self.answers if b"Call-ID: probe-" not in a and a.startswith(b"SIP/2.0 ")]

    def status(self):
        final = [int(a[8:11]) for a in self.of_message() if a[8:9] != b"1"]
        return str(final[0]) if final else ""

    def probed(self):
        return any(b"Call-ID: probe-" in a and a.startswith(b"SIP/2.0 200") for a in self.answers)


def finish(talk, message, way, here, token):
    """A final answer to an INVITE is acknowledged, and a call that came of it ended."""
    answer = next((a for a in talk.of_message() if a[8:9] != b"1"), b"")
    field = lambda name: (re.search(rb"^" + name + rb":\s*(.*?)\r$", answer, re.M) or [b"", b""])[1]
    if not re.search(rb"^CSeq:.*INVITE", answer, re.M):
        return
    number = field(b"CSeq").split()[0]
    good = answer[8:9] == b"2"
    target = (re.search(rb"^Contact: <([^>]+)", answer, re.M) or [b"", f"sip:{SERVER}".encode()])[1]
    via = f"SIP/2.0/{way} {here};branch=z9hG4bKa{token};rport".encode() if good else field(b"Via")
    say = lambda method, via, number: talk.say(method + b" " + target + b" SIP/2.0\r\nVia: " + via + b"\r\nMax-Forwards: 70\r\nFrom: " + field(b"From") + b"\r\nTo: " + field(b"To")
                                               + b"\r\nCall-ID: " + field(b"Call-ID") + b"\r\nCSeq: " + number + b" " + method + b"\r\nContent-Length: 0\r\n\r\n")
    say(b"ACK", via, number)
    if good and not message.startswith(b"INVITE sip:umbel"):
        say(b"BYE", f"SIP/2.0/{way} {here};branch=z9hG4bKb{token};rport".encode(), str(int(number) + 1).encode())
        ended = time.monotonic() + 10
        while time.monotonic() < ended and not talk.closed and not any(b" BYE\r\n" in a for a in talk.answers):
            talk.hear(0.2)


def ask(talk, base, edits, wanted, token, call):
    """(status, "none" or "close"; whether the probe was answered; faults of the answers; the node's words)."""
    way = talk.way
    message = build(base, edits, way, talk.here, token, call)
    waits = way != "UDP" and "408" in wanted[0] + wanted[1]
    talk.say(message if waits else message + probe(way, talk.here, token) if way != "UDP" else message)
    if way == "UDP":
        talk.say(probe(way, talk.here, token))
    silent, end = "none" in wanted[0], time.monotonic() + 30
    while time.monotonic() < end and not talk.closed and not (talk.status() and talk.probed()) and not (silent and talk.probed()):
        talk.hear(0.3)
    if talk.closed and not talk.answers:
        talk.hear(0.1)
    said = [f for a in talk.of_message() for f in faults_of(a, message)]
    why = next((m[1].decode(errors="replace") for a in talk.of_message() if (m := re.search(rb'Reason: .*text="([^\r]*)"', a))), "")
    if way == "UDP" or not talk.closed:
        finish(talk, message, way, talk.here, token)
    return talk.status() or ("close" if talk.closed else "none"), talk.probed() or talk.closed, said, why


def judge(story, way, context, table):
    counts, odd, ill, stuck, dead, call, talk = {"ideal": 0, "good": 0, "wrong": 0}, [], [], [], [], None, None
    for number, base, edits, datagram, stream, what in table:
        wanted = datagram if way == "UDP" else stream
        if base.startswith("d ") and not call:
            call = Call(single.ADDRESS, "2001", caller="8801", headers="Supported: timer\n").start().wait_answer(10)
            call.say(speech(lab.SPEECH_A) * 10, wait=False)  # who says nothing is asked to leave
        if call:
            call.cseq += 1
        talk = talk if talk and not talk.closed else Talk(way, context)
        status, served, faults, why = ask(talk, base, edits, wanted, f"{way.lower()}{number}", call)
        talk = talk.again()
        how = "ideal" if status in wanted[0] else "good" if status in wanted[1] else "wrong"
        counts[how] += 1
        line = f"line {number} {base} {' ;; '.join(edits)[:90]!r} ({what}): {status} {why}"
        if how == "wrong" or os.environ.get("ALL"):
            odd.append(line + f", expected {' '.join(wanted[0])}: {how}")
        if faults:
            ill.append(f"{line}: {faults}")
        if not served:
            stuck.append(line)
        if call and call.over and not dead:
            dead.append(line)
    story.say(f"{way}: " + ", ".join(f"{n} {how}" for how, n in counts.items()) + "".join("\n" + o for o in odd))
    story.check(f"{way}: each is answered as the table says", not counts["wrong"], "\n".join(odd))
    story.check(f"{way}: the answers are well-formed", not ill, "\n".join(ill))
    story.check(f"{way}: what follows is served, or the connection closed", not stuck, "\n".join(stuck))
    story.check(f"{way}: the call that they were about lives on", not dead, dead)
    if call:
        call.cseq += 1
        story.check(f"{way}: its BYE is taken", call.hang_up(30) == 200, call.bye_status)
        call.close()


with Story("malformed") as story:
    ca = pki.CA(story.dir / "ca")
    own, caller = ca.issue("node", space.NODES[0], space.NODES[:1]), ca.issue("pool", space.POOL, [space.POOL])
    config = single.config(story.dir)
    config["node"]["listen"].append(f"tls:{SERVER}:5061")
    config["node"]["identities"] = [{"name": "own", "cert": str(own.cert), "key": str(own.key)}]
    config["node"]["sip"] = {"message_timeout_ms": MESSAGE_MS}
    config["trust"] = {"ca": [str(ca.cert)]}
    config["gateways"][0].update(lamp=True, subscriptions=50)
    config["dialplans"][0]["gateway"] = "phones"
    config["gateways"].append({"name": "pool", "address": space.POOL, "transport": "tls", "srtp": "optional", "options": {"on": False}})
    node = Node(story.dir, "node01", config)
    node.start()
    context = ssl.create_default_context(cafile=str(ca.cert))
    context.check_hostname = False
    context.load_cert_chain(caller.cert, caller.key)
    table = list(rows())
    only = os.environ.get("ONLY")
    if only:
        table = [r for r in table if str(r[0]) in only.split(",")]
    for way in WAYS:
        before = time.monotonic()
        judge(story, way, context, table)
        story.say(f"{way}: {len(table)} in {time.monotonic() - before:.1f} s")
    told = node.events(2702)
    story.check("that messages cannot be read is told, by whom and why, and told seldom",
                told and len(told) < 200 and STRANGER in told[0]["text"] and " 400, since it cannot be read: " in told[0]["text"], told[:3])
    story.check("no sentence has a hole", not [e for e in node.events() if ": ;" in e["text"] or "  " in e["text"]], [e["text"] for e in node.events() if ": ;" in e["text"]][:3])
    story.check("no call is left over", until(lambda: not node.cli.json("call", "list").get("calls"), 40), node.cli.run("call", "list")[1])
    story.check("SIGTERM ends it in time", node.stop() == 0)
