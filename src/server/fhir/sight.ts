// What a grant may see at a moment, for those who tell others of changes: as a read at that moment would show it.

import { decide, reachesAll } from '../../access/decide.ts';
import type { Grant } from '../../access/grant.ts';
import type { Store } from '../../store/store.ts';
import type { Sight } from '../../subscriptions/parts.ts';
import { queryWithin } from './narrow.ts';
import { type ReachContext, tryReach } from './reach.ts';

export function createSight(context: ReachContext, store: Pick<Store, 'read' | 'search'>): Sight {
  return {
    async read(grant, type, id) {
      const reach = tryReach(context, grant, 'read', type);
      if (reach === 'none') return undefined;
      const found =
        reach === 'all'
          ? await store.read(type, id)
          : (await store.search(queryWithin(context, type, [['_id', id]], reach))).items[0];
      return found?.operation === 'delete' ? undefined : found;
    },
    reachesAll: (grant, type) => reachesAll(grant, 'read', type),
    requireRead: (grant: Grant, type: string) => void decide(grant, 'read', type),
  };
}
