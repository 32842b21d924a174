-- Installed implementation guides (FHIR packages), shared by every process on the database. A guide never changes once it
-- is here; another version is another row.

CREATE TABLE guide (
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  canonical TEXT NOT NULL,
  title TEXT NOT NULL,
  -- JSON: package name to version
  dependencies TEXT NOT NULL,
  -- SHA-256 of the files
  digest TEXT NOT NULL,
  installed BIGINT NOT NULL,
  PRIMARY KEY (name, version)
);

-- Its conformance resources. content is the published JSON, raw deflate; constrains is the resource type that a profile
-- is for, '' for everything else.
CREATE TABLE guide_resource (
  guide TEXT NOT NULL,
  guide_version TEXT NOT NULL,
  file TEXT NOT NULL,
  type TEXT NOT NULL,
  url TEXT NOT NULL,
  version TEXT NOT NULL,
  constrains TEXT NOT NULL,
  content BLOB NOT NULL,
  PRIMARY KEY (guide, guide_version, file)
);
CREATE INDEX guide_resource_type ON guide_resource (type, url);
