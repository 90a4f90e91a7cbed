-- Locks of the control plane. Scope and name are folded as the domain folds them; the locks below a scope are the range
-- of those that begin with it and a slash.
CREATE TABLE locks (
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (scope, name)
) STRICT, WITHOUT ROWID;
