#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Floods, short ones: while a stranger or another gateway misbehaves, the good gateway's calls and OPTIONS are answered; what is too much is refused,
told once, and leaves nothing behind. How fast all of it is, bench/flood measures."""
from common import *
space.enter()
import re
import socket
import threading
import single
from labkit import flooded, floods

KINDS = ("1,000 INVITE/s of a stranger", "1,000 INVITE/s of a gateway", "500 slow TLS connections", "endless headers", "64 MB bodies of a gateway", "handshakes")
if LEVEL == "long":
    KINDS = None


def options(sock, n):
    sock.sendto((f"OPTIONS sip:{single.ADDRESS[0]} SIP/2.0\r\nVia: SIP/2.0/UDP {flooded.GOOD};branch=z9hG4bKo{n};rport\r\nMax-Forwards: 70\r\nFrom: <sip:o@x.test>;tag=o{n}\r\n"
                 f"To: <sip:{single.ADDRESS[0]}>\r\nCall-ID: o{n}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n").encode(), single.ADDRESS)
    sock.settimeout(3)
    try:
        return sock.recv(4096).startswith(b"SIP/2.0 200")
    except OSError:
        return False


with Story("flood") as story:
    floods.more_files()
    node = flooded.node(story.dir, handshake_timeout_ms=1500, message_timeout_ms=2000, t1_ms=50)
    floods.good_calls(single.ADDRESS, flooded.GOOD, "2001", 2, 0.05)
    memory = flooded.memory_kb(node)
    asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asker.bind((flooded.GOOD, 0))
    for name, make in flooded.kinds():
        if KINDS and name not in KINDS:
            continue
        opened, flood, heard = flooded.sockets(node), make(), []
        asking = threading.Thread(target=lambda: heard.extend(options(asker, f"{name[:3]}{n}".replace(" ", "").replace(",", "")) for n in range(10)))
        asking.start()
        results = floods.under(flood, single.ADDRESS, flooded.GOOD, "2001", 6, 0.08, before=0.3)
        asking.join()
        story.check(f"{name}: every good call is answered", len(results) == 6 and all(status == 200 for status, _ in results), results)
        story.check(f"{name}: OPTIONS of a good gateway, too", len(heard) == 10 and all(heard), heard)
        story.check(f"{name}: its connections are gone afterwards", flooded.settled(node, opened, 45 if "abandoned" in name else 12), f"{opened} sockets, now {flooded.sockets(node)}")
        if "headers" in name:
            story.check("a head without end is answered 513 and closed", "513" in flood.answers, flood.answers)
        if "64 MB" in name:
            story.check("a body that is too large is answered 413 and closed", "413" in flood.answers, flood.answers)

    silent = flooded.floods.Silent(single.ADDRESS, flooded.STRANGER, most=20)
    while len(silent.socks) < 20:
        silent.step()

    def closed():
        for sock in silent.socks:
            try:
                if sock.recv(10):
                    return False
            except BlockingIOError:
                return False
            except OSError:
                pass
        return True
    story.check("who connects and says nothing is let go of", until(closed, 15, 0.1))
    silent.close()
    told = [e for e in node.events() if e.get("id") in (2701, 2704, 2727)]
    story.check("floods are told, and told seldom", {2701, 2704} <= {e["id"] for e in told} and len(told) < 40, [e.get("text") for e in told][:8])
    story.check("... with how often it was", any(re.search(r"\b\d{3,} (connections|refused)", e.get("text", "")) for e in told) or len(told) < 8, [e.get("text") for e in told])
    story.check("memory is what it was, but for 40 MB at most", flooded.memory_kb(node) - memory < 40 << 10 or "asan" in os.environ.get("UMBEL_BUILD", ""),
                f"{memory} kB, then {flooded.memory_kb(node)} kB")
    story.check("the good gateway was never refused", not [e for e in told if flooded.GOOD in e.get("text", "")], told)
    story.check("SIGTERM ends it in time", node.stop() == 0)
