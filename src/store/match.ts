// The one resource that a conditional interaction or reference means, as the open transaction sees it.
import { Fault } from '../fault.ts';
import type { Group } from './group.ts';
import type { Guard } from './guard.ts';
import type { StoredVersion } from './store.ts';

/**
 * @param query search parameters without `?`
 * @param what names the asker in the sentence of a fault
 * @param guard keeps the matches within what the writer may find
 * @returns undefined when nothing matches
 * @throws Fault invalid when the query has no criteria | multiple-matches
 */
export async function matchOne(
  group: Group,
  type: string,
  query: string,
  what: string,
  guard?: Guard,
): Promise<StoredVersion | undefined> {
  const { searchEngine } = group.rules;
  const identified = guard ? undefined : await searchEngine.withSoleIdentifier(group.tx, type, query, 2);
  if (identified) return onlyOne(identified, type, what);
  const parsed = searchEngine.parse(`${type}?${query}`);
  if (parsed.conditions.length === 0) {
    throw new Fault('invalid', `The criteria of ${what} on ${type} are empty; they would match every ${type}.`);
  }
  const byIdentifier = parsed.conditions.every((each) => each.kind === 'match' && each.parameter.code === 'identifier');
  const reach = guard?.matching(type, byIdentifier);
  const conditions = reach ? [...parsed.conditions, reach] : parsed.conditions;
  const narrow = { ...parsed, conditions, count: 2, total: 'none', includes: [] } as const;
  const { items } = await searchEngine.run(group.tx, narrow);
  return onlyOne(items, type, what);
}

function onlyOne(found: readonly StoredVersion[], type: string, what: string): StoredVersion | undefined {
  if (found.length > 1) throw new Fault('multiple-matches', `The criteria of ${what} match more than one ${type}.`);
  return found[0];
}
