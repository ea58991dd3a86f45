#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Encrypted sound (SRTP with keys in SDP) with other people's phones over mutual TLS: baresip and linphone leave messages and fetch one; who has no SRTP
gets 488 with words where it is required; on the wire there is no plain sound, and no key in anything that is kept."""
from common import *
space.enter()
import re
import shutil
import subprocess
import single
from labkit import pki, site as lab
from labkit.dns import Dns
from labkit.phones import Baresip
from labkit.softphones import Linphone

HOST, TLS = space.NODES[0], 5061
SECRET, OPEN = "2001", "2003"  # mailboxes of the dial plan that requires SRTP, and of one that does not
PIN = "739462"


def change(c, ca, own):
    c["node"]["listen"] = [f"tls:{single.ADDRESS[0]}:{TLS}", f"udp:{single.ADDRESS[0]}:5060"]
    c["node"]["identities"] = [{"name": "own", "cert": str(own.cert), "key": str(own.key)}]
    c["trust"] = {"ca": [str(ca.cert)]}
    gateway = {"trusted_headers": True, "options": {"on": False}}
    c["gateways"] = [{"name": "phones", "address": "phones.domain.com", "transport": "tls", "accept_names": ["phones.domain.com"], **gateway},
                     {"name": "plain", "address": "127.0.0.1", "transport": "udp", "sources": ["127.0.0.0/8"], "srtp": "off", **gateway}]
    plan = c["dialplans"][0]
    plan.update(gateway="phones", security="sip-and-media")
    c["dialplans"].append({**plan, "name": "open", "security": "off", "access_numbers": ["3900"], "gateway": "plain"})
    c["mailboxes"].append({**c["mailboxes"][1], "name": "carol", "display_name": "Carol Example", "extensions": [OPEN], "dialplan": "open"})
    c["node"]["log"]["levels"] = {"sip": "expert"}


class Phone(Baresip):
    """Without a registrar, straight to the node, with a certificate of its own."""

    def __init__(self, folder, number, speech, identity, ca, media):
        super().__init__(folder, number, speech)
        chain = self.dir / "own.pem"
        chain.write_text(identity.cert.read_text() + identity.key.read_text())
        config = self.dir / "config"
        config.write_text(config.read_text() + f"module srtp.so\nsip_certificate {chain}\nsip_cafile {ca.cert}\nsip_verify_server yes\n")
        (self.dir / "accounts").write_text(f'"{number}" <sip:{number}@domain.com;transport=tls>;regint=0;answermode=auto;outbound="sip:{HOST}:{TLS};transport=tls"'
                                           + (f";mediaenc={media}" if media else "") + ";audio_codecs=PCMA\n")

    def start(self):
        self.proc = Proc(f"baresip-{self.number}", ["baresip", "-4", "-v", "-f", self.dir, "-s"], self.log_dir)
        def connect():
            import socket
            try:
                self.link = socket.create_connection((self.address, self.control), timeout=1)
                return True
            except OSError:
                return not self.proc.running()
        if not until(connect, 10) or not self.link:
            raise Failed("baresip did not start:\n" + self.proc.said()[-1500:])
        return self


class World:
    def __init__(self, story):
        self.story = story
        Dns(story.dir).start()
        self.ca = pki.CA(story.dir / "ca")
        own = self.ca.issue("own", HOST, [HOST])
        self.phones = self.ca.issue("phones", "phones.domain.com", ["phones.domain.com"])
        self.said = story.dir / "said.wav"
        audio.write(self.said, audio.read(lab.SPEECH_A)[:4 * audio.RATE])
        self.node = single.node(story, lambda c: change(c, self.ca, own))
        self.node.set_pin("alice", PIN)

    def in_state(self, words, seconds=8):
        return until(lambda: any(words in c["state"] for c in self.node.cli.json("call", "list")["calls"]), seconds, 0.2)

    def phone(self, number, media):
        return Phone(self.story.dir, number, self.said, self.phones, self.ca, media).start()


def sound_on_the_wire(file):
    """Payload types' worth of RTP between the node and others: what a listener hears of A-law that is plain. Speech in it is loud here and silent there."""
    out = subprocess.run(["tshark", "-n", "-r", str(file), "-d", "udp.port==1024-65535,rtp", "-Y", "rtp && udp.length > 100", "-T", "fields", "-e", "rtp.payload"],
                         capture_output=True, text=True, env={**os.environ, "HOME": "/nonexistent"}).stdout.split()
    return [bytes.fromhex(p.replace(":", "")) for p in out]


def spread(payloads):
    """How evenly bytes are used: plain speech has favourites, what is encrypted has none."""
    counts = [0] * 256
    for p in payloads:
        for b in p:
            counts[b] += 1
    return max(counts) / max(1, sum(counts))


LINPHONE = """[sip]
sip_port=-1
sip_tcp_port=-1
sip_tls_port={port}
ipv6_migration_done=1
use_ipv6=0
default_proxy=0
register_only_when_network_is_up=0
media_encryption=srtp
media_encryption_mandatory=1
root_ca={ca}
verify_server_certs=1
verify_server_cn=1
client_cert_chain={cert}
client_cert_key={key}
[proxy_0]
reg_proxy=<sip:{host}:{tls};transport=tls>
reg_identity=sip:{number}@domain.com
reg_route=<sip:{host}:{tls};transport=tls;lr>
reg_sendregister=0
publish=0
[rtp]
audio_rtp_port={rtp}
[sound]
echocancellation=0
[video]
enabled=0
"""


class SecretLinphone(Linphone):
    def __init__(self, folder, number, identity, ca):
        super().__init__(folder, number, HOST)
        (self.dir / "rc").write_text(LINPHONE.format(port=5290, rtp=7290, ca=ca.cert, cert=identity.cert, key=identity.key, host=HOST, tls=TLS, number=number))

    def start(self):
        self.log.write_text("")
        self.proc = Proc(f"linphone-{self.number}", ["linphonec", "-c", self.dir / "rc", "-d", "6", "-l", self.log], self.dir.parent, stdin=subprocess.PIPE,
                         env={"HOME": str(self.dir)})
        self.wait("Sal nat helper|Set network reachable|Network state is now", 15)
        self.command("soundcard use files")
        return self


def kept(w, name, caller):
    like = lambda: audio.likeness(audio.read(w.said), w.node.audio_of("alice", caller))[0]
    w.story.check(f"{name}: the message is what was said", lambda: soon(lambda: like() > 0.85, 6), w.node.last_call())
    w.story.check(f"{name}: the call is told to be encrypted", "The sound is encrypted: SRTP with " in w.node.last_call(), w.node.last_call())


def baresip(w):
    phone = w.phone("2005", "srtp")
    with wire.Capture(w.story.dir, "srtp", "udp") as seen:
        phone.dial(SECRET)
        w.in_state("greeting")
        phone.keys("#")
        w.story.check("baresip: # ends the greeting, inside SRTP", w.in_state("recorder: record", 12), w.node.last_call())
        phone.speak(w.said)
        time.sleep(4.5)  # as long as it speaks
        phone.hangup()
        kept(w, "baresip", "2005")
    w.story.check("its record has the suite", soon(lambda: record(w)["srtp"].startswith("A"), 5), w.node.last_call())
    payloads = sound_on_the_wire(seen.file)
    w.story.check("on the wire: packets with a tag behind the sound", payloads and all(len(p) > 160 for p in payloads), [len(p) for p in payloads[:5]])
    w.story.check("on the wire: what is in them is noise", spread(payloads) < 0.02, f"{spread(payloads):.3f} of {len(payloads)} packets")
    phone.stop()


def record(w):
    return (w.node.cli.json("report", "calls", "--records").get("records") or [{"srtp": ""}])[0]


def refused(w):
    for name, media, number, event, words in (("no SRTP where it is required", "", SECRET, 2740, "must be encrypted"),
                                              ("nothing but SRTP where it is off", "srtp-mand", OPEN, 2741, "encrypted sound only")):
        phone = w.phone(f"200{event % 10 + 6}", media)
        since = phone.dial(number)
        w.story.check(f"{name}: 488", "488" in phone.wait("CALL_CLOSED", 8, since).get("param", ""), phone.trace()[-800:])
        told = w.node.wait_event(event, 5)
        w.story.check(f"{name}: event {event} says what was offered", "RTP/" in str(told), told)
        w.story.check(f"{name}: the phone is told why", words in phone.trace(), phone.trace()[-1500:])
        phone.stop()


def linphone(w):
    phone = SecretLinphone(w.story.dir, "2009", w.phones, w.ca).start()
    phone.command(f"call sip:{SECRET}@domain.com")
    w.story.check("linphone: speaks with the mailbox", w.in_state("greeting", 15), w.node.last_call() + phone.said()[-1500:])
    phone.keys("#")
    w.in_state("recorder: record")
    phone.say(w.said)
    time.sleep(4.5)  # as long as it speaks
    phone.hang_up()
    kept(w, "linphone", "2009")
    phone.stop()


def ourselves(w):
    call = lambda srtp: w.node.cli.json("call", "test", f"sip:{SECRET}@{HOST}:{TLS};transport=tls", "--cert", str(w.phones.cert), "--key", str(w.phones.key), "--ca", str(w.ca.cert),
                                        "--dns", space.DNS, "--srtp", srtp, "-e", "wait 300ms; hangup", "--for", "20")
    good, bad = call("required"), call("off")
    w.story.check("umbel call test --srtp required: with the strongest suite", good["ok"] and good["call"]["srtp"] == "AEAD_AES_256_GCM", good)
    w.story.check("... and without it 488", not bad["ok"] and bad["call"]["status"] == 488, bad)


def no_keys(w):
    text = (w.node.dir / "events.jsonl").read_text()
    w.story.check("messages in the log have no keys", "a=crypto:" in text and not re.search(r"inline:(?!x{40,})", text), re.findall(r"a=crypto.{90}", text)[:1])


with Story("srtp") as story:
    w = World(story)
    story.check("it runs", w.node.answers())
    baresip(w)
    refused(w)
    if shutil.which("linphonec"):
        linphone(w)
    else:
        story.skip("linphone", "it is not installed")
    ourselves(w)
    no_keys(w)
