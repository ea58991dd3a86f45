#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The lab's acts as promises: act 1 and 2 over TLS 1.2 and 1.3, with a pool that closes and one that stays silent. Called with one colour
(`1.2-close`); without, it runs all of them one after another."""
import subprocess

from common import *
if len(sys.argv) == 1:
    worst = 0
    for colour in ("1.2-close", "1.3-close", "1.2-silent", "1.3-silent"):
        worst = max(worst, subprocess.run([sys.executable, __file__, colour]).returncode)
    sys.exit(worst)
space.enter()
from labkit import acts

tls, unknown = sys.argv[1].split("-")
with Story(f"acts-{sys.argv[1]}") as story:
    stage = acts.Stage(story, tls=tls, unknown=unknown)
    cures = acts.act1(stage)
    if sys.argv[1] == "1.3-close":
        acts.reuse_any_masks(stage)
    acts.act2(stage, cures)
    acts.act3_works(stage)
