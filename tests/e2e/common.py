# SPDX-License-Identifier: Apache-2.0
"""Finds labkit for the end-to-end tests; `from common import *` is the first line of each."""
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "lab"))
sys.dont_write_bytecode = True

from labkit import audio, space, wire  # noqa: E402
from labkit.run import Failed, Proc, Story, listening, need_programs, soon, until  # noqa: E402

LEVEL = os.environ.get("UMBEL_LEVEL", "all")
