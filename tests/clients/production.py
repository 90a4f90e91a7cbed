"""An installation as in production: `strongroom init` and `strongroom serve` on a configuration file of its own."""

import datetime
import ipaddress
import os
import re
import shlex
import signal
import socket
import subprocess
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from harness import BINARY

DOMAIN = "keys.example"
TENANT = "11111111-2222-3333-4444-555555555555"


def write_certificates(folder, *names):
    """Makes `ca.pem`, `tls.pem` and `tls.key` in a folder: an authority and a leaf of its for these names."""
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.now(datetime.timezone.utc)

    def builder(name, issuer, key):
        named = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        by = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)])
        day = datetime.timedelta(days=1)
        start = x509.CertificateBuilder().subject_name(named).issuer_name(by).public_key(key.public_key())
        start = start.serial_number(x509.random_serial_number())
        return start.not_valid_before(now - day).not_valid_after(now + day)

    def general(name):
        try:
            return x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            return x509.DNSName(name)

    authority, leaf = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    usage = dict.fromkeys(
        [
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ],
        False,
    )
    root = builder("authority", "authority", authority)
    root = root.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    root = root.add_extension(x509.KeyUsage(**{**usage, "key_cert_sign": True}), critical=True)
    root = root.add_extension(x509.SubjectKeyIdentifier.from_public_key(authority.public_key()), critical=False)
    certificate = builder("leaf", "authority", leaf)
    certificate = certificate.add_extension(x509.SubjectAlternativeName([general(name) for name in names]), False)
    certificate = certificate.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    by = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
    certificate = certificate.add_extension(by, critical=False)
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(root.sign(authority, hashes.SHA256()).public_bytes(pem))
    (folder / "tls.pem").write_bytes(certificate.sign(authority, hashes.SHA256()).public_bytes(pem))
    private = serialization.PrivateFormat.PKCS8
    (folder / "tls.key").write_bytes(leaf.private_bytes(pem, private, serialization.NoEncryption()))
    (folder / "tls.key").chmod(0o600)


def free_port():
    with socket.socket() as looking:
        looking.bind(("127.0.0.1", 0))
        return looking.getsockname()[1]


class Installation:
    """A running `strongroom serve` that is ready and has said `until`. `more` stands at the end of its configuration;
    `init` are arguments of that."""

    def __init__(self, folder, more, init, until=()):
        self.folder = folder
        self.port = free_port()
        names = [f"{prefix}{DOMAIN}" for prefix in ("", "*.", "*.vault.", "*.managedhsm.")]
        write_certificates(folder, *names)
        configuration = folder / "strongroom.toml"
        configuration.write_text(
            f'domain = "{DOMAIN}"\ntenant = "{TENANT}"\nstate = "state"\nlisten = ["127.0.0.1:{self.port}"]\n'
            f'proxy = true\nroot.key_file = "root.key"\ntls.certificate = "tls.pem"\ntls.key = "tls.key"\n{more}'
        )
        foreign = re.compile("STRONGROOM_|(HTTPS?|ALL|NO)_PROXY", re.IGNORECASE)
        environment = {name: value for name, value in os.environ.items() if not foreign.match(name)}
        command = [BINARY, "init", "--config", str(configuration), *init]
        made = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
        lines = [line for line in made.stdout.splitlines() if re.match("[A-Z_]+='", line)]
        self.facts = dict(shlex.split(line)[0].split("=", 1) for line in lines)
        command = [BINARY, "serve", "--config", str(configuration)]
        self.process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        self.log = []
        missing = [": ready ", *until]
        while missing:
            line = self.process.stderr.readline()
            if not line:
                raise RuntimeError(f"the server did not start: {''.join(self.log)}")
            self.log.append(line)
            missing = [part for part in missing if part not in line]
        # Read to its end, as nobody else would.
        threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True).start()

    @property
    def base_url(self):
        return f"https://{DOMAIN}:{self.port}"

    @property
    def ca_file(self):
        return str(self.folder / "ca.pem")

    def vault_url(self, name):
        return f"https://{name}.vault.{DOMAIN}:{self.port}"

    def hsm_url(self, name):
        return f"https://{name}.managedhsm.{DOMAIN}:{self.port}"

    def environment(self):
        """Of clients in this process: names are found through the server's own proxy."""
        return {"HTTPS_PROXY": f"http://127.0.0.1:{self.port}", "REQUESTS_CA_BUNDLE": self.ca_file}

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=30) == 0, "".join(self.log)
