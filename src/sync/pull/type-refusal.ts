// What a server was found not to give or take, whatever it states: a way of reading a type, or the type altogether. It is told
// once, and once when it is over; it is asked again, at the latest after a day, and never keeps the other types from being
// read. docs/sync-spec.md#I29
import { asFault } from '../../fault.ts';
import type { RemoteFailure } from '../../remote/result.ts';
import type { Store } from '../../store/store.ts';
import { actorOf, type PullStrategy } from '../connections/settings.ts';
import { type RunContext, realNow } from '../context.ts';
import { writeMessage } from '../messages/message-log.ts';
import { forgetFact, readFact, readFacts, saveFact } from './remote-fact.ts';
import type { PullPlan } from './strategy.ts';

export interface TypeRefusal {
  /** Ways of reading that were refused. */
  readonly unable: ReadonlySet<PullStrategy>;
  /** Nothing works: the type is left alone until it is time to ask again. */
  readonly closed: boolean;
  /** It was refused when it was last asked, however long ago. */
  readonly isKnown: boolean;
  /** How often in a row it was refused when it was asked again. */
  readonly times: number;
}

interface Kept {
  /** Of the CapabilityStatement then: another one may mean that the type is given now. */
  readonly hash: string;
  readonly unable: readonly PullStrategy[];
  readonly closed: boolean;
  readonly times?: number;
  /** How it is read instead. */
  readonly plan?: PullPlan;
}

const READS = 'refused:';
const WRITES = 'refused-write:';
const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;

/** A way of reading may have been refused by mistake, so it is asked again soon at first; a type that is not given, daily. */
function pauseAfter({ closed, times = 1 }: Kept): number {
  return closed ? DAY : Math.min(DAY, HOUR * 2 ** (times - 1));
}

export async function readRefusal(context: RunContext, type: string): Promise<TypeRefusal> {
  const fact = await readFact(context.store, context.connection.name, `${READS}${type}`);
  if (!fact) return { unable: new Set(), closed: false, isKnown: false, times: 0 };
  const kept: Kept = JSON.parse(fact.value);
  const holds = kept.hash === context.capability.hash && realNow(context) < fact.at + pauseAfter(kept);
  const { times = 1 } = kept;
  return { unable: new Set(holds ? kept.unable : []), closed: holds && kept.closed, isKnown: true, times };
}

/** How types are read of which the server refused a way, by what it said when it was last asked. */
export async function refusedPlans(store: Pick<Store, 'query'>, connection: string): Promise<Map<string, PullPlan>> {
  const plans = new Map<string, PullPlan>();
  for (const [type, { value }] of await readFacts(store, connection, READS)) {
    const { plan, closed }: Kept = JSON.parse(value);
    if (plan) plans.set(type, plan);
    else if (closed) plans.set(type, NOT_GIVEN);
  }
  return plans;
}

/** Of a type that the server gives in no way. */
export const NOT_GIVEN: PullPlan = { strategy: 'none', why: 'the server refuses it' };

/**
 * Remembers it; tells operators when they do not know yet.
 * @param plan how it is read instead
 */
export async function saveRefusal(
  context: RunContext,
  type: string,
  { unable, times, isKnown }: TypeRefusal,
  plan: PullPlan,
  detail: string,
): Promise<void> {
  const { connection, capability } = context;
  const closed = plan.strategy === 'none';
  const kept: Kept = { hash: capability.hash, unable: [...unable], closed, times: times + 1, plan };
  const isTold = isKnown || (await writeRefusedAt(context, type)) !== undefined;
  const saved = saveFact(connection.name, `${READS}${type}`, JSON.stringify(kept), realNow(context));
  await keep(context, type, saved, detail, 'pull');
  if (!isTold) tell(context, type, detail);
}

/** The server gives it again. */
export async function forgetRefusal(context: RunContext, type: string): Promise<void> {
  const { store, connection, runId } = context;
  const names = [READS, WRITES].map((prefix) => forgetFact(connection.name, `${prefix}${type}`));
  await store.commit(actorOf(connection, runId), [], names);
  tellOver(context, type);
}

/** The server does not take a type that it states it takes. Told once, unless operators know that it refuses the type. */
export async function saveWriteRefusal(context: RunContext, type: string, detail: string): Promise<void> {
  const { connection } = context;
  if ((await writeRefusedAt(context, type)) !== undefined) return;
  const isTold = (await readFact(context.store, connection.name, `${READS}${type}`)) !== undefined;
  const sql = `INSERT INTO remote_fact (connection, name, value, at) VALUES (?, ?, '', ?)
    ON CONFLICT (connection, name) DO NOTHING`;
  const saved = { sql, params: [connection.name, `${WRITES}${type}`, realNow(context)], rows: 1 };
  try {
    await keep(context, type, saved, detail, 'push');
  } catch (error) {
    // Another worker has met it as well.
    if (asFault(error).kind === 'conflict') return;
    throw error;
  }
  if (!isTold) tell(context, type, detail);
}

/** The server takes it again, or states something else by now. @param isTold operators hear of it in another way */
export async function forgetWriteRefusal(context: RunContext, type: string, isTold = false): Promise<void> {
  const { store, connection, runId } = context;
  if ((await writeRefusedAt(context, type)) === undefined) return;
  try {
    const forgotten = { ...forgetFact(connection.name, `${WRITES}${type}`), rows: 1 };
    await store.commit(actorOf(connection, runId), [], [forgotten]);
  } catch (error) {
    // Another worker has told.
    if (asFault(error).kind === 'conflict') return;
    throw error;
  }
  const isRefusedStill = (await readFact(store, connection.name, `${READS}${type}`)) !== undefined;
  if (!isTold && !isRefusedStill) tellOver(context, type);
}

/** When the server did not take the type, in epoch milliseconds; undefined when it took what it was last sent of it. */
export async function writeRefusedAt({ store, connection }: RunContext, type: string): Promise<number | undefined> {
  return (await readFact(store, connection.name, `${WRITES}${type}`))?.at;
}

async function keep(
  { store, connection, runId, ...context }: RunContext,
  type: string,
  saved: ReturnType<typeof saveFact>,
  detail: string,
  direction: 'pull' | 'push',
): Promise<void> {
  const about = { connection: connection.name, runId, direction, type, outcome: 'refused-type', detail } as const;
  const now = context.clock.real().epochMilliseconds;
  await store.commit(actorOf(connection, runId), [], [saved, writeMessage(about, now)]);
}

function tell({ connection, log, emit }: RunContext, type: string, detail: string): void {
  log.warn({ connection: connection.name, type }, 'the server refuses a type or a way of reading it');
  emit({ kind: 'refused-type', connection: connection.name, type, detail });
}

function tellOver({ connection, log, emit }: RunContext, type: string): void {
  log.info({ connection: connection.name, type }, 'the server refuses a type no more');
  const detail = `${type}: what the server refused works again.`;
  emit({ kind: 'refused-type', connection: connection.name, type, detail, isOver: true });
}

/** A no that the next try will hear, too. A refused credential is none: that stops the whole connection. */
export function isRefusal({ class: kind, status }: RemoteFailure): boolean {
  return kind === 'permanent' && status !== undefined && ((status >= 400 && status < 500) || status === 501);
}
