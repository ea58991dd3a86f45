# SPDX-License-Identifier: Apache-2.0
"""Faults of a cluster that is being used, one after another, each told while it happens, measured, and judged when it is over: every
accepted message once and whole, lamps and counters right, calls answered again. Played by tests, by `make lab-cluster`, by `make bench-cluster`."""
import random
import re
import threading
import time

from . import cluster, history
from .caller import FRAME
from .clients import Clients, found_frames, frames_found
from .history import OK
from .run import Failed, soon, until

SPOOLED, SILENT, CLOCK_WRONG, RESCUED = 3001, 2303, 3414, 3008
OF_A_NODE = ("kill", "freeze", "cut", "disk", "clock")
FAULTS = (*OF_A_NODE, "primary_killed", "switched_over", "primary_cut")
TALK_S = 60  # what a talker could say; he is let go long before


class Trial:
    """strict: the figures of time are judged as well, which asks for a machine that does nothing else."""

    def __init__(self, story, seed=None, strict=False, **site):
        self.story, self.strict = story, strict
        self.seed = seed if seed is not None else random.randrange(1 << 30)
        self.dice, self.rows, self.rounds = random.Random(self.seed), [], 0
        self.site = cluster.Cluster(story, **site)

    def start(self):
        self.story.say(f"Three nodes, Kamailio in front of them, PostgreSQL of {len(self.site.db.members)} members under Patroni, etcd. UMBEL_SEED={self.seed}")
        self.site.start()
        self.story.say(f"All are up; the database's first member is {self.site.db.primary().name}.")
        self.begin()
        return self

    def introduce(self):
        """For who watches."""
        self.story.say("""Who plays:
  node01, node02, node03   umbeld, each on a host of its own: a namespace with an address and a cable that can be pulled
  the pool                 Kamailio as examples/kamailio has it; it asks the nodes every 2 s how they are
  db1, db2                 PostgreSQL under Patroni; a commit waits until the second one has it
  etcd                     where Patroni keeps who is first
Who uses them, all the while: three callers who leave messages, an owner who listens to hers, somebody who types wrong PINs, two administrators who
list, mark, delete and restore messages through any node, and two calls a second that only want to be answered.
After each fault all of them stop, and everything is looked at: every message whose caller got his receipt must be there once, sample by sample, unless
somebody deleted it; nothing deleted may have come back; lamps and counters of wrong PINs must be right.""")

    def summary(self):
        """A table of what was measured."""
        self.story.head("What it cost")
        columns = (("noticed_s", "pool noticed"), ("again_s", "answered again"), ("sibling_s", "sibling noticed"), ("rescued_s", "delivered"), ("elected_s", "elected"),
                   ("store_again_s", "store again"), ("setups_failed", "set-ups failed"), ("setups", "of"), ("speech_lost_s", "speech lost"), ("accepted", "accepted"), ("wrong", "wrong"))
        print(f"{'':22}" + "".join(f"{title:>16}" for _, title in columns))
        for row in self.rows:
            cells = (f"{row[k]} s" if k.endswith("_s") and row.get(k) is not None else str(row.get(k, "")) for k, _ in columns)
            print(f"{row['fault'] + ' ' + row['node']:22}" + "".join(f"{c:>16}" for c in cells), flush=True)

    def begin(self):
        """A clean sheet: empty mailboxes, no wrong PIN, new clients."""
        self.rounds += 1
        node = self.site.nodes[0]
        for box in ("alice", "bob", "carol"):
            for folder in ("all", "deleted"):
                for m in node.cli.json("message", "list", box, "--folder", folder).get("messages", []):
                    node.cli.run("message", "delete", "--for-good", box, m["id"])
        node.set_pin("pia", cluster.PIN)
        self.clients = Clients(self.site, f"{self.seed}.{self.rounds}")
        self.marks = {n.name: len(n.events()) for n in self.site.nodes}
        self.dropped = {h.address: h.dropped() for h in self.site.hosts}
        self.clients.furnish(self.dice)
        self.clients.start()

    def end(self):
        self.site.end()

    # -- pieces of a fault --
    def on(self, node):
        return self.site.host(node).address

    def talkers(self, node, seconds):
        """People who speak on and on, one of them at least on that node, each for so long already. They are let go by the event."""
        hold, threads, begun = threading.Event(), [], []
        c = self.clients

        def talk():
            begun.append(c.deposit("alice", random.Random(self.dice.random()), TALK_S, hold))

        def there():
            return [d for d in list(c.deposits) if d.node == self.on(node) and d.began and not d.ended and len(d.said) > 50 * 20 * FRAME
                    and time.monotonic() - d.began >= seconds]
        end = time.monotonic() + 300
        while not there() and time.monotonic() < end:
            if not any(d.node == self.on(node) and not d.ended and len(d.said) > 50 * 20 * FRAME for d in list(c.deposits)) and len(threads) < 12:
                for _ in range(3):
                    t = threading.Thread(target=talk, daemon=True)
                    t.start()
                    threads.append(t)
                until(there, 8, 0.1)
            time.sleep(0.1)
        if not there():
            hold.set()
            raise Failed(f"nobody came to speak on {node.name}")
        return there(), hold, threads

    def wait_pool(self, what, node, since, seconds=180):
        moment = until(lambda: self.site.pool.noticed(what, self.on(node), since), seconds, 0.02)
        self.story.check(f"{self.name}: the pool says {what}", moment)
        if moment:
            self.story.say(f"the pool says {what} of {node.name} after {moment - since:.1f} s")
        return moment

    def sibling(self, node, marks, seconds=180):
        """When another node said that this one gives no sign; nobody asks how late we look."""
        others = [n for n in self.site.nodes if n is not node]

        def told():
            return any(e.get("fields", {}).get("other") == node.name for n in others for e in n.events(SILENT)[marks[n.name]:])
        good = until(told, seconds, 0.1)
        self.story.check(f"{self.name}: another node says that it is silent", good)
        return time.monotonic() if good else None

    def silents(self):
        return {n.name: len(n.events(SILENT)) for n in self.site.nodes}

    def answered_again(self, noticed):
        """Seconds from the pool's notice to the end of the first set-up that began after it."""
        until(lambda: self.clients.first_good(noticed), 180, 0.05)
        first = self.clients.first_good(noticed)
        took = first - noticed if first else None
        self.story.check(f"{self.name}: calls are set up again" + (" within 2 s" if self.strict else ""), took is not None and (not self.strict or took <= 2), took)
        return took

    def kept_of(self, d):
        """Samples that the store has of what that caller said, as bytes; b"" when there is no message."""
        node = self.site.running()[0]
        id = self.clients.known.get((d.box, d.caller))
        if not id:
            return b""
        file = self.site.dir / "kept.wav"
        status, text = node.cli.run("message", "export", d.box, id, file)
        return file.read_bytes() if status == 0 else b""

    # -- faults: each gives what it measured --
    def kill(self, node):
        """kill -9 of a node, while people speak on it."""
        there, hold, threads = self.talkers(node, 3)
        marks, victims = self.silents(), [d for d in list(self.clients.deposits) if d.node == self.on(node) and not d.ended]
        t = time.monotonic()
        self.story.say(f"{node.name} is killed; {len(victims)} calls were leaving a message there")
        node.kill()
        noticed = self.wait_pool("DOWN", node, t)
        again = self.answered_again(noticed) if noticed else None
        sibling = self.sibling(node, marks)
        other = next(n for n in self.site.nodes if n is not node)

        def rescued():
            self.clients.read(other, "alice")
            return all((d.box, d.caller) in self.clients.known for d in there)
        found = soon(rescued, 180, 0.3)
        took = time.monotonic() - t
        self.story.check(f"{self.name}: another node delivers what was being said" + (" within 10 s" if self.strict else ""), found and (not self.strict or took <= 10), f"{took:.1f} s")
        self.story.say(f"{other.name} has made messages of what they had said")
        lost = 0.0
        for d in victims:
            said = d.said_until(t)
            if d.bye != 200 and said:
                lost += (len(said) // FRAME - found_frames(said, self.kept_of(d))) / 50
        hold.set()
        for thread in threads:
            thread.join(120)
        node.start(seconds=120)
        return {"noticed_s": noticed and noticed - t, "again_s": again, "sibling_s": sibling and sibling - t, "rescued_s": took if found else None,
                "cut_calls": len(victims), "speech_lost_s": lost}

    def _out(self, node, begin, over):
        """A node that is there, and is not, and comes back to what it knew."""
        there, hold, threads = self.talkers(node, 2)
        marks, t = self.silents(), time.monotonic()
        for d in list(self.clients.deposits):
            d.through = d.through or (d.node == self.on(node) and not d.ended)
        self.story.say(f"{node.name}: it begins, with {len(there)} people who speak there")
        begin()
        noticed = self.wait_pool("DOWN", node, t)
        again = self.answered_again(noticed) if noticed else None
        sibling = self.sibling(node, marks)
        back = time.monotonic()
        self.story.say(f"{node.name} is back")
        over()
        hold.set()
        for d in list(self.clients.deposits):
            d.through = d.through or (d.node == self.on(node) and d.op.began <= back - self.clients.h.start and not d.ended)
        self.wait_pool("UP", node, back)
        for thread in threads:
            thread.join(120)
        return {"noticed_s": noticed and noticed - t, "again_s": again, "sibling_s": sibling and sibling - t}

    def freeze(self, node):
        """SIGSTOP, and SIGCONT when all have given it up."""
        return self._out(node, node.freeze, node.thaw)

    def cut(self, node):
        """Its cable is pulled, and put back."""
        host = self.site.host(node)
        return self._out(node, host.cut, host.join)

    def disk(self, node):
        """Its disk is full for a while."""
        t = time.monotonic()
        self.site.fill(node)
        told = until(lambda: [e for e in node.events()[self.marks[node.name]:] if re.search(r"space|full|no room", e.get("text", ""), re.I)], 60, 0.2)
        self.story.check(f"{self.name}: the node says so", told)
        until(lambda: self.clients.first_good(t + 4), 60, 0.1)
        self.site.empty(node)
        free = time.monotonic()

        def takes():
            call = self.clients.direct(self.on(node))
            return call == 200
        good = soon(takes, 60, 0.5)
        self.story.check(f"{self.name}: it takes messages again, without a restart", good)
        return {"again_s": time.monotonic() - free if good else None}

    def clock(self, node):
        """It is started with a clock that is five minutes ahead, and later with the right one."""
        node.stop(60)
        self.site.skew(node, 300)
        node.start(seconds=120)
        self.story.check(f"{self.name}: its clock is told to be wrong", until(lambda: any("NODE_CLOCK_WRONG" == f["name"] for f in node.cli.json("node", "list").get("findings", [])), 60, 0.5),
                         lambda: node.cli.run("node", "list")[1])
        n, t = self.clients.h.count("deposit", outcome=OK), time.monotonic()
        until(lambda: self.clients.h.count("deposit", outcome=OK) >= n + 8, 120, 0.2)
        node.stop(60)
        self.site.skew(node, 0)
        node.start(seconds=120)
        return {"with_it_s": time.monotonic() - t}

    def _database(self, begin, over, same=False):
        """The store is somewhere else afterwards. Calls are taken all the while."""
        self.site.db.whole()
        old = self.site.db.primary()
        t = time.monotonic()
        begin(old)
        now = until(lambda: (p := self.site.db.primary()) and p is not old and p, 180, 0.1)
        self.story.check(f"{self.name}: another member takes writes", now)
        elected = time.monotonic() - t
        self.story.say(f"{old.name} was the first member, {now.name if now else 'nobody'} is, after {elected:.1f} s")
        answered = {}
        for node in self.site.nodes:
            def reads():
                return self.clients.read(node, "alice").outcome == OK
            self.story.check(f"{self.name}: {node.name} is there again", soon(reads, 180, 0.2))
            answered[node.name] = time.monotonic() - t
        if self.heal:
            over(old)
            self.site.db.whole()
        return {"elected_s": elected, "store_again_s": max(answered.values())}

    def primary_killed(self, _):
        """All that runs on the first member's host is killed."""
        return self._database(lambda m: m.crash(), lambda m: m.start())

    def primary_cut(self, _):
        """The first member's cable is pulled: it must stop taking writes by itself."""
        return self._database(lambda m: m.host.cut(), lambda m: m.host.join())

    def switched_over(self, _):
        """patronictl switchover, as before maintenance."""
        return self._database(lambda m: self.site.db.switch_over(), lambda m: None)

    # -- one fault from begin to verdict --
    def play(self, fault, node=None, judge=True, heal=True):
        """`judge`: at once, and the next one begins on a clean sheet. Otherwise the clients go on, and judged() is for the caller to ask.
        Unless `heal`, a member of the database that is gone stays away."""
        self.heal = heal
        what = {"kill": "killed", "freeze": "stopped and woken late", "cut": "cut off the network", "disk": "with a full disk", "clock": "with a wrong clock"}
        self.name = f"{node.name} {what[fault]}" if node else {"primary_killed": "primary killed", "primary_cut": "primary cut off", "switched_over": "switched over"}[fault]
        self.story.head(f"{self.name[0].upper()}{self.name[1:]}: {getattr(self, fault).__doc__}")
        since = time.monotonic()
        figures = getattr(self, fault)(node)
        self.site.good(whole=heal)
        figures["why"] = "; ".join(sorted({f"{s[2] or 'no answer'} {s[3].reason.strip()}".strip() for s in self.clients.failed_between(since)}))
        figures["setups_failed"], figures["setups"] = len(self.clients.failed_between(since)), sum(1 for s in list(self.clients.setups) if s[0] >= since)
        if fault == "clock":  # it was stopped and started in good order, twice
            self.story.check(f"{self.name}: no set-up failed", not figures["setups_failed"], figures["why"])
        row = {"fault": fault.replace("_", " "), "node": node.name if node else "", **{k: round(v, 2) if isinstance(v, float) else v for k, v in figures.items()}}
        if judge:
            row.update(self.judged())
        self.rows.append(row)
        self.tell(row)
        if judge:
            self.begin()
        return row

    def tell(self, row):
        self.story.say(", ".join(f"{k.replace('_s', ' (s)') if k.endswith('_s') else k.replace('_', ' ')} {v}" for k, v in row.items() if k not in ("fault", "node") and v != ""))

    def judged(self):
        """Everybody stops; what is left of it all is looked at from every node."""
        c, story, site = self.clients, self.story, self.site
        c.stop()
        story.check(f"{self.name}: what waited on the nodes' disks has come into the store", until(lambda: not any(site.spooled(n) for n in site.nodes), 120, 0.3),
                    [site.spooled(n) for n in site.nodes])
        story.check(f"{self.name}: nothing is left of recordings", until(lambda: site.recordings() == 0, 120, 0.3), site.recordings())
        settled = c.h.clock()
        for node in site.nodes:
            for box in ("alice", "bob"):
                c.read(node, box)
                c.read(node, box, "deleted")
            c.failures(node)
        c.settle_tries()
        spooled = {e.get("fields", {}).get("id") for n in site.nodes for e in n.events(SPOOLED)}
        for d in c.deposits:
            if c.known.get((d.box, d.caller)) in spooled and d.op.outcome == OK:
                d.op.ended = settled  # accepted, and on its way until now
        parts = {e.get("fields", {}).get("id") for n in site.nodes for e in n.events(RESCUED)}
        for key, id in c.known.items():
            if id in parts:
                c.h.longer(key)
        wrong = history.judge(c.h)
        if wrong:
            c.h.save(site.dir / f"history-{self.rounds}.jsonl")
        accepted = [d for d in c.deposits if d.op.outcome == OK and d.box != "carol"]
        story.check(f"{self.name}: of {len(accepted)} accepted messages none is lost, doubled or resurrected; wrong PINs are counted right", not wrong, "\n".join(map(str, wrong[:5])))
        story.check(f"{self.name}: messages were left all the while", len(accepted) >= 3, len(accepted))
        story.check(f"{self.name}: no client failed", not c.errors, c.errors)
        heard = [s for s in c.sessions if s[2] == 200 and s[3] > 0.9]
        return {"accepted": len(accepted), "sessions": len(c.sessions), "sessions_good": len(heard), "wrong": len(wrong), **self.whole(accepted), **self.lamps()}

    def whole(self, accepted):
        """Each accepted message that is not gone for good, sample by sample. What a node's kernel threw away, because a busy machine let nobody
        read it, is missing without anybody's fault."""
        c, short, missing, compared = self.clients, [], 0, 0
        gone = {op.key for op in c.h.ops if op.what == "purge"}
        thrown = {h.address: h.dropped() - self.dropped[h.address] for h in self.site.hosts}
        left = dict(thrown)
        for d in accepted:
            if (d.box, d.caller) in gone:
                continue
            kept, frames = self.kept_of(d), len(d.said) // FRAME
            which = frames_found(d.said, kept)
            found = sum(which)
            compared += 1
            missing += frames - found
            # A machine that does many things at once may be late to begin to record and to read the last packets before the BYE.
            if found < frames * 0.97 - 25 and not d.through:
                left[d.node] -= frames - found
                if left[d.node] < 0:
                    short.append(f"{d.caller} by {d.node}: {found} of {frames} frames, {len(kept)} bytes kept, first {which.index(True) if found else -1}")
        self.story.check(f"{self.name}: {compared} of them were compared with what was said, and are whole", compared and not short, "\n".join(short) + f"\nthrown away: {thrown}")
        return {"missing_s": round(missing / 50, 2), "thrown_away": sum(thrown.values())}

    def lamps(self):
        """Each lamp shows in the end what is in the mailbox."""
        def shown():
            return {box: self.site.lamps.shown.get(number) for box, number in cluster.BOXES.items() if box != "pia"}

        def wanted():
            found = {}
            for box in shown():
                m = self.site.nodes[0].cli.json("mailbox", "show", box)["messages"]
                found[box] = (m["new"], m["saved"])
            return found
        counts = wanted()  # nobody changes anything any more
        good = until(lambda: all(shown()[b] == counts[b] or (counts[b] == (0, 0) and not shown()[b]) for b in counts), 180, 0.3)
        self.story.check(f"{self.name}: every lamp shows what is in its mailbox", good, f"shown {shown()}, there {counts}")
        return {"lamps_told": self.site.lamps.told}
