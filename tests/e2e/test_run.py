#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a newcomer does first: `make run` says how to call, a call works, Ctrl-C ends it and leaves nothing."""
import re
import signal
import subprocess

from common import *
space.enter()
from labkit.caller import Call, speech
from labkit.node import BUILD

ROOT = Path(__file__).resolve().parents[2]

with Story("run") as story:
    quiet = subprocess.run([str(ROOT / "tools/install-deps"), "run"], capture_output=True, text=True)
    # at once: without asking apt, which would say so
    story.check("install-deps has nothing to do and says only that", quiet.returncode == 0 and quiet.stdout + quiet.stderr == "install-deps: nothing missing for 'run'\n",
                quiet.stdout + quiet.stderr)
    run = Proc("run", [ROOT / "tools/run"], story.dir, env={"UMBEL_BUILD": str(BUILD)})
    text = run.wait_for(r"Ctrl-C ends it", 120) and run.said()
    print("\n".join("      | " + line for line in text.splitlines()), flush=True)
    story.check("the first call, its own, goes well", "did not go well" not in text, text)
    pin = re.search(r"PIN (\d+)#", text)
    story.check("the PIN is printed and random", pin and pin[1] not in ("123456", "000000"), text)
    call = Call(("127.0.0.1", 5060), "2001", caller="100").start()
    call.wait_answer()
    story.check("a call is answered and the tone is heard", call.wait_tone())
    call.say(speech("/usr/share/asterisk/sounds/en_US_f_Allison/demo-congrats.wav", 3))
    story.check("hanging up leaves the message", call.hang_up() == 200)
    call.close()
    story.check("Ctrl-C ends it", run.stop(signal.SIGINT, 25) == 0, run.said()[-500:])
    left = subprocess.run(["ss", "-Hlntu", "sport = :5060"], capture_output=True, text=True).stdout
    story.check("nothing listens any more", not left.strip(), left)
