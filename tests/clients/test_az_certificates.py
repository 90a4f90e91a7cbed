"""Every `az keyvault certificate` command, as in Microsoft's reference, and what is refused."""

import base64
import json

import pytest
from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificate

import x509

VAULT = "--vault-name devvault"
# az's own notice, 90 days before the end, is longer than the lives of what is imported here.
LATE = {"action": {"actionType": "EmailContacts"}, "trigger": {"lifetimePercentage": 80}}
KINDS = ("key", "secret", "certificate")


@pytest.fixture(scope="module")
def policies(az):
    """The policy that az proposes, and what tests make of it, as files."""
    proposed = az("keyvault certificate get-default-policy")
    key = proposed["keyProperties"]
    made = {
        "self": proposed,
        "unknown": {**proposed, "issuerParameters": {"name": "Unknown"}},
        "missing": {**proposed, "issuerParameters": {"name": "missing"}},
        "stays": {**proposed, "keyProperties": {**key, "exportable": False}},
        "late": {**proposed, "keyProperties": {**key, "exportable": False}, "lifetimeActions": [LATE]},
        "pem": {**proposed, "secretProperties": {"contentType": "application/x-pem-file"}},
    }
    for name, policy in made.items():
        (az.folder / f"{name}.json").write_text(json.dumps(policy))
    return {name: f"@{az.folder}/{name}.json" for name in made}


@pytest.fixture(scope="module", autouse=True)
def protected(az):
    """A vault that protects what is deleted."""
    az("keyvault create -g dev -l eastus --name certguard --retention-days 7 --enable-purge-protection true")


def names(items):
    return {item["name"] for item in items}


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
    assert "already exists" in az.refuses(f"keyvault certificate download {VAULT} --name plain --file {pem}").text
    # The subject of az's own policy.
    assert b"CN = CLIGetDefaultPolicy" in x509.openssl(az.folder, "x509", "-in", pem, "-noout", "-subject")
    pfx = az.folder / "plain.pfx"
    az(f"keyvault secret download {VAULT} --name plain --file {pfx} --encoding base64")
    assert b"PRIVATE KEY" in x509.openssl(az.folder, "pkcs12", "-in", pfx, "-nodes", "-passin", "pass:")


def test_versions(az, policies):
    create = f"keyvault certificate create {VAULT} --name versions --policy {policies['self']}"
    az(f"{create} --validity 6 --tags n=1")
    first = az(f"keyvault certificate show {VAULT} --name versions")
    az(f"{create} --disabled true")
    version = first["id"].rsplit("/", 1)[1]
    der = az.folder / "first.der"
    shown, by_id, latest, listed = az.together(
        f"keyvault certificate show {VAULT} --name versions --version {version}",
        f"keyvault certificate show --id {first['id']}",
        f"keyvault certificate show {VAULT} --name versions",
        f"keyvault certificate list-versions {VAULT} --name versions",
    )
    assert shown["cer"] == by_id["cer"] == first["cer"] and shown["tags"] == {"n": "1"}
    assert latest["id"] != first["id"] and latest["attributes"]["enabled"] is False
    assert {each["id"] for each in listed} == {first["id"], latest["id"]}
    az(f"keyvault certificate download --id {first['id']} --file {der} --encoding DER")
    certificate = load_der_x509_certificate(der.read_bytes())
    assert base64.b64decode(first["cer"]) == der.read_bytes()
    days = (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days
    assert 180 <= days <= 184, "six months"
    # The secret of a certificate that is disabled is too.
    old, refused = (
        az(f"keyvault secret show {VAULT} --name versions --version {version}"),
        az.refuses(f"keyvault secret show {VAULT} --name versions"),
    )
    assert old["id"] == first["sid"] and refused.inner == "SecretDisabled"
    changed = az(f"keyvault certificate set-attributes --id {first['id']} --tags n=2")
    assert (changed["id"], changed["tags"]) == (first["id"], {"n": "2"})


def test_what_is_not_exportable_keeps_its_key(az, policies):
    az(f"keyvault certificate create {VAULT} --name stays --policy {policies['stays']}")
    secret, key = az.together(f"keyvault secret show {VAULT} --name stays", f"keyvault key show {VAULT} --name stays")
    pfx = az.folder / "stays.pfx"
    pfx.write_bytes(base64.b64decode(secret["value"]))
    inside = x509.openssl(az.folder, "pkcs12", "-in", pfx, "-nodes", "-passin", "pass:")
    assert b"BEGIN CERTIFICATE" in inside and b"PRIVATE KEY" not in inside
    assert key["key"]["keyOps"] and not key["attributes"]["exportable"]


def test_pem_in_the_secret(az, policies):
    az(f"keyvault certificate create {VAULT} --name as-pem --policy {policies['pem']}")
    pem = az.folder / "as.pem"
    az(f"keyvault secret download {VAULT} --name as-pem --file {pem}")
    certificate = x509.openssl(az.folder, "x509", "-in", pem, "-noout", "-pubkey")
    assert x509.openssl(az.folder, "pkey", "-in", pem, "-pubout") == certificate


def test_a_signing_request_and_its_merge(az, policies):
    ca = az.folder / "ca"
    x509.authority(ca)
    create = f"keyvault certificate create {VAULT} --name asked --policy"
    begun = az(f"{create} {policies['unknown']}")
    pending = az(f"keyvault certificate pending show {VAULT} --name asked")
    assert begun == pending
    assert (pending["status"], pending["issuerParameters"]["name"]) == ("inProgress", "Unknown")
    request = ca / "asked.csr"
    request.write_bytes(base64.b64decode(pending["csr"]))
    x509.openssl(ca, "req", "-inform", "DER", "-in", request, "-noout", "-verify")
    merge = f"keyvault certificate pending merge {VAULT} --name asked --file"
    again, imported, foreign = az.refuses_each(
        f"{create} {policies['self']}",
        f"keyvault certificate import {VAULT} --name asked --file {x509.holder(az.folder / 'imports', 'late')}",
        f"{merge} {ca}/ca.pem",
    )
    assert (again.code, imported.code, foreign.code) == ("Conflict", "Conflict", "BadParameter")
    assert "can not be created or imported while a pending key vault certificate" in again.text

    chain = ca / "chain.pem"
    leaf = x509.sign(ca, request.read_bytes())
    chain.write_bytes(leaf + (ca / "ca.pem").read_bytes())
    merged = az(f"{merge} {chain} --tags by=openssl")
    assert load_der_x509_certificate(base64.b64decode(merged["cer"])) == load_pem_x509_certificate(leaf)
    assert merged["tags"] == {"by": "openssl"}
    pfx = ca / "asked.pfx"
    az(f"keyvault secret download {VAULT} --name asked --file {pfx} --encoding base64")
    extract = ("pkcs12", "-in", pfx, "-passin", "pass:", "-nokeys")
    (ca / "inside-leaf.pem").write_bytes(x509.openssl(ca, *extract, "-clcerts"))
    (ca / "inside-ca.pem").write_bytes(x509.openssl(ca, *extract, "-cacerts"))
    # Not strictly: az's policy asks for keyCertSign, which strictly only authorities have.
    x509.openssl(ca, "verify", "-CAfile", "inside-ca.pem", "inside-leaf.pem")
    done, late = az(f"keyvault certificate pending show {VAULT} --name asked"), az.refuses(f"{merge} {chain}")
    assert done["status"] == "completed" and late.exit_code != 0


def test_a_pending_certificate_that_is_given_up(az, policies):
    az(f"keyvault certificate create {VAULT} --name dropped --policy {policies['unknown']}")
    listed, all_of_them = az.together(
        f"keyvault certificate list {VAULT}", f"keyvault certificate list {VAULT} --include-pending true"
    )
    assert "dropped" not in names(listed)
    assert "dropped" in names(all_of_them)
    az(f"keyvault certificate pending delete {VAULT} --name dropped")
    for refusal in az.refuses_each(
        f"keyvault certificate pending show {VAULT} --name dropped",
        f"keyvault certificate pending delete {VAULT} --name dropped",
        f"keyvault certificate pending merge {VAULT} --name dropped --file {x509.holder(az.folder / 'imports', 'late')}",
    ):
        assert refusal.code == "PendingCertificateNotFound"
    az(f"keyvault certificate delete {VAULT} --name dropped")
    deleted, with_pending = az.together(
        f"keyvault certificate list-deleted {VAULT}", f"keyvault certificate list-deleted {VAULT} --include-pending true"
    )
    assert "dropped" not in names(deleted)
    assert "dropped" in names(with_pending)


def test_an_issuer_that_is_not_there(az, policies):
    refused = az.refuses(f"keyvault certificate create {VAULT} --name nobodys --policy {policies['missing']}")
    assert refused.code == "CertificateIssuerNotFound"
    assert az.refuses(f"keyvault certificate show {VAULT} --name nobodys").code == "CertificateNotFound"


@pytest.fixture(scope="module")
def imports(az):
    """A certificate with its key, in every form that openssl writes."""
    folder = az.folder / "imports"
    both = x509.holder(folder, "mine")
    written = {"pem": both}
    for name, options in (("modern", []), ("legacy", ["-legacy"])):
        for password in ("", "secret"):
            file = folder / f"{name}-{password or 'open'}.pfx"
            file.write_bytes(x509.pfx(folder, "mine", password, *options).read_bytes())
            written[file.stem] = file
    certificate = (folder / "mine.pem").read_bytes()
    for name, options in (("modern", []), ("legacy", ["-v1", "PBE-SHA1-3DES"])):
        key = x509.openssl(folder, "pkcs8", "-topk8", "-in", "mine.key", "-passout", "pass:secret", *options)
        file = folder / f"{name}-pem-secret.pem"
        file.write_bytes(key + certificate)
        written[file.stem] = file
    return written


def test_import(az, imports):
    def line(name):
        password = "--password secret" if name.endswith("secret") else ""
        return f"keyvault certificate import {VAULT} --name from-{name} --file {imports[name]} {password}"

    made = az.together(*map(line, imports))
    certificate = load_pem_x509_certificate((imports["pem"].parent / "mine.pem").read_bytes())
    for each in made:
        assert load_der_x509_certificate(base64.b64decode(each["cer"])) == certificate
        assert each["policy"]["issuerParameters"]["name"] == "Unknown"
    *from_pem, from_pfx = az.together(
        f"keyvault secret show {VAULT} --name from-pem",
        f"keyvault secret show {VAULT} --name from-legacy-pem-secret",
        f"keyvault secret show {VAULT} --name from-legacy-secret",
    )
    # What was PEM stays PEM; what had a password comes back without it.
    for each in from_pem:
        assert each["contentType"] == "application/x-pem-file" and "BEGIN PRIVATE KEY" in each["value"]
    private, same, _ = x509.opened(from_pfx["value"])
    assert same == certificate and x509.same_key(private, certificate)


def test_import_as_asked(az, imports, policies):
    importing = f"keyvault certificate import {VAULT} --file {imports['modern-open']}"
    kept, disabled = az.together(
        f"{importing} --name kept --policy {policies['late']} --tags a=b",
        f"{importing} --name off --disabled true",
    )
    assert kept["policy"]["keyProperties"]["exportable"] is False and kept["tags"] == {"a": "b"}
    key, certificate, _ = x509.opened(az(f"keyvault secret show {VAULT} --name kept")["value"])
    assert key is None and certificate is None, "`cryptography` gives a certificate without its key among the others"
    assert disabled["attributes"]["enabled"] is False
    assert az.refuses(f"keyvault secret show {VAULT} --name off").inner == "SecretDisabled"


def test_import_of_what_is_none(az, imports):
    garbage = imports["pem"].parent / "garbage"
    garbage.write_bytes(b"\x30\x03\x02\x01\x00")
    alone = imports["pem"].parent / "mine.pem"
    line = f"keyvault certificate import {VAULT} --name wrong"
    for refusal in az.refuses_each(
        f"{line} --file {imports['modern-secret']} --password nope",
        f"{line} --file {imports['legacy-secret']} --password nope",
        f"{line} --file {imports['modern-secret']}",
        f"{line} --file {imports['modern-pem-secret']}",
        f"{line} --file {imports['legacy-pem-secret']} --password nope",
        f"{line} --file {garbage}",
        f"{line} --file {alone}",
    ):
        assert refusal.code == "BadParameter"
    assert az.refuses(f"keyvault certificate show {VAULT} --name wrong").code == "CertificateNotFound"


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
    changed = az(f"keyvault certificate set-attributes {VAULT} --name life --enabled true --policy {policies['pem']}")
    assert changed["attributes"]["enabled"] is True
    shown = az(f"keyvault certificate show {VAULT} --name life")
    assert shown["policy"]["secretProperties"]["contentType"] == "application/x-pem-file"
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
    assert all("life" in names(listed) for listed in (certificates, keys, secrets))
    for refusal in az.refuses_each(
        f"keyvault key recover {VAULT} --name life",
        f"keyvault key purge {VAULT} --name life",
        f"keyvault secret recover {VAULT} --name life",
        f"keyvault secret purge {VAULT} --name life",
    ):
        assert refusal.code == "Forbidden" and "ManagedByKeyVault" in refusal.inner
    taken, onto_deleted = az.refuses_each(
        f"keyvault certificate create {VAULT} --name life --policy {policies['self']}",
        f"keyvault certificate restore {VAULT} --file {backup}",
    )
    assert (taken.code, onto_deleted.code) == ("Conflict", "Conflict")
    az(f"keyvault certificate recover {VAULT} --name life")
    az(f"keyvault key show {VAULT} --name life")
    az(f"keyvault certificate delete {VAULT} --name life")
    az(f"keyvault certificate purge {VAULT} --name life")
    gone = az.refuses_each(*(f"keyvault {kind} show-deleted {VAULT} --name life" for kind in KINDS))
    assert [each.code for each in gone] == ["KeyNotFound", "SecretNotFound", "CertificateNotFound"]
    assert az(f"keyvault certificate restore {VAULT} --file {backup}")["id"] == shown["id"]
    az(f"keyvault secret show {VAULT} --name life")
    onto_live, noise = az.refuses_each(
        f"keyvault certificate restore {VAULT} --file {backup}",
        f"keyvault certificate restore {VAULT} --file {__file__}",
    )
    assert (onto_live.code, noise.code) == ("Conflict", "Malformed backup blob")


def test_nobody_purges_what_is_protected(az, policies):
    vault = "--vault-name certguard"
    az(f"keyvault certificate create {vault} --name kept --policy {policies['self']}")
    made = az(f"keyvault certificate show {vault} --name kept")
    az(f"keyvault certificate delete --id {made['id']}")
    deleted = az(f"keyvault certificate show-deleted {vault} --name kept")
    refused = az.refuses(f"keyvault certificate purge --id {deleted['recoveryId']}")
    assert refused.code == "Forbidden" and "purge protection is enabled" in refused.text
    az(f"keyvault certificate recover --id {deleted['recoveryId']}")
    assert az(f"keyvault certificate show {vault} --name kept")["cer"] == made["cer"]


def test_issuers(az):
    made = az(
        f"keyvault certificate issuer create {VAULT} --issuer-name i --provider-name Test --account-id me --password hush"
    )
    assert (made["provider"], made["credentials"]) == ("Test", {"accountId": "me", "password": None})
    changed = az(f"keyvault certificate issuer update {VAULT} --issuer-name i --account-id you --enabled false")
    assert changed["attributes"]["enabled"] is False and changed["provider"] == "Test"
    person = f"keyvault certificate issuer admin add {VAULT} --issuer-name i --email a@contoso.com --first-name A"
    assert az(person)["emailAddress"] == "a@contoso.com"
    shown, listed, people = az.together(
        f"keyvault certificate issuer show {VAULT} --issuer-name i",
        f"keyvault certificate issuer list {VAULT}",
        f"keyvault certificate issuer admin list {VAULT} --issuer-name i",
    )
    assert shown["credentials"]["accountId"] == "you" and [each["provider"] for each in listed] == ["Test"]
    assert [each["firstName"] for each in people] == ["A"]
    az(f"keyvault certificate issuer admin add {VAULT} --issuer-name i --email b@contoso.com --last-name B --phone 1")
    # Not the last one: az leaves that one out of its request, which then says nothing of administrators.
    az(f"keyvault certificate issuer admin delete {VAULT} --issuer-name i --email a@contoso.com")
    people = az(f"keyvault certificate issuer admin list {VAULT} --issuer-name i")
    assert [(each["emailAddress"], each["lastName"], each["phone"]) for each in people] == [("b@contoso.com", "B", "1")]
    az(f"keyvault certificate issuer delete {VAULT} --issuer-name i")
    assert az.refuses(f"keyvault certificate issuer show {VAULT} --issuer-name i").code == "CertificateIssuerNotFound"


def test_contacts(az):
    az(f"keyvault certificate contact add {VAULT} --email a@contoso.com --name A --phone 1")
    az(f"keyvault certificate contact add {VAULT} --email b@contoso.com")
    listed = az(f"keyvault certificate contact list {VAULT}")["contactList"]
    assert [each["emailAddress"] for each in listed] == ["a@contoso.com", "b@contoso.com"]
    for email in ("a@contoso.com", "b@contoso.com"):
        az(f"keyvault certificate contact delete {VAULT} --email {email}")
    assert az.refuses(f"keyvault certificate contact list {VAULT}").code == "ContactsNotFound"
