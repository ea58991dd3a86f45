# SPDX-License-Identifier: Apache-2.0
"""The world of the diagnosis benchmark: a name server, a Kamailio, a stunnel, refusing peers, middleboxes, and some nodes of ours with many gateways
each, all in namespaces of their own. A fault is a Draft that one of them is built from; a fix is a change of it, followed by apply()."""
import json
import os
import random
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import authority
from labkit import space
from labkit.node import BUILD, Node
from labkit.run import Failed, Proc, listening, until

HERE = Path(__file__).resolve().parent
DNS_BAD = "127.0.1.54"
BACKEND = "127.0.2.254"
WORDS = ("amber basil cedar delta ember fjord grove harbor iris juniper kelp lotus maple nectar olive pine quartz river saffron thyme umber violet "
         "willow xenon yarrow zephyr acorn birch coral dune elm fern garnet hazel indigo jade krill lilac moss nutmeg opal pearl quince reed sage "
         "tulip vale wren yew zinc").split()
FAKETIME = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)


class Draft:
    """One gateway, as the peer is and as we are told it is. Unless a fault changes something, all is well: its name resolves, stunnel speaks TLS
    there with a good certificate, asks for ours, and Kamailio behind it answers OPTIONS with 200."""

    def __init__(self, world, fault, name, host, address, port, node):
        self.w, self.fault, self.name, self.host, self.address, self.port, self.node = world, fault, name, host, address, port, node
        self.conf = {"name": name, "address": host, "port": port, "transport": "tls",
                     "options": {"interval_s": 3, "timeout_s": 4, "misses": 1, "answers": 1}}
        self.records = [f"--host-record={host},{address}"]
        self.bad_dns = None          # how the ill name server answers for this name
        self.stunnel = {}            # its service there; None: no stunnel
        self.refuser = None          # arguments of umbel-refuser there
        self.box = None              # a middlebox there, in front of stunnel
        self.tls_kamailio = None     # a script there, on Kamailio's own TLS
        self.udp_kamailio = self.elsewhere = False
        self.backend = "200 OK"      # what Kamailio says behind stunnel
        self.dial = None             # how the peer dials us
        self.dial_good = None        # and how it does after the fix
        self.rng = world.rng
        self.identity = None
        self.trust_file = None
        self.expect, self.most, self.advice, self.fix, self.direction = (), "sure", None, None, "dialled"
        self.seen = self.fixed = None

    def cert(self, **changes):
        """The peer's certificate: a good one, but for the changes."""
        how = {"names": [self.host], "ca": self.w.ca, **changes}
        return how.pop("ca").issue(how.pop("names"), **how)

    def own(self, **changes):
        """An identity of ours that is shown to this gateway only."""
        fqdn = self.node.fqdn
        how = {"names": [fqdn], "cn": fqdn, "ca": self.w.ca, **changes}
        self.identity = f"for-{self.name}"
        made = how.pop("ca").issue(how.pop("names"), **how)
        # A file of its own for each: `umbel cert cure` puts another in its place.
        self.node.identities.append({"name": self.identity, "cert": str(made.cert), "key": str(made.key)})
        self.conf["identity"] = self.identity
        return made


class Site:
    """A node of ours."""

    def __init__(self, word, zone, address, **more):
        self.name, self.fqdn, self.address, self.identities, self.drafts, self.env, self.crls, self.node = word, f"{word}.{zone}", address, [], [], {}, [], None
        self.more = more


class World:
    def __init__(self, folder, rng):
        self.dir, self.rng = Path(folder), rng
        words = list(WORDS)
        rng.shuffle(words)
        self.words = iter(f"{a}-{b}" for a in words for b in reversed(words) if a != b)
        self.addresses = [f"127.0.{net}.{n}" for net in (2, 3) for n in range(2, 250)]
        rng.shuffle(self.addresses)
        self.zone, self.bad_zone = f"{rng.choice(words)}.example", f"{rng.choice(words)}.test"
        self.keys = authority.Keys(self.dir / "keys")
        self.ca = authority.Authority(self.keys, self.dir / "ca", "Site CA")
        self.middle = authority.Authority(self.keys, self.dir / "middle", "Site Issuing CA", above=self.ca)
        self.stranger_ca = authority.Authority(self.keys, self.dir / "stranger", f"{rng.choice(words).title()} CA")
        self.sites, self.drafts, self.parts, self.dirty, self.drops, self.alive = [], [], {}, set(), set(), []
        self.statuses = {}  # Kamailio's words -> TCP port behind stunnel
        self.trusted = [self.ca.cert]

    def add_site(self, **more):
        site = Site(next(self.words), self.zone, f"127.0.1.{100 + len(self.sites)}", **more)
        own = self.ca.issue([site.fqdn], cn=site.fqdn, **more)
        site.identities.append({"name": "own", "cert": str(own.cert), "key": str(own.key)})
        self.sites.append(site)
        return site

    def draft(self, fault, site):
        word = next(self.words)
        d = Draft(self, fault, word, f"{next(self.words)}.{self.zone}", self.addresses.pop(), self.rng.randrange(20000, 60000), site)
        d.conf["tls"] = self.rng.choice(({}, {}, {"min": "1.3"}, {"max": "1.2"}))
        self.drafts.append(d)
        site.drafts.append(d)
        return d

    # ---- parts ----
    def names(self):
        table = {d.host: d.bad_dns for d in self.drafts if d.bad_dns}
        (self.dir / "bad-names.json").write_text(json.dumps(table))
        if "bad-names" not in self.parts:
            self.parts["bad-names"] = Proc("bad-names", [HERE / "nameserver.py", DNS_BAD, self.dir / "bad-names.json"], self.dir)
        if "dnsmasq" in self.parts:
            self.parts["dnsmasq"].stop()
        args = ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--no-poll", "--cache-size=0",
                f"--listen-address={space.DNS}", "--bind-interfaces", f"--local=/{self.zone}/", f"--server=/{self.bad_zone}/{DNS_BAD}", "--local-ttl=2"]
        args += [f"--host-record={s.fqdn},{s.address}" for s in self.sites] + [r for d in self.drafts for r in d.records]
        self.parts["dnsmasq"] = proc = Proc("dnsmasq", args, self.dir)
        if not until(lambda: "started" in proc.said() or not proc.running(), 5) or not proc.running():
            raise Failed(f"dnsmasq: {proc.said()[-500:]}")

    def stunnel_conf(self):
        lines = ["foreground = yes", "debug = warning", "pid =", "socket = l:TCP_NODELAY=1", "socket = r:TCP_NODELAY=1"]
        for d in self.drafts:
            if d.stunnel is None:
                continue
            s = {"cert": None, "ca": self.ca.cert, "ask": True, **d.stunnel}
            if s["cert"] is None:
                s["cert"] = d.stunnel["cert"] = d.cert()
            at = (d.address, d.port) if not d.box else (BACKEND, d.box["behind"])
            lines += [f"[{d.name}]", f"accept = {at[0]}:{at[1]}", f"connect = {BACKEND}:{s.get('to') or self.status_port(d.backend)}", f"cert = {s['cert'].cert}",
                      f"key = {s['cert'].key}", "TIMEOUTclose = 0", "securityLevel = 0"]
            if s["ask"]:
                lines += [f"CAfile = {s['ca']}", "verifyChain = yes"]
            lines += s.get("more", [])
        (self.dir / "stunnel.conf").write_text("\n".join(lines) + "\n")

    def start_stunnel(self):
        self.stunnel_conf()
        if "stunnel" in self.parts and self.parts["stunnel"].running():
            self.parts["stunnel"].send(signal.SIGHUP)  # the others' connections live on
            return
        self.parts["stunnel"] = Proc("stunnel", ["stunnel4", self.dir / "stunnel.conf"], self.dir)

    def status_port(self, words):
        return self.statuses.setdefault(words, 7000 + len(self.statuses))

    def kamailio(self):
        modules = next(iter(Path("/usr/lib").glob("*/kamailio/modules")), "/usr/lib/kamailio/modules")
        tls = [d for d in self.drafts if d.tls_kamailio]
        udp = [d for d in self.drafts if d.udp_kamailio]
        lines = ["#!KAMAILIO", "debug=1", "log_stderror=yes", "fork=yes", "children=1", "tcp_children=1", "socket_workers=1", "enable_tls=yes",
                 "auto_aliases=no", "tcp_connection_lifetime=3600", "server_signature=no", f'mpath="{modules}/"']
        lines += [f'loadmodule "{m}.so"' for m in ("tls", "tcpops", "kex", "sl", "pv", "textops", "siputils", "xlog")]
        lines += [f'modparam("tls", "config", "{self.dir}/kamailio-tls.cfg")']
        lines += [f"listen=tcp:{BACKEND}:{p}" for p in self.statuses.values()]
        lines += [f"listen=tls:{d.address}:{d.port}" for d in tls] + [f"listen=udp:{d.address}:{d.port}" for d in udp]
        lines += ["request_route {", '\txlog("L_NOTICE", "$rm on $Ri:$Rp\\n");']
        for d in tls:
            lines.append(f'\tif ($Ri == "{d.address}" && $Rp == {d.port}) {{ {d.tls_kamailio} exit; }}')
        for words, port in self.statuses.items():
            status, phrase = words.split(" ", 1)
            header = ""
            if "|" in phrase:
                phrase, header = phrase.split("|", 1)
                header = 'append_to_reply("' + header.replace('"', '\\"') + '\\r\\n"); '
            act = {"drop": "exit;", "close": "tcp_close_connection(); exit;"}.get(status, f'{header}sl_send_reply("{status}", "{phrase}"); exit;')
            lines.append(f"\tif ($Rp == {port}) {{ {act} }}")
        lines += ['\tsl_send_reply("200", "OK");', "}"]
        (self.dir / "kamailio.cfg").write_text("\n".join(lines) + "\n")
        good = self.ca.issue(["kamailio.example"])
        text = f"[server:default]\nmethod = TLSv1.2+\ncertificate = {good.cert}\nprivate_key = {good.key}\nca_list = {self.ca.cert}\n"
        for d in tls:
            c = d.cert()
            text += (f"[server:{d.address}:{d.port}]\nmethod = TLSv1.2+\nverify_certificate = yes\nrequire_certificate = yes\ncertificate = {c.cert}\n"
                     f"private_key = {c.key}\nca_list = {self.ca.cert}\n")
        (self.dir / "kamailio-tls.cfg").write_text(text)

    def start_kamailio(self):
        self.kamailio()
        if "kamailio" in self.parts:
            self.parts["kamailio"].stop()
        run = self.dir / "kamailio"
        run.mkdir(exist_ok=True)
        self.parts["kamailio"] = Proc("kamailio", ["kamailio", "-DD", "-E", "-f", self.dir / "kamailio.cfg", "-m", "64", "-M", "8", "-Y", run, "-n", "1"],
                                      self.dir)

    def boxes(self):
        rows = []
        for d in self.drafts:
            if d.box:
                to = d.box.get("to") or (BACKEND, d.box.setdefault("behind", 30000 + len(rows)))
                rows.append({"listen": [d.address, d.port], "to": list(to), "do": "pass", **{k: v for k, v in d.box.items() if k not in ("behind", "to")}})
        (self.dir / "boxes.json").write_text(json.dumps(rows))
        if "boxes" in self.parts:
            self.parts["boxes"].send(signal.SIGHUP)
            return
        self.parts["boxes"] = proc = Proc("middlebox", [HERE / "middlebox.py", self.dir / "boxes.json"], self.dir)
        if not until(lambda: "serving" in proc.said() or not proc.running(), 5) or not proc.running():
            raise Failed(f"middlebox: {proc.said()[-800:]}")

    def start_refuser(self, d):
        if d.name in self.parts:
            self.parts.pop(d.name).stop()
        if not d.refuser:
            return
        c = d.cert()
        args = [BUILD / "tests/support/umbel-refuser", "--cert", c.cert, "--key", c.key, "--ca", self.ca.cert, "--address", d.address, "--port", d.port, *d.refuser]
        self.parts[d.name] = Proc(f"refuser-{d.name}", args, self.dir, stdin=subprocess.PIPE)

    def filters(self):
        subprocess.run(["nft", "delete", "table", "inet", "world"], capture_output=True)
        if self.drops:
            rules = "add table inet world\nadd chain inet world in { type filter hook input priority 0; }\n"
            rules += "".join(f"add rule inet world in ip daddr {a} {kind} dport {port} drop\n" for a, kind, port in self.drops)
            subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)

    # ---- nodes ----
    def config(self, site):
        mine = self.dir / site.name
        return {
            "node": {
                "name": site.name, "fqdn": site.fqdn,
                "listen": [f"tls:{site.address}:5061", f"tcp:{site.address}:5060", f"udp:{site.address}:5060"],
                "identities": site.identities, "identity": "own",
                "sip": {"connect_timeout_ms": 2000, "handshake_timeout_ms": 5000, "t1_ms": 200},
                "media": {"ports": "20000-20100", "threads": 1},
                "store": f"sqlite:{mine}/umbel.db", "data": f"{mine}/data", "admin": {"socket": f"{mine}/admin.sock"},
                "log": {"json": f"{mine}/events.jsonl", "journal": False},
            },
            "trust": {"ca": [str(c) for c in self.trusted], **({"crl": [str(c) for c in site.crls]} if site.crls else {})},
            "gateways": [d.conf for d in site.drafts],
        }

    def start_node(self, site):
        site.node = Node(self.dir, site.name, self.config(site), env=site.env)
        site.node.start(ready=False)

    def wait_nodes(self):
        for site in self.sites:
            # Not `umbel status`: a node whose clock is wrong takes no calls, and is not asked to.
            answers = lambda: site.node.socket.exists() and site.node.cli.run("explain")[0] == 0
            if not until(lambda: answers() or not site.node.proc.running(), 20) or not site.node.proc.running():
                raise Failed(f"{site.name}:\n{site.node.proc.said()[-2000:]}")

    def reload(self, site):
        site.node.config = self.config(site)
        site.node.write()
        site.node.proc.send(signal.SIGHUP)

    # ---- all of it ----
    def start(self):
        self.boxes_numbers()
        self.names()
        self.stunnel_conf()
        self.start_kamailio()
        self.start_stunnel()
        self.boxes()
        for d in self.drafts:
            if d.refuser:
                self.start_refuser(d)
            if d.elsewhere:
                self.parts[d.name] = Proc(f"elsewhere-{d.name}", [HERE / "elsewhere.py", d.address, d.port], self.dir)
                self.parts[d.name].wait_for("serving")
        self.wait_services()
        self.filters()
        for site in self.sites:
            self.start_node(site)
        self.wait_nodes()

    def wait_services(self):
        """Until everything that should listen does, but for Kamailio's TLS, which is up when its TCP is."""
        places = {(BACKEND, p) for p in self.statuses.values()}
        for d in self.drafts:
            if d.refuser or (d.stunnel is not None and not d.box):
                places.add((d.address, d.port))
        for address, port in places:
            if not listening(address, port, 15):
                raise Failed(f"nothing listens on {address}:{port}; " + "; ".join(f"{n}: {p.said()[-300:]}" for n, p in self.parts.items() if not p.running()))

    def boxes_numbers(self):
        for n, d in enumerate(d for d in self.drafts if d.box):
            d.box.setdefault("behind", 30000 + n)

    def apply(self):
        """After fixes: what changed is started anew, the rest goes on."""
        if "dns" in self.dirty:
            self.names()
        if "kamailio" in self.dirty:
            self.start_kamailio()
        if self.dirty & {"stunnel", "kamailio"}:
            self.start_stunnel()
        if "boxes" in self.dirty:
            self.boxes()
        if "filters" in self.dirty:
            self.filters()
        for d in self.drafts:
            if d.name in self.dirty:
                self.start_refuser(d)
        for site in self.sites:
            if ("restart", site.name) in self.dirty:
                site.node.stop()
                self.start_node(site)
            elif ("config", site.name) in self.dirty:
                self.reload(site)
        self.dirty = set()
        self.wait_nodes()


# ---- peers that dial us ----
def request(d, transport="TLS", method="OPTIONS"):
    token = os.urandom(6).hex()
    return (f"{method} sip:{d.node.fqdn} SIP/2.0\r\nVia: SIP/2.0/{transport} {d.host}:{d.port};branch=z9hG4bK{token}\r\nMax-Forwards: 70\r\n"
            f"From: <sip:{d.host}>;tag={token}\r\nTo: <sip:{d.node.fqdn}>\r\nCall-ID: {token}\r\nCSeq: 1 {method}\r\nContact: <sip:{d.host}>\r\n"
            "Content-Length: 0\r\n\r\n").encode()


def context(d, cert, ca=None, version=None, ciphers=None):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname = False
    c.verify_mode = ssl.CERT_REQUIRED if ca else ssl.CERT_NONE
    if ciphers:
        c.set_ciphers(ciphers)
    if version:
        c.minimum_version = c.maximum_version = version
    if ca:
        c.load_verify_locations(str(ca))
    if cert:
        c.load_cert_chain(cert.cert, cert.key)
    return c


def dial_tls(d, cert, ca=None, sni=None, version=None, ciphers=None, check=None, then="ask", source=None):
    """One connection to our listener, as a peer would make it: its status line, or what became of it."""
    c = context(d, cert, ca, version, ciphers)
    if check:
        c.check_hostname, sni = True, check
    try:
        with socket.create_connection((d.node.address, 5061), timeout=4, source_address=(source or d.address, 0)) as plain:
            with c.wrap_socket(plain, server_hostname=sni or d.node.fqdn) as tls:
                if then == "ask":
                    tls.sendall(request(d))
                    return tls.recv(4096).split(b"\r\n")[0].decode()
                return "closed by itself"
    except (OSError, ssl.SSLError) as e:
        return f"{type(e).__name__}: {e}"


def dial_bytes(d, data, port=5061, wait=1.0, source=None):
    try:
        with socket.create_connection((d.node.address, port), timeout=4, source_address=(source or d.address, 0)) as s:
            s.sendall(data)
            s.settimeout(wait)
            return s.recv(4096).split(b"\r\n")[0].decode("latin-1")
    except OSError as e:
        return f"{type(e).__name__}: {e}"


def send_udp(d, source=None):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((source or d.address, 0))
        s.settimeout(2)
        s.sendto(request(d, "UDP"), (d.node.address, 5060))
        try:
            return s.recv(4096).split(b"\r\n")[0].decode()
        except OSError as e:
            return f"{type(e).__name__}: {e}"
