-- What a person once said about a record is asked for each stranger's, and about one of ours for each create.
CREATE INDEX conflict_new ON conflict (connection, type, remote_id) WHERE resolution = 'new';
CREATE INDEX not_the_same_local ON not_the_same (connection, type, local_id);
