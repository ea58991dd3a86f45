#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the settings of src/config/settings.def: into a manual page in place of @SETTINGS@ (--man PAGE.in) or as Markdown tables (--markdown)."""
import argparse, ast, pathlib, re, sys

ROW = re.compile(r'^([A-Z]+)\("([^"]+)", ([A-Z0-9]+), [a-z0-9_.]+, (NULL|"[^"]*"), (-?\d+), (-?\d+), (LIVE|RESTART), "((?:[^"\\]|\\.)*)"\)$')
GROUP = re.compile(r'^GROUP\(([A-Z]+), "([^"]+)", "((?:[^"\\]|\\.)*)"\)$')
KINDS = {"MS": "milliseconds", "SEC": "seconds", "U16": "number", "U32": "number", "BOOL": "true or false", "HOST": "name or IP address", "PATH": "path",
         "NAME": "name", "TEXT": "text", "LINES": "text, of several lines if need be", "STORE": "store", "HOSTPORT": "address:port", "PORTS": "first-last", "NUMBER": "number",
         "TARGET": "extension, mailbox or URI", "URI": "SIP URI", "TLSVERSION": "version", "LISTEN": "list of transport:address:port",
         "NAMES": "list of names", "HOSTS": "list of names", "PATHS": "list of paths", "NUMBERS": "list of numbers",
         "TARGETS": "list of numbers, names or URIs", "URIS": "list of SIP URIs", "ADDRESSES": "list of addresses", "TEXTS": "list of texts",
         "LEVELS": "map of category to level", "KEYS": "map of key to action", "ANSWERKEYS": "map of key to action",
         "ZONE": "time zone", "VOICE": "voice", "PATTERN": "pattern of digits", "DATE": "day, with a time if wanted", "HOURS": "map of days to periods"}

def read(path):
    groups, by = [], {}
    for line in pathlib.Path(path).read_text().splitlines():
        if m := GROUP.match(line):
            by[m[1]] = dict(path=m[2], help=m[3], rows=[])
            groups.append(by[m[1]])
        elif m := ROW.match(line):
            by[m[1]]["rows"].append(dict(key=m[2], kind=m[3], default=None if m[4] == "NULL" else ast.literal_eval(m[4]), least=int(m[5]),
                                         most=int(m[6]), live=m[7] == "LIVE", help=ast.literal_eval('"' + m[8] + '"')))
        elif re.match(r'[A-Z]+\("', line):
            sys.exit(f"{path}: not a settings row: {line}")
    return groups

def facts(r):
    out = [KINDS.get(r["kind"], "word")]
    if r["kind"] in ("MS", "SEC", "U16", "U32"):
        out[0] += f", {r['least']} to {r['most']}"
    out.append("required" if r["default"] is None else f"default {r['default']}" if r["default"] else "optional")
    if not r["live"]:
        out.append("takes effect after a restart")
    return "; ".join(out)

def roff(s):
    s = s.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + s if s[:1] in ".'" else s

def man(groups):
    out = []
    for g in groups:
        out += [f".Ss {roff(g['path'])}", roff(g["help"]) + ".", ".Bl -tag -width Ds"]
        for r in g["rows"]:
            out += [f".It Ic {roff(r['key'])}", roff(r["help"]) + ".", f"({roff(facts(r))})"]
        out.append(".El")
    return "\n".join(out)

def markdown(groups):
    for g in groups:
        print(f"\n### `{g['path']}`\n\n{g['help']}.\n\n| key | meaning | value |\n|---|---|---|")
        for r in g["rows"]:
            print(f"| `{r['key']}` | {r['help'].replace('|', chr(92) + '|')} | {facts(r).replace('|', chr(92) + '|')} |")

ap = argparse.ArgumentParser()
ap.add_argument("--man", metavar="PAGE.in")
ap.add_argument("--markdown", action="store_true")
ap.add_argument("settings", nargs="?", default=str(pathlib.Path(__file__).parent.parent / "src/config/settings.def"))
a = ap.parse_args()
groups = read(a.settings)
if a.man:
    print(pathlib.Path(a.man).read_text().replace("@SETTINGS@", man(groups)), end="")
else:
    markdown(groups)
