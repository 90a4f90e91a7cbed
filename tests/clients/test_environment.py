"""The clients are the versions that the requirement files pin: what passes here passes for everyone."""

import importlib.metadata
import json
import os
import pathlib
import subprocess

HERE = pathlib.Path(__file__).parent


def pins(name):
    lines = (HERE / name).read_text().splitlines()
    return dict(line.split("==") for line in lines if "==" in line)


def test_python_packages_are_the_pinned_ones():
    for package, version in pins("requirements.txt").items():
        assert importlib.metadata.version(package) == version, package


def test_the_azure_cli_is_the_pinned_one(tmp_path):
    environment = {**os.environ, "AZURE_CONFIG_DIR": str(tmp_path), "AZURE_CORE_COLLECT_TELEMETRY": "false"}
    done = subprocess.run(
        [os.environ["AZ"], "version", "-o", "json"], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["azure-cli"] == pins("requirements-az.txt")["azure-cli"]


def test_javascript_packages_are_the_pinned_ones_and_load():
    wanted = json.loads((HERE / "package.json").read_text())["dependencies"]
    for package, version in wanted.items():
        installed = pathlib.Path(os.environ["NODE_PATH"]) / package / "package.json"
        assert json.loads(installed.read_text())["version"] == version, package
        subprocess.run(["node", "-e", f"require({json.dumps(package)}); crypto.randomUUID()"], check=True)


def test_the_server_was_built():
    subprocess.run([os.environ["STRONGROOM_BIN"], "--version"], check=True)
