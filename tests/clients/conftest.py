"""A server for each module, and the clients of it."""

import pytest

from harness import Az, Server


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("clients")


@pytest.fixture(scope="module")
def server(folder):
    server = Server(folder / "server", "--ephemeral")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def az_as(server, folder):
    """Signs az in as a principal, once for each."""
    signed_in = {}

    def sign_in(principal=""):
        if principal not in signed_in:
            signed_in[principal] = Az(server, folder / f"az-{principal or 'administrator'}", principal)
        return signed_in[principal]

    return sign_in


@pytest.fixture(scope="module")
def az(az_as):
    """az, signed in as the administrator."""
    return az_as()
