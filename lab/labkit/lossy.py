# SPDX-License-Identifier: Apache-2.0
"""A bad network around one address: datagrams to and from it are lost, doubled, delayed and so overtake each other, as a seed says. Nobody's
configuration knows of it: what arrives on the loopback is seen, the kernel throws it away, and what survives is sent again under a mark of its own.

`Lossy(dir, "127.0.1.11", seed=7).start()`, from inside space.enter(). IPv4 and UDP only; streams are left alone.
"""
import heapq
import json
import random
import select
import socket
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

SURVIVED = 77  # time to live of what was sent again
PATIENCE = 2   # so often is the same SIP message lost; a third copy arrives, or a test of minutes could fail by chance alone


class Lossy:
    """`lost` and `doubled` of a hundred; each datagram takes up to `delay_ms`. Sound gets `sound_lost`."""

    def __init__(self, folder, address, seed=1, lost=20, doubled=10, delay_ms=60, sound_lost=None):
        self.dir, self.address, self.file, self.proc = Path(folder), address, Path(folder) / "lossy.json", None
        self.how = {"address": address, "seed": seed, "lost": lost, "doubled": doubled, "delay_ms": delay_ms, "file": str(self.file),
                    "sound_lost": lost if sound_lost is None else sound_lost}

    def start(self):
        from .run import Proc
        self.proc = Proc("lossy", [sys.executable, Path(__file__), json.dumps(self.how)], self.dir)
        self.proc.wait_for("listens", 10)
        rules = "".join(f"add rule inet lossy in ip {side} {self.address} meta l4proto udp ip ttl != {SURVIVED} drop\n" for side in ("saddr", "daddr"))
        subprocess.run(["nft", "-f", "-"], check=True, text=True,
                       input=f"add table inet lossy\nadd chain inet lossy in {{ type filter hook input priority 0; }}\n{rules}")
        return self

    def stop(self):
        """All is well again; the counts."""
        subprocess.run(["nft", "delete", "table", "inet", "lossy"], check=True)
        self.proc.stop()
        return self.counts()

    def counts(self):
        try:
            return json.loads(self.file.read_text())
        except (OSError, ValueError):
            return {}


class _Relay:
    def __init__(self, how):
        self.how, self.draw, self.way, self.number = how, random.Random(how["seed"]), [], 0
        self.address, self.same = socket.inet_aton(how["address"]), {}
        self.counts = {"sip": 0, "sip_lost": 0, "sound": 0, "sound_lost": 0, "doubled": 0, "overtaken": 0}
        self.last_out = {}
        self.ear = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
        self.ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.ear.bind(("lo", 0x0800))
        self.mouth = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)

    def hear(self):
        packet, where = self.ear.recvfrom(65536)
        if where[2] != socket.PACKET_HOST or packet[9] != 17 or packet[8] == SURVIVED or self.address not in (packet[12:16], packet[16:20]):
            return
        head = (packet[0] & 15) * 4
        body = packet[head + 8:]
        # RTP and RTCP begin with version 2; DNS is none of ours.
        kind = "sound" if body[:1] and body[0] >> 6 == 2 else "sip"
        self.counts[kind] += 1
        if self.lost(kind, packet, body):
            self.counts[kind + "_lost"] += 1
            return
        self.later(head, packet)
        if self.draw.random() * 100 < self.how["doubled"]:
            self.counts["doubled"] += 1
            self.later(head, packet)

    def lost(self, kind, packet, body):
        if self.draw.random() * 100 >= self.how["lost" if kind == "sip" else "sound_lost"]:
            return False
        if kind == "sip":
            key = zlib.crc32(packet[12:20] + body)
            self.same[key] = self.same.get(key, 0) + 1
            return self.same[key] <= PATIENCE
        return True

    def later(self, head, packet):
        self.number += 1
        # Time to live, our mark; no sums (the kernel counts that of IP, and the sender left that of UDP to hardware that is not there).
        copy = packet[:8] + bytes([SURVIVED]) + packet[9:10] + b"\0\0" + packet[12:head + 6] + b"\0\0" + packet[head + 8:]
        heapq.heappush(self.way, (time.monotonic() + self.draw.random() * self.how["delay_ms"] / 1000, self.number, copy))

    def deliver(self):
        while self.way and self.way[0][0] <= time.monotonic():
            _, number, packet = heapq.heappop(self.way)
            stream = packet[12:20]
            if number < self.last_out.get(stream, 0):
                self.counts["overtaken"] += 1
            self.last_out[stream] = max(number, self.last_out.get(stream, 0))
            try:
                self.mouth.sendto(packet, (socket.inet_ntoa(packet[16:20]), 0))
            except OSError:
                pass  # nobody is there

    def run(self):
        told = 0
        print("listens", flush=True)
        while True:
            wait = max(0, self.way[0][0] - time.monotonic()) if self.way else 0.2
            if select.select([self.ear], [], [], min(wait, 0.2))[0]:
                self.hear()
            self.deliver()
            if time.monotonic() > told + 0.2:
                told = time.monotonic()
                fresh = Path(self.how["file"] + ".new")
                fresh.write_text(json.dumps(self.counts))
                fresh.rename(self.how["file"])


if __name__ == "__main__":
    _Relay(json.loads(sys.argv[1])).run()
