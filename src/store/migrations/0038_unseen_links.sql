-- Why a linked resource that is absent there may have been lost by the server instead of deleted by somebody: `replaced`, the
-- server was found to be another than it was; `missing`, the sweep since did not find it; `lost`, a person says so. NULL once
-- the server has shown it.
ALTER TABLE identity ADD COLUMN unseen TEXT;
CREATE INDEX identity_unseen ON identity (connection, type, remote_id) WHERE unseen IS NOT NULL;
-- The newest of ours, by which it is noticed that the server was replaced.
DROP INDEX identity_canary;
CREATE INDEX identity_canary ON identity (connection, at DESC, remote_id)
  WHERE how = 'created-by-us' AND state = 'linked' AND unseen IS NULL;
