# SPDX-License-Identifier: Apache-2.0
"""The SIP pool lyncpool.domain.com: Kamailio, and stunnel on its way to the nodes.

Like the pool it stands for, it asks everybody for a client certificate, and on connections opened towards it believes only
peers whose subject CN is in its list of known servers; from others it drops what they say, or closes. Kamailio checks no server name
itself, so its calls to a node go through stunnel, which does (verifyChain, checkHost):

    phones --UDP/TCP 5060--> Kamailio --TLS--> stunnel --mutual TLS, name checked--> node:5061
    node --mutual TLS 5061--> Kamailio

Kamailio is given little TLS work on purpose: this version crashes after some dozens of concurrent mutual handshakes.
"""
import re
import signal
from pathlib import Path

from . import space
from .run import Proc, Failed, listening

VIA_IN, VIA_OUT = 25061, 26061  # stunnel's ports towards Kamailio and between its two halves, one a node from there on

TLS_CFG = """[server:default]
method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
certificate = {cert}
private_key = {key}
ca_list = {ca}

[client:default]
method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
certificate = {cert}
private_key = {key}
ca_list = {ca}
"""

KAMAILIO_CFG = r"""#!KAMAILIO
debug=2
log_stderror=yes
fork=yes
children=1
tcp_children=1
socket_workers=1
enable_tls=yes
auto_aliases=no
listen=udp:@ME@:5060 advertise @POOL@:5060
listen=tcp:@ME@:5060 advertise @POOL@:5060
listen=tls:@ME@:5061 advertise @POOL@:5061
alias="@POOL@"
alias="domain.com"
server_signature=no
user_agent_header="User-Agent: LabPool"
tcp_connect_timeout=2
tcp_send_timeout=3
tcp_connection_lifetime=3600
tcp_accept_aliases=no
dns_try_ipv6=no
dns_try_naptr=no
use_dns_cache=on
use_dns_failover=on
dns_srv_lb=on
dns_cache_max_ttl=5
use_dst_blocklist=off

mpath="@MODULES@"
loadmodule "tls.so"
loadmodule "tcpops.so"
loadmodule "kex.so"
loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "xlog.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "dispatcher.so"

modparam("tls", "config", "@DIR@/tls.cfg")
modparam("tm", "fr_timer", 2000)
modparam("tm", "fr_inv_timer", 60000)
modparam("rr", "append_fromtag", 0)
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_expires", 3600)
modparam("dispatcher", "list_file", "@DIR@/dispatcher.list")
modparam("dispatcher", "flags", 2)
modparam("dispatcher", "xavp_dst", "_ds_")
modparam("dispatcher", "ds_ping_method", "OPTIONS")
modparam("dispatcher", "ds_ping_from", "sip:@POOL@")
modparam("dispatcher", "ds_ping_interval", @PING@)
modparam("dispatcher", "ds_probing_mode", @PROBE@)
modparam("dispatcher", "ds_probing_threshold", 1)
modparam("dispatcher", "ds_inactive_threshold", 1)
modparam("dispatcher", "ds_ping_reply_codes", "class=2")

request_route {
	if (!mf_process_maxfwd_header("20")) { sl_send_reply("483", "Too Many Hops"); exit; }

	# Who speaks? On a connection that we opened the far port is a listening one. On any other the peer came to us: then only
	# its subject CN counts, and it must stand in the list of known servers.
	if ($pr == "tls" && $sp != 5061 && !($si == "@ME@" && ($sp == @VIA1@ || $sp == @VIA2@))) {
		if ($tls_peer_subject_cn =~ "^(@KNOWN@)$") {
			xlog("L_NOTICE", "KNOWN $rm cn=$tls_peer_subject_cn from=$si:$sp callid=$ci\n");
		} else {
			xlog("L_NOTICE", "REFUSED $rm cn=$tls_peer_subject_cn from=$si:$sp callid=$ci @HOW@\n");
			@REFUSE@
			exit;
		}
	} else if ($pr == "tls") {
		xlog("L_NOTICE", "OURS $rm from=$si:$sp callid=$ci\n");
	}

	if (is_method("OPTIONS") && uri == myself && $rU == $null) { sl_send_reply("200", "OK"); exit; }
	if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }

	if (has_totag()) {
		if (loose_route()) { route(RELAY); exit; }
		if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
		sl_send_reply("481", "No such dialog");
		exit;
	}
	remove_hf("Route");
	t_check_trans();
	if (is_method("REGISTER")) { save("location"); exit; }
	if (is_method("ACK")) exit;
	if (uri != myself) { sl_send_reply("403", "Relaying denied"); exit; }

	if (is_method("INVITE|NOTIFY|MESSAGE|OPTIONS")) {
		if ($rU =~ "^(@PILOTS@)$") { route(TO_UM); exit; }
		if (lookup("location")) {
			if (is_method("INVITE")) record_route();
			xlog("L_NOTICE", "USER $rm to=$tU at=$ru callid=$ci\n");
			t_relay();
			exit;
		}
		if (is_method("INVITE") && $rU =~ "^2[0-9][0-9][0-9]$") {
			append_hf("Diversion: <sip:$rU@domain.com>;reason=no-answer\r\n");
			route(TO_UM);
			exit;
		}
	}
	sl_send_reply("404", "Nobody here");
	exit;
}

# Calls to the voice mail. The nodes see our name in Record-Route, over TLS; the phone sees it over its own transport.
route[TO_UM] {
	if ($pr == "tcp") record_route_preset("@POOL@:5061;transport=tls;r2=on", "@POOL@:5060;transport=tcp;r2=on");
	else if ($pr == "tls") record_route_preset("@POOL@:5061;transport=tls");
	else record_route_preset("@POOL@:5061;transport=tls;r2=on", "@POOL@:5060;r2=on");
	@CHOOSE@
	xlog("L_NOTICE", "UM $rm to=$rU by=$du callid=$ci\n");
	t_on_reply("ANSWERED");
	t_relay();
	exit;
}

onreply_route[ANSWERED] {
	xlog("L_NOTICE", "UMREPLY $rs from=$si:$sp callid=$ci\n");
}

failure_route[NEXT] {
	if (t_is_canceled()) exit;
	if (t_check_status("408|5[0-9][0-9]") && ds_next_dst()) {
		xlog("L_NOTICE", "UMNEXT by=$du callid=$ci\n");
		t_on_reply("ANSWERED");
		t_on_failure("NEXT");
		t_relay();
	}
}

route[RELAY] {
	@VIA_STUNNEL@
	xlog("L_NOTICE", "INDIALOG $rm to=$ru by=$du callid=$ci\n");
	if (is_method("REFER")) t_on_reply("REFERRED");
	t_relay();
}

onreply_route[REFERRED] {
	xlog("L_NOTICE", "REFERREPLY $rs callid=$ci\n");
}
"""


class Pool:
    """`unknown` says what happens to strangers: "close" or "silent". `spread` says how calls find a node: "probe" (a dispatcher that
    asks by OPTIONS), "dns" (names only, no asking), or a node's name (all calls there)."""

    def __init__(self, folder, ca, identity, unknown="close", spread="probe", known=space.NODES, tls_max=None, ping_s=2):
        self.dir, self.ca, self.identity = Path(folder), ca, identity
        self.unknown, self.spread, self.known, self.tls_max, self.ping_s = unknown, spread, known, tls_max, ping_s
        self.kamailio = self.stunnel = None
        self.mark = 0

    def start(self):
        self._write()
        self.stunnel = Proc("stunnel", ["stunnel4", self.dir / "stunnel.conf"], self.dir)
        for n in range(len(space.NODES)):
            if not listening(space.HOSTS[space.POOL], VIA_OUT + n):
                raise Failed("stunnel did not start:\n" + self.stunnel.said()[-1500:])
        self.kamailio = Proc("kamailio", ["kamailio", "-DD", "-E", "-f", self.dir / "kamailio.cfg", "-m", "64", "-M", "8",
                                          "-Y", self.dir, "-n", "1"], self.dir)
        # TCP 5060 answers when all workers are up; no TLS handshake is wasted on asking.
        if not listening(space.HOSTS[space.POOL], 5060, 15) or not self.kamailio.running():
            raise Failed("Kamailio did not start:\n" + self.kamailio.said()[-2500:])

    def _write(self):
        me = space.HOSTS[space.POOL]
        via = [f"sip:{me}:{VIA_IN + n};transport=tls" for n in range(len(space.NODES))]
        probe = self.spread == "probe"
        # Our own requests inside a dialog go to the node that has it: by name or by address, again through stunnel.
        by_node = "".join(
            f'\tif ($rd == "{node}" || ($rd == "{space.HOSTS[node]}" && $rP == "TLS")) $du = "{via[n]}";\n'
            for n, node in enumerate(space.NODES))
        if probe:
            choose = ('if (!ds_select_dst("1", "4")) { xlog("L_NOTICE", "NONODE callid=$ci\\n"); '
                      'sl_send_reply("480", "No voice mail server answers"); exit; }\n\tt_on_failure("NEXT");')
        elif self.spread == "dns":
            choose = f'$du = "sip:{space.SERVICE};transport=tls";'
            by_node = ""
        else:
            choose = f'$du = "{via[space.NODES.index(self.spread)]}";'
        refuse = "tcp_close_connection();" if self.unknown == "close" else "# not a word"
        text = KAMAILIO_CFG
        modules = next(iter(Path("/usr/lib").glob("*/kamailio/modules")), "/usr/lib/kamailio/modules")
        for key, value in {"DIR": self.dir, "MODULES": f"{modules}/", "ME": me, "POOL": space.POOL, "VIA1": VIA_IN, "VIA2": VIA_IN + 1, "PILOTS": "3000|4000",
                           "PING": self.ping_s if probe else 0, "PROBE": 1 if probe else 0, "REFUSE": refuse, "HOW": self.unknown,
                           "KNOWN": "|".join(re.escape(k) for k in self.known), "CHOOSE": choose, "VIA_STUNNEL": by_node}.items():
            text = text.replace(f"@{key}@", str(value))
        (self.dir / "kamailio.cfg").write_text(text)
        files = {"cert": self.identity.cert, "key": self.identity.key, "ca": self.ca.cert}
        (self.dir / "tls.cfg").write_text(TLS_CFG.format(**files))
        (self.dir / "dispatcher.list").write_text("".join(f"1 {v} 0 0\n" for v in via))
        lines = ["foreground = yes", "debug = info", "pid =", "socket = l:TCP_NODELAY=1", "socket = r:TCP_NODELAY=1"]
        for n, node in enumerate(space.NODES):
            lines += [f"[{node.split('.')[0]}-in]", f"accept = {me}:{VIA_IN + n}", f"connect = {me}:{VIA_OUT + n}",
                      f"cert = {files['cert']}", f"key = {files['key']}",
                      f"[{node.split('.')[0]}-out]", "client = yes", f"accept = {me}:{VIA_OUT + n}", f"connect = {node}:5061",
                      f"cert = {files['cert']}", f"key = {files['key']}", f"CAfile = {files['ca']}", "verifyChain = yes",
                      f"checkHost = {node}", f"sni = {node}", "TIMEOUTclose = 0", "TIMEOUTconnect = 3", "delay = yes"]
            if self.tls_max:
                lines.append(f"sslVersionMax = {self.tls_max}")
        (self.dir / "stunnel.conf").write_text("\n".join(lines) + "\n")

    def since(self):
        """From here on log() tells: call it before the thing that is looked at."""
        self.mark = len(self.kamailio.said())

    def log(self, word=None):
        """The pool's own words since the mark: (word, line) of KNOWN, REFUSED, OURS, UM, UMREPLY, UMNEXT, INDIALOG, REFERREPLY."""
        rows = re.findall(r"<script>: ([A-Z]+) ([^\n]*)", self.kamailio.said()[self.mark:])
        return [row for row in rows if word in (None, row[0])]

    def stop(self):
        for p in (self.kamailio, self.stunnel):
            if p:
                p.stop()

    def restart(self, **changes):
        self.stop()
        for key, value in changes.items():
            setattr(self, key, value)
        self.start()
