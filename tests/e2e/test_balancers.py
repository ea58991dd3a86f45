#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What stands before two nodes besides a dispatcher, each as it is shipped in examples/: DNS SRV with weights (dnsmasq, followed by Kamailio),
HAProxy for TCP and TLS, and an address that one of them has (keepalived). A node is drained, and killed; who is called then is counted."""
# long way
import re
import ssl
import socket
import subprocess

from common import *
space.enter()
from labkit import hosts, pki
from labkit import site as lab
from labkit.caller import Call
from labkit.node import Node
from labkit.pg import Postgres

CALLERS, POOL, BALANCER, VIRTUAL = (f"{hosts.NET}{n}" for n in (1, 20, 21, 22))
NAMES = {"um.example.com": space.SERVICE, "node01.example.com": space.NODES[0], "node02.example.com": space.NODES[1]}
FR_TIMER = 5000  # for a small machine that does many things at once


def example(story, name, here, hosts_, **more):
    """A file of examples/ with the addresses and names of this site."""
    text = (ROOT / "examples" / name).read_text()
    for old, new in {"192.0.2.20": here, "192.0.2.11": hosts_[0].address, "192.0.2.12": hosts_[1].address, '"fr_timer", 1000': f'"fr_timer", {FR_TIMER}',
                     **NAMES, **more}.items():
        text = text.replace(old, new)
    file = story.dir / name.replace("/", "-")
    file.write_text(text)
    return file


def config(story, host, identity, ca, url):
    folder = story.dir / host.name
    objects = lab.organisation()
    objects["gateways"] = [{"name": "lyncpool", "address": POOL, "port": 5060, "transport": "udp", "trusted_headers": True,
                            "sources": [f"{hosts.NET}0/24"], "options": {"on": False}},
                           {"name": "pooltls", "address": space.POOL, "port": 5061, "transport": "tls", "options": {"on": False}}]
    for box in objects["mailboxes"]:
        box.pop("lamp_uri", None)
        box["lamp"] = False
    return {"node": {"name": host.name, "fqdn": f"{host.name}.domain.local", "service": space.SERVICE,
                     "listen": [f"{t}:{a}:5060" for t in ("udp", "tcp") for a in (host.address, VIRTUAL)] + [f"tls:{host.address}:5061"],
                     "identities": [{"name": "own", "cert": str(identity.cert), "key": str(identity.key)}], "media": {"address": host.address}, "store": url,
                     "admin": {"socket": str(folder / "admin.sock"), "http": f"{host.address}:9910"}, "data": str(folder / "data"),
                     "log": {"json": str(folder / "events.jsonl")}}, "trust": {"ca": [str(ca.cert)]}, **objects}


def dial(server, seconds=40):
    """(status, which node answered, seconds) of one call that is hung up at once."""
    began = time.monotonic()
    call = Call((server, 5060), lab.ALICE, caller="7001", local=CALLERS).start()
    status = call.wait_status(seconds)
    took, node = time.monotonic() - began, (re.search(r"c=IN IP4 (\S+)", call.answer) or ["", ""])[1]
    if status == 200:
        call.hang_up(15)
    call.close()
    return status, node, took


def spread(server, n):
    """n calls: how many each node answered, how many failed, the longest set-up."""
    rows = [dial(server) for _ in range(n)]
    count = {}
    for status, node, _ in rows:
        count[node if status == 200 else "failed"] = count.get(node if status == 200 else "failed", 0) + 1
    return count, max(took for _, _, took in rows)


def until_served_by(story, server, node, what):
    """Calls one after another until that node answers; the seconds it took."""
    began, tried = time.monotonic(), 0

    def served():
        nonlocal tried
        tried += 1
        status, by, _ = dial(server, 10)
        return status == 200 and by == node.address
    good = until(served, 90, 0.1)
    story.check(what, good)
    story.say(f"{what}: after {time.monotonic() - began:.1f} s, with call {tried}")


def drained(node, yes=True):
    status, text = node.cli.run("node", "drain" if yes else "resume")
    if status:
        raise Failed(text)


def by_dns(story, hosts_, nodes):
    story.head("DNS SRV with weights (examples/dns-srv)")
    file = example(story, "dns-srv/dnsmasq.conf", "", hosts_)
    dns = Proc("dnsmasq", ["dnsmasq", "--no-daemon", "--no-resolv", "--no-hosts", "--no-poll", f"--listen-address={space.DNS}", "--bind-interfaces",
                           "--local=/domain.local/", "--local=/domain.com/", f"--conf-file={file}"], story.dir)
    dns.wait_for("started", 20)
    file = example(story, "dns-srv/kamailio.cfg", POOL, hosts_)
    kamailio = Proc("kamailio", ["kamailio", "-DD", "-E", "-f", file, "-m", "64", "-M", "8", "-Y", story.dir], story.dir)
    if not listening(POOL, 5060, 60):
        raise Failed(kamailio.said()[-2000:])
    count, _ = spread(POOL, 60)
    one, two = (count.get(h.address, 0) for h in hosts_)
    story.say(f"60 calls with weights 75 and 25: node01 {one}, node02 {two}")
    story.check("DNS: all are answered, the one with the greater weight gets more, the other some", one + two == 60 and one > two > 0, count)
    drained(nodes[0])
    count, longest = spread(POOL, 12)
    story.say(f"node01 drained: {count}, longest set-up {longest:.1f} s")
    story.check("DNS: node01 is drained, all calls are answered by node02", count == {hosts_[1].address: 12}, count)
    drained(nodes[0], False)
    nodes[0].kill()
    count, longest = spread(POOL, 6)
    story.say(f"node01 killed: {count}, longest set-up {longest:.1f} s, where the proxy waits {FR_TIMER / 1000:.0f} s for an answer")
    story.check("DNS: node01 is dead, all calls are answered by node02", count == {hosts_[1].address: 6}, count)
    nodes[0].start(seconds=90)
    until_served_by(story, POOL, hosts_[0], "DNS: node01 is back and gets calls")
    kamailio.stop()


def options_by_tls(ca, identity):
    """Status of an OPTIONS to the balancer over mutual TLS, its certificate checked for the name of all, and whose certificate it was."""
    context = ssl.create_default_context(cafile=str(ca.cert))
    context.load_cert_chain(identity.cert, identity.key)
    with socket.create_connection((BALANCER, 5061), timeout=10) as plain, context.wrap_socket(plain, server_hostname=space.SERVICE) as tls:
        cn = dict(x[0] for x in tls.getpeercert()["subject"])["commonName"]
        token = os.urandom(6).hex()
        tls.sendall(f"OPTIONS sip:{space.SERVICE} SIP/2.0\r\nVia: SIP/2.0/TLS {space.POOL}:5061;branch=z9hG4bK{token}\r\nMax-Forwards: 70\r\n"
                    f"From: <sip:{space.POOL}>;tag={token}\r\nTo: <sip:{space.SERVICE}>\r\nCall-ID: {token}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n".encode())
        return int((tls.recv(4096) or b"SIP/2.0 0").split()[1]), cn


def by_haproxy(story, hosts_, nodes, ca):
    story.head("HAProxy for TCP and TLS (examples/haproxy)")
    hosts.Switch.add(21)
    haproxy = Proc("haproxy", ["haproxy", "-db", "-f", example(story, "haproxy/haproxy.cfg", BALANCER, hosts_)], story.dir)
    if not listening(BALANCER, 5061, 60):
        raise Failed(haproxy.said()[-2000:])
    # A gateway that knows one address, and keeps one connection to it.
    file = example(story, "dns-srv/kamailio.cfg", POOL, hosts_, **{'"sip:um.example.com"': f'"sip:{BALANCER}:5060;transport=tcp"', f'"sip:{space.SERVICE}"': f'"sip:{BALANCER}:5060;transport=tcp"'})
    kamailio = Proc("kamailio-tcp", ["kamailio", "-DD", "-E", "-f", file, "-m", "64", "-M", "8", "-Y", story.dir], story.dir)
    if not listening(POOL, 5060, 60):
        raise Failed(kamailio.said()[-2000:])
    identity = ca.issue("gateway", space.POOL, [space.POOL])
    count = {}

    def by_both():
        """HAProxy leaves out a node whose answer to a question is late, on a busy machine too; so this may need another try."""
        try:
            return {options_by_tls(ca, identity) for _ in range(4)} == {(200, n) for n in space.NODES}
        except (OSError, IndexError, KeyError):
            return False

    def by_one():
        nonlocal count
        count, _ = spread(POOL, 8)
        return list(count.values()) == [8] and "failed" not in count
    story.check("HAProxy: connections by TLS reach both nodes, each shows a certificate of its own that names the service", until(by_both, 90, 0.5))
    story.check("HAProxy: a gateway with one connection uses one node", until(by_one, 90, 0.5), count)
    story.say(f"8 calls on one connection: {count}")
    first = next(n for n, h in enumerate(hosts_) if h.address in count)
    drained(nodes[first])
    until_served_by(story, POOL, hosts_[1 - first], f"HAProxy: {nodes[first].name} is drained, calls come to {nodes[1 - first].name}")
    drained(nodes[first], False)
    if not until(by_both, 90, 0.5):
        raise Failed("HAProxy never used both nodes again")
    nodes[1 - first].kill()
    until_served_by(story, POOL, hosts_[first], f"HAProxy: {nodes[1 - first].name} is killed, calls come to {nodes[first].name}")
    nodes[1 - first].start(seconds=90)
    kamailio.stop()
    haproxy.stop()


def by_keepalived(story, hosts_, nodes):
    story.head("An address that one of them has (examples/keepalived)")
    for n, host in enumerate(hosts_):
        file = example(story, "keepalived/keepalived.conf", VIRTUAL, hosts_, **{"script_user nobody": "script_user root", "priority 100": f"priority {100 - 10 * n}"})
        own = story.dir / f"keepalived-{host.name}.conf"
        own.write_text(file.read_text().replace(f"http://{hosts_[0].address}:", f"http://{host.address}:"))
        Proc(f"keepalived-{host.name}", [*host.wrap, "keepalived", "-n", "-l", "-D", "-f", own, "-p", story.dir / f"{host.name}.pid", "-r", story.dir / f"{host.name}.vrrp",
                                         "-c", story.dir / f"{host.name}.checkers"], story.dir)

    def holder():
        """The host that has the address."""
        return next((h for h in hosts_ if f" {VIRTUAL}/" in subprocess.run([*h.wrap, "ip", "-4", "address"], capture_output=True, text=True).stdout), None)

    def served_by_holder():
        host = holder()
        return host and dial(VIRTUAL, 10)[1] == host.address and host
    host = until(served_by_holder, 120, 0.2)
    story.need("keepalived: one of the nodes has the address, and answers calls that come to it", host)
    first = hosts_.index(host)
    drained(nodes[first])
    until_served_by(story, VIRTUAL, hosts_[1 - first], f"keepalived: {nodes[first].name} is drained, calls are answered by {nodes[1 - first].name}")
    drained(nodes[first], False)
    if not until(lambda: subprocess.run(["curl", "-sf", "-m", "5", "-o", "/dev/null", f"http://{hosts_[first].address}:9910/readyz"]).returncode == 0, 60, 0.2):
        raise Failed(f"{nodes[first].name} is not ready again")
    nodes[1 - first].kill()
    until_served_by(story, VIRTUAL, hosts_[first], f"keepalived: {nodes[1 - first].name} is killed, calls are answered by {nodes[first].name}")


need_programs("balancers", "haproxy", "keepalived", "dnsmasq", "kamailio", "curl")
with Story("balancers") as story:
    hosts.Switch()
    hosts.Switch.add(20)
    both = [hosts.Host(f"node{n:02}", 10 + n) for n in (1, 2)]
    pg = Postgres(story.dir)
    pg.start()
    ca, nodes = pki.CA(story.dir / "ca"), []
    for host, fqdn in zip(both, space.NODES):
        subprocess.run([*host.wrap, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_nonlocal_bind"], check=True)
        identity = ca.issue(host.name, fqdn, [fqdn, space.SERVICE])
        nodes.append(Node(story.dir, host.name, config(story, host, identity, ca, pg.url), wrap=host.wrap).start(seconds=90))
    by_dns(story, both, nodes)
    by_haproxy(story, both, nodes, ca)
    if space.really_root():
        by_keepalived(story, both, nodes)
    else:
        story.skip("keepalived", "it takes all groups from its scripts, which only root of the machine may do")
