#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a caller and an owner meet when something about a mailbox is not as usual: it is full, its store may only be read, a prompt is
missing, its PIN is new. Nothing that was accepted is lost, and what is not accepted is said before anybody speaks."""
import concurrent.futures
import re
import shutil
import struct
import subprocess
import zlib

# variants: full,first_use letters languages,asked_to_finish own_prompts,missing_prompt read_only_sqlite,read_only_postgresql
# long way
from common import *
space.enter()
import single
from labkit import site as lab
from labkit.caller import Call, speech
from labkit.node import BUILD, Node, yaml

CLIP = speech(lab.SPEECH_A, 2)
PROMPTS = BUILD / "prompts" / "en-US.pack"


def ask(node, number, steps, caller="7900", prompts=PROMPTS):
    """One call of the test caller through that script: (good, what it said)."""
    status, text = node.cli.run("call", "test", f"sip:{number}@127.0.1.11", "--from", caller, "--prompts", prompts, "--for", "120", "-e", steps,
                                timeout=150)
    return status == 0, text


def leave(caller, number="2001"):
    """A message past the greeting, ended by hanging up: the status of the BYE."""
    call = Call(single.ADDRESS, number, caller=caller).start()
    try:
        call.wait_answer(8)
        call.wait_quiet(4, seconds=0.06, after=0.1)
        call.heard.clear()
        call.press("#")
        if not call.wait_tone(10):
            raise Failed(f"{caller} never heard the tone")
        call.say(CLIP)
        return call.hang_up(8)
    finally:
        call.close()


def full(story):
    node = single.node(story, lambda c: c["policies"][0].update(max_messages=2))
    story.check("two messages fit", [leave("8101"), leave("8102")] == [200, 200])
    good, said = ask(node, "2001", "expect answer-mailbox-full; expect-bye", "8103")
    story.check("full: the caller is told at once, not asked to speak, and the call ends", good, said)
    event = node.told(r"mailbox is full", 5)
    story.check("full: the event names mailbox, caller and the setting", event and event["id"] == 3204 and event.get("fields", event).get("mailbox") == "alice"
                and "max_messages" in str(event), event)
    story.check("full: what was accepted is there, and nothing else", sorted(node.callers("alice")) == ["8101", "8102"], node.callers("alice"))
    story.check("full: the other mailbox takes messages", leave("8104", "2002") == 200)
    first = node.messages("alice")[0]["id"]
    status, text = node.cli.run("message", "delete", "alice", first)
    story.check("full: one is deleted", status == 0, text)
    story.check("full: then there is room again", leave("8105") == 200)
    story.check("SIGTERM ends it in time", node.stop() == 0)


def first_use(story):
    """The administrator's PIN opens nothing but the way to another one."""
    node = single.node(story)
    node.set_pin("alice", "739184", final=False)
    log_on = "press 2001#{}#; "
    good, said = ask(node, lab.SUBSCRIBER, log_on.format("739184") + "expect pin-first-use; hangup")
    story.check("first use: a new PIN is asked for before anything else", good, said)
    good, said = ask(node, lab.SUBSCRIBER, log_on.format("739184") + "expect pin-first-use; press 222222#; expect pin-rule-trivial; "
                     "press 602914#602914#; expect pin-changed; expect setup-name; press **; expect you-have; hangup")
    story.check("first use: after a hang-up it is asked again; a bad one is refused with its reason, a good one opens the mailbox", good, said)
    good, said = ask(node, lab.SUBSCRIBER, log_on.format("739184") + "expect logon-wrong; " + log_on.format("602914") + "expect you-have; wait 1s; press 8; wait 2s; press 9; wait 1s; hangup")
    story.check("first use: the administrator's PIN is void now, and the new one is not asked to be changed", good, said)
    told = told_of_all(node)
    story.check("keys that a mailbox does not know are told, but not which", "wrong keys" in told and not re.search(r"(keys|pressed) \d", told), told)
    said = str(node.events()) + node.proc.said() + node.cli.run("call", "list", "--history")[1] + told
    story.check("no PIN stands in any event or log", not re.search(r"739184|602914", said))
    node.stop()


def letters(story):
    """PINs on paper: each opens its mailbox, none is written over, and what fails in the midst goes on where it ended."""
    objects = {}
    node = single.node(story, lambda c: objects.update((k, c.pop(k)) for k in ("gateways", "dialplans", "policies", "attendants", "mailboxes")))
    objects["policies"][0]["texts"] = {"pin_reset": "You asked for it."}
    (story.dir / "objects.yaml").write_text(yaml(objects) + "\n")
    node.cli.run("apply", story.dir / "objects.yaml")
    said = []

    def umbel(*args):
        status, text = node.cli.run(*args, timeout=60)
        said.append(text)
        return status, text

    def pin_of(file):
        return re.search(r"PIN: (\d+)\n", file.read_text())[1]

    status, text = umbel("policy", "set", "standard", "texts.welcome=" + "ä" * 513)
    story.check("letters: a text of 513 letters is refused", status == 1 and "has 513 characters: use at most 512" in text, text)
    umbel("policy", "set", "standard", "texts.welcome=Questions?\nCall 2222.")
    carol = story.dir / "carol.txt"
    status, text = umbel("mailbox", "add", "carol", "display_name=Carol Example", "extensions=['2003']", "--letter", carol)
    story.check("letters: a mailbox is made with one, for its reader's eyes only", status == 0 and carol.stat().st_mode & 0o777 == 0o600, text)
    paper = carol.read_text()
    story.check("letters: it tells who, where, what, and the policy's words", all(w in paper for w in
                ("Carol Example", "2003", "Call " + lab.SUBSCRIBER, "Questions?\nCall 2222.", "at least 6 digits")), paper)
    status, text = umbel("mailbox", "add", "dave", "extensions=['2004']", "--letter", carol)
    story.check("letters: none is written over, and no mailbox made then", status == 1 and "never written over" in text and carol.read_text() == paper and
                umbel("mailbox", "show", "dave")[0] == 1, text)
    node.set_pin("alice", "739184")
    was = node.cli.json("mailbox", "show", "alice")["pin"]
    status, text = umbel("mailbox", "reset-pin", "alice", "--letter", carol)
    story.check("letters: where one cannot be written the old PIN stays", status == 1 and node.cli.json("mailbox", "show", "alice")["pin"] == was, text)
    alice = story.dir / "letters" / "alice.txt"
    status, text = umbel("mailbox", "reset-pin", "alice", "--letters", alice.parent)
    good, heard = ask(node, lab.SUBSCRIBER, f"press 2001#739184#; expect logon-wrong; press 2001#{pin_of(alice)}#; expect pin-first-use; hangup")
    story.check("letters: a new PIN by letter replaces the old one", status == 0 and good and "You asked for it." in alice.read_text(), text + heard)

    table, folder = story.dir / "people.csv", story.dir / "new"
    table.write_text("name,display_name,extensions\n" + "".join(f"p{n},Person {n},21{n:02}\n" for n in range(12)))
    folder.mkdir()
    (folder / "p3.txt").write_text("Somebody's.\n")
    status, text = umbel("mailbox", "import", table, "--letters", folder)
    story.check("letters: import makes nothing while a letter is in its way", status == 1 and "p3.txt" in text and "nothing was imported" in text and
                umbel("mailbox", "show", "p1")[0] == 1 and len(list(folder.iterdir())) == 1, text)
    (folder / "p3.txt").unlink()
    (folder / "p5.txt.letter-part").mkdir()
    status, text = umbel("mailbox", "import", table, "--letters", folder)
    written = sorted(folder.glob("*.txt"))
    story.check("letters: one that cannot be written is named with its reason, and the others are", status == 1 and len(written) == 11 and
                "no letter for p5" in text and "--update --letters" in text, text)
    before = {f: f.read_text() for f in written}
    (folder / "p5.txt.letter-part").rmdir()
    status, text = umbel("mailbox", "import", table, "--update", "--letters", folder)
    after = {f: f.read_text() for f in sorted(folder.iterdir())}
    story.check("letters: the same command with --update writes the one that is missing", status == 0 and len(after) == 12 and before.items() <= after.items() and
                "11 mailboxes had a PIN already" in text, text)
    pins = [pin_of(f) for f in [carol, alice, *after]]
    good, heard = ask(node, lab.SUBSCRIBER, f"press 2105#{pin_of(folder / 'p5.txt')}#; expect pin-first-use; hangup")
    story.check("letters: its PIN opens the mailbox, and another is asked for", good, heard)
    story.check("letters: all are different, and for their reader's eyes only", len(set(pins)) == 14 and {f.stat().st_mode & 0o777 for f in after} == {0o600}, pins)
    listed = node.cli.json("mailbox", "list")["mailboxes"]
    story.check("letters: all mailboxes are listed", len(listed) == 15 and "p11" in {m["name"] for m in listed}, listed)
    said.append(str(node.events()) + node.proc.said() + node.cli.run("call", "list", "--history")[1] + told_of_all(node))
    story.check("letters: no PIN stands in an event, a log or on the terminal", not re.search("|".join(pins), "".join(said)))
    story.check("SIGTERM ends it in time", node.stop() == 0)


def told_of_all(node):
    return "".join(node.cli.run("call", "show", line.split()[0], "--json")[1] for line in node.cli.run("call", "list", "--history")[1].splitlines()
                   if re.match(r"01\S+", line))


def pack_without(names, to):
    """The prompt pack with those prompts under names that nobody asks for; everything else as it was."""
    pack = bytearray(PROMPTS.read_bytes())
    count = struct.unpack_from("<I", pack, 16)[0]
    for n in range(count):
        at, length = struct.unpack_from("<II", pack, 64 + 32 * n)
        if pack[at:at + length].decode() in names:
            pack[at + length - 1:at + length] = b"z"  # the order of these names stays
    struct.pack_into("<I", pack, 24, zlib.crc32(bytes(pack[64:])))
    to.mkdir(exist_ok=True)
    (to / "en-US.pack").write_bytes(pack)


def missing_prompt(story):
    folder = story.dir / "voice"
    clip = story.dir / "said.wav"
    audio.write(clip, audio.read(lab.SPEECH_A)[:2 * audio.RATE])
    pack_without(("answer-saved", "goodbye", "beep", "digits/today"), folder)
    node = single.node(story, lambda c: c["node"].update(voice=str(folder)))
    told = str(node.events())
    story.check("missing prompts: the start names each that conversations need", all(f'{p}' in told for p in ("answer-saved", "goodbye", "beep")), told)
    good, said = ask(node, "2001", f"wait 1s; press #; expect beep; play {clip}; press #; expect answer-menu; press 3; "
                     "expect answer-saved; expect goodbye; expect-bye", "8301")
    story.check("missing prompts: the caller hears the same words in the default voice, the tone too", good, said)
    story.check("missing prompts: the message is there", node.callers("alice") == ["8301"], node.callers("alice"))
    node.set_pin("alice", "739184")
    good, said = ask(node, lab.SUBSCRIBER, "press 2001#739184#; expect you-have; press 1; expect from; hangup", "8302")
    story.check("a missing word of a date: the rest of the sentence is heard, and the call goes on", good, said)
    story.check("a missing word of a date: an event names it", node.told(r"digits/today", 5))
    node.stop()
    shutil.rmtree(folder)


def read_only_sqlite(story):
    """The store's file system was mounted read-only, as a kernel does when a disk makes errors; the node is started on it and stays when it is
    mended. (While a process has files open for writing, only the kernel itself can do that.)"""
    store = story.dir / "store"
    store.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "none", str(store)], check=True)
    try:
        node = single.node(story, lambda c: c["node"].update(store=f"sqlite:{store}/umbel.db"))
        story.check("read-only file: a message before it is accepted", leave("8401") == 200)
        node.stop()
        subprocess.run(["mount", "-o", "remount,ro", str(store)], check=True)
        node.start()
        story.check("read-only file: messages are accepted all the same", [leave("8402"), leave("8403", "2002")] == [200, 200])
        event = node.told(r"(read.?only|may not be written)", 5)
        story.check("read-only file: an event says what is wrong and what to do", event and event["name"] == "DB_READONLY" and "mount" in event["advice"],
                    event or node.events())
        said = node.cli.run("status")[1]
        story.check("read-only file: status says so", re.search(r"store +(read-only|away)", said), said)
        subprocess.run(["mount", "-o", "remount,rw", str(store)], check=True)
        story.check("read-only file: mended, the messages appear by themselves",
                    lambda: soon(lambda: sorted(node.callers("alice")) == ["8401", "8402"] and node.callers("bob") == ["8403"], 30, 1))
        story.check("read-only file: the spool is empty again", not list((node.dir / "data/spool/new").iterdir()))
        node.stop()
    finally:
        subprocess.run(["umount", "-l", str(store)])


def read_only_postgresql(story):
    """The server takes no writes while the node serves: what a fail-over to a standby looks like from here."""
    from labkit.pg import Postgres
    pg = Postgres(story.dir)
    pg.start()
    node = single.node(story, lambda c: c["node"].update(store=pg.url))
    node.set_pin("alice", "739184")
    story.check("read-only server: a message before it is accepted", leave("8501") == 200)
    pg.sql("alter system set default_transaction_read_only = on", "postgres")
    pg.sql("select pg_reload_conf()", "postgres")
    until(lambda: pg.sql("show default_transaction_read_only", "umbel") == "on", 5)
    story.check("read-only server: messages are accepted all the same", [leave("8502"), leave("8503", "2002")] == [200, 200])
    event = node.told(r"may not be written", 5)
    story.check("read-only server: an event says what is wrong and what to do", event and event["name"] == "DB_READONLY" and "primary" in event["advice"],
                event or node.events())
    said = node.cli.run("status")[1]
    story.check("read-only server: status says so", re.search(r"store +read-only", said), said)
    pg.sql("alter system reset default_transaction_read_only", "postgres")
    pg.sql("select pg_reload_conf()", "postgres")
    story.check("read-only server: mended, the messages appear by themselves",
                lambda: soon(lambda: sorted(node.callers("alice")) == ["8501", "8502"] and node.callers("bob") == ["8503"], 30, 1))
    node.stop()
    pg.stop()


def languages(story):
    """A mailbox that speaks German, beside one that speaks French: each caller hears the mailbox's own language."""
    def change(c):
        c["mailboxes"][0]["language"] = "de"
        c["mailboxes"][1]["language"] = "fr-CH"
    node = single.node(story, change)
    packs, clip = BUILD / "prompts", story.dir / "said.wav"
    audio.write(clip, audio.read(lab.SPEECH_A)[:2 * audio.RATE])
    good, said = ask(node, "2001", f"wait 1s; press #; expect beep; play {clip}; press #; expect answer-menu; press 3; expect answer-saved; expect-bye", "8601",
                     prompts=packs / "de-DE.pack")
    story.check("de: a message is taken in German", good, said)
    good, said = ask(node, "2002", "expect answer-leave-message; hangup", "8602", prompts=packs / "fr-FR.pack")
    story.check("fr-CH: the next of kin speaks, French", good, said)
    node.set_pin("alice", "739184")
    good, said = ask(node, lab.SUBSCRIBER, "press 2001#739184#; expect you-have; expect counted/new-message/one; press 1; expect new-message; hangup", "8603",
                     prompts=packs / "de-DE.pack")
    story.check("de: the owner hears one new message counted by German grammar", good, said)
    story.check("SIGTERM ends it in time", node.stop() == 0)


def asked_to_finish(story):
    """A drain with a limit, and SIGTERM, ask those who are still there to come to an end: in the midst of a greeting, a menu, a message."""
    node = single.node(story, lambda c: c["mailboxes"][1].update(language="de"))
    node.set_pin("alice", "739184")
    story.check("asked to finish: a message is there", leave("8801") == 200)
    end = "expect finish-soon within 60s; hangup"
    calls_of = lambda: {c["from"]: c["id"] for c in node.cli.json("call", "list").get("calls", [])}
    listed = lambda *callers: until(lambda: set(calls_of()) == set(callers), 60, 0.2)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(ask, node, "2001", f"wait 1s; press #; {end}", "8802"), pool.submit(ask, node, lab.ATTENDANT, end, "8803"),
                 pool.submit(ask, node, "2002", end, "8804", BUILD / "prompts" / "de-DE.pack"),
                 pool.submit(ask, node, lab.SUBSCRIBER, f"press 2001#739184#; expect you-have; press 1; {end}", "8805")]
        story.check("asked to finish: four are there", listed("8802", "8803", "8804", "8805"), node.cli.run("call", "list"))
        steps = lambda: node.cli.run("call", "show", calls_of().get("8802", "none"), "--steps")[1]
        story.check("asked to finish: one of them speaks", until(lambda: "record" in steps(), 30, 0.2), steps())
        status, text = node.cli.run("node", "drain", "--within", "55s")
        story.check("asked to finish: drain says how many go on", status == 0 and "calls go on" in text, text)
        for call, who in zip(calls, ("who speaks", "who chooses", "who hears German", "who hears a message")):
            story.check(f"asked to finish: {who} is asked, too", *call.result())
    story.check("asked to finish: and it is told", lambda: bool(node.wait_event(3419, 10)))
    node.cli.run("node", "resume")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        call = pool.submit(ask, node, lab.ATTENDANT, end, "8806")
        story.check("asked to finish: one more", listed("8806"), node.cli.run("call", "list"))
        story.check("SIGTERM ends it in time", node.stop() == 0)
        story.check("asked to finish: by SIGTERM as well", *call.result())


def own_prompts(story):
    """An administrator's recording is heard at the next sentence; one that changes while it is being said breaks nothing."""
    node = single.node(story)
    clip, other = story.dir / "mine.wav", story.dir / "other.flac"
    audio.write(clip, audio.read(lab.SPEECH_A)[:4 * audio.RATE])
    subprocess.run(["sox", clip, "-r", "44100", "-c", "2", other, "reverse"], check=True)
    status, said = node.cli.run("prompt", "import", "attendant-welcome-to", other, "--words", "Backwards.")
    story.check("own prompts: a stereo FLAC file of 44.1 kHz is taken", status == 0, said)
    status, said = node.cli.run("prompt", "import", "attendant-welcome-to", clip)
    story.check("own prompts: and replaced by a WAV file", status == 0, said)
    cut = story.dir / "cut.wav"  # without the silence around it
    status, said = node.cli.run("prompt", "export", "attendant-welcome-to", cut)
    story.check("own prompts: what callers hear can be had back", status == 0 and 3 < len(audio.read(cut)) / audio.RATE < 4, said)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        call = pool.submit(ask, node, lab.ATTENDANT, f"expect-sound {cut} within 10s; expect attendant-dial-extension; hangup", "8701")
        changes = 0
        until(lambda: call.done() or "8701" in node.cli.run("call", "list")[1], 10)  # its first sentence begins as it is answered
        while not call.done() and changes < 100:
            changes += node.cli.run("prompt", "import", "attendant-welcome-to", (other, clip)[changes % 2])[0] == 0
    story.check("own prompts: a caller hears one to its end while it changes, and what follows", *call.result())
    story.check("own prompts: it changed meanwhile", changes > 3, changes)
    story.check("own prompts: taken away, the built-in voice speaks again", node.cli.run("prompt", "remove", "attendant-welcome-to")[0] == 0 and
                ask(node, lab.ATTENDANT, "expect attendant-welcome-to; hangup", "8702"))
    story.check("SIGTERM ends it in time", node.stop() == 0)


with Story("mailbox") as story:
    parts = ",".join(sys.argv[1:]).split(",") if sys.argv[1:] else ()
    for part in (full, first_use, letters, languages, asked_to_finish, own_prompts, missing_prompt, read_only_sqlite, read_only_postgresql):
        if not parts or part.__name__ in parts:
            shutil.rmtree(story.dir / "node01", ignore_errors=True)
            part(story)
