# SPDX-License-Identifier: Apache-2.0
"""A database of several members: PostgreSQL under Patroni, which keeps its state in etcd, each member on a host of its own. Commits wait for
a second member (synchronous mode), so who was told "saved" loses nothing when the first one dies."""
import json
import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

from . import hosts, space
from .node import yaml
from .pg import _bin
from .run import Failed, Proc, until

REAPER = Path(__file__).with_name("reaper.py")


class Etcd:
    def __init__(self, folder, address):
        self.dir, self.address, self.proc = folder / "etcd", address, None

    def start(self):
        self.dir.mkdir(mode=0o700, exist_ok=True)
        client, peer = f"http://{self.address}:2379", f"http://{self.address}:2380"
        self.proc = Proc("etcd", ["etcd", "--name", "etcd", "--data-dir", self.dir, "--listen-client-urls", client, "--advertise-client-urls", client,
                                  "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"etcd={peer}",
                                  "--heartbeat-interval", "500", "--election-timeout", "5000"], self.dir.parent, env={"ETCD_UNSUPPORTED_ARCH": os.uname().machine})
        if not until(lambda: "ready to serve client requests" in self.proc.said() or not self.proc.running(), 60) or not self.proc.running():
            raise Failed("etcd did not start:\n" + self.proc.said()[-1500:])


class Member:
    def __init__(self, cluster, n):
        self.name, self.cluster = f"db{n}", cluster
        self.host = hosts.Host(self.name, 40 + n)
        self.dir, self.proc = cluster.dir / self.name, None
        self.file = self.dir / "patroni.yml"
        self.dir.mkdir()
        self.file.write_text(yaml(self.config()) + "\n")
        if space.really_root():
            shutil.chown(self.dir, "postgres", "postgres")

    def config(self):
        at = self.host.address
        return {
            "scope": "umbel", "name": self.name,
            "restapi": {"listen": f"{at}:8008", "connect_address": f"{at}:8008"},
            "etcd3": {"hosts": f"{self.cluster.etcd.address}:2379"},
            "bootstrap": {
                "dcs": {"ttl": self.cluster.ttl, "loop_wait": 1, "retry_timeout": (self.cluster.ttl - 1) // 2, "synchronous_mode": True, "maximum_lag_on_failover": 1048576,
                        "postgresql": {"use_pg_rewind": True, "parameters": {"max_connections": 60, "shared_buffers": "16MB", "wal_keep_size": "64MB"}}},
                "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, "data-checksums", "no-sync"],
                "pg_hba": ["local all all trust", f"host all all {hosts.NET}0/24 trust", f"host replication all {hosts.NET}0/24 trust"],
            },
            "postgresql": {
                "listen": f"{at}:5432", "connect_address": f"{at}:5432", "data_dir": str(self.dir / "data"), "bin_dir": str(_bin()),
                "pgpass": str(self.dir / "pgpass"),
                "authentication": {"superuser": {"username": "postgres", "password": "of-the-lab"},
                                   "replication": {"username": "replicator", "password": "of-the-lab"},
                                   "rewind": {"username": "rewinder", "password": "of-the-lab"}},
                "parameters": {"unix_socket_directories": str(self.dir)},
            },
        }

    def start(self):
        self.proc = Proc(f"patroni-{self.name}", [sys.executable, REAPER, *self.host.wrap, *self.cluster.wrap, "patroni", self.file], self.cluster.dir, cwd=self.dir)
        return self

    def crash(self):
        self.host.crash()
        until(lambda: not self.proc.running(), 30, 0.05)  # all are buried: one that is not would look alive to the next Patroni
        self.proc.kill()


class Patroni:
    """start() comes back when there is a primary, all others stream from it, and one of them is synchronous."""

    def __init__(self, folder, members=2, ttl=12):
        self.dir, self.ttl = folder / "patroni", ttl
        self.dir.mkdir()
        self.etcd = Etcd(self.dir, hosts.Switch.add(51))
        self.wrap = (["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if space.really_root() else
                     ["unshare", "--user", "--map-user=1000", "--map-group=1000"])
        self.members = [Member(self, n) for n in range(1, members + 1)]

    @property
    def url(self):
        return f"postgresql://umbel@{','.join(m.host.address + ':5432' for m in self.members)}/umbel"

    def start(self, seconds=180):
        self.etcd.start()
        for m in self.members:
            m.start()
        if not until(lambda: self.primary() and self.sql("select 1", "postgres") == "1", seconds, 0.5):
            raise Failed("Patroni has no primary:\n" + "\n".join(m.proc.said()[-1500:] for m in self.members))
        self.sql("create role umbel login superuser", "postgres")
        self.sql("create database umbel owner umbel", "postgres")
        self.whole(seconds)
        return self

    def whole(self, seconds=180):
        """Waits until all members are there and one is synchronous."""
        def good():
            roles = self.roles()
            return len(roles) == len(self.members) and "sync_standby" in roles.values() and "leader" in roles.values() and self.streams()
        if not until(good, seconds, 0.5):
            raise Failed(f"the database is not whole after {seconds} s: {self.roles()}\n" + "\n".join(m.proc.said()[-1500:] for m in self.members))

    def streams(self):
        return all(m.get("state") in ("running", "streaming") for m in self.state())

    def state(self):
        """Each member's row, as one that answers tells it."""
        for m in self.members:
            try:
                with urllib.request.urlopen(f"http://{m.host.address}:8008/cluster", timeout=2) as answer:
                    return json.load(answer)["members"]
            except (OSError, ValueError, KeyError):
                continue
        return []

    def roles(self):
        return {m["name"]: m.get("role") for m in self.state() if m.get("state") in ("running", "streaming")}

    def primary(self):
        """The member that takes writes, as it says itself."""
        for m in self.members:
            try:
                with urllib.request.urlopen(f"http://{m.host.address}:8008/primary", timeout=2) as answer:
                    if answer.status == 200:
                        return m
            except OSError:
                continue
        return None

    def switch_over(self):
        """By patronictl, as an administrator would."""
        old = self.primary()
        done = subprocess.run([*self.wrap, "patronictl", "-c", str(old.file), "switchover", "--master", old.name, "--force"], capture_output=True, text=True,
                              timeout=120, cwd=old.dir, env={**os.environ, "LC_ALL": "C.UTF-8", "HOME": str(old.dir)})
        if "Successfully switched over" not in done.stdout + done.stderr:
            raise Failed("patronictl: " + done.stdout + done.stderr)

    def sql(self, text, database="umbel"):
        done = subprocess.run([str(_bin() / "psql"), "-h", ",".join(m.host.address for m in self.members), "-U", "postgres", "-d",
                               f"dbname={database} target_session_attrs=read-write connect_timeout=3", "-XAtqc", text], capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else None
