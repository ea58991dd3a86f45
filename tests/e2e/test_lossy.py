#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Other people's programs over a network that loses a fifth of all datagrams, doubles some and lets them overtake each other: everything between the node and
whom it talks with, signalling and sound. Calls come up and end, digits count once, what was said is still to be understood, transfers work, lamps
and probes are right. labkit/lossy.py says how the network is made bad."""
# variants: refer
# long variants: bridge more
# long way
from common import *
space.enter()
import re
import shutil
import single
from labkit import site as lab
from labkit.dns import Dns
from labkit.lossy import Lossy
from labkit.phones import Baresip, Lamp
from labkit.proxy import ADDRESS, Proxy
from labkit.softphones import Linphone, Twinkle

ANNA, BOB, CARL, TINA = "2005", "2002", "1003", "2006"  # linphone, baresip, a linphone with digits by INFO that has no mailbox, twinkle
PIN = "739462"
VARIANT = (sys.argv[1:] or ["refer"])[0]
SEED = int(os.environ.get("UMBEL_SEED", "1"))
LONG = 40  # a request or its answer lost four times in a row takes 15 s; ours and the proxy's may follow each other


def change(c):
    c["gateways"] = [{"name": "proxy", "address": space.POOL, "port": 5060, "transport": "udp", "trusted_headers": True, "sources": [f"{ADDRESS}/32"],
                      "lamp": True, "transfer": "bridge" if VARIANT == "bridge" else "refer",
                      "options": {"interval_s": 2, "timeout_s": 20, "misses": 1, "answers": 1}}]
    c["node"]["sip"] = {"session_timer_s": 90}
    c["dialplans"][0].update(gateway="proxy")
    c["mailboxes"][0].update(lamp=True, lamp_uri=f"sip:{lab.LAMP}@domain.com")
    for number, name in ((ANNA, "anna"), (TINA, "tina")):
        c["mailboxes"].append({"name": name, "display_name": f"{name.capitalize()} Example", "extensions": [number], "dialplan": "office",
                               "policy": "standard", "dialable": True, "lamp": False})


def like(said, heard):
    return audio.likeness(audio.read(said), audio.read(heard))[0]


def like_some(said, heard):
    """The best of its seconds: baresip plays nothing in place of what is lost."""
    said, heard = audio.read(said), audio.read(heard)
    return max(audio.likeness(said[n * audio.RATE:(n + 1) * audio.RATE], heard)[0] for n in range(4))


class World:
    def __init__(self, story):
        self.story = story
        Dns(story.dir).start()
        self.said, self.quiet = story.dir / "said.wav", story.dir / "quiet.wav"
        audio.write(self.said, audio.read(lab.SPEECH_A)[:4 * audio.RATE])
        audio.write(self.quiet, [0] * audio.RATE)
        self.node = single.node(story, change)
        self.node.set_pin("alice", PIN)
        self.proxy = Proxy(story.dir).start()
        self.lamp = Lamp(story.dir, lab.LAMP).start()
        self.anna = Linphone(story.dir, ANNA, ADDRESS, timer=VARIANT == "bridge").start()
        long = story.dir / "long.wav"
        audio.write(long, audio.read(lab.SPEECH_B) * 3)  # baresip hangs up when it has no more to say
        self.bob = Baresip(story.dir, BOB, long).start()
        until(lambda: self.gateway()["state"] == "up", 20)
        story.say("all are there; now the network gets bad")
        self.net = Lossy(story.dir, single.ADDRESS[0], seed=SEED, sound_lost=10 if VARIANT == "bridge" else 20).start()

    def gateway(self):
        return self.node.cli.json("gateway", "list")["gateways"][0]

    def calls(self):
        return self.node.cli.json("call", "list")["calls"]

    def in_state(self, words, seconds=LONG):
        return until(lambda: any(words in c["state"] for c in self.calls()), seconds, 0.2)

    def past_greeting(self, phone):
        """# where the greeting is still spoken; a slow machine may see its end only."""
        state = lambda: next((c["state"] for c in self.calls() if "greeting" in c["state"] or "recorder" in c["state"]), "")
        if "greeting" in until(state, LONG, 0.1):
            phone.keys("#")
        return self.in_state("recorder: record")

    def none_left(self):
        return until(lambda: not self.calls(), LONG)

    def steps(self):
        return self.node.last_call()


def message(w):
    w.anna.dial("2001@domain.com", LONG)
    w.story.say("the call is up")
    w.story.check("a digit (RFC 4733) gets through", w.past_greeting(w.anna), w.steps())
    w.story.say("it records")
    w.anna.say(w.said)
    time.sleep(4.5)  # as long as it speaks
    w.anna.hang_up(LONG)
    w.story.say("hung up")
    heard = lambda: audio.likeness(audio.read(w.said), w.node.audio_of("alice", ANNA))[0]
    w.story.check("the message is there once", lambda: soon(lambda: len(w.node.messages("alice")) == 1, LONG), w.steps())
    w.story.check("and to be understood", lambda: soon(lambda: heard() > 0.6, LONG), f"{heard()} {w.steps()}")
    w.story.say(f"likeness of the message: {heard():.2f}")
    w.story.check("the lamp is lit", lambda: soon(lambda: w.lamp.shown()[-1:] == [("yes", "1/0")], LONG), str(w.lamp.shown()))


def refreshed(w):
    """The phone's call has a session timer of 90 s (baresip knows none): half of it later we refresh it, and it lives on when it would have ended."""
    ours = lambda: len(re.findall(r"INDIALOG (?:UPDATE|INVITE) to=(?!sip:umbel@)", w.proxy.log()))
    w.story.check("session timer: a refresh of ours arrives", until(lambda: ours() >= 1, 90, 1), w.proxy.log()[-2000:])
    time.sleep(50)  # past the end of the first interval
    w.story.check("session timer: the call lives on", len(w.calls()) == 2, f"{w.calls()} {w.steps()}")


def info(w):
    """A digit by INFO: a request that is repeated until it is answered."""
    carl = Linphone(w.story.dir, CARL, ADDRESS, digits="info").start()
    carl.say(w.quiet)  # who says nothing at all is hung up on after half a minute
    carl.dial(f"{TINA}@domain.com", LONG)
    w.story.check("a digit by INFO gets through", w.past_greeting(carl), w.steps())
    carl.hang_up(LONG)
    w.story.check("INFO: no call is left", w.none_left(), w.steps())
    carl.stop()


def mailbox(w):
    """A PIN, each digit once; hold and back, a re-INVITE each."""
    w.node.set_pin("anna", PIN)
    w.anna.say(w.quiet)
    w.anna.dial("3000@domain.com", LONG)
    w.in_state("entry")
    w.anna.keys(f"{PIN}#")
    w.story.check("mailbox: the PIN is understood", w.in_state("main menu"), w.steps())
    held = lambda: [c["held"] for c in w.calls()]
    for command, state, now in (("pause", "LinphoneCallPaused", [True]), ("resume", "LinphoneCallStreamsRunning", [False])):
        since = w.anna.mark()
        w.anna.command(command)
        w.anna.until_state(state, LONG, since)
        w.story.check(f"{command}: is known", until(lambda: held() == now, LONG), str(held()))
    w.anna.hang_up(LONG)
    w.story.check("mailbox: no call is left", w.none_left(), w.steps())


def twinkle(w):
    """Called by it, and a caller of ours sent on to it."""
    tina = Twinkle(w.story.dir, TINA, ADDRESS).start()
    tina.command("call 4000")
    w.story.check("twinkle: calls, the attendant answers", w.in_state("menu"), w.steps() + tina.traced()[-3000:])
    tina.command("bye")
    w.story.check("twinkle: no call is left", w.none_left(), w.steps())
    since, at = tina.mark(), w.anna.mark()
    w.anna.say(w.quiet)
    w.anna.dial("4000@domain.com", LONG)
    w.in_state("menu")
    w.anna.keys(TINA)
    tina.wait("incoming call", LONG, since)
    tina.command("answer")
    w.story.check("transfer: linphone follows the REFER to twinkle", w.none_left(), w.steps())
    until(lambda: "call established" in tina.proc.said()[since:], LONG)
    tina.command("bye")
    w.anna.wait("moving from state .* to LinphoneCallReleased", LONG, at)
    tina.stop()


def reliable(w):
    """A phone that insists on provisional answers that must arrive (RFC 3262), called by us."""
    tina = Twinkle(w.story.dir, TINA, ADDRESS, reliable="required").start()
    since = tina.mark()
    w.anna.say(w.quiet)
    w.anna.dial("4000@domain.com", LONG)
    w.in_state("menu")
    w.anna.keys(TINA)
    tina.wait("incoming call", LONG, since)
    until(lambda: "\nPRACK sip:" in tina.traced(), LONG)
    tina.command("answer")
    w.story.check("100rel: twinkle answers, and the two are joined", w.in_state(": talking"), w.steps() + tina.traced()[-3000:])
    w.story.check("100rel: its ringing was acknowledged by PRACK", "\nPRACK sip:" in tina.traced(), tina.traced()[-3000:])
    tina.command("bye")
    w.story.check("100rel: no call is left", w.none_left(), w.steps())
    tina.stop()


def subscribed(w):
    """A phone that watches its mailbox: SUBSCRIBE, and a NOTIFY for each change."""
    alice = Twinkle(w.story.dir, "2001", ADDRESS, lamp=True).start()
    told = lambda: re.findall(r"^Voice-Message: *(\S+)", alice.traced(), re.M)
    w.story.check("subscribe: the phone is told what there is", lambda: soon(lambda: told()[-1:] == ["1/0"], LONG), str(told()))
    w.node.cli.run("message", "mark", "alice", w.node.messages("alice")[0]["id"], "saved")
    w.story.check("subscribe: and what changes", lambda: soon(lambda: told()[-1:] == ["0/1"], LONG), str(told()))
    w.story.check("subscribe: the lamp, too", lambda: soon(lambda: w.lamp.shown()[-1:] == [("no", "0/1")], LONG), str(w.lamp.shown()))
    alice.stop()


def transfer(w):
    since, at = w.anna.mark(), w.bob.mark()
    w.anna.say(w.quiet)  # the attendant listens
    w.anna.dial("4000@domain.com", LONG)
    w.in_state("menu")
    w.anna.keys(BOB)
    w.bob.wait("CALL_ESTABLISHED", 2 * LONG, at)
    if VARIANT == "bridge":
        w.story.check("put through: the two are joined", w.in_state(": talking"), w.steps())
        w.anna.say(w.said)
        time.sleep(5)  # as long as it speaks
        refreshed(w)
    else:
        w.story.check("transfer: the attendant hangs up", w.none_left(), w.steps())
        history = lambda: w.node.cli.run("call", "list", "--history")[1]
        w.story.check("transfer: and knows that it worked", lambda: soon(lambda: "transferred" in history(), LONG), history())
    w.bob.hangup()
    w.anna.wait("moving from state .* to LinphoneCallReleased", LONG, since)
    if VARIANT == "bridge":
        heard = lambda: like_some(w.said, w.bob.heard()[-1])
        w.story.check("put through: what is said is to be understood", lambda: soon(lambda: heard() > 0.6, LONG), f"{heard()} {w.steps()}")
        w.story.say(f"likeness of what the other heard: {heard():.2f}")
        w.story.check("put through: when one hangs up, no call is left", w.none_left(), w.steps())


with Story(f"lossy-{VARIANT}") as story:
    if not shutil.which("linphonec"):
        story.skip("linphone", "it is not installed")
        sys.exit(77)
    w = World(story)
    parts = {"refer": (message, transfer), "bridge": (message, reliable, transfer), "more": (message, info, mailbox, twinkle, subscribed)}[VARIANT]
    for part in parts:
        if not sys.argv[2:] or part.__name__ in sys.argv[2:]:
            try:
                part(w)
                story.say(str(w.net.counts()))
            except Failed as e:
                story.check(f"{part.__name__}: goes to its end", False, f"{e}\n{w.steps()}\n{w.proxy.log()[-1500:]}")
    counts = w.net.counts()
    story.check("the network was as bad as it should", counts["sip_lost"] > 0 and counts["sound_lost"] > 0 and counts["doubled"] > 0 and counts["overtaken"] > 0, str(counts))
    story.check("the gateway was held to be up all the time", w.gateway()["state"] == "up" and not w.node.events(1400), str(w.gateway()))
    story.check("SIGTERM ends it in time", w.node.stop() == 0)
