# SPDX-License-Identifier: Apache-2.0
"""Our own evaluator's answers, and how they compare with what the programs did."""
import json
import os
import re
import subprocess
from pathlib import Path

from labkit.run import Failed

# What each confidence claims: (share of our answers that agree, share of questions that may stay without one).
CLAIMS = {"lab": (1.0, 0.05), "source": (0.97, 0.15), "manual": (0.9, 0.3), "standard": (0.97, 0.15), "hearsay": (0.0, 1.0)}
WHEN = {1: "alert", 2: "close", 3: "request"}


class Judge:
    def __init__(self, anchors):
        build = Path(os.environ.get("UMBEL_BUILD", Path(__file__).resolve().parents[2] / "build"))
        program = build / "tests" / "conformance" / "umbel-judge"
        if not program.exists():
            raise Failed(f"{program} is not there: build first, or set UMBEL_BUILD")
        self.child = subprocess.Popen([program, anchors], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.known = {}

    def ask(self, profile, seat, switch, reference, file):
        key = profile, seat, switch, reference, file
        if key not in self.known:
            self.child.stdin.write("\t".join([profile, seat, switch, reference or "-", str(file)]) + "\n")
            self.child.stdin.flush()
            line = self.child.stdout.readline()
            if not line:
                raise Failed(f"the evaluator ended with {self.child.wait()} when it was asked {key}")
            self.known[key] = json.loads(line)
        return self.known[key]


def agrees(row):
    """True, False; None when one of the two did not say."""
    ours = row["ours"]
    if row["accepted"] is None or ours.get("kind") not in ("accepts", "refuses"):
        return None
    return row["accepted"] == (ours["kind"] == "accepts")


def foreseen(row):
    """Whether the refusal came in the way that the row foretells; None when there is nothing to compare."""
    ours = row["ours"]
    if row["accepted"] is not False or ours.get("kind") != "refuses" or ours.get("when") not in (1, 2):
        return None
    seen = row["sees"].split(" ")
    if WHEN[ours["when"]] != seen[0]:
        return False
    numbers = re.findall(r"alert (\d+)", ours["foresees"])
    return seen[0] != "alert" or not numbers or seen[1] in numbers


class Tally:
    """One row of the table: a profile in one seat."""

    def __init__(self):
        self.asked = self.agreed = self.disagreed = self.unknown = self.no_verdict = self.seen_as_said = self.seen_otherwise = 0
        self.confidence = ""

    def add(self, row):
        self.asked += 1
        self.confidence = row["ours"].get("confidence") or self.confidence
        how, sight = agrees(row), foreseen(row)
        self.no_verdict += row["accepted"] is None
        self.unknown += row["accepted"] is not None and how is None
        self.agreed += how is True
        self.disagreed += how is False
        self.seen_as_said += sight is True
        self.seen_otherwise += sight is False

    def good(self):
        share, silent = CLAIMS.get(self.confidence, (1.0, 0.0))
        said = self.agreed + self.disagreed
        sights = self.seen_as_said + self.seen_otherwise
        return said > 0 and self.agreed >= share * said and self.unknown <= silent * self.asked and self.seen_as_said >= share * sights

    def line(self):
        said, sights = self.agreed + self.disagreed, self.seen_as_said + self.seen_otherwise
        share = f"{100 * self.agreed / said:6.2f} %" if said else "      - "
        return f"{self.asked:6} {self.agreed:6} {self.disagreed:6} {self.unknown:8} {share}  {self.seen_as_said:5} of {sights:<5} {self.confidence:9}"


def why(row):
    """One disagreement in full."""
    ours = row["ours"]
    did = {True: "accepted", False: "refused", None: "gave no verdict"}[row["accepted"]]
    asked = f"dialled by {row['reference']}" if row["reference"] else "shown by us as client"
    return (f"{row['profile']}, {row['seat']} certificate, TLS {row['tls']}: {row['case']}, {asked}\n"
            f"        the program {did}; we saw: {row['sees']}; it said: {row['said']}\n"
            f"        we say {ours.get('kind', 'nothing')} ({ours.get('reason', ours.get('error', ''))}): {ours.get('sentence', '')}"
            f" {ours.get('foresees', '')}\n        certificate: {row['file']}")


def table(rows, limit=40):
    """Prints disagreements and the table; gives how many rows of the table fail their claim."""
    tallies, failed = {}, 0
    for row in rows:
        tallies.setdefault((row["profile"], row["seat"]), Tally()).add(row)
    for what, wrong in (("DISAGREEMENT", lambda r: agrees(r) is False), ("SEEN OTHERWISE", lambda r: foreseen(r) is False and agrees(r))):
        shown = {}
        for row in filter(wrong, rows):
            key = row["profile"], row["seat"]
            shown[key] = shown.get(key, 0) + 1
            if shown[key] <= limit:
                print(f"{what} {why(row)}")
        for (profile, seat), n in shown.items():
            if n > limit:
                print(f"... and {n - limit} more of {profile}, {seat}; --json shows all")
    print(f"\n{'profile':12} {'seat':7} {'asked':>6} {'agree':>6} {'not':>6} {'unknown':>8} {'agreement':>8}  {'seen as said':14} known by")
    for (profile, seat), t in tallies.items():
        print(f"{profile:12} {seat:7} {t.line()}")
    for (profile, seat), t in tallies.items():
        failed += not t.good()
        print(f"{'PASS' if t.good() else 'FAIL'} conformance: {profile} judges {seat} certificates as its row says")
    return failed
