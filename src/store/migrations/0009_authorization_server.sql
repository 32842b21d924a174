-- Baton's own authorization server: what it hands out, who may ask for it, and who may sign in.

-- Codes, tokens, grants, sessions, interactions, launches, spent assertions. id, uid and grant_id are SHA-256 hashes: who
-- reads this table can use none of them. expires is in seconds of the epoch.
CREATE TABLE oauth_state (
  model TEXT NOT NULL,
  id TEXT NOT NULL,
  -- JSON, without the identifier
  payload TEXT NOT NULL,
  expires BIGINT NOT NULL,
  -- when it was used; what may be used once is then refused
  consumed BIGINT,
  uid TEXT,
  grant_id TEXT,
  client TEXT,
  account TEXT,
  PRIMARY KEY (model, id)
) WITHOUT ROWID;

CREATE INDEX oauth_state_expires ON oauth_state (expires);
CREATE INDEX oauth_state_grant ON oauth_state (grant_id);
CREATE INDEX oauth_state_uid ON oauth_state (uid);
CREATE INDEX oauth_state_client ON oauth_state (client);
CREATE INDEX oauth_state_account ON oauth_state (account);

-- Applications registered by command; those of the configuration file are not here.
CREATE TABLE oauth_client (
  id TEXT PRIMARY KEY,
  -- JSON: the registration, with a hash of the secret
  registration TEXT NOT NULL
);

-- People who may sign in. Those whom the site's identity provider vouches for have an issuer and a subject, no password.
CREATE TABLE oauth_account (
  id TEXT PRIMARY KEY,
  username TEXT UNIQUE,
  -- salt and scrypt hash
  password TEXT,
  -- Practitioner/12, Patient/3
  fhir_user TEXT NOT NULL,
  disabled BIGINT NOT NULL,
  issuer TEXT,
  subject TEXT,
  UNIQUE (issuer, subject)
);
