# SPDX-License-Identifier: Apache-2.0
"""Other servers, where the machine has them: found on PATH, or where UMBEL_BENCH_ASTERISK, _FREESWITCH, _YATE or _SEMS says. Each is given the least
configuration that does the job: any caller from loopback hears the prompt under 4000; under 2001 and on, what he says is kept. None is ever needed. The
configurations follow the manuals of Asterisk 22, FreeSWITCH 1.11, Yate 7 and SEMS 2.1; none of these is packaged in Debian 12, so they have not been tried. SIPp, which is, answers and plays likewise, and shows that the rest of this works.

Another one is a class of ten lines here: what its program is called, the files that it wants, how it is started in the foreground.
"""
import os
import shutil
import struct
import subprocess
import time
from pathlib import Path

from .servers import NUMBER, SERVER_CORE, free_port, pin_to_core

READY_S = 20


class Peer:
    """Started in the foreground on its core, in a folder of its own; `prompt_ulaw` is what callers hear, raw."""
    name, number, keeps = "", NUMBER, True
    programs = ()

    def __init__(self, folder, prompt_ulaw):
        self.folder, self.prompt_ulaw, self.port, self.prompt = Path(folder) / self.name, Path(prompt_ulaw), free_port(), None
        self.folder.mkdir()
        self.kept = self.folder / "kept"
        self.kept.mkdir()

    @classmethod
    def program(cls):
        told = os.environ.get(f"UMBEL_BENCH_{cls.name.upper()}")
        return told if told else next((p for p in map(shutil.which, cls.programs) if p), None)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def command(self):
        raise NotImplementedError

    def __enter__(self):
        log = (self.folder / "said.log").open("w")
        self.proc = subprocess.Popen(["taskset", "-c", SERVER_CORE, *map(str, self.command())], stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder)
        end = time.monotonic() + READY_S
        while time.monotonic() < end and self.proc.poll() is None and not listens(self.port):
            time.sleep(0.2)
        if self.proc.poll() is not None or not listens(self.port):
            said = (self.folder / "said.log").read_text(errors="replace")[-1500:]
            self.__exit__()
            raise OSError(f"{self.name} does not listen on port {self.port}:\n{said}")
        self.pid = self.proc.pid
        pin_to_core(self.pid)
        return self

    def __exit__(self, *_):
        self.proc.terminate()
        try:
            self.proc.wait(10)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()

    def messages(self):
        return sum(1 for p in self.kept.rglob("*") if p.is_file() and p.suffix.lower() in (".wav", ".ul", ".ulaw", ".mulaw", ".au") and p.stat().st_size > 8000)


def listens(port):
    want = f":{port:04X} "
    return any(want in line.split("rem_address")[0] for line in Path("/proc/net/udp").read_text().splitlines()[1:] if line.split()[1].endswith(want.strip()))


class Asterisk(Peer):
    name, programs = "asterisk", ("asterisk",)

    def command(self):
        f = self.folder
        sounds = f / "sounds" / "en"
        sounds.mkdir(parents=True)
        shutil.copy(self.prompt_ulaw, sounds / "bench.ulaw")
        (sounds / "beep.ulaw").write_bytes(bytes([0x10, 0x90] * 800))
        for folder in ("run", "log", "spool", "db", "keys"):
            (f / folder).mkdir()
        modules = next((p for p in ("/usr/lib/asterisk/modules", "/usr/local/lib/asterisk/modules", "/usr/lib/x86_64-linux-gnu/asterisk/modules") if Path(p).is_dir()), "/usr/lib/asterisk/modules")
        data = next((p for p in ("/usr/share/asterisk", "/var/lib/asterisk", "/usr/local/var/lib/asterisk") if (Path(p) / "documentation").is_dir()), "/var/lib/asterisk")
        conf = self.write("asterisk.conf", f"[directories]\nastetcdir => {f}\nastmoddir => {modules}\nastvarlibdir => {data}\nastdatadir => {f}\nastdbdir => {f}/db\nastkeydir => {f}/keys\n"
                          f"astspooldir => {f}/spool\nastrundir => {f}/run\nastlogdir => {f}/log\n[options]\nverbose = 0\ndebug = 0\nmaxfiles = 65536\n")
        self.write("modules.conf", "[modules]\nautoload=yes\nnoload = chan_sip.so\nnoload = res_hep.so\nnoload = cdr_csv.so\n")
        self.write("logger.conf", "[general]\n[logfiles]\nconsole => error\n")
        self.write("rtp.conf", "[general]\nrtpstart=10000\nrtpend=32000\nstrictrtp=no\nicesupport=no\n")
        self.write("pjsip.conf", f"[global]\ntype=global\nendpoint_identifier_order=ip,anonymous\n[udp]\ntype=transport\nprotocol=udp\nbind=127.0.0.1:{self.port}\n"
                   "[callers]\ntype=endpoint\ncontext=bench\ndisallow=all\nallow=ulaw\ndirect_media=no\nice_support=no\n[callers]\ntype=identify\nendpoint=callers\nmatch=127.0.0.0/8\n")
        self.write("extensions.conf", "[bench]\nexten => 4000,1,Answer()\n same => n,Playback(bench)\n same => n,Wait(20)\n same => n,Hangup()\n"
                   f"exten => _2XXX,1,Answer()\n same => n,Playback(beep)\n same => n,Record({self.kept}/${{UNIQUEID}}.wav,0,60,kqx)\n same => n,Hangup()\n")
        return [self.program(), "-f", "-C", conf]


class FreeSwitch(Peer):
    name, programs = "freeswitch", ("freeswitch",)

    def command(self):
        f = self.folder
        shutil.copy(self.prompt_ulaw, f / "bench.PCMU")
        for folder in ("log", "db", "run", "temp"):
            (f / folder).mkdir()
        wanted = ("sofia", "commands", "dptools", "dialplan_xml", "native_file", "sndfile", "tone_stream")
        load = "".join(f'<load module="mod_{m}"/>' for m in wanted)
        params = {"context": "bench", "sip-ip": "127.0.0.1", "rtp-ip": "127.0.0.1", "sip-port": self.port, "codec-prefs": "PCMU", "auth-calls": "false", "accept-blind-auth": "true",
                  "dialplan": "XML", "rtp-timer-name": "soft", "manage-presence": "false"}
        listed = "".join(f'<param name="{k}" value="{v}"/>' for k, v in params.items())
        self.write("freeswitch.xml", f'''<?xml version="1.0"?><document type="freeswitch/xml">
<section name="configuration">
<configuration name="modules.conf"><modules>{load}</modules></configuration>
<configuration name="switch.conf"><settings><param name="max-sessions" value="20000"/><param name="sessions-per-second" value="2000"/><param name="rtp-start-port" value="10000"/>
<param name="rtp-end-port" value="32000"/><param name="loglevel" value="err"/></settings></configuration>
<configuration name="sofia.conf"><profiles><profile name="bench"><settings>{listed}</settings></profile></profiles></configuration>
</section>
<section name="dialplan"><context name="bench">
<extension name="play"><condition field="destination_number" expression="^4000$"><action application="answer"/><action application="playback" data="{f}/bench"/>
<action application="sleep" data="20000"/></condition></extension>
<extension name="keep"><condition field="destination_number" expression="^2\\d\\d\\d$"><action application="answer"/><action application="playback" data="tone_stream://%(200,0,1000)"/>
<action application="record" data="{self.kept}/${{uuid}}.wav 60"/></condition></extension>
</context></section></document>
''')
        return [self.program(), "-nonat", "-nf", "-nc", "-conf", f, "-log", f / "log", "-db", f / "db", "-run", f / "run", "-temp", f / "temp"]


class Yate(Peer):
    name, programs = "yate", ("yate",)

    def command(self):
        f = self.folder
        shutil.copy(self.prompt_ulaw, f / "bench.mulaw")
        self.write("yate.conf", "[general]\nmodload=disable\n[modules]\n" + "".join(f"{m}.yate=enable\n" for m in ("ysipchan", "yrtpchan", "wavefile", "regexroute", "tonegen")))
        self.write("ysipchan.conf", f"[general]\naddr=127.0.0.1\nport={self.port}\nauth=no\n[codecs]\ndefault=disable\nmulaw=enable\n")
        self.write("yrtpchan.conf", "[general]\nminport=10000\nmaxport=32000\n")
        self.write("regexroute.conf", f"[default]\n^4000$=wave/play/{f}/bench.mulaw;autoanswer=yes\n^2...$=wave/record/{self.kept}/${{id}}.mulaw;autoanswer=yes\n")
        return [self.program(), "-c", f, "-s"]


class Sems(Peer):
    name, programs, keeps = "sems", ("sems",), False

    def command(self):
        f = self.folder
        wav = self.folder / "bench.wav"
        ulaw = self.prompt_ulaw.read_bytes()
        wav.write_bytes(b"RIFF" + struct.pack("<I", 50 + len(ulaw)) + b"WAVEfmt " + struct.pack("<IHHIIHHH", 18, 7, 1, 8000, 8000, 1, 8, 0) + b"fact" + struct.pack("<II", 4, len(ulaw)) +
                        b"data" + struct.pack("<I", len(ulaw)) + ulaw)
        plugins = next((p for p in ("/usr/lib/sems/plug-in", "/usr/local/lib/sems/plug-in") if Path(p).is_dir()), "/usr/lib/sems/plug-in")
        conf = self.write("sems.conf", f"interfaces=lo0\nsip_ip_lo0=127.0.0.1\nsip_port_lo0={self.port}\nmedia_ip_lo0=127.0.0.1\nrtp_low_port_lo0=10000\nrtp_high_port_lo0=32000\nplugin_path={plugins}\n"
                          f"plugin_config_path={f}\nload_plugins=wav;announcement\napplication=announcement\nfork=no\nstderr=yes\nsyslog_loglevel=0\nloglevel=0\nsession_processor_threads=4\n"
                          "media_processor_threads=1\n")
        self.write("announcement.conf", f"announce_path={f}/\ndefault_announce=bench.wav\nloop=true\n")
        return [self.program(), "-f", conf]


SIPP_ANSWERS = """<?xml version="1.0"?><!DOCTYPE scenario SYSTEM "sipp.dtd"><scenario name="answers and plays">
<recv request="INVITE"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [rtpstream_audio_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
]]></send>
<recv request="ACK"/>
<nop><action><exec rtp_stream="{prompt},-1,0"/></action></nop>
<recv request="BYE"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
"""


class Sipp(Peer):
    """No server, a tool for tests that can answer and play a file; packaged by Debian, so that this bench is tried somewhere."""
    name, programs, keeps = "sipp", ("sipp",), False

    def command(self):
        scenario = self.write("answers.xml", SIPP_ANSWERS.format(prompt=self.prompt_ulaw))
        return [self.program(), "-sf", scenario, "-i", "127.0.0.1", "-p", self.port, "-mi", "127.0.0.1", "-nostdin"]


ALL = (Sems, Asterisk, FreeSwitch, Yate, Sipp)
