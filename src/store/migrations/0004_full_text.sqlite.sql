-- Words of current resources for _text and _content, by resource.rid; the text itself is not kept. Words arrive folded and
-- separated by spaces, so the tokenizer has nothing else to do.
CREATE VIRTUAL TABLE search_text USING fts5 (
  narrative,
  content,
  content = '',
  contentless_delete = 1,
  tokenize = 'ascii'
);

-- Periods without a start are sorted by their end; they are few, or all.
CREATE INDEX search_date_open ON search_date (parameter, high, rid) WHERE low = -8640000000000000;
