"""Certificates, with the Python SDK."""

import base64
import datetime
import ipaddress

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.keyvault.certificates import (
    AdministratorContact,
    CertificateClient,
    CertificateContact,
    CertificatePolicy,
    CertificatePolicyAction,
    LifetimeAction,
)
from azure.keyvault.keys import KeyClient
from azure.keyvault.keys.crypto import CryptographyClient, SignatureAlgorithm
from cryptography import x509 as formats
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

import x509
from sdk import credential_of, new_container, refused


def policy(issuer="Self", **changes):
    defaults = {"subject": "CN=contoso.com", "key_type": "EC", "key_curve_name": "P-256"}
    return CertificatePolicy(issuer, **{**defaults, **changes})


def create(certificates, name, issuer="Self", **changes):
    return certificates.begin_create_certificate(name, policy(issuer, **changes)).result()


def extension(certificate, kind):
    return certificate.extensions.get_extension_for_class(kind)


def test_the_default_policy_makes_what_azure_documents(certificates, secrets):
    made = certificates.begin_create_certificate("plain", CertificatePolicy.get_default(), tags={"a": "b"}).result()
    read = x509.read(made.cer)
    assert read.public_key().key_size == 2048
    usage = extension(read, formats.KeyUsage)
    assert usage.critical and usage.value.digital_signature and usage.value.key_encipherment
    assert not extension(read, formats.BasicConstraints).value.ca
    assert made.properties.x509_thumbprint == read.fingerprint(hashes.SHA1())
    assert made.properties.expires_on == read.not_valid_after_utc
    assert (made.properties.tags, made.policy.issuer_name) == ({"a": "b"}, "Self")
    secret = secrets.get_secret("plain")
    key, certificate, more = x509.opened(secret.value)
    assert x509.same_key(key, certificate) and certificate == read and more == []
    assert (secret.id, secret.properties.managed) == (made.secret_id, True)
    assert (secret.properties.key_id, secret.properties.content_type) == (made.key_id, "application/x-pkcs12")


@pytest.mark.parametrize("curve", ["P-256", "P-384"])
def test_names_of_every_kind(certificates, curve):
    usages = ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.311.20.2.2"]
    asked = policy(
        subject="CN=contoso.com, O=Contoso, C=US", key_curve_name=curve, enhanced_key_usage=usages,
        key_usage=["digitalSignature", "nonRepudiation"], validity_in_months=24,
        san_dns_names=["contoso.com", "*.contoso.com"], san_emails=["a@contoso.com"],
        san_user_principal_names=["b@contoso.com"], san_uris=["spiffe://contoso/a"],
        san_ip_addresses=["192.0.2.1", "2001:db8::1"],
    )  # fmt: skip
    made = certificates.begin_create_certificate(f"names-{curve}", asked).result()
    read = x509.read(made.cer)
    assert read.subject.rfc4514_string() == "CN=contoso.com,O=Contoso,C=US"
    names = extension(read, formats.SubjectAlternativeName).value
    assert names.get_values_for_type(formats.DNSName) == ["contoso.com", "*.contoso.com"]
    assert names.get_values_for_type(formats.RFC822Name) == ["a@contoso.com"]
    assert names.get_values_for_type(formats.UniformResourceIdentifier) == ["spiffe://contoso/a"]
    addresses = [ipaddress.ip_address(each) for each in ("192.0.2.1", "2001:db8::1")]
    assert names.get_values_for_type(formats.IPAddress) == addresses
    [principal] = names.get_values_for_type(formats.OtherName)
    assert principal.type_id.dotted_string == "1.3.6.1.4.1.311.20.2.3"
    assert principal.value == b"\x0c\x0db@contoso.com", "UTF8String"
    assert [usage.dotted_string for usage in extension(read, formats.ExtendedKeyUsage).value] == usages
    usage = extension(read, formats.KeyUsage).value
    assert usage.digital_signature and usage.content_commitment
    assert not (usage.key_encipherment or usage.data_encipherment or usage.key_agreement or usage.key_cert_sign)
    assert isinstance(read.public_key().curve, {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1}[curve])
    assert read.not_valid_after_utc.year == read.not_valid_before_utc.year + 2
    kept = certificates.get_certificate_policy(made.name)
    assert (kept.san_dns_names, kept.san_ip_addresses) == (["contoso.com", "*.contoso.com"], ["192.0.2.1", "2001:db8::1"])
    assert (kept.san_emails, kept.san_user_principal_names, kept.san_uris) == (
        ["a@contoso.com"],
        ["b@contoso.com"],
        ["spiffe://contoso/a"],
    )
    assert (kept.enhanced_key_usage, kept.key_curve_name) == (usages, curve)
    assert kept.lifetime_actions[0].action == CertificatePolicyAction.auto_renew


def test_pages(server, credential):
    """More certificates than fit on a page: live, in versions, and deleted."""
    new_container(server, credential, "vault", "certpages")
    with CertificateClient(server.vault_url("certpages"), credential) as client:
        names = {f"Page-{number:02}" for number in range(27)}
        for each in names:
            client.begin_create_certificate(each, policy()).wait()
        pages = [[item.name for item in page] for page in client.list_properties_of_certificates().by_page()]
        assert [len(page) for page in pages] == [25, 2]
        assert set(sum(pages, [])) == names
        pages = client.list_properties_of_certificates(max_page_size=10).by_page()
        assert [len(list(page)) for page in pages] == [10, 10, 7]
        versions = {create(client, "Page-00").id for _ in range(2)}
        listed = client.list_properties_of_certificate_versions("Page-00", max_page_size=2).by_page()
        listed = [[each.id for each in page] for page in listed]
        assert [len(page) for page in listed] == [2, 1] and versions < set(sum(listed, []))
        for each in names:
            client.begin_delete_certificate(each).wait()
        assert {item.name for item in client.list_deleted_certificates()} == names
        assert list(client.list_properties_of_certificates()) == []


def test_keys_of_an_hsm(certificates, secrets):
    """A premium vault has them for certificates too; they do not leave it."""
    made = create(certificates, "in-hsm", key_type="RSA-HSM", key_curve_name=None, key_size=3072, exportable=False)
    assert (made.policy.key_type, made.policy.exportable) == ("RSA-HSM", False)
    key, _, others = x509.opened(secrets.get_secret("in-hsm").value)
    assert key is None and others == [x509.read(made.cer)]
    refused(lambda: create(certificates, "out", key_type="EC-HSM", exportable=True), 400, "BadParameter")


def test_the_key_signs_and_the_certificate_verifies(certificates, server, credential):
    made = create(certificates, "signer")
    with KeyClient(server.vault_url(), credential) as keys:
        key = keys.get_key("signer")
        assert (key.id, key.properties.managed) == (made.key_id, True)
        digest = hashes.Hash(hashes.SHA256())
        digest.update(b"a message")
        signed = CryptographyClient(key, credential).sign(SignatureAlgorithm.es256, digest.finalize()).signature
    half = len(signed) // 2
    signature = encode_dss_signature(*(int.from_bytes(part) for part in (signed[:half], signed[half:])))
    x509.read(made.cer).public_key().verify(signature, b"a message", ec.ECDSA(hashes.SHA256()))


def test_what_is_not_exportable_stays(certificates, secrets):
    create(certificates, "stays", exportable=False)
    key, certificate, _ = x509.opened(secrets.get_secret("stays").value)
    # `cryptography` gives a certificate without its key among the others.
    assert key is None and certificate is None
    create(certificates, "stays-pem", exportable=False, content_type="application/x-pem-file")
    assert "PRIVATE KEY" not in secrets.get_secret("stays-pem").value
    create(certificates, "leaves-pem", content_type="application/x-pem-file")
    assert "PRIVATE KEY" in secrets.get_secret("leaves-pem").value


def test_merge(certificates, folder, secrets):
    ca = folder / "ca"
    x509.authority(ca)
    certificates.begin_create_certificate("merged", policy("Unknown"))
    operation = certificates.get_certificate_operation("merged")
    assert (operation.status, operation.issuer_name) == ("inProgress", "Unknown")
    error = refused(lambda: certificates.begin_create_certificate("merged", policy()), 409, "Conflict")
    assert "A new key vault certificate can not be created or imported while" in error.message
    leaf = x509.sign(ca, operation.csr)
    x509.openssl(ca, "verify", "-CAfile", "ca.pem", "leaf.pem")
    wrong = x509.openssl(ca, "x509", "-in", "ca.pem", "-outform", "DER")
    refused(lambda: certificates.merge_certificate("merged", [wrong]), 400, "BadParameter")
    # As the SDK's own tests and samples hand it over: the text between the lines of a PEM file.
    text = base64.b64encode(x509.openssl(ca, "x509", "-outform", "DER", stdin=leaf))
    merged = certificates.merge_certificate("merged", [text, wrong])
    assert merged.name == "merged" and x509.read(merged.cer).issuer.rfc4514_string() == "CN=Test ca"
    _, certificate, chain = x509.opened(secrets.get_secret("merged").value)
    assert [each.subject.rfc4514_string() for each in (certificate, *chain)] == ["CN=contoso.com", "CN=Test ca"]
    assert certificates.get_certificate_operation("merged").status == "completed"
    refused(lambda: certificates.merge_certificate("merged", [leaf]), 400, "BadParameter")


def test_cancel_and_delete_the_operation(certificates):
    certificates.begin_create_certificate("cancelled", policy("Unknown"))
    assert certificates.cancel_certificate_operation("cancelled").cancellation_requested
    assert certificates.get_certificate_operation("cancelled").status == "cancelled"
    refused(lambda: certificates.cancel_certificate_operation("cancelled"), 400, "BadParameter")
    certificates.delete_certificate_operation("cancelled")
    with pytest.raises(ResourceNotFoundError):
        certificates.get_certificate_operation("cancelled")
    assert "cancelled" not in {each.name for each in certificates.list_properties_of_certificates()}
    assert "cancelled" in {each.name for each in certificates.list_properties_of_certificates(include_pending=True)}
    # What was given up is no obstacle.
    assert create(certificates, "cancelled").policy.issuer_name == "Self"
    certificates.begin_delete_certificate("cancelled").wait()
    certificates.purge_deleted_certificate("cancelled")


@pytest.mark.parametrize(
    ("key", "password", "options"),
    [
        ("rsa:2048", "secret", []),
        ("rsa:2048", "secret", ["-legacy"]),
        ("rsa:2048", "", []),
        ("P-256", "secret", []),
        ("P-521", "", ["-legacy"]),
    ],
)
def test_import_of_pkcs12(certificates, secrets, folder, key, password, options):
    name = f"imported-{key.replace(':', '-')}-{len(password)}-{len(options)}"
    x509.holder(folder / "imports", name, key)
    file = x509.pfx(folder / "imports", name, password, *options).read_bytes()
    imported = certificates.import_certificate(name, file, password=password or None)
    assert (imported.policy.issuer_name, imported.policy.subject) == ("Unknown", f"CN={name}, O=Contoso")
    private, certificate, _ = x509.opened(secrets.get_secret(name).value)
    assert x509.same_key(private, certificate) and certificate == x509.read(imported.cer)


def test_import_of_pem_and_of_what_is_none(certificates, secrets, folder):
    both = x509.holder(folder / "imports", "pem").read_bytes()
    as_pem = CertificatePolicy(issuer_name="Self", content_type="application/x-pem-file")
    imported = certificates.import_certificate("imported-pem", both, policy=as_pem)
    assert imported.policy.content_type == "application/x-pem-file"
    assert "PRIVATE KEY" in secrets.get_secret("imported-pem").value
    file = x509.pfx(folder / "imports", "pem", "right").read_bytes()
    for wrong in ({"password": "wrong"}, {}):
        refused(lambda wrong=wrong: certificates.import_certificate("not-there", file, **wrong), 400, "BadParameter")
    refused(lambda: certificates.import_certificate("not-there", b"garbage"), 400, "BadParameter")
    refused(lambda: certificates.get_certificate("not-there"), 404, "CertificateNotFound")


def test_delete_recover_purge_take_all_three(certificates, secrets, server, credential):
    made = create(certificates, "life")
    with KeyClient(server.vault_url(), credential) as keys:
        refused(lambda: keys.begin_delete_key("life"), 403, "Forbidden", "KeyManagedByKeyVault")
        refused(lambda: secrets.begin_delete_secret("life"), 403, "Forbidden", "SecretManagedByKeyVault")
        deleted = certificates.begin_delete_certificate("life").result()
        assert deleted.recovery_id == f"{certificates.vault_url}/deletedcertificates/life"
        assert deleted.scheduled_purge_date - deleted.deleted_on == datetime.timedelta(days=90)
        for get in (certificates.get_certificate_version, keys.get_key, secrets.get_secret):
            with pytest.raises(ResourceNotFoundError):
                get("life", made.properties.version)
        assert keys.get_deleted_key("life").properties.managed and secrets.get_deleted_secret("life").properties.managed
        refused(lambda: create(certificates, "life"), 409, "Conflict", "ObjectIsDeletedButRecoverable")
        certificates.begin_recover_deleted_certificate("life").wait()
        assert keys.get_key("life").id == made.key_id and secrets.get_secret("life").id == made.secret_id
        certificates.begin_delete_certificate("life").wait()
        certificates.purge_deleted_certificate("life")
        for get in (certificates.get_deleted_certificate, keys.get_deleted_key, secrets.get_deleted_secret):
            with pytest.raises(ResourceNotFoundError):
                get("life")


def test_backup_and_restore(certificates, secrets):
    made = [create(certificates, "saved") for _ in range(2)]
    before = secrets.get_secret("saved").value
    backup = certificates.backup_certificate("saved")
    with pytest.raises(ResourceExistsError):
        certificates.restore_certificate_backup(backup)
    certificates.begin_delete_certificate("saved").wait()
    with pytest.raises(ResourceExistsError):
        certificates.restore_certificate_backup(backup)
    certificates.purge_deleted_certificate("saved")
    assert certificates.restore_certificate_backup(backup).id == made[1].id
    versions = {each.id for each in certificates.list_properties_of_certificate_versions("saved")}
    assert versions == {each.id for each in made}
    assert secrets.get_secret("saved").value == before


def test_properties_and_policy(certificates, secrets):
    create(certificates, "changed")
    changed = certificates.update_certificate_properties("changed", enabled=False, tags={"n": "1"})
    assert (changed.properties.enabled, changed.properties.tags) == (False, {"n": "1"})
    refused(lambda: secrets.get_secret("changed"), 403, "Forbidden", "SecretDisabled")
    certificates.update_certificate_properties("changed", enabled=True)
    asked = certificates.get_certificate_policy("changed")
    asked._validity_in_months = 6
    asked._lifetime_actions = [LifetimeAction(CertificatePolicyAction.email_contacts, days_before_expiry=30)]
    kept = certificates.update_certificate_policy("changed", asked)
    assert (kept.validity_in_months, kept.lifetime_actions[0].days_before_expiry) == (6, 30)
    refused(lambda: certificates.get_certificate_policy("missing"), 404, "CertificateNotFound")


def test_issuers_and_contacts(certificates):
    person = AdministratorContact(first_name="A", last_name="B", email="a@contoso.com", phone="1")
    made = certificates.create_issuer("theirs", "Test", account_id="me", password="hush", admin_contacts=[person])
    assert (made.provider, made.account_id, made.admin_contacts[0].email) == ("Test", "me", "a@contoso.com")
    assert made.password is None, "it is never told"
    changed = certificates.update_issuer("theirs", account_id="you")
    assert (changed.provider, changed.account_id) == ("Test", "you")
    assert "theirs" in {each.name for each in certificates.list_properties_of_issuers()}
    certificates.delete_issuer("theirs")
    refused(lambda: certificates.get_issuer("theirs"), 404, "CertificateIssuerNotFound")
    refused(lambda: certificates.get_contacts(), 404, "ContactsNotFound")
    contacts = [CertificateContact(email="a@contoso.com", name="A", phone="1")]
    certificates.set_contacts(contacts)
    assert [each.email for each in certificates.get_contacts()] == ["a@contoso.com"]
    certificates.delete_contacts()
    refused(lambda: certificates.get_contacts(), 404, "ContactsNotFound")


@pytest.mark.parametrize("kind", ["vault", "hsm"])
def test_an_issuer_of_ours_signs_with_a_key_of_ours(certificates, secrets, folder, request, kind):
    ca = request.getfixturevalue(kind).create_ec_key(f"ca-{kind}", curve="P-384")
    subject = "CN=Contoso Root, O=Contoso"
    certificates.create_issuer(f"ours-{kind}", "PrivateCA", account_id=ca.id, organization_id=subject)
    made = create(certificates, f"by-{kind}", f"ours-{kind}", san_dns_names=["www.contoso.com"])
    operation = certificates.get_certificate_operation(made.name)
    assert (operation.status, operation.issuer_name) == ("completed", f"ours-{kind}")
    _, leaf, [root] = x509.opened(secrets.get_secret(made.name).value)
    x509.check_server_chain(folder / f"chain-{kind}", leaf, root, "www.contoso.com")
    assert root.public_key().public_numbers().x == int.from_bytes(ca.key.x)
    assert leaf.issuer.rfc4514_string() == "CN=Contoso Root,O=Contoso"
    assert leaf.not_valid_after_utc <= root.not_valid_after_utc
    # A merge is for what the owner signs.
    pending = certificates.begin_create_certificate(made.name, policy("Unknown", key_type="RSA", key_curve_name=None))
    assert pending is not None
    certificates.delete_certificate_operation(made.name)
    assert certificates.get_certificate(made.name).id == made.id, "what has no certificate yet is not the latest"


def test_who_may_make_an_issuer_of_a_key(certificates, server, vault, hsm):
    """Whoever manages certificates is not thereby somebody who signs with the keys of others."""
    ca = hsm.create_ec_key("guarded")
    with CertificateClient(server.vault_url(), credential_of(server, "KEY_VAULT_CERTIFICATES_OFFICER_")) as officer:
        assert create(officer, "officers").name == "officers"
        with pytest.raises(HttpResponseError) as raised:
            officer.create_issuer("stolen", "PrivateCA", account_id=ca.id)
        # As the managed HSM says it, whose key it is.
        assert (raised.value.status_code, raised.value.error.code) == (403, "AccessDenied")

    def create_issuer(account):
        return lambda: certificates.create_issuer("wrong", "PrivateCA", account_id=account)

    for account in (None, "me", f"{vault.vault_url}/secrets/guarded", f"{hsm.vault_url}/keys/missing"):
        refused(create_issuer(account), 400, "BadParameter")
    signs_nothing = hsm.create_oct_key("signs-nothing", hardware_protected=True)
    refused(create_issuer(signs_nothing.id), 403, "Forbidden", "KeyOperationForbidden")
    refused(lambda: certificates.get_issuer("wrong"), 404, "CertificateIssuerNotFound")


def test_an_issuer_that_is_disabled_or_gone(certificates, hsm):
    ca = hsm.create_ec_key("passing")
    certificates.create_issuer("passing", "PrivateCA", account_id=ca.id)
    certificates.update_issuer("passing", enabled=False)
    certificates.begin_create_certificate("waits", policy("passing"))
    operation = certificates.get_certificate_operation("waits")
    assert (operation.status, operation.error.code) == ("failed", "IssuerDisabled")
    certificates.delete_issuer("passing")
    refused(lambda: create(certificates, "waits", "passing"), 404, "CertificateIssuerNotFound")


def test_the_secret_converts_on_read(secrets, certificates):
    create(certificates, "converted")
    got = secrets.get_secret("converted", out_content_type="application/x-pem-file")
    assert "PRIVATE KEY" in got.value and got.properties.content_type == "application/x-pem-file"
    assert base64.b64decode(secrets.get_secret("converted").value)
