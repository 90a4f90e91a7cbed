"""Locks, with the real az: made, listed, changed and removed, and what they refuse."""

import pytest

VAULT = "--resource-type Microsoft.KeyVault/vaults --resource-name devvault -g dev"
HSM = "--resource-type Microsoft.KeyVault/managedHSMs --resource-name devhsm -g dev"


@pytest.fixture
def names(az):
    """Names of the locks that a list shows."""
    return lambda where="": {each["name"] for each in az(f"lock list {where}")}


@pytest.mark.parametrize("where", [VAULT, HSM, "-g dev", ""], ids=["vault", "hsm", "group", "subscription"])
def test_a_lock_is_made_shown_changed_and_removed(az, names, where):
    lock = f"{where} --name keep"
    made = az(f"lock create {lock} --lock-type CanNotDelete --notes 'for the auditors'")
    assert (made["name"], made["level"], made["notes"]) == ("keep", "CanNotDelete", "for the auditors")
    assert made["type"] == "Microsoft.Authorization/locks"
    assert az(f"lock show {lock}") == made
    assert az(f"lock show --ids {made['id']}") == made
    assert names(where) == {"keep"}
    # az finds the lock by its name in the list of the whole subscription before it changes it.
    changed = az(f"lock update {lock} --lock-type ReadOnly")
    assert (changed["level"], changed["notes"]) == ("ReadOnly", "for the auditors")
    az(f"lock delete {lock}")
    assert names(where) == set()
    assert az.refuses(f"lock show --ids {made['id']}").code == "LockNotFound"


def test_a_list_has_what_is_below_and_atscope_leaves_it_out(az, names):
    az(f"lock create {VAULT} --name at-vault --lock-type CanNotDelete")
    az("lock create -g dev --name at-group --lock-type CanNotDelete")
    assert names() == {"at-vault", "at-group"}
    assert names("-g dev") == {"at-vault", "at-group"}
    assert names("-g dev --filter-string 'atScope()'") == {"at-group"}
    assert names(HSM) == {"at-group"}
    az("lock delete -g dev --name at-group")
    az(f"lock delete {VAULT} --name at-vault")


def test_a_locked_vault_is_deleted_after_it_is_unlocked(az):
    vault = az("keyvault create -g dev -l eastus --name lockedvault --retention-days 7")["id"]
    where = "--resource-type Microsoft.KeyVault/vaults --resource-name lockedvault -g dev"
    az(f"lock create {where} --name keep --lock-type CanNotDelete")
    refused = az.refuses("keyvault delete --name lockedvault")
    assert refused.code == "ScopeLocked"
    assert (
        f"The scope '{vault}' cannot perform delete operation because following scope(s) are locked: '{vault}'."
        " Please remove the lock and try again." in refused.text
    )
    az("keyvault key create --vault-name lockedvault --name used --kty EC")
    az(f"lock delete {where} --name keep")
    az("keyvault delete --name lockedvault")
    az("keyvault purge --name lockedvault")


def test_a_locked_hsm_is_not_deleted(az):
    hsm = az("keyvault show --hsm-name devhsm")["id"]
    az(f"lock create {HSM} --name keep --lock-type ReadOnly")
    refused = az.refuses("keyvault delete --hsm-name devhsm")
    assert refused.code == "ScopeLocked"
    assert f"The scope '{hsm}' cannot perform delete operation" in refused.text
    az("keyvault key create --hsm-name devhsm --name used-under-lock --kty EC-HSM")
    az(f"lock delete {HSM} --name keep")


def test_a_group_stays_while_a_vault_in_it_is_locked(az):
    az("group create --name kept --location eastus")
    vault = az("keyvault create -g kept -l eastus --name keptvault --retention-days 7")["id"]
    where = "--resource-type Microsoft.KeyVault/vaults --resource-name keptvault -g kept"
    az(f"lock create {where} --name keep --lock-type CanNotDelete")
    refused = az.refuses("group delete --name kept --yes")
    assert refused.code == "ScopeLocked"
    assert f"following scope(s) are locked: '{vault}'" in refused.text
    assert az("keyvault show --name keptvault")["id"] == vault
    az(f"lock delete {where} --name keep")
    az("group delete --name kept --yes")
    az("keyvault purge --name keptvault")


def test_nothing_changes_in_a_read_only_group(az, server):
    az("group create --name frozen --location eastus")
    vault = az("keyvault create -g frozen -l eastus --name frozenvault --retention-days 7")["id"]
    az("lock create -g frozen --name freeze --lock-type ReadOnly")
    who = f"--assignee-object-id {server['NOBODY_OBJECT_ID']} --assignee-principal-type ServicePrincipal"
    for refused in az.refuses_each(
        "keyvault update --name frozenvault --set tags.a=b",
        "keyvault create -g frozen -l eastus --name anothervault",
        "group update --name frozen --set tags.a=b",
        f"role assignment create --role Reader {who} --scope {vault}",
    ):
        assert refused.code == "ScopeLocked"
        assert "cannot perform write operation because following scope(s) are locked" in refused.text
    az("keyvault key create --vault-name frozenvault --name used --kty EC")
    az("lock delete -g frozen --name freeze")
    az("group delete --name frozen --yes")


def test_who_may_delete_a_vault_may_not_unlock_it(az, az_as):
    contributor = az_as("KEY_VAULT_CONTRIBUTOR_")
    refused = contributor.refuses(f"lock create {VAULT} --name mine --lock-type ReadOnly")
    assert refused.code == "AuthorizationFailed"
    made = az(f"lock create {VAULT} --name keep --lock-type CanNotDelete")
    assert contributor("lock list -g dev")[0]["id"] == made["id"]
    refused = contributor.refuses(f"lock delete {VAULT} --name keep")
    assert refused.code == "AuthorizationFailed"
    assert "'Microsoft.Authorization/locks/delete'" in refused.text
    assert contributor.refuses("keyvault delete --name devvault").code == "ScopeLocked"
    az(f"lock delete {VAULT} --name keep")
    gone = az.refuses(f"lock create --name x --lock-type CanNotDelete -g dev {VAULT.replace('devvault', 'nothing')}")
    assert gone.code == "ResourceNotFound"
