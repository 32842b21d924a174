-- A message may be acknowledged when it is in safe storage: its outcome is 'CA' until it is applied. `accepted` is its place in
-- the order of acceptance, and stays: it says that the sender was told before the outcome was known.
ALTER TABLE delivery ADD COLUMN accepted BIGINT;
CREATE INDEX delivery_accepted ON delivery (accepted) WHERE outcome = 'CA';
