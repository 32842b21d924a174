-- Which alerts of sync are on, so that a restart neither repeats nor forgets one; and how each breaker stood, so that a
-- restart does not hammer a server that was being left alone. Times are epoch milliseconds of the machine's clock.

-- One row per change of state, for good.
CREATE TABLE alert (
  id TEXT PRIMARY KEY,
  connection TEXT NOT NULL,
  -- breaker.opened, breaker.closed, lag.exceeded, lag.recovered…: src/sync/alert-kinds.ts
  event TEXT NOT NULL,
  -- one sentence for a person, without patient data
  detail TEXT NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX alert_at ON alert (at);

-- What is on now.
CREATE TABLE alert_state (
  connection TEXT NOT NULL,
  -- breaker, lag, stalled, parked…
  condition TEXT NOT NULL,
  since BIGINT NOT NULL,
  PRIMARY KEY (connection, condition)
);

CREATE TABLE breaker_state (
  connection TEXT PRIMARY KEY,
  -- closed | open | half-open
  state TEXT NOT NULL,
  failures INTEGER NOT NULL,
  openings INTEGER NOT NULL,
  until BIGINT NOT NULL
);

-- References to a remote copy that was let go are still understood.
CREATE INDEX identity_replaced ON identity (connection, type, remote_id) WHERE state = 'replaced';
