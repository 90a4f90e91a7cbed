"""Every `az keyvault certificate` command, as in Microsoft's reference, and what is refused."""

import base64
import json

import pytest
from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificate

import x509

VAULT = "--vault-name devvault"


@pytest.fixture(scope="module")
def policies(az):
    """The policy that az proposes, and what tests make of it, as files."""
    proposed = az("keyvault certificate get-default-policy")
    unknown = {**proposed, "issuerParameters": {"name": "Unknown"}}
    (az.folder / "self.json").write_text(json.dumps(proposed))
    (az.folder / "unknown.json").write_text(json.dumps(unknown))
    return {"self": f"@{az.folder}/self.json", "unknown": f"@{az.folder}/unknown.json"}


def test_create_show_and_download(az, policies):
    operation = az(f"keyvault certificate create {VAULT} --name plain --policy {policies['self']} --tags a=b")
    assert operation["status"] == "completed" and operation["target"].endswith("/certificates/plain")
    shown, listed, versions, key, secret = az.together(
        f"keyvault certificate show {VAULT} --name plain",
        f"keyvault certificate list {VAULT}",
        f"keyvault certificate list-versions {VAULT} --name plain",
        f"keyvault key show {VAULT} --name plain",
        f"keyvault secret show {VAULT} --name plain",
    )
    assert (shown["kid"], shown["sid"]) == (key["key"]["kid"], secret["id"])
    assert secret["managed"] and shown["policy"]["x509CertificateProperties"]["subject"] == "CN=CLIGetDefaultPolicy"
    assert "plain" in {each["name"] for each in listed} and [each["id"] for each in versions] == [shown["id"]]
    pem, der = az.folder / "plain.pem", az.folder / "plain.der"
    az.together(
        f"keyvault certificate download {VAULT} --name plain --file {pem}",
        f"keyvault certificate download {VAULT} --name plain --file {der} --encoding DER",
    )
    certificate = load_pem_x509_certificate(pem.read_bytes())
    assert certificate == load_der_x509_certificate(der.read_bytes())
    private, same, _ = x509.opened(secret["value"])
    assert same == certificate and x509.same_key(private, certificate)
    pfx = az.folder / "plain.pfx"
    az(f"keyvault secret download {VAULT} --name plain --file {pfx} --encoding base64")
    assert b"PRIVATE KEY" in x509.openssl(az.folder, "pkcs12", "-in", pfx, "-nodes", "-passin", "pass:")


def test_a_signing_request_and_its_merge(az, policies):
    x509.authority(az.folder / "ca")
    az(f"keyvault certificate create {VAULT} --name asked --policy {policies['unknown']}")
    pending = az(f"keyvault certificate pending show {VAULT} --name asked")
    assert (pending["status"], pending["issuerParameters"]["name"]) == ("inProgress", "Unknown")
    refused = az.refuses(f"keyvault certificate create {VAULT} --name asked --policy {policies['self']}")
    assert refused.code == "Conflict"

    x509.sign(az.folder / "ca", base64.b64decode(pending["csr"]))
    leaf = az.folder / "ca" / "leaf.pem"
    merged = az(f"keyvault certificate pending merge {VAULT} --name asked --file {leaf}")
    assert load_der_x509_certificate(base64.b64decode(merged["cer"])) == load_pem_x509_certificate(leaf.read_bytes())
    az(f"keyvault certificate create {VAULT} --name dropped --policy {policies['unknown']}")
    listed, all_of_them = az.together(
        f"keyvault certificate list {VAULT}", f"keyvault certificate list {VAULT} --include-pending true"
    )
    assert "dropped" not in {each["name"] for each in listed}
    assert "dropped" in {each["name"] for each in all_of_them}
    az(f"keyvault certificate pending delete {VAULT} --name dropped")
    gone = az.refuses(f"keyvault certificate pending show {VAULT} --name dropped")
    assert gone.code == "PendingCertificateNotFound"


def test_import(az):
    folder = az.folder / "imports"
    both = x509.holder(folder, "mine")
    modern, legacy = x509.pfx(folder, "mine", "secret"), None
    legacy = folder / "legacy.pfx"
    legacy.write_bytes(x509.pfx(folder, "mine", "secret", "-legacy").read_bytes())
    x509.pfx(folder, "mine", "secret")
    open_pfx = folder / "open.pfx"
    pem, first, second = az.together(
        f"keyvault certificate import {VAULT} --name from-pem --file {both}",
        f"keyvault certificate import {VAULT} --name from-pfx --file {modern} --password secret",
        f"keyvault certificate import {VAULT} --name from-legacy --file {legacy} --password secret",
    )
    assert pem["cer"] == first["cer"] == second["cer"]
    open_pfx.write_bytes(x509.pfx(folder, "mine", "").read_bytes())
    assert az(f"keyvault certificate import {VAULT} --name from-open --file {open_pfx}")["cer"] == pem["cer"]
    garbage = folder / "garbage"
    garbage.write_bytes(b"\x30\x03garbage")
    wrong, none = az.refuses_each(
        f"keyvault certificate import {VAULT} --name wrong --file {legacy} --password nope",
        f"keyvault certificate import {VAULT} --name wrong --file {garbage}",
    )
    assert wrong.code == "BadParameter" and none.exit_code != 0


def test_life(az, policies):
    az(f"keyvault certificate create {VAULT} --name life --policy {policies['self']}")
    key, secret, rotation = az.refuses_each(
        f"keyvault key delete {VAULT} --name life",
        f"keyvault secret delete {VAULT} --name life",
        f"keyvault key rotate {VAULT} --name life",
    )
    assert "KeyManagedByKeyVault" in key.text and "SecretManagedByKeyVault" in secret.text
    assert rotation.code == "Forbidden"
    changed = az(f"keyvault certificate set-attributes {VAULT} --name life --enabled false --tags x=y")
    assert (changed["attributes"]["enabled"], changed["tags"]) == (False, {"x": "y"})
    az(f"keyvault certificate set-attributes {VAULT} --name life --enabled true --policy {policies['self']}")
    backup = az.folder / "life.backup"
    az(f"keyvault certificate backup {VAULT} --name life --file {backup}")
    az(f"keyvault certificate delete {VAULT} --name life")
    deleted, certificates, keys, secrets = az.together(
        f"keyvault certificate show-deleted {VAULT} --name life",
        f"keyvault certificate list-deleted {VAULT}",
        f"keyvault key list-deleted {VAULT}",
        f"keyvault secret list-deleted {VAULT}",
    )
    assert deleted["recoveryId"].endswith("/deletedcertificates/life")
    assert all("life" in {each["name"] for each in listed} for listed in (certificates, keys, secrets))
    taken, onto_deleted = az.refuses_each(
        f"keyvault certificate create {VAULT} --name life --policy {policies['self']}",
        f"keyvault certificate restore {VAULT} --file {backup}",
    )
    assert (taken.code, onto_deleted.code) == ("Conflict", "Conflict")
    az(f"keyvault certificate recover {VAULT} --name life")
    az(f"keyvault key show {VAULT} --name life")
    az(f"keyvault certificate delete {VAULT} --name life")
    az(f"keyvault certificate purge {VAULT} --name life")
    assert az(f"keyvault certificate restore {VAULT} --file {backup}")["name"] == "life"
    az(f"keyvault secret show {VAULT} --name life")


def test_issuers(az):
    made = az(
        f"keyvault certificate issuer create {VAULT} --issuer-name i --provider-name Test --account-id me --password hush"
    )
    assert (made["provider"], made["credentials"]) == ("Test", {"accountId": "me", "password": None})
    az(f"keyvault certificate issuer update {VAULT} --issuer-name i --account-id you --password hush")
    person = f"keyvault certificate issuer admin add {VAULT} --issuer-name i --email a@contoso.com --first-name A"
    assert az(person)["emailAddress"] == "a@contoso.com"
    shown, listed, people = az.together(
        f"keyvault certificate issuer show {VAULT} --issuer-name i",
        f"keyvault certificate issuer list {VAULT}",
        f"keyvault certificate issuer admin list {VAULT} --issuer-name i",
    )
    assert shown["credentials"]["accountId"] == "you" and [each["provider"] for each in listed] == ["Test"]
    assert [each["firstName"] for each in people] == ["A"]
    az(f"keyvault certificate issuer admin delete {VAULT} --issuer-name i --email a@contoso.com")
    az(f"keyvault certificate issuer delete {VAULT} --issuer-name i")
    assert az.refuses(f"keyvault certificate issuer show {VAULT} --issuer-name i").code == "IssuerNotFound"


def test_contacts(az):
    az(f"keyvault certificate contact add {VAULT} --email a@contoso.com --name A --phone 1")
    az(f"keyvault certificate contact add {VAULT} --email b@contoso.com")
    listed = az(f"keyvault certificate contact list {VAULT}")["contactList"]
    assert [each["emailAddress"] for each in listed] == ["a@contoso.com", "b@contoso.com"]
    for email in ("a@contoso.com", "b@contoso.com"):
        az(f"keyvault certificate contact delete {VAULT} --email {email}")
    assert az.refuses(f"keyvault certificate contact list {VAULT}").code == "ContactsNotFound"
