# SPDX-License-Identifier: Apache-2.0
"""A node: umbeld with its configuration, and `umbel` to govern it as an administrator would."""
import json
import os
import re
import shlex
import signal
import subprocess
from pathlib import Path

from . import audio
from .run import Failed, Proc, until

BUILD = Path(os.environ.get("UMBEL_BUILD", Path(__file__).resolve().parents[2] / "build"))


def program(name):
    for folder in ("src", "src/cli", "."):
        if (BUILD / folder / name).exists():
            return BUILD / folder / name
    raise Failed(f"{name} is not built in {BUILD} (make build)")


def yaml(value, indent=0):
    """As much YAML as the configuration needs: maps, lists, scalars. Texts are always quoted."""
    pad = "  " * indent
    if isinstance(value, dict):
        out = []
        for key, v in value.items():
            if isinstance(v, (dict, list)) and v:
                out.append(f"{pad}{key}:\n{yaml(v, indent + 1)}")
            else:
                out.append(f"{pad}{key}: {yaml(v)}")
        return "\n".join(out)
    if isinstance(value, list):
        if not value:
            return "[]"
        if all(not isinstance(v, (dict, list)) for v in value):
            return pad + "[" + ", ".join(yaml(v) for v in value) + "]"
        return "\n".join(f"{pad}- {yaml(v, indent + 1).lstrip()}" for v in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    return json.dumps(str(value))


class Cli:
    """`umbel` against one admin socket."""

    def __init__(self, socket):
        self.socket = str(socket)

    def run(self, *args, timeout=30, input=None):
        """(exit status, output of both kinds). Arguments as one text are split like a shell would."""
        if len(args) == 1:
            args = shlex.split(args[0])
        if args[0] == "umbel":
            args = args[1:]
        done = subprocess.run([str(program("umbel")), *map(str, args)], capture_output=True, text=True, timeout=timeout, input=input or "",
                              env={**os.environ, "UMBEL_SOCKET": self.socket})
        return done.returncode, done.stdout + done.stderr

    def json(self, *args, timeout=30):
        if len(args) == 1:
            args = shlex.split(args[0])
        status, text = self.run(*args, "--json", timeout=timeout)
        try:
            return json.loads(text)
        except ValueError:
            rows = []
            for line in text.splitlines():
                try:
                    rows.append(json.loads(line))
                except ValueError:
                    raise Failed(f"umbel {' '.join(args)}: status {status}: {text[:600]}") from None
            return rows


class Node:
    """`config` is the whole umbel.yaml as Python data. The node runs in a folder of its own below `folder`;
    `wrap` goes before its command."""

    def __init__(self, folder, name, config, env=None, wrap=()):
        self.name, self.dir, self.env, self.wrap = name, Path(folder) / name, env or {}, list(wrap)
        self.dir.mkdir(exist_ok=True)
        self.log_dir, self.config, self.proc = Path(folder), config, None
        self.file, self.socket, self.json_log = self.dir / "umbel.yaml", self.dir / "admin.sock", self.dir / "events.jsonl"
        self.cli = Cli(self.socket)
        self.write()

    def write(self):
        self.file.write_text(yaml(self.config) + "\n")

    def start(self, ready=True, seconds=15):
        self.write()
        self.log_dir.joinpath(f"umbeld-{self.name}.log").unlink(missing_ok=True)
        self.proc = Proc(f"umbeld-{self.name}", [*self.wrap, program("umbeld"), self.file], self.log_dir, env=self.env, cwd=self.dir)
        if ready and not until(lambda: self.answers() or not self.proc.running(), seconds):
            raise Failed(f"{self.name} is not ready after {seconds} s:\n{self.proc.said()[-2500:]}")
        if ready and not self.proc.running():
            raise Failed(f"{self.name} ended at its start:\n{self.proc.said()[-2500:]}")
        return self

    def answers(self):
        if not self.socket.exists():
            return False
        status, text = self.cli.run("status")
        return status == 0 and text

    def events(self, number=None):
        """Events from the JSON lines file, oldest first."""
        rows = []
        if self.json_log.exists():
            for line in self.json_log.read_text(errors="replace").splitlines():
                try:
                    rows.append(json.loads(line))
                except ValueError:
                    continue  # the line that is being written
        return [r for r in rows if number is None or r.get("id") == number]

    def told(self, pattern, seconds=5):
        """The first event whose name, text, cause or advice matches, waiting for it; None when there is none."""
        def look():
            for r in self.events():
                if re.search(pattern, " ".join(str(r.get(k, "")) for k in ("name", "text", "cause", "advice")), re.I | re.S):
                    return r
        return until(look, seconds, 0.2)

    def wait_event(self, number, seconds=15, since=0):
        found = until(lambda: self.events(number)[since:], seconds)
        if not found:
            raise Failed(f"{self.name} told no event {number} in {seconds} s; it told "
                         f"{[r.get('id') for r in self.events()][-20:]}")
        return found[0]

    def set_pin(self, box, pin, final=True):
        """By the administrator's way. Unless final, its owner must choose another at the next log-on."""
        status, text = self.cli.run("mailbox", "pin", box, *(["--final"] if final else []), input=pin + "\n")
        if status:
            raise Failed(f"the PIN of {box} could not be set: {text}")

    def callers(self, box):
        """Who left the messages of that mailbox."""
        return [str(m.get("caller", "")) for m in self.messages(box)]

    def messages(self, box):
        answer = self.cli.json("message", "list", box)
        if "messages" not in answer:
            raise Failed(f"the messages of {box} are not listed: {answer}")
        return answer["messages"]

    def last_call(self):
        """The newest call step by step, as the administrator sees it."""
        found = re.search(r"^(01\S+)", self.cli.run("call", "list", "--history")[1], re.M)
        return self.cli.run("call", "show", found[1], "--steps")[1] if found else "no call"

    def audio_of(self, box, caller):
        """Samples of the newest message that caller left there."""
        for m in self.messages(box):
            if m.get("caller") == caller:
                file = self.dir / "exported.wav"
                status, text = self.cli.run("message", "export", box, m["id"], file)
                if status:
                    raise Failed(f"message {m['id']} of {box}: {text}")
                return audio.read(file)
        raise Failed(f"{box} has no message of {caller}")

    def kill(self):
        return self.proc.kill()

    def freeze(self):
        self.proc.send(signal.SIGSTOP)

    def thaw(self):
        self.proc.send(signal.SIGCONT)

    def stop(self, seconds=20):
        return self.proc.stop(seconds=seconds)
