# SPDX-License-Identifier: Apache-2.0
"""What really went over the wire: a capture of the loopback while something happens, read back as TCP conversations."""
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import space
from .run import Failed, Proc, until


@dataclass
class Talk:
    """One TCP connection. Bytes are payload; `answered` is what the far side still said after our last word."""
    client: str
    server: str
    began: float
    up_bytes: int = 0
    down_bytes: int = 0
    last_up: float = 0.0
    answered: int = 0
    closed_by: str = ""   # "client", "server", or "" while open
    how: str = ""         # "FIN" or "RST"


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
        fields = ["frame.time_epoch", "ip.src", "tcp.srcport", "ip.dst", "tcp.dstport", "tcp.flags", "tcp.len"]
        done = subprocess.run(["tshark", "-r", str(self.file), "-Y", "tcp", "-T", "fields", *sum((["-e", f] for f in fields), [])],
                              capture_output=True, text=True, env={**os.environ, "HOME": str(self.dir)})
        if done.returncode:
            raise Failed("tshark: " + done.stderr[-500:])
        known = {}
        for line in done.stdout.splitlines():
            when, src, sport, dst, dport, flags, size = line.split("\t")
            when, flags, size = float(when), int(flags, 16), int(size)
            a, b = f"{src}:{sport}", f"{dst}:{dport}"
            if flags & 0x12 == 0x02:
                if b == f"{address}:5061":
                    known[(a, b)] = Talk(a, b, when)
                continue
            up = known.get((a, b))
            talk = up or known.get((b, a))
            if not talk:
                continue
            if up:
                if size:
                    talk.up_bytes, talk.last_up, talk.answered = talk.up_bytes + size, when, 0
            else:
                talk.down_bytes += size
                talk.answered += size
            if flags & 0x05 and not talk.closed_by:
                talk.closed_by, talk.how = ("client" if up else "server"), ("RST" if flags & 0x04 else "FIN")
        return list(known.values())
