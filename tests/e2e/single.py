# SPDX-License-Identifier: Apache-2.0
"""One node alone, on SQLite and plain UDP, called directly: what most tests of a single node need."""
from labkit import site as lab, space
from labkit.caller import Call, speech
from labkit.node import Node
from labkit.run import Failed

ADDRESS = ("127.0.1.11", 5060)


class Quiet:
    """What node_config() wants of a site, without one."""

    def __init__(self, folder):
        self.dir = folder


def config(folder, name="node01"):
    """Anybody on loopback is the gateway. No certificate, no name server."""
    mine = folder / name
    objects = lab.organisation()
    objects["gateways"] = [{"name": "phones", "address": "127.0.0.1", "port": 5060, "transport": "udp", "trusted_headers": True,
                            "sources": ["127.0.0.0/8"], "options": {"on": False}}]
    objects["dialplans"][0]["gateway"] = "phones"
    objects["policies"][0]["pin_tries_per_mailbox"] = 5
    objects["policies"][0]["pin_history"] = 0  # tests set the same PIN again
    for box in objects["mailboxes"]:
        box.pop("lamp_uri", None)
        box["lamp"] = False
    return {
        "node": {
            "name": name, "fqdn": space.NODES[0],
            "listen": [f"{t}:{ADDRESS[0]}:{ADDRESS[1]}" for t in ("udp", "tcp")],
            "media": {"address": ADDRESS[0]},
            "store": f"sqlite:{mine}/umbel.db",
            "admin": {"socket": f"{mine}/admin.sock"},
            "data": f"{mine}/data",
            "log": {"json": f"{mine}/events.jsonl"},
        },
        **objects,
    }


def node(story, change=None, **how):
    c = config(story.dir)
    if change:
        change(c)
    n = Node(story.dir, "node01", c)
    n.start(**how)
    return n


def deposit(caller, clip, number="2001", **how):
    """One call that leaves a message by hanging up; the ended call."""
    call = Call(ADDRESS, number, caller=caller, **how).start()
    try:
        call.wait_answer(8)
        if not call.wait_tone():
            raise Failed(f"{caller} never heard the tone")
        call.say(clip)
        call.hang_up(8)
    finally:
        call.close()
    return call
