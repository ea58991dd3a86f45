#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holidays from a real HTTPS server: its certificate is verified with the schedule's own CA; a holiday closes the house within seconds of umbel reload;
the copy serves while the server is away, also after a restart; and why it cannot be fetched is said in words."""
from common import *
space.enter()
import datetime
import http.server
import ssl
import threading
import single
from labkit.pki import CA

TODAY = datetime.datetime.now(datetime.timezone.utc).date()
HOST = "calendar.contoso.com"


class Web:
    """One HTTPS server with one page; `status` and `text` may change at any time."""

    def __init__(self, folder, identity):
        self.text, self.status, self.seen = b"", 200, []
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                web.seen.append((self.path, self.headers.get("If-None-Match"), self.headers.get("User-Agent")))
                tag = f'"{hash(web.text)}"'
                same = web.status == 200 and self.headers.get("If-None-Match") == tag
                self.send_response(304 if same else web.status)
                self.send_header("ETag", tag)
                self.send_header("Content-Length", "0" if same else str(len(web.text)))
                self.end_headers()
                if not same:
                    self.wfile.write(web.text)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.1.40", 0), Handler)
        self.server.handle_error = lambda *args: None  # whoever does not believe us hangs up; that is the test
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(identity.cert, identity.key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def ics(*days):
    events = "".join(f"BEGIN:VEVENT\r\nUID:{name}\r\nDTSTART;VALUE=DATE:{day:%Y%m%d}\r\nSUMMARY:{name}\r\nEND:VEVENT\r\n" for day, name in days)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n".encode()


def state(node, say=""):
    """What the attendant does now, by its own simulation in the running node."""
    hours = [line for line in node.cli.json("attendant simulate front").get("lines", []) if line.get("kind") == "hours"]
    return (hours[0].get("state"), hours[0].get("holiday", "")) if hours else (None, None)


with Story("calendar") as story:
    with open("/etc/hosts", "a") as hosts:
        hosts.write(f"127.0.1.40 {HOST}\n")
    ca, other = CA(story.dir / "ca"), CA(story.dir / "other", "Another CA")
    web = Web(story.dir, ca.issue("web", HOST, [HOST]))
    web.text = ics((TODAY, "Founders day"), (TODAY + datetime.timedelta(days=40), "Another"))

    def with_calendar(c):
        c["schedules"] = [{"name": "office", "time_zone": "UTC", "calendar": f"https://{HOST}:{web.port}/secret-path/holidays.ics",
                           "calendar_ca": str(ca.cert)}]
        c["attendants"] = [{"name": "front", "numbers": ["2900"], "schedule": "office", "keys": {"1": "mailbox alice"}}]

    node = single.node(story, with_calendar)
    story.check("a calendar comes by https, verified with the schedule's CA", node.wait_event(2606, 10), node.events())
    story.check("its holiday closes the house today", until(lambda: state(node) == ("holiday", "Founders day"), 5), state(node))
    shown = node.cli.json("schedule show office").get("calendar", {})
    story.check("umbel schedule show says how many days and how old", shown.get("days") == 2 and shown.get("age_s", 99) < 30, shown)
    story.check("the path, which may be a secret, is in no event", not any("secret-path" in str(e) for e in node.events()))
    code, said = node.cli.run("check", node.file)
    story.check("umbel check fetches it, too", code == 0, said)

    before = len(web.seen)
    node.cli.run("reload")
    story.check("umbel reload asks again, and nothing that is unchanged is sent again",
                until(lambda: len(web.seen) > before and web.seen[-1][1] is not None, 5), web.seen)
    web.text = ics((TODAY + datetime.timedelta(days=40), "Another"))
    node.cli.run("reload")
    story.check("a holiday that was taken out there is open here", until(lambda: state(node)[0] == "open", 5), state(node))
    web.text = ics((TODAY, "Back again"))
    node.cli.run("reload")
    story.check("and one that was entered closes", until(lambda: state(node)[1] == "Back again", 5), state(node))

    web.status = 503
    node.cli.run("reload")
    story.check("a server in trouble is told with what stays in use", node.wait_event(2607, 10))
    web.stop()
    node.proc.stop()
    node.start()
    story.check("after a restart the copy closes the house, though the server is gone", state(node) == ("holiday", "Back again"), state(node))
    event = node.told("nobody takes connections at " + HOST, 10)
    story.check("who does not answer is said by name", event is not None, node.events(2607))
    shown = until(lambda: (lambda s: s if s.get("failing_since") else None)(node.cli.json("schedule show office").get("calendar", {})), 5) or {}
    story.check("umbel schedule show says since when, and what to do", shown.get("cause") == "refused-connection" and shown.get("advice"), shown)
    code, said = node.cli.run("check", node.file)
    story.check("umbel check names what it could not fetch, with its place", code == 1 and "schedules[0].calendar" in said and "umbel.yaml:" in said, said)

    code, said = node.cli.run("attendant", "simulate", "front", "--config", node.file)
    story.check("a simulation from the file takes the copy of the data folder", code == 0 and "Back again" in said, said)

    for title, identity, words in (("an authority that is not trusted", other.issue("strange", HOST, [HOST]), "authority that is not trusted"),
                                   ("another name", ca.issue("named", "www.contoso.com", ["www.contoso.com"]), "for another name"),
                                   ("an expired certificate", ca.issue("ended", HOST, [HOST], days=-1), "expired")):
        wrong = Web(story.dir, identity)
        wrong.text = ics((TODAY, "Forged"))
        node.config["schedules"][0]["calendar"] = f"https://{HOST}:{wrong.port}/"
        node.write()
        code, said = node.cli.run("check", node.file)
        story.check(f"{title} is refused in words", code == 1 and words in said, said)
        story.check(f"{title}: nothing was asked for", not wrong.seen, wrong.seen)
        wrong.stop()

    node.config["schedules"][0]["calendar"] = f"http://{HOST}/"
    node.write()
    code, said = node.cli.run("check", node.file)
    story.check("http is refused unless it is allowed", code == 1 and "calendar_plain_http" in said, said)
