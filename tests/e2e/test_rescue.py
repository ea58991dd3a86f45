#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two nodes on one store: what a caller has said is delivered by the other when his node is killed or stands still, once; and what is said while the
store is away comes into it later, once."""
import signal

# long way
from common import *
space.enter()
import single
from labkit.caller import Call, speech
from labkit.node import Node
from labkit.pg import Postgres

LONG = LEVEL == "long"
ROUNDS = 10 if LONG else 1
CLIP_S, SAY_S = 30, 8


def two_nodes(story, url):
    nodes, at = [], []
    for name, address in (("node01", "127.0.1.11"), ("node02", "127.0.1.12")):
        c = single.config(story.dir, name)
        c["node"].update(store=url, listen=[f"{t}:{address}:5060" for t in ("udp", "tcp")], media={"address": address})
        c["policies"][0].update(max_messages=5000)
        nodes.append(Node(story.dir, name, c).start())
        at.append((address, 5060))
    return nodes, at


def speaking(server, caller, clip, seconds):
    """A call in whose recording the caller has been speaking for so long."""
    call = Call(server, "2001", caller=caller).start()
    if not call.wait_answer(20):
        raise Failed(f"{caller} was not answered")
    time.sleep(0.3)
    call.press("#")  # past the greeting; who is too quick for it hears it to its end
    if not call.wait_tone(60):
        raise Failed(f"{caller} never heard the tone")
    call.say(clip, wait=False)
    if not until(lambda: len(clip) - len(call.queue) >= seconds * 8000 or call.over, 120, 0.02) or call.over:
        raise Failed(f"{caller} could not speak for {seconds} s")
    return call


def of(node, caller):
    return [m for m in node.messages("alice") if m.get("caller") == caller]


def held(pg, caller):
    """How many seconds of what the caller says are in the store at this moment."""
    return int(pg.sql(f"SELECT COALESCE(SUM(bytes), 0) FROM recording WHERE caller_number = '{caller}'") or 0) / 8000


def seconds_of(m):
    return m["duration_ms"] / 1000


with Story("rescue") as story:
    clip = speech("/usr/share/asterisk/sounds/en_US_f_Allison/demo-congrats.wav")
    clip = (clip * (1 + CLIP_S * 8000 // len(clip)))[:CLIP_S * 8000]
    pg = Postgres(story.dir)
    pg.start()
    (one, two), at = two_nodes(story, pg.url)

    story.head("A node is killed while a caller speaks")
    lost, took = [], []
    for n in range(ROUNDS):
        victim, other, server = (one, two, at[0]) if n % 2 == 0 else (two, one, at[1])
        caller = f"81{n:02}"
        call = speaking(server, caller, clip, SAY_S)
        story.need(f"round {n + 1}: the store has the beginning", until(lambda: held(pg, caller) >= 2, 120, 0.1))
        said, safe = (len(clip) - len(call.queue)) / 8000, held(pg, caller)
        victim.kill()
        killed = time.monotonic()
        found = until(lambda: of(other, caller), 60, 0.2)
        took.append(time.monotonic() - killed)
        call.close()
        story.need(f"round {n + 1}: the other node has what was said", found)
        lost.append(said - seconds_of(found[0]))
        story.check("it is marked as cut off", found[0].get("cut"), found[0])
        story.check("all that the store had of it", seconds_of(found[0]) >= safe - 0.1, f"{seconds_of(found[0]):.1f} s of {safe:.1f} s")
        if LONG:
            story.check("of what was said, at most 5 s are missing", lost[-1] <= 5, f"{lost[-1]:.1f} s")
        story.check("event 3008 tells of it", until(lambda: other.events(3008), 30))
        before = len(victim.events(3213))
        victim.start(seconds=60)
        story.check("its own file is read at the start", until(lambda: len(victim.events(3213)) > before, 60))
        again = of(other, caller)
        story.check("the message is there once when the node is back", len(again) == 1, again)
        story.check("and not shorter", again and again[0]["duration_ms"] >= found[0]["duration_ms"], again)
    story.say(f"delivered after {max(took):.1f} s at most, {max(lost):.1f} s of speech missing at most")
    if LONG:
        story.check("delivered within 10 s", max(took) <= 10, f"{max(took):.1f} s")

    if LONG:
        story.head("A node stands still while a caller speaks, and goes on")
        call = speaking(at[0], "8200", clip, SAY_S)
        one.proc.send(signal.SIGSTOP)
        part = until(lambda: of(two, "8200"), 60, 0.2)
        one.proc.send(signal.SIGCONT)
        story.need("the other node has a part of it meanwhile", part)
        story.check("the part is marked as cut off", part[0].get("cut"), part[0])
        status = call.hang_up(30)
        call.close()
        story.check("the caller's BYE is answered", status == 200, status)
        whole = until(lambda: [m for m in of(two, "8200") if not m.get("cut")], 60, 0.2)
        story.check("the whole has taken the place of the part", whole and whole[0]["id"] == part[0]["id"], whole)
        story.check("it is there once", len(of(two, "8200")) == 1, of(two, "8200"))

    story.head("The store is away while a caller speaks and hangs up")
    call = speaking(at[0], "8300", clip, 4)
    pg.proc.kill()
    status = call.hang_up(30)
    call.close()
    story.check("the caller's BYE is answered", status == 200, status)
    story.check("the event says that the message is in the spool", until(lambda: one.events(3001), 60))
    pg.start()
    back = until(lambda: pg.sql("SELECT COUNT(*) FROM message WHERE caller_number = '8300'") == "1", 120, 0.5)
    story.check("it is in the store when that is back", back)
    story.check("as a whole", until(lambda: [m for m in of(two, "8300") if not m.get("cut")], 60, 0.5), of(two, "8300"))
    story.check("and once", len(of(two, "8300")) == 1, of(two, "8300"))
    story.check("nothing is left over", until(lambda: pg.sql("SELECT COUNT(*) FROM recording") == "0", 60, 0.5))
