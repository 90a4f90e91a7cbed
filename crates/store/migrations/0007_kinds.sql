-- The loops act on every kind of object: keys rotate, certificates are renewed.
DROP INDEX objects_due_rotation;
ALTER TABLE objects RENAME COLUMN next_rotation TO next_action;
CREATE INDEX objects_due_action ON objects (next_action) WHERE next_action IS NOT NULL;
