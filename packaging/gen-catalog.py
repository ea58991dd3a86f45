#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gen-catalog.py catalog|man OUT DEF...  The journal's message catalog, or umbel-events.7, from the folders' *.events.def.

`journalctl -x` then shows cause and advice beside each event. The id of an entry is the one that the journal sink sends:
the word "umbel" in hexadecimal, zeros, and the event's number.
"""
import importlib.machinery
import pathlib
import re
import sys

LEVELS = {"ERROR": "lowest", "WARNING": "lowest", "NOTICE": "low", "INFO": "medium", "DETAIL": "high", "TRACE": "expert"}


TOOLS = pathlib.Path(__file__).resolve().parent.parent / "tools"
gen_events = importlib.machinery.SourceFileLoader("gen_events", str(TOOLS / "gen-events.py")).load_module()


def rows(paths):
    return sorted((row for path in paths for row in gen_events.read(path)), key=lambda row: row["id"])


def fields(sentence):
    """{peer} as the journal substitutes it: @UMBEL_PEER@."""
    return re.sub(r"\{(\w+)\}", lambda m: f"@UMBEL_{m[1].upper()}@", sentence)


def catalog(paths):
    out = []
    for r in rows(paths):
        out.append(f"-- 756d62656c000000000000000000{r['id']:04x}\nSubject: {r['id']} {r['name']}: {fields(r['text'])}\n"
                   "Defined-By: Umbel\nDocumentation: man:umbel-events(7)\n\n")
        out += [f"{fields(r[part])}\n\n" for part in ("cause", "advice") if r[part]]
        if r["source"]:
            out.append(f"Source: {r['source']}\n\n")
    return "".join(out)


def roff(s):
    s = s.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in s.split("\n"))


def man(paths):
    out = ['.\\" SPDX-License-Identifier: Apache-2.0\n.\\" generated from the folders\' events.def\n.Dd $Mdocdate$\n.Dt UMBEL-EVENTS 7\n.Os\n'
           ".Sh NAME\n.Nm umbel-events\n.Nd what Umbel tells, why, and what to do\n.Sh DESCRIPTION\n"
           "Every event has a number that keeps its meaning for ever, a severity, a category, a sentence, a cause and an advice.\n"
           "Events go to the journal (with a catalog:\n.Ql journalctl \\-x ) ,\nto JSON lines if a file is configured, and to\n"
           ".Ql umbel events list .\n.Ql umbel explain event NUMBER\nprints one entry of this page.\n.Pp\n"
           "A category shows events up to its level:\n.Ar lowest\nerrors and warnings,\n.Ar low\nnotices,\n.Ar medium\ninformation,\n"
           ".Ar high\ndetails,\n.Ar expert\ntraces.\n.Ql umbel log\nchanges levels while the server runs.\n.Sh EVENTS\n"]
    for r in rows(paths):
        out.append(f'.Ss "{r["id"]} {r["name"]}"\n{r["severity"].capitalize()}, category {r["category"].lower()}, '
                   f"shown from level {LEVELS[r['severity']]}.\n.Bd -literal -offset indent\n{roff(r['text'])}\n.Ed\n")
        out += [f".Pp\n{part.capitalize()}: {roff(r[part])}\n" for part in ("cause", "advice", "source") if r[part]]
    out.append(".Sh SEE ALSO\n.Xr umbel 1 ,\n.Xr umbeld 8 ,\n.Xr umbel.yaml 5\n")
    return "".join(out)


if len(sys.argv) < 4 or sys.argv[1] not in ("catalog", "man"):
    sys.exit(__doc__.split("\n")[0])
pathlib.Path(sys.argv[2]).write_text({"catalog": catalog, "man": man}[sys.argv[1]](sys.argv[3:]))
