// What was given up because there was no way to the server for it: its type did not flow out, or the server had no door and
// nothing stood in. Once there is a way it is taken up again, but for what a person gave up or a newer entry stands for.
import type { SqlRow, Statement, Store } from '../../store/store.ts';
import { parseBody } from '../body.ts';
import { actorOf, type Connection, type ProjectionTarget, pushes } from '../connections/settings.ts';
import { type RunContext, realNow } from '../context.ts';
import { isLive } from '../identity-row.ts';
import { fittingTarget, projectionTarget } from '../projections/projection-target.ts';
import { canPush } from './dependencies.ts';
import { isNewest, mark } from './outbox.ts';

/** A type for which there is a way, for what is there already or for what is not. */
export interface WayOut {
  readonly type: string;
  readonly isLinked: boolean;
  /** As what it goes. */
  readonly as: string;
}

export interface GivenUp {
  readonly way: WayOut;
  /** Of the outbox row. */
  readonly row: string;
  readonly type: string;
  readonly id: string;
  readonly sequence: number;
}

const BATCH = 500;
/** As in the index outbox_no_way. */
const NO_WAY = "state = 'superseded' AND fault IN ('no-capability', 'comes-in-only')";
const LINKED = `EXISTS (SELECT 1 FROM identity WHERE identity.connection = outbox.connection
  AND identity.type = outbox.type AND identity.local_id = outbox.local_id AND ${isLive('identity.')})`;

/** The ways that there are now, by what flows out and what the server can do. */
export function waysOut(context: RunContext): WayOut[] {
  const { connection, capability } = context;
  const types = Object.keys(connection.types).filter((type) => pushes(connection, type));
  return types.flatMap((type) =>
    [false, true].flatMap((isLinked): WayOut[] => {
      const asItself = isLinked ? capability.supports(type, 'update') : canPush(context, type);
      const as = asItself ? type : projectionTarget(context, type, isLinked);
      return as === undefined ? [] : [{ type, isLinked, as }];
    }),
  );
}

/** Everything that was given up and that there is a way for, in portions. */
export async function* readGivenUp(
  store: Pick<Store, 'query'>,
  { name }: Pick<Connection, 'name'>,
  ways: readonly WayOut[],
): AsyncGenerator<GivenUp[]> {
  for (const way of ways) {
    const { type, isLinked } = way;
    const sql = `SELECT id, local_id, upto_sequence FROM outbox WHERE connection = ? AND type = ? AND local_id > ?
      AND ${NO_WAY} AND ${isLinked ? '' : 'NOT '}${LINKED} AND ${isNewest('outbox')} ORDER BY local_id LIMIT ${BATCH}`;
    for (let after = ''; ; ) {
      const rows: SqlRow[] = await store.query(sql, [name, type, after]);
      if (rows.length > 0) {
        yield rows.map((row) => ({
          ...{ way, row: String(row.id), type, id: String(row.local_id) },
          sequence: Number(row.upto_sequence),
        }));
      }
      if (rows.length < BATCH) break;
      after = String(rows.at(-1)?.local_id);
    }
  }
}

/** Marks it again, each once; not what the server would not take all the same. */
export async function takeUpGivenUp(context: RunContext, ways: readonly WayOut[]): Promise<void> {
  const { store, connection, signal, runId } = context;
  for await (const portion of readGivenUp(store, connection, ways)) {
    const now = realNow(context);
    const going = await Promise.all(portion.map((one) => canGo(context, one)));
    const statements = portion
      .filter((_, at) => going[at])
      .flatMap(({ row, type, id, sequence }): Statement[] => [
        mark(connection.name, type, id, sequence, now),
        { sql: `UPDATE outbox SET fault = 'taken-up-again' WHERE id = ? AND ${NO_WAY}`, params: [row] },
      ]);
    await store.commit(actorOf(connection, runId), [], statements);
    if (signal.aborted) return;
  }
}

async function canGo(context: RunContext, { way, type, id }: GivenUp): Promise<boolean> {
  const { store, capability } = context;
  const stored = await store.read(type, id);
  if (way.as === type) return stored?.operation !== 'delete' || capability.supports(type, 'delete');
  if (!stored || stored.operation === 'delete') return true;
  return fittingTarget(context, way.as as ProjectionTarget, parseBody(stored.content)) !== undefined;
}
