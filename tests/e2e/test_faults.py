#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bad input and faults: each has a clear error or event, and loses nothing that was accepted."""
import re
import shutil
import signal
import socket
import subprocess
import time

# long way
from common import *
space.enter()
import single
from labkit import pki
from labkit import site as lab
from labkit.caller import Call, speech
from labkit.node import Node, program, yaml
from labkit.phones import ask

CLIP = speech(lab.SPEECH_A, 3)


def check_file(story, change, text=None):
    """umbeld --check on a configuration: (status, output)."""
    c = single.config(story.dir)
    if change:
        change(c)
    file = story.dir / "check.yaml"
    file.write_text(text if text is not None else yaml(c) + "\n")
    done = subprocess.run([str(program("umbeld")), "--check", str(file)], capture_output=True, text=True, timeout=20)
    return done.returncode, done.stdout + done.stderr


def wrong_configuration(story):
    status, text = check_file(story, None)
    story.check("a good configuration passes --check", status == 0, text)
    for name, change, words in (
            ("an unknown key", lambda c: c["node"].update(fqnd="x"), r"fqnd"),
            ("a wrong word for a transport", lambda c: c["gateways"][0].update(transport="tsl"), r"transport.*tls"),
            ("a port out of range", lambda c: c["node"].update(listen=["udp:127.0.1.11:70000"]), r"listen|port"),
            ("a reference to nothing", lambda c: c["dialplans"][0].update(gateway="nobody"), r"nobody"),
            ("an extension given twice", lambda c: c["mailboxes"][1].update(extensions=["2001"]), r"2001"),
            ("no node at all", lambda c: c.pop("node"), r"node")):
        status, text = check_file(story, change)
        story.check(f"{name}: --check says file, line, column and what, and ends with 1",
                    status == 1 and re.search(rf"check\.yaml:\d+:\d+: .*({words})", text), f"status {status}: {text}")
    status, text = check_file(story, None, "node: {name: [unclosed\n")
    story.check("what is not YAML: the place is named", status == 1 and re.search(r"check\.yaml:\d+:\d+:", text), text)
    status, text = check_file(story, None, "")
    story.check("an empty file is refused with words", status == 1 and len(text) > 20, text)


def certificates(story):
    ca = pki.CA(story.dir / "ca")
    one, two = ca.issue("one", space.NODES[0], [space.NODES[0]]), ca.issue("two", space.NODES[0], [space.NODES[0]])

    def with_tls(cert, key):
        def change(c):
            c["node"]["listen"] = [f"tls:{single.ADDRESS[0]}:5061"]
            c["node"]["identities"] = [{"name": "own", "cert": str(cert), "key": str(key)}]
            c["trust"] = {"ca": [str(ca.cert)]}
        return change
    for name, cert, key, words in (("a missing certificate", story.dir / "no.pem", one.key, r"no\.pem"),
                                   ("a key that does not fit", one.cert, two.key, r"(fit|match|belong)"),
                                   ("a certificate file without a certificate", one.key, one.key, r"certificate")):
        node = Node(story.dir, "node01", single.config(story.dir))
        with_tls(cert, key)(node.config)
        node.start(ready=False)
        until(lambda: not node.proc.running() or node.told(words, 0), 8)
        said = node.proc.said() + str(node.events())
        story.check(f"{name} is said in words", re.search(words, said, re.I), said[-800:])
        node.stop(5)
        status, text = check_file(story, with_tls(cert, key))
        story.check(f"{name}: --check says it before the start, with its place",
                    status == 1 and re.search(rf"check\.yaml:\d+:\d+: node\.identities\[0\]\..*{words}", text, re.I), text)


def port_taken(story):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(single.ADDRESS)
        node = Node(story.dir, "node01", single.config(story.dir))
        node.start(ready=False)
        until(lambda: not node.proc.running() or re.search(r"5060", node.proc.said() + str(node.events())), 8)
        said = node.proc.said() + str(node.events())
        story.check("a port that is taken is named with its address", "5060" in said and re.search(r"in use|taken|bound|bind", said, re.I), said[-800:])
        node.stop(5)


def on_the_wire(story, node):
    """Malformed SIP and SDP, no common codec, digits that never come, RTP from elsewhere; a good call in between each time."""
    def alive(after):
        call = Call(single.ADDRESS, "2001", caller="7001").start()
        good = call.wait_status(5) == 200
        call.hang_up(3)
        call.close()
        story.check(f"{after}: the next call is answered", good, call.reason)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for junk in (b"", b"\r\n\r\n", b"\x00" * 1200, b"INVITE", b"INVITE sip:2001@domain.com SIP/2.0\r\n\r\n",
                     b"INVITE sip:2001@domain.com SIP/2.0\r\nVia: SIP/2.0/UDP\r\nContent-Length: -5\r\n\r\n", b"A" * 60000,
                     b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx\r\nCSeq: 1 INVITE\r\n\r\n"):
            s.sendto(junk, single.ADDRESS)
    alive("malformed SIP by UDP")
    with socket.create_connection(single.ADDRESS, timeout=3) as s:
        s.sendall(b"INVITE sip:2001@domain.com SIP/2.0\r\nContent-Length: 99999999999\r\n\r\n")
        s.settimeout(5)
        try:
            s.recv(1000)
        except OSError:
            pass
    alive("malformed SIP by TCP")
    for name, sdp in (("an SDP that is none", "this is no sdp\n"), ("an SDP without audio", "v=0\no=a 1 1 IN IP4 127.0.0.1\ns=-\nt=0 0\n"),
                      ("an SDP with a port beyond all ports", "v=0\no=a 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 99999 RTP/AVP 0\n")):
        call = Call(single.ADDRESS, "2001", caller="7002", sdp=sdp).start()
        story.check(f"{name} is refused by a final answer", 400 <= call.wait_status(5) < 700, f"{call.status} {call.reason}")
        call.close()
    call = Call(single.ADDRESS, "2001", caller="7003", codecs=(18,)).start()
    story.check("no common codec: 488", call.wait_status(5) == 488, f"{call.status} {call.reason}")
    call.close()
    story.check("no common codec: an event names what was offered", node.told(r"codec|G729", 3))
    call = Call(single.ADDRESS, "9876", caller="7004").start()
    story.check("a call for nobody gets 404", call.wait_status(5) == 404, f"{call.status} {call.reason}")
    call.close()
    story.check("a call for nobody: an event says what was looked for", node.told(r"9876", 3))

    call = Call(single.ADDRESS, lab.ATTENDANT, caller="7005").start()
    call.wait_answer()
    ended = call.wait_over(90)
    story.check("digits that never come: the attendant ends the call politely", ended and call.ended_by_server, f"over {call.over}")
    call.close()

    # Somebody else sends into the call before the caller has said a word, and goes on; only the caller's words may be kept.
    call = Call(single.ADDRESS, "2001", caller="7006", silent_rtp=True).start()
    call.wait_answer()
    import struct
    import threading
    stop = threading.Event()

    def intrude():
        other = speech(lab.SPEECH_B, 25)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.1.66", 0))
            for n in range(0, len(other) - 160, 160):
                if stop.is_set():
                    return
                s.sendto(struct.pack("!BBHII", 0x80, 0, n // 160, n, 4711) + other[n:n + 160], call.remote_rtp)
                time.sleep(0.02)
    thread = threading.Thread(target=intrude)
    thread.start()
    call.wait_tone()
    call.say(speech(lab.SPEECH_A, 5))
    stop.set()
    thread.join()
    story.check("RTP from elsewhere: the message is accepted", call.hang_up() == 200, f"{call.bye_status}")
    call.close()
    kept = node.audio_of("alice", "7006")
    like = audio.likeness(audio.read(lab.SPEECH_A)[:5 * 8000], kept)[0]
    story.check("RTP from elsewhere: what is kept is what the caller said", like > 0.9, f"correlation {like:.3f}")
    story.check("RTP from elsewhere: an event names the stranger", node.told(r"127\.0\.1\.66", 5))


def stalling_peers(story, node):
    """Connections that say nothing, or half a message, and a caller who still gets through."""
    silent = [socket.create_connection(single.ADDRESS, timeout=3) for _ in range(40)]
    half = socket.create_connection(single.ADDRESS, timeout=3)
    half.sendall(b"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TCP x")
    call = single.deposit("7101", CLIP)
    story.check("40 silent connections: a message is taken all the same", call.bye_status == 200, f"{call.bye_status}")
    for s in (*silent, half):
        s.close()


def guessing(story, node):
    """Wrong PINs over several calls lock the mailbox, and then the right one does not open it either."""
    node.set_pin("bob", "739184")

    def log_on(caller, pins):
        call = Call(single.ADDRESS, lab.SUBSCRIBER, caller=caller).start()
        call.wait_answer()
        for pin in pins:
            # A wrong one is answered by the question for the extension.
            time.sleep(2)
            call.press("2002#")
            time.sleep(1.5)
            call.press(f"{pin}#")
        return call

    for n in range(4):
        call = log_on(f"720{n}", [f"{n}{k}8264" for k in range(3)])
        story.check(f"three wrong PINs in call {n + 1}: the call is ended", call.wait_over(20), node.last_call())
        call.close()
        if node.told(r"\b(is|was) locked", 0.5):
            break
    story.check("wrong PINs lock the mailbox, over several calls", node.told(r"\b(is|was) locked", 3), node.events()[-3:])
    call = log_on("7209", ["739184"])
    story.check("the right PIN does not open a locked mailbox", call.wait_over(20), node.last_call())
    call.close()


def full_disk(story):
    """The node's data stand on a file system of 24 MB that fills up while it serves."""
    node = Node(story.dir, "node01", single.config(story.dir))
    shutil.rmtree(node.dir)
    node.dir.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(node.dir)], check=True)
    try:
        node.start()
        first = single.deposit("7301", CLIP)
        story.check("full disk: a message before it is accepted", first.bye_status == 200)
        with open(node.dir / "ballast", "wb", buffering=0) as f:  # a buffer would be tried once more when it is closed
            try:
                while True:
                    f.write(bytes(1 << 16))
            except OSError:
                pass
        call = Call(single.ADDRESS, "2001", caller="7302").start()
        status = call.wait_status(8)
        if status == 200:
            # Answered to say so: then no receipt may follow a recording.
            call.wait_tone(20)
            call.say(CLIP)
            bye = call.hang_up(8)
        else:
            bye = 0
        call.close()
        story.check("full disk: no receipt for what cannot be kept", status != 200 or bye != 200 or call.ended_by_server, f"{status} {bye}")
        story.check("full disk: an event says so", node.told(r"space|full|disk|no room", 5))
        (node.dir / "ballast").unlink()
        def good():
            return single.deposit(f"73{int(time.time()) % 100:02}", CLIP).bye_status == 200
        story.check("full disk: with space again messages are taken within 30 s, without a restart", lambda: soon(good, 30, 2))
        kept = node.callers("alice")
        story.check("full disk: what was accepted before is there", "7301" in kept, kept)
    finally:
        node.stop()
        subprocess.run(["umount", "-l", str(node.dir)])


def store_away(story):
    """PostgreSQL is stopped while the node serves: what is accepted then survives in the spool and is shipped later."""
    from labkit.pg import Postgres
    pg = Postgres(story.dir)
    pg.start()
    node = single.node(story, lambda c: c["node"].update(store=pg.url))
    first = single.deposit("7401", CLIP)
    story.check("store away: a message before it is accepted", first.bye_status == 200)
    pg.stop()
    said = [single.deposit(f"741{n}", CLIP) for n in range(2)]
    accepted = [c.caller for c in said if c.bye_status == 200]
    story.check("store away: an event says so", node.told(r"store", 10))
    said = node.cli.run("status")[1]
    story.check("store away: status does not call it good", re.search(r"store +away", said) and "this node's disk" in said, said)
    pg.start()
    def shipped():
        kept = node.callers("alice")
        return all(c in kept for c in ["7401", *accepted])
    story.check(f"store away: all {1 + len(accepted)} accepted messages are in the store when it is back",
                lambda: soon(shipped, 40, 2), f"{accepted}")
    node.stop()
    pg.stop()


def dns_down(story):
    """No name server answers: the node starts, says so, and takes calls."""
    def change(c):
        c["gateways"].append({"name": "far", "address": "far.domain.com", "transport": "tcp"})
    node = single.node(story, change)
    story.check("DNS down: an event names the gateway and the name", node.told(r"far\.domain\.com", 20))
    call = single.deposit("7501", CLIP)
    story.check("DNS down: calls are taken all the same", call.bye_status == 200, f"{call.bye_status}")
    node.stop()


with Story("faults") as story:
    parts = sys.argv[1:]
    for part in (wrong_configuration, certificates, port_taken):
        if not parts or part.__name__ in parts:
            part(story)
    if not parts or {"on_the_wire", "stalling_peers", "guessing"} & set(parts):
        node = single.node(story)
        for part in (on_the_wire, stalling_peers, guessing):
            if not parts or part.__name__ in parts:
                part(story, node)
        story.check("SIGTERM ends it in time", node.stop() == 0, f"{node.proc.child.returncode}")
    for part in (full_disk, store_away, dns_down):
        if not parts or part.__name__ in parts:
            shutil.rmtree(story.dir / "node01", ignore_errors=True)
            part(story)
