// Repeats messages: a push marks its resource and sends it under the same guards, a pull is taken in by the same path. What
// comes of it is a message of its own that names the one it repeats. docs/sync-spec.md#I22
import type { JsonObject } from '../../fhir/canonical-json.ts';
import type { ElementDifference } from '../../fhir/element-diff.ts';
import { withLease } from '../../store/lease.ts';
import type { Actor } from '../../store/store.ts';
import type { ConnectionRuns } from '../connections/connection.ts';
import { actorOf, pulls, pushes } from '../connections/settings.ts';
import { realNow } from '../context.ts';
import { sendAgain } from '../push/outbox-commands.ts';
import { writeMessage } from './message-log.ts';
import { readReplays, type StoredMessage } from './message-search.ts';
import { lookAhead } from './preview.ts';
import { forecastPull, pullAgain, type Source } from './replay-pull.ts';

export interface ReplayOptions {
  /** Says what would happen and writes nothing but messages. */
  readonly dryRun: boolean;
  /** Of a pulled resource: read it there again (the newest wins), or take the body that was kept. */
  readonly from: Source;
}

export interface ReplayResult {
  /** The message that was repeated. */
  readonly message: string;
  readonly connection: string;
  readonly direction: 'push' | 'pull';
  /** `Type/id` here, or there when it is not known here. */
  readonly about?: string;
  /**
   * What came of it, or `would-…`. `queued`: it will be sent when the server can be asked again. `in-progress`: being sent or
   * pulled right now. `in-conflict`: waits for a person. `not-replayable`, `off`, `unavailable`: nothing was done.
   */
  readonly outcome: string;
  readonly detail?: string;
  /** Ids of the messages that it made. */
  readonly messages: readonly string[];
  /** Of a dry run: what would be sent, and what would change (before and after). */
  readonly body?: JsonObject;
  readonly differences?: readonly ElementDifference[];
}

/** What a message can be repeated as. */
export type Repeatable =
  | { readonly kind: 'push'; readonly type: string; readonly localId: string }
  | { readonly kind: 'resource'; readonly type: string; readonly remoteId: string }
  | { readonly kind: 'page'; readonly type: string; readonly url: string }
  | { readonly kind: 'none' };

const PULL_LEASE = Temporal.Duration.from({ seconds: 60 });
const NO_RESOURCE = new Set(['token', 'capability']);

export function repeatableAs({ direction, type, localId, remoteId, url, method, outcome }: StoredMessage): Repeatable {
  if (type === undefined || NO_RESOURCE.has(outcome)) return { kind: 'none' };
  if (direction === 'push') return localId === undefined ? { kind: 'none' } : { kind: 'push', type, localId };
  if (remoteId !== undefined) return { kind: 'resource', type, remoteId };
  return method === 'GET' && url !== undefined ? { kind: 'page', type, url } : { kind: 'none' };
}

/**
 * Repeats messages of one connection, in order. Marking is one commit per resource, sending one run for all, so that doing
 * it twice sends nothing twice.
 */
export async function replayMessages(
  runs: ConnectionRuns,
  actor: Actor,
  messages: readonly StoredMessage[],
  options: ReplayOptions,
): Promise<ReplayResult[]> {
  const { connection } = runs;
  const dry = options.dryRun || connection.mode === 'dry-run';
  const results: ReplayResult[] = [];
  const sent: StoredMessage[] = [];
  const started = realNow(runs.context);
  for (const message of messages) {
    const what = repeatableAs(message);
    const about = aboutOf(message);
    const said = (outcome: string, more: Partial<ReplayResult> = {}): void => {
      results.push({ ...about, outcome, messages: [], ...more });
    };
    const reason = refusalOf(runs, what);
    if (reason !== undefined) said(reason.outcome, { detail: reason.detail });
    else if (what.kind === 'push' && dry) results.push({ ...about, ...(await forecastPush(runs, message, what)) });
    else if (what.kind === 'push') {
      const state = await sendAgain(
        runs.context.store,
        actor,
        { connection: connection.name, ...what, message: message.id },
        realNow(runs.context),
      );
      if (state === 'queued') sent.push(message);
      else said(state);
    } else if (what.kind !== 'none')
      results.push({ ...about, ...(await repeatPull(runs, message, what, dry, options)) });
  }
  if (sent.length > 0) await runs.push();
  for (const message of sent)
    results.push({ ...aboutOf(message), ...(await madeBy(runs, message.id, started, 'queued')) });
  return results;
}

/** Said of a message that nothing was done about. */
export function notReplayed(message: StoredMessage, outcome: string, detail: string): ReplayResult {
  return { ...aboutOf(message), outcome, detail, messages: [] };
}

function aboutOf({ id, connection, direction, type, localId, remoteId }: StoredMessage) {
  const of = localId ?? remoteId;
  const about = type === undefined || of === undefined ? {} : { about: `${type}/${of}` };
  return { message: id, connection, direction, ...about };
}

function refusalOf({ connection }: ConnectionRuns, what: Repeatable): { outcome: string; detail: string } | undefined {
  if (what.kind === 'none') {
    return {
      outcome: 'not-replayable',
      detail: 'It is about no resource: a credential, a capability, a resource without an id.',
    };
  }
  const dry = connection.mode === 'dry-run';
  if (connection.mode === 'off') return { outcome: 'off', detail: 'The connection is off.' };
  const pushing = what.kind === 'push';
  if (!dry && connection.mode === (pushing ? 'pull' : 'push')) {
    return { outcome: 'off', detail: `The mode of the connection is ${connection.mode}.` };
  }
  if (pushing ? pushes(connection, what.type) : pulls(connection, what.type)) return undefined;
  return { outcome: 'no-direction', detail: `${what.type} does not flow that way on this connection.` };
}

/** The outcome of what was made of a message since a time, or `otherwise` when nothing was yet. */
async function madeBy(
  { context }: ConnectionRuns,
  id: string,
  since: number,
  otherwise: string,
): Promise<Pick<ReplayResult, 'outcome' | 'messages' | 'detail'>> {
  const made = (await readReplays(context.store, id)).filter(({ at }) => at >= since);
  // Not an exchange on the way, but what was said in the end.
  const last = made.findLast(({ method }) => method === undefined);
  return {
    outcome: last?.outcome ?? otherwise,
    messages: made.map((message) => message.id),
    ...(last?.detail === undefined ? {} : { detail: last.detail }),
  };
}

async function repeatPull(
  runs: ConnectionRuns,
  message: StoredMessage,
  what: Extract<Repeatable, { kind: 'resource' | 'page' }>,
  dry: boolean,
  { from }: ReplayOptions,
): Promise<Omit<ReplayResult, 'message' | 'connection' | 'direction'>> {
  const { store, clock } = runs.context;
  const session = await runs.session();
  if (!session) return { outcome: 'unavailable', detail: 'The server cannot be asked now.', messages: [] };
  const run = { ...session, replayOf: message.id };
  const since = realNow(run);
  if (dry) {
    const forecast = await forecastPull(run, message, what, from);
    const { messages } = await madeBy(runs, message.id, since, 'unchanged');
    return { ...forecast, messages };
  }
  // Pulls of one connection never run beside each other, by hand neither.
  const pulled = await withLease(store, clock, `pull:${runs.connection.name}`, PULL_LEASE, (lease) =>
    pullAgain(run, message, what, from, lease),
  );
  if (!pulled.held)
    return { outcome: 'in-progress', detail: 'The connection is being pulled right now.', messages: [] };
  return { ...(await madeBy(runs, message.id, since, 'unchanged')), ...pulled.value };
}

async function forecastPush(
  runs: ConnectionRuns,
  message: StoredMessage,
  { type, localId }: Extract<Repeatable, { kind: 'push' }>,
): Promise<Omit<ReplayResult, 'message' | 'connection' | 'direction'>> {
  const { context, connection } = runs;
  if (!(await context.store.read(type, localId))) return { outcome: 'unknown-resource', messages: [] };
  const { preview, runId } = await lookAhead(runs, { type, id: localId }, message.id);
  const { outcome, body, differences, detail } = preview;
  const about = { connection: connection.name, runId, direction: 'push', type, localId, replayOf: message.id } as const;
  const kept = body ? { body: JSON.stringify(body) } : {};
  const row = writeMessage({ ...about, remoteId: message.remoteId, outcome, ...kept }, realNow(context));
  await context.store.commit(actorOf(connection, runId), [], [row]);
  const made = await readReplays(context.store, message.id);
  return {
    outcome,
    messages: made.filter((one) => one.runId === runId).map(({ id }) => id),
    differences,
    ...(body ? { body } : {}),
    ...(detail === undefined ? {} : { detail }),
  };
}
