"""Certificates that are renewed as their time comes, with the server's clock moved forward."""

import pytest
from azure.keyvault.certificates import CertificatePolicy, CertificatePolicyAction, LifetimeAction
from azure.keyvault.keys.crypto import CryptographyClient, SignatureAlgorithm

import x509

NOTICE = LifetimeAction(CertificatePolicyAction.email_contacts, lifetime_percentage=80)
EARLY = LifetimeAction(CertificatePolicyAction.auto_renew, days_before_expiry=300)
# The policies, by the names of the certificates.
POLICIES = {
    "own": {},
    "early": {"lifetime_actions": [EARLY]},
    "notice": {"lifetime_actions": [NOTICE]},
    "same-key": {"reuse_key": True},
    "private": {"issuer": "ours", "san_dns_names": ["www.contoso.com"]},
    "short": {"validity_in_months": 1},
}


@pytest.fixture(scope="module")
def made(certificates, hsm):
    """One certificate of each policy, of a year unless it says otherwise, and one that waits for a merge."""
    certificates.create_issuer("ours", "PrivateCA", account_id=hsm.create_ec_key("ca").id)

    def create(name, issuer="Self", **changes):
        asked = {"subject": "CN=contoso.com", "key_type": "EC", "key_curve_name": "P-256", **changes}
        poller = certificates.begin_create_certificate(name, CertificatePolicy(issuer, **asked), tags={"kept": name})
        return poller.result() if issuer != "Unknown" else None

    create("asked", "Unknown")
    return {name: create(name, **changes) for name, changes in POLICIES.items()}


def versions(certificates, name):
    return [each.version for each in certificates.list_properties_of_certificate_versions(name)]


def test_a_year_goes_by(server, certificates, secrets, made, vault, credential, folder):
    """In one test, since there is one clock."""
    before = {name: secrets.get_secret(name).value for name in made}

    server.advance(29)
    assert certificates.get_certificate("short").id != made["short"].id, "80 % of 30 days are over"
    assert certificates.get_certificate("early").id == made["early"].id
    server.advance(41)
    assert certificates.get_certificate("early").id != made["early"].id, "less than 300 days of 365 are left"
    server.advance(215)
    for name in ("own", "notice", "same-key", "private"):
        assert versions(certificates, name) == [made[name].properties.version], f"{name}: 78 % of a year are over"
    server.advance(15)
    assert versions(certificates, "notice") == [made["notice"].properties.version], "who wants a notice gets no version"
    for name in ("own", "same-key", "private"):
        old, new = made[name], certificates.get_certificate(name)
        assert len(versions(certificates, name)) == 2, name
        assert new.id != old.id and new.properties.tags == {"kept": name}
        assert (new.properties.expires_on - old.properties.expires_on).days >= 290
        # All three have it, and the old ones are as they were.
        secret = secrets.get_secret(name)
        assert (secret.id, secret.value != before[name]) == (new.secret_id, True)
        assert vault.get_key(name).id == new.key_id
        assert secrets.get_secret(name, old.properties.version).value == before[name]
        assert certificates.get_certificate_version(name, old.properties.version).cer == old.cer
    old, new = (x509.read(each.cer) for each in (made["same-key"], certificates.get_certificate("same-key")))
    assert old.public_key() == new.public_key() and old != new
    old, new = (x509.read(each.cer) for each in (made["own"], certificates.get_certificate("own")))
    assert old.public_key() != new.public_key()
    _, leaf, [root] = x509.opened(secrets.get_secret("private").value)
    x509.check_server_chain(folder / "renewed", leaf, root, "www.contoso.com")
    assert certificates.get_certificate_operation("asked").status == "inProgress", "only its owner can go on with it"

    # The old version still signs, until its own end; what has expired is readable.
    key = vault.get_key("own", made["own"].properties.version)
    signer = CryptographyClient(key, credential)
    assert signer.sign(SignatureAlgorithm.es256, bytes(32)).signature
    server.advance(100)
    assert secrets.get_secret("own", made["own"].properties.version).value == before["own"]
    assert certificates.get_certificate("notice").id == made["notice"].id
