#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The counter-act: a node shows a certificate without its own name. Then calls in fail, because the pool checks whom it calls; and Umbel says why."""
from common import *
space.enter()
from labkit import site as lab
from labkit.caller import Call
from labkit.node import Node

with Story("wrong-name") as story:
    site = lab.Site(story, database=False, spread=space.NODES[0]).start()
    nameless = site.ca.issue("nameless", space.SERVICE, [space.SERVICE])
    node = Node(site.dir, "node01", lab.node_config(site, space.NODES[0], nameless)).start()
    story.check("at its start the node warns that its certificate does not bear its name", node.told(r"node01\.domain\.local", 5),
                node.events())
    call = Call((space.HOSTS[space.POOL], 5060), lab.ALICE, caller="5001").start()
    status = call.wait_status(15)
    story.check("the call does not arrive", status != 200, f"{status}")
    call.close()
    story.check("stunnel refused the node by its name", "ertificate" in site.pool.stunnel.said() and
                ("mismatch" in site.pool.stunnel.said() or "CERT:" in site.pool.stunnel.said()), site.pool.stunnel.said()[-800:])
    event = node.told(r"(?s)incoming TLS|refused", 10)
    story.check("event 1113 tells that the caller refused this node's certificate", event and event["id"] == 1113, event)
