#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What goes over the wire to a proxy whose DNS says how it is reached (NAPTR): a phone behind it subscribes to its mailbox (Twinkle, through Kamailio) and is
told of each change, as is baresip; the proxy asks us for a password, proves that it knows it, and vouches for its callers; a request of ours that is too large for a datagram goes by TCP; and where the proxy takes no TCP, by UDP all the same."""
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
PASSWORD = "a password of the lab"
# In Request-URI, To and more: the INVITE gets too large for a datagram.
LONG = ".".join(["a-domain-with-a-long-name-" + "x" * 30] * 4) + ".domain.com"
NAME = "Somebody Whose Name Is Long Enough To Make What Tells Of Him Too Large For One Datagram"
NAPTR = [f"--naptr-record={space.POOL},20,10,s,SIP+D2T,,_sip._tcp.{space.POOL}", f"--naptr-record={space.POOL},10,10,s,SIP+D2U,,_sip._udp.{space.POOL}",
         f"--naptr-record={space.POOL},10,20,s,SIP+D2S,,_sip._sctp.{space.POOL}",
         f"--srv-host=_sip._udp.{space.POOL},{space.POOL},5060,10,50", f"--srv-host=_sip._tcp.{space.POOL},{space.POOL},5060,10,50"]


def change(c):
    c["gateways"][0].update(sources=["127.0.0.1/32"], transfer="bridge", trusted_headers=False)
    c["gateways"].insert(0, {"name": "proxy", "address": space.POOL, "transport": "auto", "lamp": True, "trusted_headers": True,
                             "asserted_identity": True, "login": {"user": "umbel", "password": PASSWORD, "realm": "domain.com"}})
    c["dialplans"][0].update(gateway="proxy", domain=LONG)
    alice = next(m for m in c["mailboxes"] if ALICE in m["extensions"])
    alice.update(lamp=True)
    next(m for m in c["mailboxes"] if BOB in m["extensions"]).update(lamp=True)
    c["mailboxes"].append({"name": "carl", "display_name": "Carl Example", "extensions": ["2003"], "dialplan": "office", "policy": "standard", "lamp": False})


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


def lamp_of_bob(story, node, bob):
    """baresip subscribes once it has registered."""
    told = lambda: [e.get("param", "") for e in bob.happened("MWI_NOTIFY")]
    def says(words):
        bob.mark()
        return any(words in t for t in told())
    story.check("subscribe: baresip hears the state", lambda: soon(lambda: "Voice-Message: 0/0" in bob.trace(), 10), bob.trace()[-1500:])
    call = Call(single.ADDRESS, BOB, caller=CALLER).start()
    call.wait_answer(8)
    call.press("#")
    call.wait_tone()
    call.say(speech(lab.SPEECH_A, 2))
    call.hang_up(8)
    call.close()
    story.check("subscribe: baresip is told of a message", lambda: soon(lambda: says("Voice-Message: 1/0"), 8), str(told()))


def asked(story, node, proxy):
    """Each change is a NOTIFY to the proxy, too: the first was challenged, the next brought the proof at once, with the nonce handed out."""
    said = lambda what: proxy.kamailio.said().count(what)
    story.check("login: the proxy was content with what we said", lambda: soon(lambda: said("PROVEN NOTIFY") >= 3, 5), proxy.log()[-1500:])
    story.check("login: the next proof came without being asked for", said("ASKED NOTIFY") < said("PROVEN NOTIFY"), proxy.log()[-1500:])
    story.check("login: its own proof was right", not node.events(2732), str(node.events(2732)))


def vouched(story, node, bob):
    """P-Asserted-Identity is believed of a gateway marked for it, and of no other."""
    callers = lambda: [c["from"] for c in node.cli.json("call", "list")["calls"]]
    bob.dial("2003")
    story.check("asserted: of the proxy it is believed", lambda: soon(lambda: callers() == ["+15551000"], 8), str(callers()))
    bob.hangup()
    soon(lambda: not callers(), 8)
    call = Call(single.ADDRESS, "2003", caller=CALLER, headers="P-Asserted-Identity: <sip:+15559999@domain.com>\n").start()
    call.wait_answer(8)
    story.check("asserted: of others it is not", lambda: soon(lambda: callers() == [CALLER], 8), str(callers()))
    call.hang_up(8)
    call.close()


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
    proxy = Proxy(story.dir, password=PASSWORD, asserted="<sip:+15551000@domain.com>").start()
    node = single.node(story, change)
    story.check("auto: the node asks for NAPTR", lambda: soon(lambda: f"query[NAPTR] {space.POOL}" in dns.proc.said(), 5), dns.proc.said()[-1500:])
    show = lambda: next(g for g in node.cli.json("gateway", "list")["gateways"] if g["name"] == "proxy")
    story.check("auto: the proxy is up", lambda: soon(lambda: show()["state"] == "up", 8), str(show()))
    story.check("auto: the records that decided are told",
                lambda: (show()["transport_now"], show()["decided_by"]) == ("UDP", f"NAPTR {space.POOL}, SRV _sip._udp.{space.POOL}"), str(show()))
    phone = Twinkle(story.dir, ALICE, ADDRESS, lamp=True).start()
    bob = Baresip(story.dir, BOB, lab.SPEECH_B, lamp=True).start()
    for part, args in ((lamp, (phone,)), (lamp_of_bob, (bob,)), (asked, (proxy,)), (vouched, (bob,)), (large, (proxy, bob)), (without_tcp, (proxy, bob))):
        try:
            part(story, node, *args)
        except Failed as e:
            story.check(f"{part.__name__}: goes to its end", False, f"{e}\n{proxy.log()[-1500:]}")
    at = len(phone.traced())
    story.check("SIGTERM ends it in time", node.stop() == 0)
    story.check("subscribe: a node that stops says so", lambda: soon(lambda: "terminated;reason=deactivated" in phone.traced()[at:], 5), phone.traced()[at:][-1500:])
