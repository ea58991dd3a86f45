#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A disk that hangs for seconds under everything that a node writes, and one whose every sync takes a third of a second: no packet of any call is held
up by it, calls are answered, and what callers said meanwhile is kept whole."""
# variants: hangs
# long variants: slow
from common import *
space.enter()
import struct
import sys
import single
from labkit import site as lab
from labkit.load import Load
from labkit.node import BUILD, Node

HANGS_S, SYNC_MS = 5, 300
PLAYERS, SPEAKERS, SPEAK_S = 20, 10, 12


def change(c):
    c["attendants"][0].update(input_timeout_s=60)
    c["policies"][0].update(silence_s=10)
    c["node"]["sip"] = {"max_calls": 500, "max_calls_per_source": 500}
    c["mailboxes"] = [{**c["mailboxes"][0], "name": f"box{n}", "extensions": [str(2001 + n)], "lamp": False} for n in range(SPEAKERS)]


class World:
    def __init__(self, story):
        self.story = story
        self.gate = story.dir / "hangs"
        self.said = audio.read(lab.SPEECH_A)[:SPEAK_S * audio.RATE]
        self.words = story.dir / "words.l16"
        self.words.write_bytes(struct.pack(f"<{len(self.said)}h", *self.said))
        c = single.config(story.dir)
        change(c)
        env = {"LD_PRELOAD": str(BUILD / "tests" / "support" / "slow-disk.so"), "SLOW_DISK_UNDER": str(story.dir / "node01"), "SLOW_DISK_GATE": str(self.gate)}
        if story.name.endswith("slow"):
            env["SLOW_DISK_SYNC_MS"] = str(SYNC_MS)
        self.node = Node(story.dir, "node01", c, env)
        self.node.start(seconds=30)

    def calls(self, words=""):
        return sum(words in c["state"] for c in self.node.cli.json("call", "list").get("calls", []))

    def begin(self):
        """Some are listening, others speak and are recorded."""
        self.speakers = Load(single.ADDRESS, self.node, "play", to="2001", to_count=SPEAKERS, calls=SPEAKERS, rate=50, seconds=60, script="H,#~T" + "," * SPEAK_S + "B",
                             say=self.words, **{"from": 7001, "from_count": SPEAKERS})
        self.story.check("callers are recorded", until(lambda: self.calls("recorder: record") == SPEAKERS, 30), self.node.cli.run("call list")[1])
        self.players = Load(single.ADDRESS, self.node, "play", to="4000", calls=PLAYERS, rate=200, settle=0, seconds=HANGS_S + 4)
        self.story.check("others listen", until(lambda: self.calls() == SPEAKERS + PLAYERS, 20), self.node.cli.run("call list")[1])

    def heard(self):
        """Of those who listened."""
        r = self.players.result()
        self.story.check("no call failed", not r["failed"] and r["ok"] == PLAYERS, r)
        self.story.check("no packet is missing", r["received"] > 0 and r["lost"] <= r["overflow"] and not r["wrong_ts"], {k: v for k, v in r.items() if "hist" not in k})
        return r

    def kept(self):
        r = self.speakers.result()
        self.story.check("who spoke, spoke to the end", r["scripts"] == SPEAKERS, {k: v for k, v in r.items() if "hist" not in k})
        count = lambda: sum(len(self.node.messages(f"box{n}")) for n in range(SPEAKERS))
        self.story.check("every message is there", until(lambda: count() == SPEAKERS, 30, 0.5), count())
        for n in (0, SPEAKERS - 1):
            message = self.node.audio_of(f"box{n}", str(7001 + n))
            score = audio.likeness(self.said[:(SPEAK_S - 1) * audio.RATE], message)[0]
            self.story.check(f"box{n} holds what was said", score > 0.9 and audio.seconds(message) > SPEAK_S - 1, (score, audio.seconds(message)))


def hangs(w):
    w.begin()
    w.gate.touch()
    began = time.monotonic()
    try:
        status, text = w.node.cli.run("status", timeout=25)
        w.story.check("while the disk hangs, questions are answered", status == 0, text)
        new = Load(single.ADDRESS, w.node, "play", to="4000", calls=5, rate=20, settle=0, seconds=2).result(60)
        w.story.check("while the disk hangs, calls are taken and hear something", new["ok"] == 5 and not new["failed"] and new["received"] > 50 and new["lost"] <= new["overflow"],
                      {k: v for k, v in new.items() if "hist" not in k})
        time.sleep(max(0, HANGS_S - (time.monotonic() - began)))
    finally:
        w.gate.unlink()
    hung_ms = 1000 * (time.monotonic() - began)
    r = w.heard()
    # whoever waited for the disk was late by all of it; a busy machine makes them late by less
    w.story.check("no packet waited for the disk", r["latest_ms"] < hung_ms / 2, f"{r['latest_ms']} ms of {hung_ms:.0f}")
    w.kept()


def slow(w):
    w.begin()
    r = w.heard()
    w.story.check("no packet waited for a sync", r["lateness_p999_ms"] < SYNC_MS / 2, r["lateness_p999_ms"])
    w.kept()


if __name__ == "__main__":
    variant = sys.argv[1] if len(sys.argv) > 1 else "hangs"
    with Story(f"slow-disk-{variant}") as story:
        w = World(story)
        {"hangs": hangs, "slow": slow}[variant](w)
        w.story.check("it ends when told to", w.node.stop() == 0)
