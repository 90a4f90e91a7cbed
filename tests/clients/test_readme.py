"""The lines that README.md and the server itself print for pasting, pasted."""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys

import pytest

from harness import AZ, BINARY, Server

README = (pathlib.Path(__file__).parents[2] / "README.md").read_text()
PORT = 8443


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture(scope="module")
def server(folder):
    """As the README has it: state in `.strongroom`, and the port of the examples unless somebody else has it."""
    server = Server(folder / "work", port=PORT if is_free(PORT) else 0)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def paste(server, folder):
    """Runs lines in a shell that begins like every shell in the README."""
    programs = folder / "programs"
    programs.mkdir()
    for name, target in (("az", AZ), ("strongroom", BINARY), ("python", sys.executable)):
        # Not links: a virtual environment knows itself by the path it was started from.
        (programs / name).write_text(f'#!/bin/sh\nexec "{target}" "$@"\n')
        (programs / name).chmod(0o755)
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "AZURE_CORE_COLLECT_TELEMETRY": "false",
    }

    def run(*blocks):
        port = server["BASE_URL"].rsplit(":", 1)[1]
        lines = "\n".join([block("Use it"), *blocks]).replace(f":{PORT}", f":{port}")
        shell = ["bash", "-e", "-u", "-o", "pipefail", "-c", lines]
        done = subprocess.run(shell, cwd=server.folder, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{lines}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run


def block(heading, language="sh", index=0):
    """A code block of a language under a heading: the first, unless said otherwise."""
    section = re.split(rf"^#+ {re.escape(heading)}\n", README, flags=re.MULTILINE)[1]
    section = re.split(r"^#+ ", re.sub(r"^```.*?^```\n", keep_comments, section, flags=re.M | re.S), flags=re.M)[0]
    return re.findall(rf"^```{language}\n(.*?)^```", section.replace("\0", "#"), re.MULTILINE | re.DOTALL)[index]


def keep_comments(code):
    """A comment in code is no heading."""
    return code[0].replace("#", "\0")


def test_az_with_the_names_of_azure(paste):
    out = paste(block("az, with the literal names of Azure"))
    assert "https://contosohsm.managedhsm.azure.net/keys/mykey/" in out
    assert "https://contosohsm.managedhsm.azure.net/deletedkeys/mykey" in out


def test_az_as_a_cloud_of_its_own(paste, server):
    out = paste(block("az, as a cloud of its own"))
    assert f"https://devvault{server['VAULT_SUFFIX']}/keys/mykey/" in out


def test_az_without_the_proxy(paste):
    """What needs no name to resolve: the bare host and the default container."""
    lines = block("az, as a cloud of its own").replace("HTTPS_PROXY=$CLIENT_PROXY ", "")
    register_and_sign_in, _, _ = lines.rpartition("az keyvault key create")
    bare = "https://localhost:8443/keys/mykey"
    assert bare in README
    out = paste(register_and_sign_in, f"az keyvault key create --id {bare}", f"az keyvault key show --id {bare}")
    assert '"kty": "RSA-HSM"' in out, "at first the HSM `devhsm`"


def test_python(paste, server):
    program = f"python - <<'END'\n{block('SDKs', 'python')}END"
    out = paste(block("SDKs"), program)
    assert out.startswith(f"https://devhsm{server['HSM_SUFFIX']}/keys/mykey/")


def test_curl(paste):
    assert "value" in json.loads(paste(block("curl")))


def test_secrets_and_certificates(paste, server):
    heading = "Secrets and certificates"
    out = paste(block(heading))
    assert "\nhunter2\n" in out
    assert out.count("BEGIN CERTIFICATE") == 1 and "CN = CLIGetDefaultPolicy" in out
    pem = json.loads(paste(block(heading, index=1)))
    assert pem["contentType"] == "application/x-pem-file" and "BEGIN PRIVATE KEY" in pem["value"]
    program = f"python - <<'END'\n{block(heading, 'python')}END"
    out = paste(block("SDKs"), program)
    assert out.startswith(f"ours https://devvault{server['VAULT_SUFFIX']}/secrets/db/")


def test_the_binary_as_a_client(paste):
    out = paste(block("The binary as a client"))
    assert '"kty": "EC-HSM"' in out
    assert re.search(r"^mykey +True", out, re.MULTILINE)
    assert "contosohsm" in out


def test_the_audit_log(paste, server):
    out = paste("strongroom key list --hsm-name devhsm -o none", block("Audit"))
    assert out.count("everything is as it was signed") == 2
    assert '"index": 1,' in out
    assert (server.folder / "audit.jsonl").read_text().startswith('{"strongroomAuditExport"')


def test_the_clock(paste):
    line = "strongroom clock advance 8d"
    assert f"`{line}`" in README
    assert json.loads(paste(line))["aheadSeconds"] >= 8 * 86_400


def test_what_it_costs(paste, server):
    out = paste("strongroom key create --hsm-name devhsm --name costs --kty EC-HSM", block("What it costs"))
    assert re.search(r'"meter": "Standard_B1 hours"', out)
    page = paste("curl -s --cacert $CA_FILE $BASE_URL/metrics")
    assert 'strongroom_operations_total{operation="KeyCreate",outcome="done",kind="managedHsm"}' in page


def test_the_principals_of_the_roles(paste):
    out = paste(
        "echo $KEY_VAULT_CRYPTO_USER_APP_ID $MANAGED_HSM_CRYPTO_OFFICER_APP_SECRET $GROUPS_ADMINISTRATOR_APP_ID"
        " $NOBODY_APP_ID"
    )
    assert len(out.split()) == 4


def test_the_directory(paste):
    out = paste(block("Users, groups and applications"))
    assert '"displayName": "Signers"' in out
    assert re.search(r"^robot +[0-9a-f-]{36} ", out, re.MULTILINE)
    for command in ("group member add", "sp secret add", "sp update", "user create"):
        assert f"`identity {command}" in README
        paste(f"strongroom identity {command} --help")


def test_notices(paste):
    sign_in, _, _ = block("az, with the literal names of Azure").partition("az keyvault create")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    # What the receiver prints goes through a pipe, so that it can be waited for.
    begin = "trap 'kill $(jobs -p)' EXIT; mkfifo notices.jsonl; exec 3<> notices.jsonl"
    end = 'read -r -t 60 notice <&3; echo "$notice"'
    out = paste(sign_in, begin, block("Notices").replace("9000", str(port)), end)
    notice = json.loads(out.splitlines()[-1])
    assert (notice["type"], notice["subject"]) == ("Microsoft.KeyVault.SecretNewVersionCreated", "hello")


def test_what_the_server_prints(paste, server):
    printed = server.read_instructions(until="/keys?api-version=")
    # Unindented lines are titles; what is between two of them belongs together.
    title, sections = None, {}
    for line in printed:
        if line.startswith("  ") and title:
            sections[title] = sections.get(title, "") + line[2:] + "\n"
        elif line.endswith(":"):
            title = line
    names, cloud, _sdks, curl = [sections[title] for title in sections if not title.startswith("Every")]
    assert "https://contosohsm.managedhsm.azure.net/keys/mykey" in paste(names)
    assert f"https://devvault{server['VAULT_SUFFIX']}/keys/mykey/" in paste(cloud)
    assert "value" in json.loads(paste(curl))


def test_what_production_begins_with():
    sample = block("Run it in earnest").split()[1]
    assert (pathlib.Path(__file__).parents[2] / sample).is_file()
