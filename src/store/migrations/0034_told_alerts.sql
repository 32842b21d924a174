-- When a channel has taken an alert to the operators, in epoch milliseconds; null until then.
ALTER TABLE alert ADD COLUMN told_at BIGINT;
