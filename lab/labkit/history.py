# SPDX-License-Identifier: Apache-2.0
"""What many clients did to mailboxes, and whether one mailbox could have answered them so.

A History records what each client began, when it ended, and how: OK, NO (it surely did nothing) or UNKNOWN (nobody was there to say; it may
have happened, or happen later). judge() asks of each message alone whether there is an order of those deeds, each at one moment between its
begin and its end, in which every answer is right (linearizability, which may be asked object by object). It keeps all states in which the
message can be, as time goes on: whoever saw what none of them allows has found a message lost, doubled, resurrected or out of nowhere.

    h = History()
    op = h.begin("caller 7001", "deposit", ("alice", "7001"))
    op.end(OK)
    op = h.begin("node02", "list", "alice")
    op.end(OK, rows=[("7001", "new", "01HX...")])
    for wrong in judge(h): print(wrong)

Deeds: deposit, new, saved (marks), delete, purge (delete for good), restore, longer (more of a message comes when a part was delivered already: it
is new again, whatever was done to the part); of a PIN: wrong, right. What is seen: list (what is not deleted),
deleted (that folder), failures (the counter of wrong PINs). `python3 history.py FILE` judges what History.save() wrote.
"""
import json
import sys
import threading
import time
from dataclasses import dataclass, field

OK, NO, UNKNOWN = "ok", "no", "unknown"
LOST, DOUBLED, RESURRECTED, NOWHERE, STATE, COUNTER = "lost", "doubled", "resurrected", "out of nowhere", "in a wrong state", "miscounted"
READS = ("list", "deleted", "failures")


@dataclass(eq=False)
class Op:
    client: str
    what: str
    key: object                 # (mailbox, message) of a deed; the mailbox of what is seen
    began: float
    ended: float = None
    outcome: str = None         # None: it goes on
    rows: list = field(default_factory=list)  # of what was seen: (message, state, id), or one number
    clock: object = None

    def end(self, outcome, rows=()):
        self.ended, self.outcome, self.rows = self.clock(), outcome, list(rows)
        return self

    def __str__(self):
        until = f"{self.ended:.2f}" if self.ended is not None else "..."
        return f"{self.what} by {self.client}, {self.began:.2f} to {until} s, {self.outcome or 'not ended'}" + (f", showed {self.rows[0]}" if self.what == "failures" and self.rows else "")


class History:
    """Filled by any number of threads."""

    def __init__(self, clock=None):
        self.start = time.monotonic()
        self.clock = clock or (lambda: time.monotonic() - self.start)
        self.ops, self.lock = [], threading.Lock()

    def begin(self, client, what, key):
        with self.lock:
            op = Op(str(client), what, key, self.clock(), clock=self.clock)
            self.ops.append(op)
        return op

    def count(self, *whats, outcome=None):
        with self.lock:
            return sum(1 for op in self.ops if (not whats or op.what in whats) and (outcome is None or op.outcome == outcome))

    def longer(self, key):
        """That message was delivered in part: more of it may come, from the caller's node or from what it left on its disk."""
        with self.lock:
            first = min(op.began for op in self.ops if op.key == key)
            self.ops += [Op("whoever has more of it", "longer", key, first, None, UNKNOWN, clock=self.clock) for _ in range(2)]

    def save(self, path):
        with self.lock, open(path, "w") as f:
            for op in self.ops:
                f.write(json.dumps([op.client, op.what, op.key, op.began, op.ended, op.outcome, op.rows]) + "\n")

    @staticmethod
    def load(path):
        h = History()
        for line in open(path):
            client, what, key, began, ended, outcome, rows = json.loads(line)
            key = tuple(key) if isinstance(key, list) else key
            h.ops.append(Op(client, what, key, began, ended, outcome, [tuple(r) if isinstance(r, list) else r for r in rows]))
        return h


@dataclass
class Wrong:
    kind: str
    mailbox: str
    message: str
    text: str

    def __str__(self):
        of = f"message {self.message} of {self.mailbox}" if self.message else f"mailbox {self.mailbox}"
        return f"{of} is {self.kind}: {self.text}"


class Message:
    """What may be done to one message, and what may be seen of it. write() gives the state after a deed, None where it cannot be."""
    first = "absent"
    live = ("new", "saved")

    def __init__(self, name):
        self.name = name

    def write(self, op, state):
        gone = state.startswith("deleted-")
        if op.what == "deposit":
            return "new" if state == "absent" else None
        if op.what in self.live:
            return op.what if state in self.live else None
        if op.what == "longer":
            return "new" if state != "absent" else None
        if op.what == "delete":  # of what is not there is no error
            return "deleted-" + state if state in self.live else state
        if op.what == "purge":
            return "gone" if gone or state in self.live else state
        if op.what == "restore":
            return state[len("deleted-"):] if gone else state if state in self.live else None
        raise ValueError(op.what)

    def sees(self, op, state):
        shown = [r[1] for r in op.rows if r[0] == self.name]
        if op.what == "list":
            return shown[0] == state if shown else state not in self.live
        return state.startswith("deleted-") == bool(shown)

    def kind(self, op, states):
        """What to call it that `op` ended as it did where only these states are possible."""
        shown = [r for r in op.rows if r[0] == self.name]
        gone = all(s == "gone" or s.startswith("deleted-") for s in states)
        if op.what in READS and not shown:
            return LOST
        if all(s == "absent" for s in states):
            return NOWHERE
        if op.what == "restore":
            return RESURRECTED
        if op.what == "list" and gone or op.what == "deleted" and all(s == "gone" for s in states):
            return RESURRECTED
        return STATE


class Counter:
    """The wrong PINs in a row of one mailbox."""
    first = 0

    def write(self, op, state):
        return state + 1 if op.what == "wrong" else 0

    def sees(self, op, state):
        return op.rows == [state]

    def kind(self, op, states):
        return COUNTER


def possible(model, ops):
    """None when there is an order in which all is right; else (the operation that cannot be, the states that were possible when it ended).

    A configuration is a state, the deeds under way that have happened in it, and what is being seen that is already explained. Seeing
    changes nothing, so it is explained at the first moment that allows it; only deeds branch."""
    ops = [op for op in ops if op.outcome != NO]
    moments = sorted([(op.began, 0, n) for n, op in enumerate(ops)] +
                     [(op.ended, 1, n) for n, op in enumerate(ops) if op.outcome == OK])
    writes, reads = set(), set()
    configs = {(model.first, frozenset(), frozenset())}

    def explained(state, done, seen):
        return state, done, seen | {n for n in reads - seen if model.sees(ops[n], state)}

    def closure():
        todo, known = [explained(*c) for c in configs], set()
        while todo:
            config = todo.pop()
            if config in known:
                continue
            known.add(config)
            state, done, seen = config
            for n in writes - done:
                # Of two equal deeds of which nobody knows, the older one may as well have been the first.
                if ops[n].outcome != OK and any(m < n and ops[m].outcome != OK and ops[m].what == ops[n].what for m in writes - done):
                    continue
                after = model.write(ops[n], state)
                if after is not None:
                    todo.append(explained(after, done | {n}, seen))
        return known

    for _, ends, n in moments:
        op = ops[n]
        of = reads if op.what in READS else writes
        if not ends:
            if op.what in READS and op.outcome != OK:
                continue  # who got no answer has seen nothing
            of.add(n)
            configs = {explained(*c) for c in configs}
            continue
        before = closure()
        if op.what in READS:
            configs = {(state, done, seen - {n}) for state, done, seen in before if n in seen}
        else:
            configs = {(state, done - {n}, seen) for state, done, seen in before if n in done}
        of.discard(n)
        if not configs:
            return op, sorted({c[0] for c in before}, key=str)
    return None


def told(op, states, ops):
    last = [str(o) for o in ops if o.what not in READS and o.began <= op.ended]
    return f"{op}; it could only be {' or '.join(map(str, states))}. What was done to it: {'; '.join(last[-6:]) or 'nothing'}"


def doubles(h):
    """A message that is shown twice at once, or under two ids at different times."""
    ids, found = {}, {}
    for op in h.ops:
        if op.what not in ("list", "deleted") or op.outcome != OK:
            continue
        names = [r[0] for r in op.rows]
        for name, _, id in op.rows:
            first = ids.setdefault((op.key, name), id)
            if names.count(name) > 1 or first != id:
                found.setdefault((op.key, name), Wrong(DOUBLED, op.key, name, f"{op}; its ids are {sorted({first, *(r[2] for r in op.rows if r[0] == name)})}"))
    return list(found.values())


def judge(h):
    """All that is wrong, the first thing of each message."""
    wrong = doubles(h)
    boxes, counters = {}, {}
    for op in h.ops:
        if op.what in ("wrong", "right", "failures"):
            counters.setdefault(op.key if isinstance(op.key, str) else op.key[0], []).append(op)
        elif op.what in READS:
            for name in {r[0] for r in op.rows}:
                boxes.setdefault(op.key, {}).setdefault(name, [])
        else:
            boxes.setdefault(op.key[0], {}).setdefault(op.key[1], []).append(op)
    for box, messages in boxes.items():
        seen = [op for op in h.ops if op.what in ("list", "deleted") and op.key == box]
        for name, deeds in messages.items():
            model = Message(name)
            if found := possible(model, deeds + seen):
                wrong.append(Wrong(model.kind(*found), box, name, told(*found, deeds)))
    for box, ops in counters.items():
        if found := possible(Counter(), ops):
            wrong.append(Wrong(COUNTER, box, "", told(*found, ops)))
    return wrong


def main(path):
    h = History.load(path)
    wrong = judge(h)
    for w in wrong:
        print(w)
    print(f"{len(h.ops)} operations, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else print(__doc__) or 2)
