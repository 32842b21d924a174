// A search over what is stored and, behind that, the definitions that come with Baton: its pages are those of the one, then
// those of the other, each sorted by itself.
import type { SearchQuery } from '../../fhir/search/query.ts';
import type { SearchResult } from '../../store/store.ts';
import type { FhirContext } from './context.ts';

/** Begins the cursor of a page among the definitions; no cursor of the store has a dot. */
const BEHIND = 'brought.';

type Sources = Pick<FhirContext, 'store' | 'brought'>;

export async function searchAll({ store, brought }: Sources, query: SearchQuery): Promise<SearchResult> {
  const { type, compartment, cursor } = query;
  if (type === undefined || compartment || !brought.has(type)) return store.search(query);
  const isBehind = cursor?.startsWith(BEHIND) ?? false;
  const first = isBehind ? await countStored(store, query) : await store.search(query);
  const inner = isBehind ? (cursor ?? '').slice(BEHIND.length) : '';
  const { cursor: _, ...begin } = query;
  const room = first.next === undefined ? query.count - first.items.length : 0;
  const asked = { ...begin, count: room, ...(inner === '' ? {} : { cursor: inner }) };
  const behind =
    room > 0 ? await brought.search(asked) : await brought.search({ ...begin, count: 0, total: 'accurate' });
  const next = first.next ?? nextBehind(query, room, behind);
  const total = totalOf(query, first, behind, next);
  return {
    items: [...first.items, ...(room > 0 ? behind.items : [])],
    included: [...first.included, ...behind.included],
    ...(next === undefined ? {} : { next }),
    ...(total === undefined ? {} : { total }),
    warnings: [...(first.warnings ?? []), ...(behind.warnings ?? [])],
  };
}

/** A page that begins behind the last stored match shows none, but their number counts. */
async function countStored(store: Sources['store'], query: SearchQuery): Promise<SearchResult> {
  const { cursor: _, ...begin } = query;
  if (query.total !== 'accurate') return { items: [], included: [] };
  return { ...(await store.search({ ...begin, count: 0, includes: [] })), items: [], included: [] };
}

function nextBehind({ count }: SearchQuery, room: number, behind: SearchResult): string | undefined {
  if (room > 0) return behind.next === undefined ? undefined : `${BEHIND}${behind.next}`;
  return count > 0 && (behind.total ?? 0) > 0 ? BEHIND : undefined;
}

function totalOf(
  { total, cursor, count }: SearchQuery,
  first: SearchResult,
  behind: SearchResult,
  next: string | undefined,
): number | undefined {
  const isOnePage = cursor === undefined && next === undefined && count > 0;
  if (total === 'none' || (total === 'known' && !isOnePage)) return undefined;
  if (first.total === undefined) return undefined;
  return first.total + (behind.total ?? behind.items.length);
}
