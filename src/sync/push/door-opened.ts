// What waits because the server does not take its type, and goes when it does. docs/sync-spec.md#I29
import type { Statement } from '../../store/store.ts';
import { actorOf, pushes } from '../connections/settings.ts';
import type { RunContext } from '../context.ts';
import { forgetWriteRefusal, writeRefusedAt } from '../pull/type-refusal.ts';
import { takeUpGivenUp, waysOut } from './given-up.ts';
import { type Claim, heldSince, NO_CAPABILITY } from './outbox.ts';

/** Takes up what waits of some types whose door the server has opened, by what it states, and what was given up. */
export async function takeUpAgain(context: RunContext, types: readonly string[]): Promise<void> {
  const { store, connection, runId } = context;
  for (const type of types.filter((one) => pushes(connection, one))) {
    await forgetWriteRefusal(context, type, true);
    await store.commit(actorOf(connection, runId), [], [takeUpWaiting(connection.name, type)]);
  }
  const ways = waysOut(context).filter(({ type }) => types.includes(type));
  await takeUpGivenUp(context, ways);
}

/** Those that wait because it was refused against what the server states. */
export function takeUpWaiting(connection: string, type: string): Statement {
  const sql = `UPDATE outbox SET next_at = 0, waits_for = NULL
    WHERE connection = ? AND type = ? AND state = 'queued' AND waits_for = '${NO_CAPABILITY}'`;
  return { sql, params: [connection, type] };
}

/**
 * Once the server has taken something of a type: what it refused works again. Not while others wait, for a server may take
 * updates of a type and no creates; nor by what was on its way when another worker was refused.
 */
export async function noteTaken(context: RunContext, claim: Claim): Promise<void> {
  const { type } = claim;
  const refusedAt = await writeRefusedAt(context, type);
  if (refusedAt === undefined) return;
  const isLater = heldSince(claim) > refusedAt && !(await doesAnyWait(context, type));
  if (claim.waitsFor === NO_CAPABILITY || isLater) await forgetWriteRefusal(context, type);
}

async function doesAnyWait({ store, connection }: RunContext, type: string): Promise<boolean> {
  const sql = `SELECT 1 FROM outbox WHERE connection = ? AND type = ? AND state = 'queued' AND waits_for = '${NO_CAPABILITY}' LIMIT 1`;
  return (await store.query(sql, [connection.name, type])).length > 0;
}
