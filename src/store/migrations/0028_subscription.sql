-- Where each FHIR Subscription stands, and the events that it is told of. Written and read by src/subscriptions through
-- Store.commit (alongside) and Store.query. Times are epoch milliseconds, of the machine's clock where nothing else is said.

CREATE TABLE subscription (
  -- of the resource
  id TEXT PRIMARY KEY,
  -- whose it is, for limits and for questions about it: issuer of the tokens when it is not this Baton, client, person if any
  owner TEXT NOT NULL,
  -- JSON: in whose name its resources are read (access/lasting-grant.ts)
  authority TEXT NOT NULL,
  -- the headers of its channel, encrypted; NULL when it has none
  headers TEXT,
  -- version of the resource from which on this row speaks: older ones in the log change nothing about its delivery
  version BIGINT NOT NULL,
  -- waiting (for the log to come to the version) | requested | active | error | off
  state TEXT NOT NULL,
  -- the resource as the log has it where its reader stands, and whether events are counted there
  content TEXT NOT NULL,
  live INTEGER NOT NULL,
  -- events since it began, and the last of them that has arrived
  events BIGINT NOT NULL,
  delivered BIGINT NOT NULL,
  failures INTEGER NOT NULL,
  failing_since BIGINT,
  -- NULL: nothing is to be sent
  next_at BIGINT,
  ends_at BIGINT,
  -- when something arrived last
  contact_at BIGINT,
  -- why the last attempt failed, one sentence without patient data
  detail TEXT,
  -- by an operator
  paused INTEGER NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX subscription_owner ON subscription (owner);
CREATE INDEX subscription_at ON subscription (at, id);

CREATE TABLE subscription_event (
  subscription TEXT NOT NULL,
  -- 1, 2, 3… without gaps, in the order of the log
  number BIGINT NOT NULL,
  -- position in the log
  sequence BIGINT NOT NULL,
  type TEXT NOT NULL,
  resource TEXT NOT NULL,
  -- create | update | delete
  operation TEXT NOT NULL,
  -- when the change was made, by the clock that dates resources
  at BIGINT NOT NULL,
  -- when it was numbered
  counted_at BIGINT NOT NULL,
  -- 1: it has arrived, and its subscriber could see the resource then
  named INTEGER NOT NULL,
  PRIMARY KEY (subscription, number)
);
CREATE INDEX subscription_event_resource ON subscription_event (subscription, type, resource);
CREATE INDEX subscription_event_at ON subscription_event (counted_at);

-- What is in the log already, nobody has subscribed to.
INSERT INTO cursor (name, sequence) SELECT 'subscriptions', COALESCE(MAX(sequence), 0) FROM version;
