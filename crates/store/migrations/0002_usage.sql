-- What was used, by container and calendar month in UTC. Figures outlive containers.

-- Every container there is or was. The record is as at the creation; `purged_at` is a truth beside it.
CREATE TABLE lifetimes (
    container BLOB PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    subscription BLOB NOT NULL,
    resource_group TEXT NOT NULL,
    purged_at INTEGER,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX lifetimes_by_subscription ON lifetimes (subscription, container);

INSERT INTO lifetimes (container, kind, name, subscription, resource_group, purged_at, record)
SELECT id, kind, name, subscription, resource_group, NULL, json_object(
    'container', record ->> '$.id',
    'kind', CASE kind WHEN 'vault' THEN 'Vault' ELSE 'ManagedHsm' END,
    'name', record ->> '$.name',
    'arm_id', '/subscriptions/' || (record ->> '$.resource.subscription')
        || '/resourceGroups/' || (record ->> '$.resource.resource_group')
        || '/providers/Microsoft.KeyVault/' || CASE kind WHEN 'vault' THEN 'vaults' ELSE 'managedHSMs' END
        || '/' || (record ->> '$.name'),
    'location', record ->> '$.location',
    'sku', record ->> '$.sku.name',
    'created', record -> '$.created'
) FROM containers;

-- Months are counted from January of year 0.
CREATE TABLE operation_counts (
    container BLOB NOT NULL,
    month INTEGER NOT NULL,
    operation TEXT NOT NULL,
    refused INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (container, month, operation, refused)
) STRICT, WITHOUT ROWID;

-- HSM-protected key versions of vaults: the latest use in each month, in seconds.
CREATE TABLE key_uses (
    container BLOB NOT NULL,
    month INTEGER NOT NULL,
    name TEXT NOT NULL,
    version BLOB NOT NULL,
    last_use INTEGER NOT NULL,
    PRIMARY KEY (container, month, name, version)
) STRICT, WITHOUT ROWID;
