-- Which copies of a resource its server showed before the one that the link stands for: `version:hash` of each, newest first.
-- A restored server shows one of them again; any other copy from before was edited since.
ALTER TABLE identity ADD COLUMN earlier TEXT;
