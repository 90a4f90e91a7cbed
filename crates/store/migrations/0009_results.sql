-- The results of control-plane operations are for the polls that follow, and are forgotten when nobody asks any more.
ALTER TABLE operation_results ADD COLUMN created INTEGER NOT NULL DEFAULT 0;
UPDATE operation_results SET created = json_extract(record, '$.created');
CREATE INDEX operation_results_by_age ON operation_results (created);
