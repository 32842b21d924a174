-- What remotes hinted at, and first loads under way. Written and read by src/sync/hints and src/sync/bulk only. Times are
-- epoch milliseconds of the machine's clock, except transaction_time, which is the remote's own instant as text.

-- A resource (or, with an empty remote_id, a whole stream) that is to be read soon. Never content.
CREATE TABLE hint (
  connection TEXT NOT NULL,
  type TEXT NOT NULL,
  remote_id TEXT NOT NULL,
  -- grows with every hint, so that one which comes during the reading is not taken for done
  marks BIGINT NOT NULL,
  attempts INTEGER NOT NULL,
  next_at BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (connection, type, remote_id)
);

-- The Subscriptions at remotes that hints come from: ours, and those that others made for us.
CREATE TABLE hint_source (
  connection TEXT NOT NULL,
  -- id of the Subscription there
  remote_id TEXT NOT NULL,
  -- empty when not known
  type TEXT NOT NULL,
  -- 1: made by us, renewed by us
  ours INTEGER NOT NULL,
  -- requested | active | error | off
  status TEXT NOT NULL,
  -- events that were heard of, by number
  event_number BIGINT,
  heartbeat_seconds INTEGER,
  heard_at BIGINT,
  checked_at BIGINT NOT NULL,
  ends_at BIGINT,
  PRIMARY KEY (connection, remote_id)
);

-- The first load of a connection by bulk export: one, ever, unless a person removes the row.
CREATE TABLE bulk_job (
  connection TEXT PRIMARY KEY,
  -- requested | loading | done | failed
  state TEXT NOT NULL,
  -- JSON: the types that it brings
  types TEXT NOT NULL,
  status_url TEXT,
  transaction_time TEXT,
  -- times it was begun
  attempts INTEGER NOT NULL,
  next_at BIGINT NOT NULL,
  detail TEXT,
  at BIGINT NOT NULL
);

CREATE TABLE bulk_file (
  connection TEXT NOT NULL,
  position INTEGER NOT NULL,
  -- a resource type; OperationOutcome for errors
  type TEXT NOT NULL,
  url TEXT NOT NULL,
  -- 1: asked for with our credential
  with_token INTEGER NOT NULL,
  -- waiting | done | failed
  state TEXT NOT NULL,
  -- lines that are in the store
  lines BIGINT NOT NULL,
  PRIMARY KEY (connection, position)
);
