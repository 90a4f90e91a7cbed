-- Records of the audit log that become durable together lie in one row, packed: they are much alike. `position` is that
-- of the last record in the row, `count` says how many there are. A single record stays the text it is.
ALTER TABLE audit ADD COLUMN count INTEGER NOT NULL DEFAULT 1;
ALTER TABLE audit ADD COLUMN pack BLOB;
