-- Everything that an AuditEvent needs (docs/audit.md), the signed seals, and who made a version.

-- What a row's hash covers: NULL for rows from before this migration, which have none of the new columns; else 2.
ALTER TABLE audit ADD COLUMN format INTEGER;
-- The application that a person uses; the network address; codes of v3-PurposeOfUse with spaces between them; the id of
-- the emergency access.
ALTER TABLE audit ADD COLUMN client TEXT;
ALTER TABLE audit ADD COLUMN address TEXT;
ALTER TABLE audit ADD COLUMN purposes TEXT;
ALTER TABLE audit ADD COLUMN emergency TEXT;
-- Id of the patient that it is about; of further ones, which are rare, the ids with spaces between them.
ALTER TABLE audit ADD COLUMN patient TEXT;
ALTER TABLE audit ADD COLUMN further TEXT;
CREATE INDEX audit_by_time ON audit (recorded);
-- Indexed in blocks of 4,096 records: an index over the whole trail would write a page of its own for every record, and a
-- record is written for every read. Who searches looks into each block.
DROP INDEX audit_of_resource;
CREATE INDEX audit_by_id ON audit ((sequence / 4096), id);
CREATE INDEX audit_by_patient ON audit ((sequence / 4096), patient) WHERE patient IS NOT NULL;
CREATE INDEX audit_by_actor ON audit ((sequence / 4096), actor);

-- audit.further, to search by: only what the rows themselves say counts.
CREATE TABLE audit_further (
  sequence BIGINT NOT NULL,
  patient TEXT NOT NULL,
  PRIMARY KEY (patient, sequence)
);
CREATE INDEX audit_further_of_row ON audit_further (sequence);

-- Signed statements that the trail had this hash at this sequence (kind seal), or begins after it because older records were
-- removed by retention (kind beginning). Each covers the one before it. filed: whether it is in audit-seals.jsonl, too.
CREATE TABLE audit_seal (
  number INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('seal', 'beginning')),
  sequence BIGINT NOT NULL,
  hash TEXT NOT NULL,
  sealed BIGINT NOT NULL,
  jws TEXT NOT NULL,
  filed INTEGER NOT NULL
);
CREATE INDEX audit_seal_by_sequence ON audit_seal (sequence);

-- Kind of the actor and the application a person used; NULL for versions from before this migration.
ALTER TABLE version ADD COLUMN kind TEXT;
ALTER TABLE version ADD COLUMN client TEXT;
