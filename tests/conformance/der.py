# SPDX-License-Identifier: Apache-2.0
"""DER by hand, as far as certificates need it. A library would refuse to write what we must be able to write: names with a NUL,
version 1 with extensions, two subjectAltNames, a signature of MD5. Signing with RSA is done here too; other keys by openssl(1)."""
import subprocess
import tempfile


def tlv(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    if n < 0x80:
        return bytes([tag, n]) + body
    size = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + body


def seq(*parts):
    return tlv(0x30, *parts)


def set_of(*parts):
    return tlv(0x31, *parts)


def integer(n):
    return tlv(2, n.to_bytes(n.bit_length() // 8 + 1, "big", signed=True))


def boolean(b):
    return tlv(1, b"\xff" if b else b"\0")


def octets(b):
    return tlv(4, b)


def bits(b, unused=0):
    return tlv(3, bytes([unused]), b)


def explicit(n, *parts):
    return tlv(0xA0 | n, *parts)


def oid(dotted):
    numbers = [int(x) for x in dotted.split(".")]
    out = b""
    for v in [numbers[0] * 40 + numbers[1], *numbers[2:]]:
        group = bytes([v & 0x7F])
        while v := v >> 7:
            group = bytes([0x80 | v & 0x7F]) + group
        out += group
    return tlv(6, out)


NULL = b"\x05\0"


def utf8(s):
    return tlv(12, s.encode() if isinstance(s, str) else s)


def moment(t):
    """UTCTime until 2049, GeneralizedTime after (RFC 5280 4.1.2.5). `t` is a datetime in UTC, or ready-made DER."""
    if isinstance(t, bytes):
        return t
    if 1950 <= t.year < 2050:
        return tlv(23, t.strftime("%y%m%d%H%M%SZ").encode())
    return tlv(24, b"%04d" % t.year, t.strftime("%m%d%H%M%SZ").encode())


def read(data, at=0):
    """(tag, body, where the next one begins)."""
    tag, n, at = data[at], data[at + 1], at + 2
    if n & 0x80:
        size = n & 0x7F
        n, at = int.from_bytes(data[at:at + size], "big"), at + size
    return tag, data[at:at + n], at + n


# ---- keys and signatures ----
RSA = "1.2.840.113549.1.1."
DIGESTS = {"md5": ("1.2.840.113549.2.5", RSA + "4"), "sha1": ("1.3.14.3.2.26", RSA + "5"),
           "sha224": ("2.16.840.1.101.3.4.2.4", RSA + "14"), "sha256": ("2.16.840.1.101.3.4.2.1", RSA + "11"),
           "sha384": ("2.16.840.1.101.3.4.2.2", RSA + "12"), "sha512": ("2.16.840.1.101.3.4.2.3", RSA + "13")}
PSS_SHA256 = seq(oid(RSA + "10"), seq(explicit(0, seq(oid(DIGESTS["sha256"][0]), NULL)),
                                      explicit(1, seq(oid(RSA + "8"), seq(oid(DIGESTS["sha256"][0]), NULL))),
                                      explicit(2, integer(32))))


def openssl(*args, stdin=None):
    done = subprocess.run(["openssl", *map(str, args)], input=stdin, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"openssl {' '.join(map(str, args))}: {done.stderr.decode()[-500:]}")
    return done.stdout


class Key:
    """A private key in a PEM file; kinds: rsa1024 ... rsa4096, p256, p384, p521, secp256k1, ed25519."""
    CURVES = {"p256": "P-256", "p384": "P-384", "p521": "P-521", "secp256k1": "secp256k1"}

    def __init__(self, path, kind="rsa2048"):
        self.path, self.kind, self.rsa = path, kind, kind.startswith("rsa")
        if self.rsa:
            openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:" + kind[3:], "-out", path)
        elif kind == "ed25519":
            openssl("genpkey", "-algorithm", "ED25519", "-out", path)
        else:
            openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:" + self.CURVES[kind], "-out", path)
        self.spki = openssl("pkey", "-in", path, "-pubout", "-outform", "DER")
        if self.rsa:
            _, body, _ = read(openssl("rsa", "-in", path, "-traditional", "-outform", "DER"))
            numbers, at = [], 0
            while at < len(body):
                _, b, at = read(body, at)
                numbers.append(int.from_bytes(b, "big"))
            _, self.n, _, self.d, self.p, self.q, self.dp, self.dq, self.qinv = numbers

    def algorithm(self, how):
        """The AlgorithmIdentifier of a signature: "sha256", "md5" ..., "pss"."""
        if how == "pss":
            return PSS_SHA256
        if self.kind == "ed25519":
            return seq(oid("1.3.101.112"))
        if self.rsa:
            return seq(oid(DIGESTS[how][1]), NULL)
        return seq(oid("1.2.840.10045.4.3." + {"sha256": "2", "sha384": "3", "sha512": "4"}[how]))

    def sign(self, data, how):
        import hashlib
        if self.rsa and how != "pss":
            info = seq(seq(oid(DIGESTS[how][0]), NULL), octets(hashlib.new(how, data, usedforsecurity=False).digest()))
            size = (self.n.bit_length() + 7) // 8
            m = int.from_bytes(b"\0\1" + b"\xff" * (size - 3 - len(info)) + b"\0" + info, "big")
            a, b = pow(m, self.dp, self.p), pow(m, self.dq, self.q)
            return (b + self.q * ((a - b) * self.qinv % self.p)).to_bytes(size, "big")
        if how == "pss":
            return openssl("dgst", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32", "-sign", self.path,
                           stdin=data)
        if self.kind == "ed25519":
            with tempfile.NamedTemporaryFile() as f:
                f.write(data)
                f.flush()
                return openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.path, "-in", f.name)
        return openssl("dgst", "-" + how, "-sign", self.path, stdin=data)
