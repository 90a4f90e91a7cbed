"""What clients with tokens and work in hand notice when the server restarts or time passes: nothing."""

import signal

import pytest

from harness import DIGEST, Az, Server


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart(tmp_path, how):
    """Also one that the server had no time to prepare for."""
    server = Server(tmp_path / "server")
    az = Az(server, tmp_path / "az")
    live = az("keyvault key create --hsm-name devhsm --name live --kty EC-HSM")
    az("keyvault key create --hsm-name devhsm --name gone --kty EC-HSM")
    gone = az("keyvault key delete --hsm-name devhsm --name gone")
    az("keyvault create -g dev -l eastus --name restarted --retention-days 7")
    az("keyvault delete --name restarted")
    server.process.send_signal(how)
    server.process.wait(timeout=30)

    port = server["BASE_URL"].rsplit(":", 1)[1]
    again = Server(tmp_path / "server", port=port)
    try:
        # The same secrets, the same tokens: nobody signs in again.
        assert again.facts == server.facts
        assert az("keyvault key show --hsm-name devhsm --name live") == live
        assert az("keyvault key show-deleted --hsm-name devhsm --name gone") == gone
        az(f"keyvault key sign --hsm-name devhsm --name live --algorithm ES256 --digest {DIGEST}")
        az("keyvault key recover --hsm-name devhsm --name gone")
        az("keyvault recover --name restarted")
    finally:
        again.stop()


def test_time_that_passes(server, az, hsm):
    """The development clock runs ahead of the clients': their tokens stay good, by their own clocks' measure."""
    made = hsm.create_ec_key("lasting")
    names_before = principal_names(az)
    server.advance(days=400)
    assert hsm.get_key("lasting").id == made.id
    assert principal_names(az) == names_before
    assert az("keyvault show --hsm-name devhsm")["name"] == "devhsm"


def principal_names(az):
    """az asks Graph for them, and says "Unknown" if Graph does not answer."""
    names = {each["principalName"] for each in az("keyvault role assignment list --hsm-name devhsm")}
    assert "Unknown" not in names
    return names


def test_a_cloud_made_anew(tmp_path):
    """Another server on the same port with the same names: az's tokens mean nothing there, and its error says so."""
    server = Server(tmp_path / "one", "--ephemeral")
    az = Az(server, tmp_path / "az")
    server.stop()
    port = server["BASE_URL"].rsplit(":", 1)[1]
    other = Server(tmp_path / "two", "--ephemeral", port=port)
    try:
        az.environment.update(other.az_environment(tmp_path / "az"))
        refused = az.refuses("keyvault key list --hsm-name devhsm")
        assert "AADSTS" in refused.text
    finally:
        other.stop()
