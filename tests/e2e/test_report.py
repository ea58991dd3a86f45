#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real calls of every kind, several at once; then the reports must say what was done, in text, JSON and CSV."""
import csv
import io
import re
from concurrent.futures import ThreadPoolExecutor

from common import *
space.enter()
import single
from labkit import site as lab
from labkit.caller import Call, speech

WORDS = speech(lab.SPEECH_A, 3)
PIN, WRONG_PIN = "739184", "518273"
FORMULA = '=HYPERLINK("http://example.org/","Smith, Ltd")'


def change(c):
    c["attendants"][0].update(keys={"1": "extension 2001", "2": "location", "3": "attendant sales"}, input_timeout_s=1, digit_timeout_ms=800, input_failures=2,
                              speech=False, location="Main Street 1",
                              greeting="Hello.", menu="Please choose.")
    c["attendants"].append({"name": "sales", "numbers": ["5001"], "dialplan": "office", "dial_by_extension": True, "digit_timeout_ms": 800})
    c["node"]["call_records"] = {"keep_days": 30}


def dial(number, caller, **how):
    return Call(single.ADDRESS, number, caller=caller, **how).start().wait_answer(8)


def ended(call, seconds=20):
    call.wait_over(seconds)
    call.close()


def message():
    """From a caller whose name a spreadsheet would obey."""
    name = FORMULA.replace('"', '\\"')
    call = dial("2001", "7001", headers=f'P-Asserted-Identity: "{name}" <sip:7001@domain.com>\nDiversion: <sip:2001@domain.com>;reason=user-busy\n')
    call.press("#")
    if not call.wait_tone(15):
        raise Failed("no tone")
    call.say(WORDS)
    call.hang_up(8)
    call.close()


def missed():
    call = dial("2002", "7002")
    time.sleep(0.6)
    call.hang_up()
    call.close()


def met(caller, pattern):
    """Waits until that step of the caller's conversation was taken."""
    def there():
        call = next((c for c in node.cli.json("call", "list")["calls"] if c["from"] == caller), None)
        return call and any(re.search(pattern, s["text"]) for s in node.cli.json("call", "show", call["id"])["steps"])
    if not until(there, 15):
        raise Failed(f"{caller} never came to {pattern}")


def keys():
    """The address, a key that is none, another attendant, and gone."""
    call = dial(lab.ATTENDANT, "7003")
    for key, step in (("2", "on keys 2"), ("9", "on wrong keys 9"), ("3", "menu -> sales on keys 3")):
        call.press(key)
        met("7003", step)
    time.sleep(0.3)
    call.hang_up()
    call.close()


def transfer():
    call = dial(lab.ATTENDANT, "7004")
    time.sleep(0.3)
    call.press("1")
    if until(lambda: call.refer_to, 15):
        call.notify("SIP/2.0 200 OK", over=True)
    ended(call)


def silent():
    ended(dial(lab.ATTENDANT, "7005"), 30)


def spelt():
    """Nobody is called 999; then Bob by his name, put through and told no."""
    call = dial(lab.ATTENDANT, "7006")
    call.press("#")
    met("7006", "-> dial by name on keys #")
    call.press("999#")
    met("7006", "names: spell -> found on ok")
    time.sleep(0.5)
    call.press("39#") # Example
    time.sleep(0.8)
    call.press("#") # not the first one
    met("7006", "names: offer -> offer on keys #")
    call.press("1")
    if until(lambda: call.refer_to, 15):
        call.notify("SIP/2.0 486 Busy Here", over=True)
    met("7006", "transfer failed: 486")
    call.hang_up()
    call.close()


def log_on():
    call = dial(lab.SUBSCRIBER, "7007")
    call.press(f"2001#{WRONG_PIN}#")
    met("7007", "logon: check PIN -> .* on wrong")
    call.press(f"2001#{PIN}#")
    met("7007", "logon: check PIN -> .* on right")
    call.hang_up()
    call.close()


def stranger():
    call = dial(lab.SUBSCRIBER, "7008")
    time.sleep(0.5)
    call.hang_up()
    call.close()


def nobody():
    call = Call(single.ADDRESS, "9999", caller="7009").start()
    call.wait_status(5)
    call.close()


def hidden():
    """Nobody's number, from a caller who wants privacy."""
    call = Call(single.ADDRESS, "9998", caller="7010", display="Harriet Hidden", headers="Privacy: id\n").start()
    call.wait_status(5)
    call.close()


def privacy(story, node):
    hidden()
    refused = soon(lambda: [x for x in node.cli.json("report", "calls", "--records")["records"] if "9998" in x["called"]], 10)
    story.check("who wants privacy is not in the record of a call that is refused", refused and (refused[0]["caller"], refused[0]["caller_name"]) == ("", ""), refused)
    told = until(lambda: [e["text"] for e in node.events(1021) if "9998" in e["text"]], 5)
    story.check("nor in its event", told and not any("7010" in e for e in told), told)


def rows(node, *args):
    status, text = node.cli.run("report", *args, "--csv")
    return list(csv.DictReader(io.StringIO(text))) if status == 0 else text


def steps(menu, what):
    return {(s["value"], s["target"]): s["count"] for s in menu["steps"] if s["what"] == what}


def single_calls(story, node):
    r = {x["caller"]: x for x in node.cli.json("report", "calls", "--records")["records"]}
    kinds = {number: x["kind"] for number, x in r.items()}
    story.check("each call is what it was", kinds == {"7001": "voice-message", "7002": "missed", "7003": "attendant", "7004": "attendant", "7005": "attendant",
                                                     "7006": "attendant", "7007": "subscriber", "7008": "unauthenticated", "7009": "none"}, kinds)
    m = r["7001"]
    story.check("the message: whose, why, through which gateway, how", (m["callee_mailbox"], m["reason"], m["gateway"], m["transport"], m["codec"], m["dialplan"],
                m["node"], m["offer_result"], m["drop_reason"]) == ("alice", "busy", "phones", "UDP", "PCMU", "office", "node01", "answer", "caller-hung-up"), m)
    story.check("packets are counted; without RTCP of the caller no round trip, and no quality is made up",
                m["packets_received"] > 100 and m["packets_lost"] == 0 and m["jitter_ms"] >= 0 and m["round_trip_ms"] is None and m["nmos"] is None
                and m["quality"] is None and m["burst_density"] is None, m)
    ends = {number: x["drop_reason"] for number, x in r.items()}
    story.check("how each ended", ends == {"7001": "caller-hung-up", "7002": "caller-hung-up", "7003": "caller-hung-up", "7004": "transferred", "7005": "gave-up",
                                         "7006": "caller-hung-up", "7007": "caller-hung-up", "7008": "caller-hung-up", "7009": "nobody-called"}, ends)
    story.check("put through where", "2001" in r["7004"]["transferred_to"], r["7004"])
    story.check("the owner who logged on", (r["7007"]["caller_mailbox"], r["7007"]["callee_mailbox"]) == ("alice", "alice"), r["7007"])
    path = [(s["attendant"], s["what"], s["value"], s["target"]) for s in r["7003"]["path"]]
    story.check("the path through two attendants", path == [("front-desk", "entered", "", ""), ("front-desk", "key", "2", "location"), ("front-desk", "wrong", "9", ""),
                                                          ("front-desk", "key", "3", "sales"), ("sales", "entered", "", ""), ("sales", "gave-up", "hung up", "menu")], path)
    path = [(s["what"], s["value"], s["target"]) for s in r["7006"]["path"]]
    story.check("names on the keys: not found, found, busy", ("not-found", "999", "") in path and ("spelt", "bob", "") in path and ("transfer", "bob", "failed") in path, path)
    everything = str(r) + node.cli.run("report", "attendants")[1] + node.cli.run("report", "calls", "--path")[1]
    story.check("no PIN is in any report, right or wrong", PIN not in everything and WRONG_PIN not in everything)


def figures(story, node):
    p = node.cli.json("report", "calls")["periods"]
    story.check("all together: nine calls", len(p) == 1 and p[0]["calls"] == 9 and p[0]["kinds"]["attendant"] == 4 and p[0]["kinds"]["missed"] == 1
                and p[0]["offer_results"]["answer"] == 8 and p[0]["offer_results"]["rejected"] == 1 and p[0]["quality"]["not-measured"] == 9, p)
    day = node.cli.json("report", "calls", "--by", "day", "--since", "2d")["periods"]
    story.check("by day: the same", sum(x["calls"] for x in day) == 9 and re.fullmatch(r"\d{4}-\d\d-\d\d", day[0]["period"]), day)
    counted = node.cli.json("report", "calls", "--mailbox", "2001")["periods"][0]
    story.check("of one mailbox, by its extension", counted["calls"] == 2 and counted["kinds"]["subscriber"] == 1, counted)
    story.check("of a gateway that was not there", node.cli.json("report", "calls", "--gateway", "nobody")["periods"][0]["calls"] == 0)
    status, text = node.cli.run("report", "calls", "--since", "never")
    story.check("a time that is none is told, with those that are", status == 1 and "yesterday" in text, text)
    status, text = node.cli.run("report", "calls", "--json", "--csv")
    story.check("two forms at once are refused", status == 2, text)
    status, text = node.cli.run("report", "calls")
    story.check("for people", status == 0 and "9 calls" in text and "voice-message 1" in text, text)
    lines = rows(node, "calls", "--by", "day")
    story.check("as CSV", sum(int(x["calls"]) for x in lines) == 9 and sum(int(x["kinds.attendant"]) for x in lines) == 4 and lines[0]["mean_nmos"] == "", lines)
    lines = rows(node, "calls", "--records", "--limit", "0")
    said = next(x for x in lines if x["caller"] == "7001")
    story.check("CSV of calls: a name that would be a formula is text, with its comma and quotes", len(lines) == 9 and said["caller_name"] == "'" + FORMULA, said)


def attendants(story, node):
    found = {a["attendant"]: a for a in node.cli.json("report", "attendants")["attendants"]}
    desk, sales = found["front-desk"], found["sales"]
    m = desk["menus"][0]
    story.check("four calls, one of them in the other attendant, too", desk["calls"] == 4 and sales["calls"] == 1 and m["calls"] == 4, found)
    story.check("which keys", steps(m, "key") == {("1", "2001"): 1, ("2", "location"): 1, ("3", "sales"): 1, ("#", "dial by name"): 1}, m)
    story.check("which names", steps(m, "spelt") == {("bob", ""): 1} and steps(m, "not-found") == {("999", ""): 1} and (m["names_found"], m["names_not_found"]) == (1, 1), m)
    story.check("put through, and not", steps(m, "transfer") == {("alice", "done"): 1, ("bob", "failed"): 1} and m["put_through"] == 1, m)
    story.check("where callers gave up", steps(m, "gave-up") == {("silence", "menu"): 1, ("hung up", "transfer"): 1} and m["gave_up"] == 2
                and steps(sales["menus"][0], "gave-up") == {("hung up", "menu"): 1}, (m, sales))
    share = next(s["share"] for s in m["steps"] if s["what"] == "key" and s["value"] == "1")
    story.check("a share of its calls", share == 25, share)
    lines = rows(node, "attendants", "sales")
    story.check("as CSV, one attendant", [(x["attendant"], x["what"], x["value"], x["target"], x["count"]) for x in lines] == [("sales", "gave-up", "hung up", "menu", "1")], lines)
    status, text = node.cli.run("report", "attendants")
    story.check("for people", status == 0 and "Attendant front-desk, 4 calls" in text and "999" in text, text)


def mailboxes(story, node):
    box = {b["mailbox"]: b for b in node.cli.json("report", "mailboxes")["mailboxes"]}
    story.check("Alice: a message, a log-on, a wrong PIN", [box["alice"][k] for k in ("calls", "messages", "missed", "logons", "failed_logons")] == [1, 1, 0, 1, 1]
                and box["alice"]["last_logon"], box)
    story.check("Bob: a missed call", [box["bob"][k] for k in ("calls", "messages", "missed", "logons")] == [1, 0, 1, 0] and not box["bob"]["last_message"], box)
    story.check("as CSV, one mailbox", [x["missed"] for x in rows(node, "mailboxes", "bob")] == ["1"])


with Story("report") as story:
    node = single.node(story, change)
    node.set_pin("alice", PIN)
    with ThreadPoolExecutor(9) as pool:
        done = [pool.submit(f) for f in (message, missed, keys, transfer, silent, spelt, log_on, stranger, nobody)]
        for f in done:
            f.result()
    story.check("every call left a record", lambda: soon(lambda: node.cli.json("report", "calls")["periods"][0]["calls"] == 9, 10))
    single_calls(story, node)
    figures(story, node)
    attendants(story, node)
    mailboxes(story, node)
    privacy(story, node)
    story.check("SIGTERM ends it in time", node.stop() == 0)
