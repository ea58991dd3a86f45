#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What objects of the configuration do to real callers: attendants by open hours, closed hours and holidays, closed greetings and answering rules on a
holiday out of a calendar, people of one name told apart by department, aliases, groups of outside numbers, dial plans that want TLS."""
from common import *
space.enter()
import concurrent.futures
import datetime
import re
import single
from labkit import site as lab
from labkit.caller import Call
from labkit.node import BUILD
from labkit.pki import CA

PACK = BUILD / "prompts" / "en-US.pack"
# A call of this test that begins before midnight may end after it: the day that follows counts like today.
TODAY = datetime.datetime.now(datetime.timezone.utc).date()
TOMORROW = TODAY + datetime.timedelta(days=1)


def box(name, number, **more):
    return {"name": name.split()[0].lower(), "display_name": name, "extensions": [str(number)], "dialplan": "office", "policy": "standard", "lamp": False, **more}


def objects(c, ca):
    node01 = ca.issue("node01", space.NODES[0], [space.NODES[0]])
    c["node"]["identities"] = [{"name": "own", "cert": str(node01.cert), "key": str(node01.key)}]
    c["node"]["listen"].append("tls:127.0.1.11:5061")
    c["trust"] = {"ca": [str(ca.cert)]}
    c["gateways"].append({"name": "secured", "address": "secured.domain.com", "transport": "tls", "options": {"on": False}})
    plan = c["dialplans"][0]
    plan.update(offer_by="department", outside_line="9", rules=[{"name": "city", "pattern": "9030x*", "dial": "+4930x*"}])
    c["dialplans"] += [{"name": "alias", "gateway": "phones", "domain": "domain.com", "name_order": "alias"},
                       {"name": "vault", "gateway": "secured", "domain": "domain.com", "security": "sip"}]
    holidays = [{"name": "Founders day", "from": str(TODAY), "to": str(TOMORROW)}]
    c["schedules"] = [
        {"name": "open", "hours": {"daily": "all day"}},
        {"name": "never", "hours": {"mon": "closed"}},
        {"name": "holiday", "hours": {"daily": "all day"}, "holidays": [{**holidays[0], "greeting_prompt": "not-available-yet"}]},
        {"name": "calendar", "hours": {"daily": "all day"}, "calendar": str(calendar(c))},
    ]
    keys = {"1": "log-on", "2": "mailbox vera"}
    closed = {"greeting_prompt": "goodbye", "keys": {"1": "hang-up"}}
    front = {"dialplan": "office", "speech": False, "greeting_prompt": "try-later", "keys": keys, "closed": closed}
    c["attendants"] = [{"name": s["name"], "numbers": [f"290{i}"], "schedule": s["name"], **front} for i, s in enumerate(c["schedules"])]
    c["attendants"] += [
        {"name": "by-alias", "numbers": ["2910"], "dialplan": "alias", "speech": False},
        {"name": "city", "numbers": ["2911"], "dialplan": "office", "greeting_prompt": "try-later", "allowed_rules": ["city"]},
    ]
    c["mailboxes"] += [box("Anna Meyer", 2011, department="Sales"), box("Otto Meyer", 2012, department="Support", alias="big"),
                       box("Vera Vault", 2013, dialplan="vault"),
                       box("Carla Calendar", 2014, schedule="calendar"),
                       box("Rudi Rule", 2015, rules=[{"name": "off", "closed": "calendar", "action": "hang-up", "message": False}])]


def calendar(c):
    file = Path(c["node"]["data"]).parent.parent / "holidays.ics"
    file.write_text(f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:{TODAY:%Y%m%d}\r\n"
                    f"DTEND;VALUE=DATE:{TOMORROW + datetime.timedelta(days=1):%Y%m%d}\r\nSUMMARY:Out of a calendar\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
    return file


def call(node, number, steps, caller="7900", extra=()):
    status, text = node.cli.run("call", "test", f"sip:{number}" if "@" in number else f"sip:{number}@127.0.1.11", "--from", caller, "--prompts", PACK, "--for", "40", "-e", steps, *extra, timeout=60)
    return status == 0, text


def story_of(node, caller):
    """All calls of that caller step by step, as the administrator sees them; several go on at once here, and a transfer makes another one."""
    return "".join(node.cli.run("call", "show", line.split()[0], "--steps")[1] for line in node.cli.run("call", "list", "--history")[1].splitlines()
                   if re.match(r"01\S+", line) and caller in line.split())


def told(node, caller, words):
    return until(lambda: words in story_of(node, caller), 5)


def hours(story, node):
    rows = (("2900", "try-later", "expect logon-enter-extension within 20s; hangup"), ("2901", "goodbye", "expect-bye within 8s"),
            ("2902", "not-available-yet", "expect-bye within 8s"), ("2903", "goodbye", "expect-bye within 8s"))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for (number, greeting, then), (good, said) in zip(rows, pool.map(lambda r: call(node, r[0], f"expect {r[1]} within 8s; press 1; {r[2]}"), rows)):
            story.check(f"{number}: greets with {greeting}, and key 1 does what it should then", good, said)


def mailboxes(story, node):
    good, said = call(node, "2014", "expect answer-closed within 8s; hangup", "7911")
    story.check("on a holiday of a calendar the owner cannot be reached at this time", good, said)
    good, said = call(node, "2015", "expect-bye within 15s", "7912")
    story.check("and an answering rule for closed hours applies", good and told(node, "7912", "rule off"), said)


def names(story, node):
    good, said = call(node, "2900", "expect try-later; press #; wait 1s; press 63937#; wait 3s; press #; "
                      "expect name-choose within 15s; press 1; expect-transfer within 20s", "7921")
    story.check("two of one name: the second is offered and reached", good and told(node, "7921", "transfer to sip:2012@"), said + story_of(node, "7921"))
    words = " ".join(line.get("words", "") for line in node.cli.json("attendant simulate open --keys #,63937#,#").get("lines", []))
    story.check("they are told apart by their departments", re.search(r"Anna Meyer.*Sales.*Otto Meyer.*Support", words), words)


def alias(story, node):
    good, said = call(node, "2910", "wait 2s; press #; wait 1s; press 244#; expect name-choose within 15s; press 1; expect-transfer within 20s", "7931")
    story.check("an alias is found on the keys", good and told(node, "7931", "transfer to sip:2012@"), said + story_of(node, "7931"))


def refused(story, node):
    good, said = call(node, "2900", "expect try-later; press 90301234567; expect-bye within 20s", "7941")
    story.check("an outside number is refused where no group allows it", good and told(node, "7941", "wrong keys") and
                "transfer" not in story_of(node, "7941"), said + story_of(node, "7941"))


def outside(story, node):
    caller = Call(single.ADDRESS, "2911", caller="7951").start().wait_answer(8)
    time.sleep(1)
    caller.press("90301234567")
    got = until(lambda: caller.refer_to, 25)
    caller.hang_up()
    caller.close()
    story.check("a number of an allowed group is dialled as the group says", "90049301234567" in (got or ""), str(got) + story_of(node, "7951"))


def secured(story, node):
    caller = node.ca.issue("caller", "secured.domain.com", ["secured.domain.com"])
    for transport in ("udp", "tcp"):
        good, said = call(node, f"2013@127.0.1.11;transport={transport}", "hangup", "7902", ["--listen", f"{transport}:127.0.0.1:0"])
        story.check(f"a secured dial plan refuses a call over {transport} with 403", not good and "403" in said, said)
    event = until(lambda: (lambda e: e if len(e) == 2 else None)(node.events(3250)), 5) or []
    story.check("events name caller, dial plan and transport", len(event) == 2 and "vault" in event[0]["text"] and {"UDP", "TCP"} ==
                {re.search(r"over (\w+),", e["text"])[1] for e in event}, node.events(3250))
    refused = soon(lambda: (lambda v: v if len(v) == 2 else None)([x for x in node.cli.json("report", "calls", "--records", "--dialplan", "vault")["records"]
                                                                   if x["drop_reason"] == "not-secure"]), 10)
    story.check("each left a record", refused and {(x["kind"], x["offer_result"], x["transport"]) for x in refused} == {("none", "rejected", "UDP"), ("none", "rejected", "TCP")}, refused)
    good, said = call(node, "2900", "expect try-later; press 2; expect service-failed within 8s; press 1; expect logon-enter-extension within 12s; press 2013#; "
                      "expect service-failed within 8s; hangup", "7904")
    story.check("nor does an attendant that takes any call lead there, or to its PIN", good, said + story_of(node, "7904"))
    events = until(lambda: (lambda e: e if len(e) == 2 else None)(node.events(3251)), 5) or []
    story.check("events name mailbox, dial plan and transport", len(events) == 2 and all("vera" in e["text"] and "vault" in e["text"] and "UDP" in e["text"] for e in events),
                node.events(3251))
    status, said = node.cli.run("call", "test", "sip:2013@node01.domain.local;transport=tls", "--proxy", "127.0.1.11:5061", "--listen", "tls:127.0.0.1:0",
                                "--cert", caller.cert, "--key", caller.key, "--ca", node.ca.cert, "--accept-name", space.NODES[0], "--prompts", PACK,
                                "--from", "7903", "-e", "wait 1s; hangup", timeout=60)
    story.check("and takes one over TLS", status == 0, said)


PARTS = (hours, mailboxes, names, alias, refused, outside, secured)

with Story("objects") as story:
    ca = CA(story.dir / "ca")
    node = single.node(story, lambda c: objects(c, ca))
    node.ca = ca
    with concurrent.futures.ThreadPoolExecutor(len(PARTS)) as pool:
        for done in [pool.submit(part, story, node) for part in PARTS if not sys.argv[1:] or part.__name__ in sys.argv[1:]]:
            done.result()
    story.check("SIGTERM ends it in time", node.stop() == 0)
