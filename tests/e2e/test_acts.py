#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The lab's acts as promises: act 1 and 2 over TLS 1.2 and 1.3, with a pool that closes and one that stays silent. The colour is
the argument."""
# variants: 1.2-close 1.3-silent
# long variants: 1.3-close 1.2-silent
# long way
from common import *
space.enter()
from labkit import acts

colour = sys.argv[1] if len(sys.argv) > 1 else "1.3-close"
tls, unknown = colour.split("-")
with Story(f"acts-{colour}") as story:
    stage = acts.Stage(story, tls=tls, unknown=unknown)
    cures = acts.act1(stage)
    if colour == "1.3-close":
        acts.reuse_any_masks(stage)
    acts.act2(stage, cures)
    acts.act3_works(stage)
