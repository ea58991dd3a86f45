# SPDX-License-Identifier: Apache-2.0
"""The scenarios: each asks the generator for points and tells figures. A server is anything with port, pid and number[] (servers.py, peers.py).

  A play     answer and play while the caller speaks; calls last 20 s and are replaced, so that set-ups are part of it
  B deposit  greeting, beep, 15 s of speech, hang up: stored, synced
  C phone    a mailbox by telephone: PIN by keys, three messages played
  D setup    calls hung up after 0.1 s: over UDP, one TLS connection, a connection a call
  E secret   A and B with encrypted sound (SRTP): every packet is authenticated, decrypted and then judged as in A
  F codecs   A and B in G.722 and Opus: what comes is compared with what the server's encoder must make of the prompt; what was kept with what was said
  G storm    A, while strangers open TLS connections as fast as they can
"""
import struct
import subprocess
import sys

from labkit import audio

from .servers import BOXES, FIRST_BOX, PIN

HOLD_S = 20
DEPOSIT = "H~T" + "," * 15 + "B"
SESSION = f"~N#{PIN}#,1" + "," * 12 + "#" + "," * 12 + "#" + "," * 12 + "B"
FULL_PERCENT, LATE_SHARE = 90, 0.001


def lateness(r):
    return r["late"] / r["received"] if r["received"] else 0


def judged(r):
    """What was wrong with the packets, in words; empty when nothing was."""
    wrong = [f"{r[k]} {k}" for k in ("lost", "doubled", "reordered", "wrong_ts", "wrong_marker", "wrong_ssrc", "wrong_pt", "bad", "not_genuine", "leaps", "send_errors") if r.get(k)]
    return ", ".join(wrong)


def clean(r):
    return not r["failed"] and not r["lost"] and not r["not_genuine"] and lateness(r) <= LATE_SHARE and r["core_percent"] <= FULL_PERCENT and generator_kept_up(r)


def whole(r):
    """Whether all calls were served at all: what a call costs that is not served says nothing."""
    return r["received"] > 0.97 * r["calls"] * 50 * r["window_s"]


def generator_kept_up(r):
    g = r["generator"]
    return g["core_percent"] < 92 and not r["overflow"] and g["late_p999_ms"] < 20


def describe(name, r):
    g = r["generator"]
    print(f"    {name}: {r['calls']} calls, {r['core_percent']:.1f} % of the core ({', '.join(f'{t} {p}' for t, p in r['threads'].items())}), late p99.9 {r['lateness_p999_ms']} ms, "
          f"{100 * lateness(r):.3f} % over 20 ms, {r['failed']} failed; heard {r['known']} right, {r['quiet']} quiet, {r['unknown']} unknown; wrong: {judged(r) or 'nothing'}; "
          f"generator {g['core_percent']:.0f} %, late p99.9 {g['late_p999_ms']} ms" + ("" if generator_kept_up(r) else ": IT DID NOT KEEP UP"), file=sys.stderr)


class Bench:
    def __init__(self, generator, figures, window_s, ramp_s=5):
        self.generator, self.figures, self.window_s, self.ramp_s = generator, figures, window_s, ramp_s

    def point(self, server, what, calls, seconds=None, **more):
        port = server.tls if more.get("tls") else server.port
        r = self.generator.run(port, server.pid, "play", calls=calls, rate=max(20, calls / self.ramp_s), seconds=seconds or self.window_s,
                               **{"keep": True, "settle": 2, "prompt": getattr(server, "prompt", None), **more})
        describe(f"{server.name} {what}", r)
        self.figures.raw({"server": server.name, "scenario": what}, r)
        return r

    # ---- A ----
    def play(self, server, calls, **more):
        return self.point(server, "play", calls, **{"to": server.number["play"], "hold": HOLD_S, **more})

    def growth(self, servers, steps):
        """{server: {calls: result}}, each until there is too much for it; alternately, so that all have the same minutes. A few calls that are not clean are
        the machine's doing, and more may well be."""
        points, over, left = {s.name: {} for s in servers}, {}, list(steps)
        while left:
            n = left.pop(0)
            for s in servers:
                if n >= over.get(s.name, n + 1) or not self.figures.time_for(f"{s.name} with {n} calls", 2 * self.ramp_s + self.window_s):
                    continue
                r = points[s.name][n] = self.play(s, n)
                if not clean(r) and max(r["core_percent"], r["generator"]["core_percent"]) > 50:
                    over[s.name] = n
            if len(over) == len(servers):
                break
        for s in servers:  # once more between the greatest clean step and the one that was too much
            low = max((n for n, r in points[s.name].items() if clean(r)), default=0)
            high = over.get(s.name, 0)
            between = (low + high) // 200 * 100
            if low < between < high and self.figures.time_for(f"{s.name} with {between} calls", 2 * self.ramp_s + self.window_s):
                points[s.name][between] = self.play(s, between)
        return {name: dict(sorted(p.items())) for name, p in points.items()}

    # ---- B ----
    def deposits(self, server, calls, seconds=None, **more):
        return self.point(server, "deposit", calls, seconds=seconds or max(self.window_s, 16), to=server.number["deposit"], to_count=BOXES if server.name == "umbel" else None,
                          script=DEPOSIT, **{"settle": 18, "prompt": None, **more})

    def kept_like_said(self, server, count=3):
        """The worst of what some mailboxes kept last, as correlation with what their callers said."""
        said = [s for s, in struct.iter_unpack("<h", server.say.read_bytes())]
        return min((audio.likeness(said, kept)[0] for kept in server.newest(count)), default=0)

    # ---- C ----
    def sessions(self, server, boxes, seconds=40):
        """Each once, from the log-on to the end of the third message."""
        return self.point(server, "phone", boxes, seconds=seconds, to=server.number["phone"], **{"from": FIRST_BOX}, from_count=boxes, script=SESSION, silent=True, keep=False, settle=0,
                          prompt=None)

    # ---- D ----
    def setups(self, server, rate, seconds=None, **more):
        port = server.tls if more.get("tls") else server.port
        r = self.generator.run(port, server.pid, "setup", to=server.number["play"], rate=rate, seconds=seconds or self.window_s, **more)
        what = "setup-" + ("udp" if not more.get("tls") else "tls-each" if more.get("each") else "tls-one")
        print(f"    {server.name} {what}: {r['ok']} of {r['begun']} calls at {rate}/s, {r['core_percent']:.1f} % of the core, p99 {r['setup_p99_ms']} ms, "
              f"{r['retransmissions']} sent again; generator {r['generator']['core_percent']:.0f} %", file=sys.stderr)
        self.figures.raw({"server": server.name, "scenario": what, "rate": rate}, r)
        return r

    # ---- G ----
    def storm(self, server, calls, rate):
        """A beside `rate` handshakes a second: the calls' result and the storm's."""
        command = self.generator.command(server.tls, server.pid, "storm", rate=rate, seconds=self.window_s + 2 * self.ramp_s, tls=True)
        other = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        r = self.play(server, calls)
        return r, other.communicate(timeout=120)[0]

