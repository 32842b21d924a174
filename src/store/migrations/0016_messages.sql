-- Messages that can be searched, replayed and pruned, and outbox rows that know why they are there.

-- success, or how it failed: transient | ambiguous | conflict | permanent | auth
ALTER TABLE message ADD COLUMN class TEXT;
UPDATE message SET class = CASE
  WHEN outcome IN ('transient', 'ambiguous', 'conflict', 'permanent', 'auth') THEN outcome
  WHEN outcome = 'quarantined' THEN 'permanent'
  WHEN outcome = 'duplicate' THEN 'conflict'
  WHEN outcome = 'stopped' THEN 'transient'
  WHEN outcome = 'parked' THEN 'ambiguous'
  ELSE 'success' END;
-- JSON {"request": {…}, "response": {…}}: those that say something about the exchange, never a credential
ALTER TABLE message ADD COLUMN headers TEXT;
-- size as it went over the wire; the text itself may be cut
ALTER TABLE message ADD COLUMN request_bytes BIGINT;
ALTER TABLE message ADD COLUMN response_bytes BIGINT;

-- The newest of a stream, everything about one remote resource, one run, what a message was replayed as, and what was
-- never taken in: what operators search by and what retention must not remove.
CREATE INDEX message_stream ON message (connection, direction, type, at);
CREATE INDEX message_remote ON message (connection, type, remote_id, at);
CREATE INDEX message_run ON message (run_id);
CREATE INDEX message_replay ON message (replay_of) WHERE replay_of IS NOT NULL;
CREATE INDEX message_quarantined ON message (connection, at) WHERE outcome = 'quarantined';

-- How often in a row a newer remote version had to be merged before this could be sent.
ALTER TABLE outbox ADD COLUMN rebases INTEGER NOT NULL DEFAULT 0;
-- The message that a person wants sent again; the messages of the next attempt name it.
ALTER TABLE outbox ADD COLUMN replay_of TEXT;

CREATE INDEX conflict_at ON conflict (at);

-- Every row of a resource, ended ones too: the newest is looked for at each push.
CREATE INDEX outbox_resource ON outbox (connection, type, local_id);
