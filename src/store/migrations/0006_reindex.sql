-- By which search parameters the current resources of each type are indexed, whole and without gaps.

-- parameters is JSON: code to fingerprint of its definition. A code that is not here must not be searched by yet.
CREATE TABLE search_index (
  type TEXT PRIMARY KEY,
  parameters TEXT NOT NULL
);

-- Types whose resources are being indexed again, in the order of resource.rid: all up to position are done, the last one
-- is upto. What was written later than upto is indexed by all parameters anyway.
CREATE TABLE reindex (
  type TEXT PRIMARY KEY,
  -- JSON: what search_index gets in addition when this is done
  parameters TEXT NOT NULL,
  position BIGINT NOT NULL,
  upto BIGINT NOT NULL
);
