"""Who may do what, with the real az: local roles of a managed HSM, Azure's roles for a vault, and their assignments."""

import pytest

from harness import DIGEST, in_parallel

ROLES = {
    "Managed HSM Administrator": "a290e904-7015-4bba-90c8-60543313cdb4",
    "Managed HSM Crypto Officer": "515eb02d-2335-4d2d-92f2-b1cbdf9c3778",
    "Managed HSM Crypto User": "21dbd100-6940-42c2-9190-5d6cb909625b",
    "Managed HSM Policy Administrator": "4bd23610-cdcf-4971-bdee-bdc562cc28e4",
    "Managed HSM Crypto Auditor": "2c18b078-7c48-4d3a-af88-5a3a1b3f82b3",
    "Managed HSM Crypto Service Encryption User": "33413926-3206-4cdd-b39a-83574fe37a17",
    "Managed HSM Crypto Service Release User": "21dbd100-6940-42c2-9190-5d6cb909625c",
    "Managed HSM Backup User": "7b127d3c-77bd-4e3e-bbe0-dbb8971fa7f8",
}


@pytest.fixture(scope="module")
def nobody(az_as):
    return az_as("NOBODY_")


def test_who_deletes_in_an_hsm_need_not_be_able_to_purge(az_as):
    user, officer = in_parallel(az_as, ["MANAGED_HSM_CRYPTO_USER_", "MANAGED_HSM_CRYPTO_OFFICER_"])
    key = "--hsm-name devhsm --name parted"
    user(f"keyvault key create {key} --kty EC-HSM")
    user(f"keyvault key sign {key} --algorithm ES256 --digest {DIGEST}")
    user(f"keyvault key delete {key}")
    for call, action in (("purge", "delete"), ("recover", "recover/action"), ("show-deleted", "read/action")):
        refused = user.refuses(f"keyvault key {call} {key}")
        assert refused.code == "AccessDenied"
        assert f"Microsoft.KeyVault/managedHsm/keys/deletedKeys/{action}" in refused.text

    refused = officer.refuses(f"keyvault key create {key} --kty EC-HSM")
    assert refused.code == "AccessDenied"
    assert "Not authorized to access Microsoft.KeyVault/managedHsm/keys/create on '/keys/parted'" in refused.text
    officer(f"keyvault key recover {key}")
    user(f"keyvault key delete {key}")
    officer(f"keyvault key purge {key}")
    assert officer.refuses(f"keyvault key show-deleted {key}").code == "KeyNotFound"


def test_the_administrator_of_an_hsm_may_not_use_its_keys(az_as):
    administrator = az_as("MANAGED_HSM_ADMINISTRATOR_")
    refused = administrator.refuses("keyvault key list --hsm-name devhsm")
    assert refused.code == "AccessDenied"
    assert "Microsoft.KeyVault/managedHsm/keys/read/action" in refused.text
    administrator("keyvault role assignment list --hsm-name devhsm")


def test_a_reader_of_a_vault_creates_nothing(az, az_as, server):
    reader = az_as("KEY_VAULT_READER_")
    made = az("keyvault key create --vault-name devvault --name readable --kty EC")
    vault = az("keyvault show --name devvault")["id"].lower()
    app_id, object_id = server["KEY_VAULT_READER_APP_ID"], server["KEY_VAULT_READER_OBJECT_ID"]
    key = "--vault-name devvault --name readable"
    assert reader(f"keyvault key show {key}")["key"] == made["key"]
    for call, action in (
        ("create", "keys/create/action"),
        ("delete", "keys/delete"),
        (f"sign --algorithm ES256 --digest {DIGEST}", "keys/sign/action"),
    ):
        refused = reader.refuses(f"keyvault key {call} {key}")
        assert (refused.code, refused.inner) == ("Forbidden", "ForbiddenByRbac")
        lines = [line.strip() for line in refused.text.splitlines()]
        start = next(at for at, line in enumerate(lines) if "Caller is not authorized" in line)
        assert lines[start].endswith("Caller is not authorized to perform action on resource.")
        assert lines[start + 1 : start + 9] == [
            "If role assignments, deny assignments or role definitions were changed recently, please observe"
            " propagation time.",
            f"Caller: appid={app_id};oid={object_id};iss=https://sts.windows.net/{server['TENANT']}/",
            f"Action: 'Microsoft.KeyVault/vaults/{action}'",
            f"Resource: '{vault}/keys/readable'",
            "Assignment: (not found)",
            "DenyAssignmentId: null",
            "DecisionReason: 'DeniedWithNoValidRBAC'",
            "Vault: devvault;location=eastus",
        ]


def test_a_crypto_user_of_a_vault_neither_deletes_nor_purges(az, az_as):
    user = az_as("KEY_VAULT_CRYPTO_USER_")
    key = "--vault-name devvault --name used"
    az(f"keyvault key create {key} --kty EC")
    user(f"keyvault key sign {key} --algorithm ES256 --digest {DIGEST}")
    assert user.refuses(f"keyvault key delete {key}").inner == "ForbiddenByRbac"
    az(f"keyvault key delete {key}")
    for call in ("purge", "recover"):
        assert user.refuses(f"keyvault key {call} {key}").inner == "ForbiddenByRbac"


def test_a_contributor_deletes_a_vault_but_does_not_purge_it(az, az_as):
    contributor = az_as("KEY_VAULT_CONTRIBUTOR_")
    contributor("keyvault create -g dev -l eastus --name contributed --retention-days 7")
    contributor("keyvault delete --name contributed")
    refused = contributor.refuses("keyvault purge --name contributed --location eastus")
    assert refused.code == "AuthorizationFailed"
    assert "Microsoft.KeyVault/locations/deletedVaults/purge/action" in refused.text
    az("keyvault purge --name contributed --location eastus")


def test_a_contributor_of_hsms_recovers_one_and_does_not_use_its_keys(az, az_as, server):
    contributor = az_as("MANAGED_HSM_CONTRIBUTOR_")
    create = "keyvault create -g dev -l eastus --hsm-name contributed-hsm --retention-days 7"
    contributor(f"{create} --administrators {server['OBJECT_ID']}")
    az("keyvault key create --hsm-name contributed-hsm --name k --kty EC-HSM")
    contributor("keyvault delete --hsm-name contributed-hsm")
    deleted = contributor("keyvault list-deleted --resource-type hsm")
    assert "contributed-hsm" in {each["name"] for each in deleted}
    contributor("keyvault recover --hsm-name contributed-hsm --location eastus")
    for call, action in (
        ("key show --name k", "keys/read/action"),
        (f"key sign --name k --algorithm ES256 --digest {DIGEST}", "keys/sign/action"),
        ("key delete --name k", "keys/delete"),
    ):
        refused = contributor.refuses(f"keyvault {call} --hsm-name contributed-hsm")
        assert (refused.code, refused.inner) == ("AccessDenied", None)
        assert f"Not authorized to access Microsoft.KeyVault/managedHsm/{action} on '/keys/k' (Activity ID: " in (
            refused.text
        )
    assert contributor.refuses("keyvault role assignment list --hsm-name contributed-hsm").code == "AccessDenied"
    az("keyvault key show --hsm-name contributed-hsm --name k")
    contributor("keyvault delete --hsm-name contributed-hsm")
    contributor("keyvault purge --hsm-name contributed-hsm --location eastus")


# Local roles of a managed HSM


def test_role_definitions(az):
    listed = {each["roleName"]: each["name"] for each in az("keyvault role definition list --hsm-name devhsm")}
    assert ROLES.items() <= listed.items()
    shown = az(f"keyvault role definition show --hsm-name devhsm --name {ROLES['Managed HSM Crypto User']}")
    assert shown["roleType"] == "AKVBuiltInRole"
    assert "Microsoft.KeyVault/managedHsm/keys/create" in shown["permissions"][0]["dataActions"]


def test_a_role_given_and_taken(az, nobody, server):
    key = "--hsm-name devhsm --name granted"
    az(f"keyvault key create {key} --kty EC-HSM")
    assert nobody.refuses(f"keyvault key show {key}").code == "AccessDenied"

    who = f"--assignee-object-id {server['NOBODY_OBJECT_ID']} --assignee-principal-type ServicePrincipal"
    role = "--role 'Managed HSM Crypto Auditor' --scope /keys/granted"
    made = az(f"keyvault role assignment create --hsm-name devhsm {who} {role}")
    assert (made["scope"], made["roleName"]) == ("/keys/granted", "Managed HSM Crypto Auditor")
    assert made["id"] == f"/providers/Microsoft.Authorization/roleAssignments/{made['name']}"
    # At once.
    nobody(f"keyvault key show {key}")
    assert nobody.refuses("keyvault key list --hsm-name devhsm").code == "AccessDenied", "one key, and not the others"

    at_key, at_hsm = az.together(
        "keyvault role assignment list --hsm-name devhsm --scope /keys/granted",
        "keyvault role assignment list --hsm-name devhsm",
    )
    assert [each["name"] for each in at_key] == [made["name"]]
    assert made["name"] not in {each["name"] for each in at_hsm}

    az(f"keyvault role assignment delete --hsm-name devhsm --scope /keys/granted --name {made['name']}")
    assert nobody.refuses(f"keyvault key show {key}").code == "AccessDenied"


def test_assignments_of_an_application_are_found_by_its_id(az, server):
    """az asks Graph for the object that the application id means."""
    app_id = server["MANAGED_HSM_CRYPTO_USER_APP_ID"]
    listed = az(f"keyvault role assignment list --hsm-name devhsm --assignee {app_id}")
    assert [(each["roleName"], each["scope"]) for each in listed] == [("Managed HSM Crypto User", "/")]
    assert listed[0]["principalId"] == server["MANAGED_HSM_CRYPTO_USER_OBJECT_ID"]
    assert listed[0]["principalType"] == "ServicePrincipal"


def test_the_same_role_twice(az, server):
    create = f"keyvault role assignment create --hsm-name devhsm --assignee-object-id {server['NOBODY_OBJECT_ID']}"
    create += " --assignee-principal-type ServicePrincipal --role 'Managed HSM Backup User' --scope /"
    made = az(create)
    assert az.refuses(create).code == "RoleAssignmentExists"
    az(f"keyvault role assignment delete --hsm-name devhsm --ids {made['id']}")


# Azure's roles


def test_a_role_on_a_vault_given_and_taken(az, nobody, server):
    vault = az("keyvault show --name devvault")["id"]
    key = "--vault-name devvault --name for-nobody"
    az(f"keyvault key create {key} --kty EC")
    assert nobody.refuses(f"keyvault key show {key}").inner == "ForbiddenByRbac"
    who = f"--assignee-object-id {server['NOBODY_OBJECT_ID']} --assignee-principal-type ServicePrincipal"
    made = az(f"role assignment create --role 'Key Vault Crypto User' {who} --scope {vault}")
    assert made["scope"] == vault
    nobody(f"keyvault key show {key}")
    listed = az(f"role assignment list --scope {vault} --assignee {server['NOBODY_OBJECT_ID']}")
    assert [each["roleDefinitionName"] for each in listed] == ["Key Vault Crypto User"]
    az(f"role assignment delete --ids {made['id']}")
    assert nobody.refuses(f"keyvault key show {key}").inner == "ForbiddenByRbac"


def test_a_role_on_one_key_of_a_vault(az, nobody, server):
    vault = az("keyvault show --name devvault")["id"]
    mine, other = (f"--vault-name devvault --name {name}" for name in ("mine", "other"))
    az.together(f"keyvault key create {mine} --kty EC", f"keyvault key create {other} --kty EC")
    az(
        f"role assignment create --role 'Key Vault Crypto Officer' --scope {vault}/keys/mine"
        f" --assignee-object-id {server['NOBODY_OBJECT_ID']} --assignee-principal-type ServicePrincipal"
    )
    nobody(f"keyvault key delete {mine}")
    assert nobody.refuses(f"keyvault key delete {other}").inner == "ForbiddenByRbac"


def test_role_definitions_of_azure(az):
    definition = az("role definition list --name 'Key Vault Crypto User'")[0]
    assert definition["name"] == "12338af0-0e69-4776-bea7-57ae8d297424"
    assert definition["roleType"] == "BuiltInRole"


# Access policies


def test_access_policies(az, nobody, server):
    az("keyvault create -g dev -l eastus --name policied --enable-rbac-authorization false --retention-days 7")
    key = "--vault-name policied --name k"
    az(f"keyvault key create {key} --kty EC")
    refused = nobody.refuses(f"keyvault key show {key}")
    assert (refused.code, refused.inner) == ("Forbidden", "AccessDenied")
    assert "does not have keys get permission on key vault 'policied;location=eastus'" in refused.text
    az(f"keyvault set-policy --name policied --object-id {server['NOBODY_OBJECT_ID']} --key-permissions get list")
    nobody(f"keyvault key show {key}")
    assert "keys delete permission" in nobody.refuses(f"keyvault key delete {key}").text
    az(f"keyvault delete-policy --name policied --object-id {server['NOBODY_OBJECT_ID']}")
    assert nobody.refuses(f"keyvault key show {key}").inner == "AccessDenied"
