# SPDX-License-Identifier: Apache-2.0
"""The site's name server: dnsmasq on port 53, sole authority for both domains, so that an unknown name is NXDOMAIN, not REFUSED."""
from . import space
from .run import Proc, Failed, until


class Dns:
    def __init__(self, folder, extra=()):
        self.folder, self.extra, self.proc = folder, list(extra), None

    def start(self):
        args = ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--no-poll", "--log-queries",
                f"--listen-address={space.DNS}", "--bind-interfaces", "--local=/domain.local/", "--local=/domain.com/", "--local-ttl=5"]
        for name, address in space.HOSTS.items():
            args.append(f"--host-record={name},{address}")
        for node in space.NODES:
            args.append(f"--host-record={space.SERVICE},{space.HOSTS[node]}")
            args.append(f"--srv-host=_sips._tcp.{space.SERVICE},{node},5061,10,50")
        args += self.extra
        self.proc = Proc("dnsmasq", args, self.folder)
        if not until(lambda: "started" in self.proc.said() or not self.proc.running(), 5) or not self.proc.running():
            raise Failed(f"dnsmasq: {self.proc.said()}")

    def stop(self):
        self.proc.stop()
