#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The mailbox by phone, by real calls: where in a message and how fast it plays, answering and forwarding, deleting and bringing back, personal
options, the first use. What a caller was told is then looked up as an administrator would."""
import re
import subprocess
from pathlib import Path

# long way
from common import *
space.enter()
import single
from labkit import site as lab
from labkit.caller import Call, speech
from labkit.node import BUILD, program

PROMPTS = BUILD / "prompts" / "en-US.pack"
RATE = audio.RATE


def ask(node, number, steps, caller="7900", seconds=90, prompts=PROMPTS):
    """One call of the test caller through that script: (good, what it said)."""
    status, text = node.cli.run("call", "test", f"sip:{number}@127.0.1.11", "--from", caller, "--prompts", prompts, "--for", str(seconds), "-e", steps,
                                timeout=seconds + 30)
    return status == 0, text


def log_on(box="2001", pin="739184"):
    return f"press {box}#{pin}#; expect you-have; "


def piece(story, name, start, end):
    path = story.dir / f"{name}.wav"
    audio.write(path, audio.read(lab.SPEECH_A)[int(start * RATE):int(end * RATE)])
    return path


def messages(node, box, *more):
    return node.cli.json("message", "list", box, *more)["messages"]


def tape(story, node):
    """Bob leaves twenty seconds; Alice moves about in them."""
    single.deposit("2002", speech(lab.SPEECH_A, 20))
    story.check("the message is there, with its sender's number", [m["caller"] for m in messages(node, "alice")] == ["2002"])
    late, early = piece(story, "late", 14, 15.5), piece(story, "early", 3, 4.5)
    good, said = ask(node, lab.SUBSCRIBER, log_on() + f"press 1; expect new-message; expect-sound {early}; press 3; expect-sound {late} within 9s; "
                     f"press 2; expect message-paused; wait 2s; press 1; expect-sound {late} within 9s; "
                     "press 6; wait 500ms; press 6; wait 5s; press 4; expect invalid-key; press 5; expect message-length; press 44; expect message-flagged; hangup")
    story.check("forward, pause, back, slower, faster, envelope, flag", good, said)
    m = messages(node, "alice")[0]
    story.check("heard to its end it is saved, and flagged", m["state"] == "saved" and m["flagged"], m)
    good, said = ask(node, lab.SUBSCRIBER, log_on() + "press 1; expect message-is-flagged; expect saved-message; press 9; expect message-kept-new; "
                     "press 7; expect message-deleted; expect no-messages; press 7; wait 300ms; press 3; expect deleted-message; "
                     "press 7; expect message-restored; hangup")
    story.check("marked unread, deleted, found among the deleted, brought back", good, said)
    story.check("it is as it was before it was deleted: new", [m["state"] for m in messages(node, "alice")] == ["new"], messages(node, "alice"))


def sending(story, node):
    clip = piece(story, "words", 0, 3)
    record = f"expect send-record; expect beep; play {clip}; press #; wait 1s; "
    good, said = ask(node, lab.SUBSCRIBER, log_on() + f"press 1; expect new-message; press 8; {record}press 4; expect send-urgent; press 5; expect send-private; "
                     "press 1; expect send-done; hangup")
    story.check("answered by voice, urgent and private", good, said)
    reply = (messages(node, "bob") or [{}])[0]
    original = messages(node, "alice")[0]
    story.check("the answer says whose and of what it is", [reply.get(k) for k in ("caller", "caller_name", "sender", "relation", "related", "urgent", "private")] ==
                ["2001", "Alice Example", "alice", "reply", original["id"], True, True], reply)
    story.check("and the message that it was answered", lambda: soon(lambda: messages(node, "alice")[0]["replied"], 5))
    good, said = ask(node, lab.SUBSCRIBER, log_on(box="2002") + "press 1; expect message-is-urgent; expect message-is-private; press 006; "
                     "expect private-no-forward; press 7; expect message-deleted; hangup")
    story.check("what is private cannot be forwarded", good, said)
    good, said = ask(node, lab.SUBSCRIBER, log_on() + f"press 1; expect from; press 006; expect send-to; press 2002#; wait 1500ms; press #; "
                     f"wait 500ms; press 1; {record}press 1; expect send-done; hangup")
    story.check("forwarded with an introduction", good, said)
    both = messages(node, "bob")[0]
    story.check("introduction and message are one, one behind the other", both["relation"] == "forward" and abs(both["duration_ms"] - 3000 - 700 - original["duration_ms"]) < 1500,
                (both, original))
    wav = story.dir / "both.wav"
    status, text = node.cli.run("message", "export", "bob", both["id"], wav)
    said = audio.read(wav)
    story.check("the message is heard in it", status == 0 and audio.likeness(audio.read(piece(story, "some", 6, 8)), said)[0] > 0.8, text)
    good, said = ask(node, lab.SUBSCRIBER, log_on() + f"press 5; expect send-to; press 9999#; expect send-unknown; press 2002#; wait 1500ms; press #; "
                     f"{record}press 2; expect-sound {clip}; press 1; expect send-done; hangup")
    story.check("a new message out of the main menu", good, said)
    story.check("Bob has both", sorted(m["relation"] for m in messages(node, "bob")) == ["forward", "sent"], messages(node, "bob"))
    status, text = node.cli.run("mailbox", "group", "alice", "1", "Team", "bob", "carol")
    story.check("a group is made", status == 0 and "Team: bob carol" in node.cli.run("mailbox", "choices", "alice")[1], text)
    for what, words, wanted in (("a group with somebody unknown", ("mailbox", "group", "alice", "2", "Team", "bob", "nobody"), 'no mailbox "nobody"'),
                                ("a language without prompts", ("mailbox", "choose", "alice", "language", "tlh"), 'no language "tlh"'),
                                ("a time zone that is none", ("mailbox", "choose", "alice", "zone", "Mars/Phobos"), "no time zone"),
                                ("the messages of nobody", ("message", "list", "nobody"), 'no mailbox "nobody"')):
        status, text = node.cli.run(*words)
        story.check(f"{what}: told, and not taken", status == 1 and wanted in text, text)
    made = [node.cli.run(*words)[0] for words in (("mailbox", "group", "alice", "2", "Two", "bob"), ("mailbox", "choose", "alice", "zone", "Europe/Rome"))]
    taken = [node.cli.run(*words)[0] for words in (("mailbox", "group", "alice", "2"), ("mailbox", "choose", "alice", "zone"))]
    said = node.cli.run("mailbox", "choices", "alice")[1]
    story.check("without a value a group goes, and a choice is as before any", made + taken == [0] * 4 and "Two" not in said and "Europe/Rome" not in said, said)
    good, said = ask(node, lab.SUBSCRIBER, log_on() + f"press 5; expect send-to-group; press 1#; expect send-group; wait 1s; press #; {record}press 1; expect send-done; hangup")
    story.check("a message to a group", good and len(messages(node, "bob")) == 3 and len(messages(node, "carol")) == 1, said)
    good, said = ask(node, lab.SUBSCRIBER, log_on() + f"press 5; expect send-to; press 2002#; wait 1500ms; press #; {record}hangup")
    story.check("who hangs up before sending has sent nothing", good and len(messages(node, "bob")) == 3, said)


def calls_back(story, node):
    """The sender of a message is called by a REFER that the peer refuses, that leads to a busy line, that leads through."""
    single.deposit("2002", speech(lab.SPEECH_A, 4))
    node.set_pin("alice", "739184")
    caller = Call(single.ADDRESS, lab.SUBSCRIBER, caller="7901").start().wait_answer(8)
    at = lambda state: until(lambda: any(c["state"] == state for c in node.cli.json("call", "list")["calls"]), 15, 0.2)

    def told(prompt):
        path = story.dir / f"{prompt}.wav"
        node.cli.run("prompt", "export", prompt, path)
        return until(lambda: audio.likeness(audio.read(path), caller.heard_samples())[0] > 0.9, 10, 0.5)

    caller.press("2001#739184#")
    at("subscriber: main menu")
    caller.press("1")
    at("player: play")
    for status, name, prompt in (("603 Decline", "refused", "transfer-failed"), ("202 Accepted", "busy", "transfer-busy")):
        caller.refer_status, caller.refer_to = status, ""
        caller.heard.clear()
        caller.press("002")
        story.check(f"{name}: a REFER to the sender came", until(lambda: "2002@" in caller.refer_to, 15), caller.refer_to)
        if name == "busy":
            caller.notify("SIP/2.0 180 Ringing")
            caller.notify("SIP/2.0 486 Busy Here", over=True)
        story.check(f"{name}: the owner is told so", told(prompt))
        at("transfer: offer")
        caller.press("*")
        story.check(f"{name}: and is among his messages as before", at("player: menu"), node.cli.json("call", "list"))
    caller.refer_to = ""
    caller.press("002")
    story.check("through: a REFER again", until(lambda: "2002@" in caller.refer_to, 15))
    caller.notify("SIP/2.0 200 OK", over=True)
    story.check("through: our part is over, by our BYE", caller.wait_over(8) and caller.ended_by_server)
    caller.close()


def administration(story, node):
    one = messages(node, "bob")[0]["id"]
    status, text = node.cli.run("message", "delete", "bob", one)
    story.check("deleted by the administrator: it says how to bring it back", status == 0 and f"umbel message undelete bob {one}" in text, text)
    story.check("it lies among the deleted", one in [m["id"] for m in messages(node, "bob", "--folder", "deleted")])
    status, text = node.cli.run("message", "show", "bob", one)
    story.check("shown there too, with its end", status == 0 and "kept until" in text, text)
    status, text = node.cli.run("message", "undelete", "bob", one)
    story.check("brought back", status == 0 and one in [m["id"] for m in messages(node, "bob")], text)
    status, text = node.cli.run("message", "mark", "bob", one, "flagged")
    story.check("marked", status == 0 and [m["flagged"] for m in messages(node, "bob") if m["id"] == one] == [True], text)
    story.check("found by its caller", len(messages(node, "bob", "--caller", "alice")) == 3 and not messages(node, "bob", "--caller", "nobody"))
    status, text = node.cli.run("message", "delete", "bob", one, "--for-good")
    story.check("for good: it does not come back", status == 0 and node.cli.run("message", "undelete", "bob", one)[0] == 1, text)
    story.check("an unknown mark is told", node.cli.run("message", "mark", "bob", one, "blue")[0] == 1)


def options(story, node):
    clip = piece(story, "greeting", 14, 18)
    good, said = ask(node, lab.SUBSCRIBER, log_on() + f"press 622; wait 500ms; press 1; expect greeting-record; expect beep; play {clip}; press #; wait 1s; "
                     f"press 3; expect greeting-saved; press 2; wait 500ms; press 2; expect-sound {clip}; press *; wait 300ms; press *; wait 300ms; "
                     "press 1; expect away-ask-end; press 3#; expect away-until; press 1; expect away-on; press 6; expect clock-twenty-four; press 5; "
                     "expect zone-time-of; press 1; expect zone-set; hangup")
    story.check("the temporary greeting is recorded, heard and turned on; clock and time zone are chosen", good, said)
    end = (node.cli.json("mailbox", "away", "alice")["until_us"] / 1e6 + 1 - time.time()) / 86400
    story.check("it ends with the third day", 2 < end <= 3, end)
    good, said = ask(node, lab.SUBSCRIBER, log_on() + "press 2; expect mail-not-yet; press 3; expect calendar-not-yet; press 6; wait 500ms; "
                     "press 1; expect away-off; press 6; expect clock-twelve; hangup")
    story.check("they are kept from call to call; mail and calendar say that they come later", good, said)


def language(story, node):
    """Out of English into German and back, each heard as its own prompts; the clock in German, of twelve hours."""
    german = BUILD / "prompts" / "de-DE.pack"
    good, said = ask(node, lab.SUBSCRIBER, "press 2001#739184#; wait 4s; press 67; expect language-menu; press 1; expect language-set; "
                     "wait 1s; press 6; expect clock-twelve; hangup", prompts=german)
    story.check("a language is offered in itself, and heard from then on", good, said)
    status, text = node.cli.run("mailbox", "show", "alice")
    story.check("shown with the mailbox", status == 0 and "de-DE" in text and "of 12 hours" in text, text)
    good, said = ask(node, lab.SUBSCRIBER, "press 2001#739184#; expect you-have; press 67; wait 1s; press 7; wait 1s; press *; wait 300ms; hangup", prompts=german)
    story.check("it is kept from call to call", good, said)
    good, said = ask(node, lab.SUBSCRIBER, log_on() + "hangup")
    story.check("until the usual one is wanted", good, said)


def first_use(story, node):
    name = piece(story, "name", 20, 21.5)
    node.set_pin("carol", "739184", final=False)
    good, said = ask(node, lab.SUBSCRIBER, "press 2003#739184#; expect pin-first-use; press 602914#602914#; expect pin-changed; expect setup-name; "
                     f"expect name-record; expect beep; play {name}; press #; wait 1s; press #; expect greeting-saved; expect setup-greeting; hangup")
    story.check("first use: PIN, then the name", good, said)
    good, said = ask(node, lab.SUBSCRIBER, "press 2003#602914#; expect setup-name; press *; expect setup-greeting; press *; expect setup-done; expect you-have; hangup")
    story.check("interrupted, it goes on at the next log-on; the rest can be left out", good, said)
    good, said = ask(node, lab.SUBSCRIBER, "press 2003#602914#; expect you-have; hangup")
    story.check("and is asked no more", good, said)


def phone(node, steps, *order):
    """A phone that is called: (its script came true, what it said, what the order said)."""
    there = subprocess.Popen([str(program("umbel")), "call", "test", "--listen", "udp:127.0.0.1:5060", "--prompts", str(PROMPTS), "--for", "60", "-e", steps],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if not until(lambda: "0100007F:13C4" in Path("/proc/net/udp").read_text(), 10):
        raise Failed("the phone does not listen")
    status, text = node.cli.run(*order)
    said = there.communicate(timeout=90)[0]
    return there.returncode == 0 and status == 0, said + text


def on_phone(story, node):
    clip = piece(story, "away", 10, 13)
    one = messages(node, "alice")[0]["id"]
    good, said = phone(node, "expect play-out-hello; expect from; wait 4s; press 7; expect message-deleted; hangup", "message", "play", "alice", one, "--to", "2001")
    story.check("a message is played on the owner's own phone, without a PIN, with all keys", good and one not in [m["id"] for m in messages(node, "alice")], said)
    node.cli.run("message", "undelete", "alice", one)
    good, said = phone(node, "expect play-out-hello; expect logon-enter-pin; press 739184#; expect from; hangup", "message", "play", "alice", one, "--to", "2002")
    story.check("on another phone the PIN is asked", good, said)
    good, said = phone(node, f"expect play-out-hello; expect greeting-record; expect beep; play {clip}; press #; wait 1s; press 3; expect greeting-saved; expect-bye",
                       "mailbox", "record-greeting", "alice", "--to", "2001", "--greeting", "busy")
    story.check("a greeting is recorded by being called", good, said)
    def kinds():
        return sorted(r["kind"] for r in node.cli.json("report", "calls", "--records", "--mailbox", "alice")["records"] if r["direction"] == "out")
    story.check("the records tell what these calls were", until(lambda: kinds() == ["greeting", "play-on-phone", "play-on-phone"], 5), kinds())
    status, text = node.cli.run("message", "play", "alice", one, "--to", "0015550100")
    story.check("an outside number is not called, and the reason is told", status == 1 and "0015550100 was not called" in text, text)


def place(c):
    c["gateways"][0]["transfer"] = "refer"
    c["mailboxes"].append({"name": "carol", "display_name": "Carol Example", "extensions": ["2003"],
                           "dialplan": "office", "policy": "standard", "lamp": False})


with Story("phone") as story:
    node = single.node(story, place)
    for box in ("alice", "bob"):
        node.set_pin(box, "739184")
    parts = sys.argv[1:] or (["tape", "calls_back"] if LEVEL != "long" else ["tape", "on_phone", "sending", "administration", "options", "language", "first_use", "calls_back"])
    for part in (tape, on_phone, sending, administration, options, language, first_use, calls_back):
        if part.__name__ in parts:
            part(story, node)
    said = str(node.events()) + node.proc.said()
    story.check("no PIN stands in any event or log", not re.search(r"739184|602914", said))
    story.check("SIGTERM ends it in time", node.stop() == 0)
