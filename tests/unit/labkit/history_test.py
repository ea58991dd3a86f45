#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The judge of histories finds each kind of wrong, and finds none where there is none. Each case is a row; random histories made by one real
mailbox are always right, and what is then falsified in them is found."""
import os
import random
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "lab"))
from labkit import history  # noqa: E402
from labkit.history import COUNTER, DOUBLED, LOST, NO, NOWHERE, OK, RESURRECTED, STATE, UNKNOWN, History, Op  # noqa: E402

failed = 0


def check(name, good, detail=""):
    global failed
    failed += not good
    print(f"{'PASS' if good else 'FAIL'} history: {name}" + (f"\n        {detail}" if not good else ""), flush=True)


def of(*rows):
    """(what, began, ended, outcome) of message m, with what was seen for list and deleted: its state, "" or a number."""
    h = History()
    for what, began, ended, *more in rows:
        outcome = more[0] if more and more[0] in (OK, NO, UNKNOWN) else OK
        seen = [] if what not in history.READS else [more[-1]] if isinstance(more[-1], int) else [("m", s, "id1") for s in more[-1].split()] if isinstance(more[-1], str) else more[-1]
        h.ops.append(Op("somebody", what, "box" if what in history.READS else ("box", "m"), began, None if outcome == UNKNOWN else ended, outcome, seen))
    return h


TWICE = [("m", "new", "id1"), ("m", "new", "id2")]
CASES = [
    ("kept and seen", [("deposit", 0, 1), ("list", 2, 3, "new")], []),
    ("accepted and not there", [("deposit", 0, 1), ("list", 2, 3, "")], [LOST]),
    ("looked at before it was accepted", [("deposit", 0, 2), ("list", 1, 3, "")], []),
    ("seen, then not, while it is left", [("deposit", 0, 9), ("list", 1, 2, "new"), ("list", 3, 4, "")], [LOST]),
    ("not seen, then seen, while it is left", [("deposit", 0, 9), ("list", 1, 2, ""), ("list", 3, 4, "new")], []),
    ("refused and not there", [("deposit", 0, 1, NO), ("list", 2, 3, "")], []),
    ("refused and there", [("deposit", 0, 1, NO), ("list", 2, 3, "new")], [NOWHERE]),
    ("nobody knows, and it is not there", [("deposit", 0, 1, UNKNOWN), ("list", 2, 3, "")], []),
    ("nobody knows, and it comes late", [("deposit", 0, 1, UNKNOWN), ("list", 2, 3, ""), ("list", 8, 9, "new")], []),
    ("nobody knew, it was there, and is no more", [("deposit", 0, 1, UNKNOWN), ("list", 2, 3, "new"), ("list", 8, 9, "")], [LOST]),
    ("nobody left it", [("list", 2, 3, "new")], [NOWHERE]),
    ("twice in one list", [("deposit", 0, 1), ("list", 2, 3, TWICE)], [DOUBLED]),
    ("under two ids", [("deposit", 0, 1), ("list", 2, 3, TWICE[:1]), ("list", 4, 5, TWICE[1:])], [DOUBLED]),
    ("deleted", [("deposit", 0, 1), ("delete", 2, 3), ("list", 4, 5, ""), ("deleted", 4, 5, "deleted")], []),
    ("deleted and there again", [("deposit", 0, 1), ("delete", 2, 3), ("list", 4, 5, "new")], [RESURRECTED]),
    ("deleted, gone, and back", [("deposit", 0, 1), ("delete", 2, 3), ("list", 4, 5, ""), ("list", 6, 7, "new")], [RESURRECTED]),
    ("deleted by who knows, gone, and back", [("deposit", 0, 1), ("delete", 2, 3, UNKNOWN), ("list", 4, 5, ""), ("list", 6, 7, "new")], [RESURRECTED]),
    ("deleted by who knows, later", [("deposit", 0, 1), ("delete", 2, 3, UNKNOWN), ("list", 4, 5, "new"), ("list", 6, 7, "")], []),
    ("refused to delete, and gone", [("deposit", 0, 1), ("delete", 2, 3, NO), ("list", 4, 5, "")], [LOST]),
    ("missing from both folders", [("deposit", 0, 1), ("delete", 2, 3), ("list", 4, 5, ""), ("deleted", 6, 7, "")], [LOST]),
    ("restored", [("deposit", 0, 1), ("delete", 2, 3), ("restore", 4, 5), ("list", 6, 7, "new")], []),
    ("restored and not there", [("deposit", 0, 1), ("delete", 2, 3), ("restore", 4, 5), ("list", 6, 7, "")], [LOST]),
    ("restored as it was", [("deposit", 0, 1), ("saved", 1, 2), ("delete", 2, 3), ("restore", 4, 5), ("list", 6, 7, "saved")], []),
    ("restored as it was not", [("deposit", 0, 1), ("saved", 1, 1.5), ("delete", 2, 3), ("restore", 4, 5), ("list", 6, 7, "new")], [STATE]),
    ("restored and deleted at once, there", [("deposit", 0, 1), ("delete", 2, 5), ("restore", 2, 5), ("list", 6, 7, "new")], []),
    ("restored and deleted at once, not there", [("deposit", 0, 1), ("delete", 2, 5), ("restore", 2, 5), ("list", 6, 7, "")], []),
    ("gone for good", [("deposit", 0, 1), ("purge", 2, 3), ("deleted", 4, 5, ""), ("list", 4, 5, "")], []),
    ("gone for good, and in the folder", [("deposit", 0, 1), ("purge", 2, 3), ("deleted", 4, 5, "deleted")], [RESURRECTED]),
    ("gone for good, and restored", [("deposit", 0, 1), ("purge", 2, 3), ("restore", 4, 5)], [RESURRECTED]),
    ("deleted without anybody", [("deposit", 0, 1), ("deleted", 4, 5, "deleted")], [STATE]),
    ("heard", [("deposit", 0, 1), ("saved", 2, 3), ("list", 4, 5, "saved")], []),
    ("heard and new", [("deposit", 0, 1), ("saved", 2, 3), ("list", 4, 5, "new")], [STATE]),
    ("seen both ways while it is heard, in order", [("deposit", 0, 1), ("saved", 2, 9), ("list", 3, 4, "new"), ("list", 5, 6, "saved")], []),
    ("seen both ways while it is heard, out of order", [("deposit", 0, 1), ("saved", 2, 9), ("list", 3, 4, "saved"), ("list", 5, 6, "new")], [STATE]),
    ("more comes of what was heard", [("deposit", 0, 1), ("longer", 0, 9, UNKNOWN), ("saved", 2, 3), ("list", 4, 5, "new")], []),
    ("more comes of what was deleted", [("deposit", 0, 1), ("longer", 0, 9, UNKNOWN), ("delete", 2, 3), ("list", 4, 5, ""), ("list", 6, 7, "new")], []),
    ("more comes once", [("deposit", 0, 1), ("longer", 0, 9, UNKNOWN), ("saved", 2, 3), ("list", 4, 5, "new"), ("saved", 6, 7), ("list", 8, 9, "new")], [STATE]),
    ("an answer that never came says nothing", [("deposit", 0, 1), ("list", 2, 3, UNKNOWN, ""), ("list", 4, 5, "new")], []),
    ("wrong PINs counted", [("wrong", 0, 1), ("wrong", 2, 3), ("failures", 4, 5, 2)], []),
    ("a wrong PIN forgotten", [("wrong", 0, 1), ("wrong", 2, 3), ("failures", 4, 5, 1)], [COUNTER]),
    ("a wrong PIN counted twice", [("wrong", 0, 1), ("failures", 4, 5, 2)], [COUNTER]),
    ("two wrong PINs at once", [("wrong", 0, 3), ("wrong", 0, 3), ("failures", 1, 2, 1), ("failures", 4, 5, 2)], []),
    ("a wrong PIN of which nobody knows", [("wrong", 0, 1), ("wrong", 2, 3, UNKNOWN), ("failures", 4, 5, 1), ("failures", 6, 7, 2)], []),
    ("and it goes back", [("wrong", 0, 1), ("wrong", 2, 3, UNKNOWN), ("failures", 4, 5, 2), ("failures", 6, 7, 1)], [COUNTER]),
    ("the right PIN begins anew", [("wrong", 0, 1), ("right", 2, 3), ("failures", 4, 5, 0)], []),
    ("the right PIN forgets nothing", [("wrong", 0, 1), ("right", 2, 3), ("failures", 4, 5, 1)], [COUNTER]),
]


def cases():
    for name, rows, wanted in CASES:
        found = history.judge(of(*rows))
        check(name, [w.kind for w in found] == wanted, "; ".join(map(str, found)) or "nothing was found")


class Mailbox:
    """One mailbox that is right, used by many clients at once: a deed takes effect at one moment between its begin and its end."""

    def __init__(self, dice, clients=5, messages=8, steps=120):
        self.h, self.now, self.dice = History(clock=lambda: self.now), 0.0, dice
        self.state, names = {}, [f"m{n}" for n in range(messages)]
        under_way, left = [], list(names)
        for _ in range(steps):
            self.now += dice.random()
            if len(under_way) < clients and dice.random() < 0.6:
                what = "deposit" if left and dice.random() < 0.3 else dice.choice(["list", "deleted", "saved", "new", "delete", "restore", "purge", "list", "restore"])
                key = "box" if what in history.READS else ("box", left.pop() if what == "deposit" else dice.choice(names))
                under_way.append([self.h.begin(f"client {len(under_way)}", what, key), None])
            elif under_way:
                job = dice.choice(under_way)
                if job[1] is None:
                    job[1] = self.effect(job[0])
                    if job[0].what not in history.READS and dice.random() < 0.15:
                        self.end(under_way, job, UNKNOWN)
                elif job[1] is not None:
                    self.end(under_way, job, NO if job[1] == "refused" else OK)
        for op, _ in under_way:
            op.outcome = UNKNOWN
        self.now += 1
        for what in ("list", "deleted", "list", "deleted"):  # twice: the second look has no freedom left
            op = self.h.begin("the last", what, "box")
            rows = self.effect(op)
            self.now += 1
            op.end(OK, rows)

    def end(self, under_way, job, outcome):
        under_way.remove(job)
        job[0].end(outcome, job[1] if job[0].what in history.READS and outcome == OK else [])

    def effect(self, op):
        if op.what == "list":
            return [(m, s, "id-" + m) for m, s in self.state.items() if s in ("new", "saved")]
        if op.what == "deleted":
            return [(m, "deleted", "id-" + m) for m, s in self.state.items() if s.startswith("deleted-")]
        name = op.key[1]
        before = self.state.get(name, "absent")
        after = history.Message(name).write(op, before)
        if after is None:
            return "refused"
        if after != "absent":
            self.state[name] = after
        return "done"


def falsify(h, dice):
    """One row that the last look showed is taken out, or one is made live that was deleted; what it must be called."""
    last, folder = h.ops[-2], h.ops[-1]
    if last.rows and dice.random() < 0.5:
        row = dice.choice(last.rows)
        last.rows.remove(row)
        return row[0], LOST
    if folder.rows:
        row = dice.choice(folder.rows)
        last.rows.append((row[0], "new", row[2]))
        return row[0], RESURRECTED
    return None, None


def random_histories():
    seed = int(os.environ.get("UMBEL_SEED", random.randrange(1 << 30)))
    dice, bad, missed, falsified = random.Random(seed), [], [], 0
    for n in range(60):
        h = Mailbox(dice).h
        found = history.judge(h)
        if found:
            bad.append(f"{n}: {found[0]}")
            continue
        name, kind = falsify(h, dice)
        if not name:
            continue
        # Deeds of which nobody knows the end could explain it; without them nothing can.
        h.ops = [op for op in h.ops if op.what in history.READS or op.outcome != UNKNOWN or op.key[1] != name]
        falsified += 1
        if not any(w.message == name for w in history.judge(h)):
            missed.append(f"{n}: {name} {kind}")
    check("60 random histories of a right mailbox are right", not bad, f"UMBEL_SEED={seed}: {bad}")
    check("what is falsified in them is found", not missed and falsified > 10, f"UMBEL_SEED={seed}: {missed} of {falsified}")


def kept_in_a_file():
    h = of(("deposit", 0, 1), ("list", 2, 3, ""))
    with tempfile.TemporaryDirectory() as folder:
        h.save(Path(folder) / "h")
        again = history.judge(History.load(Path(folder) / "h"))
    check("what was saved is judged alike", [w.kind for w in again] == [LOST], again)


cases()
random_histories()
kept_in_a_file()
sys.exit(1 if failed else 0)
