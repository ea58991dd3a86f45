# SPDX-License-Identifier: Apache-2.0
"""Machines of a small network: a namespace each, a cable each to one switch, all inside the space of the test. A cable can be pulled."""
import os
import signal
import subprocess
from pathlib import Path

from .run import Failed, until

NET = "10.77.0."


def _run(*args):
    done = subprocess.run(args, capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"{' '.join(args)}: {done.stderr.strip()}")


class Switch:
    """The network. The test itself, and what it adds, lives on the switch."""

    def __init__(self):
        _run("ip", "link", "add", "lab0", "type", "bridge")
        _run("ip", "link", "set", "lab0", "up")
        self.add(1)

    @staticmethod
    def add(number):
        _run("ip", "address", "add", f"{NET}{number}/24", "dev", "lab0")
        return f"{NET}{number}"


class Host:
    """`wrap` goes before the command of whatever shall run there."""

    def __init__(self, name, number):
        self.name, self.address, self.port = name, f"{NET}{number}", f"port{number}"
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"], stdin=subprocess.DEVNULL)
        own = os.readlink("/proc/self/ns/net")

        def apart():
            try:
                return os.readlink(self.ns) != own
            except OSError:
                return False
        if not until(apart, 30, 0.02):
            raise Failed(f"no namespace for {name}")
        _run("ip", "link", "add", self.port, "type", "veth", "peer", "name", "eth0", "netns", str(self.holder.pid))
        _run("ip", "link", "set", self.port, "master", "lab0", "up")
        for args in (("link", "set", "lo", "up"), ("address", "add", self.address + "/24", "dev", "eth0"), ("link", "set", "eth0", "up")):
            _run(*self.wrap, "ip", *args)

    @property
    def ns(self):
        return f"/proc/{self.holder.pid}/ns/net"

    @property
    def wrap(self):
        return ["nsenter", f"--net={self.ns}", "--"]

    def cut(self):
        """The cable is pulled: nothing comes or goes, and nobody is told."""
        _run("ip", "link", "set", self.port, "down")

    def join(self):
        _run("ip", "link", "set", self.port, "up")

    def dropped(self):
        """Datagrams that its kernel threw away since the machine began, because their reader did not come to read them in time."""
        udp = [line.split() for line in Path(f"/proc/{self.holder.pid}/net/snmp").read_text().splitlines() if line.startswith("Udp:")]
        return int(udp[1][udp[0].index("RcvbufErrors")])

    def pids(self):
        """Whatever runs there."""
        mine, found = os.readlink(self.ns), []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != self.holder.pid:
                try:
                    if os.readlink(entry / "ns" / "net") == mine:
                        found.append(int(entry.name))
                except OSError:
                    continue
        return found

    def crash(self):
        """All that runs there is gone at once, as when the power goes; what was written stays."""
        def empty():
            for pid in (left := self.pids()):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            return not left
        if not until(empty, 30, 0.02):
            raise Failed(f"processes of {self.name} do not end: {self.pids()}")
