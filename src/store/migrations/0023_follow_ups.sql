-- What the sweep could not act on, and what is to reach people. Written and read by src/transitions and src/notify through
-- Store.commit (alongside) and Store.query. Times are epoch milliseconds of the machine's clock.

-- One row per follow-up that a pass of the sweep fails at; gone when it succeeds or nothing is to be done any more.
CREATE TABLE sweep_failure (
  task TEXT NOT NULL,
  -- the pass's search parameter: raise-at, escalate-at…
  pass TEXT NOT NULL,
  failures INTEGER NOT NULL,
  since BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  -- one sentence for a person, without patient data
  reason TEXT NOT NULL,
  PRIMARY KEY (task, pass)
);

-- When some process last did its rounds to the end, and since when they leave something that is due (0: they do not).
CREATE TABLE beat (
  name TEXT PRIMARY KEY,
  at BIGINT NOT NULL,
  behind_since BIGINT NOT NULL
);

-- One row per message that is to leave by one channel to one address.
CREATE TABLE notification (
  -- the same for every attempt: what receives it twice can tell
  id TEXT PRIMARY KEY,
  -- id of the CommunicationRequest
  request TEXT NOT NULL,
  -- position in the request's list of recipients and channels: 0 is tried first, 1 when that has failed…
  step INTEGER NOT NULL,
  -- name in the configuration
  channel TEXT NOT NULL,
  -- where it goes: a mail address or nothing; never a patient's
  address TEXT NOT NULL,
  -- code of the facility, '*' when unknown
  facility TEXT NOT NULL,
  urgent INTEGER NOT NULL,
  -- waiting | sent | failed (the next channel has it) | undelivered (there is no next one) | dropped
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  next_at BIGINT NOT NULL,
  -- why the last attempt failed: one sentence without patient data
  detail TEXT,
  at BIGINT NOT NULL
);
CREATE INDEX notification_due ON notification (state, next_at);
CREATE INDEX notification_request ON notification (request, step);
CREATE INDEX notification_at ON notification (at, id);
