#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Phones that speak G.722, Opus or L16 alone: they hear a greeting, press a key, leave a message, and both arrive as they were said. What is
kept as Opus or MP3 is read by ffmpeg, and heard again by phone. Three baresips and a linphone at once."""
# long way
from common import *
space.enter()
import concurrent.futures
import re
import shutil
import socket
import subprocess
import single
from labkit import site as lab
from labkit.caller import Call
from labkit.phones import BARESIP_CONFIG, Baresip
from labkit.softphones import Linphone

PIN = "739462"
# name, codec of baresip, its module, telephone-events, mailbox, form that the mailbox's policy keeps, suffix of its file
PHONES = [("g722", "G722", "g722", "alice", "opus", "opus"), ("opus", "opus/48000/2", "opus", "bob", "mp3", "mp3"),
          ("wide", "L16/16000/1", "l16", "carl", "wav_pcm", "wav")]
BOXES = {"alice": "2001", "bob": "2002", "carl": "2003", "dora": "2004"}


class Phone(Baresip):
    """A baresip that has one codec, is registered nowhere, and calls the node itself."""

    def __init__(self, folder, number, speech, codec, module):
        super().__init__(folder, number, speech)
        config = (self.dir / "config").read_text().replace("module g711.so", f"ausrc_channels 1\nauplay_channels 1\nmodule {module}.so")
        (self.dir / "config").write_text(config)
        (self.dir / "accounts").write_text(f'"{number}" <sip:{number}@domain.com>;regint=0;outbound="sip:{single.ADDRESS[0]}:{single.ADDRESS[1]};transport=udp"'
                                           f";audio_codecs={codec}\n")

    def start(self):
        self.proc = Proc(f"baresip-{self.number}", ["baresip", "-4", "-f", self.dir, "-s"], self.log_dir)

        def connect():
            try:
                self.link = socket.create_connection((self.address, self.control), timeout=1)
                return True
            except OSError:
                return not self.proc.running()
        if not until(connect, 10) or not self.link:
            raise Failed("baresip did not start:\n" + self.proc.said()[-1500:])
        return self


def change(c):
    c["gateways"][0]["codecs"] = ["opus", "g722", "l16-16k", "l16", "pcma", "pcmu"]
    c["policies"] = [{"name": f, "silence_s": 4, "audio_format": f} for f in ("wav_g711", "opus", "mp3", "wav_pcm")]
    c["mailboxes"] = [{"name": box, "display_name": f"{box.capitalize()} Example", "extensions": [number], "dialplan": "office", "dialable": True, "lamp": False,
                       "policy": next((p[4] for p in PHONES if p[3] == box), "opus")} for box, number in BOXES.items()]


def like(said, heard):
    return audio.likeness(audio.read(said), audio.read(heard))[0]


def at_8k(path, to):
    """By ffmpeg, which knows nothing of us."""
    subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-i", path, "-ar", "8000", "-ac", "1", "-c:a", "pcm_s16le", to], check=True)
    return to


class World:
    def __init__(self, story):
        self.story = story
        self.greeting, self.said = story.dir / "greeting.wav", story.dir / "said.wav"
        audio.write(self.greeting, audio.read(lab.SPEECH_B)[:4 * audio.RATE])
        audio.write(self.said, audio.read(lab.SPEECH_A)[audio.RATE // 4:4 * audio.RATE])
        self.quiet = story.dir / "quiet.wav"
        audio.write(self.quiet, [0] * 40 * audio.RATE)  # at the end of its file baresip hangs up
        self.spoken = story.dir / "spoken.wav"
        audio.write(self.spoken, audio.read(self.said) + [0] * 5 * audio.RATE)
        self.node = single.node(story, change)
        for box in BOXES:
            self.node.cli.run("mailbox", "greeting", box, "personal", self.greeting)

    def exported(self, box, suffix):
        messages = self.node.messages(box)
        if not messages:
            return None
        path = self.story.dir / f"{box}.{suffix}"
        self.node.cli.run("message", "export", box, messages[0]["id"], path)
        return path


def leave(w, phone, box):
    """Hears the greeting to its end, presses a key that means nothing there, speaks behind the tone, hangs up."""
    since = phone.dial(f"{BOXES[box]}")
    phone.wait("CALL_ESTABLISHED", 8, since)
    if not until(lambda: in_state(w, phone.number, "recorder: record"), 12, 0.1):
        raise Failed(f"{phone.number} was not recorded: " + w.node.last_call())
    phone.speak(w.spoken)
    time.sleep(audio.seconds(audio.read(w.said)) + 0.6)
    phone.hangup()


def in_state(w, number, words):
    return any(number in str(c["from"]) and words in c["state"] for c in w.node.cli.json("call", "list").get("calls", []))


def each_codec(w):
    phones = {box: Phone(w.story.dir, f"71{n:02}", w.quiet, codec, module).start() for n, (_, codec, module, box, _, _) in enumerate(PHONES)}
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for f in [pool.submit(leave, w, phone, box) for box, phone in phones.items()]:
            f.result()
    for name, _, _, box, form, suffix in PHONES:
        phone = phones[box]
        heard = phone.heard()
        score = like(w.greeting, at_8k(heard[-1], w.story.dir / f"heard-{name}.wav")) if heard else 0
        w.story.check(f"{name}: the greeting is heard", score > 0.7, score)
        w.story.check(f"{name}: a message is there", lambda: soon(lambda: len(w.node.messages(box)) == 1, 8))
        kept = {"opus": "opus", "mp3": "mp3", "wav_pcm": "L16"}[form]
        w.story.check(f"{name}: kept as {kept}", lambda: soon(lambda: str(w.node.messages(box)[0]["codec"]).startswith(kept), 10), w.node.messages(box))
        path = w.exported(box, suffix)
        if suffix != "opus":  # which is always told as 48 kHz
            rate = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "stream=sample_rate", "-of", "csv=p=0", path], capture_output=True, text=True).stdout.strip()
            w.story.check(f"{name}: it is kept in wide band", rate == "16000", rate)
        score = like(w.said, at_8k(path, w.story.dir / f"stored-{name}.wav"))
        w.story.check(f"{name}: what was said is what is kept, as ffmpeg reads it", score > 0.7, score)
        phone.stop()


def main(story):
    w = World(story)
    each_codec(w)
    trouble = w.node.told("MEDIA_RECORD|VOICE_SPOOL|MBOX_SPOOLED|MBOX_SAVE_FAILED|SIP_NO_COMMON", 0.1)
    story.check("no report of trouble", not trouble, trouble)
    w.node.stop()


if __name__ == "__main__":
    with Story("codecs") as story:
        main(story)
