#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the include graph by folder and fails on an arrow against the order of the layers."""
import pathlib, re, sys

def main():
    root, order = pathlib.Path(sys.argv[1]), sys.argv[2].split(",")
    rank = {name: n for n, name in enumerate(order)}
    edges, bad = {}, []
    for path in sorted(root.rglob("*.[ch]")):
        folder = path.relative_to(root).parts[0]
        if folder not in rank:
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            m = re.match(r'\s*#\s*include\s+"([^"/]+)/', line) or re.match(r'\s*#\s*include\s+"([a-z]+)_events\.h"', line)
            if not m or m.group(1) not in rank:
                continue
            other = m.group(1)
            edges.setdefault(folder, set()).add(other)
            if rank[other] > rank[folder]:
                bad.append(f"{path}:{number}: {folder}/ is below {other}/ and may not include it")
    for folder in order:
        print(f"{folder:10s} -> {' '.join(sorted(edges.get(folder, set()) - {folder}, key=order.index)) or '-'}")
    for line in bad:
        print(line)
    return 1 if bad else 0

sys.exit(main())
