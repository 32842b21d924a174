-- How far each type that flows out has been marked for its connection. A type that is named later begins at the beginning of
-- the log, and one that was taken away goes on where it was. Written and read by src/sync/push.
CREATE TABLE fed_type (
  connection TEXT NOT NULL,
  type TEXT NOT NULL,
  -- log position; not behind that of the cursor of the connection but for types that have to catch up
  sequence BIGINT NOT NULL,
  PRIMARY KEY (connection, type)
);

-- What has been sent before is not sent anew.
INSERT INTO fed_type (connection, type, sequence)
  SELECT DISTINCT outbox.connection, outbox.type, cursor.sequence
    FROM outbox JOIN cursor ON cursor.name = 'sync:' || outbox.connection
    WHERE outbox.fault IS NULL OR outbox.fault <> 'comes-in-only';

-- What was given up because there was no way to the server, for when there is one.
CREATE INDEX outbox_no_way ON outbox (connection, type, local_id)
  WHERE state = 'superseded' AND fault IN ('no-capability', 'comes-in-only');
