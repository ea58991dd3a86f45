#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the migrations of src/db/schema/NNN-name.sql into one C table: gen-schema.py OUT FILE..."""
import pathlib, re, sys

def main():
    rows = []
    for n, path in enumerate(sorted(map(pathlib.Path, sys.argv[2:]), key=lambda p: p.name), 1):
        sql, number = path.read_text(), int(path.name.split("-")[0])
        readable = re.search(r"^-- readable-by: (\d+)$", sql, re.M)
        if number != n or not readable:
            sys.exit(f"{path}: migrations are numbered without gaps and say readable-by")
        body = re.sub(r"--[^\n]*", "", sql)
        if "?" in body:
            sys.exit(f"{path}: a question mark would be taken for a parameter")
        lines = "\n".join('\t  "%s\\n"' % l.rstrip().replace("\\", "\\\\").replace('"', '\\"') for l in body.splitlines() if l.strip())
        rows.append("\t{ %d, %s,\n%s },\n" % (number, readable[1], lines))
    pathlib.Path(sys.argv[1]).write_text("/* generated from schema/ */\n#include \"db/driver.h\"\nconst struct db_schema db_schema[] = {\n" +
        "".join(rows) + "};\nconst unsigned db_schema_len = %d;\n" % len(rows))

main()
