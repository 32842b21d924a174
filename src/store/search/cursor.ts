// The opaque `next` of a page: the sort values and the row of its last match, bound to the query it belongs to.
import { createHash } from 'node:crypto';
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

/** Sort order and conditions as a short text: a position means nothing in another query. */
function queryHash(query: SearchQuery): string {
  const applied = query.applied.filter(([name]) => !NOT_IN_QUERY.has(name));
  const text = JSON.stringify([query.type ?? '', query.compartment ?? '', applied]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 12);
}

export function encodeCursor(query: SearchQuery, position: Position): string {
  return Buffer.from(JSON.stringify([queryHash(query), position.rid, ...position.values])).toString('base64url');
}

/** @throws Fault invalid when the text is no cursor, or one of another query */
export function decodeCursor(query: SearchQuery): Position | undefined {
  if (query.cursor === undefined) return undefined;
  const [hash, rid, ...values] = readArray(query.cursor);
  const isComplete = values.length === query.sort.length && values.every(isSortValue);
  if (typeof rid !== 'number' || !Number.isSafeInteger(rid) || !isComplete) throw malformed();
  if (hash !== queryHash(query)) {
    throw new Fault('invalid', 'The _cursor belongs to a different search. Follow the next link as it was given.');
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
  return new Fault('invalid', 'The _cursor is malformed. Follow the next link as it was given.', { cause });
}
