# SPDX-License-Identifier: Apache-2.0
"""The three acts of the lab, told while they happen and checked. `make lab` plays them; the end-to-end tests play them in four colours
(TLS 1.2 and 1.3, a pool that closes and one that stays silent)."""
import re
import time

from . import audio, space, wire
from . import site as lab
from .caller import Call, speech
from .node import Node
from .phones import Baresip, Lamp
from .pool import VIA_IN
from .run import Failed, until

POOL = (space.HOSTS[space.POOL], 5060)
PIN = "739462"
GATEWAY = "lyncpool"


class Stage:
    """The site with its two nodes, phones of Bob and of a caller, and Alice's lamp. Alice has no phone: her calls go to voice mail."""

    def __init__(self, story, tls=None, unknown="close", spread="probe"):
        self.story, self.tls, self.unknown = story, tls, unknown
        self.site = lab.Site(story, unknown=unknown, spread=spread)
        self.nodes, self.phones = {}, {}
        self.deposits = []

    def build(self, identity_of, changes=None):
        """Everything up, the nodes last. identity_of(node FQDN) is what that node shows."""
        self.site.start()
        for fqdn in space.NODES:
            self.nodes[fqdn] = Node(self.site.dir, fqdn.split(".")[0],
                                    lab.node_config(self.site, fqdn, identity_of(fqdn), tls=self.tls, changes=changes))
            self.nodes[fqdn].start()
        self.phones["bob"] = Baresip(self.site.dir, lab.BOB, lab.SPEECH_B).start()
        self.phones["caller"] = Baresip(self.site.dir, "2003", lab.SPEECH_A).start()
        self.lamp = Lamp(self.site.dir, lab.LAMP).start()
        self.first.set_pin("alice", PIN)

    @property
    def first(self):
        return self.nodes[space.NODES[0]]

    # -- calls --
    def leave_message(self, caller, clip, keep=True):
        """A caller speaks after the tone and hangs up. The call, whose bye_status says whether it was accepted."""
        call = Call(POOL, lab.ALICE, caller=caller).start()
        try:
            call.wait_answer(8)
            if not call.wait_tone():
                raise Failed(f"caller {caller} never heard the tone")
            call.say(clip)
            time.sleep(0.2)
            call.hang_up(8)
        finally:
            call.close()
        if keep and call.bye_status == 200:
            self.deposits.append(caller)
        return call

    def served_by(self, call):
        """Which node took that call, from the pool's own words."""
        last = ""
        for _, line in self.site.pool.log("UM") + self.site.pool.log("UMNEXT"):
            if call.call_id in line and (port := re.search(r"by=sip:[^:]+:(\d+)", line)):
                last = space.NODES[int(port[1]) - VIA_IN]
        return last

    def hear_mailbox(self, seconds=25):
        """Alice calls her mailbox from some phone, logs on, and listens. The call, with all that was heard."""
        call = Call(POOL, lab.SUBSCRIBER, caller="2077").start()
        call.wait_answer(8)
        # Keys interrupt what is being said, so there is nothing to wait for but the question itself.
        time.sleep(2)
        call.press(f"{lab.ALICE}#")
        time.sleep(2)
        call.press(f"{PIN}#")
        time.sleep(3)
        call.heard.clear()
        call.press("1")
        until(lambda: call.over, seconds)
        return call

    def attendant_transfer(self, seconds=20):
        """The caller's phone asks the attendant for Bob. Whether Bob's phone was reached in time."""
        caller, bob = self.phones["caller"], self.phones["bob"]
        since, bob_since = caller.mark(), bob.mark()
        caller.dial(lab.ATTENDANT)
        caller.wait("CALL_ESTABLISHED", 10, since)
        time.sleep(2)
        caller.keys(lab.BOB)
        try:
            bob.wait("CALL_ESTABLISHED", seconds, bob_since)
            return True
        except Failed:
            return False

    def hang_up_all(self):
        for phone in self.phones.values():
            phone.hangup()
        time.sleep(1)
        for phone in self.phones.values():
            phone.mark()

    # -- what the store holds --
    def kept(self):
        """Callers of the messages in Alice's mailbox, read through a node that is alive."""
        for node in self.nodes.values():
            if node.proc.running():
                return node.callers("alice")
        raise Failed("no node is alive to be asked")

    def all_kept(self):
        kept = self.kept()
        return [d for d in self.deposits if not any(d in k for k in kept)]


def act1(stage):
    story, site = stage.story, stage.site
    story.head("Act 1: one certificate for both nodes")
    story.say(f"Both nodes show one certificate: CN {space.SERVICE}, SAN {', '.join(lab.SHARED_NAMES)}.\n"
              f"The pool calls them by name, and each name is in the SAN. But on connections that come to the pool it knows its peers\n"
              f"by the subject CN: it expects {' and '.join(space.NODES)}; towards others it {'closes' if stage.unknown == 'close' else 'stays silent'}.")
    with wire.Capture(site.dir, "act1") as cap:
        return _act1(stage, cap)


def _act1(stage, cap):
    story, site = stage.story, stage.site
    stage.build(lambda node: site.shared)
    site.pool.since()

    matrix_foretells(stage)
    story.say("A caller reaches Alice's voice mail, on each node once, and leaves a message.")
    clip, by = speech(lab.SPEECH_A, 7), {}
    for n in range(4):
        call = stage.leave_message(f"5{n:03}", clip)
        by.setdefault(stage.served_by(call), call)
        story.check(f"message {n + 1} is accepted: its BYE gets 200", call.bye_status == 200, f"{call.bye_status or 'no answer'}")
        if len(by) == 2 and n >= 1:
            break
    story.check("both nodes took one", set(by) == set(space.NODES), by.keys())

    kept = stage.first.audio_of("alice", "5000")
    like, _ = audio.likeness(audio.read(lab.SPEECH_A)[:7 * 8000], kept)
    story.check("what is stored is what was said", like > 0.9, f"correlation {like:.3f}")

    story.say("Alice hears them by phone. What she hears is what was said.")
    call = stage.hear_mailbox()
    like, at = audio.likeness(audio.read(lab.SPEECH_A)[:7 * 8000], call.heard_samples())
    story.check("what is heard is what was said", like > 0.9,
                f"correlation {like:.3f}\n" + "\n".join(n.last_call() for n in stage.nodes.values()))
    call.hang_up()
    call.close()

    story.say("The nodes ask the pool how it is (OPTIONS), on connections of their own.")
    for fqdn, node in stage.nodes.items():
        story.check(f"{node.name}: event 1400 within 15 s of its start", lambda: bool(node.wait_event(1400, 15)))
    words = explain(stage)
    lamp_is_lit(stage, False)

    story.say("A caller asks the attendant for Bob.")
    site.pool.since()
    reached = stage.attendant_transfer(15)
    time.sleep(3)
    stage.hang_up_all()
    time.sleep(1.5)
    story.check("Bob's phone never rings: the transfer fails", not reached)
    told = " ".join(" ".join(node.last_call() for node in stage.nodes.values()).split())
    story.check("umbel call show tells it in words, with the cure", "The transfer failed: TLS with gateway lyncpool" in told and "umbel cert cure lyncpool" in told, told)
    refused = [line for word, line in site.pool.log("REFUSED") if line.startswith("REFER")]
    story.check("the pool saw the REFER come from somebody it does not know", refused and f"cn={space.SERVICE}" in refused[0], site.pool.log())
    ports = [m[1] for line in refused if (m := re.search(r"from=[\d.]+:(\d+)", line))]
    talks = [t for t in cap.talks() if t.client.split(":")[1] in ports]
    story.check("on the wire: the REFER left on a connection that the node had opened, and got not one byte of answer",
                talks and all(t.up_bytes and not t.answered for t in talks), [*cap.talks(), ports])
    story.check("the pool's own connections work: the call was answered and its BYE too",
                any(w == "UMREPLY" and line.startswith("200") for w, line in site.pool.log()), site.pool.log())
    return words


IN, OUT = {"calls-in", "in-dialog-in", "failover", "redirect"}, {"options", "transfer", "lamp", "in-dialog-out"}


def matrix_foretells(stage):
    """`umbel cert matrix` before anybody calls: without a server from the files, then on each node; what it says the rest of the act shows."""
    story, site = stage.story, stage.site
    files = [x for node in stage.nodes.values() for x in ("--config", node.file)]
    pool = f"{GATEWAY}={site.pool.identity.cert}"
    status, text = stage.first.cli.run("cert", "matrix", *files, "--peer-cert", pool)
    story.check("the matrix, from the files alone, says that something breaks", status == 1, text)
    story.say("`umbel cert matrix` says beforehand:\n\n" + "\n".join("    " + x for x in text.splitlines()) + "\n")
    for node in stage.nodes.values():
        def seen():
            r = node.cli.json("cert", "matrix")
            return r if not r["uncertain"] else None
        r = until(seen, 15, 0.5) or node.cli.json("cert", "matrix")
        says = {(c["node"], c["flow"]): c["says"] for c in r["cells"]}
        names = [n.split(".")[0] for n in space.NODES]
        story.check(f"{node.name}: the matrix says that calls in will work, on both nodes", all(says[n, f] == "accepts" for n in names for f in IN), says)
        story.check(f"{node.name}: and that OPTIONS, transfers and lamps will fail, on both nodes", all(says[n, f] == "refuses" for n in names for f in OUT), says)
        cures = [x for x in r["reasons"] if x["command"] == f"umbel cert cure {GATEWAY}"]
        story.check(f"{node.name}: and prints the cure, for both", cures and set(cures[0]["nodes"]) == set(names), r["reasons"])
    status, text = stage.first.cli.run("cert", "matrix", "--consistency")
    story.check("the page of the pool names what each node should show", status == 1 and all(f"CN is {n}" in text for n in space.NODES), text)
    own = [x for node, identity in site.own.items() for x in ("--what-if", f"cert={node.split('.')[0]}:{identity.cert}")]
    status, text = stage.first.cli.run("cert", "matrix", *own)
    story.check("what if each node had a certificate of its own: nothing breaks", status == 0, text)
    status, text = stage.first.cli.run("cert", "matrix", *own, "--what-if", "node-down=node02")
    story.check("and with node02 down no call is lost", status == 0 and "no new call" in text, text)
    status, text = stage.first.cli.run("cert", "matrix", "--what-if", f"fqdn={space.SERVICE}", "--what-if", f"known={space.SERVICE}")
    story.check("what if both nodes call themselves by the common name: high availability is lost", status == 1 and "high availability" in text, text)


def matrix_is_green(stage):
    """Every flow of every node, as seen from each of them."""
    for node in stage.nodes.values():
        def green():
            status, text = node.cli.run("cert", "matrix")
            return (status, text) if status == 0 and "unknown" not in text else None
        status, text = until(green, 15, 0.5) or node.cli.run("cert", "matrix")
        stage.story.check(f"{node.name}: every flow of the matrix is accepted, on both nodes", status == 0 and "unknown" not in text, text)
    status, text = stage.first.cli.run("cert", "matrix", "--consistency")
    stage.story.check("on the page of the pool nothing is bad", status == 0, text)


def lamp_is_lit(stage, lit):
    """The lamp is told by the node on a connection of its own, so it shares the fate of OPTIONS and transfer."""
    if lit:
        shown = until(lambda: stage.lamp.shown(), 15, 0.5)
        stage.story.check("Alice's lamp is lit", shown and shown[-1][0] == "yes", shown)
    else:
        told = until(lambda: any(n.events(1344) for n in stage.nodes.values()), 15, 0.5)
        stage.story.check("Alice's lamp stays dark, and event 1344 says why", told and not stage.lamp.shown(), stage.lamp.shown())


def explain(stage):
    """What `umbel explain gateway` says on each node; returns the cure it prints, one a node."""
    story, cures = stage.story, {}
    for fqdn, node in stage.nodes.items():
        def good():
            status, text = node.cli.run("explain", "gateway", GATEWAY)
            return text if re.search(r"umbel cert cure", text) else ""
        text = until(good, 20, 1) or node.cli.run("explain", "gateway", GATEWAY)[1]
        story.check(f"{node.name}: the explanation names both names", space.SERVICE in text and fqdn in text, text)
        cure = re.search(r"^\s*(umbel cert cure .*)$|(umbel cert cure [^\n;.,]*)", text, re.M)
        story.check(f"{node.name}: the explanation prints the cure as a command", cure, text)
        if cure:
            cures[fqdn] = (cure[1] or cure[2]).strip().strip("`'\"")
        if fqdn == space.NODES[0]:
            story.say(f"`umbel explain gateway {GATEWAY}` on {node.name} says:\n\n" + "\n".join("    " + x for x in text.splitlines()) + "\n")
    return cures


def reuse_any_masks(stage):
    story = stage.story
    story.head("Aside: reuse: any would have hidden it")
    for node in stage.nodes.values():
        node.config["gateways"][0]["reuse"] = "any"
        node.write()
        reload(node)
    stage.site.pool.since()
    reached = stage.attendant_transfer(15)
    story.check("with reuse: any the REFER travels on the pool's own connection, and Bob's phone rings", reached, stage.site.pool.log())
    story.check("the pool took that REFER as part of its own conversation",
                any(w == "OURS" and line.startswith("REFER") for w, line in stage.site.pool.log()), stage.site.pool.log())
    stage.hang_up_all()
    for node in stage.nodes.values():
        del node.config["gateways"][0]["reuse"]
        node.write()
        reload(node)


def reload(node):
    import signal
    node.proc.send(signal.SIGHUP)
    time.sleep(1)


def act2(stage, cures):
    story = stage.story
    story.head("Act 2: the cure, one command a node, while a call is running")
    running = Call(POOL, lab.ALICE, caller="6001").start()
    running.wait_answer(8)
    running.wait_tone()
    running.say(speech(lab.SPEECH_B, 60), wait=False)
    for fqdn, node in stage.nodes.items():
        command = cures.get(fqdn, f"umbel cert cure {GATEWAY}")
        story.say(f"on {node.name}: {command}")
        status, text = node.cli.run(command, timeout=60)
        story.check(f"{node.name}: the printed command works as printed", status == 0, text)
        print("\n".join("              " + x for x in text.splitlines()), flush=True)
    story.check("the running call was not dropped", not running.over and not running.error, f"{running.error}")
    time.sleep(2)
    story.check("it ends as it should: its message is accepted", running.hang_up(8) == 200, f"{running.bye_status}")
    if running.bye_status == 200:
        stage.deposits.append("6001")
    running.close()


def act3_works(stage):
    story = stage.story
    story.head("Act 3: both nodes at work")
    for fqdn, node in stage.nodes.items():
        stage.site.pool.since()
        status, text = node.cli.run("gateway", "probe", GATEWAY)
        story.check(f"{node.name}: OPTIONS gets 200", status == 0 and "200" in text, text)
        known = [line for w, line in stage.site.pool.log("KNOWN") if f"cn={fqdn} " in line]
        story.check(f"{node.name}: the pool knows it by its own name now", known, stage.site.pool.log())
    matrix_is_green(stage)
    stage.leave_message("5900", speech(lab.SPEECH_A, 3))
    lamp_is_lit(stage, True)
    stage.site.pool.since()
    reached = stage.attendant_transfer(20)
    story.check("the attendant's transfer reaches Bob", reached, stage.site.pool.log())
    time.sleep(5)
    stage.hang_up_all()
    heard = stage.phones["bob"].heard()
    like = audio.likeness(audio.read(lab.SPEECH_A)[:3 * 8000], heard[-1])[0] if heard else 0
    story.check("Bob hears what the caller says", like > 0.9, f"correlation {like:.3f}")
    heard = stage.phones["caller"].heard()
    like = audio.likeness(audio.read(lab.SPEECH_B)[:3 * 8000], heard[-1])[0] if heard else 0
    story.check("the caller hears what Bob says", like > 0.9, f"correlation {like:.3f}")


STOPS = {"killed": "kill -9", "frozen": "SIGSTOP", "cut off": "its packets are lost, nobody is told"}


def act3_stop(stage, spread, how):
    """One node is stopped during calls; the seconds to the first good call after that are printed."""
    story, node = stage.story, stage.nodes[space.NODES[0]]
    words = "a pool that probes its nodes" if spread == "probe" else "a pool that only knows a DNS name"
    story.say(f"node01 is {how} ({STOPS[how]}) during calls, behind {words}.")
    clip = speech(lab.SPEECH_A, 4)
    base = f"7{len(stage.deposits):03}"
    calls = [Call(POOL, lab.ALICE, caller=f"{base}{n}").start() for n in range(4)]
    for call in calls:
        call.wait_status(8)
    for call in calls:
        call.wait_tone(20)
    for call in calls:
        call.say(clip, wait=False)
    time.sleep(2)
    began = time.monotonic()
    if how == "killed":
        node.kill()
    elif how == "frozen":
        node.freeze()
    else:
        space.lose_packets(space.HOSTS[space.NODES[0]])
    good, tried = None, 0
    while good is None and time.monotonic() - began < 60:
        tried += 1
        probe = Call(POOL, lab.ALICE, caller=f"{base}9{tried}").start()
        if probe.wait_status(10) == 200 and until(lambda: len(probe.heard) > 4000 or probe.over, 3):
            good = time.monotonic() - began
        probe.hang_up(2)
        probe.close()
    story.check(f"{how}, {spread}: calls are served again", good is not None, f"{tried} calls tried in 60 s")
    if good is not None:
        story.say(f"first good call {good:.1f} s after node01 was {how} ({tried} tried)")
    for call in calls:
        if call.hang_up(3) == 200:
            stage.deposits.append(call.caller)
        call.close()
    if how == "frozen":
        node.thaw()
        node.kill()
    elif how == "cut off":
        space.find_packets_again()
        node.kill()
    lost = stage.all_kept()
    story.check(f"{how}, {spread}: no accepted message is lost ({len(stage.deposits)} accepted so far)", not lost, f"lost: {lost}")
    node.start()
    # Two probes of the pool's dispatcher, so that it believes in the node again.
    time.sleep(5)
