# SPDX-License-Identifier: Apache-2.0
"""Certificates with any fault one likes, by `openssl ca`: dates, names, usages, chains, revocation. Keys are made once a kind; a fault of a
certificate is none of its key."""
import subprocess
import time
from pathlib import Path

CONF = """[ca]
default_ca = d
[d]
database = {dir}/index
new_certs_dir = {dir}/new
certificate = {dir}/ca.pem
private_key = {dir}/ca.key
rand_serial = yes
default_md = sha256
default_crl_days = 30
policy = p
preserve = yes
unique_subject = no
email_in_dn = no
[p]
commonName = optional
organizationName = optional
"""


def openssl(*args, stdin=None):
    done = subprocess.run(["openssl", *map(str, args)], input=stdin, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"openssl {' '.join(map(str, args))}: {done.stderr}")
    return done.stdout


def utc(days):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days * 86400))


class Keys:
    def __init__(self, folder):
        self.dir = Path(folder)
        self.dir.mkdir(exist_ok=True)

    def __getitem__(self, kind):
        file = self.dir / f"{kind}.key"
        if not file.exists():
            algorithm, size = kind.split("-")
            option = f"rsa_keygen_bits:{size}" if algorithm == "rsa" else "ec_paramgen_curve:P-256"
            openssl("genpkey", "-algorithm", "RSA" if algorithm == "rsa" else "EC", "-pkeyopt", option, "-out", file)
        return file


class Identity:
    def __init__(self, cert, key, alone):
        self.cert, self.key, self.alone = cert, key, alone


class Authority:
    """A CA in a folder of its own; `above` makes it an intermediate, whose certificate is sent along."""

    def __init__(self, keys, folder, name, above=None, days=(-400, 400), extra=()):
        self.keys, self.dir, self.name, self.above = keys, Path(folder), name, above
        (self.dir / "new").mkdir(parents=True)
        (self.dir / "index").touch()
        self.conf, self.cert, self.key, self.crl, self.n = self.dir / "ca.conf", self.dir / "ca.pem", self.dir / "ca.key", self.dir / "crl.pem", 0
        self.conf.write_text(CONF.format(dir=self.dir))
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.key)
        ext = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign", "subjectKeyIdentifier=hash"]
        for line in extra:  # instead of the good one, or beside it
            ext = [e for e in ext if e.split("=")[0] != line.split("=")[0]] + [line]
        csr, file = self.dir / "ca.csr", self.dir / "ca.ext"
        openssl("req", "-new", "-key", self.key, "-subj", f"/CN={name}", "-out", csr)
        file.write_text("\n".join(ext) + "\n")
        openssl("ca", "-batch", "-notext", "-config", (above or self).conf, *([] if above else ["-selfsign"]), "-keyfile", (above or self).key, "-in", csr,
                "-out", self.cert, "-extfile", file, "-startdate", utc(days[0]), "-enddate", utc(days[1]))
        if not any("keyUsage" in e for e in extra):
            self.make_crl()

    def make_crl(self, days=(-1, 30)):
        openssl("ca", "-config", self.conf, "-gencrl", "-crl_lastupdate", utc(days[0]), "-crl_nextupdate", utc(days[1]), "-out", self.crl)

    def issue(self, names=(), cn=None, subject=None, days=(-30, 90), usage="serverAuth,clientAuth", key="rsa-2048", critical=False, extra=(), send_chain=True):
        """`names`: bare ones are DNS names, others say their kind ("URI:sip:x", "IP:192.0.2.1")."""
        self.n += 1
        csr, cert, ext, alone = (self.dir / f"c{self.n}.{e}" for e in ("csr", "pem", "ext", "alone.pem"))
        subject = subject if subject is not None else f"/CN={cn or (names[0] if names else 'nobody')}"
        openssl("req", "-new", "-key", self.keys[key], "-subj", subject, "-out", csr)
        lines = ["basicConstraints=CA:FALSE", "keyUsage=critical,digitalSignature,keyEncipherment", *extra]
        if usage:
            lines.append(f"extendedKeyUsage={usage}")
        if names:
            lines.append("subjectAltName=" + ("critical," if critical else "") + ",".join(n if ":" in n else f"DNS:{n}" for n in names))
        ext.write_text("\n".join(lines) + "\n")
        openssl("ca", "-batch", "-notext", "-config", self.conf, "-in", csr, "-out", alone, "-extfile", ext, "-startdate", utc(days[0]), "-enddate", utc(days[1]))
        chain = alone.read_text()
        if send_chain and self.above:
            chain += self.cert.read_text()
        cert.write_text(chain)
        return Identity(cert, self.keys[key], alone)

    def revoke(self, identity):
        openssl("ca", "-config", self.conf, "-revoke", identity.alone)
        self.make_crl()


def self_signed(keys, folder, names, days=90):
    folder = Path(folder)
    cert = folder / f"self-{names[0]}.pem"
    openssl("req", "-x509", "-new", "-key", keys["rsa-2048"], "-subj", f"/CN={names[0]}", "-days", days, "-out", cert, "-addext",
            "subjectAltName=" + ",".join(f"DNS:{n}" for n in names), "-addext", "extendedKeyUsage=serverAuth,clientAuth")
    return Identity(cert, keys["rsa-2048"], cert)
