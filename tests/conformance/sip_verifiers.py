# SPDX-License-Identifier: Apache-2.0
"""SIP programs as verifiers: Kamailio (by a script that passes on what it is told) and baresip (which registers where it is told)."""
import json
import os
import re
import shutil
import socket
from pathlib import Path

import peer
from labkit.run import Failed, Proc
from verifiers import Verifier, first_line

OPTIONS = b"""OPTIONS sip:um@example.com SIP/2.0\r
Via: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bK%s;rport\r
Max-Forwards: 70\r
From: <sip:um@example.com>;tag=%s\r
To: <sip:um@example.com>\r
Call-ID: %s\r
CSeq: 1 OPTIONS\r
Content-Length: 0\r
\r
"""

KAMAILIO = """debug=2
log_stderror=yes
fork=yes
children=1
tcp_children=1
enable_tls=yes
tcp_connection_lifetime=20
tls_max_connections=256
server_header="Server: verifier"
listen=udp:127.0.0.1:@UDP@
listen=tls:127.0.0.1:@TLS@
mpath="@MODULES@"
loadmodule "tls.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
modparam("tls", "config", "@DIR@/kamailio-tls.cfg")
request_route {
	if ($proto == "udp") {
		forward();
		exit;
	}
	sl_send_reply("200", "OK");
}
"""
KAMAILIO_TLS = """[server:default]
method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
private_key = {1}
certificate = {0}
ca_list = {anchors}
[client:default]
method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
private_key = {1}
certificate = {0}
ca_list = {anchors}
"""


class Sip(Verifier):
    def question(self):
        token = os.urandom(6).hex().encode()
        return OPTIONS % (token, token, token)


class Kamailio(Sip):
    """It checks no name, so it is always told an address; a fresh one for each question, or it would use the connection it has."""
    name = profile = "kamailio"

    def version(self):
        return first_line(["kamailio", "-v"])

    def absent(self):
        self.modules = next(iter([*Path("/usr/lib").glob("*/kamailio/modules"), *Path("/usr/lib64").glob("kamailio/modules")]), None)
        if not shutil.which("kamailio") or not self.modules:
            return "kamailio is not installed"
        return "" if (self.modules / "tls.so").exists() else "kamailio's TLS module is not installed"

    def start(self):
        self.port, self.udp = self.lab.port(), self.lab.port()
        text = KAMAILIO
        for key, value in {"UDP": self.udp, "TLS": self.port, "MODULES": f"{self.modules}/", "DIR": self.lab.dir}.items():
            text = text.replace(f"@{key}@", str(value))
        (self.lab.dir / "kamailio.cfg").write_text(text)
        (self.lab.dir / "kamailio-tls.cfg").write_text(KAMAILIO_TLS.format(*self.lab.ours, anchors=self.lab.anchors))
        self.proc = Proc("kamailio", ["kamailio", "-DD", "-E", "-f", self.lab.dir / "kamailio.cfg", "-m", "64", "-M", "8", "-Y", self.lab.dir,
                                      "-n", "1"], self.lab.dir)
        if not peer.wait_port(self.port) or not self.proc.running():
            raise Failed("Kamailio did not start:\n" + self.proc.said()[-2000:])
        self.read = 0

    def dials(self, case, ref, version):
        self.show(case, version)
        token, address = os.urandom(6).hex(), self.lab.fresh_address()
        request = OPTIONS % (token.encode(), token.encode(), token.encode())
        request = request.replace(b"sip:um@example.com SIP", f"sip:um@{address}:{self.lab.server.port};transport=tls SIP".encode())
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            request = request.replace(b"SIP/2.0/TLS 127.0.0.1:9", b"SIP/2.0/UDP 127.0.0.1:%d" % s.getsockname()[1])
            s.sendto(request, ("127.0.0.1", self.udp))
            sight = self.lab.server.seen(6)
        said = self.proc.said()
        words, self.read = said[self.read:], len(said)
        why = " / ".join(re.findall(r"(?:error:|verify)[^\n]*", words)[-1:])[-200:]
        return self.sighted(sight, why)


BARESIP = """poll_method epoll
sip_listen 127.0.0.1:{sip}
sip_certificate {cert}
sip_cafile {anchors}
sip_verify_server yes
net_interface lo
dns_server {dns}:53
audio_source aufile,/dev/null
audio_player aubridge,nobody
module_path {modules}
module g711.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
statmode_default off
"""


class Baresip(Sip):
    """As a client: it registers at the name. As a server it asks nobody for a certificate, so there is nothing to try. Before 2.0 it has no
    switch for verifying the server either; then a few certificates are enough to see that it takes them all."""
    name, profile, seats = "baresip", "baresip-re", ("server",)

    def number(self):
        found = re.search(r"baresip v?(\d+)\.", first_line(["baresip", "-h"]))
        return int(found[1]) if found else 0

    @property
    def every(self):
        return 1 if self.number() >= 2 else 9

    @property
    def switch(self):
        return "on" if self.number() >= 2 else "off"

    def version(self):
        version = first_line(["baresip", "-h"])
        found = re.search(r"baresip v?([0-9.]+)", version)
        libs = [p.name for p in Path("/usr/lib").glob("*/libre.so.*")]
        return f"baresip {found[1] if found else '?'} ({', '.join(libs[:1])})"

    def start(self):
        modules = next((p for p in (Path("/usr/lib/baresip/modules"), *Path("/usr/lib").glob("*/baresip/modules")) if p.is_dir()), "")
        self.port, _tls_port, control = (self.lab.port() for _ in range(3))
        folder = self.lab.dir / "baresip"
        folder.mkdir()
        both = folder / "own.pem"
        both.write_text(Path(self.lab.ours[0]).read_text() + Path(self.lab.ours[1]).read_text())
        (folder / "config").write_text(BARESIP.format(sip=self.port, cert=both, anchors=self.lab.anchors, dns=self.lab.dns, modules=modules,
                                                      control=control))
        (folder / "accounts").write_text("")
        (folder / "contacts").write_text("")
        self.proc = Proc("baresip", ["baresip", "-4", "-f", folder], self.lab.dir)
        if not peer.wait_port(control, 10):
            raise Failed("baresip did not start:\n" + self.proc.said()[-1500:])
        self.link = socket.create_connection(("127.0.0.1", control))
        self.read = self.users = 0

    def stop(self):
        if self.proc:
            self.proc.kill()

    def command(self, command, params):
        body = json.dumps({"command": command, "params": params, "token": "x"}).encode()
        self.link.sendall(b"%d:%s," % (len(body), body))

    def dials(self, case, ref, version):
        self.show(case, version)
        host = f"[{ref}]" if ":" in ref else ref
        # A user of its own for each question: to end one would be another connection, in the midst of the next question.
        self.users += 1
        aor = f"sip:um{self.users}@{host}:{self.lab.server.port}"
        self.command("uanew", f"<{aor};transport=tls>;regint=3600")
        sight = self.lab.server.seen(6)
        said = self.proc.said()
        words, self.read = said[self.read:], len(said)
        return self.sighted(sight, " / ".join(words.strip().split("\n")[-2:])[-200:])
