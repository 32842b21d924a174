-- Who is who, where a person must say. A question is about one remote record, so two of them may look like one of ours at the
-- same time; content and deletes are still at most one per resource of ours.
DROP INDEX conflict_open;
CREATE UNIQUE INDEX conflict_open ON conflict (connection, type, local_id)
  WHERE state = 'open' AND kind NOT IN ('identity', 'duplicate');
UPDATE conflict SET state = 'superseded' WHERE state = 'open' AND kind IN ('identity', 'duplicate') AND EXISTS (
  SELECT 1 FROM conflict other WHERE other.connection = conflict.connection AND other.type = conflict.type
    AND other.remote_id = conflict.remote_id AND other.state = 'open' AND other.kind IN ('identity', 'duplicate')
    AND other.id < conflict.id);
CREATE UNIQUE INDEX conflict_question ON conflict (connection, type, remote_id)
  WHERE state = 'open' AND kind IN ('identity', 'duplicate');
-- "Ask me later": not shown before.
ALTER TABLE conflict ADD COLUMN later BIGINT;
CREATE INDEX conflict_local ON conflict (connection, type, local_id) WHERE state = 'open';

-- Whom of ours the remote record may be.
CREATE TABLE match_candidate (
  conflict_id TEXT NOT NULL,
  local_id TEXT NOT NULL,
  -- identifier | rules | own-identifier | merged | unmerged
  why TEXT NOT NULL,
  -- sum of the rules; NULL where they were not asked
  score DOUBLE PRECISION,
  -- JSON: what each field said
  fields TEXT NOT NULL,
  PRIMARY KEY (conflict_id, local_id)
);
CREATE INDEX match_candidate_local ON match_candidate (local_id);

-- A person's word that two records are not one; never asked again.
CREATE TABLE not_the_same (
  connection TEXT NOT NULL,
  type TEXT NOT NULL,
  local_id TEXT NOT NULL,
  remote_id TEXT NOT NULL,
  decided_by TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (connection, type, remote_id, local_id)
);

-- What was received of, or about, somebody whose identity is asked: as it came, taken in after the answer.
CREATE TABLE held_resource (
  connection TEXT NOT NULL,
  type TEXT NOT NULL,
  remote_id TEXT NOT NULL,
  -- the remote record that is asked about
  waits_type TEXT NOT NULL,
  waits_id TEXT NOT NULL,
  body TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (connection, type, remote_id)
);
CREATE INDEX held_for ON held_resource (connection, waits_type, waits_id);

-- Two patients of ours that are one: on a server that merged its records, or by a person's word.
CREATE TABLE patient_merge (
  connection TEXT NOT NULL,
  from_remote TEXT NOT NULL,
  to_remote TEXT NOT NULL,
  -- the same when only the remote record changed
  from_local TEXT NOT NULL,
  to_local TEXT NOT NULL,
  -- reported: what came from the server moves. decided: everything does. asked: a person must say. done
  state TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (connection, from_remote, to_remote)
);
CREATE INDEX identity_alias ON identity (connection, type, remote_id) WHERE state = 'replaced';
