#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The fixed small part of the diagnosis benchmark (bench/diagnosis), in test-long all of it: faults on real parts, each with the verdict that
belongs to it, and gone after the fix that was printed."""
import json
import os
import subprocess
import sys

from common import LEVEL, ROOT

NAMES = {"diagnosis-right": "every cause is named rightly", "diagnosis-wrong-and-sure": "nothing wrong is said with certainty",
         "diagnosis-wrong-and-likely": "nothing wrong is called likely", "diagnosis-unknown": "no cause stays unknown",
         "diagnosis-false-alarms": "nothing is said of what is well", "diagnosis-fixes": "each fix that is printed mends its fault, and the story ends by itself"}

done = subprocess.run([str(ROOT / "bench" / "diagnosis" / "run"), *([] if LEVEL == "long" else ["--quick"])], capture_output=True, text=True, timeout=500,
                      env={**os.environ, "SEED": os.environ.get("SEED", "1")})
if done.returncode == 77:
    print(done.stdout, end="")
    sys.exit(77)
seen = {}
for line in done.stdout.splitlines():
    if line.startswith("{"):
        row = json.loads(line)
        seen[row["figure"]] = row
bad = False
for figure, words in NAMES.items():
    row = seen.get(figure)
    good = bool(row and row["met"])
    bad |= not good
    print(f"{'PASS' if good else 'FAIL'} diagnosis: {words}" + (f" ({row['value']} {row['unit']})" if row else ""))
if bad:
    print("        " + "\n        ".join(x for x in done.stderr.splitlines() if not x.startswith("  right")))
sys.exit(bad)
