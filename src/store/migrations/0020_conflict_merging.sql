-- How the two copies of a conflict were merged, so that it can be done again when what they refer to has been linked since.
-- newer | older | forked: src/sync/pull/version-age.ts
ALTER TABLE conflict ADD COLUMN age TEXT NOT NULL DEFAULT 'newer';
-- 1 when the answer to an update of ours was missing then
ALTER TABLE conflict ADD COLUMN doubted INTEGER NOT NULL DEFAULT 0;

-- It was there twice; whether a counterpart was let go is asked by our id.
DROP INDEX identity_replaced;
CREATE INDEX identity_replaced ON identity (connection, type, local_id) WHERE state = 'replaced';
