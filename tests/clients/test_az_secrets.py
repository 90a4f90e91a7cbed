"""Every `az keyvault secret` command, as in Microsoft's reference, and what is refused."""

import base64
import json

import pytest

VAULT = "--vault-name devvault"


@pytest.fixture(scope="module", autouse=True)
def protected(az):
    """A vault that protects what is deleted."""
    az("keyvault create -g dev -l eastus --name secretsguard --retention-days 7 --enable-purge-protection true")


def test_set_and_show(az):
    made = az(
        f"keyvault secret set {VAULT} --name full --value hunter2 --description text/plain --tags a=b"
        " --expires 2099-01-01T00:00:00Z --not-before 2020-01-01T00:00:00Z"
    )
    assert (made["value"], made["contentType"], made["tags"]["a"]) == ("hunter2", "text/plain", "b")
    assert made["attributes"]["expires"].startswith("2099-01-01") and made["attributes"]["enabled"]
    second = az(f"keyvault secret set {VAULT} --name full --value hunter3")
    version = made["id"].rsplit("/", 1)[1]
    latest, old, by_id = az.together(
        f"keyvault secret show {VAULT} --name full",
        f"keyvault secret show {VAULT} --name full --version {version}",
        f"keyvault secret show --id {made['id']}",
    )
    assert (latest["id"], latest["value"]) == (second["id"], "hunter3")
    assert old["value"] == by_id["value"] == "hunter2"
    listed, versions = az.together(
        f"keyvault secret list {VAULT}", f"keyvault secret list-versions {VAULT} --name full"
    )
    assert "full" in {each["name"] for each in listed}
    assert not any(each.get("value") for each in listed + versions)
    assert {each["id"] for each in versions} == {made["id"], second["id"]}


def test_a_secret_by_its_id_and_pages_of_any_size(az, server):
    made = az(f"keyvault secret set {VAULT} --name by-id --value one")
    az(f"keyvault secret set {VAULT} --name by-id --value two")
    vault, _, _ = made["id"].partition("/secrets/")
    by_id = f"--id {vault}/secrets/by-id"
    one_by_one, listed, of_vault, shown = az.together(
        f"keyvault secret list-versions {VAULT} --name by-id --maxresults 1",
        f"keyvault secret list-versions {by_id}",
        f"keyvault secret list --id {vault}",
        f"keyvault secret show {by_id}",
    )
    assert len(one_by_one) == 1 and len(listed) == 2 and "by-id" in {each["name"] for each in of_vault}
    assert shown["value"] == "two"
    changed = az(f"keyvault secret set-attributes --id {made['id']} --tags old=1")
    assert (changed["id"], changed["tags"]) == (made["id"], {"old": "1"})
    az(f"keyvault secret delete {by_id}")
    deleted = az(f"keyvault secret show-deleted --id {vault}/deletedsecrets/by-id")
    assert deleted["attributes"]["recoveryLevel"] == "Recoverable+Purgeable" and not deleted.get("value")
    az(f"keyvault secret recover --id {deleted['recoveryId']}")
    az(f"keyvault secret delete {by_id}")
    az(f"keyvault secret purge --id {deleted['recoveryId']}")
    assert az.refuses(f"keyvault secret show-deleted --id {deleted['recoveryId']}").code == "SecretNotFound"


@pytest.mark.parametrize("encoding", ["utf-8", "base64", "hex"])
def test_files_come_back_as_they_were(az, encoding):
    content = b"gr\xc3\xbc\xc3\x9fe\n" if encoding == "utf-8" else bytes(range(256))
    given, taken = az.folder / f"{encoding}.in", az.folder / f"{encoding}.out"
    given.write_bytes(content)
    az(f"keyvault secret set {VAULT} --name file-{encoding} --file {given} --encoding {encoding}")
    az(f"keyvault secret download {VAULT} --name file-{encoding} --file {taken} --encoding {encoding}")
    assert taken.read_bytes() == content
    shown = az(f"keyvault secret show {VAULT} --name file-{encoding}")
    decoded = {"utf-8": str.encode, "base64": base64.b64decode, "hex": bytes.fromhex}[encoding](shown["value"])
    assert (decoded, shown["tags"]) == (content, {"file-encoding": encoding})
    # The tag says how it was encoded.
    az(f"keyvault secret download {VAULT} --name file-{encoding} --file {taken} --overwrite")
    assert taken.read_bytes() == content


def test_attributes(az):
    az(f"keyvault secret set {VAULT} --name attributes --value a --disabled true")
    refused = az.refuses(f"keyvault secret show {VAULT} --name attributes")
    assert refused.code == "Forbidden" and "SecretDisabled" in refused.text
    assert "Operation get is not allowed on a disabled secret." in refused.text
    download = az.refuses(f"keyvault secret download {VAULT} --name attributes --file {az.folder}/not-written")
    assert download.inner == "SecretDisabled" and not (az.folder / "not-written").exists()
    dates = "--expires 2021-01-01T00:00:00Z --not-before 2020-01-01T00:00:00Z"
    changed = az(
        f"keyvault secret set-attributes {VAULT} --name attributes --enabled true --content-type new --tags x=y {dates}"
    )
    assert (changed["attributes"]["enabled"], changed["contentType"], changed["tags"]) == (True, "new", {"x": "y"})
    assert changed["attributes"]["expires"] == "2021-01-01T00:00:00+00:00"
    assert changed["attributes"]["notBefore"] == "2020-01-01T00:00:00+00:00"
    assert az(f"keyvault secret show {VAULT} --name attributes")["value"] == "a", "what has expired stays readable"


def test_life(az):
    az(f"keyvault secret set {VAULT} --name life --value a")
    backup = az.folder / "life.backup"
    az(f"keyvault secret backup {VAULT} --name life --file {backup}")
    az(f"keyvault secret delete {VAULT} --name life")
    deleted, listed = az.together(
        f"keyvault secret show-deleted {VAULT} --name life", f"keyvault secret list-deleted {VAULT}"
    )
    assert deleted["recoveryId"].endswith("/deletedsecrets/life") and "life" in {each["name"] for each in listed}
    gone, taken, onto_deleted = az.refuses_each(
        f"keyvault secret show {VAULT} --name life",
        f"keyvault secret set {VAULT} --name life --value b",
        f"keyvault secret restore {VAULT} --file {backup}",
    )
    assert (gone.code, taken.code, onto_deleted.code) == ("SecretNotFound", "Conflict", "Conflict")
    assert "Secret life is currently in a deleted but recoverable state" in taken.text
    az(f"keyvault secret recover {VAULT} --name life")
    assert az(f"keyvault secret show {VAULT} --name life")["value"] == "a"
    az(f"keyvault secret delete {VAULT} --name life")
    az(f"keyvault secret purge {VAULT} --name life")
    assert az(f"keyvault secret restore {VAULT} --file {backup}")["name"] == "life"
    onto_live, noise, elsewhere = az.refuses_each(
        f"keyvault secret restore {VAULT} --file {backup}",
        f"keyvault secret restore {VAULT} --file {__file__}",
        f"keyvault secret purge {VAULT} --name life",
    )
    assert (onto_live.code, noise.code, elsewhere.code) == ("Conflict", "Malformed backup blob", "SecretNotFound")
    assert "There was a conflict restoring the secret" in onto_live.text


def test_purge_protection(az):
    az("keyvault secret set --vault-name secretsguard --name kept --value a")
    az("keyvault secret delete --vault-name secretsguard --name kept")
    refused = az.refuses("keyvault secret purge --vault-name secretsguard --name kept")
    assert refused.code == "Forbidden" and "purge protection is enabled" in refused.text
    az("keyvault secret recover --vault-name secretsguard --name kept")
    shown = az("keyvault secret show --vault-name secretsguard --name kept")
    assert (shown["value"], shown["attributes"]["recoveryLevel"]) == ("a", "CustomizedRecoverable")


def test_a_backup_opens_in_another_vault(az):
    """As Azure's within one subscription and geography."""
    az(f"keyvault secret set {VAULT} --name moved --value a")
    az(f"keyvault secret backup {VAULT} --name moved --file {az.folder}/moved.backup")
    az(f"keyvault secret restore --vault-name secretsguard --file {az.folder}/moved.backup")
    assert az("keyvault secret show --vault-name secretsguard --name moved")["value"] == "a"


def test_limits(az):
    long = az.folder / "long"
    long.write_text("x" * 25_601)
    assert az.refuses(f"keyvault secret set {VAULT} --name long --file {long}").code == "BadParameter"
    long.write_text("x" * 25_600)
    assert az(f"keyvault secret set {VAULT} --name long --file {long}")["value"] == long.read_text()


def test_secrets_of_certificates_are_listed_on_request(az):
    (az.folder / "policy.json").write_text(json.dumps(az("keyvault certificate get-default-policy")))
    az(f"keyvault certificate create {VAULT} --name managed --policy @{az.folder}/policy.json")
    own, all_of_them = az.together(
        f"keyvault secret list {VAULT}", f"keyvault secret list {VAULT} --include-managed true"
    )
    assert "managed" not in {each["name"] for each in own}
    assert {each["name"]: each["managed"] for each in all_of_them}["managed"] is True
    for refusal in az.refuses_each(
        f"keyvault secret set {VAULT} --name managed --value a",
        f"keyvault secret delete {VAULT} --name managed",
        f"keyvault secret backup {VAULT} --name managed --file {az.folder}/not-written",
    ):
        assert (refusal.code, refusal.inner) == ("Forbidden", "SecretManagedByKeyVault")
