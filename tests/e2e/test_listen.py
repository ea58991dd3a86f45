#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What comes in by bad lines: packets that are lost, late, doubled and overtake each other leave the words where they were said; keys that are
tones in the audio open a mailbox; a gateway behind a NAT is found where it sends from; a caller
who says his silence by comfort noise is as long as he was; and a call that sounded bad is told."""
import concurrent.futures
import heapq
import math
import random
import time

# long way
from common import *
space.enter()
import single
from labkit import site as lab
from labkit.caller import Call, encode

PIN = "739184"
SAID = audio.read(lab.SPEECH_A)[:6 * audio.RATE]
ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)


class Network:
    """A socket whose packets are lost, or late by 0 to 40 ms, perhaps twice, as the seed says."""

    def __init__(self, wire, seed, lost, doubled=0.05, late=0.04):
        self.wire, self.dice, self.lost, self.doubled, self.late = wire, random.Random(seed), lost, doubled, late
        self.under_way, self.gone, self.passed = [], 0, 0

    def sendto(self, packet, to):
        if self.dice.random() < self.lost:
            self.gone += 1
            return
        for _ in range(2 if self.dice.random() < self.doubled else 1):
            heapq.heappush(self.under_way, (time.monotonic() + self.dice.random() * self.late, self.dice.random(), packet, to))

    def turn(self):
        while self.under_way and self.under_way[0][0] <= time.monotonic():
            _, _, packet, to = heapq.heappop(self.under_way)
            self.wire.sendto(packet, to)
            self.passed += 1

    def __getattr__(self, name):  # all else is the socket's
        return getattr(self.wire, name)


class BadLine(Call):
    """A caller whose packets go by such a network."""

    def __init__(self, *args, seed, lost=0.05, **how):
        super().__init__(*args, **how)
        self.rtp = Network(self.rtp, seed, lost)

    def _voice(self, event):
        event = super()._voice(event)
        self.rtp.turn()
        return event


class Ear:
    """A socket that counts what comes as comfort noise, and makes it a frame of silence."""

    def __init__(self, wire):
        self.wire, self.noise, self.sound = wire, 0, 0

    def recv(self, size):
        data = self.wire.recv(size)
        if len(data) == 13 and data[1] & 0x7F == 13:
            self.noise += 1
            return data[:1] + b"\0" + data[2:12] + b"\xff" * 160
        self.sound += 1
        return data

    def __getattr__(self, name):
        return getattr(self.wire, name)


class Frugal(Call):
    """A caller who says that he is silent once, and nothing more until he speaks (RFC 3389)."""

    def __init__(self, *args, **how):
        super().__init__(*args, codecs=(0, 13, 101), **how)
        self.rtp, self.silent = Ear(self.rtp), False

    def _rtp(self, kind, payload, stamp, mark):
        if kind == 0 and not payload.strip(b"\xff"):
            if not self.silent:
                super()._rtp(13, b"\x41", stamp, False)
            self.silent = True
            return
        super()._rtp(kind, payload, stamp, mark or self.silent)
        self.silent = False


def change(c):
    c["node"]["sip"] = {"max_calls": 10, "reserved_calls": 5}  # a tenth at most: one
    c["node"]["log"]["levels"] = {"media": "high", "directory": "high"}
    c["gateways"][0]["sources"] = ["127.0.0.1/32"]
    c["gateways"][0]["comfort_noise"] = True
    c["gateways"].append({"name": "behind-nat", "address": "127.0.0.2", "port": 5060, "transport": "udp", "sources": ["127.0.0.2/32"], "options": {"on": False},
                          "symmetric_rtp": True})


def leave(call, say):
    """A message past the greeting; how many of its packets were sent from the tone on."""
    call.start()
    try:
        call.wait_answer(8)
        call.wait_quiet(6, seconds=0.06, after=0.1)
        call.heard.clear()
        call.press("#" if 101 in call.codecs else "")
        if not call.wait_tone(25):
            raise Failed(f"{call.caller} never heard the tone")
        call.say(say)
        time.sleep(0.3)
        call.hang_up(8)
    finally:
        call.close()
    return call


def tones(keys, on=0.14, off=0.12):
    out = []
    for key in keys:
        row, column = divmod("123A456B789C*0#D".index(key), 4)
        out += [int(6000 * (math.sin(2 * math.pi * ROWS[row] * i / 8000) + math.sin(2 * math.pi * COLUMNS[column] * i / 8000))) for i in range(int(on * 8000))]
        out += [0] * int(off * 8000)
    return encode(out)


def by_tones(call):
    call.start()
    try:
        call.wait_answer(8)
        call.wait_quiet(1.5, seconds=0.3, after=0.1)
        call.say(tones(f"2001#{PIN}#"))
        time.sleep(1.5)
        call.hang_up(8)
    finally:
        call.close()
    return call


def behind_a_nat():
    sdp = ("v=0\no=caller 1 1 IN IP4 192.0.2.7\ns=-\nc=IN IP4 192.0.2.7\nt=0 0\nm=audio 40000 RTP/AVP 0 101\na=rtpmap:0 PCMU/8000\n"
           "a=rtpmap:101 telephone-event/8000\n")
    return leave(Call(single.ADDRESS, "2001", caller="8703", local="127.0.0.2", sdp=sdp), encode(SAID[:3 * audio.RATE]))


def silence_before(samples):
    """likeness() places what is left when the silence around it is cut."""
    return (len(samples) - len(audio.trim(samples + [9999] * audio.STEP)) + audio.STEP) / audio.RATE


def words_are_where_they_were_said(story, node):
    heard = node.audio_of("alice", "8701")
    first, last = SAID[:2 * audio.RATE], SAID[4 * audio.RATE:]
    middle = 3 * audio.RATE
    (like_first, at_first), (like_last, at_last) = audio.likeness(first, heard[:middle]), audio.likeness(last, heard[middle:])
    story.check("5 % lost, 40 ms of jitter, doubled and overtaken: what is stored is what was said", min(like_first, like_last) > 0.85,
                f"correlation {like_first:.3f} {like_last:.3f}")
    apart, want = 3 + at_last - at_first, 4 + silence_before(SAID[4 * audio.RATE:]) - silence_before(SAID)
    story.check("... and as long, within 2 %", abs(apart - want) < 0.02 * 6, f"{apart:.3f} s apart, not {want:.3f}; {len(heard) / 8000:.2f} s in all")


def records(node):
    return {x["caller"]: x for x in node.cli.json("report", "calls", "--records")["records"]}


def the_last_place(story, node):
    """Nine callers are taken; the tenth place is the owner's; then nobody's."""
    calls = [Call(single.ADDRESS, "2001", caller=f"880{i}").start() for i in range(9)]
    taken = [c.wait_status(8) for c in calls]
    calls += [Call(single.ADDRESS, number, caller="8810") for number in ("2001", lab.SUBSCRIBER, lab.SUBSCRIBER)]
    last = [c.start().wait_status(8) for c in calls[9:]]
    story.check("the last place of a node is kept for owners of mailboxes", (taken, last) == ([200] * 9, [503, 200, 503]), (taken, last))
    story.check("... and BYE ends each call of a node that is full", [c.hang_up(8) for c in calls if c.status == 200] == [200] * 10)
    for c in calls:
        c.close()


with Story("listen") as story:
    node = single.node(story, change)
    node.set_pin("alice", PIN)
    rough = BadLine(single.ADDRESS, "2001", caller="8701", seed=11)
    keys = BadLine(single.ADDRESS, lab.SUBSCRIBER, caller="8702", seed=12, lost=0.02, codecs=(0,))
    bad = BadLine(single.ADDRESS, "2002", caller="8704", seed=13, lost=0.3)
    frugal = Frugal(single.ADDRESS, "2001", caller="8705")
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        going = [pool.submit(leave, rough, encode(SAID)), pool.submit(by_tones, keys), pool.submit(behind_a_nat), pool.submit(leave, bad, encode(SAID)),
                 pool.submit(leave, frugal, encode(SAID[:2 * audio.RATE] + [0] * 3 * audio.RATE + SAID[2 * audio.RATE:4 * audio.RATE]))]
        rough, keys, nat, bad, frugal = [g.result() for g in going]
    story.check("the line was bad", rough.rtp.gone > 5 and rough.rtp.passed > 300, f"{rough.rtp.gone} lost, {rough.rtp.passed} passed")
    words_are_where_they_were_said(story, node)
    story.check("keys as tones log on, on a gateway without telephone-event", node.told("the owner of mailbox alice logged on", 5), node.last_call())
    like = audio.likeness(SAID[:2 * audio.RATE], node.audio_of("alice", "8703")[:3 * audio.RATE])[0]
    story.check("a gateway behind a NAT is heard where it sends from", like > 0.9, f"correlation {like:.3f}")
    heard = node.audio_of("alice", "8705")
    likes = [audio.likeness(SAID[:2 * audio.RATE], heard[:3 * audio.RATE])[0], audio.likeness(SAID[2 * audio.RATE:4 * audio.RATE], heard[4 * audio.RATE:])[0]]
    story.check("comfort noise is silence as long as it lasted", min(likes) > 0.9, f"correlation {likes}; {len(heard) / 8000:.2f} s")
    story.check("... and what we send where we are silent ourselves", frugal.rtp.noise > 10 and frugal.rtp.sound > 10, f"{frugal.rtp.noise} of noise, {frugal.rtp.sound} of sound")
    found = node.told("it is taken from there, and ours goes there", 2)
    story.check("... and hears us; the event says so", found and found["id"] == 2520 and len(nat.heard) > 8000, found)
    event = node.told("sounded", 5)
    story.check("a call that lost three packets in ten is told", event and event["id"] == 3260 and event["fields"]["gateway"] == "phones", event)
    story.check("the records say how keys came", lambda: soon(lambda: [records(node).get(n, {}).get("keys") for n in ("8701", "8702", "8703")] ==
                ["event", "tone", "event"], 5), {n: r.get("keys") for n, r in records(node).items()})
    the_last_place(story, node)
    story.check("SIGTERM ends it in time", node.stop() == 0)
