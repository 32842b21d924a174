-- Received messages can be found, repaired and repeated: what they were about, why they were refused, who did what.
ALTER TABLE delivery ADD COLUMN sender TEXT;
ALTER TABLE delivery ADD COLUMN facility TEXT;
ALTER TABLE delivery ADD COLUMN event TEXT;
-- The first remark of the answer: its code (HL7 table 0357 or a fault's), the element, the sentence.
ALTER TABLE delivery ADD COLUMN condition TEXT;
ALTER TABLE delivery ADD COLUMN location TEXT;
ALTER TABLE delivery ADD COLUMN detail TEXT;
ALTER TABLE delivery ADD COLUMN attempts INTEGER NOT NULL DEFAULT 1;
-- As it was first received, when somebody has corrected it since.
ALTER TABLE delivery ADD COLUMN original BLOB;
ALTER TABLE delivery ADD COLUMN corrected_by TEXT;
-- Somebody decided that it needs nothing more.
ALTER TABLE delivery ADD COLUMN dismissed_by TEXT;
ALTER TABLE delivery ADD COLUMN dismissed_because TEXT;
CREATE INDEX delivery_refused ON delivery (received) WHERE outcome <> 'AA' AND dismissed_by IS NULL;
