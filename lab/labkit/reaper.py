# SPDX-License-Identifier: Apache-2.0
"""reaper.py COMMAND...  Runs a command and buries whatever it leaves behind, as an init does. PostgreSQL is no child of the Patroni that
started it, and Patroni waits until it is gone, buried and all."""
import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def main(command):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        sys.exit(f"reaper.py: {os.strerror(ctypes.get_errno())}")
    child = os.fork()
    if child == 0:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        os.execvp(command[0], command)
    for sig in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sig, lambda s, _: os.kill(child, s))
    result = 0
    while True:
        try:
            pid, status = os.wait()
        except ChildProcessError:  # the last of them is buried
            return result
        if pid == child:
            result = os.waitstatus_to_exitcode(status) & 0xFF


sys.exit(main(sys.argv[1:]))
