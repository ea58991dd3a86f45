#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Brings the sentences of src/dialogue/prompts.h into prompts/en-US.prompts, between its two marker lines; all else stays.

  sync-prompts.py             writes the file
  sync-prompts.py --check     says what differs, and which sentences another language lacks; exit 1 if anything does
"""
import ast, pathlib, re, sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BEGIN, END = "# ---- sentences of the dialogues (src/dialogue/prompts.h) ----", "# ---- end of the dialogues ----"

# Said by English alone: other languages have whole phrases (counted/...).
PARTS = {"new", "saved", "message", "messages"}

def untranslated(names):
    for path in sorted((ROOT / "prompts").glob("*.prompts")):
        if path.name == "en-US.prompts":
            continue
        there = {line.split(":")[0] for line in path.read_text().splitlines() if ":" in line and not line.startswith("#")}
        for name in names:
            if name not in PARTS and name not in there:
                yield f"prompts/{path.name} lacks {name}"

def main():
    header = (ROOT / "src/dialogue/prompts.h").read_text()
    rows = re.findall(r'X\(P_\w+,\s*("(?:[^"\\]|\\.)*"),\s*((?:"(?:[^"\\]|\\.)*"\s*\\?\s*)+)\)', header)
    lines = []
    for name, words in rows:
        text = "".join(ast.literal_eval(s) for s in re.findall(r'"(?:[^"\\]|\\.)*"', words))
        lines.append(f"{ast.literal_eval(name)}: {text}")
    path = ROOT / "prompts/en-US.prompts"
    old = path.read_text()
    head, rest = old.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    elsewhere = {line.split(":")[0] for line in (head + tail).splitlines() if ":" in line and not line.startswith("#")}
    here = [line for line in lines if line.split(":")[0] not in elsewhere]  # those stand beside others of their kind
    new = head + BEGIN + "\n" + "\n".join(here) + "\n" + END + tail
    if "--check" in sys.argv:
        was, now = set(old.splitlines()), set(new.splitlines()) | set(lines)
        for line in sorted(was ^ now):
            print(("only in prompts/en-US.prompts: " if line in was else "only in src/dialogue/prompts.h: ") + line)
        lacking = list(untranslated([ast.literal_eval(name) for name, _ in rows]))
        print("\n".join(lacking))
        return 0 if was == now and not lacking else 1
    path.write_text(new)
    return 0

sys.exit(main())
