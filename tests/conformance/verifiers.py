# SPDX-License-Identifier: Apache-2.0
"""The real programs, each behind the same two questions. TLS programs are here, SIP programs in sip_verifiers.py.

A verifier says for a seat which case, name and version it was asked, whether it accepted, in its own words why not, and what the
judged side saw. One that is not on this machine says so in `absent`."""
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import peer
from labkit.run import Failed, Proc, until

HERE = Path(__file__).resolve().parent


class Verdict:
    def __init__(self, accepted, sees, said=""):
        self.accepted, self.sees, self.said = accepted, sees, said


class Lab:
    """What all verifiers share: files, our listener, ports of this namespace."""

    def __init__(self, folder, anchors, keys, ours):
        self.dir, self.anchors, self.keys, self.ours = Path(folder), anchors, keys, ours
        self.server = peer.Server(reply=answer)
        self.next_port, self.next_address = 7100, 0

    def port(self):
        self.next_port += 1
        return self.next_port

    def fresh_address(self):
        """A loopback address that nobody has spoken to yet: no old connection is found and used again."""
        self.next_address += 1
        return f"127.77.{self.next_address >> 8}.{self.next_address & 255}"


def answer(got):
    """What our listener says to the first words of whoever accepted us."""
    if got.startswith(b"GET"):
        return b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
    if b"SIP/2.0" in got:
        lines = got.decode(errors="replace").split("\r\n")
        keep = [h for h in lines[1:] if re.match(r"(?i)(via|v|from|f|to|t|call-id|i|cseq|record-route) *:", h)]
        return "\r\n".join(["SIP/2.0 200 OK", *keep, "Content-Length: 0", "", ""]).encode()
    return b"hello\n"


def first_line(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout + done.stderr).strip().split("\n")[0]


def is_address(name):
    return bool(re.fullmatch(r"[0-9.]+", name)) or ":" in name


class Verifier:
    name, profile, seats, quick = "", "", ("server", "client"), True
    every, switch = 1, "on"  # it is asked about each nth certificate only; its check is "on" or "off"

    def __init__(self, lab):
        self.lab, self.proc, self.port = lab, None, 0

    def version(self):
        return ""

    def absent(self):
        """Why it cannot be asked here, or nothing."""
        return "" if shutil.which(self.name) else f"{self.name} is not installed"

    def start(self):
        pass

    def stop(self):
        if self.proc:
            self.proc.stop(signal.SIGTERM, 5)

    def dials(self, case, ref, version):
        """It dials us by `ref`; we show the case."""
        raise NotImplementedError

    def serves(self, case, version):
        """We dial it and show the case; accepted is who answers us."""
        sight = peer.dial(self.port, case.file, self.lab.keys[case.key], version, self.question())
        return self.sighted(sight, sight.end)

    def sighted(self, sight, said):
        """The verdict by what we saw: who answers us, or speaks to us, has accepted us."""
        if not sight:
            return Verdict(None, "nothing", said)
        return Verdict(bool(sight.data) if sight.shown() else None, sight.words(), said)

    def question(self):
        return b"hello\n"

    def show(self, case, version):
        self.lab.server.show(case.file, self.lab.keys[case.key], version)

    def verdict(self, accepted, said, patience=3):
        sight = self.lab.server.seen(patience)
        if sight and not sight.shown():
            accepted = None
        return Verdict(accepted, sight.words() if sight else "nothing", said)


class Command(Verifier):
    """A client that is started anew for each question; its exit status is the verdict."""

    def dials(self, case, ref, version):
        self.show(case, version)
        try:
            done = subprocess.run(self.command(ref, version), input=b"hello\n", capture_output=True, timeout=15)
        except subprocess.TimeoutExpired:
            return self.verdict(None, "did not come to an end", 1)
        good = done.returncode == 0
        return self.verdict(good, "" if good else self.why((done.stdout + done.stderr).decode(errors="replace")))

    def why(self, text):
        return " / ".join(line.strip() for line in text.strip().split("\n")[-2:])[-200:]


class Openssl(Command):
    name = profile = "openssl"

    def version(self):
        return first_line(["openssl", "version"])

    def start(self):
        self.port = self.lab.port()
        self.proc = Proc("openssl-s_server", ["openssl", "s_server", "-accept", self.port, "-cert", self.lab.ours[0], "-key", self.lab.ours[1],
                                              "-CAfile", self.lab.anchors, "-no-CApath", "-no-CAstore", "-Verify", "10", "-verify_return_error",
                                              "-rev", "-quiet"], self.lab.dir)
        peer.wait_port(self.port)

    def command(self, ref, version):
        host = f"[{ref}]" if ":" in ref else ref
        name = ["-verify_ip", ref, "-noservername"] if is_address(ref) else ["-verify_hostname", ref, "-servername", ref.rstrip(".")]
        return ["openssl", "s_client", "-connect", f"{host}:{self.lab.server.port}", *name, "-CAfile", self.lab.anchors, "-no-CApath",
                "-no-CAstore", "-verify_return_error", "-verify", "10", "-quiet", "-tls" + version.replace(".", "_")]

    def why(self, text):
        found = re.search(r"verify error:(num=[^\n]*)", text)
        return found[1] if found else super().why(text)


class Gnutls(Command):
    name, profile = "gnutls-cli", "gnutls"

    def version(self):
        return first_line(["gnutls-cli", "--version"])

    def absent(self):
        return "" if shutil.which("gnutls-cli") and shutil.which("gnutls-serv") else "gnutls-cli and gnutls-serv are not installed"

    def start(self):
        self.port = self.lab.port()
        self.proc = Proc("gnutls-serv", ["gnutls-serv", "--echo", "--port", self.port, "--x509cafile", self.lab.anchors, "--x509certfile",
                                         self.lab.ours[0], "--x509keyfile", self.lab.ours[1], "--require-client-cert",
                                         "--verify-client-cert", "--quiet"], self.lab.dir)
        peer.wait_port(self.port)

    def command(self, ref, version):
        return ["gnutls-cli", "--port", str(self.lab.server.port), "--x509cafile", str(self.lab.anchors), "--priority",
                f"NORMAL:-VERS-ALL:+VERS-TLS{version}", ref]

    def why(self, text):
        found = re.findall(r"- Status: ([^\n]*)|\*\*\* ([^\n]*)", text)
        return " / ".join(a or b for a, b in found)[-200:]


class Curl(Command):
    name, profile, seats = "curl", "curl", ("server",)

    def version(self):
        return first_line(["curl", "--version"])

    def command(self, ref, version):
        host = f"[{ref}]" if ":" in ref else ref
        return ["curl", "-sS", "-o", "/dev/null", "--max-time", "10", "--cacert", str(self.lab.anchors), "--tlsv" + version, "--tls-max", version,
                f"https://{host}:{self.lab.server.port}/"]


class Batch(Verifier):
    """A program of ours, in another language, that asks its own TLS library: one process a seat for all questions."""
    quick, source = False, ""

    def run(self, seat):
        raise NotImplementedError

    def start(self):
        env = {**os.environ, "ANCHORS": str(self.lab.anchors), "CERT": str(self.lab.ours[0]), "KEY": str(self.lab.ours[1]),
               "KEYSTORE": str(self.lab.ours[2])}
        log = open(self.lab.dir / f"{self.name}.log", "ab")
        pipe = {"stdout": subprocess.PIPE, "stderr": log, "text": True, "env": env}
        self.client = subprocess.Popen(self.run("client"), stdin=subprocess.PIPE, **pipe)
        self.listener = subprocess.Popen(self.run("server"), stdin=subprocess.PIPE, **pipe)
        line = self.listener.stdout.readline()
        if not (m := re.match(r"port (\d+)", line)):
            raise Failed(f"{self.name} did not start: {line} {(self.lab.dir / (self.name + '.log')).read_text()[-800:]}")
        self.port = int(m[1])

    def stop(self):
        for p in (getattr(self, "client", None), getattr(self, "listener", None)):
            if p:
                p.kill()
                p.wait()

    def dials(self, case, ref, version):
        self.show(case, version)
        self.client.stdin.write(f"{ref} {self.lab.server.port} {version}\n")
        self.client.stdin.flush()
        said = self.client.stdout.readline().strip()
        if not said:
            raise Failed(f"{self.name} ended")
        return self.verdict(said.startswith("ok"), said)


class Node(Batch):
    name = profile = "node"

    def version(self):
        return "Node " + first_line(["node", "-p", "process.version + ' with OpenSSL ' + process.versions.openssl"])

    def run(self, seat):
        return ["node", HERE / "verifier.js", seat]


class Java(Batch):
    name = profile = "java"

    def version(self):
        return first_line(["java", "-version"])

    def absent(self):
        if not shutil.which("java"):
            return "java is not installed"
        return "" if "jdk.compiler" in subprocess.run(["java", "--list-modules"], capture_output=True, text=True).stdout else "java has no compiler"

    def run(self, seat):
        return ["java", "-XX:TieredStopAtLevel=1", HERE / "Verifier.java", seat]


class Go(Batch):
    name = profile = "go"

    def version(self):
        return first_line(["go", "version"])

    def start(self):
        done = subprocess.run(["go", "build", "-o", self.lab.dir / "verifier-go", HERE / "verifier.go"], capture_output=True, text=True,
                              env={**os.environ, "GOCACHE": str(self.lab.dir / "go-cache"), "GO111MODULE": "off", "GOFLAGS": ""})
        if done.returncode:
            raise Failed("go build: " + done.stderr[-800:])
        super().start()

    def run(self, seat):
        return [self.lab.dir / "verifier-go", seat]
