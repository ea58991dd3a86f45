#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gen-settings.py OUT SETTINGS.DEF   umbel.yaml.5 from the table of settings."""
import ast
import pathlib
import re
import sys

STRING = r'"(?:[^"\\]|\\.)*"'
GROUP = re.compile(rf"^GROUP\((\w+), ({STRING}), ({STRING})\)", re.M)
ROW = re.compile(rf"^(\w+)\(({STRING}), (\w+), [\w.]+, (NULL|{STRING}), (\d+), (\d+), (LIVE|RESTART), ({STRING})\)", re.M)
TYPES = {"NAME": "a name", "TEXT": "text", "HOST": "a host name or IP address", "PATH": "a file or folder", "BOOL": "true or false", "U16": "a number",
         "U32": "a number", "MS": "milliseconds", "SEC": "seconds", "STORE": "a store", "HOSTPORT": "address:port", "PORTS": "first-last",
         "NUMBER": "a telephone number", "TARGET": "a number or a mailbox", "URI": "a sip: URI", "TRANSPORT": "a word", "RULE": "a word", "PROFILE": "a word",
         "TLSVERSION": "a version", "LEGACY": "a word", "REUSE": "a word", "NAMEORDER": "a word", "LEVELS": "a map", "KEYS": "a map",
         "LISTEN": "a list", "NAMES": "a list of names", "HOSTS": "a list of host names", "PATHS": "a list of files", "NUMBERS": "a list of numbers",
         "TARGETS": "a list of numbers or mailboxes", "URIS": "a list of sip: URIs", "ADDRESSES": "a list of addresses", "TEXTS": "a list"}


def roff(s):
    s = s.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in re.sub(r"(?<=[.;:]) +", "\n", s).split("\n"))


HEAD = r""".\" SPDX-License-Identifier: Apache-2.0
.\" generated from settings.def
.Dd November 22, 2026
.Dt UMBEL.YAML 5
.Os
.Sh NAME
.Nm umbel.yaml
.Nd configuration of an Umbel node
.Sh DESCRIPTION
The file has the node's own part,
.Ic node ,
and the objects of the organisation:
.Ic trust , gateways , dialplans , policies , attendants
and
.Ic mailboxes .
The store is the truth: what stands in the file is applied at start and on reload as one revision, and is marked as managed by the file.
PINs, greetings and counters are never in it.
.Pp
.Ql umbeld \-\-check FILE
prints every error as
.Ql file:line:column: key: what: fix .
A running node reads the file again on SIGHUP; with an error in it the node keeps the last good configuration.
Settings marked
.Em restart
take effect only after one.
"""
TAIL = """.Sh SEE ALSO
.Xr umbel 1 ,
.Xr umbel\\-events 7 ,
.Xr umbeld 8
"""


def page(source):
    groups = [(m.start(), *map(str, m.groups())) for m in GROUP.finditer(source)]
    rows = {}
    for m in ROW.finditer(source):
        rows.setdefault(m[1], []).append(m.groups()[1:])
    out = [HEAD]
    for _, macro, path, about in groups:
        out.append(f'.Sh "{ast.literal_eval(path).upper()}"\n{roff(ast.literal_eval(about))}.\n.Bl -tag -width Ds\n')
        for key, kind, default, least, most, when, help_text in rows.pop(macro, []):
            notes = [TYPES.get(kind, kind.lower())]
            if kind in ("U16", "U32", "MS", "SEC") and int(most):
                notes.append(f"{least} to {most}")
            if default == "NULL":
                notes.append("must be given")
            elif value := ast.literal_eval(default):
                notes.append(f"default {value}")
            if when == "RESTART":
                notes.append("restart")
            out.append(f".It Ic {ast.literal_eval(key)}\n{roff(ast.literal_eval(help_text))}.\n({roff(', '.join(notes))})\n")
        out.append(".El\n")
    if rows:
        sys.exit(f"settings without a group: {', '.join(rows)}")
    return "".join(out) + TAIL


if len(sys.argv) != 3:
    sys.exit(__doc__.split("   ")[0])
pathlib.Path(sys.argv[1]).write_text(page(pathlib.Path(sys.argv[2]).read_text()))
