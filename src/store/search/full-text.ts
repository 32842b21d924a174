// The words of resources in the engine's own full-text index: FTS5 in SQLite, a tsvector in PostgreSQL.
import type { ResourceWords } from '../../fhir/search/full-text.ts';
import type { Condition } from '../../fhir/search/query.ts';
import type { Transaction } from '../engine.ts';
import type { Dialect } from '../sql.ts';
import { tableOf } from '../table.ts';
import { type Fragment, raw, sql } from './fragment.ts';

export type WordsCondition = Extract<Condition, { kind: 'words' }>;

const TABLES = {
  sqlite: tableOf('search_text', 'text', 'rowid bigint, narrative text, content text'),
  postgres: tableOf('search_text', 'text', 'rid bigint, words tsvector'),
} as const;

/** @param fresh says that the resource has no words yet */
export async function writeWords(tx: Transaction, rid: number, words: ResourceWords, fresh: boolean): Promise<void> {
  const { narrative, content } = words;
  const isEmpty = narrative === '' && content === '';
  const values = tx.dialect === 'sqlite' ? [narrative, content] : [vectorOf(narrative, content)];
  await tx.put(TABLES[tx.dialect], rid, isEmpty ? [] : [[rid, ...values]], fresh);
}

export async function deleteWords(tx: Transaction, rid: number): Promise<void> {
  await tx.put(TABLES[tx.dialect], rid, [], false);
}

/**
 * `SELECT … AS rid` of the resources that have the words one after the other.
 * @param row when given, only of that resource
 */
export function wordsSql({ within, words }: WordsCondition, dialect: Dialect, row?: Fragment): Fragment {
  const inNarrative = within === 'narrative';
  if (dialect === 'sqlite') {
    const phrase = `"${words.join(' ')}"`;
    const only = row ? sql` AND search_text.rowid = ${row}.rid` : NOTHING;
    return sql`SELECT search_text.rowid AS rid FROM search_text
      WHERE search_text MATCH ${inNarrative ? `narrative : ${phrase}` : phrase}${only}`;
  }
  const phrase = words.map((word) => `'${word}'${inNarrative ? ':A' : ''}`).join(' <-> ');
  const only = row ? sql` AND search_text.rid = ${row}.rid` : NOTHING;
  return sql`SELECT search_text.rid AS rid FROM search_text
    WHERE words @@ CAST(CAST(${phrase} AS TEXT) AS TSQUERY)${only}`;
}

const NOTHING = raw('');

/** A tsvector as text. Between narrative and content a position stays free, so that no phrase spans both. */
function vectorOf(narrative: string, content: string): string {
  const places = new Map<string, string[]>();
  let position = 0;
  const add = (words: string, weight: string) => {
    for (const word of words === '' ? [] : words.split(' ')) {
      const known = places.get(word);
      const place = `${++position}${weight}`;
      if (known) known.push(place);
      else places.set(word, [place]);
    }
  };
  add(narrative, 'A');
  position++;
  add(content, '');
  return [...places].map(([word, at]) => `'${word}':${at.join(',')}`).join(' ');
}
