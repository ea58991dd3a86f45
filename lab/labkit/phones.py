# SPDX-License-Identifier: Apache-2.0
"""Phones of the pool's users: baresip for people, sipp for the message lamp. All on loopback addresses of their own."""
import json
import os
import re
import socket
import time
from pathlib import Path

from . import space
from .run import Proc, Failed, until

BARESIP_CONFIG = """poll_method epoll
sip_listen {address}:{port}
net_interface {address}
dns_server {dns}:53
audio_source aufile,{speech}
audio_player aubridge,nobody
audio_alert aubridge,nobody
ausrc_srate 8000
auplay_srate 8000
audio_buffer 40-160
rtp_ports 20000-20100
module_path {modules}
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen {address}:{control}
ringback_disabled yes
menu_bell no
statmode_default off
snd_path {heard}
"""


class Baresip:
    """One user's telephone: `Baresip(dir, "2002", speech=WAV)` registers with the pool and answers by itself.

    All of them are on 127.0.0.1 with ports of their own: baresip binds its RTP to no address, so whatever it offers, its packets come
    from there; and packets from elsewhere than offered are a stranger's."""
    count = 0

    def __init__(self, folder, number, speech, answer=True, transport="udp", lamp=False):
        Baresip.count += 1
        self.number, self.address, self.port = number, "127.0.0.1", 5070 + 4 * Baresip.count
        self.control = 4440 + Baresip.count
        self.dir = Path(folder) / f"baresip-{number}"
        self.heard_dir = self.dir / "heard"
        self.heard_dir.mkdir(parents=True)
        modules = next((p for p in (Path("/usr/lib/baresip/modules"), *Path("/usr/lib").glob("*/baresip/modules")) if p.is_dir()), "")
        (self.dir / "config").write_text(BARESIP_CONFIG.format(address=self.address, port=self.port, control=self.control, dns=space.DNS,
                                                               speech=speech, modules=modules, heard=self.heard_dir) +
                                         ("module_app mwi.so\n" if lamp else ""))
        mode = "auto" if answer else "manual"
        self.account = (f'"{number}" <sip:{number}@domain.com>;regint=600;answermode={mode};outbound="sip:{space.POOL};transport={transport}"'
                        ";audio_codecs=PCMU,PCMA")
        # Its mwi module starts with a timer of a millisecond that never ends where the account has registered before: that comes later, by command.
        self.late = lamp
        (self.dir / "accounts").write_text("# by command\n" if lamp else self.account + "\n")
        (self.dir / "contacts").write_text("")
        self.log_dir, self.proc, self.link, self.events, self.rest = folder, None, None, [], b""

    def start(self):
        self.proc = Proc(f"baresip-{self.number}", ["baresip", "-4", "-f", self.dir, "-s"], self.log_dir)
        def connect():
            try:
                self.link = socket.create_connection((self.address, self.control), timeout=1)
                return True
            except OSError:
                return not self.proc.running()
        if not until(connect, 10) or not self.link:
            raise Failed("baresip did not start:\n" + self.proc.said()[-1500:])
        if self.late:
            self.command("uanew", self.account)
        self.proc.wait_for(r"200 OK \(\) \[\d binding", 10)
        return self

    def _read(self, seconds):
        """Takes what came over the control connection: netstrings with a JSON object each."""
        self.link.settimeout(seconds)
        try:
            more = self.link.recv(65536)
            if not more:
                raise Failed(f"baresip of {self.number} closed its control connection")
            self.rest += more
        except (TimeoutError, socket.timeout):
            return
        while (m := re.match(rb"(\d+):", self.rest)) and len(self.rest) > m.end() + int(m[1]):
            body, self.rest = self.rest[m.end():m.end() + int(m[1])], self.rest[m.end() + int(m[1]) + 1:]
            self.events.append(json.loads(body))

    def command(self, command, params=""):
        body = json.dumps({"command": command, "params": params, "token": command}).encode()
        self.link.sendall(b"%d:%s," % (len(body), body))

    def happened(self, kind, since=0):
        return [e for e in self.events[since:] if e.get("type") == kind]

    def mark(self):
        self._read(0.05)
        return len(self.events)

    def wait(self, kind, seconds, since=0):
        """The first event of that kind (CALL_INCOMING, CALL_ESTABLISHED, CALL_CLOSED, CALL_TRANSFER ...), or Failed."""
        end = time.monotonic() + seconds
        while not (found := self.happened(kind, since)):
            if time.monotonic() > end:
                raise Failed(f"the phone of {self.number} saw no {kind} in {seconds} s, only "
                             f"{[e.get('type') for e in self.events[since:] if e.get('event')]}")
            self._read(0.2)
        return found[0]

    def dial(self, number):
        since = self.mark()
        self.command("dial", f"sip:{number}@domain.com")
        return since

    def keys(self, digits, gap=0.35):
        for digit in digits:
            self.command("sndcode", digit)
            time.sleep(gap)

    def speak(self, wav):
        """What this phone says from now on. The file starts from its beginning."""
        self.command("ausrc", f"aufile,{wav}")

    def hangup(self):
        self.command("hangup")

    def heard(self):
        """WAV files of what came out of the earpiece, oldest first."""
        return sorted(self.heard_dir.glob("dump-*-dec.wav"), key=lambda p: p.stat().st_mtime)

    def trace(self):
        return self.proc.said()

    def stop(self):
        if self.link:
            self.link.close()
        if self.proc:
            self.proc.stop()


LAMP = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE scenario SYSTEM "sipp.dtd">
<scenario name="lamp">
  <recv request="NOTIFY" crlf="true"><action>
    <ereg regexp="Messages-Waiting: *[a-z]+" search_in="msg" assign_to="lit"/>
    <ereg regexp="Voice-Message: *[0-9/() ]+" search_in="msg" assign_to="count"/>
    <log message="LAMP [$lit] [$count]"/>
  </action></recv>
  <send><![CDATA[
    SIP/2.0 200 OK
    [last_Via:]
    [last_From:]
    [last_To:];tag=lamp[call_number]
    [last_Call-ID:]
    [last_CSeq:]
    Content-Length: 0

  ]]></send>
  <timewait milliseconds="2000"/>
</scenario>
"""


class Lamp:
    """The light on a desk phone: a sipp on UDP that the pool knows as that number, and that writes down each message-summary."""

    def __init__(self, folder, number, host="lamp.domain.com", port=5066):
        self.dir, self.number, self.address, self.port = Path(folder), number, space.HOSTS[host], port
        self.proc = None

    def start(self):
        (self.dir / "lamp.xml").write_text(LAMP)
        self.proc = Proc("lamp", ["sipp", "-sf", self.dir / "lamp.xml", "-i", self.address, "-p", self.port, "-trace_logs",
                                  "-log_file", self.dir / "lamp.said", "-nostdin", "-t", "u1"], self.dir, cwd=self.dir)
        time.sleep(0.3)
        self.register()
        return self

    def register(self):
        """Again after a restart of the pool, which remembers nobody."""
        answer = register(self.number, self.address, self.port)
        if "200" not in answer:
            raise Failed(f"the pool did not register the lamp: {answer}")

    def shown(self):
        """What the lamp was told, oldest first: ("yes", "1/0") ..."""
        said = self.dir / "lamp.said"
        if not said.exists():
            return []
        return re.findall(r"LAMP \[?Messages-Waiting: *(\w+)\]? \[?Voice-Message: *([0-9/]+)", said.read_text())

    def stop(self):
        self.proc.stop()


def ask(request, to, address=None, timeout=3):
    """One SIP request by UDP and the first answer's status line (or "")."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((address or "127.0.0.1", 0))
        s.settimeout(timeout)
        here = "%s:%d" % s.getsockname()
        s.sendto(request.replace("@HERE@", here).replace("\n", "\r\n").encode(), to)
        try:
            return s.recv(4096).split(b"\r\n")[0].decode()
        except (TimeoutError, socket.timeout):
            return ""


def register(number, address, port):
    token = os.urandom(6).hex()
    return ask(f"""REGISTER sip:domain.com SIP/2.0
Via: SIP/2.0/UDP @HERE@;branch=z9hG4bK{token};rport
Max-Forwards: 70
From: <sip:{number}@domain.com>;tag={token}
To: <sip:{number}@domain.com>
Call-ID: {token}
CSeq: 1 REGISTER
Contact: <sip:{number}@{address}:{port}>
Expires: 3600
Content-Length: 0

""", (space.HOSTS[space.POOL], 5060), address)
