#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What goes over the wire to a proxy whose DNS says how it is reached (NAPTR): a phone behind it subscribes to its mailbox (Twinkle, through Kamailio) and is
told of each change; a request of ours that is too large for a datagram goes by TCP; and where the proxy takes no TCP, by UDP all the same."""
# variants: plain
from common import *
space.enter()
import contextlib
import shutil
import single
from labkit import site as lab
from labkit.caller import Call, speech
from labkit.dns import Dns
from labkit.phones import Baresip
from labkit.proxy import ADDRESS, Proxy
from labkit.softphones import Twinkle

ALICE, BOB, CALLER = "2001", "2002", "1000"
# In Request-URI, To and more: the INVITE gets too large for a datagram.
LONG = ".".join(["a-domain-with-a-long-name-" + "x" * 30] * 4) + ".domain.com"
NAME = "Somebody Whose Name Is Long Enough To Make What Tells Of Him Too Large For One Datagram"
NAPTR = [f"--naptr-record={space.POOL},20,10,s,SIP+D2T,,_sip._tcp.{space.POOL}", f"--naptr-record={space.POOL},10,10,s,SIP+D2U,,_sip._udp.{space.POOL}",
         f"--naptr-record={space.POOL},10,20,s,SIP+D2S,,_sip._sctp.{space.POOL}",
         f"--srv-host=_sip._udp.{space.POOL},{space.POOL},5060,10,50", f"--srv-host=_sip._tcp.{space.POOL},{space.POOL},5060,10,50"]


def change(c):
    c["gateways"][0].update(sources=["127.0.0.1/32"], transfer="bridge")
    c["gateways"].insert(0, {"name": "proxy", "address": space.POOL, "transport": "auto", "lamp": True, "trusted_headers": True})
    c["dialplans"][0].update(gateway="proxy", domain=LONG)
    alice = next(m for m in c["mailboxes"] if ALICE in m["extensions"])
    alice.update(lamp=True)


def count_of(phone, since):
    return [line.split(":", 1)[1].strip() for line in phone.traced()[since:].splitlines() if line.startswith("Voice-Message:")]


def lamp(story, node, phone):
    story.check("subscribe: the phone hears the state at once", lambda: soon(lambda: count_of(phone, 0)[:1] == ["0/0"], 10), phone.traced()[-1500:])
    at = len(phone.traced())
    call = Call(single.ADDRESS, ALICE, caller=CALLER).start()
    call.wait_answer(8)
    call.press("#")  # no greeting
    call.wait_tone()
    call.say(speech(lab.SPEECH_A, 2))
    call.hang_up(8)
    call.close()
    story.check("subscribe: a message left is told", lambda: soon(lambda: "1/0" in count_of(phone, at), 8), phone.traced()[at:][-1500:])
    at = len(phone.traced())
    message = node.cli.json("message", "list", "alice")["messages"][0]
    node.cli.run("message", "mark", "alice", message["id"], "saved")
    story.check("subscribe: heard is told", lambda: soon(lambda: "0/1" in count_of(phone, at), 8), phone.traced()[at:][-1500:])


def over(proxy):
    return "over=tcp" if "USER INVITE" in proxy.log() and "over=tcp" in proxy.log().split("USER INVITE", 1)[1].split("\n")[0] else \
        "over=udp" if "USER INVITE" in proxy.log() else ""


@contextlib.contextmanager
def put_through(bob):
    """A caller whom the attendant connects with Bob, by a call of ours."""
    at = bob.mark()
    call = Call(single.ADDRESS, "4000", caller=CALLER, display=NAME).start()
    try:
        call.wait_answer(8)
        call.press(BOB)
        bob.wait("CALL_ESTABLISHED", 15, at)
        yield
    finally:
        call.hang_up(8)
        call.close()
    bob.wait("CALL_CLOSED", 8, at)


def large(story, node, proxy, bob):
    proxy.since()
    with put_through(bob):
        story.check("large: the INVITE to the phone went by TCP", over(proxy) == "over=tcp", proxy.log()[-1500:])


def without_tcp(story, node, proxy, bob):
    """A firewall that refuses TCP to the proxy."""
    space.refuse_tcp(ADDRESS, 5060)
    proxy.since()
    with put_through(bob):
        story.check("large: where TCP is refused it goes by UDP", over(proxy) == "over=udp", proxy.log()[-1500:])
    story.check("large: which is told", lambda: soon(lambda: node.events(2730), 5))


with Story("subscribe") as story:
    if not shutil.which("twinkle-console"):
        story.skip("subscribe", "twinkle is not installed")
        sys.exit(77)
    dns = Dns(story.dir, NAPTR)
    dns.start()
    proxy = Proxy(story.dir).start()
    node = single.node(story, change)
    story.check("auto: the node asks for NAPTR", lambda: soon(lambda: f"query[NAPTR] {space.POOL}" in dns.proc.said(), 5), dns.proc.said()[-1500:])
    show = lambda: next(g for g in node.cli.json("gateway", "list")["gateways"] if g["name"] == "proxy")
    story.check("auto: the proxy is up", lambda: soon(lambda: show()["state"] == "up", 8), str(show()))
    story.check("auto: the records that decided are told",
                lambda: (show()["transport_now"], show()["decided_by"]) == ("UDP", f"NAPTR {space.POOL}, SRV _sip._udp.{space.POOL}"), str(show()))
    phone = Twinkle(story.dir, ALICE, ADDRESS, lamp=True).start()
    bob = Baresip(story.dir, BOB, lab.SPEECH_B).start()
    for part, args in ((lamp, (phone,)), (large, (proxy, bob)), (without_tcp, (proxy, bob))):
        try:
            part(story, node, *args)
        except Failed as e:
            story.check(f"{part.__name__}: goes to its end", False, f"{e}\n{proxy.log()[-1500:]}")
    at = len(phone.traced())
    story.check("SIGTERM ends it in time", node.stop() == 0)
    story.check("subscribe: a node that stops says so", lambda: soon(lambda: "terminated;reason=deactivated" in phone.traced()[at:], 5), phone.traced()[at:][-1500:])
