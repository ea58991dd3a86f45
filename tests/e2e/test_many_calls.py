#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Thousands of calls set up and torn down, over UDP: each is answered and ended, and afterwards descriptors, threads
and files are what they were; memory does not go on growing."""
from common import *
space.enter()
import collections
import re
import single
from labkit.load import Load

LONG = LEVEL == "long"
CALLS, AT_ONCE, RATE = (10000, 200, 1000) if LONG else (2000, 100, 500)
REST_S, ROUNDS, ROUND, KB_A_CALL = 40, 6, 4000, 0.25  # over UDP answers are remembered for 32 s (RFC 3261 17.2.2)


def change(c):
    c["node"]["sip"] = {"max_calls": 500, "max_calls_per_source": 500}


def look(node):
    status = Path(f"/proc/{node.proc.pid}/status").read_text()
    kb = {k: int(v.split()[0]) for k, v in (line.split(":", 1) for line in status.splitlines()) if k in ("RssAnon", "Threads")}
    files = sorted(str(p.relative_to(node.dir)) for p in (node.dir / "data").rglob("*") if p.is_file() and "spool" in str(p))
    return descriptors(node), kb["Threads"], kb["RssAnon"], files


def descriptors(node):
    """What is open, by what it is; sockets without their number. The store opens connections when it needs them, a few, and keeps them."""
    links = []
    for fd in os.listdir(f"/proc/{node.proc.pid}/fd"):
        try:
            link = os.readlink(f"/proc/{node.proc.pid}/fd/{fd}")
            if not link.startswith(str(node.dir / "umbel.db")):
                links.append(re.sub(r":\[\d+\]$", "", link))
        except FileNotFoundError:
            pass
    return collections.Counter(links)


def calls(node, count):
    return Load(single.ADDRESS, node, "setup", to="4000", calls=AT_ONCE, rate=RATE, seconds=count // RATE).result(300)


def flat(node):
    """How much the allocator keeps depends on how many answers were remembered at once, so at first it may grow; what leaks grows with every round."""
    kb = look(node)[2]
    for _ in range(ROUNDS):
        calls(node, ROUND)
        time.sleep(REST_S)
        before, kb = kb, look(node)[2]
        if kb - before < ROUND * KB_A_CALL:
            return True
    return False


def main(story):
    node = single.node(story, change)
    calls(node, RATE)  # so that everything is there that stays: prompts, caches, pools
    idle = lambda: not node.cli.json("call", "list").get("calls", [])
    story.check("none is left of those that came first", until(idle, 60))
    fds, threads, kb, files = look(node)
    r = calls(node, CALLS)
    story.check(f"{CALLS} calls are answered and ended", r["ok"] == CALLS and not r["failed"] and not r["refused"], {k: v for k, v in r.items() if "hist" not in k})
    story.check("none is left", until(idle, 60), node.cli.run("call list")[1])
    story.check("descriptors are what they were", until(lambda: look(node)[0] <= fds, 60), f"more: {look(node)[0] - fds}")
    story.check("threads are what they were", until(lambda: look(node)[1] <= threads, 60), f"{look(node)[1]}, before {threads}")
    story.check("no file is left", look(node)[3] == files, look(node)[3])
    if LONG:
        story.check("memory stops growing", flat(node), f"{look(node)[2]} kB, before all {kb}")
    story.check("it ends when told to", node.stop() == 0)


if __name__ == "__main__":
    with Story("many-calls") as story:
        main(story)
