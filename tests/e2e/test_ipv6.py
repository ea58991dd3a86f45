#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A node that is reached by IPv6 alone, over UDP, TCP and TLS: a message is left with each, heard by phone, and is what was said."""
from common import *
space.enter()
import single
from labkit import pki
from labkit import site as lab
from labkit.dns import Dns
from labkit.caller import Call, speech
from labkit.node import Node

HOST, NAME = "::1", "node06.domain.local"  # a name with an AAAA record and no other
LOUD = 4 * 8000  # samples that are compared


def config(story, ca):
    """Gateways by transport: addresses tell who calls, over TLS the certificate does."""
    c = single.config(story.dir)
    own = ca.issue("node", NAME, [NAME])
    options = {"on": False}
    c["node"].update(fqdn=NAME, listen=[f"{t}:[{HOST}]:{p}" for t, p in (("udp", 5060), ("tcp", 5060), ("tls", 5061))], media={"address": HOST},
                     identities=[{"name": "own", "cert": str(own.cert), "key": str(own.key)}])
    c["trust"] = {"ca": [str(ca.cert)]}
    c["gateways"] = [
        {"name": "phones", "address": HOST, "transport": "udp", "port": 5060, "sources": [f"{HOST}/128"], "options": options},
        {"name": "trunk", "address": HOST, "transport": "tcp", "port": 5060, "sources": [f"{HOST}/128"], "options": options},
        {"name": "pool", "address": space.POOL, "transport": "tls", "reuse": "any", "options": options},
    ]
    return c


def heard_as_said(node, caller):
    like = audio.likeness(audio.read(lab.SPEECH_A)[:LOUD], node.audio_of("alice", caller))[0]
    return like > 0.9, f"correlation {like:.3f}"


with Story("ipv6") as story:
    if not until(lambda: "::1" in open("/proc/net/if_inet6").read().replace("0" * 31 + "1", "::1"), 1):
        story.skip("calls over IPv6", "this machine has no IPv6")
        sys.exit(77)
    ca = pki.CA(story.dir / "ca")
    caller = ca.issue("pool", space.POOL, [space.POOL])
    Dns(story.dir, [f"--host-record={NAME},{HOST}"]).start()
    clip = story.dir / "said.wav"
    audio.write(clip, audio.read(lab.SPEECH_A)[:LOUD + 4000])
    node = Node(story.dir, "node01", config(story, ca))
    node.start()

    call = Call((HOST, 5060), "2001", caller="8601", local=HOST).start()
    call.wait_answer(8)
    story.check("UDP: the answer names an IPv6 address for the audio", call.remote_rtp and call.remote_rtp[0] == HOST, call.answer)
    call.wait_quiet(4, seconds=0.06, after=0.1)
    call.heard.clear()
    call.press("#")
    story.check("UDP: a key ends the greeting and the tone is heard", call.wait_tone(8))
    call.say(speech(clip))
    story.check("UDP: hanging up leaves the message", call.hang_up() == 200, call.bye_status)
    call.close()
    story.check("UDP: the message is what was said", *heard_as_said(node, "8601"))

    tls = ["--cert", caller.cert, "--key", caller.key, "--ca", ca.cert]
    by_key = "press #; expect answer-menu; press 3; expect answer-saved; expect-bye"
    for number, to, transport, how, end in ((8602, f"[{HOST}]:5060", "tcp", [], "hangup"), (8603, f"{NAME}:5061", "tls", tls, by_key)):
        status, text = node.cli.run("call", "test", f"sip:2001@{to};transport={transport}", "--from", number, *how, "--for", 60, "-e",
                                    f"wait 1s; press #; expect beep; play {clip}; {end}",
                                    timeout=90)
        story.check(f"{transport.upper()}: a message is left", status == 0, text + node.last_call())
        story.check(f"{transport.upper()}: the message is what was said", *heard_as_said(node, str(number)))
    rows = {c["caller"]: c for c in node.messages("alice")}
    story.check("all three are there", set(rows) == {"8601", "8602", "8603"}, rows)
    story.check("nobody is called a stranger", not node.told(r"stranger|is no gateway", 0), node.events())
    if LEVEL == "long":
        node.set_pin("alice", "739184")
        status, text = node.cli.run("call", "test", f"sip:3000@[{HOST}]", "--from", "8604", "--for", 60, "-e",
                                    f"press 2001#739184#; expect you-have; press 1; expect-sound {clip} within 20s; press 33; expect goodbye; expect-bye",
                                    timeout=90)
        story.check("it is heard by phone over IPv6", status == 0, text)
    story.check("SIGTERM ends it in time", node.stop() == 0)
