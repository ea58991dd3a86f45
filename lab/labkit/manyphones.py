# SPDX-License-Identifier: Apache-2.0
"""A place where people are looked for: one SIP address, many calls at once, each answered as its number says. One thread for all of them."""
import os
import re
import select
import socket
import struct
import threading
import time

from . import audio
from .caller import FRAME, header

LOUD = 200


class Phones:
    """`does`: number -> "take" (answers, listens, presses 1, talks, hangs up), "deaf" (answers and presses nothing), "ring", or a status line.
    Everything else is not known here. `said` is what somebody who took a call says."""

    def __init__(self, address, does, said, talk_s=4):
        self.does, self.said, self.talk_s = does, said, talk_s
        self.sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sip.bind(address)
        self.calls, self.over, self.stop = {}, [], threading.Event()
        self.thread = threading.Thread(target=self._life, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def close(self):
        self.stop.set()
        self.thread.join(5)
        for c in list(self.calls.values()):
            self._end(c, "left over")
        self.sip.close()

    # -- SIP --
    def _reply(self, c, text, status, body="", extra=""):
        vias = "".join(f"Via: {v}\n" for v in re.findall(r"^Via\s*:\s*(.*?)\r?$", text, re.M | re.I))
        to = header(text, "To")
        to += "" if ";tag=" in to else f";tag={c['tag']}"
        port = self.sip.getsockname()[1]
        body = body.replace("\n", "\r\n")
        self.sip.sendto((f"SIP/2.0 {status}\n{vias}From: {header(text, 'From')}\nTo: {to}\nCall-ID: {header(text, 'Call-ID')}\nCSeq: {header(text, 'CSeq')}\n"
                         f"Contact: <sip:phone@127.0.0.1:{port}>\n{extra}Content-Length: {len(body)}\n\n").replace("\n", "\r\n").encode() + body.encode(), c["from"])

    def _invited(self, text, source):
        call_id = header(text, "Call-ID")
        if call_id in self.calls:
            return
        number = re.match(r"INVITE sips?:([^@;> ]+)", text)[1]
        c = self.calls[call_id] = {"id": call_id, "number": number, "does": self.does.get(number, "404 Not Found"), "tag": os.urandom(4).hex(), "from": source,
                                   "invite": text, "rtp": None, "heard": 0, "at": 0, "keys": 0, "talk": 0, "bye": 0.0, "sequence": 1, "stamp": 0, "acked": False}
        if c["does"] == "ring":
            self._reply(c, text, "180 Ringing")
        elif c["does"] in ("take", "deaf"):
            c["rtp"] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            c["rtp"].bind(("127.0.0.1", 0))
            c["to"] = (re.search(r"c=IN IP4 (\S+)", text)[1], int(re.search(r"m=audio (\d+)", text)[1]))
            self._answer(c)
        else:
            self._reply(c, text, c["does"])
            c["refused"] = True

    def _answer(self, c):
        port = c["rtp"].getsockname()[1]
        c["answered"] = time.monotonic()
        self._reply(c, c["invite"], "200 OK", f"v=0\no=p 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {port} RTP/AVP 0 101\n"
                    "a=rtpmap:0 PCMU/8000\na=rtpmap:101 telephone-event/8000\n", "Content-Type: application/sdp\n")

    def _on_request(self, text, source):
        method, call_id = text.split(" ", 1)[0], header(text, "Call-ID")
        if method == "INVITE":
            self._invited(text, source)
            return
        c = self.calls.get(call_id)
        if method == "ACK":
            if c and c.get("refused"):
                self._end(c, "refused")
            elif c:
                c["acked"] = True
            return
        stray = {"from": source, "tag": "stray"}
        self._reply(c or stray, text, "200 OK" if c or method in ("BYE", "OPTIONS") else "481 No such call")
        if c and method == "CANCEL":
            self._reply(c, c["invite"], "487 Request Terminated")
            c["refused"], c["cancelled"] = True, True
        elif c and method == "BYE":
            self._end(c, "cancelled" if c.get("cancelled") else "hung up by the server")

    def _bye(self, c):
        invite, target = c["invite"], re.search(r"<([^>]+)>", header(c["invite"], "Contact"))[1]
        port = self.sip.getsockname()[1]
        self.sip.sendto((f"BYE {target} SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{c['tag']}bye\nMax-Forwards: 70\nFrom: {header(invite, 'To')};tag={c['tag']}\n"
                         f"To: {header(invite, 'From')}\nCall-ID: {c['id']}\nCSeq: 1 BYE\nContent-Length: 0\n\n").replace("\n", "\r\n").encode(), c["from"])

    def _end(self, c, how):
        if c["rtp"]:
            c["rtp"].close()
        self.calls.pop(c["id"], None)
        self.over.append((c["number"], how))

    # -- sound --
    def _frame(self, c, kind, payload, stamp, mark=False):
        try:
            c["rtp"].sendto(struct.pack("!BBHII", 0x80, (0x80 if mark else 0) | kind, c["sequence"] & 0xFFFF, stamp & 0xFFFFFFFF, 4711) + payload, c["to"])
        except OSError:
            pass
        c["sequence"] += 1

    def _tick(self, c, now):
        if not c["rtp"]:
            return
        if not c["acked"] and now - c["answered"] > 0.5:
            self._answer(c)  # until the ACK comes
        if c["bye"]:
            if now > c["bye"]:
                self._bye(c)
                c["bye"] = now + 0.5
            return
        if c["does"] == "take" and c["heard"] > 60 and c["keys"] < 8:  # 1.2 s of words
            c["keys"] += 1
            self._frame(c, 101, struct.pack("!BBH", 1, (0x80 if c["keys"] > 5 else 0) | 10, min(c["keys"], 5) * FRAME), c["stamp"], c["keys"] == 1)
            return
        frame = b"\xff" * FRAME
        if c["keys"] >= 8:
            at = c["talk"] * FRAME % max(FRAME, len(self.said) - FRAME)
            frame = self.said[at:at + FRAME]
            c["talk"] += 1
            if c["talk"] * 0.02 > self.talk_s:
                c["bye"] = now
        c["stamp"] += FRAME
        self._frame(c, 0, frame.ljust(FRAME, b"\xff"), c["stamp"])

    def _hear(self, c):
        try:
            data = c["rtp"].recv(2048, socket.MSG_DONTWAIT)
        except OSError:
            return
        if len(data) > 12 and data[1] & 0x7F == 0 and sum(abs(audio._ULAW[b]) for b in data[12::8]) * 8 > LOUD * FRAME:
            c["heard"] += 1

    def _life(self):
        tick = time.monotonic()
        while not self.stop.is_set():
            now = time.monotonic()
            open_calls = {c["rtp"]: c for c in self.calls.values() if c["rtp"]}
            for s in select.select([self.sip, *open_calls], [], [], max(0.0, min(tick - now, 0.02)))[0]:
                if s is not self.sip:
                    self._hear(open_calls[s])
                    continue
                data, source = self.sip.recvfrom(65536)
                text = data.decode(errors="replace")
                c = self.calls.get(header(text, "Call-ID"))
                if not text.startswith("SIP/2.0 "):
                    self._on_request(text, source)
                elif c and "BYE" in header(text, "CSeq"):
                    self._end(c, "hung up here")
            now = time.monotonic()
            if now >= tick:
                tick = now if now - tick > 0.5 else tick + 0.02
                for c in list(self.calls.values()):
                    self._tick(c, now)
