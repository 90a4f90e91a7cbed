-- Groups, and names that only one user has.

-- Of users alone, folded; derived from the record at each write.
ALTER TABLE principals ADD COLUMN user_name TEXT;
CREATE UNIQUE INDEX principals_by_user_name ON principals (user_name) WHERE user_name IS NOT NULL;

-- `team` is the group, whose own name is a word of SQL.
CREATE TABLE memberships (
    team BLOB NOT NULL REFERENCES principals (object_id),
    member BLOB NOT NULL REFERENCES principals (object_id),
    PRIMARY KEY (team, member)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_by_member ON memberships (member, team);
