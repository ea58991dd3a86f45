#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Three nodes with one store and one certificate for all: `umbel cert cure --all` on one of them, and every node has a key of its own, which it made
itself, and a certificate with its own name, which the pool believes. One that has gone is left out and named."""
from common import *
space.HOSTS["node03.domain.local"] = "127.0.1.13"
space.NODES = (*space.NODES, "node03.domain.local")
space.enter()
from labkit import acts
from labkit import site as lab
from labkit.node import Node


def shown(node):
    """CN that the node shows, and the fingerprint."""
    own = node.cli.json("cert", "list")["identities"][0]
    return own["cn"], own["sha256"]


with Story("cure-cluster") as story:
    stage = acts.Stage(story)
    stage.site.start()
    for fqdn in space.NODES:
        node = Node(stage.site.dir, fqdn.split(".")[0], lab.node_config(stage.site, fqdn, stage.site.shared))
        stage.nodes[fqdn] = node.start(seconds=90)
    nodes = list(stage.nodes.values())

    def listed():
        rows = nodes[1].cli.json("node", "list").get("nodes", [])
        return len(rows) == 3 and all(r["state"] == "ready" for r in rows)
    story.need("all three know each other", until(listed, 90, 0.5))
    before = [shown(n) for n in nodes]
    story.check("all show the same certificate", len(set(before)) == 1 and before[0][0] == space.SERVICE, before)
    status, text = nodes[1].cli.run("cert", "cure", acts.GATEWAY, "--all", "--watch", "0s", timeout=300)
    print(text, flush=True)
    story.check("one command on the second of them cures all", status == 0 and "all 3 nodes" in text, text)
    for fqdn, node in stage.nodes.items():
        story.check(f"{node.name} shows its own name", shown(node)[0] == fqdn, shown(node))
        story.check(f"{node.name}: the pool answers its OPTIONS", until(lambda: "200" in node.cli.run("gateway", "probe", acts.GATEWAY)[1], 60, 1))
    keys = {(n.dir / "data/tls/own.key").read_text() for n in nodes}
    story.check("each made a key of its own", len(keys) == 3, f"{len(keys)} keys")
    secret = [line for key in keys for line in key.splitlines() if len(line) >= 60]
    kept = stage.site.pg.sql("SELECT COALESCE(string_agg(body, ' '), '') FROM node_letter") + " " + stage.site.pg.sql("SELECT string_agg(body, ' ') FROM node_card")
    story.check("no key went through the store", secret and not any(line in kept for line in secret))
    story.check("the authority has issued three", (stage.site.dir / "ca/ca.index").read_text().count("issued\t") == 3)
    nodes[2].stop(60)
    status, text = nodes[0].cli.run("cert", "cure", acts.GATEWAY, "--all", "--watch", "0s", timeout=300)
    story.check("one that does not run is named and left out", status == 0 and "node03 is left out" in text, text)
