#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Callers who say whom they want, and a helper for speech that dies or hangs in the middle: the call goes on by the keys."""
import contextlib
import signal
import subprocess
import threading

# long way
from common import *
space.enter()
import single
from labkit import site as lab
from labkit.caller import speech
from labkit.node import BUILD

PEOPLE = ["Geraldine Gibson", "Anthony Guthrie", "Carlos Cortez", "Alfred Arnold", "Geraldine Willoughby", "Margaret Thompson"]
PIN = "739184"
PACK = BUILD / "prompts" / "en-US.pack"


def mailbox(number, name):
    return {"name": name.split()[1].lower(), "display_name": name, "first_name": name.split()[0], "last_name": name.split()[1], "extensions": [str(number)],
            "dialplan": "office", "policy": "standard", "dialable": True, "lamp": False}


def change(c):
    c["mailboxes"] += [mailbox(2010 + i, name) for i, name in enumerate(PEOPLE)]
    for box in c["mailboxes"]:
        if box["name"] in ("guthrie", "gibson"):
            box["department"] = "Marketing"
    c["attendants"][0].update(operator="2001", keys={"7": "attendant desk"})
    c["attendants"].append({"name": "desk", "numbers": ["5001"], "dialplan": "office", "dial_by_extension": True, "dial_by_name": True,
                            "keys": {"1": {"do": "extension 2012", "say": "accounting"}}})


def say(story, text, voice="rms"):
    """A file of a voice saying that."""
    path = story.dir / f"{''.join(filter(str.isalpha, text))}.wav"
    subprocess.run(["flite", "-voice", voice, "-t", text, "-o", path], check=True)
    return path


def call(node, steps, caller="7900", number=lab.ATTENDANT):
    status, text = node.cli.run("call", "test", f"sip:{number}@127.0.1.11", "--from", caller, "--prompts", PACK, "--for", "90", "-e", steps, timeout=120)
    return status == 0, text


def helper(node):
    """The helper's process: umbeld's child."""
    for line in subprocess.run(["ps", "-eo", "pid,ppid,comm"], capture_output=True, text=True).stdout.splitlines():
        part = line.split()
        if len(part) > 2 and part[1] == str(node.proc.pid) and part[2].startswith("umbel-speech"):
            return int(part[0])
    return None


def understood(story, node):
    said_so = [("I'd like to speak to Anthony Guthrie please", "Anthony Guthrie"), ("Geraldine Gibson", "Geraldine Gibson")]
    for text, name in said_so if LEVEL == "long" else said_so[:1]:
        good, said = call(node, f"wait 2s; press #; expect ask-name; play {say(story, text)}; expect ask-right; press 1; expect-transfer within 30s")
        story.check(f"\"{text}\": the caller is asked whether that is right, and put through", good, said)
        story.check(f"\"{text}\": it is {name} who answers", until(lambda: "answering of " + name.split()[1].lower() in node.last_call(), 5), node.last_call())


def department(story, node):
    """In the menu, without a key before it."""
    good, said = call(node, f"wait 2s; play {say(story, 'Put me through to marketing please')}; expect ask-right; press 1; expect ask-who; "
                      f"play {say(story, 'Anthony Guthrie')}; expect ask-right; press 1; expect-transfer within 30s", "7904")
    story.check("a department said in the menu: the caller is asked whom there, and put through", good, said)
    story.check("a department said in the menu: it is somebody of it who answers", until(lambda: "answering of guthrie" in node.last_call(), 5), node.last_call())


def another_menu(story, node):
    """What may be said in a menu to which a key led is what that one offers."""
    good, said = call(node, f"wait 2s; press 7; wait 3s; play {say(story, 'Put me through to accounting please')}; expect ask-right; press 1; "
                      "expect-transfer within 30s", "7906")
    story.check("a choice of another menu: the caller is asked whether that is right, and put through", good, said)
    story.check("a choice of another menu: it is that one's", until(lambda: "answering of cortez" in node.last_call(), 5), node.last_call())


def commands(story, node):
    """The owner of a mailbox chooses voice, and says what he wants."""
    node.set_pin("alice", PIN)
    single.deposit("2002", speech(lab.SPEECH_A, 3))
    wanted = [say(story, text) for text in ("play messages", "delete message")]
    good, said = call(node, f"press 2001#{PIN}#; expect you-have; press 6; wait 300ms; press 4; expect commands-voice; press *; wait 1s; play {wanted[0]}; "
                      f"expect new-message within 10s; expect play-menu within 20s; wait 500ms; play {wanted[1]}; expect message-deleted within 10s; hangup",
                      "7905", lab.SUBSCRIBER)
    story.check("a mailbox by voice: play messages, delete message", good, said)
    left = node.cli.json("message", "list", "alice")["messages"]
    story.check("a mailbox by voice: nothing is left in it", not left, left)


def alike(story, node):
    """Names that callers cannot tell apart are told when they are checked."""
    path = story.dir / "alike.yaml"
    path.write_text("dialplans: [{name: main}]\nattendants: [{name: front, numbers: ['900']}]\n"
                    "mailboxes: [{name: a, display_name: Ann Smith, extensions: ['1']}, {name: b, display_name: Anne Smyth, extensions: ['2']}]\n")
    status, text = node.cli.run("check", "--objects", path)
    story.check("umbel check tells names that sound alike", status == 0 and "a (Ann Smith) and b (Anne Smyth) sound alike" in text, text)


def keys(story, node):
    good, said = call(node, "wait 2s; press #; wait 1s; press 442766#; expect name-choose; press 1; expect-transfer within 30s", "7901")
    story.check("keys at the same time: the first one typed begins the spelling", good, said)


def killed(story, node):
    pid = helper(node)
    story.need("the helper is umbeld's child", pid)
    clip = say(story, "Carlos Cortez")
    over = threading.Event()

    def hold():
        """Whatever helper there is hangs: also one that is started while the call goes on."""
        while not over.wait(0.02):
            now = helper(node)
            with contextlib.suppress(ProcessLookupError):
                if now:
                    os.kill(now, signal.SIGSTOP)

    holding = threading.Thread(target=hold)
    holding.start()
    good, said = call(node, f"wait 2s; press #; expect ask-name; play {clip}; expect name-spell within 40s; press 267839#; expect name-choose within 40s; "
                      "press 1; expect-transfer within 40s", "7902")
    over.set()
    holding.join()
    with contextlib.suppress(ProcessLookupError, TypeError):
        os.kill(helper(node), signal.SIGCONT)
    story.check("a helper that hangs: the caller is asked to spell, and put through by the keys", good, said)
    story.check("a helper that hangs: it is killed, and an event says so", node.told(r"helper for speech ended \(it (hung|did not get ready)", 15))
    story.need("it is started again", until(lambda: helper(node) not in (None, pid), 20))
    if LEVEL != "long":
        return
    story.need("it is ready again", until(lambda: len(node.events(2932)) > 1, 40))
    ready, pid = len(node.events(2932)), helper(node)
    os.kill(pid, signal.SIGKILL)
    story.check("a helper that dies: an event says so", node.told(r"helper for speech ended \(signal 9", 15))
    story.need("it is started again", until(lambda: helper(node) not in (None, pid), 20))
    story.need("and ready", until(lambda: len(node.events(2932)) > ready, 40))
    good, said = call(node, f"wait 2s; press #; expect ask-name; play {clip}; expect ask-right; press 1; expect-transfer within 30s", "7903")
    story.check("the new one is taught again, and understands", good, said)


with Story("spoken-name") as story:
    node = single.node(story, change)
    story.need("the helper is ready", until(lambda: node.events(2932), 20))
    parts = sys.argv[1:]
    for part in (understood, department, another_menu, commands, alike, keys, killed) if parts or LEVEL == "long" else (understood, department, another_menu, commands, alike, killed):
        if not parts or part.__name__ in parts:
            part(story, node)
    story.check("SIGTERM ends it in time", node.stop() == 0)
