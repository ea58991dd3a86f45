#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Three nodes, Kamailio, PostgreSQL under Patroni, used all the while: nodes killed, stopped, cut off, without disk or with a wrong clock; the
primary killed, cut off, switched over. No accepted message is lost, doubled or resurrected, lamps and counters are right; what was lost is counted."""
# long way
# variants: short
# long variants: rounds out database
from common import *
space.enter()
from labkit.mistreat import Trial

ROUNDS = int(os.environ.get("UMBEL_KILL_ROUNDS", 50))
SEED = os.environ.get("UMBEL_SEED")


def short(trial):
    """Each node in turn and then the first member of the database; judged once, in the end."""
    for node in trial.site.nodes:
        trial.play("kill", node, judge=False)
    trial.play("primary_killed", judge=False, heal=False)
    trial.tell(trial.judged())


def rounds(trial):
    """Judged after each fifth: by then each node was killed once at least."""
    for n in range(ROUNDS):
        trial.play("kill", trial.site.nodes[n % 3], judge=n % 5 == 4 or n == ROUNDS - 1)


def out(trial):
    for fault in ("freeze", "cut", "disk", "clock"):
        for node in trial.site.nodes:
            trial.play(fault, node)


def database(trial):
    for _ in range(3):
        for fault in ("primary_killed", "switched_over", "primary_cut"):
            trial.play(fault)


part = (sys.argv[1:] or ["short"])[0]
need_programs("cluster-faults", "patroni", "patronictl", "etcd", "kamailio")
with Story(f"cluster-faults-{part}") as story:
    trial = Trial(story, SEED and int(SEED), members=3 if part == "database" else 2, ttl=20, strict=LEVEL == "long")
    trial.start()
    {"short": short, "rounds": rounds, "out": out, "database": database}[part](trial)
    trial.clients.stop()
    trial.end()
