#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two nodes on one PostgreSQL behind the Kamailio of examples/kamailio: restarted in turn without a call dropped; one cut off from the store; one
killed. What it took is printed. And their objects: changed on one of them, taken by both or by none."""
# variants: restarted lost
# long way
import os
import re
import socket
import threading

from common import *
space.enter()
from labkit import site as lab
from labkit.caller import Call, speech
from labkit.dns import Dns
from labkit.node import Node, yaml
from labkit.pg import Postgres
from labkit.pki import CA

ME, NODES = space.HOSTS[space.POOL], [space.HOSTS[n] for n in space.NODES]
SILENT, BACK, SAFE, CUT_OFF, JOINED = 2303, 2304, 3409, 3411, 3412


class Wire:
    """The way of one node to the database, which can be cut: a socket of its own, and what comes there is passed on."""

    def __init__(self, folder, target):
        self.folder, self.target, self.pairs, self.listener = folder, target, [], None
        folder.mkdir()
        self.join()

    def join(self):
        path = self.folder / ".s.PGSQL.5432"
        path.unlink(missing_ok=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(64)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def _accept(self, listener):
        while True:
            try:
                near, _ = listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(str(self.target))
            except OSError:
                return
            self.pairs += [near, far]
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(a, b), daemon=True).start()

    @staticmethod
    def _pass(a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        (self.folder / ".s.PGSQL.5432").unlink(missing_ok=True)
        for s in [self.listener, *self.pairs]:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()
        self.pairs = []


def pool(folder):
    """Kamailio as it is shipped, with the addresses of this site."""
    for file in (ROOT / "examples" / "kamailio").iterdir():
        text = file.read_text().replace("192.0.2.20", ME).replace("192.0.2.11", NODES[0]).replace("192.0.2.12", NODES[1])
        # A second is long for a node in a machine room, but not for one of many tests on a small machine.
        text = text.replace('"fr_timer", 1000', '"fr_timer", 5000')
        (folder / file.name).write_text(text.replace("/etc/kamailio/dispatcher.list", str(folder / "dispatcher.list")))
    proc = Proc("kamailio", ["kamailio", "-DD", "-E", "-f", folder / "kamailio.cfg", "-m", "64", "-M", "8", "-Y", folder], folder)
    if not listening(ME, 5060, 15):
        raise Failed("Kamailio did not start:\n" + proc.said()[-2500:])
    return proc


def organisation():
    objects = lab.organisation()
    objects["gateways"] = [{"name": "lyncpool", "address": ME, "port": 5060, "transport": "udp", "trusted_headers": True}]
    for box in objects["mailboxes"]:
        box.pop("lamp_uri", None)
        box["lamp"] = False
    return objects


def config(story, n, store):
    """The node alone: what all serve is applied."""
    short = space.NODES[n].split(".")[0]
    folder = story.dir / short
    return {"node": {"name": short, "fqdn": space.NODES[n], "service": space.SERVICE, "listen": [f"udp:{NODES[n]}:5060", f"tcp:{NODES[n]}:5060"],
                     "media": {"address": NODES[n]}, "store": store, "store_away": "avoid", "admin": {"socket": str(folder / "admin.sock")},
                     "data": str(folder / "data"), "log": {"json": str(folder / "events.jsonl")}}}


def options(address, seconds=2):
    """Status of an OPTIONS and its Retry-After, as a pool asks; it comes from Kamailio's address, whom the node knows."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((ME, 0))
        s.settimeout(seconds)
        token, port = os.urandom(6).hex(), s.getsockname()[1]
        s.sendto((f"OPTIONS sip:{address} SIP/2.0\r\nVia: SIP/2.0/UDP {ME}:{port};branch=z9hG4bK{token};rport\r\nMax-Forwards: 70\r\n"
                  f"From: <sip:{ME}>;tag={token}\r\nTo: <sip:{address}>\r\nCall-ID: {token}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n").encode(),
                 (address, 5060))
        try:
            answer = s.recv(4096).decode()
        except OSError:
            return 0, ""
        again = re.search(r"^Retry-After: *(\d+)", answer, re.M | re.I)
        return int(answer.split()[1]), again[1] if again else ""


class Crowd:
    """Callers who leave a message each; `good` are those who were told that theirs is kept."""

    def __init__(self):
        self.calls, self.good, self.bad, self.number = [], [], [], 0

    def dial(self, n, clip):
        for _ in range(n):
            self.number += 1
            self.calls.append(Call((ME, 5060), lab.ALICE, caller=f"7{self.number:03}").start())
        for call in self.calls[-n:]:
            if call.wait_status(40) != 200:
                self.bad.append((call.caller, call.status, call.reason))
        for call in self.calls[-n:]:
            if call.status == 200 and call.wait_tone(60):
                call.say(clip, wait=False)

    def finish(self):
        for call in self.calls:
            until(lambda: not call.queue or call.over, 60, 0.05)
            if call.over and not call.bye_status:
                self.bad.append((call.caller, "dropped", call.reason))
            elif call.hang_up(20) != 200:
                self.bad.append((call.caller, "bye", call.bye_status))
            else:
                self.good.append(call.caller)
            call.close()
        self.calls = []


def state_of(node, name):
    return next((n["state"] for n in node.cli.json("node", "list").get("nodes", []) if n["name"] == name), "")


def findings(node):
    return [f["name"] for f in node.cli.json("node", "list").get("findings", ["none told"])]


def served(nodes):
    """The digest of what the nodes serve, as each of them tells it: one when they are alike."""
    return {row["objects"] for node in nodes for row in node.cli.json("node", "list").get("nodes", [])}


def alike(nodes, old):
    """What both serve, once both tell the same and it is not `old`. Each try asks once: between two answers a node may have told anew."""
    now = set()

    def asked():
        nonlocal now
        now = served(nodes)
        return len(now) == 1 and now != old
    return now if until(asked, 90, 0.5) else None


def applied(story, nodes):
    story.head("Objects are applied for all nodes on one of them, looked at before, and undone")
    file, objects = story.dir / "objects.yaml", organisation()
    node, nothing = nodes[0], served(nodes)
    file.write_text(yaml(objects) + "\n")
    status, text = node.cli.run("apply", "--dry-run", file)
    story.check("--dry-run tells what would change", status == 0 and "gateways.lyncpool, added" in text, text)
    status, text = node.cli.run("apply", file)
    story.check("apply tells what it changed", status == 0 and "mailboxes.alice, added" in text, text)
    first = alike(nodes, nothing)
    story.check("both nodes serve it", first, served(nodes))
    objects["policies"][0]["silence_s"] = 6
    file.write_text(yaml(objects) + "\n")
    changes = nodes[1].cli.json("apply", "--dry-run", file).get("changes")
    story.check("the other node tells the one setting that would change", changes and [c["key"] for c in changes] == ["policies.standard.silence_s"], changes)
    status, text = nodes[1].cli.run("apply", file)
    second = alike(nodes, first)
    story.check("applied there, both nodes serve it", second, f"{text}{served(nodes)}")
    file.write_text(yaml(objects).replace('"udp"', '"upd"') + "\n")
    status, text = node.cli.run("apply", file)
    story.check("what is wrong is told with its place, and nothing changes", status == 1 and "objects.yaml:" in text and served(nodes) == second, text)
    status, text = node.cli.run("apply", "--undo")
    story.check("--undo tells what it changed", status == 0 and "policies.standard.silence_s, changed" in text, text)
    story.check("both nodes serve what they served before", alike(nodes, second) == first, served(nodes))


def agreed(story, nodes):
    story.head("New objects are taken by all nodes or by none")
    file, objects, was = story.dir / "agreed.yaml", organisation(), served(nodes)
    objects["gateways"].append({"name": "sbc", "address": "192.0.2.9", "port": 5061, "accept_names": ["sbc.domain.com"], "identity": "own"})
    file.write_text(yaml(objects) + "\n")
    status, text = nodes[0].cli.run("apply", "--within", "60s", file, timeout=120)
    story.check("what a single node lacks is refused by it, and told where it was asked", status == 1 and "node02 cannot take" in text and "sbc" in text, text)
    story.check("and nothing was changed on any node", served(nodes) == was, served(nodes))
    answer = nodes[0].cli.json("apply", "--leave-behind", "--within", "60s", file, timeout=120)
    states = {n["node"]: n["state"] for n in answer.get("nodes", [])}
    story.check("an administrator may leave that node behind, and is told so", states == {"node01": "serves", "node02": "left-behind"}, answer)
    changes = nodes[1].cli.json("apply", "--undo", "--dry-run").get("changes")
    story.check("a node that was left behind compares with what the others serve",
                changes and [(c["key"], c["kind"]) for c in changes] == [("gateways.sbc", "removed")], changes)
    status, text = nodes[1].cli.run("apply", "--undo", "--within", "60s", timeout=120)
    story.check("undone there, the command comes back when all serve it", status == 0 and text.count("serves it") == 2, text)
    story.check("and so they tell", until(lambda: served(nodes) == was, 60, 0.5), served(nodes))


def changed_at_once(story, nodes):
    story.head("Two administrators change objects at once, on two nodes")
    names, said = [f"clerk{n}" for n in range(6)], {}

    def add(n):
        said[n] = nodes[n % 2].cli.run("mailbox", "add", names[n], f"extensions={3300 + n}", timeout=120)
    threads = [threading.Thread(target=add, args=(n,)) for n in range(len(names))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    story.check("all is done", [s for s, _ in said.values()] == [0] * len(names), said)
    for node in nodes:
        def there():
            return set(names) <= {m["name"] for m in node.cli.json("mailbox", "list").get("mailboxes", [])}
        story.check(f"{node.name} serves all of it", until(there, 60, 0.5), node.cli.run("mailbox", "list"))


def invite(address, number):
    """Status and Contact of a call that Kamailio's address brings, and that is ended if it is answered."""
    call = Call((address, 5060), number, caller="7700", local=ME)
    moved = []
    heard = call._on_response
    call._on_response = lambda text: (moved.extend(re.findall(r"^Contact: *(.*?)\r", text, re.M | re.I)), heard(text))
    call.start()
    status = call.wait_status(30)
    if status == 200:
        call.hang_up(20)
    call.close()
    return status, "".join(moved[-1:])


def sent_on(story, nodes):
    story.head("A drained node sends calls on where the gateway follows")
    node = nodes[0]
    file, objects = story.dir / "moved.yaml", organisation()
    objects["gateways"][0]["redirect"] = True
    file.write_text(yaml(objects) + "\n")
    node.cli.run("apply", "--within", "60s", file, timeout=120)
    node.cli.run("node", "drain")
    answer = None

    def moved():
        nonlocal answer
        answer = invite(NODES[0], lab.ALICE)
        return answer[0] == 302
    story.check("a new call gets 302", lambda: soon(moved, 60))
    story.check("to the same number at the other node", answer and answer[1] == f"<sip:{lab.ALICE}@{NODES[1]}:5060;transport=udp;umbel-sent-on>", answer)
    story.check("which takes it", lambda: soon(lambda: invite(NODES[1], lab.ALICE)[0] == 200, 60))
    node.cli.run("node", "resume")
    node.cli.run("apply", "--undo", "--within", "60s", timeout=120)
    story.check("taken back, it takes calls itself", lambda: soon(lambda: invite(NODES[0], lab.ALICE)[0] == 200, 60))


def restarted_in_turn(story, nodes, crowd):
    story.head("All nodes are restarted in turn while callers speak")
    clip = speech(lab.SPEECH_A, 3)
    for node, address, other in ((nodes[0], NODES[0], nodes[1]), (nodes[1], NODES[1], nodes[0])):
        crowd.dial(4, clip)
        status, text = node.cli.run("node", "drain")
        story.check(f"{node.name}: drain says how many calls go on", status == 0 and "calls go on" in text, text)
        code, again = options(address)
        story.check(f"{node.name}: OPTIONS gets 503 and Retry-After", code == 503 and again, f"{code} {again}")
        crowd.dial(2, clip)
        story.check(f"{node.name}: calls that come now are answered by the other node", not crowd.bad, crowd.bad)
        crowd.finish()
        story.check(f"{node.name}: no call was dropped, every receipt given", not crowd.bad, crowd.bad)
        left = node.cli.json("node", "drain", "--wait", timeout=120)
        story.check(f"{node.name}: --wait comes back when it is safe to stop", left.get("safe_to_stop") is True and left["left"]["calls"] == 0, left)
        story.check(f"{node.name}: and the event says so", lambda: bool(node.wait_event(SAFE, 30)))
        story.check(f"{other.name} lists it as draining", lambda: soon(lambda: state_of(other, node.name) == "draining", 60))
        ended = node.stop(60)
        story.check(f"{node.name}: ends by SIGTERM", ended == 0, ended)
        story.check(f"{other.name} lists it as stopped", lambda: soon(lambda: state_of(other, node.name) == "stopped", 60))
        node.start(seconds=90)
        soon(lambda: options(address)[0] == 200, 60)
    kept = nodes[0].callers("alice")
    story.check(f"all {len(crowd.good)} messages are kept, each once", sorted(kept) == sorted(crowd.good), f"{sorted(kept)} {sorted(crowd.good)}")


def cut_off(story, nodes, wire, crowd):
    story.head("node01 loses the way to the store")
    node, other = nodes
    began = time.monotonic()
    wire.cut()
    story.check("node01 says so", lambda: bool(node.wait_event(CUT_OFF, 60)))
    known = time.monotonic() - began
    story.check("its OPTIONS get 503, as node.store_away: avoid has it", lambda: soon(lambda: options(NODES[0])[0] == 503, 30), options(NODES[0]))
    story.check("node02 tells that node01 gives no sign", lambda: bool(other.wait_event(SILENT, 60)))
    story.say(f"node01 knew after {known:.1f} s; node02 noticed after {time.monotonic() - began:.1f} s: "
              f"{other.events(SILENT)[-1].get('text', '')}")
    crowd.dial(2, speech(lab.SPEECH_A, 1))
    crowd.finish()
    story.check("callers are served", not crowd.bad, crowd.bad)
    call = Call((NODES[0], 5060), lab.ALICE, caller="7900", local=ME).start()
    story.check("a call that comes to node01 nevertheless is served", call.wait_status(20) == 200, call.status)
    call.hang_up(20)
    call.close()
    wire.join()
    story.check("node01 has its store back, and says so", lambda: bool(node.wait_event(JOINED, 90)))
    story.check("its OPTIONS get 200", lambda: soon(lambda: options(NODES[0])[0] == 200, 60), options(NODES[0]))
    story.check("node02 tells that it is back", lambda: bool(other.wait_event(BACK, 60)))


def killed(story, nodes, crowd):
    story.head("node01 is killed")
    told = len(nodes[1].events(SILENT))
    began = time.monotonic()
    nodes[0].kill()
    call, tried = None, 0
    while time.monotonic() - began < 60:
        tried += 1
        call = Call((ME, 5060), lab.ALICE, caller=f"79{tried:02}").start()
        good = call.wait_status(20) == 200
        call.hang_up(20)
        call.close()
        if good:
            break
    story.check("the first call after that is served by node02", tried == 1, f"{tried} tried")
    story.say(f"answered {time.monotonic() - began:.1f} s after the kill, {tried} tried")
    story.check("node02 notices", lambda: bool(nodes[1].wait_event(SILENT, 60, told)))
    row = nodes[1].events(SILENT)[-1]
    ago = int(re.search(r"(\d+) ms", row["text"])[1])
    story.say(f"noticed {ago} ms after its last sign")
    story.check("node list says silent", lambda: soon(lambda: state_of(nodes[1], "node01") == "silent", 60))
    story.check("and what to do about it", "NODE_SILENT" in findings(nodes[1]), findings(nodes[1]))
    nodes[0].config.update(organisation())
    nodes[0].config["policies"][0]["silence_s"] = 7
    nodes[0].start(seconds=90)
    story.check("started again with another file, it is told to differ", lambda: until(lambda: findings(nodes[1]) == ["NODE_OBJECTS_DIFFER"], 60),
                findings(nodes[1]))


part = (sys.argv[1:] or ["restarted"])[0]
with Story(f"cluster-{part}") as story:
    Dns(story.dir).start()
    pg = Postgres(story.dir)
    pg.start()
    wire = Wire(story.dir / "wire", pg.dir / ".s.PGSQL.5432")
    kamailio = pool(story.dir)
    nodes = [Node(story.dir, "node01", config(story, 0, f"postgresql:///umbel?host={wire.folder}&user=umbel")),
             Node(story.dir, "node02", config(story, 1, pg.url))]
    own = CA(story.dir / "ca").issue("node01", space.NODES[0], space.NODES[:1])
    nodes[0].config["node"]["identities"] = [{"name": "own", "cert": str(own.cert), "key": str(own.key)}]
    for node in nodes:
        node.start(seconds=90)
    for node in nodes:
        def listed():
            rows = node.cli.json("node", "list").get("nodes", [])
            return len(rows) == 2 and all(r["state"] == "ready" and r["max_calls"] and r["objects"] for r in rows)
        story.check(f"{node.name} lists both, with their load and what they serve", until(listed, 60, 0.5), node.cli.run("node", "list"))
        story.check(f"{node.name} finds no difference", findings(node) == [], findings(node))
    applied(story, nodes)
    crowd = Crowd()
    if part == "restarted":
        agreed(story, nodes)
        changed_at_once(story, nodes)
        restarted_in_turn(story, nodes, crowd)
    else:
        cut_off(story, nodes, wire, crowd)
        sent_on(story, nodes)
        killed(story, nodes, crowd)
