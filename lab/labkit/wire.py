# SPDX-License-Identifier: Apache-2.0
"""What really went over the wire: a capture of the loopback while something happens, read back as TCP conversations."""
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from . import space
from .run import Failed, Proc, until


TICKETS = 2  # session tickets that an OpenSSL server sends of itself after a TLS 1.3 handshake


@dataclass
class Talk:
    """One TCP connection. `records` are the TLS records that the far side sent after our first protected one."""
    client: str
    server: str
    began: float
    up_bytes: int = 0
    spoke: bool = False   # our first protected record was sent
    tls13: bool = False
    records: list = field(default_factory=list)
    closed_by: str = ""   # "client", "server", or "" while open
    how: str = ""         # "FIN" or "RST"

    @property
    def answered(self):
        """Whether the far side said anything of the application. Its session tickets and its close_notify (in TLS 1.3 they look like
        application data; an alert is a record of 19 bytes) are no answer."""
        said = [length for kind, length in self.records if kind == 23 and length > 19]
        return len(said) > (TICKETS if self.tls13 else 0)


class Capture:
    def __init__(self, folder, name, what="tcp port 5061"):
        self.file, self.dir, self.name, self.what = Path(folder) / f"{name}.pcapng", folder, name, what
        self.proc = None

    def __enter__(self):
        self.proc = Proc(f"dumpcap-{self.name}", ["dumpcap", "-i", "lo", "-f", self.what, "-w", self.file, "-B", "4"], self.dir)
        self.proc.wait_for(r"Capturing on|File:", 10)
        return self

    def __exit__(self, *_):
        # Frames arrive in batches; what is under way must be on the disk.
        until(lambda: False, 0.6)
        self.proc.stop()

    def talks(self, server=space.POOL):
        """Connections to that host's port 5061, in the order of their SYN."""
        address = space.HOSTS[server]
        fields = ["frame.time_epoch", "ip.src", "tcp.srcport", "ip.dst", "tcp.dstport", "tcp.flags", "tcp.len", "tls.record.content_type",
                  "tls.record.opaque_type", "tls.record.length", "tls.handshake.extensions.supported_version"]
        done = subprocess.run(["tshark", "-r", str(self.file), "-d", "tcp.port==5061,tls", "-Y", "tcp", "-T", "fields",
                               *sum((["-e", f] for f in fields), [])],
                              capture_output=True, text=True, env={**os.environ, "HOME": str(self.dir)})
        if done.returncode:
            raise Failed("tshark: " + done.stderr[-500:])
        known = {}
        for line in done.stdout.splitlines():
            when, src, sport, dst, dport, flags, size, kinds, opaque, lengths, version = line.split("\t")
            flags, size = int(flags, 16), int(size)
            a, b = f"{src}:{sport}", f"{dst}:{dport}"
            if flags & 0x12 == 0x02:
                if b == f"{address}:5061":
                    known[(a, b)] = Talk(a, b, float(when))
                continue
            up = known.get((a, b))
            talk = up or known.get((b, a))
            if not talk:
                continue
            # TLS 1.3 shows its records as application data (the opaque type); the true type inside is not to be seen.
            types = [int(k) for k in (kinds + "," + opaque).split(",") if k]
            if up:
                talk.up_bytes += size
                talk.spoke = talk.spoke or 23 in types
            else:
                if talk.spoke:
                    talk.records += list(zip(types, (int(n) for n in lengths.split(",") if n)))
                talk.tls13 = talk.tls13 or version == "0x0304"
            if flags & 0x05 and not talk.closed_by:
                talk.closed_by, talk.how = ("client" if up else "server"), ("RST" if flags & 0x04 else "FIN")
        return list(known.values())
