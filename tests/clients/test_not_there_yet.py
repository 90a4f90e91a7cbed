"""What Azure has and this server has not: a client that asks is told so, once, and does not try again for minutes."""

import pytest


@pytest.mark.parametrize(
    "line",
    [
        "backup start --hsm-name devhsm --storage-resource-uri https://a.blob.core.windows.net/c"
        " --storage-container-SAS-token x",
        "key get-attestation --hsm-name devhsm --name any",
    ],
)
def test_it_says_so(az, line):
    assert az.refuses(f"keyvault {line}").code == "NotSupported"


def test_what_around_keys_is_there(az):
    """Neighbouring commands that scripts call in passing."""
    settings, regions, groups, account, resources = az.together(
        "keyvault setting list --hsm-name devhsm",
        "keyvault region list --hsm-name devhsm",
        "group list",
        "account show",
        "resource list --resource-type Microsoft.KeyVault/vaults",
    )
    assert settings[0]["name"] == "AllowKeyManagementOperationsThroughARM"
    assert regions[0]["name"] == "eastus"
    assert [group["name"] for group in groups] == ["dev"]
    assert account["name"] == "Development"
    assert [resource["name"] for resource in resources] == ["devvault"]


def test_a_group_takes_its_vaults_with_it_as_deleted_ones(az):
    az("group create --name passing --location eastus")
    az("keyvault create -g passing -l eastus --name passingvault --retention-days 7")
    az("group delete --name passing --yes")
    refused = az.refuses("keyvault recover --name passingvault")
    assert refused.code == "ResourceGroupNotFound"
    az("group create --name passing --location eastus")
    assert az("keyvault recover --name passingvault")["name"] == "passingvault"
