# SPDX-License-Identifier: Apache-2.0
"""Authorities and certificates from a description. Everything that is not described is as a careful authority would have it."""
import base64
import datetime
import hashlib
import ipaddress
from pathlib import Path

import der

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0, tzinfo=None)
ATTRIBUTE = {"cn": "2.5.4.3", "c": "2.5.4.6", "o": "2.5.4.10", "ou": "2.5.4.11", "email": "1.2.840.113549.1.9.1",
             "dc": "0.9.2342.19200300.100.1.25"}
USAGE = {"server": "1.3.6.1.5.5.7.3.1", "client": "1.3.6.1.5.5.7.3.2", "code": "1.3.6.1.5.5.7.3.3", "email": "1.3.6.1.5.5.7.3.4",
         "time": "1.3.6.1.5.5.7.3.8", "ocsp": "1.3.6.1.5.5.7.3.9", "sip": "1.3.6.1.5.5.7.3.20", "any": "2.5.29.37.0",
         "nssgc": "2.16.840.1.113730.4.1", "mssgc": "1.3.6.1.4.1.311.10.3.3", "unknown": "1.3.6.1.4.1.55555.1"}
KEY_USAGE = ["digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign"]
STRING = {"utf8": 12, "printable": 19, "t61": 20, "ia5": 22, "universal": 28, "bmp": 30}


def rdn(*pairs):
    """One RDN; more than one pair makes it a multi-valued one. A pair is (attribute, value[, string type])."""
    rows = []
    for kind, value, *how in pairs:
        tag = STRING[how[0] if how else "ia5" if kind in ("dc", "email") else "utf8"]
        if isinstance(value, str):
            value = value.encode({28: "utf-32-be", 30: "utf-16-be", 20: "latin-1"}.get(tag, "utf-8"))
        rows.append(der.seq(der.oid(ATTRIBUTE[kind]), der.tlv(tag, value)))
    return der.set_of(*sorted(rows))


def name(*rdns):
    return der.seq(*rdns)


def general(text):
    """A GeneralName: "dns:a", "uri:sip:a", "ip:192.0.2.1" (or "ip:" and hexadecimal after #), "email:", "dir:CN", "srv:", "upn:", "rid:".
    Bytes as (kind, b"...")."""
    kind, value = text.split(":", 1) if isinstance(text, str) else text
    raw = value.encode() if isinstance(value, str) else value
    if kind == "ip":
        if value.startswith("#"):
            raw = bytes.fromhex(value[1:])
        elif "/" in value:
            net = ipaddress.ip_network(value)
            raw = net.network_address.packed + net.netmask.packed
        else:
            raw = ipaddress.ip_address(value).packed
    if kind == "dir":
        return der.tlv(0xA4, name(rdn(("cn", value))))
    if kind == "rid":
        return bytes([0x88]) + der.oid(value)[1:]
    if kind in ("srv", "upn"):
        which, tag = {"srv": ("1.3.6.1.5.5.7.8.7", 22), "upn": ("1.3.6.1.4.1.311.20.2.3", 12)}[kind]
        return der.tlv(0xA0, der.oid(which), der.explicit(0, der.tlv(tag, raw)))
    return der.tlv({"email": 0x81, "dns": 0x82, "uri": 0x86, "ip": 0x87}[kind], raw)


def extension(which, body, critical=False):
    return der.seq(der.oid(which), *([der.boolean(True)] if critical else []), der.octets(body))


def san(names, critical=False):
    return extension("2.5.29.17", der.seq(*map(general, names)), critical)


def usages(words, critical=False):
    return extension("2.5.29.37", der.seq(*(der.oid(USAGE[w]) for w in words)), critical)


def key_usage(words, critical=True):
    mask = 0
    for w in words:
        mask |= 0x80 >> KEY_USAGE.index(w)
    unused = (mask & -mask).bit_length() - 1 if mask else 0
    return extension("2.5.29.15", der.bits(bytes([mask]) if mask else b"", unused), critical)


def basic(ca, pathlen=None, critical=True):
    return extension("2.5.29.19", der.seq(*([der.boolean(True)] if ca else []), *([der.integer(pathlen)] if pathlen is not None else [])), critical)


def constraints(permitted=(), excluded=(), critical=True):
    trees = [der.explicit(n, *(der.seq(general(g)) for g in names)) for n, names in enumerate((permitted, excluded)) if names]
    return extension("2.5.29.30", der.seq(*trees), critical)


def days(n):
    return NOW + datetime.timedelta(days=n)


def pem(data):
    text = base64.b64encode(data).decode()
    return "-----BEGIN CERTIFICATE-----\n" + "\n".join(text[i:i + 64] for i in range(0, len(text), 64)) + "\n-----END CERTIFICATE-----\n"


class Pki:
    CA_KEYS = 6  # making a key takes longer than all else; authorities of different names share them

    def __init__(self, folder):
        self.folder, self.keys, self.serial, self.made = Path(folder), {}, 0x10000, 0
        self.folder.mkdir(parents=True, exist_ok=True)

    def key(self, label, kind="rsa2048"):
        if label not in self.keys:
            self.keys[label] = der.Key(self.folder / f"{label}.key", kind)
        return self.keys[label]

    def certificate(self, key, subject, issuer=None, *, sig="sha256", inner_sig=None, version=3, serial=None, begins=None, ends=None,
                    ca=False, pathlen=None, ca_critical=True, ku=("digitalSignature", "keyEncipherment"), ku_critical=True,
                    eku=("server", "client"), eku_critical=False, san_names=None, san_critical=False, ski=True, aki=True, nc=None, more=(),
                    no_extensions=False, tamper=False, issuer_name=None):
        """DER. `issuer` is an Authority, None signs itself. `ca`, `ku`, `eku` as None leave the extension out."""
        self.serial += 1
        by = issuer.key if issuer else key
        issuer_name = issuer_name or (issuer.subject if issuer else subject)
        ext = []
        if ca is not None:
            ext.append(basic(ca, pathlen, ca_critical))
        if ku is not None:
            ext.append(key_usage(ku, ku_critical))
        if eku is not None:
            ext.append(usages(eku, eku_critical))
        if san_names is not None:
            ext.append(san(san_names, san_critical))
        if ski:
            ext.append(extension("2.5.29.14", der.octets(hashlib.sha1(key.spki).digest())))
        if aki:
            keyid = aki if isinstance(aki, bytes) else hashlib.sha1(by.spki).digest()
            ext.append(extension("2.5.29.35", der.seq(der.tlv(0x80, keyid))))
        if nc:
            ext.append(constraints(**nc))
        ext += more
        tbs = der.seq(*([der.explicit(0, der.integer(version - 1))] if version > 1 else []),
                      der.integer(self.serial if serial is None else serial), by.algorithm(inner_sig or sig), issuer_name,
                      der.seq(der.moment(begins or days(-30)), der.moment(ends or days(365))), subject, key.spki,
                      *([] if no_extensions or not ext else [der.explicit(3, der.seq(*ext))]))
        signature = by.sign(tbs, sig)
        if tamper:
            signature = signature[:-1] + bytes([signature[-1] ^ 1])
        return der.seq(tbs, by.algorithm(sig), der.bits(signature))

    def authority(self, label, cn=None, issuer=None, kind="rsa2048", key=None, subject=None, **how):
        """An Authority; what is not said is as it should be: CA:TRUE critical, keyCertSign, no EKU."""
        key = key or self.key(f"ca-{kind}-{len(self.keys)}" if kind != "rsa2048" else f"ca-{self.made % self.CA_KEYS}", kind)
        self.made += 1
        subject = subject or name(rdn(("o", "Conformance")), rdn(("cn", cn or f"Conformance {label}")))
        how = {"ca": True, "ku": ("keyCertSign", "cRLSign"), "eku": None, "begins": days(-1000), "ends": days(1000), **how}
        made = self.certificate(key, subject, issuer, **how)
        return Authority(key, subject, made, issuer)


class Authority:
    def __init__(self, key, subject, made, issuer):
        self.key, self.subject, self.der, self.issuer = key, subject, made, issuer

    def chain(self):
        """From this one up to below the root, as a server sends it."""
        return [self.der, *self.issuer.chain()] if self.issuer else []
