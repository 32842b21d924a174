-- For each page of patients is asked which records a record there stands for.
CREATE INDEX identity_standing ON identity (connection, type, replaced_by)
  WHERE state = 'replaced' AND replaced_by IS NOT NULL;
