# SPDX-License-Identifier: Apache-2.0
"""Three nodes, each on a host of its own, Kamailio in front of them as examples/kamailio has it, and a database that Patroni keeps: the site
on which faults are played. What the pool notices, and when, is read from its own words."""
import re
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

from . import hosts, site
from .node import Node
from .patroni import Patroni
from .run import Failed, Proc, listening, until

ROOT = Path(__file__).resolve().parents[2]
CALLERS, POOL, LAMPS = f"{hosts.NET}1", f"{hosts.NET}20", f"{hosts.NET}30"
BOXES = {"alice": "2001", "bob": "2002", "carol": "2003", "pia": "2004"}
PIN = "739462"
FAKETIME = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)


def organisation():
    objects = site.organisation()
    objects["gateways"] = [{"name": "lyncpool", "address": POOL, "port": 5060, "transport": "udp", "trusted_headers": True},
                           {"name": "lamps", "address": LAMPS, "port": 5060, "transport": "udp", "lamp": True, "options": {"on": False}}]
    objects["policies"][0].update(max_messages=5000, pin_tries_per_call=1, pin_tries_per_mailbox=100, pin_history=0)
    objects["mailboxes"] = [{"name": name, "display_name": f"{name.title()} Example", "extensions": [number], "dialplan": "office", "policy": "standard",
                             "dialable": True, "lamp": True, "lamp_gateway": "lamps", "lamp_uri": f"sip:{number}@domain.com"} for name, number in BOXES.items()]
    return objects


class Lamps:
    """The lights of all phones: answers each NOTIFY, and remembers the last that each number was told."""

    def __init__(self):
        self.shown, self.told = {}, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((hosts.Switch.add(30), 5060))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            data, source = self.socket.recvfrom(65536)
            text = data.decode(errors="replace")
            lines = [line for line in text.split("\r\n") if re.match(r"(Via|From|To|Call-ID|CSeq) *:", line, re.I)]
            number = re.match(r"NOTIFY sips?:(\d+)@", text)
            count = re.search(r"^Voice-Message: *(\d+)/(\d+)", text, re.M | re.I)
            if number and count:
                self.shown[number[1]], self.told = (int(count[1]), int(count[2])), self.told + 1
            self.socket.sendto("\r\n".join(["SIP/2.0 200 OK", *lines, "Content-Length: 0", "", ""]).encode(), source)


class Pool:
    """Kamailio as it is shipped, with the addresses of this site. `timer_ms`: how long it waits for a node that says nothing."""

    def __init__(self, folder, nodes, timer_ms):
        self.dir, self.seen = folder / "kamailio", []
        self.dir.mkdir()
        here = hosts.Switch.add(20)
        for file in (ROOT / "examples" / "kamailio").iterdir():
            text = file.read_text().replace("192.0.2.20", here).replace('"fr_timer", 1000', f'"fr_timer", {timer_ms}')
            (self.dir / file.name).write_text(text.replace("/etc/kamailio/dispatcher.list", str(self.dir / "dispatcher.list")))
        (self.dir / "dispatcher.list").write_text("".join(f"1 sip:{a}:5060 0 0\n" for a in nodes))

    def start(self):
        self.proc = Proc("kamailio", ["kamailio", "-DD", "-E", "-f", self.dir / "kamailio.cfg", "-m", "64", "-M", "8", "-Y", self.dir], self.dir.parent)
        if not listening(POOL, 5060, 30):
            raise Failed("Kamailio did not start:\n" + self.proc.said()[-2500:])
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self):
        """Its words with the moment in which they were read."""
        with open(self.proc.log, errors="replace") as log:
            rest = ""
            while self.proc.running():
                more = log.read()
                if not more:
                    time.sleep(0.01)
                    continue
                *lines, rest = (rest + more).split("\n")
                for line in lines:
                    if found := re.search(r"\b(DOWN|UP) sip:([\d.]+)", line):
                        self.seen.append((time.monotonic(), found[1], found[2]))

    def noticed(self, what, address, since):
        """When it said so of that node, first after `since`; None when it has not."""
        return next((t for t, w, a in list(self.seen) if w == what and a == address and t >= since), None)

    def active(self, address):
        """Whether it thinks that this node is well: what it said last of it."""
        return next((w for _, w, a in reversed(list(self.seen)) if a == address), "UP") == "UP"


class Cluster:
    def __init__(self, story, members=2, nodes=3, timer_ms=5000, ttl=12):
        self.story, self.dir = story, story.dir
        self.switch = hosts.Switch()
        self.db = Patroni(story.dir, members, ttl)
        self.hosts = [hosts.Host(f"node{n:02}", 10 + n) for n in range(1, nodes + 1)]
        self.pool = Pool(story.dir, [h.address for h in self.hosts], timer_ms)
        self.lamps = Lamps()
        self.nodes = []
        for host in self.hosts:
            mount = story.dir / host.name
            mount.mkdir()
            # A small disk of its own, so that it can be filled.
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m,mode=755", "none", str(mount)], check=True)
            node = Node(story.dir, host.name, self.config(host), wrap=host.wrap)
            node.json_log = story.dir / f"events-{host.name}.jsonl"  # outlives that disk
            self.nodes.append(node)

    def config(self, host):
        folder = self.dir / host.name
        return {"node": {"name": host.name, "fqdn": f"{host.name}.domain.local", "service": "um.domain.local",
                         "listen": [f"udp:{host.address}:5060", f"tcp:{host.address}:5060"], "media": {"address": host.address}, "store": self.db.url,
                         "admin": {"socket": str(folder / "admin.sock")}, "data": str(folder / "data"),
                         "log": {"json": str(self.dir / f"events-{host.name}.jsonl")}}, **organisation()}

    def start(self):
        self.db.start()
        self.pool.start()
        for node in self.nodes:
            node.start(seconds=120)
        for node in self.nodes:
            if not until(lambda: self.all_ready(node), 120, 0.5):
                raise Failed(f"{node.name} does not list all as ready: {node.cli.run('node', 'list')[1]}")
        self.nodes[0].set_pin("carol", PIN)
        self.nodes[0].set_pin("pia", PIN)
        return self

    def all_ready(self, node):
        rows = node.cli.json("node", "list").get("nodes", [])
        return len(rows) == len(self.nodes) and all(r["state"] == "ready" for r in rows)

    def host(self, node):
        return self.hosts[self.nodes.index(node)]

    def at(self, address):
        """The node with that address, None for others."""
        return next((n for n, h in zip(self.nodes, self.hosts) if h.address == address), None)

    def running(self):
        return [n for n in self.nodes if n.proc.running()]

    def good(self, seconds=180, whole=True):
        """Waits until everything is well again: all nodes know each other, the pool sends calls to all, the database is whole."""
        def well():
            return all(self.pool.active(h.address) for h in self.hosts) and all(n.proc.running() and n.answers() and self.all_ready(n) for n in self.nodes)

        def tried():
            try:
                return well()
            except (Failed, OSError, AttributeError, subprocess.TimeoutExpired):
                return False
        if not until(tried, seconds, 0.5):
            raise Failed("the nodes are not well again: " + "\n".join(n.cli.run("node", "list")[1] for n in self.running()))
        if whole:
            self.db.whole(seconds)

    # -- what the store holds, from outside --
    def recordings(self):
        return int(self.db.sql("SELECT COUNT(*) FROM recording") or -1)

    def spooled(self, node):
        """Accepted messages that only that node's disk has."""
        return len([p for p in (self.dir / node.name / "data" / "spool" / "new").glob("*")])

    # -- faults --
    def fill(self, node):
        """Not one more byte goes onto that node's disk."""
        with open(self.dir / node.name / "ballast", "wb", buffering=0) as f:
            try:
                while True:
                    f.write(bytes(1 << 16))
            except OSError:
                pass

    def empty(self, node):
        (self.dir / node.name / "ballast").unlink()

    def skew(self, node, seconds):
        """From its next start on its wall clock is wrong by so much."""
        node.env = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": f"{seconds:+d}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"} if seconds else {}

    def end(self):
        for node in self.nodes:
            node.proc and node.proc.stop(seconds=20)
        for host in self.hosts:
            subprocess.run(["umount", "-l", str(self.dir / host.name)], check=False)
        shutil.rmtree(self.dir / "etcd", ignore_errors=True)
