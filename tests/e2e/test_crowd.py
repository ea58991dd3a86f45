#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many callers at once who do what they like: leave messages, mark them, throw them away, are looked for, dial by number and by name, read their
mailboxes, press wrong keys, say nothing, hang up at any moment, or vanish without a word. Each listens to what he is told. Afterwards the
books must balance: whoever heard "saved" has left one message, whoever left nothing is on the list of missed calls, and nothing of all
that is left in the server.

    UMBEL_SEED=7 UMBEL_CALLERS=60 UMBEL_WAVES=3 tests/e2e/test_crowd.py"""
import collections
import json
import random
import re
import shutil
import signal
import subprocess
import urllib.request
from pathlib import Path

# long way
from common import *
space.enter()
import single
from labkit import site as lab
from labkit.caller import speech
from labkit.manyphones import Phones
from labkit.node import BUILD, program

PROMPTS = BUILD / "prompts" / "en-US.pack"
LONG = LEVEL == "long"
CALLERS = int(os.environ.get("UMBEL_CALLERS", 200 if LONG else 40))
SEED = int(os.environ.get("UMBEL_SEED", 0)) or random.SystemRandom().randrange(1, 10**6)
HTTP = "127.0.1.11:9090"
PIN, LETTERS, OWNERS, VICTIMS, FOUND = "739184", 8, 4, 2, ("2901", "2902", "2903", "2904")
dice = random.Random(SEED)


# ---- the place ----
def mailbox(name, number, **more):
    return {"name": name, "display_name": f"{name.capitalize()} Example", "first_name": name.capitalize(), "last_name": "Example", "extensions": [str(number)],
            "dialplan": "office", "policy": "standard", "dialable": True, "lamp": False, **more}


def place(c):
    words = ["anna", "berta", "carl", "doris", "emil", "frieda", "georg", "hanna"]
    c["node"]["admin"]["http"] = HTTP
    c["node"]["sip"] = {"max_calls": 600, "max_calls_per_source": 600}
    c["node"]["media"]["rtp_timeout_s"] = 12
    c["node"]["log"]["levels"] = {"dialogue": "high"}
    c["policies"][0]["pin_tries_per_mailbox"] = 100
    c["mailboxes"] = [mailbox(words[n], 2101 + n) for n in range(LETTERS)]
    c["mailboxes"] += [mailbox(f"owner{n}", 2201 + n) for n in range(OWNERS)]
    c["mailboxes"] += [mailbox(f"victim{n}", 2301 + n) for n in range(VICTIMS)]
    find = {"action": "find-me", "ring_s": 5}
    c["mailboxes"] += [mailbox(f"sought{n}", 2401 + n, rules=[{"name": "look", "find": [FOUND[n]], **find}]) for n in range(len(FOUND))]
    c["mailboxes"] += [mailbox("busybee", 2411, rules=[{"name": "look", "find": [FOUND[1], FOUND[0]], **find}])]


# ---- what callers do ----
class Talk:
    """A script, and what must be there afterwards: so many `saved` messages (None: one or none), `missed`: why nothing was left.
    `dies`: after so many seconds the caller is no more. `free`: what he presses may well end the call before his script does."""

    def __init__(self, kind, number, steps, saved=0, missed=None, dies=None, free=False, talked=False, **marks):
        self.kind, self.number, self.steps, self.saved, self.missed, self.dies = kind, number, steps, saved, missed, dies
        self.free, self.talked, self.marks, self.proc = free, talked, marks, None

    def begin(self, caller, folder):
        self.caller, self.out = caller, folder / f"{caller}.json"
        with open(self.out, "wb") as out:
            self.proc = subprocess.Popen([str(program("umbel")), "call", "test", f"sip:{self.number}@127.0.1.11", "--from", caller, "--display", f"Caller {caller}", "--prompts", str(PROMPTS),
                                          "--for", "240", "--json", "-e", f"record {folder}/{caller}.wav; {self.steps}"], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        self.began = time.monotonic()

    def look(self):
        """Whether it goes on."""
        if self.proc.poll() is not None:
            return False
        if self.dies and time.monotonic() - self.began > self.dies:
            self.proc.kill()
            self.proc.wait()
            return False
        return True

    def complaint(self):
        """What went otherwise than it should, in words; empty when nothing did."""
        if self.dies or self.proc.returncode == 0:
            return ""
        report = self.report()
        if not report:
            return self.out.read_text(errors="replace")[-500:]
        if self.free and report["call"]["by_peer"]:
            return ""
        failed = [s for s in report["steps"] if not s["ok"]]
        return f"{self.caller} ({self.kind}) {self.steps}\n    failed: {failed}\n    call: {report['call']}\n    himself: {report['caller']}"

    def report(self):
        """None where there is none: he was killed."""
        try:
            return json.loads(self.out.read_text(errors="replace"))
        except ValueError:
            return None


def moment(most):
    return f"wait {dice.randint(1, int(most * 10)) / 10}s; "


def letter_box():
    return str(2101 + dice.randrange(LETTERS))


def to_the_tone():
    return dice.choice([moment(4) + "press #; ", "press #; ", "expect answer-leave-message; "]) + "expect beep; "


def clip(seconds):
    return f"play {clips[seconds]}; "


def hangs_up_after_speaking():
    return Talk("hangs up after speaking", letter_box(), to_the_tone() + clip(3) + moment(1) + "hangup", saved=1)


def hangs_up_while_speaking():
    return Talk("hangs up soon after the tone", letter_box(), to_the_tone() + clip(dice.choice([0.2, 0.5, 1, 1.5])) + "hangup", saved=None)


def uses_the_menu():
    steps, urgent, private = to_the_tone() + clip(3) + "press #; expect answer-menu; ", False, False
    for _ in range(dice.randrange(4)):
        what = dice.randrange(6)
        if what == 0:
            steps += f"press 5; expect {'answer-not-urgent' if urgent else 'answer-urgent'}; "
            urgent = not urgent
        elif what == 1:
            steps += f"press 6; expect {'answer-not-private' if private else 'answer-private'}; "
            private = not private
        elif what == 2:
            steps += f"press 1; expect-sound {clips[3]}; "
        elif what == 3:
            steps += "press 8; expect invalid-key; press 5; expect " + ("answer-not-urgent; " if urgent else "answer-urgent; ")
            urgent = not urgent
        elif what == 4:
            steps += f"press 2; expect beep; {clip(3)}press #; expect answer-menu; "
        else:
            steps += f"press 4; expect beep; {clip(1.5)}press #; expect answer-menu; "
    return Talk("uses the menu", letter_box(), steps + dice.choice(["press 3", "press #"]) + "; expect answer-saved; expect goodbye; expect-bye", saved=1, urgent=urgent, private=private)


def throws_it_away():
    return Talk("throws it away", letter_box(), to_the_tone() + clip(3) + "press #; expect answer-menu; press 7; expect answer-deleted; expect goodbye; expect-bye", missed="discarded")


def throws_it_away_and_begins_again():
    return Talk("throws it away and begins again", letter_box(), to_the_tone() + clip(3) + f"press #; expect answer-menu; press 7; expect answer-deleted; press 2; expect beep; {clip(3)}"
                "press #; expect answer-menu; hangup", saved=1)


def leaves_the_menu():
    return Talk("hangs up in the menu", letter_box(), to_the_tone() + clip(3) + "press #; " + moment(6) + "hangup", saved=1)


def sleeps_in_the_menu():
    return Talk("sleeps in the menu", letter_box(), to_the_tone() + clip(3) + "press #; expect answer-menu; expect answer-saved within 90s; expect-bye", saved=1)


def says_nothing():
    return Talk("says nothing", letter_box(), to_the_tone() + "expect answer-nothing-heard within 40s; expect beep; expect answer-nothing-heard within 40s; expect beep; "
                "expect goodbye within 60s; expect-bye", missed="silent")


def hangs_up_in_the_greeting():
    return Talk("hangs up in the greeting", letter_box(), moment(3) + "hangup", missed="greeting")


def vanishes():
    """No BYE, nothing: the phone has lost its power."""
    return Talk("vanishes", letter_box(), dice.choice(["wait 60s", to_the_tone() + clip(3) + "wait 60s"]), saved=None, dies=dice.uniform(0.3, 12))


def presses_everything():
    keys = "".join(dice.choice("0123456789*#") for _ in range(30))
    return Talk("presses everything", dice.choice([letter_box(), lab.ATTENDANT, lab.SUBSCRIBER]), f"press {keys}; " + moment(4) + "hangup", saved=None, free=True)


def dials_a_number():
    return Talk("is put through by number", lab.ATTENDANT, f"wait 1s; press {letter_box()}; expect-transfer within 40s; {to_the_tone()}{clip(3)}hangup", saved=1)


def dials_a_name():
    keys = "3926753" + dice.choice(["2662", "23782", "2275", "36747", "3645", "374332", "43674", "42662"])  # example anna, berta, carl ...
    return Talk("is put through by name", lab.ATTENDANT, f"wait 2s; press #; wait 500ms; press {keys}#; expect name-choose; press 1; expect-transfer within 40s; {to_the_tone()}"
                f"{clip(3)}hangup", saved=1)


def dials_nonsense():
    return Talk("dials nonsense", lab.ATTENDANT, "wait 1s; press 9999; expect attendant-unknown-extension; press 8; wait 5s; press 77#; wait 1s; hangup")


def is_silent_at_the_attendant():
    return Talk("is silent at the attendant", lab.ATTENDANT, "expect no-input within 40s; expect no-input within 40s; expect give-up within 40s; expect-bye")


def reads():
    steps = f"press {2201 + dice.randrange(OWNERS)}#{PIN}#; expect you-have; press 1; expect from; "
    for _ in range(dice.randint(1, 6)):
        steps += f"press {dice.choice(['1', '3', '4', '6', '2', '5', '#', '11', '9', '44', '8', '*', '0', '64'])}; " + moment(2)
    return Talk("reads messages", lab.SUBSCRIBER, steps + "hangup", free=True)


def guesses():
    steps = "".join(f"press {2301 + dice.randrange(VICTIMS)}#{dice.randint(100000, 699999)}#; expect logon-wrong; " for _ in range(2))
    return Talk("guesses a PIN", lab.SUBSCRIBER, steps + "hangup")


def is_found():
    return Talk("is found", dice.choice(["2401", "2411"]), f"expect find-hold; expect-sound {clips['phone']} within 60s; expect-bye within 60s", talked=True)


def is_not_found():
    return Talk("is not found", dice.choice(["2402", "2403", "2404"][:3 if LONG else 2]), "expect find-hold; expect find-nobody within 90s; " + to_the_tone() + clip(3) + "hangup", saved=1)


def gives_up_the_search():
    return Talk("gives up while somebody is sought", "2403", "expect find-hold; " + moment(6) + "hangup", missed=("search", "greeting"))


def leaves_the_search():
    return Talk("would rather leave a message", dice.choice(["2403", "2404"]), "expect find-hold; " + moment(4) + "press #; " + to_the_tone() + clip(3) + "hangup", saved=1)


KINDS = [hangs_up_after_speaking, hangs_up_while_speaking, uses_the_menu, uses_the_menu, throws_it_away, throws_it_away_and_begins_again, leaves_the_menu, sleeps_in_the_menu,
         says_nothing, hangs_up_in_the_greeting, vanishes, presses_everything, presses_everything, dials_a_number, dials_a_name, dials_nonsense, is_silent_at_the_attendant,
         reads, reads, guesses, is_found, is_found, is_not_found, gives_up_the_search, leaves_the_search]
PATIENT = [sleeps_in_the_menu, is_silent_at_the_attendant, says_nothing]  # more than half a minute each
if not LONG:
    KINDS = [k for k in KINDS if k not in PATIENT]


# ---- the books ----
def metrics():
    text = urllib.request.urlopen(f"http://{HTTP}/metrics", timeout=10).read().decode()
    return {name: float(value) for name, value in re.findall(r"^(umbel_\S+) (\S+)$", text, re.M)}


def at_rest():
    """What is still going on, {} when all is quiet."""
    now = metrics()
    return {n: v for n, v in now.items() if v and re.match(r"umbel_(calls_active|sip_legs|media_ports|media_recordings|store_queue|spool_messages|pool_depth|speech_waiting)", n)}


def of_process(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    counted = metrics()
    return {"blocks": int(counted["umbel_memory_blocks"]), "bytes": int(counted["umbel_memory_bytes"]), "files": len(os.listdir(f"/proc/{pid}/fd")), "threads": int(re.search(r"^Threads:\s+(\d+)", status, re.M)[1]),
            "resident_kib": int(re.search(r"^VmRSS:\s+(\d+)", status, re.M)[1])}


def letters(node):
    """caller -> messages, from every mailbox and folder."""
    found = collections.defaultdict(list)
    for box in [m["name"] for m in node.config["mailboxes"]]:
        seen = set()
        for folder in ([], ["--folder", "deleted"]):
            for m in node.cli.json("message", "list", box, *folder)["messages"]:
                if m["id"] not in seen:
                    seen.add(m["id"])
                    found[m["caller"]].append({**m, "box": box})
    return found


def by_session(events, number):
    rows = collections.defaultdict(list)
    for e in events:
        if e.get("id") == number:
            rows[e["session"]].append(e)
    return rows


def field(event, name):
    return str(event.get("fields", event).get(name, ""))


def crowd(story, node, first, n, seconds):
    """n callers within that many seconds, to the end of the last."""
    talks = [KINDS[i % len(KINDS)]() if i < len(KINDS) else dice.choice(KINDS)() for i in range(n)]
    dice.shuffle(talks)
    starts = sorted(dice.uniform(0, seconds) for _ in range(n))
    began, most = time.monotonic(), 0
    going = []
    for i in range(n):
        while time.monotonic() - began < starts[i]:
            going = [t for t in going if t.look()]
            time.sleep(0.01)
        talks[i].begin(str(first + i), story.dir)
        going.append(talks[i])
        if i % 10 == 0:
            most = max(most, metrics()["umbel_calls_active"])
    while going and time.monotonic() - began < 400:
        going = [t for t in going if t.look()]
        time.sleep(0.05)
        if not int(time.monotonic() * 20) % 40:
            most = max(most, metrics()["umbel_calls_active"])
    for t in going:
        t.proc.kill()
        t.proc.wait()
    story.say(f"{n} conversations in {time.monotonic() - began:.0f} s, up to {most:.0f} calls at once")
    return talks


def who_was_late(talks, before):
    """Of both sides, in words. Server and callers share this machine: where callers were late themselves, what they missed is not the server's doing."""
    now, own = metrics(), [r["caller"] for r in (t.report() for t in talks) if r]
    skipped = now["umbel_media_frames_skipped_total"] - before["umbel_media_frames_skipped_total"]
    return (f"the server: {now['umbel_media_ticks_late_total'] - before['umbel_media_ticks_late_total']:.0f} ticks late, {skipped:.0f} frames given up, never later than "
            f"{now['umbel_media_tick_late_max_us'] / 1000:.0f} ms; {len(own)} callers: {sum(c['frames_skipped'] for c in own)} frames given up, media never later than "
            f"{max((c['media_late_ms'] for c in own), default=0)} ms, the rest never later than {max((c['loop_late_ms'] for c in own), default=0)} ms, {sum(c['packets_lost'] for c in own)} of "
            f"{sum(c['packets_received'] for c in own)} packets lost, gaps of {sum(c['gaps_ms'] for c in own)} ms in what they heard")


def balance(story, node, name, talks, before, metrics_before):
    wrong = [c for c in (t.complaint() for t in talks) if c]
    late = who_was_late(talks, metrics_before)
    story.say(late)
    story.check(f"{name}: each of {len(talks)} callers heard what he should", not wrong, "\n".join([*wrong[:6], late]))
    left = until(lambda: not at_rest(), 60, 0.5) or at_rest()
    story.check(f"{name}: then all is quiet: no call, leg, port, recording or job is left over", left is True, left)
    story.check(f"{name}: no recording lies about", not [p for p in (node.dir / "data").rglob("*") if p.is_file() and "spool" in str(p)],
                [str(p) for p in (node.dir / "data").rglob("*")])
    events = node.events()
    arrived, over, missed = by_session(events, 3200), by_session(events, 3201), by_session(events, 3233)
    story.check(f"{name}: every call that came has ended once, and none ended that had not come", len(arrived) >= len(talks) and {s: len(v) for s, v in arrived.items()} == {s: len(v) for s, v in over.items()},
                set(arrived) ^ set(over))
    story.check(f"{name}: no message was lost, nothing failed", not [e for e in events if e.get("id") in (3205, 3207, 3216, 3204, 3206, 1021)],
                [e for e in events if e.get("id") in (3205, 3207, 3216, 3204, 3206, 1021)][:3])
    found, off = letters(node), []
    sessions = collections.defaultdict(list)
    for s, v in arrived.items():
        sessions[field(v[0], "caller")].append(s)
    for t in talks:
        mine = found.get(t.caller, [])
        why = [field(e, "why") for s in sessions[t.caller] for e in missed[s]]
        if t.saved is not None and len(mine) != t.saved or len(mine) > 1:
            off.append(f"{t.caller} ({t.kind}): {len(mine)} messages, not {t.saved}")
        for mark, value in t.marks.items():
            if mine and mine[0][mark] != value:
                off.append(f"{t.caller} ({t.kind}): {mark} is {mine[0][mark]}")
        if t.missed and not (len(why) == 1 and why[0] in (t.missed if isinstance(t.missed, tuple) else (t.missed,))):
            off.append(f"{t.caller} ({t.kind}): missed calls {why}, not {t.missed}")
        if (mine or t.talked) and why:
            off.append(f"{t.caller} ({t.kind}): left a message or was put through, and is on the list of missed calls: {why}")
        if t.kind in ("vanishes", "hangs up soon after the tone") and len(mine) + len(why) != 1:
            off.append(f"{t.caller} ({t.kind}): neither message nor missed call, or both: {len(mine)}, {why}")
    story.check(f"{name}: who heard that it was saved left one message, marked as he said; who left nothing is a missed call", not off, "\n".join(off[:12]))
    lost = [(box, caller) for box, caller in [(field(e, "mailbox"), field(e, "caller")) for rows in missed.values() for e in rows]
            if caller not in str(node.cli.json("mailbox", "missed", box)["missed"])]
    story.check(f"{name}: each missed call is on its owner's list", not lost, lost[:5])
    ids = collections.Counter(m["id"] for rows in found.values() for m in rows)
    story.check(f"{name}: what owners had is there, once each", len(found["2101"]) == 2 * OWNERS and all(n == 1 for n in ids.values()), ids.most_common(2))
    now = of_process(node.proc.pid)
    if before:
        story.check(f"{name}: files and threads are as before", now["files"] <= before["files"] + 4 and now["threads"] <= before["threads"] + 2, (before, now))
    return now


with Story("crowd") as story:
    story.say(f"seed {SEED}, {CALLERS} callers")
    clips = {}
    human = audio.read(lab.SPEECH_A)
    for seconds in (0.2, 0.5, 1, 1.5, 3):
        clips[seconds] = story.dir / f"said-{seconds}.wav"
        audio.write(clips[seconds], human[audio.RATE:int((1 + seconds) * audio.RATE)])
    clips["phone"] = story.dir / "phone.wav"
    audio.write(clips["phone"], audio.read(lab.SPEECH_B)[:audio.RATE])
    node = single.node(story, place)
    phones = Phones(("127.0.0.1", 5060), dict(zip(FOUND, ("take", "486 Busy Here", "ring", "deaf"))), speech(lab.SPEECH_B, 2)).start()
    for owner in range(OWNERS):
        node.set_pin(f"owner{owner}", PIN)
    letters_before = [Talk("prepares", str(2201 + i // 2), f"wait 500ms; press #; expect beep; {clip(3)}hangup") for i in range(2 * OWNERS)]
    for t in letters_before:
        t.begin("2101", story.dir)
    story.need("owners have two messages each", until(lambda: not any([t.look() for t in letters_before]), 60) and not any(t.complaint() for t in letters_before),
               [t.complaint() for t in letters_before])
    for victim in range(VICTIMS):
        node.set_pin(f"victim{victim}", PIN)
    before = of_process(node.proc.pid)
    waves = int(os.environ.get("UMBEL_WAVES", 2 if LONG else 1))
    for wave in range(waves):
        at_first = metrics()
        talks = crowd(story, node, 10000 + 1000 * wave, CALLERS, CALLERS / 10)
        now = balance(story, node, f"wave {wave + 1}", talks, before, at_first)
        if wave:
            story.check("the second crowd left no more memory behind than the first", now["resident_kib"] < before["resident_kib"] + 6000, (before, now))
        story.say(f"umbeld now: {now}")
        before = now
    story.check("the phones were hung up, too", not phones.calls, phones.calls)
    phones.close()
    story.check("SIGTERM ends it in time", node.stop() == 0)
    story.check("no PIN stands in any event", PIN not in node.json_log.read_text())
