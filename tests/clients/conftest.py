"""A server for each module, and the clients of it."""

import pytest
from azure.keyvault.certificates import CertificateClient
from azure.keyvault.keys import KeyClient
from azure.keyvault.secrets import SecretClient

from harness import Az, Server
from sdk import credential_of, management_client


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


@pytest.fixture(scope="module")
def sdk_environment(server):
    """The environment of the Python SDKs, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.sdk_environment().items():
            patch.setenv(name, value)
        yield patch


@pytest.fixture(scope="module")
def credential(server, sdk_environment):
    """The administrator's."""
    return credential_of(server)


@pytest.fixture(scope="module")
def vault(server, credential):
    with KeyClient(server.vault_url(), credential) as client:
        client.kind = "vault"
        yield client


@pytest.fixture(scope="module")
def hsm(server, credential):
    with KeyClient(server.hsm_url(), credential) as client:
        client.kind = "hsm"
        yield client


@pytest.fixture(scope="module")
def secrets(server, credential):
    with SecretClient(server.vault_url(), credential) as client:
        yield client


@pytest.fixture(scope="module")
def certificates(server, credential):
    with CertificateClient(server.vault_url(), credential) as client:
        yield client


@pytest.fixture(params=["vault", "hsm"])
def keys(request):
    """A client of each kind of container."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def management(server, credential):
    with management_client(server, credential) as client:
        yield client
