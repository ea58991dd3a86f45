# SPDX-License-Identifier: Apache-2.0
"""A certificate authority and certificates, made by the openssl command in the run itself; nothing with a distant expiry is kept."""
import subprocess
import time
from pathlib import Path


def _openssl(*args, stdin=None):
    done = subprocess.run(["openssl", *map(str, args)], input=stdin, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"openssl {' '.join(map(str, args))}: {done.stderr}")
    return done.stdout


class Identity:
    """A key and its certificate (leaf first, the chain after it) as PEM files."""

    def __init__(self, cert, key):
        self.cert, self.key = Path(cert), Path(key)


class CA:
    def __init__(self, folder, name="Lab CA"):
        self.dir = Path(folder)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.cert, self.key = self.dir / "ca.pem", self.dir / "ca.key"
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key, "-out", self.cert,
                 "-days", 365, "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE",
                 "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def issue(self, file, cn, sans=(), days=90, usage="serverAuth,clientAuth"):
        """A certificate with that CN and those DNS names, in DIR/file.pem and file.key. RSA: every peer of the lab speaks it. `days` below 0:
        one that ended so many days ago."""
        key, csr, ext, cert = (self.dir / f"{file}.{e}" for e in ("key", "csr", "ext", "pem"))
        _openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", csr, "-subj", f"/CN={cn}")
        lines = ["basicConstraints=CA:FALSE", "keyUsage=critical,digitalSignature,keyEncipherment"]
        if usage:
            lines.append(f"extendedKeyUsage={usage}")
        if sans:
            lines.append("subjectAltName=" + ",".join(s if ":" in s else f"DNS:{s}" for s in sans))
        ext.write_text("\n".join(lines) + "\n")
        if days < 0:
            self._issue_ended(csr, ext, cert, -days)
        else:
            _openssl("x509", "-req", "-in", csr, "-CA", self.cert, "-CAkey", self.key, "-CAcreateserial", "-days", days, "-extfile", ext,
                     "-out", cert)
        key.chmod(0o644)
        return Identity(cert, key)

    def _index(self, known):
        """A database of openssl ca: a line for each certificate, {Identity: revoked}."""
        lines = []
        for identity, revoked in known.items():
            serial = _openssl("x509", "-in", identity.cert, "-noout", "-serial").strip().split("=")[1]
            subject = _openssl("x509", "-in", identity.cert, "-noout", "-subject", "-nameopt", "compat").strip().split("=", 1)[1].strip()
            stamp = lambda ahead: time.strftime("%y%m%d%H%M%SZ", time.gmtime(time.time() + ahead))
            lines.append("\t".join(["R" if revoked else "V", stamp(90 * 86400), stamp(-60) if revoked else "", serial, "unknown", subject]))
        index = self.dir / "known.index"
        index.write_text("\n".join(lines) + "\n" if lines else "")
        (self.dir / "known.index.attr").write_text("unique_subject = no\n")
        return index

    def crl(self, file, *revoked, days=7):
        """DIR/file.crl, a list on which those stand."""
        conf, out = self.dir / "crl.conf", self.dir / f"{file}.crl"
        conf.write_text(f"[ca]\ndefault_ca = it\n[it]\ndatabase = {self._index({r: True for r in revoked})}\ndefault_md = sha256\ndefault_crl_days = {days}\n")
        _openssl("ca", "-config", conf, "-gencrl", "-cert", self.cert, "-keyfile", self.key, "-out", out)
        return out

    def ocsp(self, file, identity, revoked=False):
        """DIR/file.ocsp, a response (DER) about it by the authority itself."""
        request, out = self.dir / f"{file}.req", self.dir / f"{file}.ocsp"
        _openssl("ocsp", "-issuer", self.cert, "-cert", identity.cert, "-no_nonce", "-reqout", request)
        _openssl("ocsp", "-index", self._index({identity: revoked}), "-CA", self.cert, "-rsigner", self.cert, "-rkey", self.key, "-reqin", request, "-ndays", 7,
                 "-respout", out)
        return out

    def _issue_ended(self, csr, ext, cert, days):
        """`openssl x509 -days -1` would make one that ends before it begins: that is no expired certificate but a malformed one."""
        stamp = lambda ago: time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() - ago * 86400))
        conf = self.dir / "ended.conf"
        (self.dir / "ended.index").touch()
        conf.write_text(f"""[ca]
default_ca = it
[it]
database = {self.dir}/ended.index
new_certs_dir = {self.dir}
default_md = sha256
rand_serial = yes
policy = any
[any]
commonName = supplied
""")
        _openssl("ca", "-batch", "-config", conf, "-cert", self.cert, "-keyfile", self.key, "-in", csr, "-out", cert, "-notext",
                 "-extfile", ext, "-startdate", stamp(days + 30), "-enddate", stamp(days))
