"""Using keys with the Python SDK, which does itself what needs the public key alone, and importing them."""

import base64
import datetime
import hashlib

import pytest
from azure.core.exceptions import HttpResponseError
from azure.keyvault.keys import JsonWebKey
from azure.keyvault.keys.crypto import CryptographyClient, EncryptionAlgorithm, SignatureAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sdk import kty_of, refused

RSA_SIGNATURES = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
EC_SIGNATURES = {"ES256": "P-256", "ES256K": "P-256K", "ES384": "P-384", "ES512": "P-521"}


def digest_for(algorithm):
    return hashlib.new(f"sha{algorithm[2:5]}", b"message").digest()


@pytest.fixture(scope="module")
def rsa_keys(vault, hsm):
    return {client.kind: client.create_rsa_key("crypto-rsa") for client in (vault, hsm)}


@pytest.mark.parametrize("algorithm", RSA_SIGNATURES)
def test_sign_and_verify_rsa(keys, rsa_keys, credential, algorithm):
    sign_and_verify(rsa_keys[keys.kind], credential, algorithm)


@pytest.mark.parametrize("algorithm", EC_SIGNATURES)
def test_sign_and_verify_ec(keys, credential, algorithm):
    key = keys.create_ec_key(f"crypto-{algorithm}", curve=EC_SIGNATURES[algorithm])
    sign_and_verify(key, credential, algorithm)


def sign_and_verify(key, credential, algorithm):
    digest = digest_for(algorithm)
    crypto = CryptographyClient(key, credential)
    signed = crypto.sign(algorithm, digest)
    assert signed.key_id == key.id
    assert crypto.verify(algorithm, digest, signed.signature).is_valid
    assert not crypto.verify(algorithm, digest[::-1], signed.signature).is_valid


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_sign_and_verify_hmac(hsm, credential, algorithm):
    key = hsm.create_oct_key(f"crypto-{algorithm}", hardware_protected=True, key_operations=["sign", "verify"])
    sign_and_verify(key, credential, algorithm)


@pytest.mark.parametrize("algorithm", ["RSA1_5", "RSA-OAEP", "RSA-OAEP-256"])
def test_encrypt_and_wrap_rsa(keys, rsa_keys, credential, algorithm):
    crypto = CryptographyClient(rsa_keys[keys.kind], credential)
    assert crypto.decrypt(algorithm, crypto.encrypt(algorithm, b"secret").ciphertext).plaintext == b"secret"
    wrapped = crypto.wrap_key(algorithm, bytes(32))
    assert crypto.unwrap_key(algorithm, wrapped.encrypted_key).key == bytes(32)


@pytest.mark.parametrize("size", [128, 192, 256])
def test_aes_gcm(hsm, credential, size):
    key = hsm.create_oct_key(f"gcm-{size}", size=size, hardware_protected=True)
    crypto = CryptographyClient(key, credential)
    algorithm = f"A{size}GCM"
    sealed = crypto.encrypt(algorithm, b"secret", additional_authenticated_data=b"aad")
    assert (len(sealed.iv), len(sealed.tag)) == (12, 16)
    options = {"iv": sealed.iv, "authentication_tag": sealed.tag}
    opened = crypto.decrypt(algorithm, sealed.ciphertext, additional_authenticated_data=b"aad", **options)
    assert opened.plaintext == b"secret"
    with pytest.raises(HttpResponseError) as raised:
        crypto.decrypt(algorithm, sealed.ciphertext, additional_authenticated_data=b"other", **options)
    assert raised.value.status_code == 400, "never one of the five hundreds: the SDK would try again"


def test_aes_cbc(hsm, credential):
    key = hsm.create_oct_key("cbc", size=256, hardware_protected=True)
    with CryptographyClient(key, credential) as crypto:
        given = {"iv": bytes(16), "additional_authenticated_data": b"passed over"}
        filled = crypto.encrypt("A256CBC", b"short", **given)
        assert crypto.decrypt("A256CBC", filled.ciphertext, iv=filled.iv).plaintext == b"short".ljust(16, b"\0")
        padded = crypto.encrypt("A256CBCPAD", b"short", **given)
        assert crypto.decrypt("A256CBCPAD", padded.ciphertext, iv=padded.iv).plaintext == b"short"


def test_what_a_key_refuses(keys, credential):
    digest = digest_for("RS256")
    key = keys.create_rsa_key("refusing", key_operations=["decrypt", "sign"])
    crypto = CryptographyClient(key, credential)
    error = refused(lambda: sign_remotely(keys, key, "RS256", digest[:-1]), 400, "BadParameter")
    assert "Invalid length of 'value': 31 bytes. RS256 requires 32 bytes" in error.message
    refused(lambda: crypto.decrypt("RSA-OAEP", bytes(256)), 400, "BadParameter")
    refused(lambda: sign_remotely(keys, key, "ES256", digest), 400, "BadParameter")

    keys.update_key_properties("refusing", key_operations=["decrypt"])
    error = refused(lambda: sign_remotely(keys, key, "RS256", digest), 403, "Forbidden", "KeyOperationForbidden")
    assert "Operation sign is not permitted on this key." in error.message

    keys.update_key_properties("refusing", enabled=False, key_operations=["decrypt", "sign"])
    error = refused(lambda: sign_remotely(keys, key, "RS256", digest), 403, "Forbidden", "KeyDisabled")
    assert "Operation sign is not allowed on a disabled key." in error.message


def sign_remotely(client, key, algorithm, digest):
    """Past the SDK's own checks, which stop most mistakes before the server sees them."""
    value = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return client._client.sign(key.name, key.properties.version, {"alg": algorithm, "value": value})


def test_a_key_out_of_its_time(keys):
    digest = digest_for("RS256")
    past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    expired = keys.create_rsa_key("expired", expires_on=past)
    refused(lambda: sign_remotely(keys, expired, "RS256", digest), 403, "Forbidden", "KeyExpired")
    early = keys.create_rsa_key("early", not_before=past + datetime.timedelta(days=2))
    refused(lambda: sign_remotely(keys, early, "RS256", digest), 403, "Forbidden", "KeyNotYetValid")


# Import


def unsigned(number):
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def test_import_rsa(keys, credential):
    private = rsa.generate_private_key(65537, 2048)
    numbers = private.private_numbers()
    jwk = JsonWebKey(
        kty="RSA",
        key_ops=["sign", "verify"],
        n=unsigned(numbers.public_numbers.n),
        e=unsigned(numbers.public_numbers.e),
        d=unsigned(numbers.d),
        p=unsigned(numbers.p),
        q=unsigned(numbers.q),
        dp=unsigned(numbers.dmp1),
        dq=unsigned(numbers.dmq1),
        qi=unsigned(numbers.iqmp),
    )
    made = keys.import_key("imported-rsa", jwk, tags={"from": "outside"})
    assert (made.key_type, made.properties.tags) == (kty_of(keys, "RSA"), {"from": "outside"})
    digest = hashlib.sha256(b"message").digest()
    signature = CryptographyClient(made, credential).sign(SignatureAlgorithm.rs256, digest).signature
    private.public_key().verify(signature, b"message", padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize(
    ("name", "curve"),
    [("P-256", ec.SECP256R1()), ("P-256K", ec.SECP256K1()), ("P-384", ec.SECP384R1()), ("P-521", ec.SECP521R1())],
)
def test_import_ec(keys, credential, name, curve):
    # A private value with a leading zero: some clients leave it out (contract: az-client §4.6).
    private = ec.derive_private_key(0x1234567890ABCDEF, curve)
    public = private.public_key().public_numbers()
    jwk = JsonWebKey(
        kty="EC", crv=name, key_ops=["sign"], x=unsigned(public.x), y=unsigned(public.y), d=unsigned(0x1234567890ABCDEF)
    )
    made = keys.import_key(f"imported-{name}", jwk)
    assert (made.key_type, made.key.crv) == (kty_of(keys, "EC"), name)
    assert int.from_bytes(made.key.x, "big") == public.x


def test_import_oct(hsm, credential):
    jwk = JsonWebKey(kty="oct-HSM", key_ops=["encrypt", "decrypt"], k=bytes(range(32)))
    made = hsm.import_key("imported-oct", jwk)
    assert (made.key_type, made.key.k) == ("oct-HSM", None)
    crypto = CryptographyClient(made, credential)
    sealed = crypto.encrypt(EncryptionAlgorithm.a256_gcm, b"hello", additional_authenticated_data=b"aad")
    opened = AESGCM(bytes(range(32))).decrypt(sealed.iv, sealed.ciphertext + sealed.tag, b"aad")
    assert opened == b"hello"
