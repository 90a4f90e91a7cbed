-- Custom role definitions. `realm` as in role_assignments: empty for Azure RBAC, else the managed HSM they are local to.
CREATE TABLE role_definitions (
    realm BLOB NOT NULL,
    id BLOB NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (realm, id)
) STRICT, WITHOUT ROWID;
