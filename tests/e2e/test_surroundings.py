#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The lab's own parts, before any node exists: names, database, and a pool that knows its peers by subject CN."""
from common import *
space.enter()
import socket
import ssl
import subprocess

from labkit import site as lab
from labkit.phones import Baresip, Lamp, ask

VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


def main(story):
    site = lab.Site(story).start()

    names = sorted({a[4][0] for a in socket.getaddrinfo(space.SERVICE, 5061, socket.AF_INET, socket.SOCK_STREAM)})
    story.check("the service name means both nodes", names == sorted(space.HOSTS[n] for n in space.NODES), names)
    def unknown():
        try:
            socket.getaddrinfo("node03.domain.local", 5061)
        except socket.gaierror as e:
            return e.errno == socket.EAI_NONAME
    story.check("an unknown name does not exist", unknown)
    story.check("the database answers under a user that is not root", site.pg.sql("select 6 * 7") == "42")

    for unknown_peers, word in (("close", "closed"), ("silent", "silent")):
        if unknown_peers != site.pool.unknown:
            site.pool.restart(unknown=unknown_peers)
        with wire.Capture(site.dir, unknown_peers) as cap:
            for version in VERSIONS:
                for node, identity in site.own.items():
                    said = lab.ask_options(site.ca, identity, node, tls_max=version)
                    story.check(f"{version.name}: the pool answers {node} under its own name", said == "SIP/2.0 200 OK", said)
                said = lab.ask_options(site.ca, site.shared, space.NODES[0], tls_max=version)
                story.check(f"{version.name}: the pool is {word} towards the shared certificate", said == word, said)
        refused = [t for t in cap.talks() if t.up_bytes and not t.answered]
        story.check(f"on the wire: {word} means not a byte after our request", len(refused) == len(VERSIONS), refused)

    other = lab.pki.CA(site.dir / "other", "Other CA")
    said = lab.ask_options(site.ca, other.issue("node01", space.NODES[0], [space.NODES[0]]), space.NODES[0])
    story.check("the pool refuses a certificate of another CA in the handshake", "alert" in said or said == "closed", said)

    said = ask(f"""OPTIONS sip:{space.POOL} SIP/2.0
Via: SIP/2.0/UDP @HERE@;branch=z9hG4bK1;rport
Max-Forwards: 70
From: <sip:phone@domain.com>;tag=1
To: <sip:{space.POOL}>
Call-ID: 1
CSeq: 1 OPTIONS
Content-Length: 0

""", (space.HOSTS[space.POOL], 5060))
    story.check("the pool answers phones on UDP", said == "SIP/2.0 200 OK", said)

    bob = Baresip(site.dir, "2002", lab.SPEECH_A).start()
    eve = Baresip(site.dir, "2003", lab.SPEECH_B).start()
    since = eve.dial("2002")
    story.check("one user's phone reaches another's", lambda: eve.wait("CALL_ESTABLISHED", 8, since))
    until(lambda: False, 3)
    eve.hangup()
    story.check("the other phone sees the end of the call", lambda: bob.wait("CALL_CLOSED", 5))
    heard = bob.heard()
    like = audio.likeness(audio.read(lab.SPEECH_B)[:16000], heard[-1])[0] if heard else 0.0
    story.check("what one says is what the other hears", like > 0.9, f"correlation {like:.2f} in {heard}")
    like = audio.likeness(audio.read(lab.SPEECH_A)[:16000], heard[-1])[0] if heard else 1.0
    story.check("and not something else", like < 0.5, f"correlation {like:.2f}")

    Lamp(site.dir, "2001").start()
    story.check("the lamp is registered", True)
    with_name = subprocess.run(["openssl", "s_client", "-connect", f"{space.POOL}:5061", "-CAfile", str(site.ca.cert), "-verify_hostname",
                                space.POOL, "-verify_return_error", "-brief"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    story.check("the pool's own certificate bears its name", f"CN = {space.POOL}" in with_name.stderr + with_name.stdout,
                with_name.stderr[-500:])


with Story("surroundings") as story:
    main(story)
