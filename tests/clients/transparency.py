"""RFC 9162 and C2SP's notes once more, from the documents and in another language: what Strongroom's audit log proves must
convince a program that shares nothing with it."""

import base64
import dataclasses
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def leaf_hash(leaf):
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree_hash(leaves):
    """RFC 9162, 2.1.1: the hash over a list of leaf hashes, by its definition."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(tree_hash(leaves[:split]), tree_hash(leaves[split:]))


def is_included(leaf, index, size, path, root):
    """RFC 9162, 2.1.3.2."""
    if index >= size:
        return False
    node, last, current = index, size - 1, leaf_hash(leaf)
    for sibling in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            current = node_hash(sibling, current)
            while not node & 1 and node != 0:
                node, last = node >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and current == root


def is_consistent(first, second, path, first_root, second_root):
    """RFC 9162, 2.1.4.2."""
    if first == second:
        return not path and first_root == second_root
    if not 0 < first < second or not path:
        return False
    if first & (first - 1) == 0:
        path = [first_root, *path]
    node, last = first - 1, second - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1 and node != 0:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


@dataclasses.dataclass
class Checkpoint:
    origin: str
    size: int
    root: bytes


class Verifier:
    """The key in a text `name+hash+key`."""

    def __init__(self, text):
        self.name, short, key = text.split("+", 2)
        typed = base64.b64decode(key, validate=True)
        assert typed[0] == 1, "the kind of signature that Ed25519 has"
        self.id = hashlib.sha256(self.name.encode() + b"\n" + typed).digest()[:4]
        assert self.id.hex() == short
        self.key = Ed25519PublicKey.from_public_bytes(typed[1:])

    def checkpoint(self, note):
        """What a note says, if this key has signed it; else None."""
        text, _, signatures = note.rpartition("\n\n")
        text += "\n"
        for line in signatures.splitlines():
            mark, name, signature = line.split(" ")
            signature = base64.b64decode(signature, validate=True)
            if mark == "\u2014" and name == self.name and signature[:4] == self.id:
                try:
                    self.key.verify(signature[4:], text.encode())
                except InvalidSignature:
                    return None
                origin, size, root = text.splitlines()
                return Checkpoint(origin, int(size), base64.b64decode(root, validate=True))
        return None
