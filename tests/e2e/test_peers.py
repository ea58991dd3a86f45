#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Other people's programs: linphone, baresip, twinkle, sipp and sipsak behind a proxy that writes itself into every route, hides who is
behind it, or takes the audio through rtpengine. A message left, a mailbox heard with digits by INFO, hold, transfers, find me."""
# variants: plain
# long variants: hidden relayed bridged
# long way
from common import *
space.enter()
import shutil
import subprocess
import single
from labkit import site as lab
from labkit.dns import Dns
from labkit.phones import Baresip
from labkit.proxy import ADDRESS, Proxy
from labkit.softphones import Linphone, Twinkle

ANNA, BOB, CARL, TINA = "2005", "2002", "1003", "2006"  # linphone, baresip, and a linphone with digits by INFO that has no mailbox
PIN = "739462"
VARIANT = (sys.argv[1:] or ["plain"])[0]


def change(c):
    c["gateways"] = [{"name": "proxy", "address": space.POOL, "port": 5060, "transport": "tcp" if VARIANT == "hidden" else "udp", "trusted_headers": True,
                      "sources": [f"{ADDRESS}/32"], "options": {"on": False}}]
    if VARIANT == "bridged":
        c["gateways"][0]["transfer"] = "bridge"
    c["dialplans"][0].update(gateway="proxy")
    c["mailboxes"][0]["rules"] = [{"name": "find", "callers": [BOB], "find": [ANNA], "action": "find-me", "ring_s": 8}]
    for number, name in ((ANNA, "anna"), (TINA, "tina")):
        c["mailboxes"].append({"name": name, "display_name": f"{name.capitalize()} Example", "extensions": [number], "dialplan": "office",
                               "policy": "standard", "dialable": True, "lamp": False})


def like(said, heard):
    return audio.likeness(audio.read(said), audio.read(heard))[0]


def like_some(said, heard, seconds):
    """The best of three-second pieces: baresip speaks from the beginning of its call on, and they talk after a while."""
    said, heard = audio.read(said), audio.read(heard)
    return max(audio.likeness(said[n * audio.RATE:(n + 3) * audio.RATE], heard)[0] for n in seconds)


class World:
    def __init__(self, story):
        self.story = story
        Dns(story.dir).start()
        self.said = story.dir / "said.wav"
        audio.write(self.said, audio.read(lab.SPEECH_A)[:4 * audio.RATE])
        self.quiet = story.dir / "quiet.wav"
        audio.write(self.quiet, [0] * audio.RATE)
        self.node = single.node(story, change)
        self.node.set_pin("alice", PIN)
        self.proxy = Proxy(story.dir, um="tcp" if VARIANT == "hidden" else "udp", hide=VARIANT == "hidden", media=VARIANT == "relayed").start()
        self.anna = Linphone(story.dir, ANNA, ADDRESS, transport="tcp" if VARIANT == "hidden" else "udp").start()
        self.bob = Baresip(story.dir, BOB, lab.SPEECH_B).start()

    def in_state(self, words, seconds=8):
        return until(lambda: any(words in c["state"] for c in self.node.cli.json("call", "list")["calls"]), seconds, 0.2)

    def steps(self):
        return self.node.last_call()


def message(w):
    w.anna.dial("2001@domain.com")
    w.in_state("greeting")
    w.anna.keys("#")
    w.story.check("linphone: # ends the greeting (RFC 4733)", w.in_state("recorder: record"), w.steps())
    w.anna.say(w.said)
    time.sleep(4.5)  # as long as it speaks
    w.anna.hang_up()
    w.story.check("linphone: the message is what was said",
                  lambda: soon(lambda: audio.likeness(audio.read(w.said), w.node.audio_of("alice", ANNA))[0] > 0.9, 5), w.steps())


def mailbox(w):
    carl = Linphone(w.story.dir, CARL, ADDRESS, digits="info").start()
    since = carl.dial("3000@domain.com")
    w.story.check("digits by INFO: the mailbox asks who it is", w.in_state("entry"), w.steps())
    carl.keys(f"2001#{PIN}#")
    w.story.check("digits by INFO: extension and PIN are understood", w.in_state("main menu", 10), w.steps())
    carl.keys("1")
    w.story.check("digits by INFO: 1 plays the message", w.in_state("player", 8), w.steps())
    carl.command("pause")
    carl.until_state("LinphoneCallPaused", 8, since)
    held = lambda: [c["held"] for c in w.node.cli.json("call", "list")["calls"]]
    w.story.check("hold: the call is known to be held", until(lambda: held() == [True], 5), held())
    since = carl.mark()
    carl.command("resume")
    carl.until_state("LinphoneCallStreamsRunning", 8, since)
    w.story.check("hold: and to be back", until(lambda: held() == [False], 5), held())
    carl.keys("1")
    w.in_state("player: menu", 20)
    carl.hang_up()
    carl.stop()
    w.story.check("linphone: the message is heard as it was left", like(w.said, carl.heard) > 0.85, f"{like(w.said, carl.heard)}")


def find(w):
    since, heard = w.anna.mark(), w.bob.mark()
    w.bob.dial("2001")
    w.anna.until_state("LinphoneCallStreamsRunning", 15, since)
    w.story.check("find me: linphone is called, and answers", True)
    w.in_state("screening")
    time.sleep(1)
    w.anna.keys("1")
    w.story.check("find me: 1 takes the call", w.in_state(": talking"), w.steps())
    w.anna.say(w.said)
    time.sleep(5)
    w.anna.hang_up()
    w.bob.wait("CALL_CLOSED", 8, heard)
    w.story.check("find me: baresip hears linphone", lambda: soon(lambda: like(w.said, w.bob.heard()[-1]) > 0.8, 5), w.steps())
    w.story.check("find me: linphone hears baresip", like_some(lab.SPEECH_B, w.anna.heard, range(8, 24)) > 0.8, w.steps())


def transfer(w):
    since, at = w.anna.mark(), w.bob.mark()
    w.anna.say(w.quiet)  # the attendant listens
    w.anna.dial("4000@domain.com")
    w.in_state("menu")
    w.anna.keys(BOB)
    w.bob.wait("CALL_ESTABLISHED", 20, at)
    w.story.check("transfer: linphone follows the REFER to baresip", True)
    w.story.check("transfer: the attendant hangs up", until(lambda: not w.node.cli.json("call", "list")["calls"], 12), w.steps())
    history = lambda: w.node.cli.run("call", "list", "--history")[1]
    w.story.check("transfer: and knows that it worked", lambda: soon(lambda: "transferred" in history(), 5), history())
    w.bob.hangup()
    w.anna.wait("moving from state .* to LinphoneCallReleased", 8, since)
    since, at = w.anna.mark(), w.bob.mark()
    w.bob.dial("4000")
    w.in_state("menu")
    w.bob.keys(ANNA)
    w.anna.until_state("LinphoneCallStreamsRunning", 20, since)
    w.story.check("transfer: baresip follows the REFER to linphone", True)
    w.anna.hang_up()


def put_through(w):
    """Where the gateway takes no REFER: a second call of ours, joined with the first."""
    since, at = w.anna.mark(), w.bob.mark()
    w.anna.say(w.quiet)  # the attendant listens
    w.anna.dial("4000@domain.com")
    w.in_state("menu")
    w.anna.keys(BOB)
    w.bob.wait("CALL_ESTABLISHED", 20, at)
    w.story.check("put through: the two are joined", w.in_state(": talking"), w.steps())
    w.anna.say(w.said)
    time.sleep(5)  # as long as it speaks
    w.bob.hangup()
    w.anna.wait("moving from state .* to LinphoneCallReleased", 8, since)
    w.story.check("put through: baresip hears linphone", lambda: soon(lambda: like(w.said, w.bob.heard()[-1]) > 0.8, 5), w.steps())
    w.story.check("put through: linphone hears baresip", like_some(lab.SPEECH_B, w.anna.heard, range(0, 5)) > 0.8, w.steps())
    w.story.check("put through: when one hangs up, no call is left", until(lambda: not w.node.cli.json("call", "list")["calls"], 8), w.steps())


def reliable(w):
    """A phone that insists on provisional answers that must arrive (RFC 3262), called by us."""
    tina = Twinkle(w.story.dir, TINA, ADDRESS, reliable="required").start()
    since = tina.mark()
    w.anna.say(w.quiet)  # the attendant listens
    w.anna.dial("4000@domain.com")
    w.in_state("menu")
    w.anna.keys(TINA)
    tina.wait("incoming call", 15, since)
    w.story.check("put through: the phone shows a number that can be called back", "sip:2005@domain.com" in tina.proc.said()[since:], tina.proc.said()[since:])
    tina.command("answer")
    w.story.check("100rel: twinkle is called and answers", w.in_state(": talking", 20), w.steps() + tina.proc.said()[-600:])
    w.story.check("100rel: its ringing was acknowledged by PRACK", "\nPRACK sip:" in tina.traced(), tina.proc.said()[-600:])
    tina.command("bye")
    w.story.check("100rel: and hangs up", until(lambda: not w.node.cli.json("call", "list")["calls"], 8), w.steps())
    tina.stop()


def twinkle(w):
    tina = Twinkle(w.story.dir, TINA, ADDRESS).start()
    at = w.bob.mark()
    tina.command("call 4000")
    w.story.check("twinkle: the attendant answers", w.in_state("menu", 10), w.steps())
    tina.command("hold")
    held = lambda: [c["held"] for c in w.node.cli.json("call", "list")["calls"]]
    w.story.check("twinkle: hold is known", until(lambda: held() == [True], 5), held())
    until(lambda: tina.traced().count("\nACK sip:") >= 2, 5)  # it takes no command while its own re-INVITE is not over
    tina.command("retrieve")
    w.story.check("twinkle: and being back", until(lambda: held() == [False], 5), held())
    tina.command("dtmf " + BOB)
    w.bob.wait("CALL_ESTABLISHED", 25, at)
    w.story.check("twinkle: follows the REFER to baresip", True)
    since = tina.mark()
    w.bob.hangup()
    tina.wait("far end ended call", 8, since)
    tina.stop()


def sipp(w):
    """Its own scenario, as it comes: twenty calls that hang up by themselves."""
    r = subprocess.run(["sipp", "-sn", "uac", "127.0.1.11:5060", "-s", "2001", "-i", ADDRESS, "-p", "5099", "-m", "20", "-r", "10", "-d", "500", "-nostdin"],
                       capture_output=True, text=True, timeout=40, cwd=w.story.dir)
    w.story.check("sipp: all of its calls go as it expects", r.returncode == 0, r.stdout[-1500:])


def asked(w):
    ask = lambda *a: subprocess.run(["sipsak", *a], capture_output=True, text=True, timeout=30)
    r = ask("-vv", "-H", "127.0.0.1", "-s", "sip:127.0.1.11:5060")
    w.story.check("sipsak: OPTIONS from somebody who is no gateway is answered as promised", r.returncode in (0, 1) and "SIP/2.0" in r.stdout, r.stdout + r.stderr)


with Story(f"peers-{VARIANT}") as story:
    if not shutil.which("linphonec"):
        story.skip("linphone", "it is not installed")
        sys.exit(77)
    w = World(story)
    parts = (put_through, reliable) if VARIANT == "bridged" else (message, mailbox, find, transfer, twinkle, sipp, asked)
    for part in parts:
        if not sys.argv[2:] or part.__name__ in sys.argv[2:]:
            try:
                part(w)
            except Failed as e:
                story.check(f"{part.__name__}: goes to its end", False, f"{e}\n{w.steps()}\n{w.proxy.log()[-1500:]}")
    story.check("SIGTERM ends it in time", w.node.stop() == 0)
