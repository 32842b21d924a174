-- What pulling by roster, probes for deletes and sweeps remember. Written and read by src/sync only. Times are epoch
-- milliseconds of the machine's clock, except high_water, which is the remote's own instant as text.

-- One row per patient (or resource, where each is read by its id) and roster stream: the last complete answer.
CREATE TABLE roster (
  stream_key TEXT NOT NULL,
  -- remote id of whom or what is asked for
  subject TEXT NOT NULL,
  connection TEXT NOT NULL,
  type TEXT NOT NULL,
  -- JSON: per request its condition, the mark of its answer and the remote ids in it
  answers TEXT NOT NULL,
  high_water TEXT,
  complete_at BIGINT,
  changed_at BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  PRIMARY KEY (stream_key, subject)
);
CREATE INDEX roster_stream ON roster (connection, type);

-- A linked resource that was missing where it should have been. It is asked for by its id until the answer is clear.
CREATE TABLE delete_probe (
  connection TEXT NOT NULL,
  type TEXT NOT NULL,
  remote_id TEXT NOT NULL,
  -- when it first answered 404
  missed_at BIGINT,
  next_at BIGINT NOT NULL,
  PRIMARY KEY (connection, type, remote_id)
);
CREATE INDEX delete_probe_due ON delete_probe (connection, next_at);

-- Small things known of a remote by name: its abilities at the last look, refused types, the canary, the clock's state.
CREATE TABLE remote_fact (
  connection TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (connection, name)
);
