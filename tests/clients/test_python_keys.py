"""Keys of vaults and managed HSMs, with the Python SDK."""

import datetime
import hashlib
import time

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.keyvault.keys import (
    KeyCurveName,
    KeyOperation,
    KeyRotationLifetimeAction,
    KeyRotationPolicy,
    KeyRotationPolicyAction,
)
from azure.keyvault.keys.crypto import CryptographyClient, EncryptionAlgorithm, KeyWrapAlgorithm, SignatureAlgorithm

from sdk import kty_of, new_container, refused


@pytest.mark.parametrize("size", [2048, 3072, 4096])
def test_create_rsa(keys, size):
    made = keys.create_rsa_key(f"rsa-{size}", size=size)
    assert made.key_type == kty_of(keys, "RSA")
    assert len(made.key.n) == size // 8
    assert made.key.e == b"\x01\x00\x01"
    assert set(made.key_operations) == {"encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"}


@pytest.mark.parametrize("curve", list(KeyCurveName))
def test_create_ec(keys, curve):
    made = keys.create_ec_key(f"ec-{curve.value}", curve=curve)
    assert (made.key_type, made.key.crv) == (kty_of(keys, "EC"), curve)
    assert set(made.key_operations) == {"sign", "verify"}


@pytest.mark.parametrize("size", [128, 192, 256])
def test_create_oct(hsm, size):
    made = hsm.create_oct_key(f"oct-{size}", size=size, hardware_protected=True)
    assert made.key_type == "oct-HSM"
    assert made.key.k is None
    assert set(made.key_operations) == {"encrypt", "decrypt", "wrapKey", "unwrapKey"}


def test_hsm_keys_of_a_premium_vault(vault):
    assert vault.create_rsa_key("in-hsm", hardware_protected=True).key_type == "RSA-HSM"
    assert vault.create_ec_key("in-hsm-too", hardware_protected=True).key_type == "EC-HSM"


def test_attributes_come_back_as_given(keys):
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    later = now + datetime.timedelta(days=300)
    made = keys.create_ec_key(
        "attributes", enabled=False, not_before=now, expires_on=later, tags={"a": "b"}, key_operations=["sign"]
    )
    properties = keys.get_key("attributes").properties
    assert (properties.enabled, properties.not_before, properties.expires_on) == (False, now, later)
    assert (properties.tags, made.key_operations) == ({"a": "b"}, ["sign"])
    assert properties.recoverable_days == 90
    assert properties.recovery_level == "Recoverable+Purgeable"
    assert abs((properties.created_on - now).total_seconds()) < 60
    assert made.id == f"{keys.vault_url}/keys/attributes/{properties.version}"
    assert len(properties.version) == 32


def test_dates_before_1970(keys):
    """A date after 2038 arrives as one of these from the JavaScript SDK, which cuts the seconds to 32 bits."""
    long_ago = datetime.datetime(1903, 11, 25, tzinfo=datetime.UTC)
    refused(lambda: keys.create_ec_key("long-ago", expires_on=long_ago), 400, "BadParameter")


def test_update(keys):
    made = keys.create_rsa_key("updated", tags={"old": "1"})
    changed = keys.update_key_properties(
        "updated", enabled=False, tags={"new": "2"}, key_operations=[KeyOperation.verify]
    )
    assert (changed.properties.enabled, changed.properties.tags) == (False, {"new": "2"})
    assert changed.key_operations == ["verify"]
    assert changed.id == made.id
    # What is not mentioned stays.
    again = keys.update_key_properties("updated", enabled=True)
    assert (again.properties.tags, again.key_operations) == ({"new": "2"}, ["verify"])
    assert keys.update_key_properties("updated", tags={}).properties.tags in (None, {})


def test_versions(keys):
    made = [keys.create_ec_key("versions", tags={"n": str(number)}) for number in range(3)]
    assert keys.get_key("versions").id == made[2].id
    first = keys.get_key("versions", made[0].properties.version)
    assert (first.id, first.properties.tags) == (made[0].id, {"n": "0"})
    listed = list(keys.list_properties_of_key_versions("versions"))
    assert {each.id for each in listed} == {each.id for each in made}
    error = refused(lambda: keys.get_key("versions", "0" * 32), 404, "KeyNotFound")
    assert "A key with (name/id) versions/" in error.message


def test_pages(server, credential):
    """More keys than fit on a page, live and deleted, and pages of every size."""
    for name, create in (("pagevault", "vault"), ("pagehsm", "hsm")):
        client = new_container(server, credential, create, name)
        names = {f"Key-{number:02}" for number in range(30)}
        for each in names:
            client.create_ec_key(each)
        pages = [[item.name for item in page] for page in client.list_properties_of_keys().by_page()]
        assert [len(page) for page in pages] == [25, 5]
        assert set(sum(pages, [])) == names
        pages = [list(page) for page in client.list_properties_of_keys(max_page_size=7).by_page()]
        assert [len(page) for page in pages] == [7, 7, 7, 7, 2]
        for each in names:
            client.begin_delete_key(each).wait()
        assert {item.name for item in client.list_deleted_keys()} == names
        assert list(client.list_properties_of_keys()) == []


def test_delete_recover_purge(keys):
    made = keys.create_ec_key("life", tags={"a": "b"})
    started = time.monotonic()
    deleted = keys.begin_delete_key("life").result()
    # The poller's own pauses are two seconds each: a server that is done at once spares them all.
    assert time.monotonic() - started < 2
    assert deleted.recovery_id == f"{keys.vault_url}/deletedkeys/life"
    assert deleted.scheduled_purge_date - deleted.deleted_date == datetime.timedelta(days=90)
    assert keys.get_deleted_key("life").id == made.id
    with pytest.raises(ResourceNotFoundError):
        keys.get_key("life")
    assert "life" in {item.name for item in keys.list_deleted_keys()}

    recovered = keys.begin_recover_deleted_key("life").result()
    assert (recovered.id, recovered.properties.tags) == (made.id, {"a": "b"})
    assert keys.get_key("life").key.x == made.key.x

    keys.begin_delete_key("life").wait()
    keys.purge_deleted_key("life")
    with pytest.raises(ResourceNotFoundError):
        keys.get_deleted_key("life")
    assert keys.create_ec_key("life").id != made.id


def test_backup_and_restore(keys):
    made = [keys.create_ec_key("saved", tags={"n": str(number)}) for number in range(2)]
    backup = keys.backup_key("saved")
    with pytest.raises(ResourceExistsError) as onto_live:
        keys.restore_key_backup(backup)
    assert onto_live.value.error.code == "Conflict"
    keys.begin_delete_key("saved").wait()
    with pytest.raises(ResourceExistsError) as onto_deleted:
        keys.restore_key_backup(backup)
    assert onto_deleted.value.message.find("There was a conflict restoring the key") >= 0
    keys.purge_deleted_key("saved")
    restored = keys.restore_key_backup(backup)
    assert (restored.id, restored.properties.tags) == (made[1].id, {"n": "1"})
    assert {each.id for each in keys.list_properties_of_key_versions("saved")} == {each.id for each in made}


def test_a_deleted_key_is_of_no_use(keys, credential):
    made = keys.create_rsa_key("useless")
    crypto = CryptographyClient(made, credential)
    digest = hashlib.sha256(b"x").digest()
    crypto.sign(SignatureAlgorithm.rs256, digest)
    keys.begin_delete_key("useless").wait()
    refused(lambda: keys.create_rsa_key("useless"), 409, "Conflict", "ObjectIsDeletedButRecoverable")
    for use in (
        lambda: crypto.sign(SignatureAlgorithm.rs256, digest),
        lambda: crypto.decrypt(EncryptionAlgorithm.rsa_oaep, bytes(256)),
        lambda: crypto.unwrap_key(KeyWrapAlgorithm.rsa_oaep, bytes(256)),
        lambda: keys.get_key("useless"),
        lambda: keys.update_key_properties("useless", enabled=False),
        lambda: keys.backup_key("useless"),
        lambda: keys.begin_delete_key("useless"),
        lambda: keys.rotate_key("useless"),
    ):
        refused(use, 404, "KeyNotFound")


def test_what_is_not_there(keys):
    with pytest.raises(ResourceNotFoundError) as missing:
        keys.get_key("missing")
    expected = (
        "A key with (name/id) missing was not found in this key vault. If you recently deleted this key you may be "
        "able to recover it using the correct recovery command. For help resolving this issue, please see "
        "https://go.microsoft.com/fwlink/?linkid=2125182"
    )
    assert expected in missing.value.message
    for call in (
        lambda: keys.get_deleted_key("missing"),
        lambda: keys.purge_deleted_key("missing"),
        lambda: keys.begin_recover_deleted_key("missing"),
        lambda: keys.begin_delete_key("missing"),
    ):
        refused(call, 404, "KeyNotFound")


def test_bad_names(keys):
    error = refused(lambda: keys.create_ec_key("under_score"), 400, "BadParameter")
    assert "The request URI contains an invalid name: under_score" in error.message


def test_rotate(keys):
    made = keys.create_ec_key("rotating", tags={"a": "b"})
    if keys.kind == "hsm":
        refused(lambda: keys.rotate_key("rotating"), 400, "BadParameter")
    policy = keys.update_key_rotation_policy(
        "rotating",
        KeyRotationPolicy(),
        lifetime_actions=[KeyRotationLifetimeAction(KeyRotationPolicyAction.rotate, time_after_create="P90D")],
        expires_in="P180D",
    )
    assert policy.expires_in == "P180D"
    read = keys.get_key_rotation_policy("rotating")
    assert (read.expires_in, read.id) == ("P180D", f"{keys.vault_url}/keys/rotating/rotationpolicy")
    by_action = {each.action: each for each in read.lifetime_actions}
    assert by_action["Rotate"].time_after_create == "P90D"
    # A vault adds the notice; an HSM has nobody to give it to.
    assert set(by_action) == ({"Rotate", "Notify"} if keys.kind == "vault" else {"Rotate"})

    rotated = keys.rotate_key("rotating")
    assert rotated.id != made.id
    assert (rotated.key_type, rotated.key.crv, rotated.properties.tags) == (made.key_type, made.key.crv, {"a": "b"})
    lifetime = rotated.properties.expires_on - rotated.properties.created_on
    assert lifetime == datetime.timedelta(days=180)
    assert len(list(keys.list_properties_of_key_versions("rotating"))) == 2


def test_random_bytes(hsm, vault):
    assert len(hsm.get_random_bytes(count=128)) == 128
    assert hsm.get_random_bytes(count=32) != hsm.get_random_bytes(count=32)
    error = refused(lambda: hsm.get_random_bytes(count=129), 400, "BadParameter")
    assert "count cannot be greater than 128 or less than 1" in error.message
    with pytest.raises(HttpResponseError) as raised:
        vault.get_random_bytes(count=8)
    assert raised.value.status_code in (400, 404, 405), "a vault has no such operation"
