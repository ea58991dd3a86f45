#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What administrators give a running node in the place of a good certificate; errands that are broken off; and where its keys stand in memory."""
import re
import signal
import subprocess

from common import *
space.enter()
from labkit import site as lab
from labkit.node import Node, program

NODE01 = space.NODES[0]


def shown(node):
    """CN that the node's default identity shows, and the fingerprint."""
    own = node.cli.json("cert", "list")["identities"][0]
    return own["cn"], own["sha256"]


def install(node, *words):
    return node.cli.run("cert", "install", *words, "--watch", "0", timeout=60)


def odd_files(story, site, node, run):
    before, new = shown(node), site.ca.issue("new", NODE01, [NODE01])
    run(f"openssl pkcs12 -export -in {new.cert} -inkey {new.key} -out new.pfx -passout pass:x; cat {new.key} {new.cert} {site.ca.cert} > both.pem;"
        f"openssl pkey -in {new.key} -aes256 -passout pass:x -out closed.key; head -c 3000000 /dev/zero > huge")
    ended = site.ca.issue("ended", NODE01, [NODE01], days=-1)
    for what, words, wanted in (
            ("a PFX", [site.dir / "new.pfx"], "openssl pkcs12"), ("a key behind a passphrase", [new.cert, "--key", site.dir / "closed.key"], "passphrase"),
            ("another's key", [new.cert, "--key", site.own[NODE01].key], "does not belong"), ("one that has ended", [ended.cert, "--key", ended.key], "expired at"),
            ("a folder", [site.dir], "directory"), ("what is too large", [site.dir / "huge"], "too large"),
            ("a name of no identity", [new.cert, "--key", new.key, "--identity", "own+rehearsal"], "1 to 63"),
            ("an authority's own", [site.ca.cert, "--key", site.ca.key], "key usage")):
        status, text = install(node, *words)
        story.check(f"{what} is refused, and the reason said", status == 1 and wanted in text and "this node refused" not in text, text)
    story.check("and nothing was changed", shown(node) == before and not (node.dir / "data/tls/own.pem").exists(), shown(node))
    status, text = install(node, site.dir / "both.pem")
    story.check("key and chain in one file, the root with them: installed", status == 0 and shown(node)[1] != before[1], text)
    return new


def broken_off(story, site, node, run):
    cure = lambda log, *words: Proc(log, [program("umbel"), "cert", "cure", "lyncpool", *words], site.dir, env={"UMBEL_SOCKET": str(node.socket)}, cwd=site.dir)
    errand = cure("cure-nowhere", "--ca", "nowhere.pem")
    story.check("a file is the caller's, in his folder, and no other authority takes its place",
                until(lambda: not errand.running(), 20, 0.1) and f"{site.dir}/nowhere.pem" in errand.said().replace("\n     ", ""), errand.said())
    node.config["trust"]["ca"] = [str(site.dir / "root.pem")]  # no key lies beside this one
    run(f"cp {site.ca.cert} root.pem")
    node.write()
    node.cli.run("reload")
    errand = cure("cure-outside", "--wait", "600")
    csr = node.dir / "data/tls/own.csr"
    story.check("a cure waits for an outside CA", until(lambda: node.events(3303), 20, 0.1), errand.said())
    run(f"{program('umbel')} cert sign {csr} --ca {site.ca.cert} --out answer.pem")
    status, text = install(node, site.dir / "answer.pem")
    story.check("while its caller waits, another command is told so", status == 1 and "cert.cure" in text, text)
    errand.send(signal.SIGINT)
    until(lambda: not errand.running(), 10, 0.1)
    good = until(lambda: install(node, site.dir / "answer.pem")[0] == 0, 20, 0.5)
    names = str(node.cli.json("cert", "list")["identities"][0]["sans"])
    story.check("when it was broken off, the answer is installed by hand, with the key of that request", good and space.SERVICE in names, names)


def key_lines(file):
    """What a private key looks like in text: each line of its PEM body."""
    return [line.encode() for line in file.read_text().splitlines() if len(line) >= 60 and not line.startswith("-----")]


def private_exponent(key):
    """The private number of an RSA key as OpenSSL keeps it in memory (little-endian)."""
    said = subprocess.run(["openssl", "rsa", "-in", str(key), "-noout", "-text"], capture_output=True, text=True).stdout
    found = re.search(r"privateExponent:\n((?: {4}[0-9a-f:]+\n)+)", said)
    return bytes.fromhex(re.sub(r"[^0-9a-f]", "", found[1])).lstrip(b"\0")[::-1]


def areas(pid):
    """(from, to, rights, name, flags) of each area of memory."""
    area = None
    for line in open(f"/proc/{pid}/smaps"):
        head = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)", line)
        if head:
            area = (int(head[1], 16), int(head[2], 16), head[3], head[4])
        elif line.startswith("VmFlags:"):
            yield (*area, line.split()[1:])


def memory_is_careful(story, pid, in_use, keys):
    """Were a core written against all walls: what would be in it? Areas marked "dd" would not."""
    apart = [a for a in areas(pid) if "dd" in a[4] and not a[3]]
    locked = "lo" if space.really_root() else "dd"  # how much others may lock is the machine's to say
    story.check("keys have memory of their own that is left out of cores and is never swapped", any(a[1] - a[0] >= 1 << 20 and locked in a[4] for a in apart), apart)
    numbers, lines = {key: private_exponent(key) for key in (in_use, *keys)}, [line for key in (in_use, *keys) for line in key_lines(key)]
    story.check("there is something to look for", len(lines) > 20 and all(len(n) > 200 for n in numbers.values()))
    inside, outside, text = set(), [], []
    try:
        memory = open(f"/proc/{pid}/mem", "rb", 0)
    except PermissionError:
        story.skip("where keys stand in memory", "needs root of the machine")
        return
    for start, end, rights, name, flags in areas(pid):
        if "r" not in rights or name.startswith("[v"):
            continue
        try:
            memory.seek(start)
            held = memory.read(end - start)
        except OSError:
            continue  # it went meanwhile
        for key, number in numbers.items():
            if number in held and "dd" in flags:
                inside.add(key)
            elif number in held:
                outside.append((key, name))
        text += [name for line in lines if line in held]
    story.check("the private number of the key in use stands there", in_use in inside, inside)
    story.check("no private number stands anywhere else, nor does one of a key that was refused", not outside, outside)
    story.check("no line of a private key stands anywhere in memory", not text, text)


with Story("certs-odd") as story:
    site = lab.Site(story, database=False, spread=NODE01).start()
    node = Node(site.dir, "node01", lab.node_config(site, NODE01, site.own[NODE01])).start()
    run = lambda command: subprocess.run(command, shell=True, cwd=site.dir, check=True, capture_output=True)
    new = odd_files(story, site, node, run)
    memory_is_careful(story, node.proc.child.pid, new.key, [site.own[NODE01].key, site.dir / "ca/ended.key"])
    broken_off(story, site, node, run)
