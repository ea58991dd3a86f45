#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random moments while messages are being left: every message whose caller got the 200 to its BYE is there afterwards, once,
and the node answers again within seconds."""
import random
import threading

# long way
from common import *
space.enter()
import single
from labkit.caller import Call, speech

ROUNDS = int(os.environ.get("UMBEL_KILL_ROUNDS", 100 if LEVEL == "long" else 10))
CALLS = 6


class Deposit(threading.Thread):
    """One caller: skips the greeting with #, speaks for a moment, hangs up."""

    def __init__(self, caller, clip, pause):
        super().__init__(daemon=True)
        self.caller, self.clip, self.pause, self.bye = caller, clip, pause, 0

    def run(self):
        time.sleep(self.pause)
        call = Call(single.ADDRESS, "2001", caller=self.caller).start()
        if call.wait_status(4) == 200:
            time.sleep(0.3)
            call.press("#")
            time.sleep(0.6)
            call.say(self.clip)
            self.bye = call.hang_up(4)
        call.close()


with Story("kill") as story:
    seed = int(os.environ.get("UMBEL_SEED", random.randrange(1 << 30)))
    dice = random.Random(seed)
    story.say(f"{ROUNDS} rounds of {CALLS} callers each; UMBEL_SEED={seed} plays the same again")
    clip = speech("/usr/share/asterisk/sounds/en_US_f_Allison/demo-congrats.wav", 3)
    node = single.node(story, lambda c: c["policies"][0].update(max_messages=5000))  # or the last rounds meet a full mailbox
    accepted, slowest, seen = [], 0.0, 0
    for n in range(ROUNDS):
        callers = [Deposit(f"8{n:03}{k}", clip, dice.uniform(0, 2.5)) for k in range(CALLS)]
        for c in callers:
            c.start()
        time.sleep(dice.uniform(3.5, 7.5))
        node.kill()
        for c in callers:
            c.join(30)
        accepted += [c.caller for c in callers if c.bye == 200]
        began = time.monotonic()
        node.start(seconds=20)
        again = Call(single.ADDRESS, "2001", caller="8999").start()
        if again.wait_status(5) != 200:
            story.check(f"round {n + 1}: answers calls again", False, again.reason)
        slowest = max(slowest, time.monotonic() - began)
        again.hang_up(3)
        again.close()
    kept = node.callers("alice")
    lost = [a for a in accepted if a not in kept]
    double = sorted({k for k in kept if kept.count(k) > 1 and k.startswith("8") and k != "8999"})
    story.say(f"{len(accepted)} of {ROUNDS * CALLS} were acknowledged before the kill; {len(kept)} messages are there")
    story.check(f"no acknowledged message is lost in {ROUNDS} rounds", not lost, f"lost: {lost}")
    story.check("none is there twice", not double, f"twice: {double}")
    story.check("some were acknowledged at all, so the test says something", len(accepted) >= ROUNDS, f"{len(accepted)}")
    story.check("the node answers again within 5 s of its start", slowest < 5, f"{slowest:.1f} s")
