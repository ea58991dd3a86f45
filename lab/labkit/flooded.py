# SPDX-License-Identifier: Apache-2.0
"""The node that is flooded, and the kinds of floods with their senders: a stranger, another gateway that has lost its mind, and the good gateway beside them."""
import os
import re
import ssl
from pathlib import Path

import single

from . import floods, pki, space
from .node import Node
from .run import until

GOOD, MAD, STRANGER = "127.0.1.20", "127.0.1.30", "127.0.1.66"
SERVER = single.ADDRESS
TLS = (SERVER[0], 5061)
BIG = 64 << 20


def node(folder, **sip):
    ca = pki.CA(folder / "ca")
    own = ca.issue("node", space.NODES[0], space.NODES[:1])
    config = single.config(folder)
    config["node"]["listen"].append(f"tls:{TLS[0]}:{TLS[1]}")
    config["node"]["identities"] = [{"name": "own", "cert": str(own.cert), "key": str(own.key)}]
    config["node"]["sip"] = sip
    config["trust"] = {"ca": [str(ca.cert)]}
    config["gateways"][0]["sources"] = [f"{GOOD}/32"]
    config["gateways"].append({"name": "mad", "address": MAD, "transport": "udp", "sources": [f"{MAD}/32"], "options": {"on": False}, "max_calls": 50})
    config["gateways"].append({"name": "pool", "address": space.POOL, "transport": "tls", "options": {"on": False}})
    return Node(folder, "node01", config).start()


def kinds():
    return [
        ("1,000 INVITE/s of a stranger", lambda: floods.Invites(SERVER, STRANGER)),
        ("1,000 INVITE/s of a gateway", lambda: floods.Invites(SERVER, MAD)),
        ("1,000 garbage/s", lambda: floods.Garbage(SERVER, STRANGER)),
        ("500 silent TLS connections", lambda: floods.Silent(TLS, STRANGER)),
        ("500 slow TLS connections", lambda: floods.Silent(TLS, STRANGER, slow=True)),
        ("500 silent connections of a gateway", lambda: floods.Silent(SERVER, MAD)),
        ("endless headers", lambda: floods.Endless(SERVER, STRANGER)),
        ("endless headers of a gateway", lambda: floods.Endless(SERVER, MAD)),
        ("64 MB bodies", lambda: floods.Endless(SERVER, STRANGER, body=BIG)),
        ("64 MB bodies of a gateway", lambda: floods.Endless(SERVER, MAD, body=BIG)),
        ("bodies just within the limit that never end", lambda: floods.Endless(SERVER, STRANGER, body=262144, most=100)),
        ("handshakes", lambda: floods.Handshakes(TLS, STRANGER)),
        ("handshakes of a gateway's address", lambda: floods.Handshakes(TLS, MAD)),
        ("2,000 OPTIONS/s of a gateway", lambda: floods.Requests(SERVER, MAD, "OPTIONS", 2000)),
        ("1,000 REGISTER/s of a stranger", lambda: floods.Requests(SERVER, STRANGER, "REGISTER")),
        ("1,000 BYE/s for calls of nobody", lambda: floods.Requests(SERVER, MAD, "BYE", to_tag=";tag=x")),
        ("1,000 answers/s that nobody asked for", lambda: floods.Requests(SERVER, STRANGER, "answer")),
        ("answers that a gateway does not read", lambda: floods.Unread(SERVER, MAD)),
        ("300 connections/s that are reset", lambda: floods.Churn(SERVER, STRANGER)),
        ("abandoned calls", lambda: floods.Abandoned(SERVER, MAD)),
    ]


def memory_kb(n):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{n.proc.pid}/status").read_text())[1])


def sockets(n):
    count = 0
    for f in Path(f"/proc/{n.proc.pid}/fd").iterdir():
        try:
            count += os.readlink(f).startswith("socket:")
        except OSError:
            pass
    return count


def settled(n, opened, seconds):
    """Whether the connections of a flood are gone in time."""
    return until(lambda: sockets(n) <= opened, seconds, 0.2)
