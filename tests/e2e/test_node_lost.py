#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A node is killed, frozen, cut off during calls: the other serves on, and no accepted message is lost; with and without probing."""
# long way
from common import *
space.enter()
from labkit import acts

with Story("node-lost") as story:
    stage = acts.Stage(story)
    stage.build(lambda node: stage.site.own[node])
    for spread in ("probe", "dns"):
        if spread != stage.site.pool.spread:
            stage.site.pool.restart(spread=spread)
            stage.lamp.register()
        for how in acts.STOPS:
            acts.act3_stop(stage, spread, how)
