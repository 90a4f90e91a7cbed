"""The JavaScript SDK with its defaults. It leaves to the server what the Python SDK does itself: AES-CBC, AES key
wrap, and, asked by key id, every operation on a public key."""

import json
import pathlib
import subprocess

import pytest

SCRIPT = pathlib.Path(__file__).parent / "js" / "keys.mjs"
RSA_OPERATIONS = ["decrypt", "encrypt", "sign", "unwrapKey", "verify", "wrapKey"]


def expected(kind):
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


@pytest.fixture(scope="module", params=["vault", "hsm"])
def run(request, server):
    kind = request.param
    url = server.vault_url() if kind == "vault" else server.hsm_url()
    done = subprocess.run(
        ["node", str(SCRIPT), kind, url], env=server.sdk_environment(), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return kind, json.loads(done.stdout)


@pytest.mark.parametrize("scenario", expected("vault"))
def test_scenario(run, scenario):
    kind, results = run
    result = results[scenario]
    assert "error" not in result, result["error"]
    assert result["value"] == expected(kind)[scenario]


def test_no_scenario_is_forgotten(run):
    kind, results = run
    assert set(results) == set(expected(kind))
