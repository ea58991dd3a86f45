# SPDX-License-Identifier: Apache-2.0
"""A machine of our own for the time of a test: namespaces in which ports, names and addresses belong to nobody else.

enter() runs the calling script again inside them. When the script ends, however it ends, the pid namespace takes every child
with it, so nothing is left running. As root the user namespace is left out; as an ordinary user we are root only inside.
"""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

MARK = "UMBEL_LAB_SPACE"
DNS = "127.0.1.53"
# One loopback address a host, so that a lost host is a lost address.
HOSTS = {
    "node01.domain.local": "127.0.1.11",
    "node02.domain.local": "127.0.1.12",
    "lyncpool.domain.com": "127.0.1.20",
    "lamp.domain.com": "127.0.1.30",
    "lost.domain.com": "127.0.1.34",
    "stranger.domain.com": "127.0.1.66",
}
SERVICE = "um.domain.local"
POOL = "lyncpool.domain.com"
NODES = ("node01.domain.local", "node02.domain.local")


def really_root():
    """Whether we are root of the machine and not only of our own user namespace."""
    return os.environ.get(MARK) == "root"


def _unshare_args():
    flags = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"]
    if os.getuid() != 0:
        flags += ["--user", "--map-root-user"]
    for proc in (["--mount-proc"], []):
        if subprocess.run([*flags, *proc, "true"], capture_output=True).returncode == 0:
            return flags + proc
    return None


def enter(story=None):
    """Goes on inside; returns only there. Where namespaces are not allowed, says so and skips (status 77)."""
    if os.environ.get(MARK):
        return _furnish()
    if not shutil.which("unshare") or (args := _unshare_args()) is None:
        print("SKIP namespaces: this machine does not let us make our own (unshare failed); run as root or allow user namespaces",
              flush=True)
        sys.exit(77)
    path = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/local/sbin:/usr/sbin:/sbin"
    env = {**os.environ, "PATH": path, MARK: "root" if os.getuid() == 0 else "user", "PYTHONDONTWRITEBYTECODE": "1"}
    os.execvpe(args[0], [*args, sys.executable, os.path.abspath(sys.argv[0]), *sys.argv[1:]], env)


def _furnish():
    run = lambda *a: subprocess.run(a, check=True, stdout=subprocess.DEVNULL)
    run("ip", "link", "set", "lo", "up")
    for address in [DNS, *HOSTS.values()]:
        run("ip", "address", "add", address + "/8", "dev", "lo")
    # unshare made every mount private: what we bind is seen only from here.
    etc = Path(tempfile.mkdtemp(prefix="umbel-etc-"))
    for name, text in {"resolv.conf": f"nameserver {DNS}\noptions timeout:2 attempts:2\n",
                       "hosts": "127.0.0.1 localhost\n::1 localhost\n",
                       "nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"}.items():
        (etc / name).write_text(text)
        (etc / name).chmod(0o644)
        if os.path.exists("/etc/" + name):
            run("mount", "--bind", str(etc / name), "/etc/" + name)
    shutil.rmtree(etc)  # the mounts keep the files


def refuse_tcp(address, port):
    """From now on whoever dials that port by TCP is told at once that nobody listens there."""
    rules = f"""add table inet lab
add chain inet lab in {{ type filter hook input priority 0; }}
add rule inet lab in ip daddr {address} tcp dport {port} reject with tcp reset
"""
    subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)


def lose_packets(address):
    """From now on nothing reaches or leaves that address, and nobody is told: a host whose cable is cut."""
    rules = f"""add table inet lab
add chain inet lab in {{ type filter hook input priority 0; }}
add rule inet lab in ip daddr {address} drop
add rule inet lab in ip saddr {address} drop
"""
    subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)


def find_packets_again():
    subprocess.run(["nft", "delete", "table", "inet", "lab"], check=True)
