# SPDX-License-Identifier: Apache-2.0
"""Those who use a cluster while it is mistreated: callers who leave messages, owners who log on by phone, people who guess PINs, administrators
who list, mark, delete and restore through any node, and a caller a second who only looks whether he is answered. What each did goes into a
history (history.py); what each lost is counted."""
import json
import random
import struct
import subprocess
import threading
import time
from dataclasses import dataclass

from . import audio, cluster
from . import site as lab
from .caller import FRAME, Call, _loud, speech
from .history import NO, OK, UNKNOWN, History
from .run import Failed, until

SERVER = (cluster.POOL, 5060)


def linear(encoded):
    return struct.pack(f"<{len(encoded)}h", *(audio._ULAW[b] for b in encoded))


def frames_found(said, kept):
    """Of each 20 ms of what was said whether it is in the samples kept, in order, exactly. Both as bytes; `said` is G.711, `kept` linear."""
    at, found = 0, []
    for i in range(0, len(said) - FRAME + 1, FRAME):
        here = kept.find(linear(said[i:i + FRAME]), at)
        found.append(here >= 0)
        if here >= 0:
            at = here + 2 * FRAME
    return found


def found_frames(said, kept):
    return sum(frames_found(said, kept))


@dataclass
class Deposit:
    op: object
    box: str
    caller: str
    said: bytes
    node: str = ""          # address of the one that answered
    began: float = 0.0      # to speak
    ended: float = 0.0      # when the caller's part was over
    status: int = 0
    bye: int = 0
    through: bool = False   # a fault of its node fell into the call: packets may be lost that nobody can know of

    def said_until(self, moment):
        """Bytes that had been spoken by then."""
        if not self.began:
            return b""
        return self.said[:max(0, int((min(moment, self.ended or moment) - self.began) * 50)) * FRAME]


class Clients:
    number = 0  # of the last caller: nobody calls from the same number twice
    lock = threading.Lock()

    def __init__(self, site, seed, depositors=3, admins=2, lookers=True):
        self.site, self.h = site, History()
        self.dice_seed, self.parts = seed, (depositors, admins, lookers)
        self.deposits, self.setups, self.sessions, self.tries = [], [], [], []
        self.stopping, self.threads, self.errors = threading.Event(), [], []
        text = speech(lab.SPEECH_A) + speech(lab.SPEECH_B)
        self.words = b"".join(f for f in (text[i:i + FRAME] for i in range(0, len(text) - FRAME, FRAME)) if _loud(f, 600))
        self.known, self.round = {}, 0  # (box, caller) -> id

    # -- all of them --
    def start(self):
        self.stopping.clear()
        self.round += 1
        depositors, admins, lookers = self.parts
        jobs = [self.leave_messages] * depositors + [self.administer] * admins + ([self.look] if lookers else []) + [self.log_on, self.guess]
        self.threads = [threading.Thread(target=self._guarded, args=(job, random.Random(f"{self.dice_seed}.{self.round}.{n}")), daemon=True)
                        for n, job in enumerate(jobs)]
        for t in self.threads:
            t.start()

    def _guarded(self, job, dice):
        try:
            job(dice)
        except Exception as e:  # told at the end: a client that died proves nothing
            self.errors.append(f"{job.__name__}: {type(e).__name__}: {e}")

    def stop(self, seconds=180):
        """Everybody ends what he is doing."""
        self.stopping.set()
        for t in self.threads:
            t.join(seconds)
            if t.is_alive():
                raise Failed("a client does not end")

    def _caller(self):
        with self.lock:
            Clients.number += 1
            return f"7{Clients.number:05}"

    def _set_up(self, call, sent):
        """A caller waits for his answer; how it went is remembered."""
        status = call.wait_status(40)
        with self.lock:
            self.setups.append((sent, time.monotonic(), status, call))
        return status

    # -- messages --
    def leave_messages(self, dice):
        while not self.stopping.is_set():
            self.deposit(dice.choice(("alice", "bob")), dice, 1 + 2 * dice.random())
            self.stopping.wait(dice.random())

    def deposit(self, box, dice, seconds, hold=None):
        """One caller from INVITE to the receipt. `hold`: an event that lets him go; until then he speaks on."""
        caller = self._caller()
        at = dice.randrange(0, len(self.words) // FRAME - 1500) * FRAME
        said = (self.words + self.words)[at:at + int(seconds * 50) * FRAME]
        d = Deposit(self.h.begin(caller, "deposit", (box, caller)), box, caller, said)
        with self.lock:
            self.deposits.append(d)
        call = Call(SERVER, cluster.BOXES[box], caller=caller, local=cluster.CALLERS)
        sent = time.monotonic()
        call.start()
        try:
            d.status = self._set_up(call, sent)
            if d.status != 200:
                d.op.end(UNKNOWN if d.status in (0, 408) else NO)
                return d
            d.node = call.remote_target.split("@")[-1].split(":")[0].removeprefix("sip:")
            time.sleep(0.3)
            call.press("#")
            if not call.wait_tone(40):
                call.hang_up(15)
                d.op.end(UNKNOWN)
                return d
            d.began = time.monotonic()
            call.say(said, wait=False)
            until(lambda: not call.queue or call.over or (hold and hold.is_set()), seconds + 60, 0.02)
            with call.lock:
                d.said = said[:len(said) - len(call.queue)]
                call.queue.clear()
            d.ended = time.monotonic()
            d.bye = call.hang_up(20)
            d.op.end(OK if d.bye == 200 else UNKNOWN)
        finally:
            call.close()
            if d.op.outcome is None:
                d.op.end(UNKNOWN)
        return d

    # -- administrators --
    def ask(self, node, what, key, *args):
        """One command through that node, written into the history."""
        op = self.h.begin(node.name, what, key)
        try:
            status, text = node.cli.run(*args, "--json", timeout=20)
        except subprocess.TimeoutExpired:
            return op.end(UNKNOWN), ""
        return op.end(OK if status == 0 else NO if "ADMIN_NOT_FOUND" in text or "NO_SERVER" in text else UNKNOWN), text

    def read(self, node, box, folder="all"):
        what = "deleted" if folder == "deleted" else "list"
        op = self.h.begin(node.name, what, box)
        try:
            status, text = node.cli.run("message", "list", box, "--folder", folder, "--json", timeout=20)
            rows = [(m["caller"], m["state"], m["id"]) for m in json.loads(text)["messages"]] if status == 0 else []
        except (subprocess.TimeoutExpired, ValueError, KeyError):
            status, rows = -1, []
        op.end(OK if status == 0 else UNKNOWN, rows)
        with self.lock:
            self.known.update({(box, caller): id for caller, _, id in rows})
        return op

    def failures(self, node):
        op = self.h.begin(node.name, "failures", "pia")
        try:
            pin = node.cli.json("mailbox", "show", "pia", timeout=20).get("pin")
        except (Failed, subprocess.TimeoutExpired, AttributeError):
            pin = None
        return op.end(OK if pin else UNKNOWN, [pin["failures"]] if pin else [])

    def administer(self, dice):
        while not self.stopping.is_set():
            node = dice.choice(self.site.nodes)
            what = dice.choices(("list", "deleted", "failures", "saved", "new", "delete", "restore", "purge"), (6, 3, 1, 2, 1, 4, 4, 0.3))[0]
            with self.lock:
                key = dice.choice(sorted(self.known)) if self.known else None
                id = self.known.get(key)
            if what in ("list", "deleted"):
                self.read(node, dice.choice(("alice", "bob")), "all" if what == "list" else what)
            elif what == "failures":
                self.failures(node)
            elif key and what in ("saved", "new"):
                self.ask(node, what, key, "message", "mark", key[0], id, what)
            elif key and what == "restore":
                self.ask(node, what, key, "message", "undelete", key[0], id)
            elif key:
                self.ask(node, what, key, "message", "delete", key[0], id, *(["--for-good"] if what == "purge" else []))
            self.stopping.wait(0.2 + 0.4 * dice.random())

    # -- by phone --
    def _subscriber(self, box, pin):
        """Somebody calls his mailbox and types who he is. The call, or None when it was not answered or broke."""
        call = Call(SERVER, lab.SUBSCRIBER, caller=self._caller(), local=cluster.CALLERS)
        sent = time.monotonic()
        call.start()
        if self._set_up(call, sent) != 200:
            return call, False
        for keys in (cluster.BOXES[box] + "#", pin + "#"):
            # Keys interrupt whatever is being said; that something is, shows that they are listened for.
            if not until(lambda: call.over or any(_loud(bytes(call.heard[i:i + FRAME]), 200) for i in range(0, len(call.heard), FRAME)), 20, 0.05) or call.over:
                return call, False
            call.press(keys)
            time.sleep(0.3)  # what was on its way when the keys were pressed
            call.heard.clear()
        return call, not call.over

    def log_on(self, dice):
        """Carol hears what lies in her mailbox, again and again: what she hears is what was said."""
        while not self.stopping.is_set():
            began = time.monotonic()
            call, good = self._subscriber("carol", cluster.PIN)
            heard = 0
            if good:
                time.sleep(1)
                call.press("1")
                said = self.carols
                until(lambda: call.over or len(call.heard) > 14 * 8000, 16, 0.1)
                data = bytes(call.heard)
                heard = max(sum(1 for i in range(0, len(s), FRAME) if data.find(s[i:i + FRAME]) >= 0) / (len(s) / FRAME) for s in said) if said else 0
            call.hang_up(10)
            call.close()
            with self.lock:
                self.sessions.append((began, time.monotonic(), call.status, heard))
            self.stopping.wait(1)

    carols = ()

    def furnish(self, dice):
        """Messages for Carol, before anything happens."""
        d = self.deposit("carol", dice, 3)
        if d.bye != 200:
            raise Failed(f"Carol's message was not accepted: {d.status} {d.bye}")
        self.carols = (d.said,)

    def guess(self, dice):
        """Wrong PINs, one a call."""
        while not self.stopping.is_set():
            op = self.h.begin("", "wrong", "pia")
            call, good = self._subscriber("pia", "112358")
            op.client = call.caller
            if good:
                call.wait_over(30)
            call.hang_up(10)
            call.close()
            # Until the node's own words say that it was judged (settle_tries), nobody knows.
            op.end(UNKNOWN)
            with self.lock:
                self.tries.append(op)
            self.stopping.wait(1 + dice.random())

    def settle_tries(self):
        """A wrong PIN counts as such where a node said so before the call was over: event 1013 names the caller."""
        told = {e.get("fields", {}).get("caller") for n in self.site.nodes for e in n.events(1013)}
        for op in self.tries:
            if op.client in told:
                op.outcome = OK

    def look(self, dice):
        """One call after another, hung up as soon as it is answered."""
        while not self.stopping.is_set():
            t = threading.Thread(target=self._look, daemon=True)
            t.start()
            self.stopping.wait(0.5)
        self.stopping.wait(0.1)

    def _look(self):
        call = Call(SERVER, cluster.BOXES["bob"], caller=f"9{self._caller()}", local=cluster.CALLERS)
        sent = time.monotonic()
        try:
            call.start()
            if self._set_up(call, sent) == 200:
                call.hang_up(15)
        finally:
            call.close()

    def direct(self, address):
        """Status of a call to one node, past the pool, from the pool's address, whom it knows."""
        call = Call((address, 5060), cluster.BOXES["bob"], caller=f"9{self._caller()}", local=cluster.POOL).start()
        status = call.wait_status(20)
        call.hang_up(10)
        call.close()
        return status

    # -- what became of it --
    def failed_between(self, since, until_=None):
        with self.lock:
            return [s for s in self.setups if s[0] >= since and (until_ is None or s[0] <= until_) and s[2] != 200]

    def first_good(self, since):
        """When the first call that was begun since then was answered; None while none was."""
        with self.lock:
            return min((s[1] for s in self.setups if s[0] >= since and s[2] == 200), default=None)
