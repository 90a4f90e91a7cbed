"""The tests' own ACME server, held to what a public ACME client expects of one; and az with a vault that orders from it."""

import base64
import http.server
import itertools
import pathlib
import subprocess
import threading

import josepy
import pytest
import requests
from acme import challenges, client, messages
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509 import verification

from harness import BINARY, Az, Server
from production import free_port
from test_readme import block

MAC = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I"
TERMS = "https://acme.example/terms"


class AcmeServer:
    """The program `acme` of the Rust tests, which cargo builds beside the server's."""

    def __init__(self, folder):
        folder.mkdir(parents=True)
        self.folder = folder
        program = [str(pathlib.Path(BINARY).with_name("acme")), "0"]
        self.process = subprocess.Popen(program, cwd=folder, stdout=subprocess.PIPE, text=True)
        self.directory = self.process.stdout.readline().split()[1]

    @property
    def ca_file(self):
        return str(self.folder / "ca.pem")

    def tell(self, **settings):
        with requests.Session() as session:
            session.trust_env = False
            url = self.directory.replace("/directory", "/control")
            answer = session.post(url, json=settings, verify=self.ca_file, timeout=30)
        assert answer.status_code == 204, answer.text

    @property
    def root(self):
        return x509.load_pem_x509_certificate((self.folder / "root.pem").read_bytes())

    def accepts(self, chain, name):
        """What a browser would say of a chain for a name."""
        leaf, *others = x509.load_pem_x509_certificates(chain)
        verifier = verification.PolicyBuilder().store(verification.Store([self.root]))
        return verifier.build_server_verifier(x509.DNSName(name)).verify(leaf, others)

    def stop(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def acme_server(folder):
    server = AcmeServer(folder / "acme")
    yield server
    server.stop()


class Answers:
    """A web server that answers tokens."""

    def __init__(self):
        answers = self.answers = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                answer = answers.get(self.path)
                self.send_response(200 if answer else 404)
                self.end_headers()
                self.wfile.write((answer or "").encode())

            def log_message(self, *_):
                """Nothing: the tests say what is wrong."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server.server_address[1]


def account_key(kind):
    if kind == "EC":
        return josepy.JWKEC(key=ec.generate_private_key(ec.SECP256R1())), josepy.ES256
    return josepy.JWKRSA(key=rsa.generate_private_key(65537, 2048)), josepy.RS256


def signing_request(*names):
    key = ec.generate_private_key(ec.SECP256R1())
    asked = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(asked, False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def connect(server, kind):
    key, algorithm = account_key(kind)
    network = client.ClientNetwork(key, alg=algorithm, verify_ssl=server.ca_file)
    network.session.trust_env = False
    directory = client.ClientV2.get_directory(server.directory, network)
    return client.ClientV2(directory, network), key


@pytest.mark.parametrize("kind", ["EC", "RSA"])
def test_a_public_client_gets_a_certificate_from_the_tests_server(acme_server, kind):
    answers = Answers()
    acme_server.tell(challengePort=answers.port, termsOfService=TERMS, external={"customer": MAC})
    acme_server.tell(badNonces=1, processing=1)
    acme, key = connect(acme_server, kind)
    assert acme.directory.meta.terms_of_service == TERMS
    binding = messages.ExternalAccountBinding.from_data(key.public_key(), "customer", MAC, acme.directory)
    registration = messages.NewRegistration.from_data(email="ops@example.com", terms_of_service_agreed=True)
    acme.new_account(registration.update(external_account_binding=binding))
    order = acme.new_order(signing_request("www.contoso.test", "api.contoso.test"))
    for authorization in order.authorizations:
        offered = {challenge.chall.typ: challenge for challenge in authorization.body.challenges}
        challenge = offered["http-01"]
        assert isinstance(challenge.chall, challenges.HTTP01)
        response, answers.answers[challenge.chall.path] = challenge.response_and_validation(key)
        acme.answer_challenge(challenge, response)
    done = acme.poll_and_finalize(order)
    for name in ("www.contoso.test", "api.contoso.test"):
        assert len(acme_server.accepts(done.fullchain_pem.encode(), name)) == 3


def test_a_public_client_is_refused_in_words_that_it_knows(acme_server):
    answers = Answers()
    acme_server.tell(challengePort=answers.port, termsOfService=TERMS, external={"customer": MAC})
    acme, key = connect(acme_server, "EC")

    def refusal(call, *arguments):
        with pytest.raises(messages.Error) as refused:
            call(*arguments)
        return refused.value.typ.rsplit(":", 1)[1]

    agreed = messages.NewRegistration.from_data(terms_of_service_agreed=True)
    assert refusal(acme.new_account, messages.NewRegistration()) == "userActionRequired"
    assert refusal(acme.new_account, agreed) == "externalAccountRequired"
    wrong = messages.ExternalAccountBinding.from_data(key.public_key(), "customer", "d3Jvbmc", acme.directory)
    assert refusal(acme.new_account, agreed.update(external_account_binding=wrong)) == "unauthorized"
    acme_server.tell(external={}, termsOfService=None, rejected=["bank.test"])
    acme.new_account(agreed)
    assert refusal(acme.new_order, signing_request("bank.test")) == "rejectedIdentifier"
    order = acme.new_order(signing_request("www.contoso.test"))
    assert refusal(acme.begin_finalization, order) == "orderNotReady"
    # The token is not answered.
    [authorization] = order.authorizations
    challenge = next(each for each in authorization.body.challenges if each.chall.typ == "http-01")
    acme.answer_challenge(challenge, challenge.response(key))
    failed, _ = acme.poll(authorization)
    assert failed.body.status == messages.STATUS_INVALID
    [error] = [each.error for each in failed.body.challenges if each.chall.typ == "http-01"]
    assert error.code == "unauthorized"


@pytest.fixture(scope="module")
def server(folder, acme_server):
    port = free_port()
    acme_server.tell(challengePort=port)
    configuration = acme_server.folder / "acme.toml"
    configuration.write_text(
        f'http_challenges = "127.0.0.1:{port}"\n'
        f'[[acme]]\nname = "Example"\ndirectory = "{acme_server.directory}"\nca_file = "ca.pem"\n'
    )
    server = Server(folder / "server", "--ephemeral", "--acme", str(configuration))
    server.challenge_port = port
    yield server
    server.stop()


def test_az_pastes_what_the_readme_says(server, acme_server, folder):
    acme_server.tell(challengePort=server.challenge_port, external={}, termsOfService=None, rejected=[])
    az = Az(server, folder / "az")
    az.run_lines(block("Certificates from an ACME server"))
    done = az("keyvault certificate pending show --vault-name devvault --name www")
    assert done["status"] == "completed", done
    pfx = az("keyvault secret show --vault-name devvault --name www")["value"]
    key, leaf, others = pkcs12.load_key_and_certificates(base64.b64decode(pfx), None)
    assert key.public_key() == leaf.public_key()
    assert leaf.subject.rfc4514_string() == "CN=www.example.com"
    chain = [leaf, *others, acme_server.root]
    for certificate, issuer in itertools.pairwise(chain):
        certificate.verify_directly_issued_by(issuer)
    assert len(chain) == 3
