"""What the client tests share: a server of their own, the real az, and how a refusal reads."""

import concurrent.futures
import dataclasses
import json
import os
import re
import shlex
import signal
import subprocess

import requests

BINARY = os.environ["STRONGROOM_BIN"]
AZ = os.environ["AZ"]

DAY = 86_400
# Of nothing, by SHA-256, in the base64 that az takes.
DIGEST = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
ROTATION_POLICY = json.dumps(
    {
        "lifetimeActions": [{"trigger": {"timeAfterCreate": "P90D"}, "action": {"type": "Rotate"}}],
        "attributes": {"expiryTime": "P1Y"},
    }
)
# az is mostly Python starting up: more at once than this only slows each of them down.
AZ_AT_ONCE = 3


class Server:
    """A `strongroom dev` and its connection facts, by the names they have in its environment file."""

    def __init__(self, folder, *arguments, port=0):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.log = folder / "server.log"
        environment_file = folder / "facts.env"
        command = [BINARY, "dev", "--port", str(port), "--env-file", str(environment_file), *arguments]
        self.process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=self.log.open("w"), text=True
        )
        for line in self.process.stdout:
            if line.startswith("Strongroom is ready"):
                break
        else:
            raise RuntimeError(f"the server did not start: {self.log.read_text()}")
        self.environment_file = environment_file
        self.facts = dict(shlex.split(line)[0].split("=", 1) for line in environment_file.read_text().splitlines())

    def __getitem__(self, fact):
        return self.facts[fact]

    def read_instructions(self, until):
        """What the server printed after it was ready, up to a line that holds some words."""
        lines = []
        for line in self.process.stdout:
            lines.append(line.rstrip("\n"))
            if until in line:
                break
        return lines

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=30) == 0, self.log.read_text()

    def advance(self, days):
        """Moves the server's clock forward. What has become due is done when this returns."""
        answer = self.post("/dev/clock/advance", {"seconds": int(days * DAY)})
        assert answer.status_code == 200, answer.text

    def post(self, path, body):
        return requests.post(self["BASE_URL"] + path, json=body, verify=self["CA_FILE"], timeout=30)

    def environment(self):
        """The environment of a client: this server's proxy and CA, and nothing that leads elsewhere."""
        foreign = re.compile("AZURE_|STRONGROOM_|ARM_|(HTTPS?|ALL|NO)_PROXY", re.IGNORECASE)
        own = {name: value for name, value in os.environ.items() if not foreign.match(name)}
        trusted = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")
        return {**own, "HTTPS_PROXY": self["CLIENT_PROXY"], **dict.fromkeys(trusted, self["CA_FILE"])}

    def az_environment(self, folder):
        return {
            **self.environment(),
            "AZURE_CONFIG_DIR": str(folder),
            "AZURE_CORE_COLLECT_TELEMETRY": "false",
            "AZURE_AUTO_UPGRADE_ENABLE": "false",
            "AZURE_CORE_NO_COLOR": "true",
            "AZURE_CORE_ONLY_SHOW_ERRORS": "true",
        }

    def sdk_environment(self, principal=""):
        """What azure-identity reads, in any language. A principal is a role's name in capitals, with an underscore
        behind it; none is the administrator."""
        return {
            **self.environment(),
            "AZURE_AUTHORITY_HOST": self["AUTHORITY"],
            "AZURE_TENANT_ID": self["TENANT"],
            "AZURE_CLIENT_ID": self[f"{principal}APP_ID"],
            "AZURE_CLIENT_SECRET": self[f"{principal}APP_SECRET"],
        }

    def vault_url(self, name="devvault"):
        return f"https://{name}{self['VAULT_SUFFIX']}"

    def hsm_url(self, name="devhsm"):
        return f"https://{name}{self['HSM_SUFFIX']}"


@dataclasses.dataclass
class Refusal:
    """What a command-line client says when it fails."""

    exit_code: int
    text: str

    @property
    def code(self):
        """`Conflict` of `ERROR: (Conflict) Key …`, or of the answer that `az rest` prints as it came."""
        found = re.search(r'ERROR: \(([\w ]+)\)|"error":\s*\{"code":\s*"([\w ]+)"', self.text)
        return found and (found.group(1) or found.group(2))

    @property
    def inner(self):
        """The code of the inner error, as az prints it and as the binary's own client does."""
        found = re.search(r'Inner error: (?:\{\s*"code": ")?(\w+)', self.text)
        return found.group(1) if found else None


class CommandLine:
    """A program that takes commands, prints JSON, and says no on standard error."""

    def __init__(self, program, environment, folder):
        self.program = program
        self.environment = environment
        self.folder = folder

    def run(self, line, stdin=None):
        return subprocess.run(
            [self.program, *shlex.split(line)],
            env=self.environment,
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def __call__(self, line):
        """Runs a command that must succeed, and gives what it printed as JSON."""
        done = self.run(f"{line} --output json")
        assert done.returncode == 0, f"{line}: {done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    def run_lines(self, lines):
        """Runs lines of a shell that know the program by its own name."""
        path = f"{os.path.dirname(self.program)}:{self.environment['PATH']}"
        shell = ["bash", "-e", "-u", "-o", "pipefail", "-c", lines]
        environment = {**self.environment, "PATH": path}
        done = subprocess.run(
            shell, env=environment, cwd=self.folder, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, f"{lines}\n{done.stdout}\n{done.stderr}"

    def text(self, line):
        done = self.run(line)
        assert done.returncode == 0, f"{line}: {done.stderr}"
        return done.stdout

    def refuses(self, line):
        done = self.run(line)
        assert done.returncode != 0, f"{line} should have failed: {done.stdout}"
        return Refusal(done.returncode, done.stderr)

    def together(self, *lines):
        """Runs commands that do not depend on each other."""
        return in_parallel(self, lines)

    def refuses_each(self, *lines):
        return in_parallel(self.refuses, lines)


def in_parallel(function, arguments):
    with concurrent.futures.ThreadPoolExecutor(AZ_AT_ONCE) as pool:
        return list(pool.map(function, arguments))


class Az(CommandLine):
    """The Azure CLI on the cloud it knows, with Azure's own names, signed in as one of the server's principals."""

    def __init__(self, server, folder, principal=""):
        super().__init__(AZ, server.az_environment(folder), folder)
        folder.mkdir(parents=True, exist_ok=True)
        app_id, secret = server[f"{principal}APP_ID"], server[f"{principal}APP_SECRET"]
        # Roles of a managed HSM give no access to any subscription.
        login = f"login --service-principal --tenant {server['TENANT']} --allow-no-subscriptions"
        # A secret may begin with a hyphen.
        self(f"{login} --username {app_id} --password={secret}")


def own_client(server, folder, **environment):
    """The binary as a client of the server."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = {"STRONGROOM_ENV_FILE": str(server.environment_file), **environment}
    return CommandLine(BINARY, {**server.environment(), **facts}, folder)
