#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Texts and names of the configuration are spoken in their language: what a caller hears is laid beside what espeak-ng and umbel-speech's flite make of the same words."""
import concurrent.futures
import math
import shutil
import struct
import subprocess
import wave

# long way
from common import *
space.enter()
import single
from labkit import site as lab
from labkit.node import BUILD

GREETING = "Herzlich willkommen bei der Firma Müller. Unsere Büros sind heute von neun bis siebzehn Uhr geöffnet."
RULE = "Jürgen Schröder ist gerade in einer Besprechung und ruft Sie gerne zurück."
FRAME_S = 0.02


def change(c):
    c["attendants"][0].update(language="de", greeting=GREETING, menu="Bitte warten Sie.", keys={}, schedule="")
    c["attendants"].append({"name": "english", "numbers": ["5001"], "dialplan": "office", "language": "en-US", "greeting": GREETING, "menu": "Bitte warten Sie."})
    box = c["mailboxes"][0]
    box.update(language="de-DE", rules=[{"name": "busy", "greeting": RULE}])
    c["node"]["speakers"] = [{"language": "en-GB", "voice": "en-gb"}]


def envelope(path):
    """How loud it is, 50 times a second, as a logarithm."""
    with wave.open(str(path)) as w:
        n, rate = w.getnframes(), w.getframerate()
        bytes_ = w.readframes(n)
    samples = struct.unpack(f"<{len(bytes_) // 2}h", bytes_)
    step = int(rate * FRAME_S)
    return [math.log(1 + math.sqrt(sum(s * s for s in samples[i:i + step]) / step)) for i in range(0, len(samples) - step, step)]


def trimmed(e):
    loud = [i for i, v in enumerate(e) if v > math.log(150)]
    return e[loud[0]:loud[-1] + 1] if loud else []


def correlation(a, b):
    n = len(a)
    ma, mb = sum(a) / n, sum(b) / n
    va, vb = sum((x - ma) ** 2 for x in a), sum((y - mb) ** 2 for y in b)
    return sum((x - ma) * (y - mb) for x, y in zip(a, b)) / math.sqrt(va * vb) if va and vb else 0


def likeness(heard, wanted):
    """The best place of the one in the other."""
    wanted = trimmed(wanted)
    return max((correlation(heard[i:i + len(wanted)], wanted) for i in range(len(heard) - len(wanted) + 1)), default=0)


def by_espeak(story, text, voice="de"):
    path = story.dir / f"espeak-{voice}.wav"
    subprocess.run(["espeak-ng", "-v", voice, "-s", "150", "-w", path, "--", text], check=True)
    return envelope(path)


def by_flite(story, text):
    path = story.dir / "flite.wav"
    path.write_bytes(subprocess.run([BUILD / "src/umbel-speech/umbel-speech", "--say"], input=(text + "\n").encode(), capture_output=True, check=True).stdout)
    return envelope(path)


def heard(story, node, name, number, seconds, caller):
    path = story.dir / f"{name}.wav"
    status, text = node.cli.run("call", "test", f"sip:{number}@127.0.1.11", "--from", caller, "--record", path, "--for", "60", "-e", f"wait {seconds}s; hangup", timeout=90)
    return (envelope(path) if status == 0 else []), text


with Story("voices") as story:
    if not shutil.which("espeak-ng"):
        story.skip("all of it", "espeak-ng is not installed")
        sys.exit(77)
    node = single.node(story, change)
    story.need("the helper is ready", until(lambda: node.events(2932), 20))
    calls = (("german attendant", lab.ATTENDANT, GREETING, True), ("the same words in an English one", "5001", GREETING, False), ("a rule of a German mailbox", "2001", RULE, True))
    with concurrent.futures.ThreadPoolExecutor() as pool:  # at once: most of it is waiting
        all_heard = [pool.submit(heard, story, node, name.replace(" ", "-"), number, 9, f"790{i}") for i, (name, number, _, _) in enumerate(calls)]
    for (name, _, text, german), e in zip(calls, all_heard):
        e, said = e.result()
        story.need(f"{name}: the call is answered", e, said)
        de, en = likeness(e, by_espeak(story, text)), likeness(e, by_flite(story, text))
        right, wrong = (de, en) if german else (en, de)
        story.check(f"{name}: {'espeak-ng, in German,' if german else 'flite, in English,'} speaks it", right > 0.85 and right > wrong + 0.2, f"like espeak-ng {de:.2f}, like flite {en:.2f}")
    story.check("nobody had to stand in", not node.events(2921) and not node.events(2922) and not node.events(2923))
    story.check("SIGTERM ends it in time", node.stop() == 0)
