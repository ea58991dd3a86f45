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
