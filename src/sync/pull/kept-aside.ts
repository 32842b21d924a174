// What is wrong with a resource is told when it comes. Read again as it was, by the overlap or with its patient, it is no news.
// docs/sync-spec.md#I7
import type { RunContext } from '../context.ts';
import { storable, WORDS_ON_QUARANTINED } from '../messages/message-log.ts';
import type { Refused } from './refused.ts';

const NEWEST = `SELECT outcome, detail, response FROM message
  WHERE connection = ? AND type = ? AND remote_id = ? AND outcome IN (${WORDS_ON_QUARANTINED}) ORDER BY at DESC LIMIT 1`;

/** Those that are not kept aside already, as they are. In a replay all are, because its message says what came of it. */
export async function unlessKeptAside(
  { store, connection, replayOf }: RunContext,
  type: string,
  refused: readonly Refused[],
): Promise<Refused[]> {
  if (replayOf !== undefined) return [...refused];
  const news: Refused[] = [];
  for (const one of refused) {
    const { remoteId, detail, body } = one;
    const [known] = remoteId === undefined ? [] : await store.query(NEWEST, [connection.name, type, remoteId]);
    const isKnown =
      known?.outcome === 'quarantined' && known.detail === storable(detail) && known.response === storable(body);
    if (!isKnown) news.push(one);
  }
  return news;
}
