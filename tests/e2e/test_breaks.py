#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an administrator breaks, and what Umbel says of it: names, ports, DNS, trust, certificates; each with its own verdict, and none of them
keeps the good gateway from working."""
import re
import socket
import ssl
import threading

from common import *
space.enter()
from labkit import pki
from labkit import site as lab
from labkit.node import Node


def tls_server(address, port, identity=None):
    """A peer that shakes hands with that certificate and then says nothing; without one it accepts and says nothing at all."""
    listener = socket.create_server((address, port))
    context = None
    if identity:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(identity.cert, identity.key)
    held = []

    def serve():
        while True:
            plain, _ = listener.accept()
            held.append(plain)
            if context:
                try:
                    held.append(context.wrap_socket(plain, server_side=True))
                except (ssl.SSLError, OSError):
                    pass
    threading.Thread(target=serve, daemon=True).start()


def gateway(name, address, port=5061, **more):
    return {"name": name, "address": address, "port": port, "transport": "tls",
            "options": {"interval_s": 5, "timeout_s": 3, "misses": 1, "answers": 1}, **more}


with Story("breaks") as story:
    site = lab.Site(story, database=False)
    site.dns.extra += [f"--host-record=alias.domain.com,{space.HOSTS[space.POOL]}", "--host-record=expired.domain.com,127.0.1.66",
                       "--host-record=stall.domain.com,127.0.1.66",
                       "--txt-record=nodata.domain.com,nothing"]
    site.start()
    other = pki.CA(site.dir / "other", "Other CA")
    tls_server("127.0.1.66", 5061, other.issue("stranger", "stranger.domain.com", ["stranger.domain.com"]))
    tls_server("127.0.1.66", 5062, site.ca.issue("expired", "expired.domain.com", ["expired.domain.com"], days=-1))
    tls_server("127.0.1.66", 5063)
    space.lose_packets("127.0.1.34")

    cases = [
        (gateway("unknown-name", "nosuch.domain.com"), r"dns-name-unknown"),
        (gateway("no-address", "nodata.domain.com"), r"dns-no-address"),
        (gateway("closed-port", space.POOL, 5999), r"connection-refused"),
        (gateway("plain-port", space.POOL, 5060), r"tls-on-plain-port|handshake-no-answer|closed-before-tls"),
        (gateway("other-name", "alias.domain.com"), r"name-mismatch"),
        (gateway("other-ca", "stranger.domain.com"), r"issuer-not-trusted|root-not-trusted"),
        (gateway("expired", "expired.domain.com", 5062), r"certificate-expired"),
        (gateway("stalls", "stall.domain.com", 5063), r"handshake-no-answer|handshake-stalled"),
        (gateway("lost", "lost.domain.com"), r"connect-timeout"),
    ]
    def change(c):
        c["gateways"] += [g for g, _ in cases]
    node = Node(site.dir, "node01", lab.node_config(site, space.NODES[0], site.own[space.NODES[0]], changes=change))
    node.start()
    for g, verdict in cases:
        name = g["name"]
        def explained():
            text = node.cli.run("explain", "gateway", name, "--json")[1]
            return text if re.search(verdict, text) else ""
        text = until(explained, 30, 1)
        story.check(f"{name}: the verdict is {verdict.split('|')[0]}", text, node.cli.run("explain", "gateway", name)[1])
        words = node.cli.run("explain", "gateway", name)[1]
        story.check(f"{name}: in words, with the name and something to do", g["address"] in words and len(words) > 120, words)
    good = until(lambda: "200" in node.cli.run("gateway", "probe", "lyncpool")[1], 15, 1)
    story.check("the good gateway works beside all these", good, node.cli.run("gateway", "probe", "lyncpool")[1])
