-- What sync remembers about external FHIR servers. Written and read by src/sync only, through Store.commit (alongside)
-- and Store.query. Times are epoch milliseconds of the machine's clock, except high_water and window_*, which are the
-- remote's own instants as text. The states are total tables in src/sync; docs/sync-spec.md says what must hold.

-- One row per resource that crosses a connection: who is who, and the last two bodies known to be equal.
CREATE TABLE identity (
  connection TEXT NOT NULL,
  type TEXT NOT NULL,
  local_id TEXT NOT NULL,
  remote_id TEXT NOT NULL,
  remote_version TEXT,
  remote_hash TEXT,
  base_version TEXT,
  base_local TEXT,
  base_remote TEXT,
  -- linked | conflict | tombstone | replaced
  state TEXT NOT NULL,
  -- created-by-us | created-by-them | matched-identifier | matched-manual | projected
  how TEXT NOT NULL,
  replaced_by TEXT,
  at BIGINT NOT NULL
);
CREATE UNIQUE INDEX identity_local ON identity (connection, type, local_id) WHERE state <> 'replaced';
CREATE UNIQUE INDEX identity_remote ON identity (connection, type, remote_id) WHERE state <> 'replaced';

-- A mark that a resource may differ from its remote copy. The body is computed when it is sent, never stored here.
CREATE TABLE outbox (
  id TEXT PRIMARY KEY,
  connection TEXT NOT NULL,
  type TEXT NOT NULL,
  local_id TEXT NOT NULL,
  -- log position of the newest change the row stands for
  upto_sequence BIGINT NOT NULL,
  -- queued | sending | sent | parked | rejected | superseded
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  next_at BIGINT NOT NULL,
  lease_token TEXT,
  lease_until BIGINT,
  -- same for every attempt to create the same resource; sent as X-Request-Id
  intent_key TEXT,
  -- when a search by our identifier last found nothing after an ambiguous create
  probed_at BIGINT,
  -- Type/id of a resource that must be linked first
  waits_for TEXT,
  fault TEXT,
  fault_class TEXT,
  detail TEXT,
  at BIGINT NOT NULL
);
CREATE UNIQUE INDEX outbox_live ON outbox (connection, type, local_id) WHERE state IN ('queued', 'sending', 'parked');
CREATE INDEX outbox_due ON outbox (connection, state, next_at);
CREATE INDEX outbox_waiting ON outbox (connection, waits_for) WHERE waits_for IS NOT NULL;

-- How far each stream (connection, type, filter, strategy, mapping version) has been read.
CREATE TABLE checkpoint (
  stream_key TEXT PRIMARY KEY,
  connection TEXT NOT NULL,
  type TEXT NOT NULL,
  strategy TEXT NOT NULL,
  -- everything the remote changed up to here is committed locally
  high_water TEXT,
  overlap_seconds INTEGER NOT NULL,
  -- next page of a window that is not finished; the remote's clock when it began; newest lastUpdated seen in it
  cursor TEXT,
  window_start TEXT,
  window_max TEXT,
  -- fingerprint of the remote; another one means another server behind the same address
  epoch TEXT,
  -- JSON: the last runs, newest first
  history TEXT NOT NULL,
  ran_at BIGINT NOT NULL
);

-- A difference that waits for a person. Both sides are kept.
CREATE TABLE conflict (
  id TEXT PRIMARY KEY,
  connection TEXT NOT NULL,
  type TEXT NOT NULL,
  local_id TEXT NOT NULL,
  remote_id TEXT NOT NULL,
  -- content | identity | duplicate | deleted
  kind TEXT NOT NULL,
  base TEXT,
  local TEXT,
  local_version TEXT,
  -- the remote's copy in local terms, and as it was received
  remote TEXT,
  remote_body TEXT,
  remote_version TEXT,
  proposed TEXT,
  -- JSON: elements that could not be merged
  paths TEXT NOT NULL,
  -- open | resolved | superseded
  state TEXT NOT NULL,
  resolution TEXT,
  resolved_by TEXT,
  resolved_at BIGINT,
  at BIGINT NOT NULL
);
CREATE UNIQUE INDEX conflict_open ON conflict (connection, type, local_id) WHERE state = 'open';

-- Every exchange with a remote, and every resource that could not be taken in.
CREATE TABLE message (
  id TEXT PRIMARY KEY,
  connection TEXT NOT NULL,
  run_id TEXT NOT NULL,
  -- push | pull
  direction TEXT NOT NULL,
  type TEXT,
  local_id TEXT,
  remote_id TEXT,
  method TEXT,
  url TEXT,
  status INTEGER,
  request TEXT,
  response TEXT,
  outcome TEXT NOT NULL,
  detail TEXT,
  duration_ms INTEGER,
  replay_of TEXT,
  at BIGINT NOT NULL
);
CREATE INDEX message_resource ON message (connection, type, local_id);
CREATE INDEX message_at ON message (at);

-- Pulled resources that refer to a remote resource we do not have (yet); re-pointed when it is linked.
CREATE TABLE unresolved_reference (
  connection TEXT NOT NULL,
  target TEXT NOT NULL,
  type TEXT NOT NULL,
  local_id TEXT NOT NULL,
  PRIMARY KEY (connection, target, type, local_id)
);
