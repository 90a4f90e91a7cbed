"""Ways to sign in with the Python SDKs. Challenges are verified, as is the default."""

import os
import pathlib

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import AzureCliCredential, DefaultAzureCredential, ManagedIdentityCredential
from azure.keyvault.keys import ApiVersion, KeyClient

from harness import AZ
from sdk import credential_of, refused


def test_default_azure_credential_reads_the_environment(server, sdk_environment):
    client = KeyClient(server.hsm_url(), DefaultAzureCredential(disable_instance_discovery=True))
    assert client.create_ec_key("default", hardware_protected=True).key_type == "EC-HSM"


@pytest.mark.parametrize("style", ["virtual machine", "app service"])
def test_managed_identity(server, sdk_environment, style):
    with sdk_environment.context() as patch:
        if style == "virtual machine":
            patch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", server["CLIENT_PROXY"])
        else:
            patch.setenv("IDENTITY_ENDPOINT", server["CLIENT_PROXY"] + "/msi/token")
            patch.setenv("IDENTITY_HEADER", server["MANAGED_IDENTITY_HEADER"])
        client = KeyClient(server.vault_url(), ManagedIdentityCredential())
        assert client.create_ec_key("by-identity").name == "by-identity"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"secret": "not the secret"}, "AADSTS7000215"),
        ({"app_id": "00000000-1111-2222-3333-444444444444"}, "AADSTS700016"),
    ],
    ids=["secret", "application"],
)
def test_a_wrong_credential(server, sdk_environment, wrong, code):
    with pytest.raises(ClientAuthenticationError, match=code):
        KeyClient(server.vault_url(), credential_of(server, **wrong)).get_key("any")


def test_the_credential_of_az(server, sdk_environment, az):
    """az is asked for a token of the audience that the challenge names."""
    with sdk_environment.context() as patch:
        patch.setenv("PATH", f"{pathlib.Path(AZ).parent}:{os.environ['PATH']}")
        patch.setenv("AZURE_CONFIG_DIR", az.environment["AZURE_CONFIG_DIR"])
        assert KeyClient(server.vault_url(), AzureCliCredential()).create_ec_key("by-az").name == "by-az"


def test_nobody_may_do_nothing(server, sdk_environment):
    nobody = credential_of(server, "NOBODY_")
    in_vault = KeyClient(server.vault_url(), nobody)
    error = refused(lambda: in_vault.get_key("any"), 403, "Forbidden", "ForbiddenByRbac")
    assert "Action: 'Microsoft.KeyVault/vaults/keys/read'" in error.message
    in_hsm = KeyClient(server.hsm_url(), nobody)
    error = refused(lambda: in_hsm.get_key("any"), 403, "AccessDenied")
    assert "Microsoft.KeyVault/managedHsm/keys/read/action" in error.message


@pytest.mark.parametrize("version", list(ApiVersion))
def test_every_version_of_the_api_that_the_sdk_knows(server, credential, version):
    client = KeyClient(server.vault_url(), credential, api_version=version)
    assert client.create_ec_key("versioned").key_type == "EC"
