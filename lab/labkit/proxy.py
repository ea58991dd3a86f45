# SPDX-License-Identifier: Apache-2.0
"""A plain proxy and registrar as a small company runs it: Kamailio over UDP and TCP, and on request with rtpengine in the way of the audio and
with the topology hidden (Via, Record-Route and Contact of the other side are masked). What nobody answers goes to the voice mail."""
from pathlib import Path

from . import space
from .run import Failed, Proc, listening

ADDRESS, RTPENGINE = space.HOSTS[space.POOL], "127.0.1.21"

CONFIG = r"""#!KAMAILIO
debug=2
log_stderror=yes
fork=yes
children=2
tcp_children=2
auto_aliases=no
listen=udp:@ME@:5060
listen=tcp:@ME@:5060
alias="domain.com"
alias="@POOL@"
tcp_source_ipv4=@ME@
dns_try_ipv6=no
dns_try_naptr=no
server_signature=no
mpath="@MODULES@"
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
@LOAD@
modparam("usrloc", "db_mode", 0)
modparam("rr", "append_fromtag", 1)
modparam("tm", "fr_inv_timer", 20000)
modparam("dispatcher", "list_file", "@DIR@/proxy.list")
modparam("dispatcher", "ds_ping_interval", 2)
modparam("dispatcher", "ds_probing_mode", 1)
@PARAM@

request_route {
	if (!mf_process_maxfwd_header("20")) { sl_send_reply("483", "Too Many Hops"); exit; }
	if (is_method("OPTIONS") && uri == myself && $rU == $null) { sl_send_reply("200", "OK"); exit; }
	if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
	if (has_totag()) {
		if (loose_route()) {
			xlog("L_NOTICE", "INDIALOG $rm to=$ru\n");
			# A GRUU is a name of ours for one phone (RFC 5627).
			if (is_gruu() && !lookup("location")) { sl_send_reply("480", "That phone is gone"); exit; }
			route(OUT);
			exit;
		}
		if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
		sl_send_reply("481", "No such dialog");
		exit;
	}
	t_check_trans();
	if (is_method("REGISTER")) { save("location"); exit; }
	if (is_method("ACK")) exit;
	@LOGIN@
	remove_hf("Route");
	if (is_method("INVITE|SUBSCRIBE")) record_route();
	# Whose mailbox it is says the voice mail, not the phone.
	if (is_method("SUBSCRIBE") && $hdr(Event) =~ "message-summary") {
		if (!ds_select_dst("1", "4")) { sl_send_reply("480", "No voice mail"); exit; }
		xlog("L_NOTICE", "UM $rm by=$du\n");
		route(OUT);
		exit;
	}
	if (lookup("location")) { xlog("L_NOTICE", "USER $rm to=$ru over=$proto asserted=$hdr(P-Asserted-Identity)\n"); route(OUT); exit; }
	if ($rU =~ "^(2[0-9][0-9][0-9]|3000|4000)$") {
		@ASSERTED@
		if ($rU =~ "^2") append_hf("Diversion: <sip:$rU@domain.com>;reason=no-answer\r\n");
		if (!ds_select_dst("1", "4")) { sl_send_reply("480", "No voice mail"); exit; }
		xlog("L_NOTICE", "UM $rm by=$du\n");
		route(OUT);
		exit;
	}
	sl_send_reply("404", "Nobody here");
}

#!ifdef WITH_LOGIN
# What the voice mail begins must prove a password; a NOTIFY is for nobody but us.
route[LOGIN] {
	if (!($ua =~ "^umbel") || !is_method("INVITE|NOTIFY")) return;
	if (!pv_www_authenticate("domain.com", "@PASSWORD@", "0")) {
		xlog("L_NOTICE", "ASKED $rm\n");
		www_challenge("domain.com", "1");
		exit;
	}
	xlog("L_NOTICE", "PROVEN $rm\n");
	consume_credentials();
	if (is_method("NOTIFY")) { sl_send_reply("200", "OK"); exit; }
}
#!endif

route[OUT] {
	@MEDIA@
	t_on_reply("BACK");
	t_relay();
}

onreply_route[BACK] {
	xlog("L_NOTICE", "REPLY $rs $rm\n");
	@MEDIA@
}
"""


class Proxy:
    """`um` is how the node is reached: "udp" or "tcp"; `password`: what the node begins must prove it; `asserted`: who the callers of the voice mail are."""

    def __init__(self, folder, um="udp", hide=False, media=False, node="127.0.1.11", password="", asserted=""):
        self.dir, self.um, self.hide, self.media, self.node, self.password, self.asserted = Path(folder), um, hide, media, node, password, asserted
        self.kamailio = self.rtpengine = None
        self.seen = 0

    def start(self):
        load, param = [], []
        if self.hide:
            load.append('loadmodule "topoh.so"')
            param += ['modparam("topoh", "mask_key", "a key of the lab")', 'modparam("topoh", "mask_ip", "127.0.0.8")']
        if self.media:
            load.append('loadmodule "rtpengine.so"')
            param.append(f'modparam("rtpengine", "rtpengine_sock", "udp:{RTPENGINE}:2223")')
            self.rtpengine = Proc("rtpengine", ["rtpengine", "--foreground", "--log-stderr", "--no-log-timestamps", "--table=-1", "--log-level=5",
                                                f"--interface={RTPENGINE}", f"--listen-ng={RTPENGINE}:2223", "--pidfile=", "--port-min=30000",
                                                "--port-max=30200"], self.dir)
        if self.password:
            load.append('loadmodule "auth.so"')
            param += [f'modparam("auth", "{k}", {v})' for k, v in (("algorithm", '"SHA-256"'), ("nonce_count", 1), ("nonce_expire", 60), ("add_authinfo_hdr", 1))]
        text = CONFIG.replace("#!KAMAILIO\n", "#!KAMAILIO\n#!define WITH_LOGIN\n" if self.password else "#!KAMAILIO\n", 1)
        modules = next(iter(Path("/usr/lib").glob("*/kamailio/modules")), "/usr/lib/kamailio/modules")
        for key, value in {"DIR": self.dir, "MODULES": f"{modules}/", "ME": ADDRESS, "POOL": space.POOL, "NODE": self.node,
                           "PASSWORD": self.password, "LOGIN": "route(LOGIN);" if self.password else "# nobody proves anything",
                           "ASSERTED": f'append_hf("P-Asserted-Identity: {self.asserted}\\r\\n");' if self.asserted else "# nobody is vouched for",
                           "LOAD": "\n".join(load),
                           "PARAM": "\n".join(param), "MEDIA": 'rtpengine_manage("replace-origin");' if self.media else "# the audio goes its own way"}.items():
            text = text.replace(f"@{key}@", str(value))
        (self.dir / "proxy.cfg").write_text(text)
        (self.dir / "proxy.list").write_text(f"1 sip:{self.node}:5060;transport={self.um} 0 0\n")
        self.kamailio = Proc("proxy", ["kamailio", "-DD", "-E", "-f", self.dir / "proxy.cfg", "-m", "64", "-M", "8", "-Y", self.dir, "-n", "2"], self.dir)
        if not listening(ADDRESS, 5060, 15) or not self.kamailio.running():
            raise Failed("Kamailio did not start:\n" + self.kamailio.said()[-2500:])
        return self

    def since(self):
        self.seen = len(self.kamailio.said())

    def log(self):
        return self.kamailio.said()[self.seen:]

    def stop(self):
        for p in (self.kamailio, self.rtpengine):
            if p:
                p.stop()
