// The opaque `next` of a page: the sort values and the row of its last match, signed together with the query that it
// belongs to.
import { createHmac } from 'node:crypto';
import { Fault } from '../../fault.ts';
import type { SearchQuery } from '../../fhir/search/query.ts';

export type SortValue = string | number | null;

export interface Position {
  /** One per sort key; null when the resource has no such value. */
  readonly values: readonly SortValue[];
  readonly rid: number;
}

/** Parameters that may differ from page to page. */
const NOT_IN_QUERY = new Set(['_count', '_cursor', '_total', '_format', '_pretty', '_elements', '_summary']);

/** Characters of the signature: 96 bits. */
const SIGNATURE = 16;

/** Of position, sort order and conditions: a position means nothing in another query. */
function signature(key: string, query: SearchQuery, position: string): string {
  const applied = query.applied.filter(([name]) => !NOT_IN_QUERY.has(name));
  const text = JSON.stringify([query.type ?? '', query.compartment ?? '', applied]);
  return createHmac('sha256', key).update(text).update('\n').update(position).digest('base64url').slice(0, SIGNATURE);
}

/** @param key of `openCursorKey` */
export function encodeCursor(key: string, query: SearchQuery, { rid, values }: Position): string {
  const position = Buffer.from(JSON.stringify([rid, ...values])).toString('base64url');
  return signature(key, query, position) + position;
}

/** @throws Fault invalid when the text is no cursor, or one of another query */
export function decodeCursor(key: string, query: SearchQuery): Position | undefined {
  if (query.cursor === undefined) return undefined;
  const position = query.cursor.slice(SIGNATURE);
  const [rid, ...values] = readArray(position);
  const isComplete = values.length === query.sort.length && values.every(isSortValue);
  if (typeof rid !== 'number' || !Number.isSafeInteger(rid)) throw malformed();
  if (!isComplete || query.cursor.slice(0, SIGNATURE) !== signature(key, query, position)) {
    throw new Fault('invalid', 'The _cursor belongs to a different search. Follow the next link as it was given.', {
      expression: '_cursor',
    });
  }
  return { rid, values: values as SortValue[] };
}

function readArray(cursor: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(parsed)) return parsed;
  } catch (cause) {
    throw malformed(cause);
  }
  throw malformed();
}

function isSortValue(value: unknown): boolean {
  return value === null || typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value));
}

function malformed(cause?: unknown): Fault {
  return new Fault('invalid', 'The _cursor is malformed. Follow the next link as it was given.', {
    expression: '_cursor',
    cause,
  });
}
