-- Words of current resources for _text and _content, by resource.rid; those of the narrative have weight A.
CREATE TABLE search_text (
  rid BIGINT PRIMARY KEY,
  words TSVECTOR NOT NULL
);
CREATE INDEX search_text_words ON search_text USING GIN (words);

-- Periods without a start are sorted by their end; they are few, or all.
CREATE INDEX search_date_open ON search_date (parameter, high, rid) WHERE low = -8640000000000000;
