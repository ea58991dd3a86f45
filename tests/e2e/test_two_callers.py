#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two callers, and then four, who want the same person at the same time, by voice and by the keys: each is put through to her, none is
mixed up with another, and every message arrives."""
import subprocess

from common import *
space.enter()
import single
from labkit import site as lab
from labkit.node import BUILD, program

PACK = BUILD / "prompts" / "en-US.pack"


def change(c):
    for n, (first, last) in enumerate((("Anthony", "Guthrie"), ("Geraldine", "Gibson"), ("Carlos", "Cortez"))):
        c["mailboxes"].append({"name": last.lower(), "display_name": f"{first} {last}", "first_name": first, "last_name": last, "extensions": [str(2010 + n)],
                               "dialplan": "office", "policy": "standard", "dialable": True, "lamp": False})


def dial(caller, steps):
    return caller, subprocess.Popen([str(program("umbel")), "call", "test", f"sip:{lab.ATTENDANT}@127.0.1.11", "--from", caller, "--prompts", str(PACK), "--for", "120",
                                     "-e", steps], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def all_reach_her(story, node, what, callers):
    going = [dial(caller, steps) for caller, steps in callers]
    said = {caller: p.communicate(timeout=150)[0] for caller, p in going}
    story.check(f"{what}: each is asked or offered her, and put through", all(p.returncode == 0 for _, p in going), "\n".join(said.values()))
    wanted = sorted(caller for caller, _ in callers)
    story.check(f"{what}: a message of each is hers", lambda: soon(lambda: sorted(set(node.callers("guthrie")) & set(wanted)) == wanted, 5), node.callers("guthrie"))
    story.check(f"{what}: nobody else has any", not node.callers("gibson") and not node.callers("cortez"))


with Story("two-callers") as story:
    clip = story.dir / "message.wav"
    audio.write(clip, audio.read(lab.SPEECH_A)[:2 * audio.RATE])
    leave = f"expect-transfer within 40s; press #; expect beep; play {clip}; hangup"
    name = story.dir / "name.wav"
    subprocess.run(["flite", "-voice", "rms", "-t", "Anthony Guthrie", "-o", name], check=True)
    node = single.node(story, change)
    keys = f"wait 2s; press #; wait 1s; press 4884743#; expect name-choose; press 1; {leave}"
    voice = f"wait 2s; press #; expect ask-name; play {name}; expect ask-right within 30s; press 1; {leave}"
    all_reach_her(story, node, "by keys", [("7901", keys), ("7902", keys)])
    if (BUILD / "src/umbel-speech/umbel-speech").exists():
        all_reach_her(story, node, "by voice and by keys", [("7911", voice), ("7912", keys), ("7913", voice), ("7914", voice)])
    else:
        story.skip("by voice and by keys", "umbel-speech is not built")
    story.check("no call is left", node.cli.json("call", "list")["calls"] == [])
    story.check("SIGTERM ends it in time", node.stop() == 0)
