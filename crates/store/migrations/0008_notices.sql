-- Who is told of what happens in a vault, and what has still to be told.

-- `endpoint` is a slot with the receiver's whole URL, sealed. The name is folded. `waiting` is how many deliveries there
-- are: counting them with each change would take its time.
CREATE TABLE event_subscriptions (
    number INTEGER PRIMARY KEY,
    container BLOB NOT NULL REFERENCES containers (id),
    name TEXT NOT NULL,
    endpoint INTEGER NOT NULL,
    waiting INTEGER NOT NULL DEFAULT 0,
    record TEXT NOT NULL,
    UNIQUE (container, name)
) STRICT;

-- Written with the change they tell of, a row for each event subscription. A position is never given twice, so that the
-- late outcome of an attempt meets no other delivery.
CREATE TABLE deliveries (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    event_subscription INTEGER NOT NULL REFERENCES event_subscriptions (number),
    due INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX deliveries_due ON deliveries (event_subscription, due, position);

-- When the end of an object's current version is to be told of; NULL for a deleted object. What was made before is told
-- of 30 days before its end. Where a rotation policy says when to notify, the loop is to look at once: it knows the date,
-- which may be an earlier one.
ALTER TABLE objects ADD COLUMN next_notice INTEGER;
CREATE INDEX objects_due_notice ON objects (next_notice) WHERE next_notice IS NOT NULL;
UPDATE objects SET record = json_set(record, '$.next_notice', expiring.near),
    next_notice = CASE deleted WHEN 0 THEN expiring.near END
FROM (
    SELECT o.number AS object,
        CASE WHEN o.record ->> '$.rotation.notify' IS NULL THEN (v.record ->> '$.attributes.expires') - 2592000 ELSE 0 END
            AS near
    FROM objects o JOIN versions v ON v.object = o.number AND v.id = o.current
    WHERE v.record ->> '$.attributes.expires' IS NOT NULL
) AS expiring WHERE objects.number = expiring.object;
