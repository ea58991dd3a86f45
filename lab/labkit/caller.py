# SPDX-License-Identifier: Apache-2.0
"""A caller in plain Python over UDP: one call, speech in both directions, digits, and an exact memory of what was answered.

It shares no code with the server, so what it believes was acknowledged is an independent witness. One thread a call.
"""
import math
import os
import random
import re
import select
import socket
import struct
import threading
import time

from . import audio
from .run import Failed, until

FRAME = 160  # samples in 20 ms


def to_ulaw(sample):
    sign = 0x80 if sample < 0 else 0
    s = min(abs(sample), 32635) + 0x84
    exponent = max(0, s.bit_length() - 8)
    return ~(sign | exponent << 4 | (s >> (exponent + 3)) & 0x0F) & 0xFF


_TO_ULAW = bytes(to_ulaw(s - 32768) for s in range(65536))
SILENCE = b"\xff" * FRAME


def encode(samples):
    return bytes(_TO_ULAW[s + 32768] for s in samples)


def speech(wav, seconds=None):
    """Encoded once, for many calls."""
    samples = audio.read(wav)
    return encode(samples[:int(seconds * audio.RATE)] if seconds else samples)


def header(message, name):
    found = re.search(rf"^{name}\s*:\s*(.*?)\r?$", message, re.M | re.I)
    return found[1] if found else ""


class Call:
    """`Call(("127.0.0.1", 5060), "2001").start()` dials; wait_answer(), say(), press(), hang_up() follow; `status` is the final
    answer to the INVITE, `bye_status` the one to our BYE (0: none came)."""

    def __init__(self, server, number, caller="1000", local="127.0.0.1", headers="", domain="domain.com", codecs=(0, 101), sdp=None,
                 silent_rtp=False, display="", max_forwards=70):
        self.server, self.number, self.caller, self.domain = server, number, caller, domain
        self.display = f'"{display}" ' if display else ""
        self.headers, self.codecs, self.sdp, self.silent_rtp = headers, codecs, sdp, silent_rtp
        family = socket.AF_INET6 if ":" in local else socket.AF_INET
        self.sip = socket.socket(family, socket.SOCK_DGRAM)
        self.sip.bind((local, 0))
        self.rtp = socket.socket(family, socket.SOCK_DGRAM)
        self.rtp.bind((local, 0))
        self.local = local
        self.max_forwards, self.keys_heard, self._key_stamp = max_forwards, "", None
        self.call_id, self.tag = os.urandom(8).hex(), os.urandom(4).hex()
        self.cseq, self.status, self.provisional, self.bye_status = 1, 0, [], 0
        self.reason = ""
        self.remote_tag = self.remote_target = self.answer = ""
        self.routes, self.remote_rtp = [], None
        self.answered = self.over = False
        self.ended_by_server = False
        self.heard, self.tone_at, self.tone_frames = bytearray(), 0, 0
        self.queue, self.digits = bytearray(), []
        self.refer_to, self.refer_status = "", "202 Accepted"
        self.sequence, self.stamp, self.ssrc = random.getrandbits(16), random.getrandbits(32), random.getrandbits(32)
        self.lock = threading.Lock()
        self.error = None
        self.thread = threading.Thread(target=self._life, daemon=True)
        self.invite_branch = ""
        self.to_bye = False

    # -- what the test says --
    def start(self):
        self._invite()
        self.thread.start()
        return self

    def wait_status(self, seconds=5):
        until(lambda: self.status or self.error, seconds, 0.01)
        return self.status

    def wait_answer(self, seconds=5):
        if self.wait_status(seconds) != 200:
            raise Failed(f"call to {self.number}: answered {self.status or 'nothing'} {self.reason} {self.error or ''}")
        return self

    def say(self, encoded, wait=True):
        with self.lock:
            self.queue += encoded
        if wait:
            until(lambda: not self.queue or self.over, len(encoded) / 8000 + 2, 0.02)

    def press(self, digits, gap=0.12):
        for digit in digits:
            with self.lock:
                self.digits.append(digit)
            until(lambda: not self.digits or self.over, 2, 0.02)
            time.sleep(gap)

    def wait_over(self, seconds=10):
        return until(lambda: self.over, seconds, 0.02)

    def hang_up(self, seconds=5):
        """Sends BYE; the status of its answer, 0 when none came in time."""
        self.to_bye = True
        until(lambda: self.over or self.bye_status, seconds, 0.01)
        return self.bye_status

    def close(self):
        self.over = True
        if self.thread.is_alive():
            self.thread.join(2)
        self.sip.close()
        self.rtp.close()

    def quiet(self, seconds=0.7, after=0.5, limit=200):
        """Whether the other side has been silent for that long after having said something."""
        n = int(seconds * 8000)
        data = bytes(self.heard)
        return (sum(1 for i in range(0, len(data), FRAME) if _loud(data[i:i + FRAME], limit)) * 0.02 > after
                and len(data) > n and not any(_loud(data[i:i + FRAME], limit) for i in range(len(data) - n, len(data), FRAME)))

    def wait_quiet(self, timeout=20, **how):
        return until(lambda: self.over or self.quiet(**how), timeout, 0.05) and not self.over

    def wait_tone(self, timeout=25):
        """Until the tone of "speak after the tone" was heard and is over. Unlike a pause it cannot be mistaken for anything that is spoken."""
        def over():
            if self.tone_at > len(self.heard):
                self.tone_at = self.tone_frames = 0
            while len(self.heard) - self.tone_at >= FRAME:
                is_tone = _tone(bytes(self.heard[self.tone_at:self.tone_at + FRAME]))
                self.tone_at += FRAME
                if not is_tone and self.tone_frames >= 5:
                    self.tone_frames = 0
                    return True
                self.tone_frames = self.tone_frames + 1 if is_tone else 0
            return False
        return until(lambda: over() or self.over, timeout, 0.02) and not self.over

    def heard_samples(self):
        return [audio._ULAW[b] for b in bytes(self.heard)]

    # -- SIP --
    def _uri(self):
        return f"sip:{self.number}@{self.domain}"

    def _via(self):
        self.branch = "z9hG4bK" + os.urandom(6).hex()
        return f"SIP/2.0/UDP {self._here()};branch={self.branch};rport"

    def _contact(self):
        return f"<sip:{self.caller}@{self._here()}>"

    def _here(self):
        host, port = self.sip.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def _send(self, text):
        try:
            self.sip.sendto(text.replace("\n", "\r\n").encode(), self.server)
        except OSError as e:
            self.error = e

    def _offer(self):
        if self.sdp is not None:
            return self.sdp
        names = {0: "PCMU/8000", 8: "PCMA/8000", 9: "G722/8000", 13: "CN/8000", 18: "G729/8000", 101: "telephone-event/8000"}
        maps = "".join(f"a=rtpmap:{c} {names[c]}\n" for c in self.codecs)
        kind = "IP6" if ":" in self.local else "IP4"
        return (f"v=0\no=caller 1 1 IN {kind} {self.local}\ns=-\nc=IN {kind} {self.local}\nt=0 0\n"
                f"m=audio {self.rtp.getsockname()[1]} RTP/AVP {' '.join(map(str, self.codecs))}\n{maps}a=ptime:20\na=sendrecv\n")

    def _invite(self):
        body = self._offer().replace("\n", "\r\n")
        via = self._via()
        self.invite_branch = self.branch
        self.invite = (f"INVITE {self._uri()} SIP/2.0\nVia: {via}\nMax-Forwards: {self.max_forwards}\nFrom: {self.display}<sip:{self.caller}@{self.domain}>;tag={self.tag}\n"
                       f"To: <{self._uri()}>\nCall-ID: {self.call_id}\nCSeq: 1 INVITE\nContact: {self._contact()}\n"
                       f"Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, REFER, NOTIFY\n{self.headers}Content-Type: application/sdp\n"
                       f"Content-Length: {len(body)}\n\n").replace("\n", "\r\n") + body
        self.sip.sendto(self.invite.encode(), self.server)
        self.invite_sent, self.invite_again, self.invite_wait = time.monotonic(), time.monotonic() + 0.5, 0.5

    def _in_dialog(self, method, cseq, extra=""):
        to = f"<{self._uri()}>" + (f";tag={self.remote_tag}" if self.remote_tag else "")
        routes = "".join(f"Route: {r}\n" for r in self.routes)
        return (f"{method} {self.remote_target or self._uri()} SIP/2.0\nVia: {self._via()}\nMax-Forwards: 70\n{routes}"
                f"From: <sip:{self.caller}@{self.domain}>;tag={self.tag}\nTo: {to}\nCall-ID: {self.call_id}\nCSeq: {cseq} {method}\n"
                f"{extra}Content-Length: 0\n\n")

    def _ack(self, status):
        if 200 <= status < 300:
            self._send(self._in_dialog("ACK", 1))
        else:
            self._send(f"ACK {self._uri()} SIP/2.0\nVia: SIP/2.0/UDP {self._here()};branch={self.invite_branch};rport\nMax-Forwards: 70\n"
                       f"From: <sip:{self.caller}@{self.domain}>;tag={self.tag}\nTo: {self.last_to}\nCall-ID: {self.call_id}\n"
                       "CSeq: 1 ACK\nContent-Length: 0\n\n")

    def _on_response(self, text):
        status = int(text.split(" ", 2)[1])
        method = header(text, "CSeq").split()[-1]
        self.last_to = header(text, "To")
        if method == "INVITE":
            if status < 200:
                self.provisional.append(status)
                return
            if 200 <= status < 300 and not self.answered:
                self.remote_tag = (re.search(r";tag=([^;\s]+)", self.last_to) or ["", ""])[1]
                self.remote_target = (re.search(r"<([^>]+)>", header(text, "Contact")) or ["", ""])[1]
                self.routes = [r.strip() for line in reversed(re.findall(r"^Record-Route\s*:\s*(.*?)\r?$", text, re.M | re.I))
                               for r in reversed(line.split(","))]
                self.answer = text.split("\r\n\r\n", 1)[1] if "\r\n\r\n" in text else ""
                address, port = re.search(r"c=IN IP[46] (\S+)", self.answer), re.search(r"m=audio (\d+)", self.answer)
                if address and port:
                    self.remote_rtp = (address[1], int(port[1]))
                self.answered = True
            self._ack(status)
            self.reason = text.split("\r\n")[0] + " " + header(text, "Reason") + " " + header(text, "Warning")
            self.status = self.status or status
            if status >= 300:
                self.over = True
        elif method == "BYE" and status >= 200:
            self.bye_status, self.over = status, True

    def _on_request(self, text, source):
        method = text.split(" ", 1)[0]
        if method == "ACK":
            return
        vias = "".join(f"Via: {v}\n" for v in re.findall(r"^Via\s*:\s*(.*?)\r?$", text, re.M | re.I))
        status = {"REFER": self.refer_status}.get(method, "200 OK")
        if self.call_id != header(text, "Call-ID"):
            status = "481 No such call"
        answer = (f"SIP/2.0 {status}\n{vias}From: {header(text, 'From')}\nTo: {header(text, 'To')}\nCall-ID: {header(text, 'Call-ID')}\n"
                  f"CSeq: {header(text, 'CSeq')}\nContact: {self._contact()}\nContent-Length: 0\n\n")
        self.sip.sendto(answer.replace("\n", "\r\n").encode(), source)
        if status.startswith("481"):
            return
        if method == "REFER":
            self.refer_to = header(text, "Refer-To")
        if method == "BYE":
            self.ended_by_server = self.over = True

    def notify(self, fragment, over=False):
        """Progress of a REFER, as the phone that follows it would tell."""
        self.cseq += 1
        state = "terminated;reason=noresource" if over else "active;expires=60"
        body = fragment + "\r\n"
        text = self._in_dialog("NOTIFY", self.cseq, f"Contact: {self._contact()}\nEvent: refer\nSubscription-State: {state}\n"
                                                    "Content-Type: message/sipfrag;version=2.0\n")
        self._send(text.replace("Content-Length: 0", f"Content-Length: {len(body)}") + body.replace("\r\n", "\n"))

    # -- the call's own thread --
    def _life(self):
        try:
            self._run()
        except OSError as e:
            if not self.over:
                self.error = e
            self.over = True

    def _run(self):
        tick, bye_again, bye_text, event = time.monotonic(), 0.0, "", None
        give_up = time.monotonic() + 600
        while not self.over:
            now = time.monotonic()
            if now > give_up:
                self.error = "the call never ended"
                return
            ready, _, _ = select.select([self.sip, self.rtp], [], [], max(0.0, min(tick - now, 0.02)))
            if self.sip in ready:
                data, source = self.sip.recvfrom(65536)
                text = data.decode(errors="replace")
                if text.startswith("SIP/2.0 "):
                    self._on_response(text)
                else:
                    self._on_request(text, source)
            if self.rtp in ready:
                data = self.rtp.recv(4096)
                if len(data) > 12 and data[1] & 0x7F == 0:
                    self.heard += data[12:]
                elif len(data) >= 16 and data[1] & 0x7F == 101 and data[13] & 0x80 and data[4:8] != self._key_stamp:  # the end of a key, once
                    self._key_stamp = data[4:8]
                    self.keys_heard += "0123456789*#"[data[12]] if data[12] < 12 else "?"
            now = time.monotonic()
            if not self.status and not self.provisional and now > self.invite_again and now < self.invite_sent + 32:
                self.sip.sendto(self.invite.encode(), self.server)
                self.invite_wait = min(self.invite_wait * 2, 4)
                self.invite_again = now + self.invite_wait
            if self.to_bye and self.answered and now > bye_again and not self.bye_status:
                if not bye_text:
                    self.cseq += 1
                    bye_text = self._in_dialog("BYE", self.cseq)
                self._send(bye_text)
                bye_again = now + 0.5
            if now >= tick:
                tick += 0.02
                if now - tick > 0.5:
                    tick = now
                event = self._voice(event)

    def _voice(self, event):
        """One 20 ms frame: a digit's event packets (RFC 4733) while one is pressed, else speech, else silence."""
        if not self.remote_rtp or self.to_bye:
            return None
        with self.lock:
            if event is None and self.digits:
                event = [self.digits[0], 0, self.stamp]
            if event:
                code = "0123456789*#".index(event[0])
                event[1] += 1
                end = event[1] > 5
                payload = struct.pack("!BBH", code, (0x80 if end else 0) | 10, min(event[1], 5) * FRAME)
                self._rtp(101, payload, event[2], event[1] == 1)
                self.stamp += FRAME
                if event[1] == 8:
                    self.digits.pop(0)
                    return None
                return event
            frame, self.queue = bytes(self.queue[:FRAME]), self.queue[FRAME:]
        if frame or not self.silent_rtp:
            self._rtp(0, frame.ljust(FRAME, b"\xff"), self.stamp, False)
        self.stamp += FRAME
        return None

    def _rtp(self, kind, payload, stamp, mark):
        head = struct.pack("!BBHII", 0x80, (0x80 if mark else 0) | kind, self.sequence & 0xFFFF, stamp & 0xFFFFFFFF, self.ssrc)
        self.sequence += 1
        try:
            self.rtp.sendto(head + payload, self.remote_rtp)
        except OSError:
            pass  # nobody listens there any more; the signalling will say so


_WAVE = [(math.cos(math.pi * n / 4), math.sin(math.pi * n / 4)) for n in range(FRAME)]  # 1000 Hz at 8000 samples a second


def _tone(frame):
    """Whether nearly all of the frame's power is at 1000 Hz."""
    samples = [audio._ULAW[b] for b in frame]
    power = sum(s * s for s in samples)
    if power < FRAME * 200 ** 2:
        return False
    re_, im = (sum(s * w[k] for s, w in zip(samples, _WAVE)) for k in (0, 1))
    return (re_ ** 2 + im ** 2) * 2 / FRAME > 0.8 * power


def _loud(frame, limit):
    # Every third sample: every fourth would meet the tone of 1000 Hz only where it passes zero.
    return sum(abs(audio._ULAW[b]) for b in frame[::3]) * 3 > limit * len(frame)
