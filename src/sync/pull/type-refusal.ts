// What a server was found not to give, whatever it states: a way of reading a type, or the type altogether. It is told once,
// asked again, at the latest after a day, and never keeps the other types from being read. docs/sync-spec.md#I29
import type { RemoteFailure } from '../../remote/result.ts';
import { actorOf, type PullStrategy } from '../connections/settings.ts';
import { type RunContext, realNow } from '../context.ts';
import { writeMessage } from '../messages/message-log.ts';
import { forgetFact, readFact, saveFact } from './remote-fact.ts';

export interface TypeRefusal {
  /** Ways of reading that were refused. */
  readonly unable: ReadonlySet<PullStrategy>;
  /** Nothing works: the type is left alone until it is time to ask again. */
  readonly closed: boolean;
  /** Whether operators were told. */
  readonly told: boolean;
  /** How often in a row it was refused when it was asked again. */
  readonly times: number;
}

interface Kept {
  /** Of the CapabilityStatement then: another one may mean that the type is given now. */
  readonly hash: string;
  readonly unable: readonly PullStrategy[];
  readonly closed: boolean;
  readonly times?: number;
}

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;

/** A way of reading may have been refused by mistake, so it is asked again soon at first; a type that is not given, daily. */
function pauseAfter({ closed, times = 1 }: Kept): number {
  return closed ? DAY : Math.min(DAY, HOUR * 2 ** (times - 1));
}

export async function readRefusal(context: RunContext, type: string): Promise<TypeRefusal> {
  const fact = await readFact(context.store, context.connection.name, nameOf(type));
  if (!fact) return { unable: new Set(), closed: false, told: false, times: 0 };
  const kept: Kept = JSON.parse(fact.value);
  const holds = kept.hash === context.capability.hash && realNow(context) < fact.at + pauseAfter(kept);
  const { times = 1 } = kept;
  return { unable: new Set(holds ? kept.unable : []), closed: holds && kept.closed, told: true, times };
}

/** Remembers it; tells operators when they do not know yet. */
export async function saveRefusal(
  context: RunContext,
  type: string,
  refusal: TypeRefusal,
  detail: string,
): Promise<void> {
  const { store, connection, capability, runId, emit, log } = context;
  const { closed, told, times } = refusal;
  const now = realNow(context);
  const kept: Kept = { hash: capability.hash, unable: [...refusal.unable], closed, times: times + 1 };
  const about = {
    connection: connection.name,
    runId,
    direction: 'pull',
    type,
    outcome: 'refused-type',
    detail,
  } as const;
  const statements = [saveFact(connection.name, nameOf(type), JSON.stringify(kept), now), writeMessage(about, now)];
  await store.commit(actorOf(connection, runId), [], statements);
  if (told) return;
  log.warn({ connection: connection.name, type }, 'the server refuses a type or a way of reading it');
  emit({ kind: 'refused-type', connection: connection.name, type, detail });
}

/** The server gives it again. */
export async function forgetRefusal(context: RunContext, type: string): Promise<void> {
  const { store, connection, runId } = context;
  await store.commit(actorOf(connection, runId), [], [forgetFact(connection.name, nameOf(type))]);
}

/** A no that the next try will hear, too. A refused credential is none: that stops the whole connection. */
export function isRefusal({ class: kind, status }: RemoteFailure): boolean {
  return kind === 'permanent' && status !== undefined && status >= 400 && status < 500;
}

function nameOf(type: string): string {
  return `refused:${type}`;
}
