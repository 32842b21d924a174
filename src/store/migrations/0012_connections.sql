-- Connections that are made and changed while Baton runs. Written and read by src/sync. Times are epoch milliseconds of the
-- machine's clock.

-- A row for each connection made through /ops, and for each of the configuration file whose mode an operator has set.
CREATE TABLE connection_setting (
  name TEXT PRIMARY KEY,
  -- JSON, secrets by name only; NULL: what the configuration file says
  settings TEXT,
  -- off | dry-run | pull | push | both; claims of outbox rows look at it
  mode TEXT NOT NULL,
  -- grows with every change
  version BIGINT NOT NULL,
  -- 1: taken away. The row stays, because links still go by this name to the server of these settings.
  removed INTEGER NOT NULL,
  changed_by TEXT NOT NULL,
  at BIGINT NOT NULL
);

-- When a scheduled job of a connection last ran, so that one that was missed while Baton was down is made up for. Business
-- time, like the schedules.
CREATE TABLE connection_run (
  connection TEXT NOT NULL,
  -- pull | sweep
  job TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (connection, job)
);
