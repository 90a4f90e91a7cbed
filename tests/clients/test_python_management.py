"""Vaults and managed HSMs, with the Python SDK for the control plane."""

import datetime
import types

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.keyvault.keys import KeyClient

from sdk import credential_of, hsm_body, refused, vault_body


@pytest.fixture(params=["vault", "hsm"])
def containers(request, management, server):
    """The operations of one kind of container, by the same names for both."""
    if request.param == "vault":
        operations, body = management.vaults, vault_body
        return types.SimpleNamespace(
            kind="vault",
            body=lambda **more: body(server, **more),
            create=lambda name, body: operations.begin_create_or_update("dev", name, body).result(),
            get=lambda name: operations.get("dev", name),
            update=lambda name, body: operations.update("dev", name, body),
            delete=lambda name: operations.delete("dev", name),
            list=operations.list_by_subscription,
            list_of_group=lambda: operations.list_by_resource_group("dev"),
            deleted=lambda name: operations.get_deleted(name, "eastus"),
            list_deleted=operations.list_deleted,
            purge=lambda name: operations.begin_purge_deleted(name, "eastus").result(),
            recover="recover",
        )
    operations, body = management.managed_hsms, hsm_body
    return types.SimpleNamespace(
        kind="hsm",
        body=lambda **more: body(server, **more),
        create=lambda name, body: operations.begin_create_or_update("dev", name, body).result(),
        get=lambda name: operations.get("dev", name),
        update=lambda name, body: operations.begin_update("dev", name, body).result(),
        delete=lambda name: operations.begin_delete("dev", name).result(),
        list=operations.list_by_subscription,
        list_of_group=lambda: operations.list_by_resource_group("dev"),
        deleted=lambda name: operations.get_deleted(name, "eastus"),
        list_deleted=operations.list_deleted,
        purge=lambda name: operations.begin_purge_deleted(name, "eastus").result(),
        recover="Recover",
    )


def test_a_container_s_life(containers):
    name = f"managed{containers.kind}"
    made = containers.create(name, {**containers.body(softDeleteRetentionInDays=10), "tags": {"a": "b"}})
    assert (made.name, made.location, made.tags) == (name, "eastus", {"a": "b"})
    assert made.properties.provisioning_state == "Succeeded"
    assert made.properties.soft_delete_retention_in_days == 10
    assert name in {each.name for each in containers.list()}
    assert name in {each.name for each in containers.list_of_group()}
    containers.update(name, {"tags": {"c": "d"}})
    assert containers.get(name).tags == {"c": "d"}

    containers.delete(name)
    with pytest.raises(ResourceNotFoundError) as gone:
        containers.get(name)
    assert gone.value.error.code == "ResourceNotFound"
    deleted = containers.deleted(name)
    assert deleted.properties.scheduled_purge_date - deleted.properties.deletion_date == datetime.timedelta(days=10)
    assert name in {each.name for each in containers.list_deleted()}
    with pytest.raises(ResourceExistsError) as held:
        containers.create(name, containers.body())
    assert (held.value.status_code, held.value.error.code) == (409, "ConflictError")

    recovered = containers.create(name, containers.body(createMode=containers.recover))
    assert (recovered.tags, recovered.properties.soft_delete_retention_in_days) == ({"c": "d"}, 10)
    containers.delete(name)
    containers.purge(name)
    with pytest.raises(ResourceNotFoundError):
        containers.deleted(name)


def test_what_a_container_refuses(containers):
    name = f"fixed{containers.kind}"
    containers.create(name, containers.body(softDeleteRetentionInDays=10, enablePurgeProtection=True))
    for properties, message in (
        ({"softDeleteRetentionInDays": 11}, "has been set already and it can't be modified"),
        ({"enablePurgeProtection": False}, "is an irreversible action"),
        ({"enableSoftDelete": False}, "is an irreversible action"),
    ):
        with pytest.raises(HttpResponseError, match=message) as raised:
            containers.update(name, {"properties": properties})
        assert (raised.value.status_code, raised.value.error.code) == (400, "BadRequest")
    containers.delete(name)
    with pytest.raises(HttpResponseError) as raised:
        containers.purge(name)
    assert (raised.value.status_code, raised.value.error.code) == (405, "MethodNotAllowed")
    containers.create(name, containers.body(createMode=containers.recover))


def test_purge_protection_from_the_start(containers):
    """A vault knows no `false`, an HSM does (contract: key-vault §4.2, "Immutability")."""
    name = f"unprotected{containers.kind}"
    body = containers.body(enablePurgeProtection=False)
    if containers.kind == "hsm":
        assert containers.create(name, body).properties.enable_purge_protection is False
        return
    with pytest.raises(HttpResponseError, match="cannot be set to false") as raised:
        containers.create(name, body)
    assert raised.value.status_code == 400


def test_recovering_what_was_never_deleted(containers):
    with pytest.raises(HttpResponseError) as raised:
        containers.create(f"never{containers.kind}", containers.body(createMode=containers.recover))
    assert raised.value.status_code == 400
    assert raised.value.error.code.startswith("SoftDeleted")
    assert raised.value.error.code.endswith("DoesNotExist")


def test_access_policies(server, management):
    """A vault without roles: what its policies give, and nothing else."""
    permissions = {"keys": ["get", "create", "delete"]}
    entry = {"tenantId": server["TENANT"], "objectId": server["NOBODY_OBJECT_ID"], "permissions": permissions}
    body = vault_body(server, enableRbacAuthorization=False, accessPolicies=[entry])
    management.vaults.begin_create_or_update("dev", "policyvault", body).result()
    nobody = KeyClient(server.vault_url("policyvault"), credential_of(server, "NOBODY_"))
    nobody.create_ec_key("mine")
    nobody.begin_delete_key("mine").wait()
    error = refused(lambda: nobody.purge_deleted_key("mine"), 403, "Forbidden", "AccessDenied")
    assert "does not have keys purge permission on key vault 'policyvault;location=eastus'" in error.message
    more = {**entry, "permissions": {"keys": ["purge"]}}
    management.vaults.update_access_policy("dev", "policyvault", "add", {"properties": {"accessPolicies": [more]}})
    nobody.purge_deleted_key("mine")


def test_name_availability(management):
    taken = management.vaults.check_name_availability({"name": "devvault", "type": "Microsoft.KeyVault/vaults"})
    assert (taken.name_available, taken.reason) == (False, "AlreadyExists")
    wrong = management.vaults.check_name_availability({"name": "a--b", "type": "Microsoft.KeyVault/vaults"})
    assert (wrong.name_available, wrong.reason) == (False, "AccountNameInvalid")
    assert management.managed_hsms.check_mhsm_name_availability({"name": "freename"}).name_available
