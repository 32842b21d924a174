// A commit that holds only while nothing of a kind is newer than what it was planned on: looked at under the write lock,
// where nobody can come between.
import { Fault } from '../fault.ts';
import type { Group } from './group.ts';
import type { UnlessNewer } from './store.ts';

/** Of the newest; so many of one patient are not written in one millisecond. */
const MOST = 50;

/** @throws Fault conflict */
export async function refuseNewer(group: Group, { query, after }: UnlessNewer): Promise<void> {
  const { searchEngine } = group.rules;
  const parsed = {
    ...searchEngine.parse(`${query}&_sort=-_lastUpdated`),
    count: MOST,
    total: 'none',
    includes: [],
  } as const;
  const { items } = await searchEngine.run(group.tx, parsed);
  if (!items.some(({ sequence }) => sequence > after)) return;
  throw new Fault('conflict', 'What this was planned on has changed meanwhile; nothing was written.');
}
