"""The audit log, checked by somebody else: proofs and exports that the binary prints, verified from the documents alone."""

import base64
import json
import subprocess

import pytest

from harness import BINARY, Server, own_client
from transparency import Verifier, is_consistent, is_included, leaf_hash, tree_hash

KEYS = 7


class Log:
    """The log of a server that runs, through the command line."""

    def __init__(self, server):
        self.place = ["--dir", str(server.folder / ".strongroom")]

    def run(self, *words):
        return subprocess.run([BINARY, "audit", *words, *self.place], capture_output=True, timeout=60)

    def text(self, *words):
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()

    def prove(self, *words):
        return json.loads(self.text("prove", *words))

    def records(self, *words):
        return [json.loads(line) for line in self.text("list", "--limit", "10000", *words).splitlines()]


@pytest.fixture(scope="module")
def strongroom(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audit")
    server = Server(folder / "server")
    client = own_client(server, folder / "client")
    for number in range(KEYS):
        client(f"key create --vault-name devvault --name k{number} --kty EC")
        client(f"key delete --vault-name devvault --name k{number}")
        if number % 2 == 0:
            client(f"key purge --vault-name devvault --name k{number}")
    client(f"key create --vault-name devvault --name unsigned --kty EC")
    yield server, client
    server.stop()


@pytest.fixture(scope="module")
def log(strongroom):
    return Log(strongroom[0])


@pytest.fixture(scope="module")
def verifier(log):
    return Verifier(log.text("key").strip())


@pytest.fixture(scope="module")
def export(log):
    lines = [json.loads(line) for line in log.text("export").splitlines()]
    leaves = [line["leaf"].encode() for line in lines if "leaf" in line]
    notes = [line["checkpoint"] for line in lines if "checkpoint" in line]
    assert (lines[0]["first"], lines[0]["peaks"]) == (1, [])
    assert [line["position"] for line in lines if "leaf" in line] == list(range(1, len(leaves) + 1))
    assert lines[-1] == {"last": len(leaves), "checkpoints": len(notes)}
    return leaves, notes


def hashes(texts):
    return [base64.b64decode(text, validate=True) for text in texts]


def test_every_checkpoint_of_an_export_is_the_tree_over_its_records(export, verifier):
    leaves, notes = export
    hashed = [leaf_hash(leaf) for leaf in leaves]
    assert len(notes) >= KEYS / 2
    for note in notes:
        checkpoint = verifier.checkpoint(note)
        assert checkpoint.origin == verifier.name
        assert checkpoint.root == tree_hash(hashed[: checkpoint.size])


def test_the_leaves_are_the_records(export, log):
    leaves, _ = export
    records = log.records()
    for record, leaf in zip(records, leaves):
        assert record["record"] == json.loads(leaf)


def test_every_signed_record_is_proven(log, verifier, export):
    leaves, notes = export
    sizes = [verifier.checkpoint(note).size for note in notes]
    for position in range(1, sizes[-1] + 1):
        proof = log.prove("--position", str(position), "--size", str(sizes[-1]))
        checkpoint = verifier.checkpoint(proof["checkpoint"])
        path = hashes(proof["hashes"])
        leaf = proof["leaf"].encode()
        assert leaf == leaves[position - 1]
        assert (proof["index"], proof["size"]) == (position - 1, checkpoint.size)
        assert hashes([proof["root"]]) == [checkpoint.root]
        assert is_included(leaf, proof["index"], checkpoint.size, path, checkpoint.root)
        # What the proof is not of.
        assert not is_included(leaf + b" ", proof["index"], checkpoint.size, path, checkpoint.root)
        assert not is_included(leaf, proof["index"] ^ 1, checkpoint.size, path, checkpoint.root)
        assert not is_included(leaf, proof["index"], checkpoint.size, path[1:], checkpoint.root)


def test_every_older_checkpoint_is_a_beginning_of_every_newer_one(log, verifier, export):
    _, notes = export
    checkpoints = [verifier.checkpoint(note) for note in notes]
    for old in checkpoints:
        for new in checkpoints:
            if old.size > new.size:
                continue
            proof = log.prove("--from", str(old.size), "--to", str(new.size))
            path = hashes(proof["hashes"])
            assert verifier.checkpoint(proof["fromCheckpoint"]) == old
            assert verifier.checkpoint(proof["toCheckpoint"]) == new
            assert is_consistent(old.size, new.size, path, old.root, new.root)
            assert old.size == new.size or not is_consistent(old.size, new.size, path, new.root, old.root)


def test_a_note_that_was_changed_is_not_signed(verifier, export):
    _, notes = export
    size = str(verifier.checkpoint(notes[-1]).size)
    assert verifier.checkpoint(notes[-1].replace(f"\n{size}\n", f"\n{size}0\n")) is None
    assert verifier.checkpoint(notes[-1].replace("strongroom/", "strongroom/x", 1)) is None


@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_purge_is_proven_as_soon_as_it_is_answered(strongroom, log, verifier, number):
    _, client = strongroom
    client(f"key purge --vault-name devvault --name k{number}")
    purge = log.records("--operation", "KeyPurge", "--container", "devvault")[-1]
    assert purge["record"]["properties"]["id"] == f"/keys/k{number}"
    proof = log.prove("--position", str(purge["position"]))
    checkpoint = verifier.checkpoint(proof["checkpoint"])
    assert is_included(
        proof["leaf"].encode(), proof["index"], checkpoint.size, hashes(proof["hashes"]), checkpoint.root
    )


def test_records_are_chosen_by_what_they_tell(strongroom, log):
    server, client = strongroom
    administrator = {record["position"] for record in log.records("--caller", server["OBJECT_ID"])}
    assert administrator == {record["position"] for record in log.records("--caller", server["APP_ID"])}
    failed = log.records("--failed")
    assert failed and all(record["record"]["resultType"] == "Failure" for record in failed)
    created = log.records("--operation", "keycreate", "--container", "devvault")
    assert len(created) == KEYS + 1
    assert log.records("--since", "2000-01-01", "--until", "1h") == []
    # What was asked last may reach the log between one list and the next.
    recent = log.records("--since", "1h")
    assert recent and recent == log.records()[: len(recent)]
    assert len(log.text("list", "--limit", "3").splitlines()) == 3


def test_the_tail_goes_on(strongroom, log):
    _, client = strongroom
    words = [BINARY, "audit", "tail", "-f", "-n", "1", "--operation", "KeyCreate", *log.place]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as tail:
        first = json.loads(tail.stdout.readline())
        client("key create --vault-name devvault --name followed --kty EC")
        second = json.loads(tail.stdout.readline())
        tail.terminate()
    assert second["position"] > first["position"]
    assert second["record"]["properties"]["id"] == "/keys/followed"


def test_an_export_verifies_with_the_binary_too(log, tmp_path):
    export = tmp_path / "export.jsonl"
    log.text("export", "--out", str(export))
    key = log.text("key").strip()
    verify = [BINARY, "audit", "verify", "--export", str(export), "--key", key]
    assert subprocess.run(verify, capture_output=True).returncode == 0
    lines = export.read_text().splitlines(keepends=True)
    lines[1] = lines[1].replace("VaultPut", "VaultPot")
    export.write_text("".join(lines))
    found = subprocess.run(verify, capture_output=True, text=True)
    assert found.returncode == 1
    assert "record 1 is not the one that was signed" in found.stdout
