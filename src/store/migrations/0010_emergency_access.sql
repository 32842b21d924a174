-- Who has broken the glass for which patient, why, and until when. Never changed and never removed: it is evidence.
CREATE TABLE emergency_access (
  id TEXT PRIMARY KEY,
  actor TEXT NOT NULL,
  patient TEXT NOT NULL,
  reason TEXT NOT NULL,
  begins BIGINT NOT NULL,
  ends BIGINT NOT NULL
);
CREATE INDEX emergency_access_of ON emergency_access (actor, ends);
