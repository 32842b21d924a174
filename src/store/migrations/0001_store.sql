-- The store's own tables. Plain columns and types that SQLite and PostgreSQL share; an engine that spells INTEGER PRIMARY
-- KEY or BLOB differently translates those two. Times are milliseconds since 1970 UTC.

-- The log: one row for every version of every resource, in commit order, never changed and never removed.
CREATE TABLE version (
  sequence INTEGER PRIMARY KEY,
  type TEXT NOT NULL,
  id TEXT NOT NULL,
  version BIGINT NOT NULL,
  updated BIGINT NOT NULL,
  operation TEXT NOT NULL CHECK (operation IN ('create', 'update', 'delete')),
  actor TEXT NOT NULL,
  origin TEXT,
  content TEXT NOT NULL
);
CREATE UNIQUE INDEX version_of_resource ON version (type, id, version);
CREATE INDEX version_by_type ON version (type, sequence);
CREATE INDEX version_by_time ON version (updated);

-- The current state of every resource that ever was. rid is the sequence of its first version, so it is never reused.
CREATE TABLE resource (
  rid INTEGER PRIMARY KEY,
  type TEXT NOT NULL,
  id TEXT NOT NULL,
  version BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  updated BIGINT NOT NULL,
  deleted INTEGER NOT NULL,
  content TEXT NOT NULL,
  UNIQUE (type, id)
);

-- How far each reader of the log has come.
CREATE TABLE cursor (
  name TEXT PRIMARY KEY,
  sequence BIGINT NOT NULL
);

-- What arrived from outside, once per channel and key, with the answer it was given.
CREATE TABLE delivery (
  channel TEXT NOT NULL,
  key TEXT NOT NULL,
  received BIGINT NOT NULL,
  body BLOB NOT NULL,
  answer TEXT NOT NULL,
  outcome TEXT NOT NULL,
  PRIMARY KEY (channel, key)
);
CREATE INDEX delivery_by_time ON delivery (received);

-- Who may do a thing that only one process may do at a time, and until when.
CREATE TABLE lease (
  name TEXT PRIMARY KEY,
  token TEXT NOT NULL,
  until BIGINT NOT NULL
);

-- Who did what. Each row's hash covers its content and the hash of the row before it.
CREATE TABLE audit (
  sequence INTEGER PRIMARY KEY,
  recorded BIGINT NOT NULL,
  actor TEXT NOT NULL,
  kind TEXT NOT NULL,
  origin TEXT,
  request TEXT,
  interaction TEXT NOT NULL,
  action TEXT NOT NULL,
  status INTEGER NOT NULL,
  type TEXT,
  id TEXT,
  version BIGINT,
  query TEXT,
  hash TEXT NOT NULL
);
CREATE INDEX audit_of_resource ON audit (type, id);

-- Small facts the store keeps about itself.
CREATE TABLE setting (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
);
