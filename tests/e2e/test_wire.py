#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The case of the lab as an outsider sees it: a capture of the wire, explained without a word of the server; and the server's own trace, in which
tshark reads the SIP of TLS 1.2 and 1.3. One node speaks 1.2 with the pool, the other 1.3; both show the certificate of both."""
from common import *
space.enter()
import json
import re
import signal
import socket
import struct
import subprocess
from labkit import site as lab
from labkit.caller import Call
from labkit.node import Cli, Node, program
from labkit.pool import VIA_IN

KNOWN = ",".join(space.NODES)
SIPCAPTURE = (space.HOSTS[space.NODES[0]], 9060)
JUDGES = f"profile=lync,known={KNOWN}"


def explain(file, *options):
    return Cli("/nonexistent").json("explain", "capture", str(file), *options)


def talks(answer, version, opened_to=space.HOSTS[space.POOL]):
    return [c for c in answer["conversations"] if c.get("tls") and c["tls"]["version"] == version and c["server"]["host"] == opened_to]


def tshark(file, *options):
    done = subprocess.run(["tshark", "-n", "-r", str(file), *options], capture_output=True, text=True, env={**os.environ, "HOME": "/nonexistent"})
    if done.returncode:
        raise Failed("tshark: " + done.stderr[-500:])
    return done.stdout


def blocks(file):
    """(type, body) of each block of a pcapng file of this machine's byte order."""
    data, at = Path(file).read_bytes(), 0
    while at + 12 <= len(data):
        kind, size = struct.unpack_from("=II", data, at)
        yield kind, data[at + 8:at + size - 4]
        at += size


def secrets(file):
    return b"".join(body[8:8 + struct.unpack_from("=I", body, 4)[0]] for kind, body in blocks(file) if kind == 10)


class Watch:
    """`umbel trace` while something happens, ended as Ctrl-C does."""

    def __init__(self, story, name, node, *options):
        self.file = story.dir / f"{name}.watched"
        self.out = open(self.file, "w")
        self.proc = subprocess.Popen([str(program("umbel")), "--socket", node.cli.socket, "trace", *options], stdout=self.out, stderr=subprocess.STDOUT)
        node.wait_event(3806, 10)

    def end(self, seen):
        until(lambda: seen in self.file.read_text(), 10)
        self.proc.send_signal(signal.SIGINT)
        status = self.proc.wait(10)
        self.out.close()
        return status, self.file.read_text()


class Collector:
    """Takes HEP datagrams and reads them by the published format, without looking at how ours are written."""
    WIDE = {1: "B", 2: "B", 7: "!H", 8: "!H", 9: "!I", 10: "!I", 11: "B", 12: "!I"}

    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.sock.bind((space.HOSTS[space.NODES[0]], 0))
        self.datagrams = []

    def port(self):
        return self.sock.getsockname()[1]

    def messages(self):
        out = []
        self.sock.setblocking(False)
        while True:
            try:
                self.datagrams.append(self.sock.recv(65535))
                out.append(self.read(self.datagrams[-1]))
            except BlockingIOError:
                return out

    def by_kamailio(self, folder):
        """The same datagrams as Kamailio's sipcapture reads them: a decoder that nobody here wrote."""
        modules = next(iter(Path("/usr/lib").glob("*/kamailio/modules")), "/usr/lib/kamailio/modules")
        (folder / "sipcapture").mkdir()
        (folder / "sipcapture.cfg").write_text(f"""#!KAMAILIO
debug=2
log_stderror=yes
children=1
disable_tcp=yes
listen=udp:{SIPCAPTURE[0]}:{SIPCAPTURE[1]}
mpath="{modules}/"
loadmodule "pv.so"
loadmodule "xlog.so"
loadmodule "textops.so"
loadmodule "db_text.so"
loadmodule "sipcapture.so"
modparam("sipcapture", "db_url", "text://{folder}/sipcapture")
modparam("sipcapture", "capture_on", 0)
modparam("sipcapture", "hep_capture_on", 1)
modparam("sipcapture", "nonsip_hook", 1)
request_route {{ drop; }}
event_route[sipcapture:request] {{
	xlog("L_ERR", "HEP $hep(version) $hep(0x001) $hep(0x002) $hep(0x003) $hep(0x004) $hep(0x007) $hep(0x008) $hep(0x009) $hep(0x00b) $hep(0x00c) $hep(0x011) $(hep(0x00f){{s.substr,0,24}}{{s.encode.hexa}})\\n");
}}
""")
        fields = ("version", 1, 2, 3, 4, 7, 8, 9, 11, 12, 17, 15)
        proc = Proc("sipcapture", ["kamailio", "-DD", "-E", "-f", folder / "sipcapture.cfg", "-m", "64", "-M", "8", "-w", folder, "-P", folder / "sipcapture.pid"], folder)

        def rows(more_than):
            found = re.findall(r"<script>: HEP (.*)$", proc.said(), re.M)
            return found if len(found) > more_than else None

        def first():  # until it listens
            self.sock.sendto(self.datagrams[0], SIPCAPTURE)
            return until(lambda: rows(0), 0.3, 0.05)
        heard = until(first, 20, 0.1)
        extra = len(heard or []) - 1
        for data in self.datagrams[1:]:  # one by one: none may be lost for want of room in a socket
            self.sock.sendto(data, SIPCAPTURE)
            heard = until(lambda: rows(len(heard)), 5, 0.02) if heard else None
        proc.stop()
        if not heard:
            raise Failed("Kamailio's sipcapture did not read all datagrams: " + proc.said()[-1500:])
        return [dict(zip(fields, row.split(" "))) for row in heard[extra:]]

    def read(self, data):
        assert data[:4] == b"HEP3" and struct.unpack_from("!H", data, 4)[0] == len(data), data[:16]
        at, chunks = 6, {}
        while at < len(data):
            vendor, kind, size = struct.unpack_from("!HHH", data, at)
            assert vendor == 0 and 6 <= size <= len(data) - at, (vendor, kind, size)
            value = data[at + 6:at + size]
            chunks[kind] = struct.unpack(self.WIDE[kind], value)[0] if kind in self.WIDE else value
            at += size
        assert {1, 2, 7, 8, 9, 10, 11, 12, 15} <= set(chunks) and chunks[1] == 2 and {3, 4} <= set(chunks), sorted(chunks)
        return chunks


with Story("wire") as story:
    site = lab.Site(story, database=False, spread=space.NODES[0]).start()
    collector = Collector()
    nodes = {}
    capture = wire.Capture(story.dir, "outside", "tcp port 5061 or udp port 53")
    with capture:
        for fqdn, version in zip(space.NODES, ("1.2", "1.3")):
            config = lab.node_config(site, fqdn, site.shared, tls=version)
            config["node"]["trace"] = {"hep": {"host": fqdn if version == "1.2" else space.HOSTS[space.NODES[0]], "port": collector.port(), "id": 77}}
            config["gateways"][0]["options"]["interval_s"] = 3600
            short = fqdn.split(".")[0]
            nodes[version] = Node(site.dir, short, config).start()
            nodes[version].wait_event(1400, 20)
        for version, node in nodes.items():
            status, text = node.cli.run("trace", "start", "--for", "5m")
            story.check(f"{node.name}: a trace starts", status == 0, text)
            story.check(f"{node.name}: an event tells that it runs", node.wait_event(3800, 5))
            told = len(node.events(1400))
            if version == "1.2":
                ladder, lines = Watch(story, "ladder", node, "--from", "5001", "--full"), Watch(story, "lines", node, "--json")
            node.cli.run("gateway", "probe", "lyncpool")
        call = Call((space.HOSTS[space.POOL], 5060), lab.ALICE, caller="5001").start()
        story.check("a call comes in all the same", call.wait_status(15) == 200)
        call.wait_tone(20)
        call.press("739462")
        call.hang_up(8)
        call.close()

    story.head("as it happens, and told afterwards")
    node = nodes["1.2"]
    status, text = ladder.end("(BYE)")
    rows = [line for line in text.splitlines() if re.match(r"\d\d:\d\d:\d\d\.\d{3} #1 ", line)]
    story.check("Ctrl-C ends the ladder, and that is good", status == 0 and re.search(r"^\d+ messages, 1 call\.$", text, re.M), (status, text[-300:]))
    story.check("the ladder of the call has its columns and all its messages, and no OPTIONS", re.search(r"node01 +lyncpool", text) and "OPTIONS " not in text and all(
        any(re.search(what, row) for row in rows) for what in (r"\|<-+ INVITE 2001 \(TLS, SDP\) -+\|", r"200 OK \(INVITE, SDP\) -+>", r"<-+ ACK -", r"<-+ BYE -", r"200 OK \(BYE\)")), text)
    story.check("in a file there is no colour, and no ladder is wider than 80 columns", "\033" not in text and all(len(row) <= 80 for row in rows), rows)
    story.check("whole messages stand below their arrows", f"    Call-ID: {call.call_id}" in text, text)
    status, text = lines.end('"method":"BYE"')
    items = [json.loads(line) for line in text.splitlines()]
    kinds = {i["kind"] for i in items}
    story.check("--json: one object a line, with TCP, TLS and the verdict of what failed", status == 0 and {"watching", "connected", "tls", "message", "ended"} <= kinds and any(
        i["kind"] == "ended" and i["gateway"] == "lyncpool" and space.SERVICE in i.get("verdict", "") for i in items), text)
    session = next(i["session"] for i in items if i.get("call_id") == call.call_id and i.get("session"))
    status, text = node.cli.run("call", "show", session)
    story.check("the call's story says how it came, whose certificate was shown and which name counted", status == 0 and re.search(
        rf"TLS 1\.2 .*showed a certificate of {space.POOL},.*{space.POOL} is one that was\s+expected.*This node showed the certificate of {space.SERVICE}", text, re.S), text)
    story.check("... what was agreed, how keys came, what was kept, and who ended it", re.search(
        r"Audio was agreed: PCM[UA].*telephone-events.*Keys come as telephone-events.*The caller hung up \(BYE\)", text, re.S), text)
    story.check("no pressed key is in it", "739462" not in text and "739462" not in ladder.file.read_text())

    story.head("the capture, without the server")
    plain = explain(capture.file)
    story.check("the capture is explained without any option", "conversations" in plain, plain)
    for version in ("TLS 1.2", "TLS 1.3"):
        story.check(f"{version}: conversations from the nodes to the pool are found", talks(plain, version), plain.get("stories"))
    old = talks(plain, "TLS 1.2")
    story.check("TLS 1.2: both certificates are read", old and all(c["client"]["certificate"]["cn"] == space.SERVICE and
                c["server"]["certificate"]["cn"] == space.POOL for c in old), old[:1])
    story.check("TLS 1.2: the pool ended it after the handshake, without an alert", old and all(
        c["end"]["by"] == "server" and c["tls"]["handshake_done"] and not c["tls"]["alerts"] for c in old), [c["end"] for c in old])
    story.check("TLS 1.2: without any option the name is the likely cause, and not said to be sure", old and all(
        c["verdict"]["verdict"] == "peer-does-not-know-our-name" and c["verdict"]["certainty"] == "likely" for c in old),
        [(c["verdict"]["verdict"], c["verdict"]["certainty"]) for c in old])
    new = talks(plain, "TLS 1.3")
    story.check("TLS 1.3 without keys: certificates are told as hidden", new and all(
        c["client"]["certificate"] is None and c["client"]["certificate_hidden"] for c in new))
    story.check("TLS 1.3 without keys: closed without SIP, cause unknown", new and all(
        c["verdict"]["verdict"] == "closed-without-sip" and c["verdict"]["certainty"] == "unknown" and
        "tls13-hidden" in [n["name"] for n in c["notes"]] for c in new), [(c["verdict"]["verdict"], c["verdict"]["certainty"]) for c in new])
    good = [c for c in plain["conversations"] if c["server"]["host"] == space.HOSTS[space.NODES[0]] and c.get("tls") and
            c["tls"]["handshake_done"] and c["client"]["spoke"] == "yes"]
    story.check("the pool's own connection to the node works", good and all(c["verdict"]["verdict"] in ("proven", "works") for c in good),
                [c["verdict"]["verdict"] for c in good])
    told = explain(capture.file, "--we", space.NODES[0], "--judges-us", JUDGES)
    story.check("told how the pool judges, the verdict names what it wants and what it saw", all(
        c["verdict"]["verdict"] == "peer-does-not-know-our-name" and space.NODES[0] in c["verdict"]["wanted"] and
        space.SERVICE in c["verdict"]["offered"] for c in talks(told, "TLS 1.2")), [c["verdict"] for c in talks(told, "TLS 1.2")][:1])
    by_config = explain(capture.file, "--config", str(nodes["1.2"].file))
    story.check("a configuration gives gateway and judges_us", all(
        c["facts"].get("gateway") == "lyncpool" or "lyncpool" in json.dumps(c["facts"]) for c in talks(by_config, "TLS 1.2")))
    status, text = Cli("/nonexistent").run("explain", "capture", str(capture.file))
    story.check("for people: who closed, and what to do", status == 1 and "the server ended it" in text and "umbel cert cure" in text, text[-1500:])

    story.head("the server's own trace")
    for version, node in nodes.items():
        file = story.dir / f"{node.name}.pcapng"
        status, text = node.cli.run("trace", "save", str(file))
        story.check(f"{node.name}: it is saved", status == 0 and file.exists(), text)
        story.check(f"{node.name}: nobody else may read it", oct(file.stat().st_mode & 0o777) == "0o600", oct(file.stat().st_mode))
        sip = tshark(file, "-Y", "sip && tls", "-T", "fields", "-e", "sip.Method", "-e", "sip.CSeq.method")
        story.check(f"TLS {version}: tshark reads the SIP of the saved file alone", "OPTIONS" in sip, sip + text)
        own = [c for c in explain(file)["conversations"] if c.get("tls") and c["server"]["host"] == space.HOSTS[space.POOL]]
        story.check(f"TLS {version}: the saved trace is explained with its keys", own and all(
            c["tls"]["readable"] and c["verdict"]["verdict"] == "peer-does-not-know-our-name" and c["sip"][0]["method"] == "OPTIONS" for c in own),
            [(c["tls"]["readable"], c["verdict"]["verdict"], c["sip"]) for c in own])
    sip = tshark(story.dir / "node01.pcapng", "-Y", "sip.Method == INVITE", "-T", "fields", "-e", "sip.Call-ID")
    story.check("the call that came over the older connection is in it as messages", call.call_id in sip, sip)
    keys = story.dir / "keys.log"
    keys.write_bytes(secrets(story.dir / "node02.pcapng"))
    with_keys = explain(capture.file, "--keylog", str(keys), "--judges-us", JUDGES)
    read = [c for c in talks(with_keys, "TLS 1.3") if c["tls"]["readable"]]
    story.check("TLS 1.3 with a key log: the capture of the wire shows certificate, request and the cause", read and all(
        c["client"]["certificate"]["cn"] == space.SERVICE and c["sip"][0]["method"] == "OPTIONS" and
        c["verdict"]["verdict"] == "peer-does-not-know-our-name" for c in read), [(c["verdict"]["verdict"], c["sip"]) for c in talks(with_keys, "TLS 1.3")])
    node = nodes["1.2"]
    bare = story.dir / "bare.pcapng"
    node.cli.run("trace", "save", str(bare), "--no-secrets")
    story.check("--no-secrets: no key, and TLS stays closed", not secrets(bare) and not tshark(bare, "-Y", "sip && tls").strip())
    struck = story.dir / "struck.pcapng"
    node.cli.run("trace", "save", str(struck), "--redact")
    story.check("--redact: the messages are there, and no key", not secrets(struck) and "INVITE" in tshark(struck, "-Y", "sip"))
    one = story.dir / "one.pcapng"
    node.cli.run("trace", "save", str(one), "--call", call.call_id)
    ids = set(tshark(one, "-Y", "sip", "-T", "fields", "-e", "sip.Call-ID").split())
    story.check("--call: that call and no other", ids == {call.call_id}, ids)
    names = tshark(one, "-T", "fields", "-e", "_ws.col.Info").splitlines()
    story.check("tshark names each message", names and all(re.search(r"Request: [A-Z]+|Status: \d{3}", n) for n in names) and "INVITE" in names[0], names)
    words = story.dir / "one.txt"
    status, text = node.cli.run("trace", "save", str(words), "--call", call.call_id, "--text", "--redact")
    said = words.read_text()
    story.check("--text: the same messages, each behind when, who and of which call", status == 0 and said.count("\n---- ") + said.startswith("---- ") == len(names) and
                re.search(rf"^---- 20\S+  TLS  lyncpool \S+ -> node01 \S+  call {session}$", said, re.M) and f"Call-ID: {call.call_id}" in said, said[:800])
    mine = story.dir / "mine.pcapng"
    node.cli.run("trace", "save", str(mine), "--gateway", "lyncpool")
    story.check("--gateway: what is said with it", "OPTIONS" in tshark(mine, "-Y", "sip && tls") and "INVITE" in tshark(mine, "-Y", "sip"))
    told = explain(struck)
    story.check("messages without their packets are explained, too", any(c["transport"] == "message" and c["sip"] and
                "messages-only" in [n["name"] for n in c["notes"]] for c in told["conversations"]), told["stories"])
    none = story.dir / "none.pcapng"
    status, text = node.cli.run("trace", "save", str(none), "--gateway", "stranger")
    story.check("--gateway: an unknown one is told, and no file is left", status == 1 and not none.exists() and "stranger" in text, text)
    status, text = node.cli.run("trace", "stop")
    story.check("the trace stops, and an event tells it", status == 0 and node.wait_event(3801, 5), text)
    status, text = node.cli.run("trace", "forget")
    status, text = node.cli.run("trace", "save", str(none))
    story.check("forgotten, it cannot be saved", status == 1 and not none.exists(), text)

    story.head("the collector")
    heard = collector.messages()
    sip = [m for m in heard if m[11] == 1]
    story.check("a collector hears SIP, with addresses, time and the number of the node", sip and all(
        m[12] == 77 and abs(m[9] - time.time()) < 600 and m[2] == 6 and 5061 in (m[7], m[8]) for m in sip), sip[:2])
    asked = [m for m in sip if m[15].startswith(b"OPTIONS sip:lyncpool")]
    story.check("OPTIONS are sent to the pool, inside TLS, and heard in the clear", asked and all(m[4] == socket.inet_aton(space.HOSTS[space.POOL]) for m in asked))
    story.check("a call is kept together by its Call-ID", {m[17] for m in sip if m[15].startswith(b"INVITE")} == {call.call_id.encode()})
    told = [json.loads(m[15]) for m in heard if m[11] == 100]
    story.check("events of TLS come too, with the verdict", any(t["what"] == "up" for t in told) and any(
        t["what"] == "ended" and t.get("verdict") == "peer-does-not-know-our-name" for t in told), told[:3])
    read = collector.by_kamailio(story.dir)
    story.check("Kamailio's sipcapture reads every datagram", len(read) == len(heard) and all(r["version"] == "3" for r in read), f"{len(read)} of {len(heard)}")
    wrong = [(r, m) for r, m in zip(read, heard) if (int(r[11]), int(r[12]), int(r[2]), int(r[7]), int(r[8]), int(r[9])) != (m[11], m[12], m[2], m[7], m[8], m[9])
             or (r[3], r[4]) != (socket.inet_ntoa(m[3]), socket.inet_ntoa(m[4])) or r[17] != m[17].decode() or bytes.fromhex(r[15]) != m[15][:24]]
    story.check("... and finds in it the same addresses, times, numbers, Call-IDs and messages", not wrong, wrong[:2])
