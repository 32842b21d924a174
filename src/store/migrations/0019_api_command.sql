-- Commands of the case-management API that were carried out, so that one that is sent again is not carried out again.
CREATE TABLE api_command (
  -- issuer, application and person
  caller TEXT NOT NULL,
  -- Idempotency-Key
  key TEXT NOT NULL,
  -- SHA-256 of method, path and body
  request TEXT NOT NULL,
  status BIGINT NOT NULL,
  -- what the command was about; the version it made
  type TEXT NOT NULL,
  id TEXT NOT NULL,
  version TEXT NOT NULL,
  -- milliseconds since 1970
  at BIGINT NOT NULL,
  PRIMARY KEY (caller, key)
);
CREATE INDEX api_command_at ON api_command (at);
