#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads the folders' *.events.def, checks ids and names, and writes <folder>_events.h and events_table.c.

An id that once meant something never means something else: event_ids.ledger holds every id with its name; a def row whose
id stands there under another name is an error, and a new row must be added to the ledger (--write-ledger does it)."""
import argparse, ast, pathlib, re, sys

SEVERITIES = ["ERROR", "WARNING", "NOTICE", "INFO", "DETAIL", "TRACE"]
CATEGORIES = ["CORE", "CONFIG", "NET", "STORE", "TRUST", "MEDIA", "DIRECTORY", "SIP", "GATEWAY", "VOICE", "MAILBOX",
              "DELIVERY", "DIALOGUE", "CERT", "NODE", "ADMIN"]
STRING = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'
ROW = re.compile(r'EVENT\(\s*(\d+)\s*,\s*([A-Z0-9_]+)\s*,\s*([A-Z]+)\s*,\s*([A-Z]+)\s*,\s*' +
                 r'\s*,\s*'.join([STRING] * 4) + r'\)', re.S)

def text(literals):
    return "".join(ast.literal_eval(s) for s in re.findall(r'"(?:[^"\\]|\\.)*"', literals))

def read(path):
    source = re.sub(r'/\*.*?\*/', lambda m: "\n" * m.group(0).count("\n"), pathlib.Path(path).read_text(), flags=re.S)
    rows, left = [], ROW.sub("", source).strip()
    if left:
        sys.exit(f"{path}: not an EVENT row: {left.splitlines()[0]!r}")
    for m in ROW.finditer(source):
        line = source[:m.start()].count("\n") + 1
        row = dict(id=int(m[1]), name=m[2], severity=m[3], category=m[4], text=text(m[5]), cause=text(m[6]),
                   advice=text(m[7]), source=text(m[8]), where=f"{path}:{line}")
        if row["severity"] not in SEVERITIES: sys.exit(f"{row['where']}: unknown severity {row['severity']}")
        if row["category"] not in CATEGORIES: sys.exit(f"{row['where']}: unknown category {row['category']}")
        if not row["text"]: sys.exit(f"{row['where']}: an event needs a text")
        rows.append(row)
    return rows

def c(s):
    return '"' + s.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'

def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--out", required=True); ap.add_argument("--folders", required=True)
    ap.add_argument("--ledger", required=True); ap.add_argument("--write-ledger", action="store_true")
    ap.add_argument("defs", nargs="*")
    a = ap.parse_args()
    out = pathlib.Path(a.out)
    by_folder, every, ids, names = {}, [], {}, {}
    for d in a.defs:
        folder = pathlib.Path(d).name.split(".")[0]
        by_folder[folder] = read(d)
        every += by_folder[folder]
    for r in every:
        if r["id"] in ids: sys.exit(f"{r['where']}: id {r['id']} is taken by {ids[r['id']]['where']}")
        if r["name"] in names: sys.exit(f"{r['where']}: name {r['name']} is taken by {names[r['name']]['where']}")
        ids[r["id"]] = names[r["name"]] = r
    ledger = {}
    for n, line in enumerate(pathlib.Path(a.ledger).read_text().splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            i, name = line.split()
            ledger[int(i)] = name
    for r in every:
        was = ledger.get(r["id"])
        if was and was != r["name"]: sys.exit(f"{r['where']}: id {r['id']} meant {was} before; an id is never used again")
    if a.write_ledger:
        ledger.update({r["id"]: r["name"] for r in every})
        pathlib.Path(a.ledger).write_text("# Every event id ever given, with its name. Written by tools/gen-events.py --write-ledger.\n" +
                                          "".join(f"{i} {n}\n" for i, n in sorted(ledger.items())))
    for folder in a.folders.split(","):
        guard = f"{folder.upper()}_EVENTS_H"
        body = "".join(f"\tEV_{r['name']} = {r['id']}, /* {r['severity'].lower()} */\n" for r in by_folder.get(folder, []))
        body = body or f"\tEV_{folder.upper()}_NONE_YET_ = 0,\n"
        (out / f"{folder}_events.h").write_text(f"/* generated from {folder}.events.def */\n#ifndef {guard}\n#define {guard}\nenum {{\n{body}}};\n#endif\n")
    rows = "".join("\t{ %d, EV_SEV_%s, EV_CAT_%s, %s,\n\t  %s,\n\t  %s,\n\t  %s,\n\t  %s },\n" % (
        r["id"], r["severity"], r["category"], c(r["name"]), c(r["text"]), c(r["cause"]), c(r["advice"]), c(r["source"]))
        for r in sorted(every, key=lambda r: r["id"]))
    (out / "events_table.c").write_text("/* generated from the folders' events.def */\n#include \"event/report.h\"\n"
        "const struct ev_def ev_table[] = {\n" + rows + "\t{ 0 }\n};\n" f"const unsigned ev_table_len = {len(every)};\n")

if __name__ == "__main__":
    main()
