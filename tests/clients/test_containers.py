"""Vaults and managed HSMs themselves: their deletion, and what cannot be undone about them."""

import json
import types

import pytest

from harness import DIGEST

VAULT = types.SimpleNamespace(
    option="--name",
    create="keyvault create -g dev -l eastus --retention-days 7",
    of_key="--vault-name",
    change="keyvault update --name",
    resource_type="Microsoft.KeyVault/vaults",
    deleted_type="Microsoft.KeyVault/deletedVaults",
    origin="vaultId",
    kind="vault",
)
HSM = types.SimpleNamespace(
    option="--hsm-name",
    create="keyvault create -g dev -l eastus --retention-days 7 --administrators {OBJECT_ID}",
    of_key="--hsm-name",
    change="keyvault update-hsm --hsm-name",
    resource_type="Microsoft.KeyVault/managedHSMs",
    # The service's own spelling.
    deleted_type="Microsoft.Keyvault/deletedManagedHSMs",
    origin="mhsmId",
    kind="hsm",
)
both = pytest.mark.parametrize("kind", [VAULT, HSM], ids=["vault", "hsm"])


def create(az, server, kind, name, more=""):
    return az(f"{kind.create.format(**server.facts)} {kind.option} {name} {more}")


def deleted_names(az, kind):
    listed = az(f"keyvault list-deleted --resource-type {kind.kind}")
    return {item["properties"][kind.origin].rsplit("/", 1)[1] for item in listed}


@both
def test_a_life(az, server, kind):
    name = f"life{kind.kind}"
    one = f"{kind.option} {name}"
    made = create(az, server, kind, name, "--tags a=b")
    assert (made["type"], made["name"], made["tags"]) == (kind.resource_type, name, {"a": "b"})
    assert made["properties"]["provisioningState"] == "Succeeded"
    assert made["properties"]["softDeleteRetentionInDays"] == 7
    listed = az(f"keyvault list --resource-type {kind.kind}")
    assert name in {item["name"] for item in listed}

    az(f"keyvault delete {one}")
    shown, names, gone = (
        az(f"keyvault show-deleted {one}"),
        deleted_names(az, kind),
        az.refuses(f"keyvault show -g dev {one}"),
    )
    assert shown["type"] == kind.deleted_type
    assert shown["properties"]["location"] == "eastus"
    assert shown["properties"][kind.origin] == made["id"]
    assert shown["properties"]["tags"] == {"a": "b"}
    assert name in names
    assert gone.code == "ResourceNotFound"

    recovered = az(f"keyvault recover {one}")
    assert without_dates(recovered) == without_dates(made)
    assert name not in deleted_names(az, kind)

    az(f"keyvault delete {one}")
    assert az(f"keyvault purge {one}") is None
    assert name not in deleted_names(az, kind)
    # The name is free, and what it names is new.
    assert create(az, server, kind, name)["tags"] in (None, {})


def without_dates(container):
    return {name: value for name, value in container.items() if name != "systemData"}


@both
def test_a_taken_name(az, server, kind):
    name = f"taken{kind.kind}"
    create(az, server, kind, name)
    az("group create --name elsewhere --location westus")
    elsewhere = kind.create.format(**server.facts).replace("-g dev", "-g elsewhere")

    live = az.refuses(f"{elsewhere} {kind.option} {name}")
    assert live.code == ("VaultAlreadyExists" if kind is VAULT else "ManagedHsmAlreadyExists")
    assert "names are globaly unique" in live.text, "the service's spelling"

    az(f"keyvault delete {kind.option} {name}")
    here, there = rest_refusals(az, server, kind, name)
    for refusal in (here, there):
        assert refusal.code == "ConflictError"
        assert "already exists in deleted state" in refusal.text


def rest_refusals(az, server, kind, name):
    """Creation by plain ARM calls: az itself looks for a deleted container of that name first, and stops there."""
    body = {"location": "eastus", "properties": {"tenantId": server["TENANT"]}}
    if kind is VAULT:
        body["properties"]["sku"] = {"family": "A", "name": "standard"}
        body["properties"]["accessPolicies"] = []
    else:
        body["sku"] = {"family": "B", "name": "Standard_B1"}
        body["properties"]["initialAdminObjectIds"] = [server["OBJECT_ID"]]
    put = "rest --method put --body '{}' --url '{}?api-version=2026-02-01'"
    return az.refuses_each(
        put.format(json.dumps(body), resource(server, kind, name)),
        put.format(json.dumps(body), resource(server, kind, name, group="elsewhere")),
    )


def resource(server, kind, name, group="dev"):
    return f"/subscriptions/{server['SUBSCRIPTION']}/resourceGroups/{group}/providers/{kind.resource_type}/{name}"


def test_further_regions(az, server):
    create(az, server, HSM, "wide")
    az("keyvault region add -g dev --hsm-name wide --region-name uksouth")
    refused = az.refuses("keyvault delete --hsm-name wide")
    assert refused.code == "400" and "is extended to regions (uksouth)" in refused.text
    az("keyvault region remove -g dev --hsm-name wide --region-name uksouth")
    az("keyvault delete --hsm-name wide")


def patch(server, kind, name, **properties):
    body = json.dumps({"properties": properties})
    return f"rest --method patch --body '{body}' --url '{resource(server, kind, name)}?api-version=2026-02-01'"


@both
def test_what_cannot_be_changed(az, server, kind):
    name = f"fixed{kind.kind}"
    create(az, server, kind, name)
    other_retention, too_long, soft_delete_off = az.refuses_each(
        patch(server, kind, name, softDeleteRetentionInDays=30),
        patch(server, kind, name, softDeleteRetentionInDays=91),
        patch(server, kind, name, enableSoftDelete=False),
    )
    assert "has been set already and it can't be modified" in other_retention.text
    assert "softDeleteRetentionInDays" in too_long.text
    assert "enableSoftDelete" in soft_delete_off.text

    on = az(f"{kind.change} {name} --enable-purge-protection true")
    assert on["properties"]["enablePurgeProtection"] is True
    off = az.refuses(f"{kind.change} {name} --enable-purge-protection false")
    off_by_rest = az.refuses(patch(server, kind, name, enablePurgeProtection=False))
    for refusal in (off, off_by_rest):
        assert "is an irreversible action" in refusal.text
    for refusal in (other_retention, too_long, soft_delete_off, off_by_rest):
        assert "BadRequest" in refusal.text

    # Sent again with the value it has is no change.
    az(patch(server, kind, name, softDeleteRetentionInDays=7))
    shown = az(f"keyvault show {kind.option} {name}")["properties"]
    assert (shown["softDeleteRetentionInDays"], shown["enablePurgeProtection"]) == (7, True)

    az(f"keyvault delete {kind.option} {name}")
    refused = az.refuses(f"keyvault purge {kind.option} {name}")
    assert refused.code == "MethodNotAllowed"
    operation = "DeletedVaultPurge" if kind is VAULT else "DeletedManagedHsmPurge"
    assert f"Operation '{operation}' is not allowed" in refused.text


@both
def test_retention_is_between_7_and_90_days(az, server, kind):
    line = kind.create.format(**server.facts)
    for days in (6, 91):
        refused = az.refuses(f"{line.replace('--retention-days 7', f'--retention-days {days}')} {kind.option} short")
        assert "etention" in refused.text
    assert az.refuses(f"keyvault show -g dev {kind.option} short").code == "ResourceNotFound"


@both
def test_a_recovered_container_has_everything_as_it_was(az, server, kind):
    name = f"back{kind.kind}"
    create(az, server, kind, name)
    where = f"{kind.of_key} {name}"
    live = az(f"keyvault key create {where} --name live --kty EC --tags a=b")
    az(f"keyvault key create {where} --name gone --kty EC")
    gone = az(f"keyvault key delete {where} --name gone")
    before = role_assignments(az, name) if kind is HSM else None

    az(f"keyvault delete {kind.option} {name}")
    out_of_use = az.refuses(f"keyvault key show {where} --name live")
    assert out_of_use.code == ("VaultNotFound" if kind is VAULT else "ManagedHsmNotFound")
    server.advance(days=6)
    az(f"keyvault recover {kind.option} {name}")

    assert az(f"keyvault key show {where} --name live") == live
    assert az(f"keyvault key show-deleted {where} --name gone") == gone, "its time to live has not changed either"
    if kind is HSM:
        assert role_assignments(az, name) == before
    az(f"keyvault key sign {where} --name live --algorithm ES256 --digest {DIGEST}")
    az(f"keyvault key recover {where} --name gone")


def role_assignments(az, hsm):
    listed = az(f"keyvault role assignment list --hsm-name {hsm}")
    return {(each["name"], each["principalId"], each["roleDefinitionId"], each["scope"]) for each in listed}


@both
def test_the_scheduler_purges_what_is_due(az, server, kind):
    """Also what is protected from being purged before: its time has come."""
    name = f"due{kind.kind}"
    create(az, server, kind, name, "--enable-purge-protection true")
    where = f"{kind.of_key} {name}"
    az(f"keyvault key create {where} --name due --kty EC")
    az(f"keyvault key delete {where} --name due")
    server.advance(days=6.9)
    az(f"keyvault key show-deleted {where} --name due")
    server.advance(days=0.2)
    assert az.refuses(f"keyvault key show-deleted {where} --name due").code == "KeyNotFound"
    assert az.refuses(f"keyvault key recover {where} --name due").code == "KeyNotFound"

    az(f"keyvault delete {kind.option} {name}")
    server.advance(days=6.9)
    assert name in deleted_names(az, kind)
    server.advance(days=0.2)
    assert name not in deleted_names(az, kind)
    create(az, server, kind, name)
    assert az(f"keyvault key list {where}") == []


def test_a_legacy_vault_without_soft_delete(az, server):
    """Old versions of the API could make one: what is deleted in it is gone at once, and it says so."""
    legacy = resource(server, VAULT, "legacyvault") + "?api-version=2018-02-14"
    permissions = {"keys": ["all", "purge"]}
    properties = {
        "tenantId": server["TENANT"],
        "sku": {"family": "A", "name": "standard"},
        "enableSoftDelete": False,
        "accessPolicies": [{"tenantId": server["TENANT"], "objectId": server["OBJECT_ID"], "permissions": permissions}],
    }
    body = json.dumps({"location": "eastus", "properties": properties})
    made = az(f"rest --method put --url '{legacy}' --body '{body}'")
    assert made["properties"]["enableSoftDelete"] is False

    key = "--vault-name legacyvault --name brief"
    attributes = az(f"keyvault key create {key} --kty EC")["attributes"]
    assert (attributes["recoveryLevel"], attributes["recoverableDays"]) == ("Purgeable", 0)
    az(f"keyvault key delete {key}")
    assert az.refuses(f"keyvault key show {key}").code == "KeyNotFound"
    assert az.refuses(f"keyvault key purge {key}").code == "NotSupported"
    az(f"keyvault key create {key} --kty EC")

    az("keyvault delete --name legacyvault")
    assert "legacyvault" not in deleted_names(az, VAULT)


def test_the_newest_versions_of_the_api_make_no_vault_without_soft_delete(az, server):
    properties = {
        "tenantId": server["TENANT"],
        "sku": {"family": "A", "name": "standard"},
        "enableSoftDelete": False,
    }
    body = json.dumps({"location": "eastus", "properties": properties})
    url = resource(server, VAULT, "hardvault") + "?api-version=2026-02-01"
    refused = az.refuses(f"rest --method put --url '{url}' --body '{body}'")
    assert "BadRequest" in refused.text


@both
def test_a_closed_network(az, server, kind):
    name = f"closed{kind.kind}"
    create(az, server, kind, name)
    key = f"{kind.of_key} {name} --name k"
    az(f"keyvault key create {key} --kty EC")

    az(f"{kind.change} {name} --default-action Deny")
    refused = az.refuses(f"keyvault key show {key}")
    assert (refused.code, refused.inner) == ("Forbidden", "ForbiddenByFirewall")
    assert "Client address is not authorized and caller is not a trusted service." in refused.text
    az(f"keyvault network-rule add {kind.option} {name} --ip-address 127.0.0.1/32")
    az(f"keyvault key show {key}")

    az(f"{kind.change} {name} --public-network-access Disabled")
    refused = az.refuses(f"keyvault key show {key}")
    assert (refused.code, refused.inner) == ("Forbidden", "ForbiddenByConnection")
    az(f"{kind.change} {name} --public-network-access Enabled")
    az(f"keyvault key show {key}")


def test_names(az, server):
    wrong = ["ab", "1abc", "abc-", "a--b", "a" * 25]
    for refusal in az.refuses_each(*[f"{VAULT.create} --name={name}" for name in wrong]):
        assert refusal.code == "VaultNameNotValid"
    taken, free = az.together(
        "keyvault check-name --name devhsm --resource-type hsm", "keyvault check-name --name free --resource-type hsm"
    )
    assert (taken["nameAvailable"], taken["reason"]) == (False, "AlreadyExists")
    assert free["nameAvailable"] is True


def test_wait(az, server):
    az(f"{VAULT.create} --name waited --no-wait")
    assert az("keyvault wait --name waited --created --interval 1 --timeout 30") is None
