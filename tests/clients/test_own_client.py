"""The binary's own client, through what the tutorial does with az: the same grammar, the same results."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

import x509
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
        same(strongroom(line), az(f"keyvault {line}"), server, line)


def same(ours, theirs, server, what=""):
    """az was told Azure's names, the binary's client the server's own."""
    azures = json.dumps(theirs).replace(".managedhsm.azure.net", server["HSM_SUFFIX"])
    assert ours == json.loads(azures.replace(".vault.azure.net", server["VAULT_SUFFIX"])), what


VAULT = "--vault-name devvault"


def test_secrets_are_printed_as_az_prints_them(strongroom, az, server):
    strongroom(f"secret set {VAULT} --name twin --value hunter2 --tags a=b --content-type text/plain")
    strongroom(f"secret set {VAULT} --name twin --value hunter3 --expires 2099-01-01T00:00:00Z")
    for line in (
        f"secret show {VAULT} --name twin",
        f"secret list {VAULT} --include-managed",
        f"secret list-versions {VAULT} --name twin",
        f"secret set-attributes {VAULT} --name twin --content-type x --tags c=d",
        "secret show --id https://devvault{}/secrets/twin",
    ):
        ours = strongroom(line.format(server["VAULT_SUFFIX"]))
        theirs = az(f"keyvault {line}".format(".vault.azure.net"))
        if "set-attributes" in line:
            # The two changes may lie in two seconds.
            theirs["attributes"]["updated"] = ours["attributes"]["updated"]
        same(ours, theirs, server, line)


@words
@forms
def test_a_secret_s_life(strongroom, server, key, word, tmp_path):
    name = f"life-{len(word)}-{key.__name__.replace('_', '-')}"
    url = server.vault_url()
    by_id = key is key_by_id
    one = f"--id {url}/secrets/{name}" if by_id else f"{VAULT} --name {name}"
    vault = f"--id {url}" if by_id else VAULT
    deleted = f"--id {url}/deletedsecrets/{name}" if by_id else one
    made = strongroom(f"{word}secret set {one} --value hunter2 --tags a=b --description text/plain")
    assert (made["value"], made["tags"]["a"], made["contentType"]) == ("hunter2", "b", "text/plain")
    assert strongroom(f"{word}secret show {one}") == made
    gone = strongroom(f"{word}secret delete {one}")
    assert gone["recoveryId"].endswith(f"/deletedsecrets/{name}") and gone["value"] is None
    assert name in names(strongroom(f"{word}secret list-deleted {vault}"))
    assert strongroom(f"{word}secret show-deleted {deleted}") == gone
    assert strongroom(f"{word}secret recover {deleted}")["id"] == made["id"]
    backup = tmp_path / "backup"
    strongroom(f"{word}secret backup {one} --file {backup}")
    assert backup.stat().st_mode & 0o777 == 0o600
    strongroom(f"{word}secret delete {one}")
    assert strongroom(f"{word}secret purge {deleted}") is None
    assert strongroom.refuses(f"{word}secret show {one}").code == "SecretNotFound"
    assert strongroom(f"{word}secret restore {vault} --file {backup}")["id"] == made["id"]


@pytest.mark.parametrize("encoding", ["utf-8", "base64", "hex"])
def test_secrets_in_files(strongroom, az, server, encoding, tmp_path):
    """What one client put in the vault, the other takes out."""
    content = "grüße\n".encode() if encoding == "utf-8" else bytes(range(256))
    given, taken, by_az = tmp_path / "given", tmp_path / "taken", tmp_path / "by-az"
    given.write_bytes(content)
    put = f"secret set {VAULT} --name file-{encoding}-twin --file {given} --encoding {encoding}"
    assert strongroom(put)["value"] == az(f"keyvault {put}")["value"]
    strongroom(f"secret download {VAULT} --name file-{encoding}-twin --file {taken}")
    az(f"keyvault secret download {VAULT} --name file-{encoding}-twin --file {by_az}")
    assert taken.read_bytes() == by_az.read_bytes() == content
    assert taken.stat().st_mode & 0o777 == 0o600
    refused = strongroom.refuses(f"secret download {VAULT} --name file-{encoding}-twin --file {taken}")
    assert refused.exit_code == 1 and "--overwrite" in refused.text
    strongroom(f"secret download {VAULT} --name file-{encoding}-twin --file {taken} --overwrite")


def test_a_secret_from_standard_input(strongroom):
    done = strongroom.run(f"secret set {VAULT} --name piped --value @- -o none", stdin="hush\n")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert strongroom(f"secret show {VAULT} --name piped")["value"] == "hush"


@pytest.fixture(scope="module")
def policies(strongroom, az):
    """The policies that both clients propose, and one that asks for a signature from elsewhere."""
    proposed = strongroom("certificate get-default-policy")
    assert proposed == az("keyvault certificate get-default-policy")
    scaffold = "certificate get-default-policy --scaffold"
    assert strongroom(scaffold) == az(f"keyvault {scaffold}")
    unknown = {**proposed, "issuerParameters": {"name": "Unknown"}}
    subject = {**proposed["x509CertificateProperties"], "subjectAlternativeNames": {"dnsNames": ["a.example"]}}
    files = {"self": proposed, "unknown": unknown, "names": {**proposed, "x509CertificateProperties": subject}}
    for name, policy in files.items():
        (strongroom.folder / f"{name}.json").write_text(json.dumps(policy))
    return {name: f"@{strongroom.folder}/{name}.json" for name in files}


def test_certificates_are_printed_as_az_prints_them(strongroom, az, server, policies, tmp_path):
    create = f"certificate create {VAULT} --name"
    made = strongroom(f"{create} twin-made --policy {policies['names']} --tags a=b --validity 7")
    assert made["status"] == "completed"
    strongroom(f"{create} twin-to-come --policy {policies['unknown']}")
    for line in (
        f"certificate show {VAULT} --name twin-made",
        f"certificate show {VAULT} --name twin-to-come",
        f"certificate list {VAULT}",
        f"certificate list {VAULT} --include-pending",
        f"certificate list-versions {VAULT} --name twin-made",
        f"certificate pending show {VAULT} --name twin-made",
        f"certificate pending show {VAULT} --name twin-to-come",
        f"secret list {VAULT} --include-managed",
        f"key list {VAULT}",
    ):
        same(strongroom(line), az(f"keyvault {line}"), server, line)
    for encoding in ("PEM", "DER"):
        ours, theirs = tmp_path / f"ours-{encoding}", tmp_path / f"theirs-{encoding}"
        download = f"certificate download {VAULT} --name twin-made --encoding {encoding} --file"
        strongroom(f"{download} {ours}")
        az(f"keyvault {download} {theirs}")
        assert ours.read_bytes() == theirs.read_bytes()
        assert ours.stat().st_mode & 0o777 == 0o600
        assert strongroom.refuses(f"{download} {ours}").exit_code == 1
    strongroom(f"certificate delete {VAULT} --name twin-made")
    for line in (f"certificate show-deleted {VAULT} --name twin-made", f"certificate list-deleted {VAULT}"):
        same(strongroom(line), az(f"keyvault {line}"), server, line)
    same(
        strongroom(f"certificate recover {VAULT} --name twin-made"),
        az(f"keyvault certificate show {VAULT} --name twin-made"),
        server,
    )


@words
@forms
def test_a_certificate_s_life(strongroom, server, key, word, policies, tmp_path):
    name = f"life-{len(word)}-{key.__name__.replace('_', '-')}-c"
    url = server.vault_url()
    by_id = key is key_by_id
    one = f"--id {url}/certificates/{name}" if by_id else f"{VAULT} --name {name}"
    vault = f"--id {url}" if by_id else VAULT
    deleted = f"--id {url}/deletedcertificates/{name}" if by_id else one
    strongroom(f"{word}certificate create {one} --policy {policies['self']}")
    made = strongroom(f"{word}certificate show {one}")
    changed = strongroom(f"{word}certificate set-attributes {one} --policy {policies['names']} --tags x=y")
    assert changed["tags"] == {"x": "y"}
    assert changed["policy"]["x509CertificateProperties"]["subjectAlternativeNames"]["dnsNames"] == ["a.example"]
    gone = strongroom(f"{word}certificate delete {one}")
    assert gone["recoveryId"].endswith(f"/deletedcertificates/{name}")
    assert name in names(strongroom(f"{word}certificate list-deleted {vault}"))
    assert strongroom(f"{word}certificate show-deleted {deleted}") == gone
    assert strongroom(f"{word}certificate recover {deleted}")["cer"] == made["cer"]
    backup = tmp_path / "backup"
    strongroom(f"{word}certificate backup {one} --file {backup}")
    strongroom(f"{word}certificate delete {one}")
    assert strongroom(f"{word}certificate purge {deleted}") is None
    assert strongroom.refuses(f"{word}certificate show {one}").code == "CertificateNotFound"
    assert strongroom(f"{word}certificate restore {vault} --file {backup}")["cer"] == made["cer"]


def test_an_import_and_a_merge(strongroom, az, server, policies, tmp_path):
    both = x509.holder(tmp_path, "mine")
    pfx = x509.pfx(tmp_path, "mine", "secret")
    strongroom(f"certificate import {VAULT} --name own-pem --file {both}")
    strongroom(f"certificate import {VAULT} --name own-pfx --file {pfx} --password secret --disabled")
    for name in ("own-pem", "own-pfx"):
        line = f"certificate show {VAULT} --name {name}"
        same(strongroom(line), az(f"keyvault {line}"), server, line)
    wrong = strongroom.refuses(f"certificate import {VAULT} --name own-wrong --file {pfx} --password nope")
    assert wrong.code == "BadParameter" and "nope" not in wrong.text

    x509.authority(tmp_path / "ca")
    pending = strongroom(f"certificate create {VAULT} --name own-asked --policy {policies['unknown']}")
    assert pending["status"] == "inProgress"
    x509.sign(tmp_path / "ca", base64.b64decode(pending["csr"]))
    merged = strongroom(f"certificate pending merge {VAULT} --name own-asked --file {tmp_path}/ca/leaf.pem")
    same(merged, az(f"keyvault certificate show {VAULT} --name own-asked"), server)
    strongroom(f"certificate create {VAULT} --name own-dropped --policy {policies['unknown']}")
    strongroom(f"certificate pending delete {VAULT} --name own-dropped")
    gone = strongroom.refuses(f"certificate pending show {VAULT} --name own-dropped")
    assert (gone.exit_code, gone.code) == (3, "PendingCertificateNotFound")


def test_issuers_and_contacts(strongroom, az, server):
    issuer = f"{VAULT} --issuer-name own"
    account = "--account-id me --password hush --organization-id org"
    strongroom(f"certificate issuer create {issuer} --provider-name Test {account}")
    for line in (f"certificate issuer show {issuer}", f"certificate issuer list {VAULT}"):
        same(strongroom(line), az(f"keyvault {line}"), server, line)
    admin = f"certificate issuer admin add {issuer} --email"
    assert strongroom(f"{admin} a@contoso.com --first-name A")["firstName"] == "A"
    assert strongroom.refuses(f"{admin} a@contoso.com").exit_code == 1
    people = f"certificate issuer admin list {issuer}"
    same(strongroom(people), az(f"keyvault {people}"), server)
    strongroom(f"certificate issuer admin delete {issuer} --email a@contoso.com")
    assert strongroom(people) == []
    updated = strongroom(f"certificate issuer update {issuer} --account-id you --enabled false")
    assert (updated["credentials"]["accountId"], updated["attributes"]["enabled"]) == ("you", False)
    assert updated["organizationDetails"]["id"] == "org"
    strongroom(f"certificate issuer delete {issuer}")
    assert strongroom.refuses(f"certificate issuer show {issuer}").exit_code == 3

    strongroom(f"certificate contact add {VAULT} --email a@contoso.com --name A --phone 1")
    strongroom(f"certificate contact add {VAULT} --email b@contoso.com")
    contacts = f"certificate contact list {VAULT}"
    same(strongroom(contacts), az(f"keyvault {contacts}"), server)
    strongroom(f"certificate contact delete {VAULT} --email a@contoso.com")
    assert strongroom(f"certificate contact delete {VAULT} --email b@contoso.com")["contactList"] == []
    assert strongroom.refuses(contacts).code == "ContactsNotFound"


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
    strongroom(f"secret set {VAULT} --name tabled --value hush")
    assert strongroom.text(f"secret show {VAULT} --name tabled -o table").split()[:2] == ["Name", "Value"]
    listed = strongroom.text(f"secret list {VAULT} -o table")
    assert listed.split()[0] == "Name" and "tabled" in listed and "hush" not in listed
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
