# SPDX-License-Identifier: Apache-2.0
"""The site of the lab, put together: names, database, pool; nodes and phones are added by the story that needs them."""
import os
import socket
import ssl

from . import pki, space
from .dns import Dns
from .pg import Postgres
from .pool import Pool

VOICE = "/usr/share/asterisk/sounds/en_US_f_Allison"
# Two texts of a human voice, long enough to be told apart.
SPEECH_A = f"{VOICE}/demo-congrats.wav"
SPEECH_B = f"{VOICE}/demo-instruct.wav"
SHARED_NAMES = (space.SERVICE, *space.NODES)


class Site:
    """`site.shared` is the certificate of act 1: one for both nodes, CN um.domain.local, all names in the SAN."""

    def __init__(self, story, database=True, **pool):
        self.dir = story.dir
        self.ca = pki.CA(self.dir / "ca")
        self.shared = self.ca.issue("shared", space.SERVICE, SHARED_NAMES)
        self.own = {node: self.ca.issue(node.split(".")[0], node, [node]) for node in space.NODES}
        self.dns = Dns(self.dir)
        self.pool = Pool(self.dir, self.ca, self.ca.issue("pool", space.POOL, [space.POOL]), **pool)
        self.pg = Postgres(self.dir) if database else None

    def start(self):
        self.dns.start()
        if self.pg:
            self.pg.start()
        self.pool.start()
        return self


def ask_options(ca, identity, name, host=space.POOL, tls_max=None, timeout=2):
    """The bench test of an administrator: one OPTIONS over mutual TLS as `identity`. Status line, "closed", "silent" or "refused: why"."""
    context = ssl.create_default_context(cafile=str(ca.cert))
    context.load_cert_chain(identity.cert, identity.key)
    if tls_max:
        context.maximum_version = tls_max
    try:
        with socket.create_connection((host, 5061), timeout=timeout) as plain, context.wrap_socket(plain, server_hostname=host) as tls:
            token = os.urandom(6).hex()
            tls.sendall(f"OPTIONS sip:{host} SIP/2.0\r\nVia: SIP/2.0/TLS {name}:5061;branch=z9hG4bK{token}\r\nMax-Forwards: 70\r\n"
                        f"From: <sip:{name}>;tag={token}\r\nTo: <sip:{host}>\r\nCall-ID: {token}\r\nCSeq: 1 OPTIONS\r\n"
                        "Content-Length: 0\r\n\r\n".encode())
            answer = tls.recv(4096)
            return answer.split(b"\r\n")[0].decode() if answer else "closed"
    except (TimeoutError, socket.timeout):
        return "silent"
    except ConnectionResetError:
        return "closed"
    except (ssl.SSLError, OSError) as e:
        return f"refused: {e}"


# The lamp is a number of its own: the pool must not ring it.
ALICE, BOB, LAMP, SUBSCRIBER, ATTENDANT = "2001", "2002", "2101", "3000", "4000"


def organisation():
    """What both nodes serve: the pool, two people, an attendant. Applied at the nodes' start, the same in each file."""
    return {
        "gateways": [{
            "name": "lyncpool", "address": space.POOL, "port": 5061, "transport": "tls", "trusted_headers": True, "lamp": True,
            "judges_us": {"profile": "cn-known-servers", "known_names": list(space.NODES)},
            "options": {"interval_s": 5, "timeout_s": 5, "misses": 1, "answers": 1},
        }],
        "dialplans": [{
            "name": "office", "gateway": "lyncpool", "domain": "domain.com", "extension_digits": 4, "access_numbers": [SUBSCRIBER],
        }],
        "policies": [{"name": "standard", "silence_s": 4}],
        "attendants": [{
            "name": "front-desk", "numbers": [ATTENDANT], "dialplan": "office", "business_name": "Domain",
            "dial_by_extension": True, "dial_by_name": True,
        }],
        "mailboxes": [
            {"name": "alice", "display_name": "Alice Example", "extensions": [ALICE], "dialplan": "office", "policy": "standard",
             "dialable": True, "lamp": True, "lamp_uri": f"sip:{LAMP}@domain.com"},
            {"name": "bob", "display_name": "Bob Example", "extensions": [BOB], "dialplan": "office", "policy": "standard",
             "dialable": True, "lamp": False},
        ],
    }


def node_config(site, node, identity, tls=None, changes=None):
    """umbel.yaml of one node as Python data. `tls` ("1.2", "1.3") pins the version towards the pool."""
    short, address = node.split(".")[0], space.HOSTS[node]
    folder = site.dir / short
    config = {
        "node": {
            "name": short, "fqdn": node, "service": space.SERVICE,
            "listen": [f"tls:{address}:5061"],
            "media": {"address": address},
            "identities": [{"name": "own", "cert": str(identity.cert), "key": str(identity.key)}],
            "store": site.pg.url if site.pg else f"sqlite:{folder}/umbel.db",
            "admin": {"socket": str(folder / "admin.sock")},
            "data": str(folder / "data"),
            "log": {"json": str(folder / "events.jsonl")},
        },
        "trust": {"ca": [str(site.ca.cert)]},
        **organisation(),
    }
    if tls:
        config["gateways"][0]["tls"] = {"min": tls, "max": tls}
    if changes:
        changes(config)
    return config
