# SPDX-License-Identifier: Apache-2.0
"""One PostgreSQL server on a Unix socket in a temporary folder, under a user that is not root.

PostgreSQL refuses to run as root. As root of the machine it runs as `postgres`; inside our own user namespace, where only root
exists, a further user namespace shows it an ordinary uid over the same files.
"""
import os
import shutil
import signal
import subprocess
from pathlib import Path

from . import space
from .run import Proc, Failed, until


def _bin():
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "postgres").exists():
            return folder
    raise Failed("PostgreSQL is not installed (tools/install-deps test)")


class Postgres:
    def __init__(self, folder):
        self.dir = Path(folder) / "pg"
        self.log_dir, self.proc = folder, None
        self.dir.mkdir()
        if space.really_root():
            shutil.chown(self.dir, "postgres", "postgres")
            self.wrap = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        else:
            self.wrap = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]

    @property
    def url(self):
        return f"postgresql:///umbel?host={self.dir}&user=umbel"

    def start(self):
        if not (self.dir / "data").exists():
            done = subprocess.run([*self.wrap, str(_bin() / "initdb"), "-D", str(self.dir / "data"), "-U", "umbel", "--auth=trust",
                                   "--no-locale", "--encoding=UTF8", "--no-sync"], capture_output=True, text=True, cwd=self.dir)
            if done.returncode:
                raise Failed("initdb: " + done.stderr)
        self.proc = Proc("postgresql", [*self.wrap, _bin() / "postgres", "-D", self.dir / "data", "-k", self.dir,
                                        "-c", "listen_addresses=", "-c", "max_connections=50", "-c", "shared_buffers=16MB"],
                         self.log_dir, cwd=self.dir)
        if not until(lambda: self.sql("select 1", "postgres") == "1" or not self.proc.running(), 20) or not self.proc.running():
            raise Failed("PostgreSQL did not start:\n" + self.proc.said()[-2000:])
        if self.sql("select 1 from pg_database where datname = 'umbel'", "postgres") != "1":
            self.sql("create database umbel", "postgres")

    def sql(self, text, database="umbel"):
        done = subprocess.run([str(_bin() / "psql"), "-h", str(self.dir), "-U", "umbel", "-d", database, "-XAtqc", text],
                              capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else None

    def stop(self):
        self.proc.stop(signal.SIGINT)
