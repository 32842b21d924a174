// What operators do about Subscriptions. Neither loses an event: a paused one goes on being counted.
import { Fault } from '../fault.ts';
import type { Actor } from '../store/store.ts';
import type { Parts } from './parts.ts';
import { readRow } from './subscription-rows.ts';

export function operate({ store, clock }: Parts) {
  const rowOf = async (id: string) => {
    const row = await readRow(store, id);
    if (!row) throw new Fault('not-found', `There is no Subscription/${id} that somebody is told by.`);
    return row;
  };
  return {
    async pause(actor: Actor, id: string): Promise<void> {
      await rowOf(id);
      await store.commit(actor, [], [{ sql: 'UPDATE subscription SET paused = 1 WHERE id = ?', params: [id] }]);
    },
    /** At once, also what was paused. */
    async retry(actor: Actor, id: string): Promise<void> {
      const { state } = await rowOf(id);
      if (state === 'off') {
        throw new Fault(
          'conflict',
          `Subscription/${id} is off; its client turns it on by a PUT with status requested.`,
        );
      }
      const sql = 'UPDATE subscription SET paused = 0, next_at = ? WHERE id = ?';
      await store.commit(actor, [], [{ sql, params: [clock.real().epochMilliseconds, id] }]);
    },
  };
}
