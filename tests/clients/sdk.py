"""The Python SDKs against a server of the tests: credentials, bodies, and how they fail."""

import pytest
from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential
from azure.keyvault.keys import KeyClient
from azure.mgmt.keyvault import KeyVaultManagementClient


def credential_of(server, principal="", secret=None, app_id=None):
    """Signs in as one of the server's principals; none: as the administrator."""
    return ClientSecretCredential(
        server["TENANT"],
        app_id or server[f"{principal}APP_ID"],
        secret or server[f"{principal}APP_SECRET"],
        authority=server["AUTHORITY"],
        disable_instance_discovery=True,
    )


def management_client(server, credential):
    return KeyVaultManagementClient(
        credential,
        server["SUBSCRIPTION"],
        base_url=server["BASE_URL"],
        credential_scopes=[server["BASE_URL"] + "/.default"],
    )


def vault_body(server, **properties):
    sku = {"family": "A", "name": "standard"}
    return {"location": "eastus", "properties": {"tenantId": server["TENANT"], "sku": sku, **properties}}


def hsm_body(server, **properties):
    properties = {"tenantId": server["TENANT"], "initialAdminObjectIds": [server["OBJECT_ID"]], **properties}
    return {"location": "eastus", "sku": {"family": "B", "name": "Standard_B1"}, "properties": properties}


def new_container(server, credential, kind, name):
    """Makes a vault or a managed HSM, and a client of its keys."""
    with management_client(server, credential) as management:
        if kind == "vault":
            management.vaults.begin_create_or_update("dev", name, vault_body(server)).result()
            return KeyClient(server.vault_url(name), credential)
        management.managed_hsms.begin_create_or_update("dev", name, hsm_body(server)).result()
        return KeyClient(server.hsm_url(name), credential)


def kty_of(client, kty):
    """An HSM's keys are HSM keys, whatever was asked for."""
    return f"{kty}-HSM" if client.kind == "hsm" else kty


def inner_code(error):
    inner = error.error.innererror if error.error else None
    return inner.get("code") if inner else None


def refused(call, status, code, inner=None):
    """Runs a call that must fail so."""
    with pytest.raises(HttpResponseError) as raised:
        call()
    error = raised.value
    assert (error.status_code, error.error.code) == (status, code)
    assert inner_code(error) == inner
    return error
