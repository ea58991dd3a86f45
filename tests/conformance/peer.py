# SPDX-License-Identifier: Apache-2.0
"""The side that is judged: it shows a certificate, as server or as client, and writes down what it sees of the verdict."""
import queue
import select
import socket
import ssl
import threading
import time

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class Sight:
    """What one connection showed: the handshake came to its end on our side; the alert that was read; how it ended."""

    def __init__(self):
        self.handshake, self.alert, self.alert_late, self.data, self.end = False, None, False, b"", ""

    def shown(self):
        """False when our own library did not even show the certificate: no suite or signature that both know, and that the key can do."""
        return self.handshake or self.alert is not None or not self.end.startswith("tls: NO_S")

    def words(self):
        """In the words of the report: "data", "alert 42", "alert 42 late", "close", "close early", "silence", "not shown"."""
        if self.data:
            return "data"
        if not self.shown():
            return "not shown"
        if self.alert:
            return f"alert {self.alert}" + (" late" if self.alert_late else "")
        if self.end == "silence":
            return "silence"
        return "close" if self.handshake else "close early"


def context(side, case_file, key_file, version, alpn=()):
    """A context that shows whatever it is given: our own library's opinion of the certificate must not matter."""
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if side == "server" else ssl.PROTOCOL_TLS_CLIENT)
    ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
    ctx.set_ciphers("ALL:@SECLEVEL=0")
    ctx.minimum_version = ctx.maximum_version = VERSIONS[version]
    if case_file:
        ctx.load_cert_chain(case_file, key_file)
    if side == "server":
        ctx.num_tickets = 0
    return ctx


def watch(ctx, sight):
    def seen(_conn, direction, _version, content, message, data):
        if content == 21 and direction == "read" and len(data) == 2 and data[1] != 0 and sight.alert is None:
            sight.alert, sight.alert_late = data[1], sight.handshake
    ctx._msg_callback = seen


def converse(raw, ctx, sight, server, say=b"", name=None, reply=None, patience=5):
    """Handshake, say something, read until there is an answer, an end, or no more patience."""
    raw.settimeout(patience)
    try:
        with ctx.wrap_socket(raw, server_side=server, server_hostname=name, do_handshake_on_connect=False, suppress_ragged_eofs=True) as tls:
            tls.do_handshake()
            sight.handshake = True
            if say:
                if late_alert(tls):
                    sight.end = "close"
                    return sight
                tls.settimeout(patience)
                tls.sendall(say)
            got = tls.recv(16384)
            sight.data, sight.end = got, "" if got else "close"
            if got and reply:
                tls.sendall(reply(got))
            if got:
                # An orderly end, so that the other side is not disturbed in what it does next. SIP programs would keep the connection.
                tls.settimeout(0 if b"SIP/2.0" in got else 0.5)
                try:
                    tls.unwrap()
                except (OSError, ValueError):
                    pass
    except (TimeoutError, socket.timeout):
        sight.end = "silence"
    except ssl.SSLError as e:
        sight.end = "tls: " + str(e.reason)
    except OSError as e:
        sight.end = "close: " + e.__class__.__name__
    return sight


def late_alert(tls, patience_s=0.3):
    """In TLS 1.3 the judgement of a client comes after its handshake. Whoever speaks before it came may lose the alert to a reset, so wait
    for the first sign of life, which of most servers is a ticket. True if the connection ended."""
    if tls.version() != "TLSv1.3":
        return False
    if not select.select([tls], [], [], patience_s)[0]:
        return False
    tls.settimeout(0)
    try:
        return not tls.recv(16384)
    except ssl.SSLWantReadError:
        return False


class Server:
    """We listen, the verifier dials us. show() says with which certificate the next connections are answered; seen() gives what came of
    the first of them."""

    def __init__(self, port=0, reply=None, addresses=("0.0.0.0", "::")):
        self.reply, self.ctx, self.turn, self.sights = reply, None, 0, queue.Queue()
        self.sockets = []
        for a in addresses:
            s = socket.socket(socket.AF_INET6 if ":" in a else socket.AF_INET)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if ":" in a:
                s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            s.bind((a, port))
            port = s.getsockname()[1]
            s.listen(64)
            self.sockets.append(s)
        self.port = port
        threading.Thread(target=self._run, daemon=True).start()

    def show(self, case_file, key_file, version):
        self.turn += 1
        self.ctx = context("server", case_file, key_file, version)
        while not self.sights.empty():
            self.sights.get_nowait()

    def _run(self):
        while True:
            for ready in select.select(self.sockets, [], [])[0]:
                raw, _ = ready.accept()
                threading.Thread(target=self._one, args=(raw, self.ctx, self.turn), daemon=True).start()

    def _one(self, raw, ctx, turn):
        sight = Sight()
        watch(ctx, sight)
        converse(raw, ctx, sight, True, reply=self.reply)
        if turn == self.turn:
            self.sights.put(sight)

    def seen(self, patience=6):
        try:
            return self.sights.get(timeout=patience)
        except queue.Empty:
            return None


def dial(port, case_file, key_file, version, say, address="127.0.0.1", name=None):
    """We dial a verifier that listens; gives what we saw."""
    sight = Sight()
    ctx = context("client", case_file, key_file, version)
    watch(ctx, sight)
    try:
        raw = socket.create_connection((address, port), timeout=5)
    except OSError as e:
        sight.end = f"no connection: {e}"
        return sight
    return converse(raw, ctx, sight, False, say, name)


def wait_port(port, seconds=20, address="127.0.0.1"):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            socket.create_connection((address, port), timeout=1).close()
            return True
        except OSError:
            time.sleep(0.05)
    return False
