# SPDX-License-Identifier: Apache-2.0
"""Load from the benchmarks' generator (bench/callgen), for tests: many calls at once, each packet that comes back judged."""
import json
import subprocess

from .node import BUILD
from .run import Failed


class Load:
    """callgen in the background; result() waits for its end."""

    def __init__(self, address, node, mode, **more):
        args = [BUILD / "bench" / "callgen", "--target", f"{address[0]}:{address[1]}", "--pid", node.proc.pid, "--mode", mode]
        for key, value in more.items():
            key = "--" + key.replace("_", "-")
            args += [key] if value is True else [key, value] if value is not None else []
        self.child = subprocess.Popen([str(a) for a in args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def result(self, seconds=120):
        try:
            said, complaint = self.child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.communicate()
            raise Failed(f"the load did not end within {seconds} s") from None
        if not said:
            raise Failed(f"the load failed: {complaint}")
        return json.loads(said)
