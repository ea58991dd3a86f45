#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A new configuration in a node that serves: whole or not at all, without holding up a call; and what only a start can change: addresses and the
user that the node becomes."""
import fcntl
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess

from common import *
space.enter()
import single
from labkit import pki
from labkit import site as lab
from labkit.caller import Call, header, speech
from labkit.node import Node, program, yaml

APPLIED, REFUSED, RESTART, USER = 3706, 3707, 3708, 3710


def hup(node, number, since=None):
    """SIGHUP, and the next event of that number."""
    since = len(node.events(number)) if since is None else since
    node.write()
    node.proc.send(signal.SIGHUP)
    return node.wait_event(number, 10, since)


def gateways(node):
    return sorted(g["name"] for g in node.cli.json("gateway", "list")["gateways"])


def answered(caller="7800"):
    call = Call(single.ADDRESS, "2001", caller=caller).start()
    good = call.wait_status(3) == 200
    call.hang_up(3)
    call.close()
    return good


def whole_or_not(story, node):
    extra = {"name": "second", "address": "127.0.0.2", "transport": "udp", "sources": ["127.0.0.2/32"], "options": {"on": False}}
    node.config["gateways"].append(extra)
    node.config["trust"] = {"ca": [str(story.dir / "missing.pem")]}
    event = hup(node, REFUSED)
    story.check("a CA that cannot be read: the whole configuration is refused, and the file is named", "missing.pem" in event["text"], event)
    story.check("a CA that cannot be read: nothing of it is in use", gateways(node) == ["phones"], gateways(node))
    pki.CA(story.dir / "ca").cert.rename(story.dir / "missing.pem")
    hup(node, APPLIED)
    story.check("mended, all of it is in use", gateways(node) == ["phones", "second"], gateways(node))
    node.config["gateways"].pop()
    node.config["mailboxes"][0]["extensions"] = ["2001", "2009"]
    hup(node, APPLIED)
    story.check("what was taken out is gone", gateways(node) == ["phones"], gateways(node))
    node.config["node"]["listen"] = ["udp:127.0.1.11:5099"]
    node.config["node"]["fqdn"] = "other.domain.local"
    since = len(node.events(RESTART))
    hup(node, APPLIED)
    keys = [e["fields"]["key"] for e in node.events(RESTART)[since:]]
    story.check("what needs a restart is told, key by key", sorted(keys) == ["node.fqdn", "node.listen"], node.events(RESTART))
    story.check("and calls still come in where they did", answered())


def by_command(story, node):
    """`umbel reload`: the answer when it is done."""
    status, text = node.cli.run("reload")
    story.check("umbel reload, nothing changed: 0, and it says so", status == 0 and "No setting and no certificate" in text, text)
    node.config["mailboxes"][0]["extensions"] = ["2001", "2008"]
    node.config["node"]["listen"].append("udp:127.0.1.11:5098")
    node.write()
    answer = node.cli.json("reload")
    restart = [c["key"] for c in answer["changes"] if c["restart"]]
    story.check("what changed, and what needs a restart", answer["good"] and restart == ["node.listen"] and
                any(c["key"].startswith("mailboxes.alice") and not c["restart"] for c in answer["changes"]), answer)
    node.config["node"]["listen"].pop()
    node.write()
    before = node.file.read_text()
    node.config["trust"] = {"ca": [str(story.dir / "nowhere.pem")]}
    node.config["node"]["identities"] = [{"name": "own", "cert": str(story.dir / "gone.pem"), "key": str(story.dir / "gone.key")}]
    node.write()
    refused = len(node.events(REFUSED))
    status, text = node.cli.run("reload")
    story.check("files that are not there: 1, and each with its place", status == 1 and "gone.pem" in text and "nowhere.pem" in text and
                len(re.findall(rf"(?m)^{re.escape(str(node.file))}:\d+:\d+: ", text)) == 2, text)
    story.check("and an event, as for a signal", node.wait_event(REFUSED, 5, refused))
    node.file.write_text(before.replace("mailboxes:", "mailboxs:"))
    answer = node.cli.json("reload")
    story.check("--json: file, line, key, what, fix", not answer["good"] and answer["errors"][0]["line"] > 1 and "mailboxs" in answer["errors"][0]["key"] and
                answer["errors"][0]["fix"], answer)
    node.wait_event(REFUSED, 5, refused + 1)  # events come behind answers: whoever counts them next shall not count this one
    story.check("nothing of it is in use", gateways(node) == ["phones"])
    del node.config["trust"], node.config["node"]["identities"]
    node.config["mailboxes"][0]["extensions"] = ["2001"]
    node.write()
    applied = len(node.events(APPLIED))
    story.check("mended: 0", node.cli.run("reload")[0] == 0)
    node.wait_event(APPLIED, 5, applied)


class Held:
    """A file whose opening waits, as on a disk that hangs: we have a lease on it (fcntl(2)), and do not give it back."""

    def __init__(self, path, text):
        path.write_text(text)
        signal.signal(signal.SIGIO, signal.SIG_IGN)  # somebody wants it: that is the idea
        self.fd = os.open(path, os.O_RDWR)
        fcntl.fcntl(self.fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)

    def let_go(self):
        fcntl.fcntl(self.fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        os.close(self.fd)


def while_reading(story, node):
    """A CA whose reading takes its time; it turns out to be no certificate."""
    good = [dict(g) for g in node.config["gateways"]]
    held = Held(story.dir / "held.pem", "no certificate\n")
    node.config["trust"] = {"ca": [str(story.dir / "held.pem")]}
    applied, refused = len(node.events(APPLIED)), len(node.events(REFUSED))
    node.write()
    node.proc.send(signal.SIGHUP)
    gateways(node)  # answered after the signal was seen
    story.check("while a configuration is being read, calls are answered", answered())
    story.check("and commands", gateways(node) == ["phones"])
    call = Call(single.ADDRESS, "2002", caller="7801").start()
    story.check("and a name that was never spoken before is spoken", call.wait_status(3) == 200 and call.wait_quiet(8, seconds=0.06, after=0.3))
    call.hang_up(3)
    call.close()
    for _ in range(10):
        node.proc.send(signal.SIGHUP)
    gateways(node)
    story.check("all the while it is being read", (applied, refused) == (len(node.events(APPLIED)), len(node.events(REFUSED))))
    held.let_go()
    story.check("SIGHUP during a reload: it is read once more", until(lambda: len(node.events(REFUSED)) - refused >= 2, 10, 0.02), node.events(REFUSED)[refused:])
    pipe = story.dir / "pipe.pem"
    os.mkfifo(pipe)
    node.config["trust"] = {"ca": [str(pipe)]}
    event = hup(node, REFUSED)
    story.check("a pipe in the place of a file is refused, and not waited for", "pipe.pem" in event["text"], event)
    node.config.pop("trust")
    node.config["gateways"] = [*good, {**good[0], "name": "third", "sources": ["127.0.0.3/32"]}]
    hup(node, APPLIED)
    # Were one of the ten still waiting, it would have come before this one.
    story.check("ten of them: it is read once more, not ten times", len(node.events(REFUSED)) - refused == 3, node.events(REFUSED)[refused:])
    story.check("then the newest content counts", gateways(node) == ["phones", "third"], gateways(node))


def objects_of_the_store(story, node):
    """`umbel apply` gives all nodes their objects; a node's file without any leaves those alone."""
    objects = {k: node.config.pop(k) for k in ("gateways", "dialplans", "policies", "attendants", "mailboxes")}
    objects["gateways"].append({**objects["gateways"][0], "name": "applied", "sources": ["127.0.0.4/32"]})
    file = story.dir / "objects.yaml"
    file.write_text(yaml(objects) + "\n")
    status, text = node.cli.run("apply", file)
    story.check("apply: the answer comes when all of it is in use", status == 0 and "applied" in gateways(node), text)
    hup(node, APPLIED)
    story.check("a reload of a file without objects keeps those that were applied", "applied" in gateways(node), gateways(node))
    story.check("and calls are answered", answered())
    objects["dialplans"][0]["gateway"] = "nobody"
    file.write_text(yaml(objects) + "\n")
    status, text = node.cli.run("apply", file)
    story.check("apply: what refers to nothing is refused with its place", status == 1 and "objects.yaml:" in text and "nobody" in text, text)


def ringing(story):
    """A peer that rings for ever: our own calls give up when invite_timeout_s says so, with CANCEL."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.5", 5060))
        peer.settimeout(0.2)

        def change(c):
            c["node"]["sip"] = {"invite_timeout_s": 2}
            c["gateways"][0].update(address="127.0.0.5", transfer_test="2002")
        node = single.node(story, change)
        import threading
        seen, answer = [], {}

        def ring():
            while "over" not in answer:
                try:
                    text, source = peer.recvfrom(65536)
                except OSError:
                    continue
                text = text.decode()
                method = text.split(" ", 1)[0]
                seen.append((method, time.monotonic()))
                how = {"INVITE": "180 Ringing", "ACK": None}.get(method, "200 OK")
                head = [f"{h}: {header(text, h)}" for h in ("Via", "From", "Call-ID", "CSeq")]
                to = header(text, "To") + ("" if ";tag=" in header(text, "To") else ";tag=1")
                if how:
                    peer.sendto("\r\n".join([f"SIP/2.0 {how}", *head, f"To: {to}", "Content-Length: 0", "", ""]).encode(), source)
                if method == "CANCEL":
                    invite = "\r\n".join(["SIP/2.0 487 Request Terminated", *[h.replace("CANCEL", "INVITE") for h in head], f"To: {to}",
                                          "Content-Length: 0", "", ""])
                    peer.sendto(invite.encode(), source)
        thread = threading.Thread(target=ring)
        thread.start()
        status, text = node.cli.run("check", "--live", "phones", timeout=60)
        answer["over"] = True
        thread.join()
        first = {m: t for m, t in reversed(seen)}
        took = first.get("CANCEL", 0) - first.get("INVITE", 0)
        story.check("a call that only rings is cancelled after invite_timeout_s", 1.5 < took < 12, f"{took:.1f} s, {[m for m, _ in seen]}")
        story.check("and the check says that its call failed", status == 1 and "test target" in text, text)
        node.stop()


def listeners(story):
    """As many addresses as the core has places for are bound; one more is refused before the start."""
    def with_listeners(n):
        c = single.config(story.dir)
        c["node"]["listen"] = [f"udp:127.0.1.11:{5060 + k}" for k in range(n)]
        return c
    node = Node(story.dir, "node01", with_listeners(16))
    node.start()
    good = 0
    for k in range(16):
        call = Call(("127.0.1.11", 5060 + k), "2001", caller="7810").start()
        good += call.wait_status(5) == 200
        call.hang_up(3)
        call.close()
    story.check("16 addresses: each takes calls", good == 16, good)
    node.stop()
    node.config = with_listeners(17)
    node.write()
    done = subprocess.run([str(program("umbeld")), "--check", str(node.file)], capture_output=True, text=True)
    story.check("17 addresses: --check says how many there may be", done.returncode == 1 and "16" in done.stderr + done.stdout, done.stderr + done.stdout)


def becomes_user(story):
    """Started as root, the node hands over what it writes and is an ordinary user from then on."""
    if not space.really_root():
        story.skip("node.user", "needs root of the machine")
        return
    story.dir.chmod(0o755)
    mine = pwd.getpwnam("nobody").pw_uid
    foreign = story.dir / "foreign"
    foreign.write_text("not the node's\n")

    def change(c):
        c["node"].update(user="nobody", store=f"sqlite:{story.dir}/node01/data/umbel.db")
        c["node"]["log"]["json"] = f"{story.dir}/node01/data/events.jsonl"
    node = Node(story.dir, "node01", single.config(story.dir))
    change(node.config)
    node.json_log = story.dir / "node01/data/events.jsonl"
    data = node.dir / "data"
    data.mkdir(mode=0o700)
    (data / "link").symlink_to(foreign)
    (data / "second-name").hardlink_to(foreign)
    node.start()
    uids = {line.split()[1] for line in Path(f"/proc/{node.proc.pid}/status").read_text().splitlines() if line.startswith("Uid:")}
    story.check("the process is that user", uids == {str(mine)}, uids)
    owners = {p: p.lstat().st_uid for p in [data, *data.rglob("*")]}
    kept = {data / "link", data / "second-name"}
    story.check("all that it writes belongs to that user", all(uid == mine for p, uid in owners.items() if p not in kept),
                {str(p): u for p, u in owners.items() if u != mine})
    story.check("files that have another name elsewhere are not handed over", foreign.stat().st_uid == 0 and owners[data / "link"] == 0)
    story.check("a message is taken", single.deposit("7820", speech(lab.SPEECH_A, 3)).bye_status == 200)
    story.check("commands of root are answered", node.callers("alice") == ["7820"], node.callers("alice"))
    node.stop()
    node.start()
    story.check("a second start finds everything", node.callers("alice") == ["7820"] and answered())
    node.stop()
    elsewhere = story.dir / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    node.config["node"]["store"] = f"sqlite:{elsewhere}/umbel.db"
    node.start(ready=False)
    until(lambda: not node.proc.running(), 8)
    said = node.proc.said()
    story.check("a store in a folder that the user may not write: no start, and the reason", not node.proc.running() and "node.store" in said, said[-600:])
    node.config["node"].update(user="nobody-at-all")
    node.start(ready=False)
    until(lambda: not node.proc.running(), 8)
    story.check("a user that does not exist: no start, and the reason", "there is no such user" in node.proc.said(), node.proc.said()[-600:])
    node.stop()


with Story("reload") as story:
    parts = sys.argv[1:]
    if not parts or {"whole_or_not", "by_command", "while_reading", "objects_of_the_store"} & set(parts):
        node = single.node(story)
        for part in (whole_or_not, by_command, while_reading, objects_of_the_store):
            if not parts or part.__name__ in parts:
                part(story, node)
        story.check("SIGTERM ends it in time", node.stop() == 0)
    for part in (ringing, listeners, becomes_user):
        if not parts or part.__name__ in parts:
            shutil.rmtree(story.dir / "node01", ignore_errors=True)
            part(story)
