-- The loops act on every kind of object: keys rotate, certificates are renewed.
DROP INDEX objects_due_rotation;
ALTER TABLE objects RENAME COLUMN next_rotation TO next_action;
CREATE INDEX objects_due_action ON objects (next_action) WHERE next_action IS NOT NULL;

-- Who signs a vault's certificates, and whom it tells about them. A password is sealed, in a slot of its own.
CREATE TABLE issuers (
    container BLOB NOT NULL REFERENCES containers (id),
    name TEXT NOT NULL,
    password INTEGER,
    record TEXT NOT NULL,
    PRIMARY KEY (container, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE contacts (
    container BLOB PRIMARY KEY NOT NULL REFERENCES containers (id),
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;
