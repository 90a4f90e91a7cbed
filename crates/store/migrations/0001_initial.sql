-- The first schema.
--
-- `record` is the JSON of the domain's value and the only truth; every other column of a row is derived from it at
-- each write, for an index. Names are folded as the domain folds them. Identifiers are 16 bytes.

-- Everything sealed lives here: keys of containers and objects, material of versions, the service's own secrets.
-- Rows are only appended, overwritten in place by bytes of the same length, and zeroed: never deleted, never resized.
-- Thus no row is ever moved by the B-tree, and overwriting it reaches the only place it has ever been. (secure_delete
-- alone does not: balancing a page leaves copies of moved rows behind that no later deletion finds.)
CREATE TABLE slots (
    id INTEGER PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT;

-- Zeroed slots, to be used again for a value of the same padded size.
CREATE TABLE free_slots (
    size INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    PRIMARY KEY (size, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE containers (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    subscription BLOB NOT NULL,
    resource_group TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    purge_at INTEGER,
    sealed_key INTEGER NOT NULL,
    record TEXT NOT NULL,
    UNIQUE (kind, name)
) STRICT;
CREATE INDEX containers_listed ON containers (kind, deleted, name);
CREATE INDEX containers_by_subscription ON containers (kind, deleted, subscription, name);
CREATE INDEX containers_by_group ON containers (kind, deleted, subscription, resource_group, name);
CREATE INDEX containers_due ON containers (purge_at) WHERE purge_at IS NOT NULL;
-- Answers "is its container live?" without touching the row.
CREATE INDEX containers_live ON containers (id, deleted);

CREATE TABLE objects (
    number INTEGER PRIMARY KEY,
    container BLOB NOT NULL REFERENCES containers (id),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    purge_at INTEGER,
    -- NULL for a deleted object, whatever its record says: it does not rotate.
    next_rotation INTEGER,
    current BLOB NOT NULL,
    sealed_key INTEGER NOT NULL,
    record TEXT NOT NULL,
    UNIQUE (container, kind, name)
) STRICT;
CREATE INDEX objects_listed ON objects (container, kind, deleted, name);
CREATE INDEX objects_due ON objects (purge_at) WHERE purge_at IS NOT NULL;
CREATE INDEX objects_due_rotation ON objects (next_rotation) WHERE next_rotation IS NOT NULL;

-- A version's id is unique within its object only: a backup restored elsewhere brings the same ids along.
CREATE TABLE versions (
    number INTEGER PRIMARY KEY,
    object INTEGER NOT NULL REFERENCES objects (number),
    sequence INTEGER NOT NULL,
    id BLOB NOT NULL,
    material INTEGER NOT NULL,
    record TEXT NOT NULL,
    UNIQUE (object, sequence),
    UNIQUE (object, id)
) STRICT;

-- `realm` is empty for Azure RBAC, else the container whose local roles these are.
CREATE TABLE role_assignments (
    realm BLOB NOT NULL,
    name BLOB NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (realm, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE subscriptions (
    id BLOB PRIMARY KEY NOT NULL,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE resource_groups (
    subscription BLOB NOT NULL,
    name TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (subscription, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE principals (
    object_id BLOB PRIMARY KEY NOT NULL,
    app_id BLOB UNIQUE,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE operation_results (
    id BLOB PRIMARY KEY NOT NULL,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE system_records (
    name TEXT PRIMARY KEY NOT NULL,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    position INTEGER PRIMARY KEY,
    record TEXT NOT NULL
) STRICT;
