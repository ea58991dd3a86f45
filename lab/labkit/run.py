# SPDX-License-Identifier: Apache-2.0
"""Child processes with a log each, and the story: what happens is said, what must be true is checked and counted."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path


class Failed(Exception):
    """Something that the story cannot go on without did not happen."""


def until(what, seconds, every=0.1):
    """The first true answer of what(), or its last one when the time is over."""
    end = time.monotonic() + seconds
    while True:
        answer = what()
        if answer or time.monotonic() >= end:
            return answer
        time.sleep(every)


def soon(what, seconds, every=1.0):
    """until() for things that fail loudly while they are not there yet: a Failed is a no. The last complaint is raised at the end."""
    complaint = []

    def tried():
        try:
            complaint.clear()
            return what()
        except Failed as e:
            complaint.append(e)
            return False
    answer = until(tried, seconds, every)
    if not answer and complaint:
        raise complaint[0]
    return answer


def listening(address, port, seconds=10):
    def there():
        try:
            socket.create_connection((address, port), timeout=1).close()
            return True
        except OSError:
            return False
    return until(there, seconds)


def need_programs(name, *programs):
    """Skips a test (status 77) of which the other parties are not installed."""
    if missing := [p for p in programs if not shutil.which(p)]:
        print(f"SKIP {name}: {', '.join(missing)} not installed (tools/install-deps test)", flush=True)
        sys.exit(77)


def _listen_to_signals():
    """A shell that was told to run us in the background made us, and whom we start, deaf to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Proc:
    """One program in the foreground, its output in a log file. Ended by its own pid, never by name."""
    alive = []

    def __init__(self, name, args, log_dir, env=None, cwd=None, user=None, stdin=None):
        self.name, self.log = name, Path(log_dir) / f"{name}.log"
        if user:
            args = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *args]
        with open(self.log, "ab") as out:
            self.child = subprocess.Popen([str(a) for a in args], stdin=stdin or subprocess.DEVNULL, stdout=out, stderr=out,
                                          env={**os.environ, **(env or {})}, cwd=cwd, start_new_session=True, preexec_fn=_listen_to_signals)
        self.pid = self.child.pid
        Proc.alive.append(self)

    def running(self):
        return self.child.poll() is None

    def said(self):
        return self.log.read_text(errors="replace")

    def wait_for(self, pattern, seconds=10, since=0):
        """The match of a pattern in the log, or Failed with the log's end."""
        found = until(lambda: re.search(pattern, self.said()[since:], re.M) or (not self.running() and "gone"), seconds)
        if not found or found == "gone":
            if match := re.search(pattern, self.said()[since:], re.M):
                return match
            raise Failed(f"{self.name} did not say /{pattern}/ in {seconds} s; its log {self.log} ends:\n{self.said()[-1500:]}")
        return found

    def send(self, sig):
        if self.running():
            os.kill(self.pid, sig)

    def stop(self, sig=signal.SIGTERM, seconds=10):
        """Its exit status; killed with its session when it does not go in time."""
        try:
            self.send(signal.SIGCONT)
            self.send(sig)
            self.child.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            pass
        finally:
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.child.wait()
            if self in Proc.alive:
                Proc.alive.remove(self)
        return self.child.returncode

    def kill(self):
        return self.stop(signal.SIGKILL)


class Story:
    """Words for people and PASS/FAIL lines for the count. `with Story(...) as s:` ends the process with the right status."""

    def __init__(self, name):
        self.name, self.failed, self.passed, self.began = name, 0, 0, time.monotonic()
        self.dir = Path(tempfile.mkdtemp(prefix=f"umbel-{name}-"))
        self.dir.chmod(0o755)
        self.keep = bool(os.environ.get("UMBEL_KEEP"))

    def head(self, text):
        print(f"\n== {text}", flush=True)

    def say(self, text):
        stamp = f"{time.monotonic() - self.began:6.1f} s  "
        print("\n".join((stamp if n == 0 else " " * len(stamp)) + line for n, line in enumerate(text.split("\n"))), flush=True)

    def check(self, name, good, detail=""):
        """One promise. A failed one is told with what was seen, and the story goes on."""
        if callable(good):
            try:
                good = good()
            except (Failed, OSError, ValueError, KeyError, subprocess.SubprocessError) as e:
                good, detail = False, f"{detail} {type(e).__name__}: {e}".strip()
        if good:
            self.passed += 1
            print(f"PASS {self.name}: {name}", flush=True)
        else:
            self.failed += 1
            detail = f"\n        {detail}".replace("\n", "\n        ") if detail else ""
            print(f"FAIL {self.name}: {name}{detail}", flush=True)
        return bool(good)

    def need(self, name, good, detail=""):
        if not self.check(name, good, detail):
            raise Failed(f"the story cannot go on without: {name}")

    def skip(self, name, why):
        print(f"SKIP {self.name}: {name} ({why})", flush=True)

    def __enter__(self):
        # A terminated story must still end its children.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        return self

    def __exit__(self, kind, error, trace):
        for proc in reversed(list(Proc.alive)):
            proc.stop(seconds=3)
        if kind not in (None, SystemExit):
            if kind is KeyboardInterrupt:
                print("stopped", flush=True)
                os._exit(130)
            self.failed += 1
            print(f"FAIL {self.name}: went to its end\n        {kind.__name__}: {error}".replace("\n", "\n        "), flush=True)
            if kind is not Failed:
                import traceback
                traceback.print_exception(kind, error, trace, file=sys.stdout)
        if self.failed or self.keep:
            print(f"      everything is kept in {self.dir}", flush=True)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)
        if kind is SystemExit:
            return False
        print(f"{self.name}: {self.passed} passed, {self.failed} failed in {time.monotonic() - self.began:.0f} s", flush=True)
        sys.stdout.flush()
        os._exit(1 if self.failed else 0)
