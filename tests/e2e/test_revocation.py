#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Revocation while a node runs: a list that is read again, and the OCSP response that we staple for those who dial us."""
import subprocess

from common import *
space.enter()
from labkit import site as lab
from labkit.node import Node
from labkit.pki import Identity

NODE01 = space.NODES[0]


def probe(node):
    return node.cli.run("gateway", "probe", "lyncpool")[1]


def lists(story, site, node):
    pool = Identity(site.dir / "ca/pool.pem", site.dir / "ca/pool.key")
    story.check("with a list on which nobody stands, the pool is accepted", until(lambda: "200" in probe(node), 15, 0.5), probe(node))
    site.ca.crl("all", pool)
    said = probe(node)
    story.check("a list that lies there anew counts for nothing until it is read", "200" in said, said)
    status, text = node.cli.run("reload")
    story.check("umbel reload reads it", status == 0, text)
    story.check("the pool is refused", until(lambda: "200" not in probe(node), 15, 0.5), probe(node))
    verdict = node.cli.run("explain", "gateway", "lyncpool")[1]
    story.check("and the verdict says that its certificate was revoked, and by whom", "was revoked by" in verdict and "Lab CA" in verdict, verdict)
    list_file = site.ca.crl("all", days=7)
    good = list_file.read_text()
    list_file.write_text(good[:len(good) // 2])
    status, text = node.cli.run("reload")
    story.check("half a list is refused, with its name, and the one before stays in use", status == 1 and "all.crl" in text and "200" not in probe(node), text)
    list_file.write_text(good)
    node.cli.run("reload")
    story.check("taken off the list, the pool is accepted again", until(lambda: "200" in probe(node), 15, 0.5), probe(node))


def stapled(site):
    """What openssl says of the response that comes with our certificate."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"{space.HOSTS[NODE01]}:5061", "-status", "-CAfile", str(site.ca.cert),
                           "-cert", str(site.dir / "ca/pool.pem"), "-key", str(site.dir / "ca/pool.key")], input="", capture_output=True, text=True, timeout=20)
    return done.stdout


def responses(story, site, node):
    own, file = site.own[NODE01], site.dir / "ca/own.ocsp"
    said = stapled(site)
    story.check("who asks for it is stapled our OCSP response: good", "OCSP Response Status: successful" in said and "Cert Status: good" in said, said)
    site.ca.ocsp("own", own, revoked=True)
    node.cli.run("reload")
    said = stapled(site)
    story.check("one that says revoked is never stapled", "OCSP response: no response sent" in said, said)
    story.check("and event 2423 says so", until(lambda: node.events(2423), 5, 0.1), node.events())
    site.ca.ocsp("own", own)
    node.cli.run("reload")
    story.check("a good one is, after the next reload", "Cert Status: good" in stapled(site))
    new = site.ca.issue("renewed", NODE01, [NODE01])
    status, text = node.cli.run("cert", "install", new.cert, "--key", new.key, "--watch", "0", timeout=60)
    said = stapled(site)
    story.check("it is not stapled to another certificate", status == 0 and "OCSP response: no response sent" in said, text + said)
    file.write_bytes(b"no response")
    status, text = node.cli.run("reload")
    story.check("a file that is no response does not stop a reload, and nothing is stapled", status == 0 and "no response sent" in stapled(site), text)


with Story("revocation") as story:
    site = lab.Site(story, database=False, spread=NODE01).start()
    config = lab.node_config(site, NODE01, site.own[NODE01])
    config["trust"]["crl"] = [str(site.ca.crl("all"))]
    config["node"]["identities"][0]["ocsp"] = str(site.ca.ocsp("own", site.own[NODE01]))
    node = Node(site.dir, "node01", config).start()
    lists(story, site, node)
    responses(story, site, node)
