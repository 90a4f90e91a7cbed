"""The directory with the real az: users, groups, applications, and what a change of them does at once."""

import json
import shlex
import uuid

import pytest
import requests

from harness import DIGEST, Az, own_client

# An application signs in here, never a user.
SIGNED_IN_USER = "/me request is only valid with delegated authentication flow."


@pytest.fixture(scope="module")
def signers(az, server):
    """A group that may sign with keys of the vault and of the managed HSM, and the keys to do it with."""
    group = az("ad group create --display-name Signers --mail-nickname signers --description 'who signs'")
    vault = az("keyvault show --name devvault")["id"]
    who = f"--assignee-object-id {group['id']} --assignee-principal-type Group"
    made = az(f"role assignment create --role 'Key Vault Crypto User' {who} --scope {vault}")
    assert made["principalType"] == "Group"
    az(f"keyvault role assignment create --hsm-name devhsm {who} --role 'Managed HSM Crypto User' --scope /")
    az.together(
        "keyvault key create --vault-name devvault --name directory --kty EC",
        "keyvault key create --hsm-name devhsm --name directory --kty EC-HSM",
    )
    return group


class Person:
    """What Az needs to sign in as somebody whom az itself has made."""

    def __init__(self, server, made):
        self.server = server
        self.facts = {"TENANT": made["tenant"], "APP_ID": made["appId"], "APP_SECRET": made["password"]}

    def __getitem__(self, fact):
        return self.facts[fact]

    def az_environment(self, folder):
        return self.server.az_environment(folder)


def sign(container):
    return f"keyvault key sign {container} --name directory --algorithm ES256 --digest {DIGEST}"


VAULT, HSM = sign("--vault-name devvault"), sign("--hsm-name devhsm")


def test_a_member_signs_until_it_is_taken_out(az, server, signers, folder):
    made = az("ad sp create-for-rbac --name member")
    assert made["displayName"] == "member"
    principal = az(f"ad sp show --id {made['appId']}")
    member = Az(Person(server, made), folder / "az-member")
    assert [each.code for each in member.refuses_each(VAULT, HSM)] == ["Forbidden", "AccessDenied"]

    az(f"ad group member add --group Signers --member-id {principal['id']}")
    assert az(f"ad group member check --group Signers --member-id {principal['id']}") == {"value": True}
    assert [each["id"] for each in az("ad group member list --group Signers")] == [principal["id"]]
    assert all(each["signature"] for each in member.together(VAULT, HSM))
    # The same tokens, and nothing waits for them to end.
    az(f"ad group member remove --group Signers --member-id {principal['id']}")
    assert az(f"ad group member check --group Signers --member-id {principal['id']}") == {"value": False}
    assert [each.code for each in member.refuses_each(VAULT, HSM)] == ["Forbidden", "AccessDenied"]


def test_who_is_disabled_or_deleted_gets_no_further(az, server, signers, folder):
    made = az("ad sp create-for-rbac --name leaver")
    principal = az(f"ad sp show --id {made['appId']}")["id"]
    az(f"ad group member add --group Signers --member-id {principal}")
    leaver = Az(Person(server, made), folder / "az-leaver")
    leaver.together(VAULT, HSM)
    az(f"ad sp update --id {principal} --set accountEnabled=false")
    assert az(f"ad sp show --id {principal}")["accountEnabled"] is False
    # az acts on the challenge by asking for a new token, and is told why there is none.
    for refused in leaver.refuses_each(VAULT, HSM):
        assert "AADSTS7000112" in refused.text, refused.text
    az(f"ad sp update --id {principal} --set accountEnabled=true")
    leaver.together(VAULT, HSM)
    az(f"ad sp delete --id {principal}")
    for refused in leaver.refuses_each(VAULT, HSM):
        assert "AADSTS7000229" in refused.text, refused.text
    assert az.refuses(f"ad sp show --id {principal}").exit_code == 3
    az(f"ad app delete --id {made['appId']}")
    # For a minute az repeats what it was told about the same token, if the file with that was written last.
    for cache in leaver.folder.rglob("msal_http_cache.bin"):
        cache.unlink()
    assert "AADSTS700016" in leaver.refuses(VAULT).text


def test_groups(az, signers):
    assert az("ad group show --group Signers") == {
        **az(f"ad group show --group {signers['id']}"),
        "description": "who signs",
    }
    # az finds the group it has made before.
    again = az("ad group create --display-name Signers --mail-nickname signers")
    assert again["id"] == signers["id"]
    other = az("ad group create --display-name Auditors --mail-nickname auditors")
    listed, filtered = az.together("ad group list", "ad group list --display-name Aud")
    assert {signers["id"], other["id"]} <= {each["id"] for each in listed}
    assert [each["id"] for each in filtered] == [other["id"]]
    assert "Auditors" in az.text("ad group list --output table")

    az(f"ad group member add --group Signers --member-id {other['id']}")
    assert az(f"ad group get-member-groups --group {other['id']}") == [signers["id"]]
    twice = az.refuses(f"ad group member add --group Signers --member-id {other['id']}")
    assert "One or more added object references already exist" in twice.text
    assert "member of itself" in az.refuses(f"ad group member add --group Auditors --member-id {signers['id']}").text
    assert az(f"ad group owner list --group {other['id']}") == []
    az("ad group delete --group Auditors")
    assert az.refuses("ad group show --group Auditors").exit_code != 0
    assert az("ad group member list --group Signers") == []


def test_users(az):
    user = az(
        "ad user create --display-name 'Ada Lovelace' --user-principal-name ada@contoso.example"
        " --password pw-that-is-not-kept --mail-nickname ada"
    )
    assert user["userPrincipalName"] == "ada@contoso.example"
    shown, listed, found = az.together(
        "ad user show --id ada@contoso.example",
        "ad user list --display-name Ada",
        "ad user list --upn ada@contoso.example",
    )
    assert shown["id"] == user["id"] == listed[0]["id"] == found[0]["id"]
    az("ad user update --id ada@contoso.example --display-name 'Ada L.' --account-enabled false")
    shown = az(f"ad user show --id {user['id']}")
    assert (shown["displayName"], shown["accountEnabled"]) == ("Ada L.", False)
    az("ad group create --display-name Mathematicians --mail-nickname maths")
    az(f"ad group member add --group Mathematicians --member-id {user['id']}")
    groups = az("ad user get-member-groups --id ada@contoso.example")
    assert [each["displayName"] for each in groups] == ["Mathematicians"]
    twice = az.refuses(
        "ad user create --display-name Another --user-principal-name ADA@contoso.example --password pw"
    )
    assert "userPrincipalName already exists" in twice.text
    az("ad user delete --id ada@contoso.example")
    assert az.refuses(f"ad user show --id {user['id']}").exit_code == 3
    assert az("ad group member list --group Mathematicians") == []
    assert SIGNED_IN_USER in az.refuses("ad signed-in-user show").text


def test_applications_and_their_secrets(az, server, folder):
    application = az("ad app create --display-name robot")
    assert az("ad app create --display-name robot")["id"] == application["id"], "az finds it again"
    app_id = application["appId"]
    assert az(f"ad sp list --spn {app_id}") == []
    reset = az(f"ad app credential reset --id {app_id}")
    assert "AADSTS7000229" in login(server, folder, reset), "it is nobody yet"
    principal = az(f"ad sp create --id {app_id}")
    assert principal["id"] != application["id"]
    assert "already in use" in az.refuses(f"ad sp create --id {app_id}").text
    assert "does not reference" in az.refuses("ad sp create --id 00000000-0000-0000-0000-0000000000ff").text
    assert login(server, folder, reset) is None

    more = az(f"ad sp credential reset --id {app_id} --append --display-name second --years 2")
    listed, same = az.together(f"ad sp credential list --id {app_id}", f"ad app credential list --id {app_id}")
    assert listed == same and {each["displayName"] for each in listed} == {None, "second"}
    assert not any(each["secretText"] for each in listed)
    assert login(server, folder, more) is None
    second = next(each["keyId"] for each in listed if each["displayName"] == "second")
    az(f"ad sp credential delete --id {app_id} --key-id {second}")
    assert "AADSTS7000215" in login(server, folder, more)
    assert login(server, folder, reset) is None
    only = az(f"ad sp credential reset --id {app_id}")
    assert "AADSTS7000215" in login(server, folder, reset), "the others are gone"
    assert login(server, folder, only) is None

    apps, principals = az.together("ad app list --display-name robot", "ad sp list --display-name robot")
    assert [each["id"] for each in apps] == [application["id"]]
    assert [each["id"] for each in principals] == [principal["id"]]
    az(f"ad sp delete --id {app_id}")
    assert az(f"ad app show --id {app_id}")["id"] == application["id"]
    az(f"ad app delete --id {application['id']}")
    assert az.refuses(f"ad app show --id {application['id']}").exit_code == 3


def login(server, folder, made):
    """Signs in with a secret that az was told; the refusal, if there is one."""
    # In a folder of its own: MSAL remembers for a minute that the same request was refused.
    attempts = len(list(folder.glob("az-robot-*")))
    try:
        Az(Person(server, made), folder / f"az-robot-{attempts}")
    except AssertionError as refused:
        return str(refused)
    return None


def test_what_is_not_kept_is_refused(az):
    refused = az.refuses("ad app create --display-name web --identifier-uris api://web")
    assert "Not supported yet: 'identifierUris'" in refused.text
    assert az("ad app list --display-name web") == []
    refused = az.refuses("ad sp create-for-rbac --name certified --create-cert")
    assert "Not supported yet: 'keyCredentials'" in refused.text


def test_service_principals_are_made_with_their_roles(az, server, folder):
    """One command, as tutorials have it."""
    scope = f"/subscriptions/{server['SUBSCRIPTION']}/resourceGroups/dev"
    made = az(f"ad sp create-for-rbac --name reading-robot --role Reader --scopes {scope}")
    reader = Az(Person(server, made), folder / "az-reading")
    assert "devvault" in {each["name"] for each in reader("keyvault list")}
    assigned = az(f"role assignment list --assignee {made['appId']} --scope {scope}")
    assert [(each["roleDefinitionName"], each["principalName"]) for each in assigned] == [("Reader", made["appId"])]
    # Whoever reads all resources does not change who there is.
    refused = reader.refuses("ad group create --display-name Mine --mail-nickname mine")
    assert "Insufficient privileges to complete the operation" in refused.text
    assert len(reader("ad sp list --all")) == len(az("ad sp list --all"))
    # az makes it anew under the same name: the application is the same, its old secret is not.
    again = az("ad sp create-for-rbac --name reading-robot")
    assert again["appId"] == made["appId"] and again["password"] != made["password"]


def test_assignments_of_groups(az, server, signers):
    vault = az("keyvault show --name devvault")["id"]
    made = az(f"role assignment create --role Reader --assignee {signers['id']} --scope {vault}")
    assert made["principalType"] == "Group"
    listed = az(f"role assignment list --assignee {signers['id']} --scope {vault}")
    assert {(each["roleDefinitionName"], each["principalName"]) for each in listed} == {
        ("Key Vault Crypto User", "Signers"),
        ("Reader", "Signers"),
    }
    member = server["NOBODY_OBJECT_ID"]
    az(f"ad group member add --group Signers --member-id {member}")
    through = az(f"role assignment list --assignee {member} --scope {vault} --include-groups")
    assert {each["principalId"] for each in through} == {signers["id"]}
    assert az(f"role assignment list --assignee {member} --scope {vault}") == []
    hsm = az("keyvault role assignment list --hsm-name devhsm")
    assert [each["principalName"] for each in hsm if each["principalId"] == signers["id"]] == ["Signers"]
    az(f"ad group member remove --group Signers --member-id {member}")
    az(f"role assignment delete --ids {made['id']}")


GRAPH = "https://graph.microsoft.com/v1.0"
GROUPS_ADMINISTRATOR = "fdd7a751-b60b-444a-984c-02652fe8fa1c"
ASSIGNMENTS = f"{GRAPH}/roleManagement/directory/roleAssignments"


def rest(method, url, body=None):
    said = f" --body '{json.dumps(body)}'" if body else ""
    return f"rest --method {method} --url {shlex.quote(url)}{said}"


def test_owners_do_not_change_the_directory_and_directory_roles_do(az, az_as, server):
    """az has no commands for directory roles; its documents use `az rest`."""
    create = "ad group create --display-name Mine --mail-nickname mine"
    for role in ("OWNER_", "USER_ACCESS_ADMINISTRATOR_"):
        refused = az_as(role).refuses(create)
        assert "Insufficient privileges to complete the operation" in refused.text
        itself = {
            "roleDefinitionId": "62e90394-69f5-4237-9190-012177145e10",
            "principalId": server[f"{role}OBJECT_ID"],
            "directoryScopeId": "/",
        }
        assert az_as(role).refuses(rest("post", ASSIGNMENTS, itself)).code == "Authorization_RequestDenied"
    mine = az_as("GROUPS_ADMINISTRATOR_")(create)
    refused = az_as("GROUPS_ADMINISTRATOR_").refuses("ad app create --display-name not-mine")
    assert "Insufficient privileges to complete the operation" in refused.text
    az_as("APPLICATION_ADMINISTRATOR_")("ad app create --display-name mine")
    az_as("USER_ADMINISTRATOR_")(f"ad group member add --group Mine --member-id {server['NOBODY_OBJECT_ID']}")
    az_as("GLOBAL_ADMINISTRATOR_")(f"ad group delete --group {mine['id']}")


def test_a_directory_role_is_given_and_taken(az, az_as, server):
    roles = az(rest("get", f"{GRAPH}/directoryRoles"))["value"]
    assert "Global Administrator" in {each["displayName"] for each in roles}
    nobody = az_as("NOBODY_")
    create = "ad group create --display-name Temporary --mail-nickname temporary"
    assert "Insufficient privileges" in nobody.refuses(create).text
    grant = {
        "@odata.type": "#microsoft.graph.unifiedRoleAssignment",
        "roleDefinitionId": GROUPS_ADMINISTRATOR,
        "principalId": server["NOBODY_OBJECT_ID"],
        "directoryScopeId": "/",
    }
    made = az(rest("post", ASSIGNMENTS, grant))
    assert made["principalId"] == server["NOBODY_OBJECT_ID"]
    listed = az(rest("get", f"{ASSIGNMENTS}?$filter=principalId eq '{server['NOBODY_OBJECT_ID']}'"))["value"]
    assert [each["id"] for each in listed] == [made["id"]]
    members = az(rest("get", f"{GRAPH}/directoryRoles/{GROUPS_ADMINISTRATOR}/members"))["value"]
    assert server["NOBODY_OBJECT_ID"] in {each["id"] for each in members}
    nobody(create)
    assert az.refuses(rest("post", ASSIGNMENTS, grant)).code == "Request_BadRequest"
    az(rest("delete", f"{ASSIGNMENTS}/{made['id']}"))
    assert "Insufficient privileges" in nobody.refuses("ad group delete --group Temporary").text
    az("ad group delete --group Temporary")


def test_the_last_global_administrator_stays(az, server):
    held = az(rest("get", f"{ASSIGNMENTS}?$filter=roleDefinitionId eq '62e90394-69f5-4237-9190-012177145e10'"))["value"]
    assert {each["principalId"] for each in held} == {server["OBJECT_ID"], server["GLOBAL_ADMINISTRATOR_OBJECT_ID"]}
    az(f"ad sp update --id {server['GLOBAL_ADMINISTRATOR_OBJECT_ID']} --set accountEnabled=false")
    own = next(each["id"] for each in held if each["principalId"] == server["OBJECT_ID"])
    said = "Nobody would be left who administers the directory"
    assert said in az.refuses(rest("delete", f"{ASSIGNMENTS}/{own}")).text
    assert said in az.refuses(f"ad sp delete --id {server['OBJECT_ID']}").text
    az(f"ad sp update --id {server['GLOBAL_ADMINISTRATOR_OBJECT_ID']} --set accountEnabled=true")


# The binary's own client


@pytest.fixture(scope="module")
def strongroom(server, folder):
    return own_client(server, folder / "own")


def test_the_own_client_makes_a_group_and_a_member_that_signs(strongroom, server, folder):
    key = "--vault-name devvault --name by-robot"
    strongroom(f"key create {key} --kty EC")
    signing = f"key sign {key} --algorithm ES256 --digest {DIGEST}"
    group = strongroom("identity group create --display-name Robots --description 'who signs'")
    made = strongroom("identity sp create --display-name robot-1")
    secret = strongroom(f"identity sp secret add --id {made['appId']} --display-name first")
    assert secret["appId"] == made["appId"] and secret["secretText"].startswith("sr~")
    credentials = {"STRONGROOM_CLIENT_ID": made["appId"], "STRONGROOM_CLIENT_SECRET": secret["secretText"]}
    robot = own_client(server, folder / "robot", **credentials)
    vault = strongroom("show --name devvault")["id"]
    grant(server, vault, group["id"])

    assert robot.refuses(signing).inner == "ForbiddenByRbac"
    strongroom(f"identity group member add --group Robots --member-id {made['id']}")
    assert robot(signing)["signature"]
    members = strongroom(f"identity group member list --group {group['id']}")
    assert [(each["id"], each["@odata.type"]) for each in members] == [(made["id"], "#microsoft.graph.servicePrincipal")]
    strongroom(f"identity group member remove --group Robots --member-id {made['id']}")
    assert robot.refuses(signing).inner == "ForbiddenByRbac"

    assert strongroom(f"identity sp update --id {made['appId']} --enabled false")["accountEnabled"] is False
    assert "AADSTS7000112" in robot.refuses(signing).text
    strongroom(f"identity sp update --id {made['id']} --enabled true")
    assert robot.refuses(signing).inner == "ForbiddenByRbac"
    listed = strongroom(f"identity sp secret list --id {made['appId']}")
    assert [(each["keyId"], each["secretText"]) for each in listed] == [(secret["keyId"], None)]
    strongroom(f"identity sp secret remove --id {made['appId']} --key-id {secret['keyId']}")
    assert "AADSTS7000215" in robot.refuses(signing).text
    strongroom(f"identity sp delete --id {made['appId']}")
    assert strongroom.refuses(f"identity sp show --id {made['appId']}").exit_code == 3
    assert "AADSTS700016" in robot.refuses(signing).text
    strongroom("identity group delete --group Robots")
    assert strongroom.refuses("identity group show --group Robots").exit_code == 3


def grant(server, scope, principal):
    """Gives a group the right to use keys; the own client has no command for that."""
    token = requests.post(
        f"{server['AUTHORITY']}/{server['TENANT']}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": server["APP_ID"],
            "client_secret": server["APP_SECRET"],
            "scope": f"{server['BASE_URL']}/.default",
        },
        verify=server["CA_FILE"],
        timeout=30,
    ).json()["access_token"]
    crypto_user = "/providers/Microsoft.Authorization/roleDefinitions/12338af0-0e69-4776-bea7-57ae8d297424"
    answer = requests.put(
        f"{server['BASE_URL']}{scope}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}",
        params={"api-version": "2022-04-01"},
        json={"properties": {"roleDefinitionId": crypto_user, "principalId": principal, "principalType": "Group"}},
        headers={"Authorization": f"Bearer {token}"},
        verify=server["CA_FILE"],
        timeout=30,
    )
    assert answer.status_code == 201, answer.text


def test_the_own_client_and_users(strongroom):
    known = "00000000-0000-4000-8000-00000000ada0"
    ada = "--user-principal-name ada.l@contoso.example"
    user = strongroom(f"identity user create --display-name 'Ada L.' {ada} --object-id {known}")
    assert user["id"] == known
    twice = strongroom.refuses(f"identity user create --display-name Ada {ada}")
    assert (twice.exit_code, twice.code) == (1, "Request_BadRequest")
    assert strongroom("identity user show --id ada.l@contoso.example") == user
    assert user in strongroom("identity user list")
    strongroom(f"identity user update --id {known} --display-name Ada --enabled false")
    table = strongroom.text("identity user list -o table").splitlines()
    assert table[0].split() == ["DisplayName", "UserPrincipalName", "Id", "Enabled", "Created"]
    assert any(line.split()[:4] == ["Ada", "ada.l@contoso.example", known, "False"] for line in table[2:])
    strongroom(f"identity user delete --id {known}")
    assert strongroom.refuses(f"identity user show --id {known}").exit_code == 3
    assert strongroom.refuses("identity user update --id x").exit_code == 2


def test_the_own_client_is_refused_as_az_is(server, folder):
    nobody = own_client(
        server,
        folder / "nobody",
        STRONGROOM_CLIENT_ID=server["NOBODY_APP_ID"],
        STRONGROOM_CLIENT_SECRET=server["NOBODY_APP_SECRET"],
    )
    assert "Administrator" in {each["displayName"] for each in nobody("identity sp list")}
    refused = nobody.refuses("identity group create --display-name mine")
    assert (refused.exit_code, refused.code) == (1, "Authorization_RequestDenied")
