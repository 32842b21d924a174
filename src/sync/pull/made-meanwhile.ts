// Two doors that bring the same person at the same moment would make two of them: a page that makes somebody new is
// committed only when nobody like them has been made since it was looked at. docs/sync-spec.md#I8
import { asFault } from '../../fault.ts';
import type { Statement } from '../../store/store.ts';
import { storedVersion, VERSION_COLUMNS } from '../../store/stored.ts';
import type { RunContext } from '../context.ts';
import { likenessOf } from '../patients/match.ts';
import type { Incoming } from './incoming.ts';

/** Types of which one here may be one there although nothing links them. */
const MATCHED = new Set(['Patient', 'Practitioner', 'Organization', 'Location']);
/** Each time somebody unlike was made between two statements: a feed of new patients is one every few milliseconds. */
const MOST_COMMITS = 100;
// By whatever interaction: a PUT to a new id is an update in the log.
const MADE = "type = ? AND sequence > ? AND version = 1 AND COALESCE(origin, '') <> ?";

/** The store's head before the page is looked at; 0 when nobody need look again. */
export async function headBefore({ store }: RunContext, type: string): Promise<number> {
  return MATCHED.has(type) ? store.head() : 0;
}

/**
 * @param head before who they are was looked for
 * @param commit what the page brings, with the statements that fail it when anybody else has been made
 * @throws Fault conflict when somebody like them has, and what `commit` throws
 */
export async function unlessMadeMeanwhile(
  context: RunContext,
  type: string,
  incoming: readonly Incoming[],
  head: number,
  commit: (fence: Statement[]) => Promise<void>,
): Promise<void> {
  const made = MATCHED.has(type) ? incoming.filter(({ outcome }) => outcome === 'created') : [];
  if (made.length === 0) return commit([]);
  let seen = head;
  for (let tries = 1; ; tries += 1) {
    const sql = `UPDATE version SET kind = kind WHERE ${MADE}`;
    try {
      return await commit([{ sql, params: [type, seen, context.connection.name], rows: 0 }]);
    } catch (error) {
      if (asFault(error).kind !== 'conflict' || tries === MOST_COMMITS) throw error;
      const past = await pastOthers(context, type, made, seen);
      if (past === undefined) throw error;
      seen = past;
    }
  }
}

/** The position of the last one whom others have made since; undefined when nobody has, or one may be one of these. */
async function pastOthers(
  { store, connection, matching }: RunContext,
  type: string,
  made: readonly Incoming[],
  seen: number,
): Promise<number | undefined> {
  const sql = `SELECT ${VERSION_COLUMNS} FROM version WHERE ${MADE} ORDER BY sequence`;
  const others = (await store.query(sql, [type, seen, connection.name])).map(storedVersion);
  const alike = others.some((other) => made.some(({ body }) => likenessOf(matching, other, body, false)));
  return alike ? undefined : others.at(-1)?.sequence;
}
