-- Indexes for a connection with a million links.

-- What pulling by roster and sweeps walk through: the remote ids that are followed.
CREATE INDEX identity_followed ON identity (connection, type, remote_id)
  WHERE state IN ('linked', 'conflict') AND how <> 'projected';

-- The newest resources that we made there, by which a wiped or restored server is known.
CREATE INDEX identity_canary ON identity (connection, at DESC, remote_id)
  WHERE how = 'created-by-us' AND state = 'linked';
