"""Every `az keyvault secret` command, as in Microsoft's reference, and what is refused."""

import base64

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
    assert "full" in {each["name"] for each in listed} and "value" not in listed[0]
    assert {each["id"] for each in versions} == {made["id"], second["id"]}


@pytest.mark.parametrize("encoding", ["utf-8", "base64", "hex"])
def test_files_come_back_as_they_were(az, encoding):
    content = b"gr\xc3\xbc\xc3\x9fe\n" if encoding == "utf-8" else bytes(range(256))
    given, taken = az.folder / f"{encoding}.in", az.folder / f"{encoding}.out"
    given.write_bytes(content)
    az(f"keyvault secret set {VAULT} --name file-{encoding} --file {given} --encoding {encoding}")
    az(f"keyvault secret download {VAULT} --name file-{encoding} --file {taken} --encoding {encoding}")
    assert taken.read_bytes() == content
    if encoding == "base64":
        shown = az(f"keyvault secret show {VAULT} --name file-base64")
        assert base64.b64decode(shown["value"]) == content


def test_attributes(az):
    az(f"keyvault secret set {VAULT} --name attributes --value a --disabled true")
    refused = az.refuses(f"keyvault secret show {VAULT} --name attributes")
    assert refused.code == "Forbidden" and "SecretDisabled" in refused.text
    changed = az(f"keyvault secret set-attributes {VAULT} --name attributes --enabled true --content-type new --tags x=y")
    assert (changed["attributes"]["enabled"], changed["contentType"], changed["tags"]) == (True, "new", {"x": "y"})


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
    assert az.refuses(f"keyvault secret restore {VAULT} --file {backup}").code == "Conflict"


def test_purge_protection(az):
    az("keyvault secret set --vault-name secretsguard --name kept --value a")
    az("keyvault secret delete --vault-name secretsguard --name kept")
    refused = az.refuses("keyvault secret purge --vault-name secretsguard --name kept")
    assert refused.code == "Forbidden" and "purge protection is enabled" in refused.text
    az("keyvault secret recover --vault-name secretsguard --name kept")


def test_limits(az):
    long = az.folder / "long"
    long.write_text("x" * 25_601)
    assert az.refuses(f"keyvault secret set {VAULT} --name long --file {long}").code == "BadParameter"
