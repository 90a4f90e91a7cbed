-- What makes the audit log tamper-evident. A record's leaf number is its position less one.

-- The log's Merkle tree: up to 256 hashes of one level in a row (C2SP tlog-tiles). Full tiles never change.
CREATE TABLE audit_tiles (
    level INTEGER NOT NULL,
    number INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    PRIMARY KEY (level, number)
) STRICT;

-- Signed heads of the tree. `time` is when they were signed; the note itself does not say.
CREATE TABLE audit_checkpoints (
    size INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    note TEXT NOT NULL
) STRICT;
