"""What the tests of certificates make and read with tools that are not ours: openssl and `cryptography`."""

import base64
import datetime
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12
from cryptography.x509 import verification


def openssl(folder, *arguments, stdin=None):
    """Runs openssl, and answers what it printed."""
    command = ["openssl", *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, input=stdin, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def authority(folder, name="ca"):
    """A certificate authority: `ca.pem` with its key."""
    folder.mkdir(parents=True, exist_ok=True)
    openssl(
        folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
        "-subj", f"/CN=Test {name}", "-addext", "basicConstraints=critical,CA:true", "-keyout", f"{name}.key", "-out",
        f"{name}.pem",
    )  # fmt: skip


def sign(folder, csr, days=365, name="ca"):
    """What the authority makes of a signing request in DER: the certificate in PEM."""
    request = folder / "request.csr"
    request.write_bytes(csr)
    openssl(
        folder, "x509", "-req", "-inform", "DER", "-in", request, "-CA", f"{name}.pem", "-CAkey", f"{name}.key",
        "-CAcreateserial", "-days", days, "-copy_extensions", "copyall", "-out", "leaf.pem",
    )  # fmt: skip
    return (folder / "leaf.pem").read_bytes()


def holder(folder, name, key="rsa:2048"):
    """A certificate that signs itself, as files: `name.key`, `name.pem`, both in `name.both.pem`."""
    folder.mkdir(parents=True, exist_ok=True)
    kind = ["-newkey", key] if key.startswith("rsa") else ["-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{key}"]
    openssl(folder, "req", "-x509", *kind, "-nodes", "-days", "90", "-subj", f"/O=Contoso/CN={name}", "-keyout",
            f"{name}.key", "-out", f"{name}.pem")  # fmt: skip
    both = folder / f"{name}.both.pem"
    both.write_bytes((folder / f"{name}.key").read_bytes() + (folder / f"{name}.pem").read_bytes())
    return both


def pfx(folder, name, password, *options):
    """The same as PKCS#12."""
    path = folder / f"{name}.pfx"
    openssl(folder, "pkcs12", "-export", *options, "-in", f"{name}.pem", "-inkey", f"{name}.key", "-out", path,
            "-passout", f"pass:{password}")  # fmt: skip
    return path


def opened(secret):
    """Key, certificate and further certificates of a PKCS#12 file in base64, as secrets of certificates have it."""
    return pkcs12.load_key_and_certificates(base64.b64decode(secret), None)


def read(certificate):
    """A certificate in DER."""
    return x509.load_der_x509_certificate(bytes(certificate))


def same_key(private, certificate):
    return private.public_key().public_numbers() == certificate.public_key().public_numbers()


def check_server_chain(folder, leaf, root, name):
    """Whether a server may show this chain for its name: to openssl, strictly, and to what a browser would say."""
    folder.mkdir()
    for file, certificate in (("leaf.pem", leaf), ("root.pem", root)):
        (folder / file).write_bytes(certificate.public_bytes(Encoding.PEM))
    asked = ("-x509_strict", "-purpose", "sslserver", "-verify_hostname", name, "-attime", seconds_into(leaf))
    openssl(folder, "verify", *asked, "-CAfile", "root.pem", "leaf.pem")
    policy = verification.PolicyBuilder().store(verification.Store([root]))
    at = leaf.not_valid_before_utc.replace(tzinfo=None) + datetime.timedelta(hours=1)
    policy.time(at).build_server_verifier(x509.DNSName(name)).verify(leaf, [])


def seconds_into(certificate):
    """A moment of its life, by the clock of whoever made it."""
    return int(certificate.not_valid_before_utc.timestamp()) + 3600
