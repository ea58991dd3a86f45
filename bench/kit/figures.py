# SPDX-License-Identifier: Apache-2.0
"""Figures: one JSON line each on the standard output, all of them and the plots in bench/out/."""
import json
import sys
import time
import traceback
from pathlib import Path

from . import svg

OUT = Path(__file__).resolve().parent.parent / "out"


class Figures:
    def __init__(self, name, budget_s):
        OUT.mkdir(exist_ok=True)
        self.file = (OUT / f"{name}.jsonl").open("w")
        self.name, self.begun, self.budget_s, self.missed = name, time.monotonic(), budget_s, 0
        self.reserve_s = 0  # of the budget, for what comes after the scenario that runs
        self.failed = []

    def tell(self, figure, value, unit, how, target=None, at_most=True, least=None, of=None, **more):
        """`least` is what the ceiling program needed (or carried) in the same run; ratio is value to it. `of`: whether all that was asked for was done; if it
        was not, the figure says nothing about the target."""
        if of is False:
            how += "; NOT JUDGED: this machine had too little time for it now"
        met = None if target is None or of is False else (value <= target if at_most else value >= target)
        row = {"figure": figure, "value": round(value, 5), "unit": unit, "target": target, "met": met}
        if least is not None:
            row |= {"ceiling": round(least, 5), "ratio": round(value / least, 3) if least else None}
        self.missed += met is False
        self.write(row | more | {"how": how})

    def write(self, row):
        line = json.dumps(row)
        print(line, flush=True)
        self.file.write(line + "\n")
        self.file.flush()

    def raw(self, about, result):
        """A point as the generator told it, kept with the plots; not printed."""
        with (OUT / f"{self.name}-points.jsonl").open("a") as f:
            f.write(json.dumps({"about": about, **result}) + "\n")

    def plot(self, file, *args, **more):
        text = svg.plot(*args, **more)
        if text:
            (OUT / f"{file}.svg").write_text(text)

    def left_s(self):
        return self.budget_s - self.reserve_s - (time.monotonic() - self.begun)

    def time_for(self, what, seconds):
        """False, and said so, when there is no time left for it within the budget."""
        if self.left_s() >= seconds:
            return True
        print(f"    {what} is left out: {seconds:.0f} s of it do not fit into the {self.budget_s} s of this run", file=sys.stderr)
        return False

    def attempt(self, what, run):
        """What fails is told in a line of its own and takes nothing from the others."""
        try:
            run()
        except (Exception, SystemExit) as why:  # the generator and the CLI end by sys.exit
            traceback.print_exc()
            self.failed.append(what)
            self.write({"figure": what, "failed": (str(why).strip() or type(why).__name__).splitlines()[0][:300]})


def begin(name, budget_s):
    (OUT / f"{name}-points.jsonl").unlink(missing_ok=True)
    return Figures(name, budget_s)
