--! breaking
-- What active privacy Consents say, as rules that a read can ask. Kept by the commit that writes the Consent, and compiled
-- anew at the start when the way to compile has changed. docs/consent.md

CREATE TABLE consent_rule (
  -- resource.rid of the Consent
  rid BIGINT NOT NULL,
  -- id of the Patient
  patient TEXT NOT NULL,
  -- number of the provision in its Consent, and of the one that it is an exception to
  node BIGINT NOT NULL,
  parent BIGINT NOT NULL,
  -- permit | deny
  effect TEXT NOT NULL,
  -- 1: a permit that holds whatever is around it, and may release a label
  alone BIGINT NOT NULL,
  -- each of these may be '*'
  actor TEXT NOT NULL,
  purpose TEXT NOT NULL,
  label_system TEXT NOT NULL,
  label_code TEXT NOT NULL,
  class TEXT NOT NULL,
  data TEXT NOT NULL,
  -- half-open, milliseconds since 1970
  valid_from BIGINT NOT NULL,
  valid_until BIGINT NOT NULL
);
CREATE INDEX consent_rule_patient ON consent_rule (patient);
CREATE INDEX consent_rule_exception ON consent_rule (rid, parent);

-- A resource that a consent keeps from a connection has a live row, too: it waits for the consent, and the next change
-- of either takes it up again.
DROP INDEX outbox_live;
CREATE UNIQUE INDEX outbox_live ON outbox (connection, type, local_id)
  WHERE state IN ('queued', 'sending', 'parked', 'withheld');
CREATE INDEX outbox_withheld ON outbox (connection, waits_for) WHERE state = 'withheld';
