"""The binary's own client, through what the tutorial does with az: the same grammar, the same results."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from harness import DIGEST, ROTATION_POLICY, own_client


@pytest.fixture(scope="module")
def strongroom(server, folder):
    return own_client(server, folder / "own")


@pytest.fixture(scope="module", autouse=True)
def containers(strongroom, server):
    administrators = f"--administrators {server['OBJECT_ID']}"
    create = "create -g dev -l eastus --retention-days 7"
    strongroom(f"{create} --hsm-name ContosoMHSM {administrators}")
    strongroom(f"{create} --hsm-name protectedhsm {administrators} --enable-purge-protection")
    strongroom(f"{create} --name contosovault")


@pytest.fixture(scope="module")
def hsm_url(server):
    return f"https://ContosoMHSM{server['HSM_SUFFIX']}"


def key_by_name(key, _url):
    return f"--hsm-name ContosoMHSM --name {key}"


def key_by_id(key, url):
    return f"--id {url}/keys/{key}"


forms = pytest.mark.parametrize("key", [key_by_name, key_by_id], ids=["name", "id"])
# `az keyvault key …` with another first word.
words = pytest.mark.parametrize("word", ["", "keyvault "], ids=["bare", "keyvault"])


def names(items):
    return {item["name"] for item in items}


@words
@forms
def test_a_life(strongroom, hsm_url, key, word, tmp_path):
    name = f"life-{len(word)}-{key.__name__.replace('_', '-')}"
    one = key(name, hsm_url)
    hsm = f"--id {hsm_url}/" if key is key_by_id else "--hsm-name ContosoMHSM"
    deleted = f"--id {hsm_url}/deletedKeys/{name}" if key is key_by_id else one
    made = strongroom(f"{word}key create {one} --kty RSA-HSM --size 3072 --ops wrapKey unwrapKey --tags a=b")
    assert (made["key"]["kty"], made["key"]["keyOps"]) == ("RSA-HSM", ["wrapKey", "unwrapKey"])
    assert made["tags"] == {"a": "b"}
    assert strongroom(f"{word}key show {one}") == made
    assert name in names(strongroom(f"{word}key list {hsm}"))

    gone = strongroom(f"{word}key delete {one}")
    assert gone["recoveryId"].endswith(f"/deletedkeys/{name}")
    assert name in names(strongroom(f"{word}key list-deleted {hsm}"))
    assert strongroom(f"{word}key show-deleted {deleted}") == gone
    assert strongroom(f"{word}key recover {deleted}")["key"] == made["key"]

    backup = tmp_path / "backup"
    assert strongroom(f"{word}key backup {one} --file {backup}") is None
    strongroom(f"{word}key delete {one}")
    assert strongroom(f"{word}key purge {deleted}") is None
    refused = strongroom.refuses(f"{word}key show {one}")
    assert (refused.exit_code, refused.code) == (3, "KeyNotFound")
    assert strongroom(f"{word}key restore {hsm} --file {backup}")["key"] == made["key"]


def test_what_is_printed_is_what_az_prints(strongroom, az, server):
    """Member for member, so that a script may call either."""
    strongroom("key create --hsm-name devhsm --name twin --kty EC-HSM --curve P-256 --tags a=b")
    strongroom("key create --vault-name devvault --name twin --kty RSA")
    for line in (
        "key show --hsm-name devhsm --name twin",
        "key show --vault-name devvault --name twin",
        "key list --vault-name devvault",
        "key list-versions --hsm-name devhsm --name twin",
        "key rotation-policy show --vault-name devvault --name twin",
    ):
        ours, theirs = json.dumps(strongroom(line)), json.dumps(az(f"keyvault {line}"))
        # az was told Azure's names, this client the server's own.
        azures = theirs.replace(".managedhsm.azure.net", server["HSM_SUFFIX"])
        assert json.loads(ours) == json.loads(azures.replace(".vault.azure.net", server["VAULT_SUFFIX"])), line


def test_refusals_and_exit_codes(strongroom, tmp_path):
    key = "--hsm-name ContosoMHSM --name refusing"
    strongroom(f"key create {key} --kty EC-HSM")
    strongroom(f"key backup {key} --file {tmp_path}/backup")
    live = strongroom.refuses(f"key restore --hsm-name ContosoMHSM --file {tmp_path}/backup")
    strongroom(f"key delete {key}")
    created = strongroom.refuses(f"key create {key} --kty EC-HSM")
    restored = strongroom.refuses(f"key restore --hsm-name ContosoMHSM --file {tmp_path}/backup")
    used = strongroom.refuses(f"key sign {key} --algorithm ES256 --digest {DIGEST}")
    assert [(each.exit_code, each.code) for each in (live, created, restored, used)] == [
        (1, "Conflict"),
        (1, "Conflict"),
        (1, "Conflict"),
        (3, "KeyNotFound"),
    ]
    assert created.inner == "ObjectIsDeletedButRecoverable"
    assert strongroom.refuses("key show --hsm-name ContosoMHSM").exit_code == 2
    assert strongroom.refuses("key show --hsm-name absent --name k").exit_code == 3
    assert strongroom.refuses("key polish --hsm-name ContosoMHSM").exit_code == 2


def test_purge_protection(strongroom):
    key = "--hsm-name protectedhsm --name kept"
    strongroom(f"key create {key} --kty EC-HSM")
    strongroom(f"key delete {key}")
    refused = strongroom.refuses(f"key purge {key}")
    assert (refused.exit_code, refused.code) == (1, "Forbidden")
    assert 'Operation "purge" is not allowed because purge protection is enabled' in refused.text


def test_the_clock(strongroom):
    """A week in a moment."""
    key = "--hsm-name protectedhsm --name due"
    strongroom(f"key create {key} --kty EC-HSM")
    strongroom(f"key delete {key}")
    before = json.loads(strongroom.text("clock show"))
    after = json.loads(strongroom.text("clock advance 8d"))
    assert 0 <= after["now"] - before["now"] - 8 * 86_400 < 60
    assert strongroom.refuses(f"key show-deleted {key}").exit_code == 3
    assert strongroom.refuses(f"key recover {key}").exit_code == 3
    assert strongroom.refuses("clock advance yesterday").exit_code == 2


def test_using_keys(strongroom):
    signer = "--hsm-name ContosoMHSM --name signer"
    strongroom(f"key create {signer} --kty EC-HSM --curve P-256")
    signature = strongroom(f"key sign {signer} --algorithm ES256 --digest {DIGEST}")["signature"]
    verify = f"key verify {signer} --algorithm ES256 --digest {DIGEST} --signature"
    assert strongroom(f"{verify}={signature}")["isValid"] is True
    wrong = base64.b64encode(bytes(64)).decode()
    assert strongroom(f"{verify}={wrong}")["isValid"] is False

    sealer = "--hsm-name ContosoMHSM --name sealer"
    strongroom(f"key create {sealer} --kty oct-HSM --size 256")
    # What az only pretends to encrypt (contract: az-client §4.1), this client has encrypted by the server.
    iv = "00" * 16
    sealed = strongroom(f"key encrypt {sealer} --algorithm A256CBCPAD --iv {iv} --value hello --data-type plaintext")
    line = f"key decrypt {sealer} --algorithm A256CBCPAD --iv {iv} --value {sealed['result']} --data-type plaintext"
    assert strongroom(line)["result"] == "hello"
    sealed = strongroom(f"key encrypt {sealer} --algorithm A256GCM --value aGVsbG8=")
    opening = f"--iv {sealed['iv']} --tag {sealed['tag']}"
    line = f"key decrypt {sealer} --algorithm A256GCM --value {sealed['result']} {opening}"
    assert strongroom(line)["result"] == "aGVsbG8="
    assert len(base64.b64decode(strongroom("key random --hsm-name ContosoMHSM --count 16")["value"])) == 16


def test_attributes_and_rotation(strongroom):
    key = "--hsm-name ContosoMHSM --name rotating"
    strongroom(f"key create {key} --kty EC-HSM")
    changed = strongroom(f"key set-attributes {key} --enabled false --tags x=y --expires 2040-01-01T00:00:00Z")
    assert (changed["attributes"]["enabled"], changed["tags"]) == (False, {"x": "y"})
    assert changed["attributes"]["expires"] == "2040-01-01T00:00:00+00:00"
    assert strongroom(f"key rotation-policy update {key} --value '{ROTATION_POLICY}'")["expiresIn"] == "P1Y"
    strongroom(f"key rotate {key}")
    assert len(strongroom(f"key list-versions {key}")) == 2


def test_import(strongroom, tmp_path):
    pem = tmp_path / "key.pem"
    private = ec.generate_private_key(ec.SECP384R1())
    encoding = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem.write_bytes(private.private_bytes(*encoding))
    made = strongroom(f"key import --hsm-name ContosoMHSM --name imported --pem-file {pem}")
    assert (made["key"]["kty"], made["key"]["crv"]) == ("EC-HSM", "P-384")


def test_tables(strongroom):
    strongroom("key create --hsm-name devhsm --name tabled --kty EC-HSM")
    table = strongroom.text("key list --hsm-name devhsm -o table").splitlines()
    assert table[0].split()[:2] == ["Name", "Enabled"]
    assert set(table[1]) == {"-", " "}
    assert any(line.split()[:2] == ["tabled", "True"] for line in table[2:])
    containers = strongroom.text("list -o table")
    assert "devvault" in containers and "devhsm" in containers
    assert strongroom.text("key show --hsm-name devhsm --name tabled -o none") == ""
    assert "\t" in strongroom.text("key list --hsm-name devhsm -o tsv")


@pytest.mark.parametrize("option", ["--name clientvault", "--hsm-name clienthsm"])
def test_a_container_s_life(strongroom, server, option):
    name = option.split()[1]
    administrators = f"--administrators {server['OBJECT_ID']}" if "hsm" in name else ""
    made = strongroom(f"create {option} -g dev -l eastus --retention-days 7 {administrators} --tags a=b")
    assert made["properties"]["provisioningState"] == "Succeeded"
    assert strongroom(f"show {option}") == made
    assert name in names(strongroom("list"))
    strongroom(f"delete {option}")
    assert strongroom.refuses(f"show {option}").exit_code == 3
    assert name in names(strongroom("list-deleted"))
    assert strongroom(f"show-deleted {option}")["name"] == name
    assert strongroom(f"recover {option}")["tags"] == {"a": "b"}
    protected = strongroom(f"update {option} --enable-purge-protection")
    assert protected["properties"]["enablePurgeProtection"] is True
    assert strongroom.refuses(f"update {option} --enable-purge-protection false").code == "BadRequest"
    assert strongroom.refuses(f"update {option} --retention-days 8").code == "BadRequest"
    strongroom(f"delete {option}")
    assert strongroom.refuses(f"purge {option}").code == "MethodNotAllowed"
    strongroom.text("clock advance 8d")
    assert name not in names(strongroom("list-deleted"))


def test_a_role_s_principal(server, folder):
    """The environment wins over the file of the server."""
    prefix = "MANAGED_HSM_CRYPTO_USER"
    user = own_client(
        server,
        folder / "user",
        STRONGROOM_CLIENT_ID=server[f"{prefix}_APP_ID"],
        STRONGROOM_CLIENT_SECRET=server[f"{prefix}_APP_SECRET"],
    )
    key = "--hsm-name devhsm --name by-user"
    user(f"key create {key} --kty EC-HSM")
    user(f"key delete {key}")
    refused = user.refuses(f"key purge {key}")
    assert (refused.exit_code, refused.code) == (1, "AccessDenied")
