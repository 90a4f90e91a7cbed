"""The JavaScript SDKs with their defaults. That of keys leaves to the server what the Python SDK does itself: AES-CBC, AES
key wrap, and, asked by key id, every operation on a public key."""

import json
import pathlib
import subprocess

import pytest

import x509
from sdk import new_container

SCRIPTS = pathlib.Path(__file__).parent / "js"
RSA_OPERATIONS = ["decrypt", "encrypt", "sign", "unwrapKey", "verify", "wrapKey"]


def expected_of_keys(kind):
    def kty(name):
        return f"{name}-HSM" if kind == "hsm" else name

    aes = {f"A{size}{mode}": True for size in (128, 192, 256) for mode in ("CBC", "CBCPAD", "GCM", "KW")}
    signatures = dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), 256)
    signatures |= {"ES256": 64, "ES256K": 64, "ES384": 96, "ES512": 132}
    conflict = [409, "Conflict", None]
    not_found = [404, "KeyNotFound", None]
    bad = [400, "BadParameter", None]
    return {
        "createRsa": [[kty("RSA"), size, RSA_OPERATIONS] for size in (2048, 3072, 4096)],
        "createEc": [
            [kty("EC"), curve, size] for curve, size in (("P-256", 32), ("P-256K", 32), ("P-384", 48), ("P-521", 66))
        ],
        "createOct": [["oct-HSM", None]] * 3 if kind == "hsm" else bad,
        "updateAndVersions": {
            "changed": [False, "2035-01-01T00:00:00.000Z", {"n": "2"}],
            "same": True,
            "latest": True,
        },
        "pages": {"complete": True, "full": True},
        "life": {
            "days": 90,
            "recoveryId": True,
            "live": not_found,
            "again": [409, "Conflict", "ObjectIsDeletedButRecoverable"],
            "listed": True,
            "recovered": True,
            "purged": not_found,
        },
        "backup": {"live": conflict, "deleted": conflict, "restored": True},
        "rotation": {
            "expiresIn": ["P180D", "P180D"],
            "actions": ["Notify", "Rotate"] if kind == "vault" else ["Rotate"],
            "rotated": True,
        },
        "importKey": {"kty": kty("EC"), "same": True},
        "randomBytes": [32, bad] if kind == "hsm" else "not of a vault",
        "sign": {algorithm: [length, True, False] for algorithm, length in signatures.items()},
        "signWithWhatTheSdkDoesItself": True,
        "encryptRsa": {
            algorithm: ["secret", "a key of 16 byte"] for algorithm in ("RSA1_5", "RSA-OAEP", "RSA-OAEP-256")
        },
        "encryptAes": {**aes, "wrongSize": bad, "forged": bad} if kind == "hsm" else "not in a vault",
        "refusals": {
            "notPermitted": [403, "Forbidden", "KeyOperationForbidden"],
            "disabled": [403, "Forbidden", "KeyDisabled"],
            "missing": not_found,
            "badName": bad,
        },
    }


def expected_of_secrets():
    conflict = [409, "Conflict", None]
    not_found = [404, "SecretNotFound", None]
    bad = [400, "BadParameter", None]
    return {
        "setAndGet": {
            "value": "grüße, 世界",
            "same": True,
            "contentType": "text/plain",
            "dates": ["2020-01-01T00:00:00.000Z", "2035-01-01T00:00:00.000Z"],
            "tags": {"a": "b"},
            "recovery": ["Recoverable+Purgeable", 90],
            "managed": None,
        },
        "updateAndVersions": {
            "changed": [False, "old", {"n": "2"}],
            "disabled": [403, "Forbidden", "SecretDisabled"],
            "old": "one",
            "latest": "two",
            "same": True,
        },
        "pages": {"complete": True, "full": True, "values": False},
        "life": {
            "days": 90,
            "recoveryId": True,
            "value": None,
            "live": not_found,
            "again": [409, "Conflict", "ObjectIsDeletedButRecoverable"],
            "listed": True,
            "recovered": ["one", True],
            "purged": not_found,
        },
        "backup": {"live": conflict, "deleted": conflict, "values": ["one", "two"]},
        "refusals": {"missing": not_found, "long": bad, "badName": bad},
    }


def expected_of_certificates():
    conflict = [409, "Conflict", None]
    not_found = [404, "CertificateNotFound", None]
    bad = [400, "BadParameter", None]
    person = {"firstName": "A", "lastName": "B", "email": "a@contoso.com", "phone": "1"}
    return {
        "defaultPolicy": {
            "key": ["rsa", 2048],
            "selfSigned": True,
            "thumbprint": True,
            "expires": True,
            "tags": {"a": "b"},
            "issuer": "Self",
            "contentType": "application/x-pkcs12",
            "managed": [True, True],
            "ids": True,
            "pair": True,
        },
        "names": {
            "curve": "secp384r1",
            "usages": ["1.3.6.1.5.5.7.3.1"],
            "hosts": ["*.contoso.com", None],
            "addresses": ["192.0.2.1", "2001:db8::1"],
            "email": "a@contoso.com",
            "kept": {
                "dnsNames": ["contoso.com", "*.contoso.com"],
                "emails": ["a@contoso.com"],
                "userPrincipalNames": ["b@contoso.com"],
                "uniformResourceIdentifiers": ["spiffe://contoso/a"],
                "ipAddresses": ["192.0.2.1", "2001:db8::1"],
            },
        },
        "updateAndVersions": {
            "changed": [False, {"n": "1"}],
            "disabled": [403, "Forbidden", "SecretDisabled"],
            "same": True,
            "latest": True,
            "policy": [6, [{"action": "EmailContacts", "daysBeforeExpiry": 30}]],
        },
        "pages": {"complete": True, "full": True},
        "merge": {"status": "inProgress", "pending": conflict, "wrong": bad, "same": True, "signed": True},
        "cancelAndDeleteTheOperation": {
            "status": "cancelled",
            "deleted": "cancelled",
            "gone": [404, "PendingCertificateNotFound", None],
            "listed": [False, True],
        },
        "imports": {
            "same": [True, True],
            "pair": True,
            "policy": ["Unknown", "CN=imported, O=Contoso"],
            "wrongPassword": bad,
            "noPassword": bad,
            "garbage": bad,
        },
        "life": {
            "managed": [[403, "Forbidden", "KeyManagedByKeyVault"], [403, "Forbidden", "SecretManagedByKeyVault"]],
            "days": 90,
            "recoveryId": True,
            "live": [not_found, [404, "KeyNotFound", None], [404, "SecretNotFound", None]],
            "again": [409, "Conflict", "ObjectIsDeletedButRecoverable"],
            "listed": True,
            "recovered": True,
            "purged": not_found,
        },
        "backup": {"live": conflict, "deleted": conflict, "restored": True},
        "issuersAndContacts": {
            "made": ["Test", "me", None, [person]],
            "changed": ["Test", "you"],
            "listed": [["theirs", "Test"]],
            "gone": [404, "CertificateIssuerNotFound", None],
            "contacts": [{"email": "a@contoso.com", "name": "A", "phone": "1"}],
            "noContacts": [404, "ContactsNotFound", None],
        },
    }


# A script, and the kind of container whose objects it is about.
RUNS = {
    ("keys", "vault"): expected_of_keys("vault"),
    ("keys", "hsm"): expected_of_keys("hsm"),
    ("secrets", "vault"): expected_of_secrets(),
    ("certificates", "vault"): expected_of_certificates(),
}


@pytest.fixture(scope="module")
def results(server, credential, folder):
    """What a script printed. Each runs once, and those of secrets and certificates in vaults of their own: names are
    taken by keys."""
    x509.authority(folder)
    x509.holder(folder, "imported")
    x509.pfx(folder, "imported", "secret")
    printed = {}

    def of(script, kind):
        if (script, kind) not in printed:
            url = server.vault_url() if kind == "vault" else server.hsm_url()
            if script != "keys":
                url = new_container(server, credential, kind, f"js{script}").vault_url
            line = ["node", str(SCRIPTS / f"{script}.mjs"), kind, url]
            environment = server.sdk_environment()
            done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stderr
            printed[script, kind] = json.loads(done.stdout)
        return printed[script, kind]

    return of


@pytest.mark.parametrize(
    ("script", "kind", "scenario"), [(*run, scenario) for run, expected in RUNS.items() for scenario in expected]
)
def test_scenario(results, script, kind, scenario):
    result = results(script, kind)[scenario]
    assert "error" not in result, result["error"]
    assert result["value"] == RUNS[script, kind][scenario]


@pytest.mark.parametrize(("script", "kind"), RUNS)
def test_no_scenario_is_forgotten(results, script, kind):
    assert set(results(script, kind)) == set(RUNS[script, kind])
