"""Every command of Microsoft's tutorial "Manage a Managed HSM using the Azure CLI", as printed there but for the two
that no az of today accepts (contract: az-client §4.11), and what the lifecycle refuses."""

import base64

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from harness import DIGEST, ROTATION_POLICY

HSM = "https://ContosoMHSM.managedhsm.azure.net"
DEFAULT_OPERATIONS = {"encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"}


@pytest.fixture(scope="module", autouse=True)
def containers(az, server):
    """The tutorial's HSM, another that protects what is deleted, and a vault of each kind."""
    create = "keyvault create --resource-group dev --location eastus --retention-days 7"
    administrators = f"--administrators {server['OBJECT_ID']}"
    az.together(
        f"{create} --hsm-name ContosoMHSM {administrators}",
        f"{create} --hsm-name protectedhsm {administrators} --enable-purge-protection true",
        f"{create} --name contosovault",
        f"{create} --name protectedvault --enable-purge-protection true",
    )


def by_name(key):
    return f"--hsm-name ContosoMHSM --name {key}"


def by_id(key):
    return f"--id {HSM}/keys/{key}"


def by_id_of_deleted(key):
    return f"--id {HSM}/deletedKeys/{key}"


forms = pytest.mark.parametrize("key", [by_name, by_id])


def names(items):
    return {item["name"] for item in items}


@forms
def test_create_an_rsa_key(az, key):
    made = az(f"keyvault key create {key('myrsakey')} --ops wrapKey unwrapKey --kty RSA-HSM --size 3072")
    assert made["key"]["kty"] == "RSA-HSM"
    assert made["key"]["keyOps"] == ["wrapKey", "unwrapKey"]
    assert made["key"]["kid"].startswith("https://contosomhsm.managedhsm.azure.net/keys/myrsakey/")
    assert len(made["key"]["n"]) == 512, "3072 bits are 384 bytes, in base64 512 characters"
    assert made["attributes"]["recoveryLevel"] == "CustomizedRecoverable+Purgeable"
    assert made["attributes"]["recoverableDays"] == 7


@forms
def test_create_an_ec_key(az, key):
    tags = "--tags 'usage=signing' 'appname=myapp'"
    made = az(f"keyvault key create {key('myec256key')} --ops sign verify {tags} --kty EC-HSM --curve P-256")
    assert (made["key"]["kty"], made["key"]["crv"]) == ("EC-HSM", "P-256")
    assert made["tags"] == {"usage": "signing", "appname": "myapp"}


@forms
def test_create_an_aes_key(az, key):
    tags = "--tags 'usage=signing' 'appname=myapp'"
    made = az(f"keyvault key create {key('myaes256key')} --ops encrypt decrypt {tags} --kty oct-HSM --size 256")
    assert made["key"]["kty"] == "oct-HSM"
    assert made["key"]["k"] is None


@forms
def test_a_life(az, key, tmp_path):
    """Show, list, delete, list deleted, recover, back up, purge, restore."""
    name = f"life-{key.__name__.replace('_', '-')}"
    hsm = f"--id {HSM}/" if key is by_id else "--hsm-name ContosoMHSM"
    # The tutorial names a deleted key by the collection it is in.
    deleted = by_id_of_deleted if key is by_id else by_name
    made = az(f"keyvault key create {key(name)} --ops sign verify --kty EC-HSM --curve P-256 --tags a=b")

    shown, listed = az.together(f"keyvault key show {key(name)}", f"keyvault key list {hsm}")
    assert shown == made
    assert name in names(listed)

    gone = az(f"keyvault key delete {key(name)}")
    assert gone["recoveryId"] == f"https://contosomhsm.managedhsm.azure.net/deletedkeys/{name}"
    assert gone["key"] == made["key"]
    listed, of_deleted, shown = az.together(
        f"keyvault key list {hsm}",
        f"keyvault key list-deleted {hsm}",
        f"keyvault key show-deleted {deleted(name)}",
    )
    assert name not in names(listed)
    assert name in names(of_deleted)
    assert shown == gone

    assert az(f"keyvault key recover {deleted(name)}")["key"] == made["key"]
    assert az(f"keyvault key show {key(name)}") == made

    backup = tmp_path / "mykey.backup"
    # With a deleted key's collection in the id, as printed: az drops it.
    az(f"keyvault key backup {deleted(name)} --file {backup}")
    az(f"keyvault key delete {key(name)}")
    assert az(f"keyvault key purge {deleted(name)}") is None
    of_deleted, absent = az(f"keyvault key list-deleted {hsm}"), az.refuses(f"keyvault key show {key(name)}")
    assert name not in names(of_deleted)
    assert absent.code == "KeyNotFound"

    assert az(f"keyvault key restore {hsm} --file {backup}")["key"] == made["key"]
    restored = az(f"keyvault key show {key(name)}")
    assert (restored["key"], restored["tags"]) == (made["key"], {"a": "b"})


def test_import_a_key(az, tmp_path):
    pem = tmp_path / "mycert.key"
    pem.write_bytes(encrypted_rsa_key(b"mypassword"))
    made = az(f"keyvault key import {by_name('imported')} --pem-file {pem} --pem-password mypassword")
    assert made["key"]["kty"] == "RSA-HSM"
    assert set(made["key"]["keyOps"]) == DEFAULT_OPERATIONS


def test_import_a_key_on_the_curve_that_az_has_another_name_for(az, tmp_path):
    pem = tmp_path / "secp256k1.pem"
    private = ec.generate_private_key(ec.SECP256K1())
    encoding = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem.write_bytes(private.private_bytes(*encoding))
    assert az(f"keyvault key import {by_name('curve')} --pem-file {pem}")["key"]["crv"] == "P-256K"
    az.text(f"keyvault key download {by_name('curve')} --encoding PEM --file {tmp_path / 'public.pem'}")
    public = serialization.load_pem_public_key((tmp_path / "public.pem").read_bytes())
    assert public == private.public_key()


def encrypted_rsa_key(password):
    return rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.BestAvailableEncryption(password),
    )


# What is refused.

CONTAINERS = {
    "hsm": ("--hsm-name ContosoMHSM", "--hsm-name protectedhsm"),
    "vault": ("--vault-name contosovault", "--vault-name protectedvault"),
}
both = pytest.mark.parametrize("kind", CONTAINERS)


@both
def test_what_a_deleted_key_refuses(az, kind, tmp_path):
    where, _ = CONTAINERS[kind]
    key = f"{where} --name gone"
    az(f"keyvault key create {key} --kty RSA --size 2048")
    az(f"keyvault key backup {key} --file {tmp_path}/gone.backup")
    live_conflict, not_deleted, nothing_to_recover = az.refuses_each(
        f"keyvault key restore {where} --file {tmp_path}/gone.backup",
        f"keyvault key purge {key}",
        f"keyvault key recover {key}",
    )
    assert live_conflict.code == "Conflict"
    assert "There was a conflict restoring the key" in live_conflict.text
    assert (not_deleted.code, nothing_to_recover.code) == ("KeyNotFound", "KeyNotFound")

    az(f"keyvault key delete {key}")
    create, restore, *uses = az.refuses_each(
        f"keyvault key create {key} --kty RSA",
        f"keyvault key restore {where} --file {tmp_path}/gone.backup",
        f"keyvault key show {key}",
        f"keyvault key delete {key}",
        f"keyvault key set-attributes {key} --enabled false",
        f"keyvault key sign {key} --algorithm RS256 --digest {DIGEST}",
        f"keyvault key decrypt {key} --algorithm RSA-OAEP --value {DIGEST}",
        f"keyvault key backup {key} --file {tmp_path}/not-written",
        f"keyvault key rotate {key}",
    )
    assert create.code == "Conflict"
    assert "Key gone is currently in a deleted but recoverable state, and its name cannot be reused" in create.text
    assert create.inner == "ObjectIsDeletedButRecoverable"
    assert (restore.code, "There was a conflict restoring the key" in restore.text) == ("Conflict", True)
    assert [use.code for use in uses] == ["KeyNotFound"] * len(uses)
    assert not (tmp_path / "not-written").exists()
    # Nothing of this changed it.
    az(f"keyvault key recover {key}")
    assert az(f"keyvault key show {key}")["attributes"]["enabled"] is True


@both
def test_nobody_purges_what_is_protected(az, kind, server):
    _, where = CONTAINERS[kind]
    key = f"{where} --name kept"
    made = az(f"keyvault key create {key} --kty EC --curve P-256")
    assert made["attributes"]["recoveryLevel"] == "CustomizedRecoverable"
    az(f"keyvault key delete {key}")
    refused = az.refuses(f"keyvault key purge {key}")
    assert refused.code == "Forbidden"
    assert 'Operation "purge" is not allowed because purge protection is enabled' in refused.text
    assert az(f"keyvault key recover {key}")["key"] == made["key"]


@both
def test_restoring_what_is_no_backup(az, kind, tmp_path):
    where, _ = CONTAINERS[kind]
    (tmp_path / "noise").write_bytes(b"not a backup")
    code = "Malformed backup blob" if kind == "vault" else "BadParameter"
    assert az.refuses(f"keyvault key restore {where} --file {tmp_path}/noise").code == code


def test_a_backup_opens_in_no_other_hsm(az, tmp_path):
    az(f"keyvault key create {by_name('homely')} --kty EC-HSM")
    az(f"keyvault key backup {by_name('homely')} --file {tmp_path}/homely.backup")
    refused = az.refuses(f"keyvault key restore --hsm-name protectedhsm --file {tmp_path}/homely.backup")
    assert refused.code == "BadParameter"


def test_a_key_that_may_not(az):
    az(f"keyvault key create {by_name('wraponly')} --kty RSA-HSM --ops wrapKey unwrapKey")
    az("keyvault key create --vault-name contosovault --name wraponly --kty RSA --ops wrapKey unwrapKey")
    for refusal in az.refuses_each(
        f"keyvault key sign {by_name('wraponly')} --algorithm RS256 --digest {DIGEST}",
        f"keyvault key sign --vault-name contosovault --name wraponly --algorithm RS256 --digest {DIGEST}",
    ):
        assert (refusal.code, refusal.inner) == ("Forbidden", "KeyOperationForbidden")


def test_encrypt_and_decrypt_with_aes_gcm(az):
    """The one symmetric cipher that az leaves to the server (contract: az-client §4.1)."""
    key = by_name("sealer")
    az(f"keyvault key create {key} --kty oct-HSM --size 256 --ops encrypt decrypt")
    sealed = az(f"keyvault key encrypt {key} --algorithm A256GCM --value aGVsbG8= --aad 0102")
    opening = f"--iv {sealed['iv']} --tag {sealed['tag']} --aad 0102"
    opened = az(f"keyvault key decrypt {key} --algorithm A256GCM --value {sealed['result']} {opening}")
    assert opened["result"] == "aGVsbG8="
    forged = az.refuses(
        f"keyvault key decrypt {key} --algorithm A256GCM --value {sealed['result']} {opening.replace('0102', '0103')}"
    )
    assert forged.code == "BadParameter"


def test_sign_and_verify(az):
    key = by_name("signer")
    az(f"keyvault key create {key} --kty EC-HSM --curve P-384 --ops sign verify")
    sha384 = "OLBgp1GsljhM2TJ+sbHjaiH9txEUvgdDTAzHv2P24donTt6/529l+9Ua0vFImLlb"
    signed = az(f"keyvault key sign {key} --algorithm ES384 --digest {sha384}")
    verify = f"keyvault key verify {key} --algorithm ES384 --digest {sha384} --signature"
    assert az(f"{verify}={signed['signature']}")["isValid"] is True


def test_versions_attributes_and_rotation(az):
    key = by_name("rotating")
    az(f"keyvault key create {key} --kty EC-HSM")
    assert az.refuses(f"keyvault key rotate {key}").code == "BadParameter", "an HSM's key needs a policy first"
    set_policy = az(f"keyvault key rotation-policy update {key} --value '{ROTATION_POLICY}'")
    assert set_policy["expiresIn"] == "P1Y"
    assert az(f"keyvault key rotation-policy show {key}")["lifetimeActions"][0]["timeAfterCreate"] == "P90D"
    az(f"keyvault key rotate {key}")
    assert len(az(f"keyvault key list-versions {key}")) == 2
    changed = az(f"keyvault key set-attributes {key} --enabled false --tags x=y --expires 2040-01-01T00:00:00Z")
    assert (changed["attributes"]["enabled"], changed["tags"]) == (False, {"x": "y"})
    assert changed["attributes"]["expires"] == "2040-01-01T00:00:00+00:00"


def test_random_bytes(az):
    random = az("keyvault key random --hsm-name ContosoMHSM --count 33")
    assert len(base64.b64decode(random["value"])) == 33
    assert az.refuses("keyvault key random --hsm-name ContosoMHSM --count 129").code == "BadParameter"


def test_the_default_container_answers_on_the_bare_host(az, server):
    """No name has to resolve for this."""
    made = az(f"keyvault key create --id {server['BASE_URL']}/keys/nodns --kty EC-HSM")
    assert made["key"]["kty"] == "EC-HSM"
    assert "nodns" in names(az("keyvault key list --hsm-name devhsm"))
