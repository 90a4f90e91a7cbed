"""Roles of one's own, with real clients: az and the Python SDK in a managed HSM, az for vaults."""

import json
import uuid

import pytest
from azure.core.exceptions import HttpResponseError
from azure.keyvault.administration import (
    KeyVaultAccessControlClient,
    KeyVaultDataAction,
    KeyVaultPermission,
    KeyVaultRoleScope,
)
from azure.keyvault.keys import KeyClient
from azure.keyvault.keys.crypto import CryptographyClient, SignatureAlgorithm

from harness import DIGEST
from sdk import credential_of, refused

HSM_ACTIONS = "Microsoft.KeyVault/managedHsm"
VAULT_ACTIONS = "Microsoft.KeyVault/vaults"
BUILT_IN = "21dbd100-6940-42c2-9190-5d6cb909625b"
RESERVED = "Cannot re-use the name/GUID matching that of a built-in role. Please use a unique role ID. (Activity ID: "


@pytest.fixture(scope="module")
def nobody(az_as):
    return az_as("NOBODY_")


@pytest.fixture(scope="module")
def who(server):
    return f"--assignee-object-id {server['NOBODY_OBJECT_ID']} --assignee-principal-type ServicePrincipal"


@pytest.fixture
def role_file(tmp_path):
    """Writes a definition where az can read it."""

    def write(**members):
        file = tmp_path / f"{uuid.uuid4()}.json"
        file.write_text(json.dumps(members))
        return f"--role-definition {file}"

    return write


# A managed HSM, by az


def test_a_local_definition_by_az(az, nobody, who, role_file):
    hsm, key = "--hsm-name devhsm", "--hsm-name devhsm --name lent"
    az(f"keyvault key create {key} --kty EC-HSM")
    signs = role_file(roleName="Signer", description="signs", dataActions=[f"{HSM_ACTIONS}/keys/sign/action"])
    made = az(f"keyvault role definition create {hsm} {signs}")
    assert (made["roleName"], made["description"], made["roleType"]) == ("Signer", "signs", "CustomRole")
    assert made["assignableScopes"] == ["/"]
    assert made["permissions"][0]["dataActions"] == [f"{HSM_ACTIONS}/keys/sign/action"]
    assert az(f"keyvault role definition show {hsm} --name {made['name']}") == made
    assert az(f"keyvault role definition list {hsm} --custom-role-only true") == [made]

    # Exactly what it says, from its assignment on.
    sign = f"keyvault key sign {key} --algorithm ES256 --digest {DIGEST}"
    assert nobody.refuses(sign).code == "AccessDenied"
    given = az(f"keyvault role assignment create {hsm} {who} --role Signer --scope /keys/lent")
    assert (given["roleName"], given["scope"]) == ("Signer", "/keys/lent")
    nobody(sign)
    others = ("show", "delete", "backup --file lent.bak", "rotate")
    for answer in nobody.refuses_each(*(f"keyvault key {call} {key}" for call in others)):
        assert answer.code == "AccessDenied"

    # Changed: at once, in both directions.
    shows = role_file(
        name=made["name"],
        roleName="Shower",
        description="shows",
        dataActions=[f"{HSM_ACTIONS}/keys/sign/action", f"{HSM_ACTIONS}/keys/read/action"],
        notDataActions=[f"{HSM_ACTIONS}/keys/sign/action"],
    )
    changed = az(f"keyvault role definition update {hsm} {shows}")
    assert (changed["id"], changed["roleName"]) == (made["id"], "Shower")
    nobody(f"keyvault key show {key}")
    assert nobody.refuses(sign).code == "AccessDenied"
    listed = az(f"keyvault role assignment list {hsm} --scope /keys/lent")
    assert [(each["name"], each["roleName"]) for each in listed] == [(given["name"], "Shower")]

    # Without its definition the assignment is there, and inert.
    az(f"keyvault role definition delete {hsm} --name {made['name']}")
    assert nobody.refuses(f"keyvault key show {key}").code == "AccessDenied"
    left = az(f"keyvault role assignment list {hsm} --scope /keys/lent")
    assert [(each["name"], each["roleName"]) for each in left] == [(given["name"], None)]
    az(f"keyvault role assignment delete {hsm} --scope /keys/lent --name {given['name']}")
    assert az(f"keyvault role assignment list {hsm} --scope /keys/lent") == []
    assert az.refuses(f"keyvault role definition show {hsm} --name {made['name']}").code == "RoleDefinitionNotFound"


def test_what_is_no_local_definition_by_az(az, az_as, role_file):
    hsm = "--hsm-name devhsm"
    signs = [f"{HSM_ACTIONS}/keys/sign/action"]
    create, update = f"keyvault role definition create {hsm}", f"keyvault role definition update {hsm}"
    over = role_file(name=BUILT_IN, roleName="Mine", description="", dataActions=signs)
    word = role_file(name="mine", roleName="Mine", description="", dataActions=signs)
    flies = role_file(roleName="Flyer", description="", dataActions=[f"{HSM_ACTIONS}/keys/fly/action"])
    built_in, no_guid, unknown, delete = az.refuses_each(
        f"{update} {over}",
        f"{update} {word}",
        f"{create} {flies}",
        f"keyvault role definition delete {hsm} --name {BUILT_IN}",
    )
    assert {each.code for each in (built_in, no_guid, unknown, delete)} == {"BadParameter"}
    assert RESERVED in built_in.text
    assert "Role definition name must be a GUID (Activity ID: " in no_guid.text
    assert f"'{HSM_ACTIONS}/keys/fly/action' is not an action" in unknown.text
    auditor = az_as("MANAGED_HSM_CRYPTO_AUDITOR_")
    denied = auditor.refuses(f"{create} {role_file(roleName='Mine', description='', dataActions=signs)}")
    assert denied.code == "AccessDenied"
    assert f"Not authorized to access {HSM_ACTIONS}/roleDefinitions/write/action on '/'" in denied.text


# A managed HSM, by the Python SDK


@pytest.fixture(scope="module")
def access(server, credential):
    with KeyVaultAccessControlClient(server.hsm_url(), credential) as client:
        yield client


def test_local_definitions_by_the_python_sdk(server, access, hsm):
    key = hsm.create_ec_key("python-lent", hardware_protected=True)
    scope = KeyVaultRoleScope.GLOBAL
    permission = KeyVaultPermission(data_actions=[KeyVaultDataAction.SIGN_HSM_KEY])
    made = access.set_role_definition(scope, permissions=[permission], role_name="Python signer", description="d")
    assert (made.role_name, made.role_type, made.assignable_scopes) == ("Python signer", "CustomRole", ["/"])
    assert access.get_role_definition(scope, made.name).id == made.id
    assert made.id in {each.id for each in access.list_role_definitions(scope)}
    again = access.set_role_definition(scope, name=made.name, role_name="Renamed", permissions=[permission])
    assert (again.id, again.role_name) == (made.id, "Renamed")

    principal = server["NOBODY_OBJECT_ID"]
    given = access.create_role_assignment(f"/keys/{key.name}", made.id, principal)
    assert (given.properties.role_definition_id, given.properties.principal_id) == (made.id, principal)
    assert access.get_role_assignment(f"/keys/{key.name}", given.name).name == given.name
    assert [each.name for each in access.list_role_assignments(f"/keys/{key.name}")] == [given.name]
    theirs = credential_of(server, "NOBODY_")
    signer = CryptographyClient(key.id, theirs)
    assert len(signer.sign(SignatureAlgorithm.es256, bytes(32)).signature) == 64
    with KeyClient(server.hsm_url(), theirs) as keys:
        for call in (
            lambda: keys.get_key(key.name),
            lambda: keys.begin_delete_key(key.name),
            lambda: keys.create_ec_key("another"),
        ):
            refused(call, 403, "AccessDenied")

    access.delete_role_assignment(f"/keys/{key.name}", given.name)
    assert list(access.list_role_assignments(f"/keys/{key.name}")) == []
    refused(lambda: signer.sign(SignatureAlgorithm.es256, bytes(32)), 403, "AccessDenied")
    access.delete_role_definition(scope, made.name)
    assert made.id not in {each.id for each in access.list_role_definitions(scope)}
    refused(lambda: access.get_role_definition(scope, made.name), 404, "RoleDefinitionNotFound")


def test_what_is_no_local_definition_by_the_python_sdk(access):
    scope = KeyVaultRoleScope.GLOBAL
    error = refused(lambda: access.set_role_definition(scope, name=BUILT_IN), 400, "BadParameter")
    assert error.error.message.startswith(RESERVED)
    error = refused(lambda: access.set_role_definition(scope, name="mine"), 400, "BadParameter")
    assert error.error.message.startswith("Role definition name must be a GUID (Activity ID: ")
    refused(lambda: access.set_role_definition("/keys/k"), 400, "BadParameter")
    refused(lambda: access.create_role_assignment("/", str(uuid.uuid4()), str(uuid.uuid4())), 404, "RoleDefinitionNotFound")
    # The SDK takes what is not there for deleted.
    access.delete_role_assignment("/", str(uuid.uuid4()))
    access.delete_role_definition(scope, str(uuid.uuid4()))


def test_an_hsm_has_fifty_custom_definitions(access):
    scope = KeyVaultRoleScope.GLOBAL
    before = sum(each.role_type == "CustomRole" for each in access.list_role_definitions(scope))
    made = [access.set_role_definition(scope, role_name=f"n{number}") for number in range(50 - before)]
    with pytest.raises(HttpResponseError) as raised:
        access.set_role_definition(scope, role_name="one more")
    assert (raised.value.status_code, raised.value.error.code) == (400, "BadParameter")
    for each in made:
        access.delete_role_definition(scope, each.name)


# A vault, by az


def test_a_definition_of_azure_by_az(az, nobody, who, role_file):
    vault = az("keyvault show --name devvault")["id"]
    key = "--vault-name devvault --name lent"
    az(f"keyvault key create {key} --kty EC")
    action = f"{VAULT_ACTIONS}/keys/sign/action"
    signs = dict(Name="Vault signer", Description="signs", DataActions=[action], AssignableScopes=[vault])
    made = az(f"role definition create {role_file(**signs)}")
    assert (made["roleName"], made["roleType"], made["assignableScopes"]) == ("Vault signer", "CustomRole", [vault])
    custom = az(f"role definition list --scope {vault} --custom-role-only true")
    assert [each["id"] for each in custom] == [made["id"]]
    assert az(f"role definition list --scope {vault} --name 'Vault signer'")[0]["name"] == made["name"]
    assert az(f"role definition show --scope {vault} --name {made['name']}")["roleName"] == "Vault signer"

    sign = f"keyvault key sign {key} --algorithm ES256 --digest {DIGEST}"
    assert nobody.refuses(sign).inner == "ForbiddenByRbac"
    given = az(f"role assignment create --role 'Vault signer' {who} --scope {vault}")
    nobody(sign)
    for answer in nobody.refuses_each(*(f"keyvault key {call} {key}" for call in ("show", "delete", "rotate"))):
        assert (answer.code, answer.inner) == ("Forbidden", "ForbiddenByRbac")
    listed = az(f"role assignment list --scope {vault} --role 'Vault signer'")
    assert [each["roleDefinitionName"] for each in listed] == ["Vault signer"]

    assert az.refuses(f"role definition delete --scope {vault} --name 'Vault signer'").code == (
        "RoleDefinitionHasAssignments"
    )
    shows = {**signs, "DataActions": [f"{VAULT_ACTIONS}/keys/read"]}
    changed = az(f"role definition update {role_file(**shows)}")
    assert changed["id"] == made["id"]
    nobody(f"keyvault key show {key}")
    assert nobody.refuses(sign).inner == "ForbiddenByRbac"
    az(f"role assignment delete --ids {given['id']}")
    assert nobody.refuses(f"keyvault key show {key}").inner == "ForbiddenByRbac"
    az(f"role definition delete --scope {vault} --name 'Vault signer'")
    assert az(f"role definition list --scope {vault} --custom-role-only true") == []


def test_what_is_no_definition_of_azure_by_az(az, nobody, who, role_file):
    vault = az("keyvault show --name devvault")["id"]
    group = vault.split("/providers/")[0]
    first = dict(Name="First", Description="", Actions=["*/read"], AssignableScopes=[vault])
    az(f"role definition create {role_file(**first)}")
    made = az(f"role definition list --scope {vault} --name First")[0]
    taken, reader, nobodys, outside = (
        az.refuses(f"role definition create {role_file(**first)}"),
        az.refuses(f"role definition create {role_file(**{**first, 'Name': 'Reader'})}"),
        nobody.refuses(f"role definition create {role_file(**{**first, 'Name': 'Second'})}"),
        az.refuses(f"role assignment create --role {made['id']} {who} --scope {group}"),
    )
    assert (taken.code, reader.code) == ("RoleDefinitionWithSameNameExists",) * 2
    assert nobodys.code == "AuthorizationFailed"
    assert f"action 'Microsoft.Authorization/roleDefinitions/write' over scope '{vault}'" in nobodys.text
    assert outside.code == "RoleDefinitionDoesNotExist"
    az(f"role definition delete --scope {vault} --name First")


# Access policies and network rules, by az


def test_a_policy_without_purge_is_refused_the_purge(az, nobody, server):
    made = "keyvault create -g dev -l eastus --name unpurged --enable-rbac-authorization false --retention-days 7"
    vault = az(f"{made} --no-self-perms true")
    assert vault["properties"]["accessPolicies"] == []
    words = "create get list delete recover backup restore update import sign"
    held = az(f"keyvault set-policy --name unpurged --object-id {server['NOBODY_OBJECT_ID']} --key-permissions {words}")
    assert sorted(held["properties"]["accessPolicies"][0]["permissions"]["keys"]) == sorted(words.split())
    key = "--vault-name unpurged --name k"
    nobody(f"keyvault key create {key} --kty EC")
    nobody(f"keyvault key delete {key}")
    refused_purge = nobody.refuses(f"keyvault key purge {key}")
    assert (refused_purge.code, refused_purge.inner) == ("Forbidden", "AccessDenied")
    app_id, object_id = server["NOBODY_APP_ID"], server["NOBODY_OBJECT_ID"]
    assert (
        f"The user, group or application 'appid={app_id};oid={object_id};iss=https://sts.windows.net/{server['TENANT']}/'"
        " does not have keys purge permission on key vault 'unpurged;location=eastus'. For help resolving this issue,"
        " please see https://go.microsoft.com/fwlink/?linkid=2125287"
    ) in refused_purge.text
    nobody(f"keyvault key recover {key}")
    nobody(f"keyvault key delete {key}")
    az(f"keyvault set-policy --name unpurged --object-id {object_id} --key-permissions {words} purge")
    nobody(f"keyvault key purge {key}")
    gone = az(f"keyvault delete-policy --name unpurged --object-id {object_id}")
    assert gone["properties"]["accessPolicies"] == []
    assert nobody.refuses("keyvault key list --vault-name unpurged").inner == "AccessDenied"


@pytest.mark.parametrize("option", ["--name devvault", "--hsm-name devhsm"])
def test_network_rules_come_and_go(az, option):
    az(f"keyvault network-rule add {option} --ip-address 203.0.113.7/32 198.51.100.0/24")
    listed = az(f"keyvault network-rule list {option}")
    assert [rule["value"] for rule in listed["ipRules"]] == ["203.0.113.7/32", "198.51.100.0/24"]
    az(f"keyvault network-rule remove {option} --ip-address 203.0.113.7/32")
    assert [rule["value"] for rule in az(f"keyvault network-rule list {option}")["ipRules"]] == ["198.51.100.0/24"]
    az(f"keyvault network-rule remove {option} --ip-address 198.51.100.0/24")
    assert not az(f"keyvault network-rule list {option}")["ipRules"]
