#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A certificate's life on running nodes: swapped under a load of calls, put back when the pool refuses it, renewed on all nodes by one command (with a
common store and without one), and by a program when its end is near."""
# variants: load rollback all apart renew
import base64
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading
from common import *
space.enter()
from labkit import acts, site as lab
from labkit.caller import Call, speech
from labkit.node import Node, program

NODE01 = space.NODES[0]
POOL = (space.HOSTS[space.POOL], 5060)


def shown(node):
    """CN that the node's default identity shows, and the fingerprint."""
    own = node.cli.json("cert", "list")["identities"][0]
    return own["cn"], own["sha256"]


def key_lines(file):
    """What a private key looks like in text: each line of its PEM body."""
    return [line for line in file.read_text().splitlines() if len(line) >= 60]


def secrets_stay(story, node, keys):
    """Neither logs nor answers hold a piece of a key; a core would hold no memory at all, and no debugger may look."""
    pid = node.proc.child.pid
    said = node.proc.said() + node.json_log.read_text(errors="replace")
    for words in (["cert", "list"], ["status"], ["gateway", "show", "lyncpool"], ["cert", "check"], ["events", "list"], ["trust", "list"]):
        said += node.cli.run(*words, "--json")[1]
    lines = [line for key in keys for line in key_lines(key)]
    story.check("there are keys to look for", len(lines) > 10, keys)
    story.check("no line of a private key stands in logs or answers", not any(line in said for line in lines))
    limits = open(f"/proc/{pid}/limits").read()
    story.check("core files are off", re.search(r"Max core file size\s+0\s+0", limits), limits)
    story.check("a core would hold no page of memory", int(open(f"/proc/{pid}/coredump_filter").read(), 16) == 0)
    for name in (node.dir / "data/tls").glob("*.key"):
        story.check(f"{name.name} is its owner's alone", name.stat().st_mode & 0o777 == 0o600)


def under_load(story, calls=20):
    site = lab.Site(story, database=False, spread=NODE01).start()
    node = Node(site.dir, "node01", lab.node_config(site, NODE01, site.own[NODE01])).start()
    before = shown(node)
    new = site.ca.issue("renewed", NODE01, [NODE01])
    clip = speech(lab.SPEECH_A, 12)
    load = [Call(POOL, lab.ALICE, caller=f"8{n:03}").start() for n in range(calls)]
    answered = sum(call.wait_status(15) == 200 for call in load)
    story.check(f"{calls} calls are up", answered == calls, f"{answered}")
    for call in load:
        call.wait_tone()
        call.say(clip, wait=False)
    status, text = node.cli.run("cert", "install", new.cert, "--key", new.key, "--watch", "6s", timeout=90)
    print(text, flush=True)
    story.check("the new certificate is installed", status == 0, text)
    story.check("another one is shown now", shown(node)[1] != before[1], shown(node))
    in_use = node.cli.json("cert", "list")["in_use"]
    story.check("the connections of the calls keep the certificate that they began with",
                any(u["sha256"] == before[1] and not u["current"] and u["accepted"] > 0 for u in in_use), in_use)
    over = [call.caller for call in load if call.over or call.error]
    story.check("not one call was lost meanwhile", not over, over)
    ends = [threading.Thread(target=call.hang_up, args=(10,)) for call in load]
    for t in ends:
        t.start()
    for t in ends:
        t.join()
    bad = [(call.caller, call.bye_status) for call in load if call.bye_status != 200]
    story.check("each message was accepted: every BYE got 200", not bad, bad)
    for call in load:
        call.close()
    kept = node.callers("alice")
    lost = [call.caller for call in load if not any(call.caller in k for k in kept)]
    story.check("and each is in the mailbox", not lost, lost)
    fresh = Call(POOL, lab.ALICE, caller="8999").start()
    story.check("a new call works", fresh.wait_status(10) == 200)
    fresh.hang_up(5)
    fresh.close()
    secrets_stay(story, node, [new.key, site.own[NODE01].key, node.dir / "data/tls/own.pem"])


def rollback(story):
    site = lab.Site(story, database=False, spread=NODE01, known=(NODE01, space.SERVICE)).start()
    config = lab.node_config(site, NODE01, site.own[NODE01])
    del config["gateways"][0]["judges_us"]
    node = Node(site.dir, "node01", config).start()
    until(lambda: "200" in node.cli.run("gateway", "probe", "lyncpool")[1], 15, 1)
    before = shown(node)
    stranger = site.ca.issue("stranger", "um2.domain.local", ["um2.domain.local", NODE01])
    status, text = node.cli.run("cert", "install", stranger.cert, "--key", stranger.key, timeout=60)
    story.check("what the pool does not know is refused by the rehearsal", status == 1 and "rehears" in text, text)
    story.check("and nothing was changed", shown(node) == before, shown(node))

    new = site.ca.issue("new", space.SERVICE, lab.SHARED_NAMES)
    errand = Proc("install", [program("umbel"), "cert", "install", new.cert, "--key", new.key, "--watch", "60s"], site.dir,
                  env={"UMBEL_SOCKET": str(node.socket)})
    story.check("one that the pool knows is installed and watched", until(lambda: "are watched" in errand.said(), 30, 0.2), errand.said())
    story.check("it is shown", shown(node)[0] == space.SERVICE, shown(node))
    status, text = node.cli.run("cert", "cure", "lyncpool")
    story.check("a second errand at the same identity is told who is at it", status == 1 and "cert.install" in text and "since" in text, text)
    site.pool.restart(known=(NODE01,))  # its list is another one now: nobody here could know
    story.check("the pool refuses it, and the one before comes back", until(lambda: not errand.running(), 60, 0.5) and "put back" in errand.said() or
                "is in use" in errand.said(), errand.said())
    story.check("the command ends with 1", errand.child.poll() == 1, errand.child.poll())
    story.check("the old one is shown again", shown(node) == before, shown(node))
    story.check("event 3309 tells why", node.events(3309), node.events())
    story.check("and the pool answers again", until(lambda: "200" in node.cli.run("gateway", "probe", "lyncpool")[1], 30, 1))
    node.stop()
    node.start()
    story.check("after a restart too", shown(node) == before, shown(node))


def all_nodes(story):
    stage = acts.Stage(story)
    stage.site.start()
    for fqdn in space.NODES:
        stage.nodes[fqdn] = Node(stage.site.dir, fqdn.split(".")[0], lab.node_config(stage.site, fqdn, stage.site.shared))
        stage.nodes[fqdn].start()
    first = stage.first
    until(lambda: len(first.cli.json("node", "list").get("nodes", [])) == 2, 20, 1)
    status, text = first.cli.run("cert", "cure", "lyncpool", "--all", "--watch", "2s", timeout=150)
    print(text, flush=True)
    story.check("one command renews both nodes", status == 0 and "all 2 nodes" in text, text)
    for fqdn, node in stage.nodes.items():
        story.check(f"{node.name} shows its own name", shown(node)[0] == fqdn, shown(node))
        story.check(f"{node.name}: the pool answers", until(lambda: "200" in node.cli.run("gateway", "probe", "lyncpool")[1], 15, 1))
    keys = [node.dir / "data/tls/own.key" for node in stage.nodes.values()]
    story.check("each made a key of its own", keys[0].read_text() != keys[1].read_text())
    ledger = stage.site.dir / "ca/ca.index"
    story.check("the authority remembers both", ledger.read_text().count("issued\t") == 2, ledger.read_text())
    for node in stage.nodes.values():
        secrets_stay(story, node, keys)
    stage.nodes[space.NODES[1]].stop()
    status, text = first.cli.run("cert", "cure", "lyncpool", "--all", "--watch", "0s", timeout=90)
    story.check("one that does not run is named and left out", status == 0 and "node02 is left out" in text, text)


def letters_on_the_wire(trace):
    """What the nodes wrote to each other, out of a trace that holds the TLS keys: each letter opened."""
    tshark = lambda *options: subprocess.run(["tshark", "-n", "-r", str(trace), *options], capture_output=True, text=True,
                                             env={**os.environ, "HOME": "/nonexistent"}).stdout
    letters = []
    for stream in sorted(set(tshark("-Y", "sip.Method == MESSAGE", "-T", "fields", "-e", "tcp.stream").split())):
        sides = tshark("-q", "-z", f"follow,tls,raw,{stream}")
        plain = b"".join(bytes.fromhex(line.strip()) for line in sides.splitlines() if re.fullmatch(r"\s*[0-9a-f]+", line))
        for pem in re.findall(rb"-----BEGIN CMS-----.*?-----END CMS-----", plain, re.S):
            done = subprocess.run(["openssl", "cms", "-verify", "-noverify", "-inform", "PEM"], input=pem, capture_output=True)
            letters.append(json.loads(done.stdout))
    return letters


def send_stranger_letter(ca, identity, host):
    """A MESSAGE with something in it, from a gateway's own certificate. Status line of the answer."""
    context = ssl.create_default_context(cafile=str(ca.cert))
    context.load_cert_chain(identity.cert, identity.key)
    body = "-----BEGIN CMS-----\n" + base64.b64encode(os.urandom(300)).decode() + "\n-----END CMS-----\n"
    with socket.create_connection((host, 5061), timeout=5) as plain, context.wrap_socket(plain, server_hostname=host) as tls:
        tls.sendall(f"MESSAGE sip:node@{host} SIP/2.0\r\nVia: SIP/2.0/TLS {space.POOL}:5061;branch=z9hG4bKstranger\r\nMax-Forwards: 70\r\n"
                    f"From: <sip:{space.POOL}>;tag=s\r\nTo: <sip:node@{host}>\r\nCall-ID: stranger\r\nCSeq: 1 MESSAGE\r\n"
                    f"Content-Type: application/vnd.umbel.letter\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        return tls.recv(4096).split(b"\r\n")[0].decode()


def apart(story):
    """Two nodes, each with a store of its own: one command renews both, over TLS between them."""
    site = lab.Site(story, database=False).start()
    nodes = {fqdn: Node(site.dir, fqdn.split(".")[0], lab.node_config(site, fqdn, site.shared)) for fqdn in space.NODES}
    first, second = nodes.values()
    first.start()
    status, text = first.cli.run("cert", "cure", "lyncpool", "--all")
    story.check("a node that knows no other says so, and what to write", status == 1 and "nodes[]" in text and "knows no other node" in text, text)
    story.check("and renewed nothing", shown(first)[0] == space.SERVICE, shown(first))
    status, text = first.cli.run("cert", "matrix", "--ask")
    story.check("--ask dials the node that only the gateway names, and says why it stays unknown", "node02 stays unknown: nothing listens on" in text, text)
    alone = site.dir / "alone.yaml"
    alone.write_text(first.file.read_text())
    seen = first.cli.json("cert", "matrix", "--config", str(alone), "--ask", "--no-dns")["gateways"][0]["shows_when_dialled"]
    story.check("--ask shows the node's certificate when it dials, without a server too", seen and seen["cn"] == space.POOL and f"dialled as CN {space.SERVICE}"
                in seen["from"], seen)
    for node in nodes.values():
        node.config["nodes"] = [{"name": fqdn.split(".")[0], "fqdn": fqdn} for fqdn in space.NODES]
    first.write()
    first.proc.send(signal.SIGHUP)
    first.wait_event(3706, 10)
    status, text = first.cli.run("cert", "cure", "lyncpool", "--all", "--watch", "0s", timeout=90)
    story.check("one that is down is named, with what was tried and what to do", status == 1 and "node02" in text and "nothing listens on" in text
                and "Start umbeld there" in text, text)
    for words in (["cert", "matrix"], ["cert", "matrix", "--consistency"]):
        said = " ".join(first.cli.run(*words)[1].split())
        story.check(f"umbel {' '.join(words)} says so too", "nothing listens on" in said, said)

    second.start()
    second.cli.run("trace", "start", "--for", "5m")
    other = lambda node: [n for n in node.cli.json("cert", "matrix")["nodes"] if n["name"] == second.name][0]
    story.check("the matrix shows the other node by its own word", other(first)["known"] and other(first)["certificates"][0]["cn"] == space.SERVICE, other(first))
    load = [Call(POOL, lab.ALICE, caller=f"8{n:03}").start() for n in range(6)]
    story.check("calls are up", sum(call.wait_status(15) == 200 for call in load) == len(load))
    status, text = first.cli.run("cert", "cure", "lyncpool", "--all", "--watch", "1s", timeout=150)
    print(text, flush=True)
    story.check("one command renews both nodes", status == 0 and "all 2 nodes" in text, text)
    over = [call.caller for call in load if call.over or call.error]
    story.check("not one call was lost meanwhile", not over, over)
    for call in load:
        call.hang_up(10)
        call.close()
    story.check("and each could be ended", all(call.bye_status == 200 for call in load), [call.bye_status for call in load])
    for fqdn, node in nodes.items():
        story.check(f"{node.name} shows its own name", shown(node)[0] == fqdn, shown(node))
        story.check(f"{node.name}: the pool answers", until(lambda: "200" in node.cli.run("gateway", "probe", "lyncpool")[1], 15, 1))

    trace = story.dir / "letters.pcapng"
    second.cli.run("trace", "save", str(trace))
    letters = letters_on_the_wire(trace)
    kinds = [(letter["from"], letter["kind"]) for letter in letters]
    story.check("a request went one way and a certificate the other", ("node02", "request") in kinds and ("node01", "certificate") in kinds
                and ("node02", "card") in kinds, kinds)
    keys = {node.name: node.dir / "data/tls/own.key" for node in nodes.values()}
    story.check("each made a key of its own", keys["node01"].read_text() != keys["node02"].read_text())
    whole = json.dumps(letters)
    story.check("no letter holds a piece of a key", "PRIVATE" not in whole and not any(line in whole for key in keys.values() for line in key_lines(key)))
    for node in nodes.values():
        theirs = key_lines(keys["node02" if node is first else "node01"])
        files = [f for f in node.dir.rglob("*") if f.is_file()]
        story.check(f"no file of {node.name} holds a piece of the other's key", not any(line.encode() in f.read_bytes() for f in files for line in theirs))
        secrets_stay(story, node, list(keys.values()))

    answer = send_stranger_letter(site.ca, site.pool.identity, first.config["node"]["fqdn"])
    story.check("a stranger's letter is refused, though its certificate may connect", answer.startswith("SIP/2.0 403"), answer)
    told = first.wait_event(3371, 5)
    story.check("and an event names it", space.POOL in told["text"] and "no node's" in told["text"], told)

    second.stop()
    shutil.rmtree(second.dir / "data/tls")
    wrong = site.ca.issue("wrong", "um2.domain.local", ["um2.domain.local", space.SERVICE])
    second.config["node"]["identities"] = [{"name": "own", "cert": str(wrong.cert), "key": str(wrong.key)}]
    second.start()
    status, text = first.cli.run("cert", "cure", "lyncpool", "--all", "--watch", "0s", timeout=90)
    story.check("a node with another's certificate is refused: who, whom, why, and what to do", status == 1 and "this node refused node02" in text.replace(
        "node02.domain.local:5061", "node02") and "um2.domain.local" in text and "umbel cert cure" in text, text)
    story.check("it still shows what it showed", shown(second)[0] == "um2.domain.local", shown(second))


def renewed(story):
    site = lab.Site(story, database=False, spread=NODE01).start()
    old = site.ca.issue("ending", NODE01, [NODE01], days=10)
    program_file = site.dir / "renew.sh"
    program_file.write_text("#!/bin/sh\nexit 3\n")
    program_file.chmod(0o755)
    config = lab.node_config(site, NODE01, old)
    config["node"]["renew_command"] = str(program_file)
    node = Node(site.dir, "node01", config).start()
    before = shown(node)
    story.check("a program that fails changes nothing, and event 3367 says so",
                until(lambda: node.events(3367), 20) and "status 3" in str(node.events(3367)[0]) and shown(node) == before, node.events(3367))
    program_file.write_text(f'#!/bin/sh\nexec {program("umbel")} cert sign "$2" --ca {site.ca.cert} --out "$3" --days 90\n')
    node.stop()
    node.start()
    story.check("a certificate near its end is renewed by the program", until(lambda: shown(node)[1] != before[1], 30, 0.5), node.events(3366))
    story.check("rehearsed first", node.events(3305), node.events())
    story.check("the pool answers to it", until(lambda: "200" in node.cli.run("gateway", "probe", "lyncpool")[1], 15, 1))


with Story(f"certs-{sys.argv[1] if len(sys.argv) > 1 else 'load'}") as story:
    {"load": under_load, "rollback": rollback, "all": all_nodes, "apart": apart, "renew": renewed}[sys.argv[1] if len(sys.argv) > 1 else "load"](story)
