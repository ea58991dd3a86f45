#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check-words.py SRC  Whole sentences for operators stand in .def tables, not in code: names each literal in src/*/*.c that begins like a
sentence and ends like one. The command line's own help, the checker's fixes and the texts of metrics are code's own."""
import re
import sys
from pathlib import Path

SENTENCE = re.compile(r'"(?:[^"\\]|\\.)*"')
LOOKS = re.compile(r'^"[A-Z][a-z]+,? [a-z][^"]*\.(?: |\\n|"$)')
FREE = {"cli", "config"}
# Headings of a verdict, each followed by what stands in verdicts.def.
KNOWN = {"trust/verdict.c"}

src = Path(sys.argv[1])
found = 0
for file in sorted(src.glob("*/*.c")):
    name = str(file.relative_to(src))
    if file.parent.name in FREE or name in KNOWN or name.endswith("words.c"):  # those are tables
        continue
    code = re.sub(r"/\*.*?\*/", lambda m: "\n" * m[0].count("\n"), file.read_text(), flags=re.S)
    for number, line in enumerate(code.split("\n"), 1):
        if "metric_get(" in line:
            continue
        for m in SENTENCE.finditer(line):
            if LOOKS.match(m[0]):
                print(f"src/{name}:{number}: a sentence for people belongs into a .def table: {m[0][:100]}")
                found += 1
sys.exit(1 if found else 0)
