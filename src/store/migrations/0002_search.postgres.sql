-- Search values of current resources, one narrow table per kind of value. `rid` is resource.rid, `parameter` is
-- search_parameter.id, `part` tells the repetitions of a composite parameter apart (0 for all others). Text that is
-- absent is ''. The index that begins with rid serves "does this resource have …", the others serve "which resources
-- have …", in rid order within one value so that pages need no sort. No key holds text of unbounded length: an entry of a
-- PostgreSQL index is at most 2,704 bytes long.

CREATE TABLE search_parameter (
  id INTEGER PRIMARY KEY,
  type TEXT NOT NULL,
  code TEXT NOT NULL,
  UNIQUE (type, code)
);

CREATE TABLE search_token (
  rid BIGINT NOT NULL,
  parameter INTEGER NOT NULL,
  part INTEGER NOT NULL,
  system TEXT NOT NULL,
  code TEXT NOT NULL
);
CREATE INDEX search_token_rid ON search_token (rid, parameter);
CREATE INDEX search_token_code ON search_token (parameter, code, rid, system, part);

-- A reference to a resource of this server has its type and id; any other has type '' and the URL as id.
CREATE TABLE search_reference (
  rid BIGINT NOT NULL,
  parameter INTEGER NOT NULL,
  part INTEGER NOT NULL,
  target_type TEXT NOT NULL,
  target_id TEXT NOT NULL
);
CREATE INDEX search_reference_rid ON search_reference (rid, parameter);
CREATE INDEX search_reference_target ON search_reference (parameter, target_id, target_type, rid, part);

-- Half-open [low, high), milliseconds since 1970-01-01T00:00Z; an open end is the last instant that Temporal can hold.
CREATE TABLE search_date (
  rid BIGINT NOT NULL,
  parameter INTEGER NOT NULL,
  part INTEGER NOT NULL,
  low BIGINT NOT NULL,
  high BIGINT NOT NULL
);
CREATE INDEX search_date_rid ON search_date (rid, parameter);
CREATE INDEX search_date_low ON search_date (parameter, low, rid, high, part);
CREATE INDEX search_date_high ON search_date (parameter, high, rid, low, part);

-- `value` is folded (lower case, no accents), `exact` as written, `head` the beginning of `value`.
CREATE TABLE search_string (
  rid BIGINT NOT NULL,
  parameter INTEGER NOT NULL,
  part INTEGER NOT NULL,
  value TEXT NOT NULL,
  exact TEXT NOT NULL,
  head TEXT GENERATED ALWAYS AS (substr(value, 1, 100)) STORED
);
CREATE INDEX search_string_rid ON search_string (rid, parameter);
CREATE INDEX search_string_value ON search_string (parameter, head, rid);

-- Closed [low, high]; a plain number has low = high.
CREATE TABLE search_number (
  rid BIGINT NOT NULL,
  parameter INTEGER NOT NULL,
  part INTEGER NOT NULL,
  low DOUBLE PRECISION NOT NULL,
  high DOUBLE PRECISION NOT NULL
);
CREATE INDEX search_number_rid ON search_number (rid, parameter);
CREATE INDEX search_number_low ON search_number (parameter, low, rid, high, part);
CREATE INDEX search_number_high ON search_number (parameter, high, rid, low, part);

CREATE TABLE search_quantity (
  rid BIGINT NOT NULL,
  parameter INTEGER NOT NULL,
  part INTEGER NOT NULL,
  low DOUBLE PRECISION NOT NULL,
  high DOUBLE PRECISION NOT NULL,
  system TEXT NOT NULL,
  code TEXT NOT NULL,
  unit TEXT NOT NULL
);
CREATE INDEX search_quantity_rid ON search_quantity (rid, parameter);
CREATE INDEX search_quantity_low ON search_quantity (parameter, low, rid, high);
CREATE INDEX search_quantity_high ON search_quantity (parameter, high, rid, low);

CREATE TABLE search_uri (
  rid BIGINT NOT NULL,
  parameter INTEGER NOT NULL,
  part INTEGER NOT NULL,
  value TEXT NOT NULL
);
CREATE INDEX search_uri_rid ON search_uri (rid, parameter);
CREATE INDEX search_uri_value ON search_uri (parameter, value, rid, part);

-- Walking a type in default order and by _lastUpdated.
CREATE INDEX resource_walk ON resource (type, rid) WHERE deleted = 0;
CREATE INDEX resource_updated ON resource (type, updated, rid) WHERE deleted = 0;
