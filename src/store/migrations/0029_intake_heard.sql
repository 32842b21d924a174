-- What newer messages have confirmed of a resource without telling anything new: times only, which decide later whose word
-- is the newer one. `resource` is Type/id.
CREATE TABLE intake_heard (
  resource TEXT PRIMARY KEY,
  times TEXT NOT NULL
);
