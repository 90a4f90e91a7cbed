"""An OpenID Connect provider of the tests' own, over https: discovery, keys that change, and client credentials."""

import http.server
import json
import ssl
import threading
import time
import urllib.parse

import jwt
import requests
from azure.core.credentials import AccessToken
from cryptography.hazmat.primitives.asymmetric import rsa

from production import write_certificates

REALM = "/realms/test"


class Provider:
    """`clients` says what the tokens of a client claim, beside what all tokens do."""

    def __init__(self, folder, clients):
        write_certificates(folder, "127.0.0.1")
        self.ca_file = str(folder / "ca.pem")
        self.clients = clients
        self.generation = 0
        self.rotate()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(folder / "tls.pem", folder / "tls.key")
        self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.issuer = f"https://127.0.0.1:{self.server.server_address[1]}{REALM}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def rotate(self):
        """New keys, and nothing left of the old ones."""
        self.generation += 1
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.key_id = f"key-{self.generation}"

    def description(self):
        return {
            "issuer": self.issuer,
            "jwks_uri": f"{self.issuer}/keys",
            "token_endpoint": f"{self.issuer}/token",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def keys(self):
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        public.pop("key_ops", None)
        return {"keys": [{**public, "kid": self.key_id, "use": "sig", "alg": "RS256"}]}

    def token(self, form):
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": form["scope"].removesuffix("/.default"),
            "azp": form["client_id"],
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            **self.clients[form["client_id"]],
        }
        token = jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": self.key_id})
        return {"token_type": "Bearer", "expires_in": 3600, "access_token": token}

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def handler(provider):
    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self, status, body):
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def do_GET(self):
            documents = {"/.well-known/openid-configuration": provider.description, "/keys": provider.keys}
            document = documents.get(self.path.removeprefix(REALM))
            self.answer(200, document()) if document else self.answer(404, {})

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = dict(urllib.parse.parse_qsl(body))
            if self.path == f"{REALM}/token" and form.get("client_id") in provider.clients:
                self.answer(200, provider.token(form))
            else:
                self.answer(400, {"error": "invalid_client"})

        def log_message(self, *_):
            """Nothing: the tests say what is wrong."""

    return Handler


class ProviderCredential:
    """A client of the provider's, as a credential of the SDKs. Keeps what it was asked."""

    def __init__(self, provider, client_id):
        self.provider = provider
        self.client_id = client_id
        self.asked = []

    def get_token(self, *scopes, **options):
        self.asked.append((scopes, options))
        form = {"grant_type": "client_credentials", "client_id": self.client_id, "scope": scopes[0]}
        with requests.Session() as session:
            # The environment's proxy and authority lead to the server, not to the provider.
            session.trust_env = False
            endpoint = f"{self.provider.issuer}/token"
            answer = session.post(endpoint, data=form, verify=self.provider.ca_file, timeout=30)
        answer.raise_for_status()
        token = answer.json()
        return AccessToken(token["access_token"], int(time.time()) + token["expires_in"])
