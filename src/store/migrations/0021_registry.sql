-- How far the re-evaluation of every patient has come: once a day, and whenever a rule has changed.
CREATE TABLE registry_sweep (
  name TEXT PRIMARY KEY,
  -- of the rules that the sweep evaluates
  rules TEXT NOT NULL,
  -- the day it is for, in Baton's time zone
  day TEXT NOT NULL,
  -- where the next page begins; '' at the beginning
  position TEXT NOT NULL,
  -- 1 when every patient has been looked at
  done BIGINT NOT NULL
);
