# SPDX-License-Identifier: Apache-2.0
"""Phones by other hands, without a screen or a sound card. What linphone says comes from a file, and what it hears goes into one; twinkle
says nothing and is here for its signalling."""
import re
import subprocess
import time
from pathlib import Path

from .run import Failed, Proc, until

CONFIG = """[sip]
sip_port={port}
sip_tcp_port={port}
sip_tls_port=-1
ipv6_migration_done=1
use_ipv6=0
use_info={info}
use_rfc2833={rfc2833}
default_proxy=0
register_only_when_network_is_up=0
session_expires_enabled={timer}
session_expires_value=90
session_expires_min_value=90
session_expires_refresher_value=1
[proxy_0]
reg_proxy=<sip:{proxy};transport={transport}>
reg_identity=sip:{number}@domain.com
reg_route=<sip:{proxy};transport={transport};lr>
reg_expires=600
reg_sendregister=1
publish=0
[rtp]
audio_rtp_port={rtp}
audio_jitt_comp=40
[sound]
echocancellation=0
[video]
enabled=0
"""


class Linphone:
    """`Linphone(dir, "2005", "127.0.1.20").start()` registers there. `digits` is "rfc4733" or "info"; `timer`: a session timer of 90 s, which it lets
    the other side refresh."""
    count = 0

    def __init__(self, folder, number, proxy, answer=True, transport="udp", digits="rfc4733", timer=False):
        Linphone.count += 1
        self.number, self.answer = number, answer
        self.dir = Path(folder) / f"linphone-{number}"
        (self.dir / ".local" / "share" / "linphone").mkdir(parents=True)
        self.heard, self.log = self.dir / "heard.wav", self.dir / "linphone.log"
        (self.dir / "rc").write_text(CONFIG.format(port=5200 + 4 * Linphone.count, rtp=7200 + 4 * Linphone.count, info=int(digits == "info"),
                                                   rfc2833=int(digits != "info"), proxy=proxy, number=number, transport=transport, timer=int(timer)))
        self.proc = None

    def start(self):
        self.log.write_text("")
        self.proc = Proc(f"linphone-{self.number}", ["linphonec", "-c", self.dir / "rc", "-d", "6", "-l", self.log, *(["-a"] if self.answer else [])],
                         self.dir.parent, stdin=subprocess.PIPE, env={"HOME": str(self.dir)})
        self.wait("Registration on .* successful|LinphoneRegistrationOk", 15)
        self.command("soundcard use files")
        self.command(f"record {self.heard}")
        return self

    def command(self, text):
        self.proc.child.stdin.write(text.encode() + b"\n")
        self.proc.child.stdin.flush()

    def mark(self):
        return len(self.said())

    def said(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def wait(self, pattern, seconds, since=0):
        if not until(lambda: re.search(pattern, self.said()[since:]), seconds):
            raise Failed(f"linphone of {self.number} did not say /{pattern}/ in {seconds} s; it ends:\n{self.said()[-1500:]}")

    def until_state(self, state, seconds, since=0):
        """LinphoneCallStreamsRunning, LinphoneCallPaused, LinphoneCallEnd ..."""
        self.wait(rf"moving from state \w+ to {state}", seconds, since)

    def dial(self, uri, seconds=10):
        since = self.mark()
        self.command(f"call sip:{uri}")
        self.until_state("LinphoneCallStreamsRunning", seconds, since)
        return since

    def keys(self, digits):
        """One a second: while commands wait, it does not look at the network, and a digit by INFO waits for the answer to the last."""
        for digit in digits:
            self.command(digit)
            time.sleep(1.05)

    def say(self, wav):
        self.command(f"play {wav}")

    def hang_up(self, seconds=8):
        since = self.mark()
        self.command("terminate")
        self.until_state("LinphoneCallReleased", seconds, since)

    def stop(self):
        if self.proc:
            self.proc.stop()


TWINKLE = """user_name={number}
user_domain=domain.com
user_display=Tina
registrar={proxy}
register_at_startup=yes
outbound_proxy={proxy}
all_requests_to_proxy=yes
dtmf_transport={digits}
allow_refer=yes
ask_user_to_refer=no
ext_100rel={reliable}
"""
TWINKLE_MACHINE = """sip_udp_port={port}
sip_tcp_port={port}
rtp_port={rtp}
dev_ringtone=alsa:null
dev_speaker=alsa:null
dev_mic=alsa:null
log_show_sip=yes
start_user_profile=twinkle
start_hidden=yes
"""


# It subscribes to its mailbox.
LAMP = """
mwi_sollicited=yes
mwi_user={number}
mwi_server=domain.com
mwi_via_proxy=yes
mwi_subscription_time=600
"""


class Twinkle:
    """`reliable` is "disabled", "supported", "required" or "preferred": how it wants provisional responses (RFC 3262)."""
    count = 0

    def __init__(self, folder, number, proxy, digits="rfc2833", reliable="supported", lamp=False):
        Twinkle.count += 1
        self.number, self.home = number, Path(folder) / f"twinkle-{number}"
        settings = self.home / ".twinkle"
        settings.mkdir(parents=True)
        (settings / "twinkle.cfg").write_text(TWINKLE.format(number=number, proxy=proxy, digits=digits, reliable=reliable) + (LAMP.format(number=number) if lamp else ""))
        (settings / "twinkle.sys").write_text(TWINKLE_MACHINE.format(port=5300 + 4 * Twinkle.count, rtp=9000 + 20 * Twinkle.count))
        self.log, self.proc = settings / "twinkle.log", None

    def start(self):
        self.proc = Proc(f"twinkle-{self.number}", ["twinkle-console"], self.home.parent, stdin=subprocess.PIPE, env={"HOME": str(self.home)})
        self.proc.wait_for("registration succeeded", 15)
        return self

    def command(self, text):
        self.proc.child.stdin.write(text.encode() + b"\n")
        self.proc.child.stdin.flush()

    def mark(self):
        return len(self.proc.said())

    def wait(self, pattern, seconds, since=0):
        self.proc.wait_for(pattern, seconds, since)

    def traced(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def stop(self):
        if self.proc:
            self.proc.stop()
