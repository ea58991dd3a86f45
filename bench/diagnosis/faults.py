# SPDX-License-Identifier: Apache-2.0
"""The faults. Each is a function that changes a Draft (a gateway that would be well otherwise) and says what must be said of it:

expect   stable names of verdicts that name the cause rightly; where the facts allow no more, the name of the symptom
most     how sure it may be at most: more is dishonest
advice   what the advice must say for the fix to be one that was printed
fix      "command": the verdict's command, literally. "config": the line "gateways: NAME: KEY: VALUE" of the advice, literally.
         A function: the change of DNS, certificate or service that the advice names. None: nothing that a harness can do.
"""
import ssl
from labkit import space
import authority
from world import BACKEND, DNS_BAD, FAKETIME, dial_bytes, dial_tls, request, send_udp  # noqa: F401

FAULTS, CONTROLS = [], []


def fault(group, expect, most="sure", advice=None, fix=None, quick=False, direction="dialled", site="a", weight=1):
    def take(fn):
        FAULTS.append({"name": fn.__name__.replace("_", "-"), "group": group, "fn": fn, "expect": expect.split(), "most": most, "advice": advice, "fix": fix,
                       "quick": quick, "direction": direction, "site": site, "weight": weight})
        return fn
    return take


def control(fn):
    CONTROLS.append({"name": fn.__name__.replace("_", "-"), "group": "control", "fn": fn, "expect": [], "most": "sure", "advice": None, "fix": None,
                     "quick": True, "direction": "dialled", "site": "a", "weight": 1})
    return fn


# ---- fixes that several share ----
def mend_dns(w, d):
    d.records = [f"--host-record={d.host},{d.address}"]
    if d.bad_dns:
        d.bad_dns = d.address
    w.dirty.add("dns")


def good_certificate(w, d):
    d.stunnel.pop("cert", None)
    w.dirty.add("stunnel")


def plain_stunnel(w, d):
    d.stunnel = {"cert": d.stunnel.get("cert")}
    w.dirty.add("stunnel")


def clear_way(w, d):
    d.box["do"] = "pass"
    d.stunnel = {} if d.stunnel is None else d.stunnel
    w.dirty.update(("boxes", "stunnel"))


def well_refuser(w, d):
    d.refuser = ["--how", "not"]
    w.dirty.add(d.name)


def service_runs(w, d):
    d.stunnel = {}
    w.dirty.add("stunnel")


def backend_ok(w, d):
    d.backend = "200 OK"
    d.stunnel.pop("to", None)
    w.dirty.add("stunnel")


def peer_dials_well(w, d):
    pass  # the peer's next connection is d.dial_good


# ---- DNS ----
@fault("dns", "dns-name-unknown", advice=r"dig \S+ @", fix=mend_dns, quick=True)
def name_not_in_dns(w, d):
    d.records, d.stunnel["cert"] = [], d.cert()


@fault("dns", "dns-no-address", advice="Enter an address", fix=mend_dns)
def name_without_address(w, d):
    d.records, d.stunnel["cert"] = [f"--txt-record={d.host},nothing here"], d.cert()


def ill_name(how):
    def change(w, d):
        d.host = d.conf["address"] = d.host.replace(w.zone, w.bad_zone)
        d.records, d.bad_dns = [], how
    return change


@fault("dns", "dns-failed", advice="dig", fix=mend_dns)
def name_server_fails(w, d):
    ill_name("servfail")(w, d)


@fault("dns", "dns-refused", advice="Allow this node", fix=mend_dns)
def name_server_refuses(w, d):
    ill_name("refused")(w, d)


@fault("dns", "dns-timeout", advice="dig", fix=mend_dns)
def name_server_is_silent(w, d):
    ill_name("silent")(w, d)


@fault("dns", "connection-refused", advice="whether the service runs", fix=mend_dns)
def one_of_two_addresses_is_dead(w, d):
    """Half of a pool: the other half answers all the while, and says nothing of this one."""
    d.records = [f"--host-record={d.host},{d.address}", f"--host-record={d.host},127.0.4.{w.rng.randrange(2, 250)}"]


@fault("dns", "connection-refused", advice="whether the service runs", fix=mend_dns)
def address_of_nobody(w, d):
    d.records = [f"--host-record={d.host},127.0.4.{w.rng.randrange(2, 250)}"]


@fault("dns", "name-mismatch", advice="must show a certificate", fix=mend_dns)
def address_of_somebody_else(w, d):
    """DNS leads to another host, which serves well under its own name."""
    other = w.rng.choice([x for x in w.drafts if x.fault["group"] == "control" and x.stunnel is not None and not x.box and x.conf["transport"] == "tls"])
    d.records = [f"--host-record={d.host},{other.address}"]
    d.stunnel["port_of"], d.conf["port"] = other.name, other.port
    d.port = other.port
    if other.conf.get("tls"):
        d.conf["tls"] = dict(other.conf["tls"])


@fault("dns", "dns-name-unknown", advice="dig", fix=mend_dns)
def srv_to_nowhere(w, d):
    d.port = 5061
    d.conf.pop("port")
    d.records = [f"--srv-host=_sips._tcp.{d.host},{next(w.words)}.{w.zone},5061,10,10"]


# ---- TCP ----
@fault("tcp", "connection-refused", advice="whether the service runs", fix=service_runs, quick=True)
def nothing_listens(w, d):
    d.stunnel = None


@fault("tcp", "connection-refused", advice="Check the port", fix=lambda w, d: (d.conf.update(port=d.port), w.dirty.add(("config", d.node.name))))
def wrong_port(w, d):
    d.conf["port"] = d.port - 1


def no_filter(w, d):
    w.drops.discard((d.address, "tcp", d.port))
    w.drops.discard((d.address, "udp", d.port))
    w.dirty.add("filters")


@fault("tcp", "connect-timeout", advice="Allow TCP port", fix=no_filter, quick=True)
def port_is_filtered(w, d):
    w.drops.add((d.address, "tcp", d.port))


@fault("tcp", "no-route", advice="ip route get", fix=mend_dns)
def no_network(w, d):
    d.records = [f"--host-record={d.host},192.0.2.{w.rng.randrange(1, 250)}"]


@fault("tcp", "no-route", advice="ip route get", fix=mend_dns)
def host_unreachable(w, d):
    d.records = [f"--host-record={d.host},198.51.100.{w.rng.randrange(1, 250)}"]


@fault("tcp", "closed-before-tls connect-reset", advice="openssl s_client|load balancer", fix=clear_way, quick=True)
def reset_after_connect(w, d):
    d.box = {"do": "reset-at-accept"}


@fault("tcp", "closed-before-tls", most="unknown", advice="openssl s_client", fix=clear_way)
def closed_after_connect(w, d):
    d.box = {"do": "cut-at-accept"}


@fault("tcp", "tcp-without-sip", most="unknown", advice="openssl s_client", fix=clear_way)
def plain_tcp_says_nothing(w, d):
    d.conf["transport"] = "tcp"
    d.conf.pop("tls")
    d.box, d.stunnel = {"do": "swallow"}, None
    d.box["to"] = (BACKEND, w.status_port("200 OK"))


@fault("tcp", "udp-silent", most="unknown", advice="UDP port", fix=no_filter)
def udp_is_filtered(w, d):
    d.conf["transport"] = "udp"
    d.conf.pop("tls")
    d.stunnel, d.udp_kamailio = None, True
    w.drops.add((d.address, "udp", d.port))


# ---- TLS ----
@fault("tls", "no-common-tls-version", advice="TLS 1.2 or 1.3", fix=plain_stunnel, quick=True)
def peer_too_old(w, d):
    d.conf["tls"] = {}
    d.stunnel["more"] = ["sslVersionMax = TLSv1.1", "sslVersionMin = TLSv1", "ciphers = ALL:@SECLEVEL=0"]


@fault("tls", "no-common-tls-version", advice="legacy: tls10", fix="config")
def peer_too_old_for_good(w, d):
    d.conf["tls"] = {}
    d.stunnel["more"] = ["sslVersionMax = TLSv1.1", "sslVersionMin = TLSv1", "ciphers = ALL:@SECLEVEL=0"]


@fault("tls", "no-common-tls-version", advice="TLS 1.2 or 1.3", fix=plain_stunnel)
def peer_too_new(w, d):
    d.conf["tls"] = {"max": "1.2"}
    d.stunnel["more"] = ["sslVersionMin = TLSv1.3"]


@fault("tls", "no-common-cipher", advice="ECDHE and AES-GCM", fix=plain_stunnel)
def no_common_suite(w, d):
    d.conf["tls"] = {}
    d.stunnel["more"] = ["sslVersionMax = TLSv1.2", "ciphers = " + w.rng.choice(("CAMELLIA256-SHA", "ARIA256-GCM-SHA384", "PSK-AES128-CBC-SHA"))]


@fault("tls", "no-common-cipher", advice="legacy: cbc", fix="config")
def peer_has_old_suites_only(w, d):
    d.conf["tls"] = {}
    d.stunnel["more"] = ["sslVersionMax = TLSv1.2", "ciphers = " + w.rng.choice(("AES128-SHA:AES256-SHA", "AES128-SHA256", "ECDHE-RSA-AES256-SHA"))]


@fault("tls", "handshake-no-answer", most="unknown", advice="openssl s_client", fix=clear_way, quick=True)
def accepts_and_says_nothing(w, d):
    d.box = {"do": "swallow"}


@fault("tls", "tls-on-plain-port", advice="TLS port", fix="config")
def tls_to_a_plain_port(w, d):
    """A real SIP service on plain TCP, and we are told to speak TLS to it."""
    d.stunnel, d.box = None, {"do": "pass", "to": (BACKEND, w.status_port("200 OK"))}


@fault("tls", "tls-on-plain-port", advice="TLS port", fix="config")
def plain_to_a_tls_port(w, d):
    d.conf["transport"] = "tcp"
    d.conf.pop("tls")


@fault("tls", "plain-sip-on-tls-port", advice="TLS", fix=clear_way)
def speaks_plain_sip(w, d):
    d.box = {"do": "say", "words": f"SIP/2.0 {w.rng.choice((400, 488, 500))} No TLS here\r\nContent-Length: 0\r\n\r\n"}


@fault("tls", "http-on-tls-port", advice="Check address and port", fix=clear_way)
def speaks_http(w, d):
    d.box = {"do": "say", "words": "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"}


@fault("tls", "not-tls", advice="Check address and port", fix=clear_way)
def speaks_something_else(w, d):
    d.box = {"do": "say", "words": w.rng.choice(("220 mail ESMTP\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "* OK IMAP4 ready\r\n", "-ERR unknown command\r\n"))}


ALERTS = {42: ("peer-refused-certificate", "likely"), 43: ("peer-refused-purpose", "likely"), 44: ("peer-says-revoked", "sure"), 45: ("peer-says-expired", "likely"),
          46: ("peer-refused-without-reason", "unknown"), 48: ("peer-does-not-trust-our-issuer", "sure"), 80: ("peer-internal-error", "unknown"),
          40: ("handshake-failure-alert", "unknown")}
HELLO_ALERTS = {40: ("no-common-cipher", "likely"), 70: ("no-common-tls-version", "sure"), 71: ("no-common-cipher", "sure"), 47: ("tls-protocol-error", "sure"),
                80: ("peer-internal-error", "unknown"), 112: ("peer-not-this-name", "sure"), 49: ("peer-denied-access", "sure")}


def alert(number, hello):
    name, most = (HELLO_ALERTS if hello else ALERTS)[number]

    def change(w, d):
        d.stunnel = None
        d.conf["tls"] = {}
        version = w.rng.choice(("1.2", "1.3"))
        d.refuser = ["--how", "alert-at-hello" if hello else "alert", "--alert", number, "--tls", version]
    change.__name__ = f"alert_{number}_{'at_hello' if hello else 'to_our_certificate'}"
    fault("alerts", name, most=most, fix=well_refuser, quick=number in (48, 70))(change)


for n in ALERTS:
    alert(n, False)
for n in HELLO_ALERTS:
    alert(n, True)


def half_way(how, expect, most):
    def change(w, d):
        d.stunnel, d.conf["tls"] = None, {}
        d.refuser = ["--how", how, "--tls", "1.2"]
    change.__name__ = how.replace("-", "_")
    fault("tls", expect, most=most, fix=well_refuser)(change)


half_way("stall-after-hello", "handshake-stalled", "unknown")
half_way("fin-after-hello", "closed-in-handshake", "likely")
half_way("rst-after-hello", "closed-in-handshake", "likely")


# ---- certificates of the peer ----
@fault("certificates", "certificate-expired", advice="Renew the certificate", fix=good_certificate, quick=True)
def peer_expired(w, d):
    d.stunnel["cert"] = d.cert(days=(-100, -w.rng.randrange(1, 60)))


@fault("certificates", "certificate-not-yet-valid", advice="clock", fix=good_certificate)
def peer_not_yet_valid(w, d):
    d.stunnel["cert"] = d.cert(days=(w.rng.randrange(2, 60), 90))


@fault("certificates", "issuer-not-trusted root-not-trusted", advice="umbel trust add FILE", fix="command", quick=True)
def issuer_unknown(w, d):
    ca = authority.Authority(w.keys, w.dir / f"ca-{d.name}", f"{d.name.title()} CA")
    d.stunnel["cert"] = d.cert(ca=ca)
    d.trust_file = ca.cert


@fault("certificates", "root-not-trusted", advice="umbel trust add FILE", fix="command")
def root_sent_but_unknown(w, d):
    ca = authority.Authority(w.keys, w.dir / f"ca-{d.name}", f"{d.name.title()} CA")
    c = d.cert(ca=ca)
    c.cert.write_text(c.cert.read_text() + ca.cert.read_text())
    d.stunnel["cert"], d.trust_file = c, ca.cert


def send_intermediate(w, d):
    d.stunnel["cert"] = d.cert(ca=w.middle)
    w.dirty.add("stunnel")


@fault("certificates", "issuer-not-trusted", advice="must send it along", fix=send_intermediate)
def intermediate_not_sent(w, d):
    d.stunnel["cert"] = d.cert(ca=w.middle, send_chain=False)


@fault("certificates", "self-signed", advice="umbel trust add FILE", fix="command")
def self_signed(w, d):
    d.stunnel["cert"] = authority.self_signed(w.keys, w.dir, [d.host])
    d.trust_file = d.stunnel["cert"].cert


@fault("certificates", "certificate-wrong-purpose", advice="both usages", fix=good_certificate, quick=True)
def peer_lacks_server_usage(w, d):
    d.stunnel["cert"] = d.cert(usage=w.rng.choice(("clientAuth", "codeSigning", "1.3.6.1.5.5.7.3.20")))


@fault("certificates", "certificate-too-weak", advice="RSA-2048", fix=good_certificate)
def key_too_short(w, d):
    d.stunnel["cert"] = d.cert(key="rsa-1024")


@fault("certificates", "issuer-is-no-ca", fix=good_certificate)
def issued_by_no_authority(w, d):
    """A leaf that signed another."""
    leaf = authority.Authority.__new__(authority.Authority)
    mine = w.ca.issue([f"leaf.{w.zone}"], key="rsa-2048")
    leaf.keys, leaf.dir, leaf.above, leaf.n = w.keys, w.dir / f"leaf-{d.name}", None, 0
    (leaf.dir / "new").mkdir(parents=True)
    (leaf.dir / "index").touch()
    leaf.conf, leaf.cert, leaf.key = leaf.dir / "ca.conf", leaf.dir / "ca.pem", leaf.dir / "ca.key"
    leaf.conf.write_text(authority.CONF.format(dir=leaf.dir))
    leaf.cert.write_text(mine.alone.read_text())
    leaf.key.write_text(mine.key.read_text())
    c = d.cert(ca=leaf)
    c.cert.write_text(c.cert.read_text() + leaf.cert.read_text())
    d.stunnel["cert"] = c


def under(w, d, above, name, **ext):
    """An authority below `above`, with something in its certificate that forbids what it does."""
    return authority.Authority(w.keys, w.dir / f"{name.lower().replace(' ', '-')}-{d.name}", name, above=above, **ext)


@fault("certificates", "path-length-exceeded", fix=good_certificate)
def authority_below_a_last_one(w, d):
    last = under(w, d, w.ca, "Last CA", extra=["basicConstraints=critical,CA:TRUE,pathlen:0"])
    below = under(w, d, last, "Below CA")
    c = d.cert(ca=below)
    c.cert.write_text(c.cert.read_text() + last.cert.read_text())
    d.stunnel["cert"] = c


@fault("certificates", "name-outside-constraints", fix=good_certificate)
def authority_for_other_names(w, d):
    other = under(w, d, w.ca, "Other CA", extra=["nameConstraints=critical,permitted;DNS:other.example"])
    d.stunnel["cert"] = d.cert(ca=other)


@fault("certificates", "issuer-may-not-sign", fix=good_certificate)
def authority_that_may_not_sign(w, d):
    mute = under(w, d, w.ca, "Mute CA", extra=["keyUsage=critical,digitalSignature"])
    d.stunnel["cert"] = d.cert(ca=mute)


@fault("certificates", "critical-extension-unknown", fix=good_certificate)
def extension_that_nobody_knows(w, d):
    d.stunnel["cert"] = d.cert(extra=["1.2.3.4.5.6=critical,ASN1:UTF8String:what"])


@fault("certificates", "certificate-expired", advice="Renew the certificate", fix=good_certificate)
def intermediate_expired(w, d):
    old = authority.Authority(w.keys, w.dir / f"old-{d.name}", "Old Issuing CA", above=w.ca, days=(-300, -5))
    d.stunnel["cert"] = d.cert(ca=old)


@fault("certificates", "certificate-revoked", advice="new certificate", fix=good_certificate, site="crl")
def peer_revoked(w, d):
    d.stunnel["cert"] = c = d.cert()
    w.ca.revoke(c)


def add_crl(w, d):
    d.node.crls.append(d.crl)
    w.dirty.add(("config", d.node.name))


@fault("certificates", "revocation-unknown", advice="trust: crl", fix=add_crl, site="crl")
def no_revocation_list(w, d):
    ca = authority.Authority(w.keys, w.dir / f"ca-{d.name}", f"{d.name.title()} CA")
    d.stunnel["cert"], d.crl = d.cert(ca=ca), ca.crl
    w.trusted.append(ca.cert)


def new_crl(w, d):
    d.crl_ca.make_crl()
    w.dirty.add(("config", d.node.name))


@fault("certificates", "revocation-list-old", advice="present list", fix=new_crl, site="crl")
def old_revocation_list(w, d):
    ca = d.crl_ca = authority.Authority(w.keys, w.dir / f"ca-{d.name}", f"{d.name.title()} CA")
    ca.make_crl(days=(-60, -2))
    d.stunnel["cert"] = d.cert(ca=ca)
    d.node.crls.append(ca.crl)
    w.trusted.append(ca.cert)


# ---- names in it ----
def named(expect, names, rule=None, cn=None, subject=None, advice=None, fix=good_certificate, critical=False, extra=None, address=False, quick=False):
    def take(fn):
        def change(w, d):
            if address:
                d.conf["address"], d.conf["accept_names"] = d.address, [d.address]
            if rule:
                d.conf["rule"] = rule
            d.stunnel["cert"] = d.cert(names=[n.format(d=d, z=w.zone) for n in names], cn=cn and cn.format(d=d, z=w.zone), critical=critical,
                                       subject=subject and subject.format(d=d, z=w.zone), extra=extra(d) if extra else ())
        change.__name__ = fn
        fault("names", expect, advice=advice, fix=fix, quick=quick)(change)
    return take


def exact_name(w, d):
    d.stunnel["cert"] = d.cert(names=[d.host, f"URI:sip:{d.host}"])
    w.dirty.add("stunnel")


def by_name(w, d):
    d.stunnel["cert"] = d.cert(names=[d.host])
    d.conf["address"] = d.host
    d.conf.pop("accept_names")
    w.dirty.update(("stunnel", ("config", d.node.name)))


named("name-mismatch", ["other.{z}"], advice="accept_names", fix="config", quick=True)("another_name")
named("name-mismatch", ["x.{d.host}", "{d.host}.other"], cn="{d.host}x", advice="accept_names", fix=exact_name)("names_that_are_nearly_right")
named("name-in-cn-only", ["other.{z}"], rule="rfc5922", cn="{d.host}", advice="rule: san-or-cn", fix="config")("name_in_cn_beside_others")
named("name-in-san-only", ["{d.host}"], rule="cn-only", cn="Pool", advice="rule: rfc5922", fix="config")("name_in_san_and_rule_for_cn")
named("name-behind-sip-uri", ["URI:sip:other.{z}", "{d.host}"], rule="rfc5922", advice="rule: san-or-cn", fix="config")("name_behind_a_uri")
named("name-by-wildcard", ["*.{z}"], cn="pool.{z}", advice="spells out", fix=exact_name)("wildcard")
named("name-with-user", ["URI:sip:pool@{d.host}"], cn="pool", rule="rfc5922", advice="URI:sip:", fix=exact_name)("uri_with_user")
named("name-in-sips-uri", ["URI:sips:{d.host}"], cn="pool", rule="rfc5922", advice="URI:sip:", fix=exact_name)("uri_of_sips")
named("name-with-trailing-dot", ["{d.host}."], cn="pool", advice="without the dot", fix=exact_name)("name_with_a_dot")
named("address-as-name", ["{d.address}"], address=True, advice="by its name", fix=by_name)("address_as_a_name")
named("name-in-lesser-cn", [], rule="cn-only", subject="/CN={d.host}/CN=pool", advice="one CN", fix=lambda w, d: (
    d.stunnel.update(cert=d.cert(cn=d.host)), w.dirty.add("stunnel")))("several_cns")
named("names-unreadable", ["{d.host}", *(f"n{i}.{{z}}" for i in range(600))], cn="{d.host}", fix=exact_name)("more_names_than_anybody_reads")
named("certificate-without-name", [], subject="/O=Nobody", advice="subjectAltName", fix=exact_name)("no_name_at_all")


def nul_san(d):
    name = d.host.encode() + b"\0.evil.example"
    return ["subjectAltName=DER:" + (bytes([0x30, len(name) + 2, 0x82, len(name)]) + name).hex(":")]


named("name-with-nul", [], cn="pool", extra=nul_san, advice="Find out who", fix=exact_name)("nul_in_a_name")


@fault("names", "nobody-accepted", advice="accept_names:", fix="config")
def nobody_is_accepted(w, d):
    d.conf["accept_names"] = []


# ---- our certificate, and how the peer judges it ----
@fault("ours", "peer-refused-purpose", advice="umbel cert cure", fix="command", quick=True)
def we_lack_client_usage(w, d):
    d.own(usage="serverAuth")


@fault("ours", "peer-says-expired", advice="umbel cert cure", fix="command")
def we_are_expired(w, d):
    d.own(days=(-90, -w.rng.randrange(1, 20)))


@fault("ours", "peer-says-revoked", advice="umbel cert cure", fix="command")
def we_are_revoked(w, d):
    mine = d.own()
    w.ca.revoke(mine)
    d.stunnel["more"] = [f"CRLfile = {w.ca.crl}"]


def peer_trusts_us(w, d):
    d.stunnel.pop("ca")
    w.dirty.add("stunnel")


@fault("ours", "peer-does-not-trust-our-issuer", advice="Import the root", fix=peer_trusts_us, quick=True)
def peer_does_not_know_our_ca(w, d):
    d.stunnel["ca"] = w.stranger_ca.cert


@fault("ours", "peer-does-not-trust-our-issuer", advice="append it", fix=lambda w, d: (d.ours.cert.write_text(
    d.ours.alone.read_text() + w.middle.cert.read_text()), w.dirty.add(("config", d.node.name))))
def we_do_not_send_our_intermediate(w, d):
    d.ours = d.own(ca=w.middle, send_chain=False)


@fault("ours", "our-certificate-not-yet-valid", most="likely", advice="umbel cert cure", fix="command")
def we_are_not_yet_valid(w, d):
    d.own(days=(w.rng.randrange(2, 9), 90))


def known_by_name(how, expect, most, cn=None, judged=True, names=None):
    """The lab's case: Kamailio believes only subject CNs of a list, and closes or keeps silent otherwise."""
    def change(w, d):
        d.stunnel = None
        service = f"um.{w.zone}"
        shown = (cn or service).format(z=w.zone)
        d.own(cn=shown, names=[service, d.node.fqdn])
        if judged:
            d.conf["judges_us"] = {"profile": "cn-known-servers", "known_names": [d.node.fqdn]}
        listed = d.node.fqdn.replace(".", "\\.")
        refuse = {"close": "tcp_close_connection();", "silent": "", "403": 'sl_send_reply("403", "Not a known server");'}[how]
        d.tls_kamailio = f'if ($tls_peer_subject_cn =~ "^({listed})$") {{ sl_send_reply("200", "OK"); exit; }} {refuse}'
    change.__name__ = f"unknown_by_name_{how}" + ("" if judged else "_not_told") + ("_wildcard" if cn else "")
    fault("ours", expect, most=most, advice="umbel cert cure" if how != "403" else None, fix="command" if how != "403" else None, quick=how == "close" and judged and not cn)(change)


# Sure, because the node holds another identity with the name that is known, and asks once more with that.
known_by_name("close", "peer-does-not-know-our-name", "sure")
known_by_name("silent", "peer-does-not-know-our-name", "sure")
known_by_name("close", "peer-does-not-know-our-name", "likely", judged=False)
known_by_name("close", "peer-takes-no-wildcard", "sure", cn="*.{z}")
known_by_name("403", "sip-forbidden", "sure")


def script(words, expect, most="unknown", judged=False, ask=True):
    def change(w, d):
        d.backend = words
        if judged:
            d.conf["judges_us"] = {"profile": "cn-known-servers", "known_names": [d.node.fqdn]}
        if not ask:
            d.stunnel["ask"] = False
    change.__name__ = f"script_{words.split()[0]}" + ("_although_we_are_known" if judged else "") + ("" if ask else "_unasked")
    fault("scripts", expect, most=most, advice="log of", fix=backend_ok, quick=words.startswith("drop") and judged)(change)


script("drop it", "silent-without-sip")
script("close it", "closed-without-sip")
script("drop it", "known-but-unanswered", judged=True)
script("close it", "known-but-unanswered", judged=True)
script("close it", "no-sip-unasked", ask=False)


@fault("half", "closed-without-sip", most="unknown", advice="log of", fix=backend_ok)
def no_server_behind_the_balancer(w, d):
    d.stunnel["to"] = w.rng.randrange(40000, 41000)


# ---- SIP answers ----
def sip(status, phrase, expect, header=None, quick=False):
    def change(w, d):
        d.backend = f"{status} {phrase}" + (f"|{header}" if header else "")
    change.__name__ = f"sip_{status}" + ("_with_a_list" if header and "fqdns" in header else "")
    fault("sip", expect, fix=backend_ok, quick=quick)(change)


sip(401, "Unauthorized", "sip-wants-password")
sip(302, "Moved Temporarily", "sip-refused", header="Contact: <sip:elsewhere.example;transport=tls>")
sip(400, "Bad Request", "sip-refused")
sip(403, "Forbidden", "sip-forbidden", quick=True)
sip(403, "Forbidden", "sip-name-not-allowed", header='ms-diagnostics: 1000;reason="Connection allows following fqdns: sbc.other.example"')
sip(404, "Not Found", "sip-not-found")
sip(405, "Method Not Allowed", "sip-method-not-supported")
sip(407, "Proxy Authentication Required", "sip-wants-password")
sip(408, "Request Timeout", "sip-next-hop-silent")
sip(480, "Temporarily Unavailable", "sip-not-found")
sip(481, "Call/Transaction Does Not Exist", "sip-refused")
sip(483, "Too Many Hops", "sip-refused")
sip(488, "Not Acceptable Here", "sip-refused")
sip(500, "Server Internal Error", "sip-refused")
sip(501, "Not Implemented", "sip-method-not-supported")
sip(503, "Service Unavailable", "sip-unavailable", header="Retry-After: 30", quick=True)
sip(504, "Server Time-out", "sip-next-hop-silent")
sip(603, "Decline", "sip-forbidden")


# ---- a middlebox ----
def box(do, way, where, expect, most, quick=False):
    def change(w, d):
        d.conf["tls"] = {"max": "1.2"} if where == "request" or where == "late" else {}
        low, high = {"first": (0, 1), "hello": (20, 180), "late": (700, 900), "request": (0, 1)}[where]
        at = "request" if where == "request" else w.rng.randrange(low, high)
        d.box = {"do": do, "way": way, "at": at}
    change.__name__ = f"box_{do}_{way}_{where}"
    fault("middlebox", expect, most=most, fix=clear_way, quick=quick)(change)


box("cut", "down", "first", "closed-before-tls", "unknown")
box("reset", "down", "hello", "closed-in-handshake", "likely", quick=True)
box("cut", "down", "hello", "closed-in-handshake", "likely")
box("stall", "down", "first", "handshake-no-answer", "unknown")
box("stall", "down", "hello", "handshake-stalled", "unknown")
box("stall", "up", "hello", "handshake-no-answer", "unknown")
box("cut", "up", "hello", "closed-before-tls", "unknown")
box("cut", "up", "request", "closed-without-sip", "unknown", quick=True)
box("reset", "up", "request", "closed-without-sip", "unknown")
box("stall", "up", "request", "silent-without-sip", "unknown")
box("stall", "down", "request", "silent-without-sip", "unknown")
box("cut", "down", "request", "closed-without-sip", "unknown")
box("flip", "down", "request", "tls-protocol-error", "sure")
box("flip", "up", "request", "tls-protocol-error", "sure")


@fault("middlebox", "handshake-stalled", most="unknown", fix=clear_way)
def a_trickle(w, d):
    """A line so slow that no handshake ends in time."""
    d.box = {"do": "trickle", "way": "down", "at": 40}


# ---- the clock of a node ----
def right_clock(w, d):
    d.node.env = {}
    w.dirty.add(("restart", d.node.name))


@fault("clock", "our-clock-probably-wrong", most="likely", advice="timedatectl", fix=right_clock, site="late-clock")
def our_clock_is_ahead(w, d):
    pass


@fault("clock", "our-clock-probably-wrong", most="likely", advice="timedatectl", fix=right_clock, site="early-clock")
def our_clock_is_behind(w, d):
    pass


# ---- they dial us ----
def good_dial(d, w):
    return lambda: dial_tls(d, d.good, sni=d.node.fqdn)


def incoming(expect, most="sure", advice=None, quick=False, fixable=True):
    def take(fn):
        def change(w, d):
            d.good = d.cert()
            d.stunnel["cert"] = d.good
            d.dial_good = good_dial(d, w)
            fn(w, d)
        change.__name__ = fn.__name__
        fault("incoming", expect, most=most, advice=advice, fix=peer_dials_well if fixable else None, quick=quick, direction="accepted")(change)
        return fn
    return take


@incoming("peer-showed-no-certificate", advice="mutual TLS", quick=True)
def they_show_no_certificate(w, d):
    version = w.rng.choice((ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3))
    d.dial = lambda: dial_tls(d, None, version=version)


@incoming("issuer-not-trusted root-not-trusted", advice="umbel trust add")
def their_issuer_is_unknown(w, d):
    c = d.cert(ca=w.stranger_ca)
    d.dial = lambda: dial_tls(d, c)


@incoming("self-signed")
def they_are_self_signed(w, d):
    c = authority.self_signed(w.keys, w.dir, [f"s-{d.host}"])
    d.dial = lambda: dial_tls(d, c)


@incoming("certificate-expired", quick=True)
def they_are_expired(w, d):
    c = d.cert(days=(-100, -2))
    d.dial = lambda: dial_tls(d, c)


@incoming("certificate-not-yet-valid")
def they_are_not_yet_valid(w, d):
    c = d.cert(days=(2, 90))
    d.dial = lambda: dial_tls(d, c)


@incoming("certificate-wrong-purpose", advice="both usages")
def they_lack_client_usage(w, d):
    c = d.cert(usage="serverAuth")
    d.dial = lambda: dial_tls(d, c)


@incoming("name-mismatch", advice="accept_names")
def their_name_is_unknown(w, d):
    c = d.cert(names=[f"other-{d.host}"])
    d.dial = lambda: dial_tls(d, c)


@incoming("peer-does-not-trust-our-issuer", advice="Import the root", quick=True)
def they_do_not_know_our_ca(w, d):
    d.dial = lambda: dial_tls(d, d.good, ca=w.stranger_ca.cert)


@incoming("peer-refused-certificate", most="likely", advice="umbel cert cure")
def they_dial_another_name(w, d):
    d.dial = lambda: dial_tls(d, d.good, ca=w.ca.cert, check=f"voice.{w.zone}")


def listener_identity(d, w, **changes):
    """An identity of ours that is shown to those who ask for its name."""
    name = f"l-{d.name}.{w.zone}"
    made = w.ca.issue([name], cn=name, **changes)
    d.node.identities.append({"name": f"for-{d.name}", "cert": str(made.cert), "key": str(made.key)})
    return name


@incoming("peer-says-expired", advice="umbel cert cure")
def our_listener_is_expired(w, d):
    sni = listener_identity(d, w, days=(-90, -3))
    d.dial = lambda: dial_tls(d, d.good, ca=w.ca.cert, sni=sni)


@fault("incoming", "peer-refused-purpose", advice="umbel cert cure", fix="command", direction="accepted", site="client-only")
def our_listener_lacks_server_usage(w, d):
    """The only certificate of that node; beside another one it would not be shown."""
    d.good = d.cert()
    d.stunnel["cert"] = d.good
    d.dial = d.dial_good = lambda: dial_tls(d, d.good, ca=w.ca.cert)


@incoming("no-common-cipher", advice="RSA certificate")
def our_key_does_not_fit_their_suites(w, d):
    """An EC key of ours, and a peer that has suites for RSA only."""
    sni = listener_identity(d, w, key="ec-256")
    d.dial = lambda: dial_tls(d, d.good, sni=sni, version=ssl.TLSVersion.TLSv1_2, ciphers="ECDHE-RSA-AES256-GCM-SHA384")


@incoming("no-common-cipher", advice="AES-GCM")
def they_offer_no_suite_of_ours(w, d):
    d.dial = lambda: dial_tls(d, d.good, version=ssl.TLSVersion.TLSv1_2, ciphers="CAMELLIA256-SHA:@SECLEVEL=0")


@incoming("no-common-tls-version", advice="TLS 1.2 or 1.3")
def they_are_too_old(w, d):
    d.dial = lambda: dial_tls(d, d.good, version=ssl.TLSVersion.TLSv1_1, ciphers="ALL:@SECLEVEL=0")


@incoming("plain-sip-on-tls-port", quick=True)
def they_speak_plain_sip(w, d):
    d.dial = lambda: dial_bytes(d, request(d, "TCP"))


@incoming("http-on-tls-port", advice="health check")
def they_speak_http(w, d):
    d.dial = lambda: dial_bytes(d, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")


@incoming("not-tls", advice="stands between")
def they_speak_something_else(w, d):
    d.dial = lambda: dial_bytes(d, b"PROXY TCP4 192.0.2.1 192.0.2.2 40000 5061\r\n")


@incoming("tls-on-plain-port")
def they_speak_tls_on_the_plain_port(w, d):
    d.dial = lambda: dial_bytes(d, bytes.fromhex("16030100d2010000ce0303") + bytes(200), port=5060)


@incoming("peer-opened-and-said-nothing", most="unknown")
def they_open_and_say_nothing(w, d):
    d.dial = lambda: dial_bytes(d, b"", wait=4)


@incoming("handshake-stalled", most="unknown")
def they_stop_in_the_hello(w, d):
    d.dial = lambda: dial_bytes(d, bytes.fromhex("16030100d2010000ce0303") + bytes(40), wait=4)


@incoming("peer-refused-server-name", most="likely", advice="umbel cert cure")
def they_close_after_the_handshake(w, d):
    """As PJSIP and Sofia do: the name is judged when TLS is up, and then closed without a word."""
    d.dial = lambda: dial_tls(d, d.good, sni=f"voice.{w.zone}", then="close")


@incoming("peer-said-nothing", most="unknown", advice="compare the name")
def they_leave_without_a_word(w, d):
    """Again and again, under our right name: what a peer does that dislikes our chain after the handshake."""
    d.dial = lambda: [dial_tls(d, d.good, then="close") for _ in range(3)]


@incoming("gateway-must-speak-tls", advice="transport", quick=True)
def they_come_by_udp(w, d):
    d.dial = lambda: send_udp(d)


def stranger(fn):
    def change(w, d):
        d.stranger = f"127.{w.rng.randrange(20, 250)}.{w.rng.randrange(1, 250)}.{w.rng.randrange(2, 250)}"
        d.good = d.cert()
        fn(w, d)
    change.__name__ = fn.__name__
    return change


@fault("strangers", "stranger", advice="sources", direction="stranger", quick=True)
@stranger
def a_stranger_by_udp(w, d):
    d.dial = lambda: send_udp(d, source=d.stranger)


@fault("strangers", "name-mismatch", advice="accept_names", direction="stranger")
@stranger
def a_stranger_with_a_good_certificate(w, d):
    c = d.cert(names=[f"who.{w.zone}"])
    d.dial = lambda: dial_tls(d, c, source=d.stranger)


@fault("strangers", "peer-showed-no-certificate", direction="stranger")
@stranger
def a_stranger_without_certificate(w, d):
    d.dial = lambda: dial_tls(d, None, source=d.stranger)


# ---- and what is well ----
@control
def all_well(w, d):
    pass


@control
def all_well_and_known(w, d):
    d.conf["judges_us"] = {"profile": "cn-known-servers", "known_names": [d.node.fqdn]}


@control
def critical_san(w, d):
    d.stunnel["cert"] = d.cert(critical=True)


@control
def by_uri(w, d):
    d.conf["rule"] = "rfc5922"
    d.stunnel["cert"] = d.cert(names=[f"URI:sip:{d.host}", f"other.{w.zone}"])


@control
def by_intermediate(w, d):
    d.stunnel["cert"] = d.cert(ca=w.middle)


@control
def no_client_certificate_asked(w, d):
    d.stunnel["ask"] = False


@control
def slow_but_well(w, d):
    d.box = {"do": "pass"}


@control
def by_udp(w, d):
    d.conf["transport"] = "udp"
    d.conf.pop("tls")
    d.stunnel, d.udp_kamailio = None, True


@control
def answers_from_another_socket(w, d):
    d.conf["transport"] = "udp"
    d.conf.pop("tls")
    d.stunnel, d.elsewhere = None, True


@control
def by_tcp(w, d):
    d.conf["transport"] = "tcp"
    d.conf.pop("tls")
    d.stunnel, d.box = None, {"do": "pass", "to": (BACKEND, w.status_port("200 OK"))}


@control
def they_dial_us_too(w, d):
    d.good = d.cert()
    d.stunnel["cert"] = d.good
    d.dial = lambda: dial_tls(d, d.good)


@control
def their_balancer_looks_whether_we_live(w, d):
    """Opens a connection and closes it, as balancers do."""
    d.dial = lambda: dial_bytes(d, b"", wait=0.05)


@control
def a_firewall_forgets_idle_connections(w, d):
    d.box = {"do": "forget", "way": "down", "at": 1500}


@control
def their_balancer_shakes_hands(w, d):
    d.good = d.cert()
    d.stunnel["cert"] = d.good
    d.dial = lambda: dial_tls(d, d.good, then="close")
