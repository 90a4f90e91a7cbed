"""The SDKs with tokens of an OpenID Connect provider that is not the server's own. Challenges are verified, as is the
default."""

import uuid

import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential
from azure.keyvault.keys import KeyClient
from azure.keyvault.keys.crypto import SignatureAlgorithm
from azure.mgmt.keyvault import KeyVaultManagementClient

from production import DOMAIN, TENANT, Installation
from provider import Provider, ProviderCredential
from sdk import hsm_body, refused, vault_body

CRYPTO_OFFICER = "14b46e9e-c2b7-41b4-b07b-48a6ebf60603"
HSM_CRYPTO_USER = "21dbd100-6940-42c2-9190-5d6cb909625b"


@pytest.fixture(scope="module")
def provider(folder):
    clients = {
        "admin": {"sub": "admin"},
        "app": {"sub": "service-account-app", "groups": ["operators"]},
        "stranger": {"sub": "service-account-stranger"},
    }
    provider = Provider(folder / "provider", clients)
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def installation(folder, provider):
    identity = (
        f'[identity]\nembedded = false\n[identity.external]\nissuer = "{provider.issuer}"\n'
        f'ca_file = "{provider.ca_file}"\n'
    )
    # A token that came before the first fetch of the keys would ask for one, and the next may not ask so soon.
    until = ["the keys of the issuer have changed"]
    init = ["--administrator-subject", "admin"]
    installation = Installation(folder / "installation", identity, init, until)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in installation.environment().items():
            patch.setenv(name, value)
        yield installation
    installation.stop()


def derived(provider, name, kind=""):
    """The object id of somebody whom the provider gives no GUID: documented, so computed here in another language."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{provider.issuer}{kind}#{name}"))


@pytest.fixture(scope="module")
def containers(installation, provider):
    """A vault whose keys the group of operators may use, and a managed HSM whose keys the application may use."""
    admin = ProviderCredential(provider, "admin")
    owner = derived(provider, "admin")
    assert installation.facts["ADMINISTRATOR_OBJECT_ID"] == owner
    facts = {"TENANT": TENANT, "OBJECT_ID": owner}
    scopes = [f"{installation.base_url}/.default"]
    subscription = installation.facts["SUBSCRIPTION"]
    with KeyVaultManagementClient(
        admin, subscription, base_url=installation.base_url, credential_scopes=scopes
    ) as management:
        vault = management.vaults.begin_create_or_update(
            "default", "kv1", vault_body(facts, enableRbacAuthorization=True)
        ).result()
        management.managed_hsms.begin_create_or_update("default", "hsm1", hsm_body(facts)).result()
    roles = f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions"
    assign(installation.base_url + vault.id, admin, scopes[0], f"{roles}/{CRYPTO_OFFICER}", operators(provider))
    hsm_roles = "Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions"
    application = derived(provider, "service-account-app")
    hsm_scope = f"https://managedhsm.{DOMAIN}:{installation.port}/.default"
    assign(installation.hsm_url("hsm1"), admin, hsm_scope, f"{hsm_roles}/{HSM_CRYPTO_USER}", application)
    return {"vault": installation.vault_url("kv1"), "hsm": installation.hsm_url("hsm1")}


def operators(provider):
    return derived(provider, "operators", "/groups")


def assign(scope, credential, token_scope, role, principal):
    url = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}?api-version=2022-04-01"
    if "managedhsm" in scope:
        url = url.replace("2022-04-01", "7.4")
    body = {"properties": {"roleDefinitionId": role, "principalId": principal}}
    bearer = {"Authorization": f"Bearer {credential.get_token(token_scope).token}"}
    answer = requests.put(url, json=body, headers=bearer, timeout=30)
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("kind", ["vault", "hsm"])
def test_keys_with_tokens_of_the_provider(containers, provider, kind):
    credential = ProviderCredential(provider, "app")
    client = KeyClient(containers[kind], credential)
    key = client.create_ec_key("signing", hardware_protected=kind == "hsm")
    signer = client.get_cryptography_client("signing")
    digest = bytes(32)
    signature = signer.sign(SignatureAlgorithm.es256, digest).signature
    assert signer.verify(SignatureAlgorithm.es256, digest, signature).is_valid
    assert key.id.startswith(containers[kind])
    (scope,), options = credential.asked[0]
    # What the challenge named: the resource with its port, and the provider as the authority.
    assert scope == f"https://{containers[kind].split('.', 1)[1]}/.default"
    assert options["tenant_id"] == "realms"


def test_who_has_no_role_is_told_their_object_id(containers, provider):
    client = KeyClient(containers["vault"], ProviderCredential(provider, "stranger"))
    error = refused(lambda: client.get_key("signing"), 403, "Forbidden", "ForbiddenByRbac")
    assert f"oid={derived(provider, 'service-account-stranger')}" in error.message


def test_the_named_administrator_changes_the_directory(installation, provider):
    def create(who):
        bearer = ProviderCredential(provider, who).get_token(f"{installation.base_url}/.default").token
        url = f"{installation.base_url}/v1.0/groups"
        return requests.post(url, json={"displayName": "g"}, headers={"Authorization": f"Bearer {bearer}"}, timeout=30)

    assert create("admin").status_code == 201
    refused = create("stranger")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "Authorization_RequestDenied")


def test_a_client_outlives_the_keys_of_the_provider(containers, provider):
    """Its token is void with its key; the challenge says so, and the SDK fetches another by itself."""
    credential = ProviderCredential(provider, "app")
    client = KeyClient(containers["vault"], credential)
    client.create_ec_key("lasting")
    # Somebody else's token makes the new key known, and the old one void.
    provider.rotate()
    KeyClient(containers["vault"], ProviderCredential(provider, "app")).get_key("lasting")
    before = len(credential.asked)
    assert client.get_key("lasting").name == "lasting"
    (_, options) = credential.asked[-1]
    assert len(credential.asked) == before + 1
    assert "nbf" in options["claims"]


def test_nobody_signs_in_with_a_secret(installation):
    """The SDK stops at the authority's description, which is refused; what that says is for those who ask themselves."""
    credential = ClientSecretCredential(
        TENANT, str(uuid.uuid4()), "secret", authority=installation.base_url, disable_instance_discovery=True
    )
    with pytest.raises(ClientAuthenticationError, match="Unable to get authority configuration"):
        credential.get_token("https://vault.azure.net/.default")
    answer = requests.get(f"{installation.base_url}/{TENANT}/v2.0/.well-known/openid-configuration", timeout=30)
    assert answer.status_code == 400
    assert "Nobody signs in here" in answer.json()["error_description"]
