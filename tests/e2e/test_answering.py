#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Answering rules with a real caller and a real phone, each a witness of its own: somebody is found and both hear each other; nobody is found
and a message is left all the same; the caller gives up meanwhile. And what is done with a message, who is away, who left nothing."""
# long way
from common import *
space.enter()
import re
import single
from labkit import site as lab
from labkit.caller import Call, header, speech
from labkit.node import BUILD, program

CALLER_SAYS, PHONE_SAYS = speech(lab.SPEECH_A, 2), speech(lab.SPEECH_B, 2)


class Phone(Call):
    """The phone at the place where somebody is looked for. `does`: number -> busy, ring, answer; everything else is unknown to it."""

    def __init__(self, does):
        super().__init__(None, "?", caller="phone")
        self.sip.close()
        import socket
        self.sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sip.bind(("127.0.0.1", 5060))
        self.does, self.seen, self.invite_text, self.status = does, [], "", 200

    def start(self):
        self.thread.start()
        return self

    def _reply(self, text, status, body="", extra=""):
        vias = "".join(f"Via: {v}\n" for v in re.findall(r"^Via\s*:\s*(.*?)\r?$", text, re.M | re.I))
        to = header(text, "To")
        to += "" if ";tag=" in to or status.startswith("100") else f";tag={self.tag}"
        body = body.replace("\n", "\r\n")
        self.sip.sendto((f"SIP/2.0 {status}\n{vias}From: {header(text, 'From')}\nTo: {to}\nCall-ID: {header(text, 'Call-ID')}\n"
                         f"CSeq: {header(text, 'CSeq')}\nContact: {self._contact()}\n{extra}Content-Length: {len(body)}\n\n").replace("\n", "\r\n").encode()
                        + body.encode(), self.source)

    def _on_request(self, text, source):
        self.source = source
        method = text.split(" ", 1)[0]
        if method == "INVITE":
            self._invited(text)
        elif method == "CANCEL":
            self.seen.append("CANCEL")
            self._reply(text, "200 OK")
            self._reply(self.invite_text, "487 Request Terminated")
        elif method == "BYE":
            self.seen.append("BYE")
            self.ended_by_server = True
            self._reply(text, "200 OK")
        elif method == "ACK" and self.answered:
            self.talking = True

    def _invited(self, text):
        number = re.match(r"INVITE sips?:([^@;> ]+)", text)[1]
        if text == self.invite_text:
            return
        self.invite_text = text
        self.seen.append(number)
        does = self.does.get(number, "404 Not Found")
        if does == "answer":
            self.remote_rtp = (re.search(r"c=IN IP4 (\S+)", text)[1], int(re.search(r"m=audio (\d+)", text)[1]))
            self.call_id, self.answered = header(text, "Call-ID"), True
            self.server = self.source
            self._reply(text, "180 Ringing")
            self._reply(text, "200 OK", self._offer(), "Content-Type: application/sdp\n")
        else:
            self._reply(text, {"busy": "486 Busy Here", "ring": "180 Ringing"}.get(does, does))

    def _in_dialog(self, method, cseq, extra=""):
        target = re.search(r"<([^>]+)>", header(self.invite_text, "Contact"))[1]
        return (f"{method} {target} SIP/2.0\nVia: {self._via()}\nMax-Forwards: 70\nFrom: {header(self.invite_text, 'To')};tag={self.tag}\n"
                f"To: {header(self.invite_text, 'From')}\nCall-ID: {self.call_id}\nCSeq: {cseq} {method}\n{extra}Content-Length: 0\n\n")


def rules(c):
    alice = c["mailboxes"][0]
    find = {"action": "find-me", "ring_s": 5}
    alice["rules"] = [
        {"name": "found", "callers": ["8101"], "find": ["2002"], **find},
        {"name": "second", "callers": ["8102"], "find": ["2003", "2002"], **find},
        {"name": "nobody", "callers": ["8103"], "find": ["2003", "2004"], **find},
        {"name": "through", "callers": ["8120"], "action": "transfer", "transfer": "2002"},
        {"name": "late", "callers": ["810*"], "open": "never", "action": "hang-up"},
        {"name": "closed", "callers": ["8106"], "greeting": "Please call again tomorrow.", "action": "hang-up", "message": False},
    ]
    c["schedules"] = [{"name": "never", "hours": {"mon": "closed"}}]


def quiet_call(number, name="Example Bank", **how):
    return Call(single.ADDRESS, "2001", caller=number, display=name, **how).start().wait_answer(8)


def hears(who, said, where):
    """Whether that was heard there, within what came since."""
    return until(lambda: audio.likeness([audio._ULAW[b] for b in said], [audio._ULAW[b] for b in bytes(who.heard[where:])])[0] > 0.9, 4, 0.5)


def taken(phone, node):
    """The one at the phone presses 1; until both hear each other."""
    phone.press("1")
    return until(lambda: any(c["state"].endswith(": talking") for c in node.cli.json("call", "list")["calls"]), 8, 0.2)


def loud(who):
    """Seconds of sound that were heard."""
    data = bytes(who.heard)
    return sum(0.02 for i in range(0, len(data), 160) if sum(abs(audio._ULAW[b]) for b in data[i:i + 160:3]) * 3 > 200 * 160)


def found(story, node):
    phone, caller = Phone({"2002": "answer"}).start(), quiet_call("8101")
    story.check("found: the place is called", until(lambda: phone.seen[:1] == ["2002"], 10), phone.seen)
    answered = time.monotonic()
    asked = phone.invite_text
    story.check("found: the phone is shown who calls, and for whom", "8101" in header(asked, "From") and "2001" in header(asked, "Diversion"), asked)
    story.check("found: whoever answers is asked first", until(lambda: loud(phone) > 1.5, 8) and time.monotonic() - answered > 1)
    story.check("found: the caller hears nothing of that", len(node.messages("alice")) == 0)
    story.check("found: they are put together", taken(phone, node))
    at_phone, at_caller = len(phone.heard), len(caller.heard)
    caller.say(CALLER_SAYS, wait=False)
    phone.say(PHONE_SAYS)
    story.check("found: the phone hears the caller", lambda: hears(phone, CALLER_SAYS, at_phone))
    story.check("found: the caller hears the phone, at the same time", lambda: hears(caller, PHONE_SAYS, at_caller))
    caller.press("4711", gap=0)
    story.check("found: keys pressed quickly reach the other one, all of them", lambda: until(lambda: phone.keys_heard == "4711", 5), phone.keys_heard)
    status, text = node.cli.run("call", "list")
    story.check("found: both calls are listed", status == 0 and "find-me" in text and "answering" in text, text)
    phone.hang_up(5)
    story.check("found: when one hangs up, the other is hung up, too", caller.wait_over(5) and caller.ended_by_server)
    story.check("found: no message, no missed call", not node.messages("alice") and not node.cli.json("mailbox", "missed", "alice")["missed"])
    records = lambda: {r["kind"]: r for r in node.cli.json("report", "calls", "--records")["records"]}
    until(lambda: {"find-me", "answered"} <= set(records()), 5)
    r = records()
    made, call = r.get("find-me", {}), r.get("answered", {})
    story.check("found: the records know which call was made for which, and who hung up",
                made and made["parent"] == call.get("id") and (made["direction"], made["reason"], made["drop_reason"], call["drop_reason"], call["callee_mailbox"])
                == ("out", "outbound", "callee-hung-up", "callee-hung-up", "alice") and "2002" in made["called"], r)
    history = lambda: node.cli.run("call", "list", "--history")[1]
    story.check("found: the history tells how both ended", lambda: soon(lambda: len(re.findall(r"talked", history())) >= 2, 5), history())
    phone.close()
    caller.close()


def stranger(story, node):
    phone, caller = Phone({"2002": "answer"}).start(), quiet_call("8101", name="")
    story.check("stranger: who has no name is asked for it", caller.wait_tone(15) and not phone.seen, phone.seen)
    caller.say(CALLER_SAYS)
    caller.press("#")
    story.check("stranger: then the place is called", until(lambda: phone.seen == ["2002"], 15), phone.seen)
    story.check("stranger: whoever answers hears the caller's own words", until(lambda: hears(phone, CALLER_SAYS, 0), 15))
    story.check("stranger: they are put together", taken(phone, node))
    phone.hang_up(5)
    story.check("stranger: nothing is kept of that recording", caller.wait_over(5) and not node.messages("alice") and
                until(lambda: not list(story.dir.rglob("*.spool")), 3))
    phone.close()
    caller.close()


def in_a_circle(story, node):
    """Whatever answers at that place calls the mailbox on behalf of the caller, with a Call-ID of its own and all its hops anew."""
    phone, caller = Phone({"2002": "answer"}).start(), quiet_call("8101", max_forwards=9)
    story.check("circle: the place is called, with a hop less than were left", until(lambda: phone.seen == ["2002"], 10) and header(phone.invite_text, "Max-Forwards") == "8",
                header(phone.invite_text, "Max-Forwards"))
    again = quiet_call("8101")
    again.wait_quiet(12, seconds=0.5, after=1)
    story.check("circle: the call that comes back is answered, but looks for nobody again", phone.seen == ["2002"] and not again.over, phone.seen)
    again.hang_up(5)
    caller.hang_up(5)
    story.check("circle: all of it ends", until(lambda: "BYE" in phone.seen, 5) and until(lambda: "8101" not in node.cli.run("call", "list")[1], 5))
    for c in (again, caller):
        c.close()
    far = quiet_call("8101", max_forwards=1)
    far.wait_quiet(12, seconds=0.5, after=1)
    story.check("circle: a call without a hop left looks for nobody", phone.seen == ["2002", "BYE"], phone.seen)
    far.hang_up(5)
    far.close()
    phone.close()


def second(story, node):
    phone, caller = Phone({"2003": "busy", "2002": "answer"}).start(), quiet_call("8102")
    story.check("second: after the busy one the next is called", until(lambda: phone.seen == ["2003", "2002"], 12), phone.seen)
    until(lambda: loud(phone) > 0.5, 8)
    story.check("second: they are put together", taken(phone, node))
    story.check("second: the caller hangs up while they talk: 200", caller.hang_up(5) == 200)
    story.check("second: then the phone is hung up", until(lambda: "BYE" in phone.seen, 5), phone.seen)
    story.check("second: they talked, so nothing was missed", not node.cli.json("mailbox", "missed", "alice")["missed"])
    phone.close()
    caller.close()


def nobody(story, node):
    phone, caller = Phone({"2003": "busy", "2004": "ring"}).start(), quiet_call("8103")
    story.check("nobody: both are called", until(lambda: phone.seen[:2] == ["2003", "2004"], 12), phone.seen)
    story.check("nobody: the one that rings is taken back in time", until(lambda: "CANCEL" in phone.seen, 9), phone.seen)
    caller.heard.clear()
    story.check("nobody: the tone is heard", caller.wait_tone(25))
    caller.say(CALLER_SAYS)
    story.check("nobody: a message can be left", caller.hang_up(8) == 200)
    story.check("nobody: and is there", lambda: soon(lambda: node.callers("alice") == ["8103"], 5))
    phone.close()
    caller.close()


def gives_up(story, node):
    phone, caller = Phone({"2002": "ring"}).start(), quiet_call("8101")
    story.check("gives up: the place rings", until(lambda: phone.seen == ["2002"], 10), phone.seen)
    story.check("gives up: 200 to the caller's BYE", caller.hang_up(5) == 200)
    story.check("gives up: the place rings no longer", until(lambda: "CANCEL" in phone.seen, 5), phone.seen)
    missed = lambda: node.cli.json("mailbox", "missed", "alice")["missed"]
    story.check("gives up: a missed call, with caller and where", lambda: soon(lambda: [(m["caller"], m["why"]) for m in missed()] == [("8101", "search")], 5), missed())
    phone.close()
    caller.close()


def bridged(story, node):
    """A gateway that takes no REFER: the caller is put through by a call of ours, and both hear each other."""
    phone, caller = Phone({"2002": "answer"}).start(), quiet_call("8120")
    caller.refer_status = "405 Method Not Allowed"
    story.check("bridged: REFER was tried first, and the place is called then", until(lambda: phone.seen[:1] == ["2002"] and caller.refer_to, 12), phone.seen)
    talking = lambda: any(c["state"].endswith(": talking") for c in node.cli.json("call", "list")["calls"])
    story.check("bridged: nobody is asked anything", until(talking, 5, 0.2))
    at_phone, at_caller = len(phone.heard), len(caller.heard)
    caller.say(CALLER_SAYS, wait=False)
    phone.say(PHONE_SAYS)
    story.check("bridged: the phone hears the caller", lambda: hears(phone, CALLER_SAYS, at_phone))
    story.check("bridged: the caller hears the phone, at the same time", lambda: hears(caller, PHONE_SAYS, at_caller))
    phone.hang_up(5)
    story.check("bridged: when one hangs up, the other is hung up, too", caller.wait_over(5) and caller.ended_by_server)
    story.check("bridged: the history calls it transferred", lambda: soon(lambda: "transferred" in node.cli.run("call", "list", "--history")[1], 5),
                lambda: node.cli.run("call", "list", "--history")[1])
    phone.close()
    caller.close()


def left_nothing(story, node):
    caller = quiet_call("8105", headers="Diversion: <sip:2001@domain.com>;reason=user-busy\n")
    until(lambda: len(caller.heard) > 2400, 5)
    caller.hang_up(5)
    caller.close()
    first = lambda: node.cli.json("mailbox", "missed", "alice")["missed"][0]
    story.check("left nothing: in the greeting, because the line was busy", lambda: soon(lambda: (first()["caller"], first()["why"], first()["reason"]) ==
                ("8105", "greeting", "busy"), 5), first())
    status, text = node.cli.run("mailbox", "missed", "alice")
    story.check("left nothing: as a table", status == 0 and "8105" in text and "greeting" in text, text)


def away(story, node):
    ask = lambda caller, steps: node.cli.run("call", "test", "sip:2001@127.0.1.11", "--from", caller, "--prompts", str(single_prompts()), "--for", "40",
                                             "-e", steps, timeout=60)
    status, text = node.cli.run("mailbox", "away", "alice", "--until", "2031-05-06 09:00")
    story.check("away: until a day", status == 0 and "2031" in text, text)
    status, text = ask("8107", "expect answer-away-until; hangup")
    story.check("away: the caller is told, and until when", status == 0, text)
    story.check("away: a day that is over is refused", node.cli.run("mailbox", "away", "alice", "--until", "2001-01-01")[0] == 2)
    status, text = node.cli.run("mailbox", "away", "alice", "--off")
    story.check("away: back", status == 0 and "not away" in text, text)
    status, text = ask("8108", f"expect answer-leave-message; expect beep; play {story.dir}/said.wav; press #; expect answer-menu; press 5; expect answer-urgent;"
                       f" press 4; expect beep; play {story.dir}/said.wav; press #; expect answer-menu; press 3; expect answer-saved; expect-bye")
    story.check("message: marked urgent, added to, sent", status == 0, text)
    message = next(m for m in node.messages("alice") if m["caller"] == "8108")
    story.check("message: both parts are there, and it is urgent", message["urgent"] and 3500 < message["duration_ms"] < 9000, message)
    status, text = ask("8106", "expect goodbye; expect-bye")
    story.check("rule: hang-up after its own words", status == 0 and "8106" not in node.callers("alice"), text)


def greetings(story, node):
    """What the owner recorded for the case is heard, and nothing else."""
    clip = story.dir / "greeting.wav"
    audio.write(clip, audio.read(lab.SPEECH_B)[:2 * audio.RATE])
    status, text = node.cli.run("mailbox", "greeting", "alice", "busy", clip)
    story.check("greeting: set from a file", status == 0 and "in use" in text, text)
    story.check("greeting: another word for a kind is refused, and the right ones named",
                lambda: (lambda r: r[0] == 1 and "closed" in r[1])(node.cli.run("mailbox", "greeting", "alice", "lunch", clip)))
    busy = "Diversion: <sip:2001@domain.com>;reason=user-busy\n"
    for number, headers, expect in (("8110", busy, True), ("8111", "", False)):
        caller = quiet_call(number, headers=headers)
        until(lambda: len(caller.heard) > 8000 * 4, 8)
        likeness = audio.likeness([audio._ULAW[b] for b in PHONE_SAYS], [audio._ULAW[b] for b in bytes(caller.heard)])[0]
        story.check(f"greeting: {'heard when the line was busy' if expect else 'not heard otherwise'}", (likeness > 0.9) == expect, likeness)
        caller.hang_up(5)
        caller.close()
    status, text = node.cli.run("mailbox", "greeting", "alice", "busy", "--remove")
    story.check("greeting: taken away", status == 0 and "busy" not in node.cli.run("mailbox", "away", "alice")[1], text)


def single_prompts():
    from labkit.node import BUILD
    return BUILD / "prompts" / "en-US.pack"


def by_phone(story, node):
    """The greeting of a rule, recorded by its owner on a phone that is called, heard by a caller to whom the rule applies."""
    import subprocess
    node.set_pin("alice", "739184")
    clip = story.dir / "words.wav"
    audio.write(clip, audio.read(lab.SPEECH_B)[:3 * audio.RATE])
    there = subprocess.Popen([str(program("umbel")), "call", "test", "--listen", "udp:127.0.0.1:5060", "--prompts", str(BUILD / "prompts" / "en-US.pack"), "--for", "60", "-e",
                              f"expect play-out-hello; expect greeting-record; expect beep; play {clip}; press #; wait 1s; press 3; expect greeting-saved; expect-bye"],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    until(lambda: "0100007F:13C4" in open("/proc/net/udp").read(), 10)
    status, text = node.cli.run("mailbox", "record-greeting", "alice", "--to", "2001", "--greeting", "rule.nonesuch")
    story.check("by phone: a rule that is not there is named", status == 1 and "no answering rule of that name" in text, text)
    status, text = node.cli.run("mailbox", "record-greeting", "alice", "--to", "2001", "--greeting", "rule.closed")
    said = there.communicate(timeout=90)[0]
    story.check("by phone: recorded", status == 0 and there.returncode == 0, said + text)
    caller = quiet_call("8106")
    story.check("by phone: whom the rule meets hears the recording", until(lambda: hears(caller, speech(lab.SPEECH_B, 2), 0), 10))
    caller.wait_over(10)
    caller.close()


def shown(story, node):
    status, text = node.cli.run("mailbox", "rules", "alice")
    story.check("rules: shown in their order", status == 0 and text.index("1. found") < text.index("2. second") < text.index("6. closed"), text)
    told = node.cli.json("mailbox", "rules", "alice")
    story.check("rules: as JSON", [r["name"] for r in told["rules"]][:2] == ["found", "second"] and told["rules"][1]["find"] == ["2003", "2002"], told)


with Story("answering") as story:
    audio.write(story.dir / "said.wav", audio.read(lab.SPEECH_A)[:2 * audio.RATE])
    node = single.node(story, rules)
    for part in (found, stranger, second, nobody, gives_up, bridged, left_nothing, away, greetings, by_phone, shown, in_a_circle):
        if part.__name__ in sys.argv[1:] or (not sys.argv[1:] and (part is not by_phone or LEVEL == "long")):
            part(story, node)
    story.check("SIGTERM ends it in time", node.stop() == 0)
