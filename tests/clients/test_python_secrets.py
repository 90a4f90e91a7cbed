"""Secrets, with the Python SDK."""

import datetime

import pytest
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.keyvault.secrets import SecretClient

from sdk import new_container, refused


def test_a_secret_comes_back_as_it_was_set(secrets):
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    later = now + datetime.timedelta(days=300)
    value = "grüße, 世界\n" * 3
    made = secrets.set_secret(
        "given", value, content_type="text/plain", tags={"a": "b"}, not_before=now, expires_on=later
    )
    got = secrets.get_secret("given")
    assert (got.value, got.id) == (value, made.id)
    properties = got.properties
    assert (properties.content_type, properties.tags, properties.enabled) == ("text/plain", {"a": "b"}, True)
    assert (properties.not_before, properties.expires_on) == (now, later)
    assert (properties.recoverable_days, properties.recovery_level) == (90, "Recoverable+Purgeable")
    assert (properties.key_id, properties.managed) == (None, None)


def test_versions_and_updates(secrets):
    first = secrets.set_secret("versions", "one")
    second = secrets.set_secret("versions", "two", content_type="second")
    assert secrets.get_secret("versions").id == second.id
    assert secrets.get_secret("versions", first.properties.version).value == "one"
    changed = secrets.update_secret_properties("versions", first.properties.version, content_type="old", tags={"n": "1"})
    assert (changed.content_type, changed.tags) == ("old", {"n": "1"})
    assert secrets.get_secret("versions").properties.content_type == "second", "the other version stays as it is"
    listed = {each.id: each for each in secrets.list_properties_of_secret_versions("versions")}
    assert set(listed) == {first.id, second.id}
    secrets.update_secret_properties("versions", enabled=False)
    error = refused(lambda: secrets.get_secret("versions"), 403, "Forbidden", "SecretDisabled")
    assert "Operation get is not allowed on a disabled secret." in error.message
    assert secrets.get_secret("versions", first.properties.version).value == "one"


def test_what_has_expired_or_is_not_yet_valid_is_readable(secrets):
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    secrets.set_secret("expired", "old", expires_on=now - day)
    secrets.set_secret("early", "new", not_before=now + day)
    assert (secrets.get_secret("expired").value, secrets.get_secret("early").value) == ("old", "new")


def test_pages(server, credential):
    new_container(server, credential, "vault", "secretpages")
    with SecretClient(server.vault_url("secretpages"), credential) as client:
        names = {f"Secret-{number:02}" for number in range(30)}
        for each in names:
            client.set_secret(each, each)
        pages = [[item.name for item in page] for page in client.list_properties_of_secrets().by_page()]
        assert [len(page) for page in pages] == [25, 5]
        assert set(sum(pages, [])) == names
        pages = client.list_properties_of_secrets(max_page_size=7).by_page()
        assert [len(list(page)) for page in pages] == [7, 7, 7, 7, 2]
        versions = {client.set_secret("Secret-00", str(number)).properties.version for number in range(25)}
        listed = client.list_properties_of_secret_versions("Secret-00").by_page()
        listed = [[each.version for each in page] for page in listed]
        assert [len(page) for page in listed] == [25, 1] and versions < set(sum(listed, []))
        for each in names:
            client.begin_delete_secret(each).wait()
        assert {item.name for item in client.list_deleted_secrets()} == names


def test_delete_recover_purge(secrets):
    made = secrets.set_secret("life", "one", tags={"a": "b"})
    deleted = secrets.begin_delete_secret("life").result()
    assert deleted.recovery_id == f"{secrets.vault_url}/deletedsecrets/life"
    assert deleted.scheduled_purge_date - deleted.deleted_date == datetime.timedelta(days=90)
    assert secrets.get_deleted_secret("life").id == made.id
    with pytest.raises(ResourceNotFoundError) as missing:
        secrets.get_secret("life")
    assert "A secret with (name/id) life was not found in this key vault." in missing.value.message
    refused(lambda: secrets.set_secret("life", "two"), 409, "Conflict", "ObjectIsDeletedButRecoverable")
    secrets.begin_recover_deleted_secret("life").wait()
    assert secrets.get_secret("life").value == "one"
    secrets.begin_delete_secret("life").wait()
    secrets.purge_deleted_secret("life")
    with pytest.raises(ResourceNotFoundError):
        secrets.get_deleted_secret("life")
    assert secrets.set_secret("life", "two").id != made.id


def test_backup_and_restore(secrets):
    made = [secrets.set_secret("saved", f"value {number}") for number in range(2)]
    backup = secrets.backup_secret("saved")
    with pytest.raises(ResourceExistsError):
        secrets.restore_secret_backup(backup)
    secrets.begin_delete_secret("saved").wait()
    with pytest.raises(ResourceExistsError):
        secrets.restore_secret_backup(backup)
    secrets.purge_deleted_secret("saved")
    assert secrets.restore_secret_backup(backup).id == made[1].id
    assert secrets.get_secret("saved", made[0].properties.version).value == "value 0"


def test_what_a_deleted_secret_refuses(secrets):
    secrets.set_secret("useless", "one")
    refused(lambda: secrets.purge_deleted_secret("useless"), 404, "SecretNotFound")
    secrets.begin_delete_secret("useless").wait()
    assert not hasattr(secrets.get_deleted_secret("useless"), "value")
    for use in (
        lambda: secrets.get_secret("useless"),
        lambda: secrets.update_secret_properties("useless", enabled=False),
        lambda: secrets.backup_secret("useless"),
        lambda: secrets.begin_delete_secret("useless"),
    ):
        refused(use, 404, "SecretNotFound")


def test_a_backup_is_as_large_as_its_versions(secrets):
    versions = [secrets.set_secret("grown", f"{number:03}" + "v" * 25_597).id for number in range(60)]
    backup = secrets.backup_secret("grown")
    assert len(backup) > 2**20
    secrets.begin_delete_secret("grown").wait()
    secrets.purge_deleted_secret("grown")
    assert secrets.restore_secret_backup(backup).id == versions[-1]
    assert {each.id for each in secrets.list_properties_of_secret_versions("grown")} == set(versions)


def test_a_backup_of_a_key_is_none_of_a_secret(secrets, vault):
    vault.create_ec_key("a-key")
    backup = vault.backup_key("a-key")
    refused(lambda: secrets.restore_secret_backup(backup), 400, "Malformed backup blob")


def test_limits(secrets):
    assert len(secrets.set_secret("long", "x" * 25_600).value) == 25_600
    # Bytes count, not characters.
    for value in ("x" * 25_601, "ü" * 12_801):
        refused(lambda value=value: secrets.set_secret("long", value), 400, "BadParameter")
    assert secrets.set_secret("empty", "").value == ""
    refused(lambda: secrets.set_secret("long", "x", content_type="x" * 256), 400, "BadParameter")
    refused(lambda: secrets.set_secret("under_score", "x"), 400, "BadParameter")
    refused(lambda: secrets.set_secret("tags", "x", tags={str(n): "" for n in range(16)}), 400, "BadParameter")
