# SPDX-License-Identifier: Apache-2.0
"""What is measured: umbeld as an administrator would configure it, and the ceiling program; and the generator that calls them."""
import json
import math
import os
import random
import socket
import struct
import subprocess
import sys
import time
import wave
from pathlib import Path

from labkit import audio, node as lab

SAID_S = 16
RATE, BOXES, FIRST_BOX, PIN = 8000, 100, 2001, "135790"
SERVER_CORE, GENERATOR_CORE = "0", "1"
NUMBER = {"play": "4000", "listen": "4001", "deposit": str(FIRST_BOX), "phone": "3000"}


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u, socket.socket(socket.AF_INET, socket.SOCK_STREAM) as t:
        u.bind(("127.0.0.1", 0))
        t.bind(u.getsockname())
        return u.getsockname()[1]


def pin_to_core(pid, core=SERVER_CORE):
    for task in os.listdir(f"/proc/{pid}/task"):
        subprocess.run(["taskset", "-cp", core, task], capture_output=True)


def make_prompt(path, seconds, seed=5):
    """A voice that says nothing: a buzz whose pitch and formants wander, in syllables, no two places of it alike. 16 bit, 8 kHz."""
    rng, phase, samples = random.Random(seed), 0.0, []
    resonances = [[0.0, 0.0] for _ in range(3)]
    while len(samples) < seconds * RATE:
        pitch, length = rng.uniform(90, 180), int(rng.uniform(0.12, 0.3) * RATE)
        formants = [rng.uniform(300, 800), rng.uniform(900, 2200), rng.uniform(2300, 3200)]
        coefficients = [(2 * 0.97 * math.cos(2 * math.pi * f / RATE), -0.97 * 0.97) for f in formants]
        for i in range(length):
            phase += pitch / RATE
            source = rng.uniform(-0.1, 0.1)
            if phase >= 1:
                phase -= 1
                source += 1
            value = 0.0
            for state, (a, b) in zip(resonances, coefficients):
                now = source + a * state[0] + b * state[1]
                state[1], state[0] = state[0], now
                value += now
            samples.append(value * math.sin(math.pi * i / length) ** 0.5 * 2500)
    top = max(abs(s) for s in samples)
    with wave.open(str(path), "wb") as w:
        w.setparams((1, 2, RATE, 0, "NONE", ""))
        w.writeframes(b"".join(struct.pack("<h", int(s / top * 20000)) for s in samples[:seconds * RATE]))
    return path


def samples_of(wav):
    """A WAV file's samples as bytes, 16 bit at 8 kHz: of 16 kHz every other one would be no prompt that anybody plays."""
    with wave.open(str(wav), "rb") as w:
        if (w.getnchannels(), w.getsampwidth(), w.getframerate()) != (1, 2, RATE):
            sys.exit(f"bench: {wav} is not 16 bit, 8 kHz, mono")
        return w.readframes(w.getnframes())


class Generator:
    """callgen, pinned to its core."""

    def __init__(self, build, files=None):
        self.program, self.files = build / "bench" / "callgen", files  # files: certificate, key, authority

    def command(self, port, pid, mode, **more):
        args = ["taskset", "-c", GENERATOR_CORE, str(self.program), "--target", f"127.0.0.1:{port}", "--pid", str(pid), "--mode", mode]
        for key, value in more.items():
            key = "--" + key.replace("_", "-")
            if key == "--tls" and value:
                cert, key_file, ca = self.files
                args += ["--tls", "--cert", cert, "--key", key_file, "--ca", ca]
            elif value is True:
                args.append(key)
            elif value is not None and value is not False:
                args += [key, str(value)]
        return list(map(str, args))

    def run(self, port, pid, mode, **more):
        done = subprocess.run(self.command(port, pid, mode, **more), capture_output=True, text=True, timeout=600)
        if not done.stdout:
            sys.exit(f"bench: the generator failed: {done.stderr}")
        return json.loads(done.stdout)


class Ceiling:
    """The least program; with a folder it keeps what callers say."""
    name, number = "ceiling", NUMBER

    def __init__(self, build, folder=None):
        self.port = free_port()
        self.args = ["taskset", "-c", SERVER_CORE, str(build / "bench" / "ceiling"), str(self.port), *([str(folder)] if folder else [])]

    def __enter__(self):
        self.proc = subprocess.Popen(self.args)
        time.sleep(0.2)
        if self.proc.poll() is not None:
            sys.exit("bench: the ceiling program could not start")
        self.pid = self.proc.pid
        return self

    def __exit__(self, *_):
        self.proc.kill()
        self.proc.wait()


class Umbel:
    name = "umbel"

    def __init__(self, folder, identity, ca, store=None, name="node"):
        self.udp, self.tls = free_port(), free_port()
        self.port, self.folder, self.number = self.udp, Path(folder), NUMBER
        self.prompt = self.say = None  # samples that callers hear, and what they say where what is kept is compared with it: files
        self.node = lab.Node(folder, name, self._configuration(name, identity, ca, store))

    def _configuration(self, name, identity, ca, store):
        mine, off = self.folder / name, {"on": False}
        return {
            "node": {
                "name": "bench", "fqdn": "localhost",
                "listen": [f"udp:127.0.0.1:{self.udp}", f"tls:127.0.0.1:{self.tls}"],
                "identities": [{"name": "own", "cert": str(identity.cert), "key": str(identity.key)}],
                "media": {"ports": "10000-32000", "threads": 1},  # below those that the generator's sockets get
                "sip": {"max_calls": 10000, "max_calls_per_source": 10000},
                "store": store or f"sqlite:{mine}/umbel.db", "data": f"{mine}/data", "admin": {"socket": f"{mine}/admin.sock"},
                "log": {"json": f"{mine}/events.jsonl"},
            },
            "trust": {"ca": [str(ca.cert)]},
            "gateways": [
                {"name": "udp", "address": "127.0.0.1", "port": self.udp, "transport": "udp", "sources": ["127.0.0.0/8"], "options": off},
                {"name": "tls", "address": "localhost", "port": self.tls, "transport": "tls", "accept_names": ["localhost"], "srtp": "optional", "options": off},
            ],
            "dialplans": [{"name": "bench", "gateway": "udp", "domain": "localhost", "extension_digits": 4, "access_numbers": [NUMBER["phone"]]}],
            # the one says its greeting whatever its callers say, as other servers do; the other one listens to them, and falls silent when they speak
            "attendants": [{"name": name, "numbers": [NUMBER[number]], "dialplan": "bench", "greeting_prompt": "bench", "input_timeout_s": 60, "speech": speech}
                           for name, number, speech in (("hear", "play", False), ("both", "listen", True))],
            "mailboxes": [{"name": f"box{FIRST_BOX + i}", "display_name": f"Box {i}", "extensions": [str(FIRST_BOX + i)], "dialplan": "bench", "lamp": False}
                          for i in range(BOXES)],
        }

    def cli(self, *args, **more):
        status, text = self.node.cli.run(*args, **more)
        if status:
            sys.exit(f"bench: umbel {' '.join(map(str, args))}: {text}")
        return text

    def __enter__(self):
        self.node.start()
        self.pid = self.node.proc.pid
        pin_to_core(self.pid)
        said, heard = make_prompt(self.folder / "prompt.wav", 30), self.folder / "heard.wav"
        self.cli("prompt", "import", "bench", said)
        self.cli("prompt", "export", "bench", heard)
        self.prompt = self.folder / "prompt.l16"
        self.prompt.write_bytes(samples_of(heard))
        self.say = self.folder / "say.l16"
        self.say.write_bytes(samples_of(make_prompt(self.folder / "say.wav", SAID_S, seed=11)))
        return self

    def __exit__(self, *_):
        self.node.stop()

    def pins(self, count):
        for i in range(count):
            self.node.set_pin(f"box{FIRST_BOX + i}", PIN)

    def messages(self):
        return sum(len(self.node.messages(f"box{FIRST_BOX + i}")) for i in range(BOXES))

    def newest(self, count):
        """The last message of each of the first mailboxes, as samples of 8 kHz."""
        for i in range(count):
            box, file = f"box{FIRST_BOX + i}", self.folder / "newest.wav"
            newest = max(self.node.messages(box), key=lambda m: m["received_us"], default=None)
            if newest:
                self.cli("message", "export", box, newest["id"], file)
                yield audio.read(file)
