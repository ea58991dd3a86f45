#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Passwords with integrity (digest, qop=auth-int), proven to and by somebody else's program: sipp calls and proves what it knows, body included; it asks
us for the same when we transfer its call (REFER), call out (INVITE with a description) and tell a lamp (NOTIFY with a body), and works out the sums itself."""
from common import *
space.enter()
import shutil
import single
from labkit import site as lab
from labkit.caller import Call, speech

TRUNK, PORT = space.HOSTS["lamp.domain.com"], 5066
USER, PASSWORD, REALM = "umbel", "password-of-the-lab", "trunk.domain.com"

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">\n<scenario name="proof">\n'
SDP = "v=0\no=trunk 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [media_ip]\nt=0 0\nm=audio [auto_media_port] RTP/AVP 0 101\na=rtpmap:101 telephone-event/8000\n"


def send(text, body="", **how):
    more = "".join(f' {k}="{v}"' for k, v in how.items())
    end = f"Content-Type: {body[0]}\nContent-Length: [len]\n\n{body[1]}" if body else "Content-Length: 0\n\n"
    return f"<send{more}><![CDATA[\n{text}{end}\n]]></send>\n"


def request(method, number, more="", body="", branch="branch", **how):
    """One of sipp's own (whose proofs are of a URI without a user), within the call or before it. The ACK of a refusal has the branch of what was refused, so many steps ago."""
    tag = "[peer_tag_param]" if method != "INVITE" else ""
    return send(f"{method} sip:[remote_ip]:[remote_port] SIP/2.0\nVia: SIP/2.0/UDP [local_ip]:[local_port];branch=[{branch}]\nMax-Forwards: 70\n"
                f"From: <sip:1000@domain.com>;tag=t[call_number]\nTo: <sip:4000@domain.com>{tag}\nCall-ID: [call_id]\nCSeq: {number} {method}\n"
                f"Contact: <sip:1000@[local_ip]:[local_port]>\n{more}", body, **how)


def answer(status, tag="", more="", body="", **how):
    return send(f"SIP/2.0 {status}\n[last_Via:]\n[last_From:]\n[last_To:]{tag}\n[last_Call-ID:]\n[last_CSeq:]\nContact: <sip:trunk@[local_ip]:[local_port]>\n{more}", body, **how)


def proven(method, tag="", more=""):
    """Challenges a request of theirs, works the sum out of what comes then, and goes on only if it is right and holds the body."""
    ask = answer("401 Who are you", tag, f'WWW-Authenticate: Digest realm="{REALM}", nonce="n-{method}-[call_number]", qop="auth-int", algorithm=MD5\n')
    ack = '<recv request="ACK"/>\n' if method == "INVITE" else ""
    return (f'{ask}{ack}<recv request="{method}"{more}><action>\n<verifyauth assign_to="good" username="{USER}" password="{PASSWORD}"/>\n'
            '<ereg regexp="qop=auth-int" search_in="hdr" header="Authorization:" check_it="true" assign_to="whole"/></action></recv>\n'
            f'<nop next="{method}" test="good"/>\n<nop><action><error message="that proof is wrong"/></action></nop>\n<label id="{method}"/>\n<Reference variables="good,whole"/>\n')


CALLS = (HEAD + request("INVITE", 1, body=("application/sdp", SDP)) + '<recv response="100" optional="true"/>\n<recv response="401" auth="true"/>\n' + request("ACK", 1, branch="branch-3")
         + request("INVITE", 2, f"[authentication username={USER} password={PASSWORD}]\n", ("application/sdp", SDP)) + '<recv response="100" optional="true"/>\n'
         '<recv response="200"><action><ereg regexp="qop=auth-int" search_in="hdr" header="Authentication-Info:" check_it="true" assign_to="whole"/></action></recv>\n'
         + request("ACK", 2)
         + "".join(request("INFO", 3 + n, body=("application/dtmf-relay", f"Signal={key}\nDuration=160\n")) + '<recv response="200"/>\n' for n, key in enumerate("2002"))
         + '<recv request="REFER"/>\n' + proven("REFER") + answer("202 Accepted")
         + request("NOTIFY", 7, "Event: refer\nSubscription-State: terminated;reason=noresource\n", ("message/sipfrag;version=2.0", "SIP/2.0 200 OK\n"))
         + '<recv response="200"/>\n<recv request="BYE"/>\n' + answer("200 OK") + "</scenario>\n")
WRONG = (HEAD + request("INVITE", 1, body=("application/sdp", SDP)) + '<recv response="100" optional="true"/>\n<recv response="401" auth="true"/>\n' + request("ACK", 1, branch="branch-3")
         + request("INVITE", 2, f"[authentication username={USER} password=guess]\n", ("application/sdp", SDP)) + '<recv response="100" optional="true"/>\n'
         '<recv response="401"/>\n' + request("ACK", 2, branch="branch-3") + "</scenario>\n")
CALLED = (HEAD + '<recv request="INVITE"/>\n' + proven("INVITE", ";tag=f[call_number]") + answer("200 OK", ";tag=c[call_number]", body=("application/sdp", SDP))
          + '<recv request="ACK"/>\n<recv request="BYE"/>\n' + answer("200 OK") + "</scenario>\n")
TOLD = HEAD + '<recv request="NOTIFY"/>\n' + proven("NOTIFY", ";tag=n[call_number]") + answer("200 OK", ";tag=n[call_number]") + "</scenario>\n"


def change(c):
    c["gateways"][0].update(sources=["127.0.0.1/32"], transfer="bridge")
    c["gateways"].append({"name": "trunk", "address": TRUNK, "port": PORT, "transport": "udp", "lamp": True, "options": {"on": False}, "transfer": "refer",
                          "login": {"user": USER, "password": PASSWORD, "realm": REALM, "demanded": True, "md5_only": True}})
    c["dialplans"][0].update(gateway="trunk")
    c["mailboxes"][0].update(lamp=True, lamp_uri=f"sip:{lab.LAMP}@domain.com")


class Sipp:
    """One scenario, one call."""

    def __init__(self, story, name, text, port, calls=False):
        (story.dir / f"{name}.xml").write_text(text)
        aim = [f"{single.ADDRESS[0]}:5060"] if calls else []
        self.proc = Proc(name, ["sipp", *aim, "-sf", story.dir / f"{name}.xml", "-i", TRUNK, "-p", port, "-m", "1", "-nostdin", "-timeout", "170", "-timeout_error", "-trace_err", "-error_file",
                                story.dir / f"{name}.err", "-trace_msg", "-message_file", story.dir / f"{name}.msg"], story.dir, cwd=story.dir)
        self.err, self.msg = story.dir / f"{name}.err", story.dir / f"{name}.msg"

    def good(self):
        until(lambda: not self.proc.running(), 180)
        return self.proc.child.returncode == 0

    def said(self):
        return "".join(f.read_text(errors="replace")[-3000:] for f in (self.err, self.msg) if f.exists())


def listening_udp(port):
    """Whether somebody has the port."""
    wanted = f":{port:04X} "
    return until(lambda: any(wanted in line.split("rem")[0] for line in Path("/proc/net/udp").read_text().splitlines()[1:]), 60)


with Story("proof") as story:
    if not shutil.which("sipp"):
        story.skip("sipp", "it is not installed")
        sys.exit(77)
    node = single.node(story, change)
    calls = Sipp(story, "calls", CALLS, PORT + 1, calls=True)
    story.check("sipp proves its INVITE, and we the REFER of its call", calls.good(), calls.said())
    wrong = Sipp(story, "wrong", WRONG, PORT + 2, calls=True)
    story.check("another password is told and refused", wrong.good() and node.told("SIP_LOGIN_WRONG", 60), wrong.said())

    called = Sipp(story, "called", CALLED, PORT)
    listening_udp(PORT)
    call = Call(single.ADDRESS, "4000", caller="1000").start().wait_answer(60)
    call.press("2002")
    story.check("we prove an INVITE that it challenges, description included",
                until(lambda: any(": talking" in c["state"] for c in node.cli.json("call", "list")["calls"]), 60, 0.2), called.said())
    call.hang_up(60)
    call.close()
    story.check("and the call ends as it should", called.good(), called.said())

    told = Sipp(story, "told", TOLD, PORT)
    listening_udp(PORT)
    call = Call(single.ADDRESS, "2001", caller="1000").start().wait_answer(60)
    call.press("#")  # no greeting
    call.wait_tone()
    call.say(speech(lab.SPEECH_A, 2))
    call.hang_up(60)
    call.close()
    story.check("we prove a NOTIFY that it challenges, body included", told.good(), told.said())
    story.check("SIGTERM ends it in time", node.stop() == 0)
