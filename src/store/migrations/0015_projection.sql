-- What was sent in place of resources that a server does not take. Written and read by src/sync/projection-*.ts only.
-- Times are epoch milliseconds of the machine's clock.

-- One row per resource made on a remote, numbered per source. `sent` is its body without attachments' data.
CREATE TABLE projection (
  -- CONNECTION/SOURCE_TYPE/SOURCE_ID/NUMBER, for lists
  id TEXT NOT NULL,
  connection TEXT NOT NULL,
  source_type TEXT NOT NULL,
  source_id TEXT NOT NULL,
  number INTEGER NOT NULL,
  -- DocumentReference | Communication | ServiceRequest
  target_type TEXT NOT NULL,
  -- null while nobody knows whether its create arrived
  remote_id TEXT,
  remote_version TEXT,
  -- of the source, when it was sent
  version TEXT NOT NULL,
  -- of the readable content that was sent
  content_hash TEXT NOT NULL,
  sent TEXT NOT NULL,
  -- id of the patient it is about; empty for none
  patient TEXT NOT NULL,
  -- sending | current | superseded | withdrawn
  state TEXT NOT NULL,
  -- when a consent that kept something out of it ends by itself
  review_at BIGINT,
  at BIGINT NOT NULL,
  PRIMARY KEY (connection, source_type, source_id, number)
);
CREATE INDEX projection_remote ON projection (connection, target_type, remote_id);
CREATE INDEX projection_patient ON projection (connection, patient);
CREATE INDEX projection_review ON projection (connection, review_at) WHERE review_at IS NOT NULL;

-- The resources that the newest document of a source looks at: when one changes, so may the document.
CREATE TABLE projection_part (
  connection TEXT NOT NULL,
  part TEXT NOT NULL,
  source_type TEXT NOT NULL,
  source_id TEXT NOT NULL,
  PRIMARY KEY (connection, part, source_type, source_id)
);
CREATE INDEX projection_part_source ON projection_part (connection, source_type, source_id);
