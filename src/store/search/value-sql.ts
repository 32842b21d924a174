// One searched value as a predicate on a row of its `search_…` table.
// https://hl7.org/fhir/R4/search.html#prefix
import { fold } from '../../fhir/search/fold.ts';
import type {
  DateMatch,
  NumberMatch,
  QuantityMatch,
  ReferenceMatch,
  StringMatch,
  TokenMatch,
  UriMatch,
  ValueKind,
  ValueMatch,
} from '../../fhir/search/query.ts';
import type { Dialect } from '../sql.ts';
import { among, amongTexts, and, type Fragment, or, raw, sql, TRUE } from './fragment.ts';
import { indexedText, withoutNul } from './indexed-text.ts';

/** Name of the table that holds values of this kind. */
export function tableOf(kind: ValueKind): Fragment {
  return raw(`search_${kind}`);
}

/**
 * Values of one kind, any of which may match, as few alternatives: tokens of one system and references to the same
 * types become one list each, because long chains of OR are slow to plan and limited in depth.
 * @param row alias of the table of their kind
 * @param isOfOne asked of one resource at a time, not of the index of all
 */
export function valuesSql(
  matches: readonly ValueMatch[],
  row: Fragment,
  dialect: Dialect,
  isOfOne = false,
): Fragment[] {
  const groups = new Map<string, { system?: string; types: readonly string[]; list: string[]; column: string }>();
  const single: ValueMatch[] = [];
  for (const match of matches) {
    if (match.kind === 'token' && match.code !== undefined) {
      const { system, code } = match;
      const key = system === undefined ? 'any' : `=${system}`;
      const group = groups.get(key) ?? {
        ...(system === undefined ? {} : { system }),
        types: [],
        list: [],
        column: 'code',
      };
      group.list.push(indexedText(code));
      groups.set(key, group);
    } else if (match.kind === 'reference' && match.mode === undefined) {
      // No types at all is any type of this server, and [''] is elsewhere: their texts would be the same.
      const key = match.types.length === 0 ? 'any' : match.types.join();
      const group = groups.get(key) ?? { types: match.types, list: [], column: 'target_id' };
      group.list.push(indexedText(match.id));
      groups.set(key, group);
    } else if (match.kind === 'uri' && match.mode === 'exact') {
      const group = groups.get('uri') ?? { types: [], list: [], column: 'value' };
      group.list.push(indexedText(match.value));
      groups.set('uri', group);
    } else {
      single.push(match);
    }
  }
  const listed = [...groups.values()].map(({ system, types, list, column }) => {
    const values = [...new Set(list)];
    // SQLite would look into the index of all resources' values once for each; an expression leaves the primary key.
    const plus = raw(isOfOne && column === 'code' && values.length > 1 && dialect === 'sqlite' ? '+' : '');
    const parts = [sql`${plus}${row}.${raw(column)} ${amongTexts(values, dialect)}`];
    if (system !== undefined) parts.push(sql`${row}.system = ${indexedText(system)}`);
    if (column === 'target_id') parts.push(targetTypeSql(types, row));
    return and(parts);
  });
  return [...listed, ...single.map((match) => valueSql(match, row))];
}

/** @param row alias of the table of the match's kind */
export function valueSql(match: ValueMatch, row: Fragment): Fragment {
  switch (match.kind) {
    case 'token':
      return tokenSql(match, row);
    case 'reference':
      return referenceSql(match, row);
    case 'date':
      return dateSql(match, row);
    case 'string':
      return stringSql(match, row);
    case 'number':
      return numberSql(match, row);
    case 'quantity':
      return quantitySql(match, row);
    case 'uri':
      return uriSql(match, row);
  }
}

function tokenSql({ system, code }: TokenMatch, row: Fragment): Fragment {
  const parts: Fragment[] = [];
  if (code !== undefined) parts.push(sql`${row}.code = ${indexedText(code)}`);
  if (system !== undefined) parts.push(sql`${row}.system = ${indexedText(system)}`);
  return and(parts);
}

function referenceSql({ types, id, mode }: ReferenceMatch, row: Fragment): Fragment {
  if (mode === 'below') {
    // `|1` stands for 1, 1.0 and 1.1.2; without a version every version is meant, and its URL is indexed by itself.
    const longer = sql`${row}.target_id >= ${`${id}.`} AND ${row}.target_id < ${`${id}.${AFTER_ALL}`}`;
    const way = id.includes('|')
      ? or([sql`${row}.target_id = ${id}`, sql`(${longer})`])
      : sql`${row}.target_id = ${id}`;
    return sql`${way} AND ${row}.target_type = ''`;
  }
  return sql`${row}.target_id = ${indexedText(id)} AND ${targetTypeSql(types, row)}`;
}

function targetTypeSql(types: readonly string[], row: Fragment): Fragment {
  return types.length === 0 ? sql`${row}.target_type <> ''` : sql`${row}.target_type ${among(types)}`;
}

/** The row's range is [low, high), the search's [match.low, match.high). A redundant bound on the leading column lets an index be used. */
function dateSql({ prefix, low, high }: DateMatch, row: Fragment): Fragment {
  switch (prefix) {
    case 'eq':
      return sql`${row}.low >= ${low} AND ${row}.low < ${high} AND ${row}.high <= ${high}`;
    case 'ne':
      return sql`(${row}.low < ${low} OR ${row}.high > ${high})`;
    case 'gt':
      return sql`${row}.high > ${high}`;
    case 'lt':
      return sql`${row}.low < ${low}`;
    case 'ge':
      return sql`${row}.high > ${low} AND (${row}.high > ${high} OR ${row}.low >= ${low})`;
    case 'le':
      return sql`${row}.low < ${high} AND (${row}.low < ${low} OR ${row}.high <= ${high})`;
    case 'sa':
      return sql`${row}.low >= ${high}`;
    case 'eb':
      return sql`${row}.high <= ${low}`;
    case 'ap':
      return sql`${row}.low < ${high} AND ${row}.high > ${low}`;
    case 'co':
      return sql`${row}.low <= ${low} AND ${row}.high >= ${high}`;
  }
}

/** The last code point: `value < prefix + this` bounds everything that starts with the prefix. */
const AFTER_ALL = '\u{10FFFF}';

/** Before a pattern: SQLite looks into one that is a bare parameter, and prepares the statement anew for every value. */
const UNPEEKED = raw("'' || ");

function stringSql({ mode, value: given }: StringMatch, row: Fragment): Fragment {
  const value = withoutNul(given);
  switch (mode) {
    case 'starts':
      return startsWithSql(value, row);
    case 'exact':
      return sql`${row}.head = ${headOf(fold(value))} AND ${row}.exact = ${value}`;
    case 'contains':
      return sql`${row}.value LIKE ${UNPEEKED}${`%${escapeLike(value)}%`} ESCAPE '\\'`;
    case 'ends':
      return sql`${row}.value LIKE ${UNPEEKED}${`%${escapeLike(value)}`} ESCAPE '\\'`;
    case 'equals':
      return sql`${row}.head = ${headOf(value)} AND ${row}.value = ${value}`;
    case 'gt':
      return sql`${row}.value > ${value}`;
    case 'lt':
      return sql`${row}.value < ${value}`;
    case 'ge':
      return sql`${row}.value >= ${value}`;
    case 'le':
      return sql`${row}.value <= ${value}`;
  }
}

/** The index holds the beginning of a value only, which says everything unless more than that is asked for. */
function startsWithSql(value: string, row: Fragment): Fragment {
  const head = headOf(value);
  const begins = sql`${row}.head >= ${head} AND ${row}.head < ${head + AFTER_ALL}`;
  if (head === value) return begins;
  return sql`${begins} AND ${row}.value >= ${value} AND ${row}.value < ${value + AFTER_ALL}`;
}

/** As the column `head` has it: 100 characters, counted as the databases count them. */
function headOf(value: string): string {
  return value.length <= 100 ? value : [...value.slice(0, 200)].slice(0, 100).join('');
}

/** Comparisons take the number as exact; equality takes everything that rounds to it. */
function numberSql({ prefix, low, high, value }: Omit<NumberMatch, 'kind'>, row: Fragment): Fragment {
  switch (prefix) {
    case 'eq':
      return sql`${row}.low >= ${low} AND ${row}.low < ${high} AND ${row}.high < ${high}`;
    case 'ne':
      return sql`(${row}.low < ${low} OR ${row}.high >= ${high})`;
    case 'gt':
      return sql`${row}.high > ${value}`;
    case 'lt':
      return sql`${row}.low < ${value}`;
    case 'ge':
      return sql`${row}.high >= ${value}`;
    case 'le':
      return sql`${row}.low <= ${value}`;
    case 'sa':
      return sql`${row}.low > ${value}`;
    case 'eb':
      return sql`${row}.high < ${value}`;
    case 'ap':
      return sql`${row}.low <= ${high} AND ${row}.high >= ${low}`;
  }
}

function quantitySql(match: QuantityMatch, row: Fragment): Fragment {
  return and([numberSql(match, row), unitSql(match, row)]);
}

/** The unit part of a quantity search. */
export function unitSql({ system, code }: QuantityMatch, row: Fragment): Fragment {
  if (code === undefined) return system === undefined ? TRUE : sql`${row}.system = ${indexedText(system)}`;
  const unit = indexedText(code);
  if (system !== undefined) return sql`${row}.code = ${unit} AND ${row}.system = ${indexedText(system)}`;
  return sql`(${row}.code = ${unit} OR ${row}.unit = ${unit})`;
}

function uriSql({ mode, value }: UriMatch, row: Fragment): Fragment {
  switch (mode) {
    case 'exact':
      return sql`${row}.value = ${indexedText(value)}`;
    case 'below': {
      const folder = value.endsWith('/') ? value : `${value}/`;
      return or([
        sql`${row}.value = ${indexedText(value)}`,
        sql`(${row}.value >= ${folder} AND ${row}.value < ${folder + AFTER_ALL})`,
      ]);
    }
    case 'above':
      return sql`${row}.value ${among(pathsAbove(value).map(indexedText))}`;
  }
}

/** `http://a/b/c` → itself, `http://a/b`, `http://a`, with and without the closing slash. */
function pathsAbove(url: string): string[] {
  const found = [url];
  let end = url.length;
  for (let slash = url.lastIndexOf('/', end - 1); slash > 0; slash = url.lastIndexOf('/', end - 1)) {
    if (url.slice(0, slash).endsWith('/') || url[slash - 1] === ':') break;
    found.push(url.slice(0, slash + 1), url.slice(0, slash));
    end = slash;
  }
  return [...new Set(found)];
}

function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}
