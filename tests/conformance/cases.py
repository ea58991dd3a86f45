# SPDX-License-Identifier: Apache-2.0
"""The certificates to be judged: names (shapes A to H and the traps), purposes, time, keys, signatures, chains; and a seeded mixer
that puts features together that nobody thought of together."""
import random

import der
from pki import NOW, Pki, basic, constraints, days, extension, general, key_usage, name, pem, rdn, san, usages

POOL, N1, N2, DOMAIN = "pool.example.com", "um1.example.com", "um2.example.com", "example.com"
IP4, IP6 = "192.0.2.1", "2001:db8::1"
REFS = (POOL, N1)
NUL = "\0"


class Case:
    def __init__(self, group, title, leaf, chain=(), refs=(POOL,), key="leaf"):
        self.group, self.title, self.leaf, self.chain, self.refs, self.key = group, title, leaf, list(chain), refs, key
        self.id = f"{group}/{title}"

    def write(self, folder, n):
        self.file = folder / f"{n:03}.pem"
        self.file.write_text("".join(map(pem, [self.leaf, *self.chain])))


class Maker:
    """Makes the cases one after another into self.cases; for a quick run without those that a case of the same kind stands for."""

    def __init__(self, folder, quick=False):
        self.pki, self.cases, self.quick = Pki(folder), [], quick
        p = self.pki
        self.leaf_key = p.key("leaf")
        self.root = p.authority("root", key=p.key("ca-root"))
        self.other = p.authority("other", key=p.key("ca-other"))
        self.inter = p.authority("inter1", issuer=self.root, key=p.key("ca-inter"))
        self.anchors = [self.root]

    def subject(self, cn):
        cns = [cn] if isinstance(cn, (str, bytes)) else cn or []
        return name(rdn(("o", "Conformance")), *(c if isinstance(c, bytes) and c[:1] == b"1" else rdn(("cn", c)) for c in cns))

    def add(self, group, title, refs=(POOL,), *, cn=POOL, names=(POOL,), issuer=None, chain=None, key=None, subject=None, quick=True, **how):
        """`names` None: no subjectAltName. `issuer` an Authority (None: the root), "self" signs itself."""
        if self.quick and not quick:
            return None
        by = None if issuer == "self" else issuer or self.root
        k = self.pki.key(*key) if key else self.leaf_key
        made = self.pki.certificate(k, subject or self.subject(cn), by, san_names=names, **how)
        sent = chain if chain is not None else by.chain() if by else []
        sent = [c if isinstance(c, bytes) else c.der for c in sent]
        case = Case(group, title, made, sent, refs, key[0] if key else "leaf")
        self.cases.append(case)
        return case

    def all(self):
        self.shapes()
        self.names()
        self.address_names()
        self.common_names()
        self.wildcards()
        self.odd_extensions()
        self.purposes()
        self.times()
        self.keys()
        self.chains()
        self.name_constraints()
        self.trusted_oddly()
        return self.cases

    # ---- names ----
    def shapes(self):
        refs = (POOL, N1, DOMAIN)
        add = lambda *a, **k: self.add("shape", *a, **k)
        add("A pool and nodes", refs, names=[f"dns:{n}" for n in (POOL, N1, N2)])
        add("B node only", refs, cn=N1, names=[f"dns:{N1}"])
        add("C wildcard", refs, cn="*.example.com", names=["dns:*.example.com"])
        add("D CN pool, SAN node", refs, names=[f"dns:{N1}"])
        add("E CN only", refs, names=None)
        add("F URI of the domain, CN pool", refs, names=[f"uri:sip:{DOMAIN}"])
        add("G serverAuth only", refs, names=[f"dns:{POOL}"], eku=["server"])
        add("H sipDomain only", refs, names=[f"dns:{POOL}"], eku=["sip"])

    def names(self):
        add = lambda title, names, refs=REFS, **k: self.add("name", title, refs, names=names, **k)
        add("SAN only, no CN", [f"dns:{POOL}"], cn=None)
        add("SAN only, empty subject, critical", [f"dns:{POOL}"], subject=name(), san_critical=True)
        add("SAN only, empty subject, not critical", [f"dns:{POOL}"], subject=name())
        add("no name at all", None, cn=None)
        add("SAN critical", [f"dns:{POOL}"], san_critical=True)
        add("SAN critical, CN would fit", [f"dns:{N1}"], san_critical=True)
        add("neither fits", ["dns:a.example.com"], cn="b.example.com")
        add("suffix of it", ["dns:example.com"], cn="example.com")
        add("longer than it", [f"dns:x.{POOL}"], cn=f"x.{POOL}")
        add("leading dot", ["dns:.example.com"], cn="x", refs=(POOL, DOMAIN))
        add("leading dot in the CN", None, cn=".example.com", refs=(POOL, DOMAIN))
        for title, uri in (("domain", f"sip:{DOMAIN}"), ("host", f"sip:{POOL}"), ("user", f"sip:um@{POOL}"), ("sips", f"sips:{POOL}"),
                           ("port", f"sip:{POOL}:5061"), ("parameter", f"sip:{POOL};transport=tls"), ("upper case", f"SIP:{POOL.upper()}"),
                           ("https", f"https://{POOL}/"), ("tel", "tel:+4912345")):
            add(f"URI {title}, other CN", [f"uri:{uri}"], cn="x", refs=(POOL, DOMAIN))
            add(f"URI {title}, CN", [f"uri:{uri}"], refs=(POOL, DOMAIN), quick=False)
        add("URI of another domain before DNS", [f"uri:sip:{DOMAIN}", f"dns:{POOL}"], cn="x", refs=(POOL, DOMAIN))
        add("URI with user before DNS", [f"uri:sip:um@{DOMAIN}", f"dns:{POOL}"], cn="x", refs=(POOL, DOMAIN))
        add("DNS of another name beside a fitting URI", [f"uri:sip:{POOL}", f"dns:{N1}"], cn="x")
        add("trailing dot in the SAN", [f"dns:{POOL}."], cn="x", refs=(POOL, POOL + "."))
        add("trailing dot in the CN", None, cn=POOL + ".", refs=(POOL, POOL + "."))
        add("trailing dot asked", [f"dns:{POOL}"], cn="x", refs=(POOL + ".",))
        add("trailing dot asked of a CN", None, refs=(POOL + ".",))
        add("two trailing dots", [f"dns:{POOL}.."], cn="x", refs=(POOL,))
        add("upper case in the SAN", ["dns:POOL.Example.COM"], cn="x", refs=(POOL,))
        add("upper case in the CN", None, cn="POOL.Example.COM", refs=(POOL,))
        add("upper case asked", [f"dns:{POOL}"], cn="x", refs=("Pool.EXAMPLE.com",))
        add("IDN as punycode", ["dns:xn--mnchen-3ya.example.com"], cn="x", refs=("xn--mnchen-3ya.example.com", "XN--Mnchen-3YA.example.com"))
        add("IDN raw in the SAN", [("dns", "münchen.example.com".encode())], cn="x", refs=("xn--mnchen-3ya.example.com",))
        add("IDN raw in the CN", None, cn="münchen.example.com", refs=("xn--mnchen-3ya.example.com",))
        add("IDN as punycode in the CN", None, cn="xn--mnchen-3ya.example.com", refs=("xn--mnchen-3ya.example.com",))
        add("NUL and more in the SAN", [("dns", f"{POOL}\0.evil.example".encode())], cn="x", refs=(POOL,))
        add("NUL at the end of the SAN", [("dns", f"{POOL}\0".encode())], cn="x", refs=(POOL,))
        add("NUL in the CN", None, cn=f"{POOL}\0.evil.example", refs=(POOL,))
        add("NUL at the end of the CN", None, cn=f"{POOL}\0", refs=(POOL,))
        add("NUL in one SAN, a good one behind", [("dns", f"{N1}\0.evil.example".encode()), f"dns:{POOL}"], cn="x")
        add("NUL in the CN, good SAN", [f"dns:{POOL}"], cn=f"{N1}\0.evil.example")
        add("NUL in a URI", [("uri", f"sip:{POOL}\0.evil.example".encode())], cn="x", refs=(POOL,))
        add("space behind the name", [f"dns:{POOL} "], cn="x", refs=(POOL,))
        add("port in the SAN", [f"dns:{POOL}:5061"], cn="x", refs=(POOL,))
        add("underscore", ["dns:um_1.example.com"], cn="x", refs=("um_1.example.com",))
        add("single label", ["dns:um1"], cn="um1", refs=("um1",))
        add("empty DNS name", [("dns", b"")], refs=(POOL,))
        add("empty DNS name and a good one", [("dns", b""), f"dns:{POOL}"], cn="x", refs=(POOL,))
        add("e-mail only, CN", [f"email:um@{POOL}"], refs=(POOL,))
        add("e-mail only, other CN", [f"email:um@{POOL}"], cn="x", refs=(POOL,))
        add("directory name only, CN", [f"dir:{POOL}"], refs=(POOL,))
        add("SRV name only, CN", [f"srv:_sips.{DOMAIN}"], refs=(POOL,))
        add("SRV name, other CN", [f"srv:_sips.{DOMAIN}"], cn="x", refs=(DOMAIN, POOL))
        add("SRV name only, critical", [f"srv:_sips.{DOMAIN}"], refs=(POOL,), san_critical=True)
        add("UPN only, CN", [f"upn:um@{DOMAIN}"], refs=(POOL,))
        add("registered id only, CN", ["rid:1.2.3.4"], refs=(POOL,))
        add("200 names, the last fits", [f"dns:n{i}.example.com" for i in range(199)] + [f"dns:{POOL}"], cn="x", refs=(POOL,))
        add("a label of 64", ["dns:" + "a" * 64 + ".example.com"], cn="x", refs=(POOL,))

    def address_names(self):
        add = lambda title, names, refs=(IP4,), **k: self.add("address", title, refs, names=names, **k)
        add("iPAddress", [f"ip:{IP4}"], cn="x")
        add("iPAddress, name asked of the CN", [f"ip:{IP4}"], refs=(POOL, IP4))
        add("address as DNS", [f"dns:{IP4}"], cn="x")
        add("address as DNS and as iPAddress", [f"dns:{IP4}", f"ip:{IP4}"], cn="x")
        add("address in the CN", None, cn=IP4)
        add("address in the CN, other DNS", [f"dns:{POOL}"], cn=IP4)
        add("address in the CN, other iPAddress", ["ip:192.0.2.2"], cn=IP4)
        add("URI of the address", [f"uri:sip:{IP4}"], cn="x")
        add("another iPAddress", ["ip:192.0.2.2"], cn="x")
        add("only a name", [f"dns:{POOL}"])
        add("wildcard for an address", ["dns:*.0.2.1"], cn="x")
        add("iPAddress of 3 bytes", ["ip:#c00002"], cn="x")
        add("iPAddress with a mask", [f"ip:#c0000201ffffffff"], cn="x")
        add("iPAddress mapped into IPv6", ["ip:::ffff:192.0.2.1"], cn="x")
        add("IPv6 iPAddress", [f"ip:{IP6}"], cn="x", refs=(IP6,))
        add("IPv6 as DNS", [f"dns:{IP6}"], cn="x", refs=(IP6,))
        add("IPv6 in the CN", None, cn=IP6, refs=(IP6,))
        add("IPv6 only a name", [f"dns:{POOL}"], refs=(IP6,))
        add("iPAddress as text", [f"ip:#{IP4.encode().hex()}"], cn="x")

    def common_names(self):
        add = lambda title, refs=REFS, names=None, **k: self.add("CN", title, refs, names=names, **k)
        both = lambda *cns: name(rdn(("o", "Conformance")), *(rdn(("cn", c)) for c in cns))
        add("two, the last fits", (POOL, N1), subject=both("x.example.com", POOL))
        add("two, the first fits", (POOL,), subject=both(POOL, "x.example.com"))
        add("three, the middle fits", (POOL,), subject=both("a", POOL, "b"))
        add("two in one RDN", (POOL, N1), subject=name(rdn(("cn", POOL), ("cn", N1))))
        add("before O", (POOL,), subject=name(rdn(("cn", POOL)), rdn(("o", "Conformance"))))
        add("two, SAN of a third", (POOL, N1, N2), subject=both(POOL, N1), names=[f"dns:{N2}"])
        add("empty", (POOL,), cn="")
        add("with a space behind", (POOL,), cn=POOL + " ")
        add("as URI", (POOL,), cn=f"sip:{POOL}")
        for how in ("printable", "t61", "ia5", "bmp", "universal"):
            add(f"as {how} string", (POOL,), subject=name(rdn(("cn", POOL, how))))
        add("in O only", (POOL,), subject=name(rdn(("o", POOL))))
        add("in OU only", (POOL,), subject=name(rdn(("ou", POOL))))
        add("name in DC parts", (DOMAIN,), subject=name(rdn(("dc", "com")), rdn(("dc", "example"))))
        add("e-mail attribute", (POOL,), subject=name(rdn(("cn", "x")), rdn(("email", f"um@{POOL}"))))

    def wildcards(self):
        add = lambda title, names, refs=(POOL,), cn="x", **k: self.add("wildcard", title, refs, names=names, cn=cn, **k)
        add("whole label", ["dns:*.example.com"], (POOL, DOMAIN, "a.b.example.com"))
        add("in the CN alone", None, (POOL, DOMAIN, "a.b.example.com"), cn="*.example.com")
        add("in the CN, SAN without", [f"dns:{N1}"], (POOL,), cn="*.example.com")
        add("in the CN, URI SAN", [f"uri:sip:{DOMAIN}"], (POOL,), cn="*.example.com")
        add("partial, in front", ["dns:um*.example.com"], (N1, "um.example.com", POOL))
        add("partial, behind", ["dns:*1.example.com"], (N1,))
        add("partial, within", ["dns:u*1.example.com"], (N1,))
        add("partial, in the CN", None, (N1,), cn="um*.example.com")
        add("two labels", ["dns:*.*.example.com"], ("a.b.example.com",))
        add("second label", ["dns:a.*.example.com"], ("a.b.example.com",))
        add("last label", ["dns:pool.example.*"], (POOL,))
        add("bare", ["dns:*"], (POOL, "um1"))
        add("bare, in the CN", None, (POOL, "um1"), cn="*")
        add("top level", ["dns:*.com"], (DOMAIN, POOL))
        add("public suffix", ["dns:*.co.uk"], ("example.co.uk",))
        add("trailing dot", ["dns:*.example.com."], (POOL,))
        add("upper case", ["dns:*.EXAMPLE.com"], (POOL,))
        add("two stars", ["dns:**.example.com"], (POOL,))
        add("in an IDN label", ["dns:xn--*.example.com"], ("xn--mnchen-3ya.example.com",))
        add("over an IDN label", ["dns:*.example.com"], ("xn--mnchen-3ya.example.com",))
        add("below an IDN label", ["dns:*.xn--mnchen-3ya.example.com"], ("um1.xn--mnchen-3ya.example.com",))
        add("in a URI", ["uri:sip:*.example.com"], (POOL,))
        add("over an underscore", ["dns:*.example.com"], ("um_1.example.com",))
        add("dot behind the star only", ["dns:*."], ("um1", POOL))
        add("single-label rest", ["dns:*.um1"], ("a.um1",))

    def odd_extensions(self):
        add = lambda title, refs=(POOL,), **k: self.add("extension", title, refs, **{"names": [f"dns:{POOL}"], **k})
        add("empty SAN", names=[])
        add("SAN of rubbish, CN fits", names=None, more=[extension("2.5.29.17", b"\xde\xad\xbe\xef")])
        add("SAN of rubbish, critical, CN fits", names=None, more=[extension("2.5.29.17", b"\xde\xad\xbe\xef", True)])
        add("SAN of no bytes, CN fits", names=None, more=[extension("2.5.29.17", b"")])
        add("SAN with bytes behind it", names=None, more=[extension("2.5.29.17", der.seq(general(f"dns:{POOL}")) + b"\0\0")])
        add("two SANs, the first fits", cn="x", more=[san([f"dns:{N1}"])], refs=REFS)
        add("unknown, not critical", more=[extension("1.3.6.1.4.1.55555.2", der.NULL)])
        add("unknown, critical", more=[extension("1.3.6.1.4.1.55555.2", der.NULL, True)])
        add("unknown twice", more=[extension("1.3.6.1.4.1.55555.2", der.NULL)] * 2)
        add("must staple", more=[extension("1.3.6.1.5.5.7.1.24", der.seq(der.integer(5)))])
        add("certificate policy", more=[extension("2.5.29.32", der.seq(der.seq(der.oid("2.5.29.32.0"))))])
        add("certificate policy, critical", more=[extension("2.5.29.32", der.seq(der.seq(der.oid("1.2.3.4"))), True)])
        add("CRL distribution point", more=[extension("2.5.29.31", der.seq(der.seq(der.explicit(0, der.explicit(0, general("uri:http://crl.example.com/x.crl"))))))])
        add("name constraints in the leaf", nc={"permitted": [f"dns:{DOMAIN}"]})
        add("name constraints in the leaf against itself", nc={"excluded": [f"dns:{DOMAIN}"]})
        add("version 1, no extensions", names=None, version=1, no_extensions=True)
        add("version 1 with extensions", version=1)
        add("version 2 with extensions", version=2)
        add("version 3, no extensions", names=None, no_extensions=True)
        add("version 4", version=4)
        add("serial zero", serial=0)
        add("serial negative", serial=-5)
        add("serial of 20 bytes", serial=(1 << 158) + 1)
        add("serial of 24 bytes", serial=(1 << 190) + 1)
        add("no key identifiers", ski=False, aki=False)
        add("authority key identifier wrong", aki=b"\1" * 20)
        add("Netscape type server", more=[extension("2.16.840.1.113730.1.1", der.bits(b"\x40", 6))])
        add("Netscape type client", more=[extension("2.16.840.1.113730.1.1", der.bits(b"\x80", 7))])
        add("proxy certificate", more=[extension("1.3.6.1.5.5.7.1.14", der.seq(der.seq(der.oid("1.3.6.1.5.5.7.21.1"))), True)])
        add("poisoned (certificate transparency)", more=[extension("1.3.6.1.4.1.11129.2.4.3", der.NULL, True)])

    # ---- purposes, time, keys ----
    def purposes(self):
        add = lambda title, **k: self.add("purpose", title, **{"names": [f"dns:{POOL}"], **k})
        for words in ((), ("server", "client"), ("server",), ("client",), ("sip",), ("sip", "server"), ("sip", "client"), ("any",),
                      ("any", "server"), ("any", "client"), ("code",), ("email",), ("ocsp",), ("time",), ("nssgc",), ("mssgc",),
                      ("nssgc", "client"), ("unknown",), ("unknown", "server"), ("unknown", "client")):
            add("EKU " + (" and ".join(words) or "none"), eku=words or None)
        for words in (("server", "client"), ("server",), ("client",), ("sip",), ("any",), ("unknown",)):
            add("EKU critical " + " and ".join(words), eku=words, eku_critical=True)
        add("EKU of an empty list", eku=None, more=[usages([])])
        add("EKU of rubbish", eku=None, more=[extension("2.5.29.37", b"\xde\xad")])
        add("EKU twice", more=[usages(["server", "client"])])
        add("key usage none", ku=None)
        for words in (("digitalSignature",), ("keyEncipherment",), ("keyAgreement",), ("nonRepudiation",), ("dataEncipherment",),
                      ("keyCertSign",), ("cRLSign",), ("digitalSignature", "keyCertSign"), ("digitalSignature", "keyAgreement"), ()):
            add("key usage " + (" and ".join(words) or "of no bits"), ku=words)
        add("key usage keyEncipherment, not critical", ku=("keyEncipherment",), ku_critical=False)
        add("CA absent", ca=None)
        add("CA TRUE", ca=True)
        add("CA TRUE with keyCertSign", ca=True, ku=("digitalSignature", "keyCertSign"))
        add("CA TRUE, path length 0", ca=True, pathlen=0)
        add("CA FALSE with a path length", ca=False, pathlen=3)
        add("CA TRUE, not critical", ca=True, ca_critical=False)
        add("CA of rubbish", ca=None, more=[extension("2.5.29.19", b"\xde\xad", True)])

    def times(self):
        add = lambda title, begin, end, **k: self.add("time", title, begins=begin, ends=end, names=[f"dns:{POOL}"], **k)
        utc = lambda text: der.tlv(23, text)
        gen = lambda text: der.tlv(24, text)
        add("expired yesterday", days(-30), days(-1))
        add("expired years ago", days(-4000), days(-3000))
        add("not valid yet", days(1), days(30))
        add("ends before it begins", days(30), days(-30))
        add("ends tomorrow", days(-30), days(1))
        add("never ends", days(-30), gen(b"99991231235959Z"))
        add("ends in 2050", days(-30), gen(b"20500101000000Z"))
        add("begins in 1950", utc(b"500101000000Z"), days(30))
        add("GeneralizedTime before 2050", gen(days(-30).strftime("%Y%m%d%H%M%SZ").encode()), gen(days(30).strftime("%Y%m%d%H%M%SZ").encode()))
        add("UTCTime without seconds", utc(days(-30).strftime("%y%m%d%H%MZ").encode()), days(30))
        add("UTCTime with an offset", utc(days(-30).strftime("%y%m%d%H%M%S+0000").encode()), days(30))
        add("time of rubbish", days(-30), utc(b"yesterday"))
        add("825 days", days(-400), days(430))
        add("20 years", days(-900), days(7000))

    def keys(self):
        add = lambda title, **k: self.add("key", title, names=[f"dns:{POOL}"], **k)
        for kind in ("rsa1024", "rsa1536", "rsa2048", "rsa3072", "rsa4096", "p256", "p384", "p521"):
            ku = {"ku": ("digitalSignature",)} if kind[0] == "p" else {}
            add(kind, key=("leaf-" + kind, kind) if kind != "rsa2048" else None, quick=kind in ("rsa1024", "rsa2048", "p256"), **ku)
        add("p256 with keyEncipherment only", key=("leaf-p256", "p256"), ku=("keyEncipherment",))
        add("ed25519", key=("leaf-ed25519", "ed25519"), ku=("digitalSignature",), quick=False)
        for how in ("md5", "sha1", "sha224", "sha384", "sha512", "pss"):
            add("signed with " + how, sig=how)
        add("signature broken", tamper=True)
        add("signature says SHA-1, inside SHA-256", sig="sha1", inner_sig="sha256")
        add("signed by an EC authority", issuer=self.pki.authority("ec", issuer=self.root, kind="p256"))
        add("signed with SHA-384 by an EC authority", issuer=self.pki.authority("ec384", issuer=self.root, kind="p384"), sig="sha384")

    # ---- chains ----
    def chains(self):
        p, root, inter = self.pki, self.root, self.inter
        add = lambda title, issuer=None, **k: self.add("chain", title, issuer=issuer, names=[f"dns:{POOL}"], **k)
        ca = lambda label, issuer=root, **k: p.authority(label, issuer=issuer, **k)
        two = ca("inter2", inter)
        three = ca("inter3", two)
        four = ca("inter4", three)
        add("one intermediate", inter)
        add("two intermediates", two)
        add("three intermediates", three)
        add("four intermediates", four)
        add("intermediate missing", inter, chain=[])
        add("upper intermediate missing", two, chain=[two])
        add("lower intermediate missing", two, chain=[inter])
        add("intermediates in the wrong order", two, chain=[inter, two])
        add("root sent too", inter, chain=[inter, root])
        add("intermediate twice", inter, chain=[inter, inter])
        add("leaf twice", inter, chain=[])
        self.cases[-1].chain = [self.cases[-1].leaf, inter.der]
        add("strangers in the chain", inter, chain=[self.other, two, inter])
        add("wrong CA", self.other)
        add("wrong CA, sent", self.other, chain=[self.other])
        add("self-signed", "self")
        add("self-signed, CA TRUE", "self", ca=True, ku=("digitalSignature", "keyCertSign"))
        twin = p.authority("twin", subject=root.subject, key=p.key("ca-twin"))
        add("another CA of the root's name", twin)
        add("another CA of the root's name, sent", twin, chain=[twin])
        add("another CA of the root's name, no key identifiers", twin, ski=False, aki=False)
        inter_twin = p.authority("inter-twin", issuer=root, subject=inter.subject, key=p.key("ca-inter-twin"))
        add("another intermediate of the same name first", inter, chain=[inter_twin, inter])
        add("intermediate of an unknown CA", ca("inter-other", self.other))
        cross = p.authority("cross", issuer=self.other, key=inter.key, subject=inter.subject)
        add("cross-signed: the unknown way first", inter, chain=[cross, inter])
        add("cross-signed: only the unknown way", inter, chain=[cross])
        add("intermediate expired", ca("expired", ends=days(-1)))
        add("intermediate not valid yet", ca("early", begins=days(1)))
        old = p.authority("inter-old", issuer=root, key=inter.key, subject=inter.subject, ends=days(-1))
        add("intermediate expired and its renewal", inter, chain=[old, inter])
        add("intermediate signed with SHA-1", ca("sha1", sig="sha1"))
        add("intermediate signed with MD5", ca("md5", sig="md5"))
        add("intermediate of RSA 1024", ca("rsa1024", kind="rsa1024"))
        add("intermediate's signature broken", ca("tampered", tamper=True))
        add("intermediate is no CA", ca("notca", ca=False))
        add("intermediate without basic constraints", ca("nobc", ca=None))
        add("intermediate without basic constraints and key usage", ca("nothing", ca=None, ku=None))
        add("intermediate's basic constraints not critical", ca("softbc", ca_critical=False))
        add("intermediate of version 1", ca("v1", version=1, no_extensions=True))
        add("intermediate without keyCertSign", ca("nosign", ku=("digitalSignature", "cRLSign")))
        add("intermediate without key usage", ca("noku", ku=None))
        add("intermediate with EKU server and client", ca("eku-both", eku=["server", "client"]))
        add("intermediate with EKU server", ca("eku-server", eku=["server"]))
        add("intermediate with EKU client", ca("eku-client", eku=["client"]))
        add("intermediate with EKU any", ca("eku-any", eku=["any"]))
        add("intermediate with EKU code signing", ca("eku-code", eku=["code"]))
        add("intermediate with EKU sipDomain", ca("eku-sip", eku=["sip"]))
        add("intermediate with an unknown critical extension", ca("crit", more=[extension("1.3.6.1.4.1.55555.2", der.NULL, True)]))
        zero = ca("pathlen0", pathlen=0)
        add("path length 0, leaf below", zero)
        add("path length 0, a CA below", ca("below0", zero))
        add("path length 0, leaf is a CA", zero, ca=True)
        one = ca("pathlen1", pathlen=1)
        add("path length 1, a CA below", ca("below1", one))
        add("path length 1, two CAs below", ca("below11", ca("below10", one)))
        issued = p.authority("self-issued", issuer=zero, subject=zero.subject, key=p.key("ca-twin"))
        add("path length 0, a self-issued CA below", issued)
        leafy = p.authority("leafy", issuer=root, ca=False, ku=("digitalSignature",), eku=["server", "client"])
        add("signed by a leaf", leafy)
        spaced = name(rdn(("o", "Conformance")), rdn(("cn", "CONFORMANCE  Root")))
        add("issuer's name in another case", root, issuer_name=spaced)
        printable = name(rdn(("o", "Conformance", "printable")), rdn(("cn", "Conformance root", "printable")))
        add("issuer's name in another string type", root, issuer_name=printable)

    def name_constraints(self):
        ca = lambda label, **nc: self.pki.authority("nc-" + label, issuer=self.root, nc=nc)
        inside, outside = [f"dns:{POOL}"], ["dns:pool.example.net"]
        a = ca("dns", permitted=[f"dns:{DOMAIN}"])
        add = lambda title, issuer, names, refs=(POOL,), **k: self.add("constraint", title, refs, issuer=issuer, names=names, **k)
        add("DNS permitted, inside", a, inside)
        add("DNS permitted, outside", a, outside, ("pool.example.net",), cn="x")
        add("DNS permitted, one in, one out", a, inside + outside)
        add("DNS permitted, CN only inside", a, None)
        add("DNS permitted, CN only outside", a, None, ("pool.example.net",), cn="pool.example.net")
        add("DNS permitted, CN outside, SAN inside", a, inside, cn="pool.example.net")
        add("DNS permitted, CN is no host name", a, inside, cn="Unified Messaging")
        add("DNS permitted, IP in the SAN", a, inside + [f"ip:{IP4}"], (POOL, IP4))
        add("DNS permitted, URI in the SAN", a, inside + ["uri:sip:example.net"])
        add("DNS permitted, wildcard inside", a, ["dns:*.example.com"], cn="x")
        add("DNS permitted, wildcard reaches out", ca("deep", permitted=["dns:deep.example.com"]), ["dns:*.example.com"], cn="x")
        add("DNS permitted, other case", a, ["dns:POOL.EXAMPLE.COM"], cn="x")
        add("DNS permitted, lookalike", a, ["dns:pool.notexample.com"], ("pool.notexample.com",), cn="x")
        dot = ca("dot", permitted=["dns:.example.com"])
        add("DNS permitted with a dot, inside", dot, inside)
        add("DNS permitted with a dot, the domain itself", dot, ["dns:example.com"], (DOMAIN,), cn="x")
        e = ca("excluded", excluded=[f"dns:{N1}"])
        add("DNS excluded, not hit", e, inside)
        add("DNS excluded, hit", e, [f"dns:{N1}"], (N1,), cn="x")
        add("DNS excluded, one hit of two", e, inside + [f"dns:{N1}"])
        add("DNS excluded, hit by the CN only", e, None, (N1,), cn=N1)
        add("DNS excluded, wildcard would cover it", e, ["dns:*.example.com"], cn="x")
        add("DNS excluded entirely", ca("none", excluded=["dns:"]), inside)
        both = ca("both", permitted=[f"dns:{DOMAIN}"], excluded=["dns:pool.example.com"])
        add("DNS permitted and excluded", both, inside)
        soft = ca("soft", permitted=[f"dns:{DOMAIN}"], critical=False)
        add("not critical, outside", soft, outside, ("pool.example.net",), cn="x")
        ip = ca("ip", permitted=["ip:192.0.2.0/24"])
        add("IP permitted, inside", ip, [f"ip:{IP4}"], (IP4,), cn="x")
        add("IP permitted, outside", ip, ["ip:198.51.100.1"], ("198.51.100.1",), cn="x")
        add("IP permitted, DNS only", ip, inside)
        add("IP excluded, hit", ca("ipx", excluded=["ip:192.0.2.0/24"]), inside + [f"ip:{IP4}"])
        uri = ca("uri", permitted=["uri:example.com"])
        add("URI permitted, inside", uri, inside + ["uri:sip:example.com"])
        add("URI permitted, outside", uri, inside + ["uri:sip:example.net"])
        mail = ca("mail", permitted=["email:example.com"])
        add("e-mail permitted, outside", mail, inside + ["email:um@example.net"])
        folder = ca("dir", permitted=["dir:nobody"])
        add("directory name permitted, subject outside", folder, inside)
        add("registered id constrained, not used", ca("rid", permitted=["rid:1.2.3"]), inside)
        add("DNS permitted, address in the CN, DNS in the SAN", a, inside, (IP4,), cn=IP4)
        add("DNS permitted, CN only outside, not for servers", a, None, ("pool.example.net",), cn="pool.example.net", eku=["client"])
        upper = self.pki.authority("nc-upper", issuer=self.root, nc={"permitted": [f"dns:{DOMAIN}"]})
        lower = self.pki.authority("nc-lower", issuer=upper)
        add("two levels above, outside", lower, outside, ("pool.example.net",), cn="x")
        add("two levels above, inside", lower, inside)

    def trusted_oddly(self):
        p = self.pki
        add = lambda title, issuer, **k: self.add("anchor", title, issuer=issuer, names=[f"dns:{POOL}"], **k)

        def anchor(label, **k):
            a = p.authority("anchor-" + label, **k)
            self.anchors.append(a)
            return a
        add("root expired", anchor("expired", ends=days(-1)))
        add("root signed with SHA-1", anchor("sha1", sig="sha1"))
        add("root signed with MD5", anchor("md5", sig="md5"))
        add("root of RSA 1024", anchor("rsa1024", kind="rsa1024"))
        add("root with EKU client", anchor("eku", eku=["client"]))
        add("root without keyCertSign", anchor("nosign", ku=("cRLSign",)))
        add("root is no CA", anchor("notca", ca=False))
        add("root without basic constraints", anchor("nobc", ca=None))
        add("root of version 1", anchor("v1", version=1, no_extensions=True))
        add("root with a broken signature", anchor("tampered", tamper=True))
        add("root with name constraints, outside", anchor("nc", nc={"permitted": ["dns:example.net"]}))
        zero = anchor("pathlen0", pathlen=0)
        add("root's path length 0, a CA below", p.authority("anchor-below0", issuer=zero))
        unknown = p.authority("anchor-unknown")
        part = anchor("part", issuer=unknown)
        add("only the intermediate is trusted", part, chain=[])
        add("only the intermediate is trusted, sent", part, chain=[part])
        pinned = add("the certificate itself is trusted", "self", cn="pinned.example.com", refs=(POOL,))
        self.anchors.append(pinned)
        pinned = add("the certificate itself is trusted, its CA is not", self.other, cn="pinned2.example.com")
        self.anchors.append(pinned)
        pinned = add("the certificate itself is trusted, expired", "self", cn="pinned3.example.com", begins=days(-30), ends=days(-1))
        self.anchors.append(pinned)

    def ours(self, folder):
        """What a verifier shows us: (certificate, key, both as PKCS#12)."""
        key = self.pki.key("verifier")
        files = folder / "verifier.pem", key.path, folder / "verifier.p12"
        files[0].write_text(pem(self.pki.certificate(key, self.subject("verifier.example.com"), self.root, san_names=["dns:verifier.example.com"])))
        der.openssl("pkcs12", "-export", "-in", files[0], "-inkey", key.path, "-out", files[2], "-passout", "pass:umbel-test")
        return files

    def anchor_pem(self):
        return "".join(pem(a.leaf if isinstance(a, Case) else a.der) for a in self.anchors)

    # ---- the mixer ----
    def mixed(self, count, seed):
        """Certificates whose features are drawn; each from a list in which the ordinary is frequent."""
        r = random.Random(seed)
        pool = [f"dns:{POOL}", f"dns:{N1}", "dns:*.example.com", f"uri:sip:{POOL}", f"uri:sip:{DOMAIN}", f"uri:sip:um@{POOL}", f"uri:sips:{POOL}",
                f"ip:{IP4}", f"dns:{IP4}", f"dns:{POOL}.", "dns:um*.example.com", f"email:um@{POOL}", f"dir:{POOL}", ("dns", b"pool.example.com\0x"),
                "dns:POOL.example.com", f"dns:{DOMAIN}", "dns:x.example.net", f"srv:_sips.{DOMAIN}"]
        issuers = [self.root] * 3 + [self.inter] * 3 + [self.pki.authority("mix-" + n, issuer=self.inter, **k) for n, k in (
            ("plain", {}), ("nc", {"nc": {"permitted": ["dns:example.com"]}}), ("eku", {"eku": ["server"]}), ("pathlen0", {"pathlen": 0}))]
        for n in range(count):
            few = lambda most: r.sample(pool, r.randint(1, most))
            self.add("mixed", f"{seed}-{n}", r.sample([POOL, N1, DOMAIN, IP4, POOL + ".", POOL.upper()], 2),
                     cn=r.choice([POOL, POOL, N1, "*.example.com", IP4, None, [POOL, N1], ["x", POOL]]), names=r.choice([None, few(1), few(2), few(4)]),
                     san_critical=r.random() < .1, issuer=r.choice(issuers), ca=r.choice([False] * 6 + [None, True]),
                     eku=r.choice([["server", "client"]] * 5 + [None, ["server"], ["client"], ["sip", "server"], ["any"], ["code"]]),
                     eku_critical=r.random() < .1, begins=days(-30), ends=days(r.choice([30] * 9 + [-1])),
                     ku=r.choice([("digitalSignature", "keyEncipherment")] * 6 + [None, ("digitalSignature",), ("keyAgreement",)]),
                     sig=r.choice(["sha256"] * 8 + ["sha1", "sha384"]), quick=False)
