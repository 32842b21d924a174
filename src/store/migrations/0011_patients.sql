--! breaking
-- Whose record a resource is in, for the audit trail of its reads: ids in their order, divided by spaces. NULL where it was
-- written before; then they are found in the search rows. Breaking, because an older Baton would leave what was.
ALTER TABLE resource ADD COLUMN patients TEXT;
