// Takes in one page: everything it brings, the links and the checkpoint are one commit. One bad resource never holds up
// the page; it is kept raw in the message log. docs/sync-spec.md#I3 docs/sync-spec.md#I7
import type { Bundle } from '@medplum/fhirtypes';
import { asFault, outcomeOf } from '../fault.ts';
import type { JsonObject } from '../fhir/canonical-json.ts';
import type { Statement } from '../store/store.ts';
import { isFhirId, jsonOf } from './body.ts';
import { type RunContext, realNow, type SyncEvent } from './context.ts';
import { readLinkMap, readLinksByRemote } from './identity.ts';
import { type Incoming, identify, plan, type Received } from './incoming.ts';
import { remoteTargets } from './mapping.ts';
import { writeMessage } from './message-log.ts';
import { provenanceOf } from './provenance.ts';
import { actorOf } from './settings.ts';

export interface PageResult {
  /** Resources that changed something here. */
  readonly applied: number;
  readonly quarantined: number;
  /** Newest lastUpdated of the page, the remote's time. */
  readonly newest: string | undefined;
}

type Entry = Pick<Received, 'type' | 'remoteId' | 'body' | 'version'>;
interface Refused {
  readonly remoteId: string | undefined;
  readonly body: JsonObject;
  readonly detail: string;
}

const MOST_TRIES = 3;
const APPLIED = new Set<Incoming['outcome']>(['created', 'updated', 'merged']);

/**
 * @param alongside the checkpoint after this page, given what it brought, and the fence of the stream's lease
 */
export async function applyPage(
  context: RunContext,
  type: string,
  page: Bundle,
  alongside: (result: PageResult) => Statement[],
): Promise<PageResult> {
  const { entries, refused, newest } = readPage(type, page);
  for (let tries = 1; ; tries += 1) {
    const incoming = await planPage(context, type, entries);
    const result = { applied: count(incoming), quarantined: refused.length, newest };
    try {
      await commitAll(context, type, incoming, refused, alongside(result));
      announce(context, incoming, refused);
      return result;
    } catch (error) {
      const { kind } = asFault(error);
      // Somebody here edited one of them meanwhile, or the lease is gone: look again.
      if ((kind === 'precondition' || kind === 'conflict') && tries < MOST_TRIES) continue;
      if (!REFUSALS.has(kind)) throw error;
      return applyOneByOne(context, type, incoming, refused, newest, alongside);
    }
  }
}

const REFUSALS = new Set(['invalid', 'unprocessable', 'multiple-matches', 'not-found', 'gone']);

async function applyOneByOne(
  context: RunContext,
  type: string,
  incoming: readonly Incoming[],
  refused: readonly Refused[],
  newest: string | undefined,
  alongside: (result: PageResult) => Statement[],
): Promise<PageResult> {
  const bad = [...refused];
  const good: Incoming[] = [];
  for (const one of incoming) {
    try {
      await commitAll(context, type, [one], [], []);
      good.push(one);
    } catch (error) {
      const fault = asFault(error);
      if (!REFUSALS.has(fault.kind)) throw error;
      bad.push({ remoteId: one.remoteId, body: one.body, detail: JSON.stringify(outcomeOf(fault).issue) });
    }
  }
  const result = { applied: count(good), quarantined: bad.length, newest };
  await commitAll(context, type, [], bad, alongside(result));
  announce(context, good, bad);
  return result;
}

/** Decides about every entry without writing anything. */
export async function planPage(context: RunContext, type: string, entries: readonly Entry[]): Promise<Incoming[]> {
  const { store, connection, mapping } = context;
  const ids = entries.map(({ remoteId }) => remoteId);
  const links = await readLinksByRemote(store, connection.name, type, ids);
  const decided: Incoming[] = [];
  const received: Received[] = [];
  for (const entry of entries) {
    const known = await identify(context, entry, links.get(entry.remoteId));
    if ('outcome' in known) decided.push(known);
    else received.push(known);
  }
  const bodies = received.flatMap(({ body, link }) => (link?.baseRemote ? [body, link.baseRemote] : [body]));
  const targets = bodies.flatMap((body) => remoteTargets(mapping, body));
  const map = await readLinkMap(store, connection.name, [], targets);
  for (const { localId, remoteId } of received) map.add(type, localId, remoteId);
  for (const one of received) decided.push(await plan(context, one, map));
  return decided;
}

/** The matches of a page, each id once with its newest version, and what cannot be one. */
export function readPage(
  type: string,
  page: Bundle,
): { entries: Entry[]; refused: Refused[]; newest: string | undefined } {
  const entries = new Map<string, Entry>();
  const refused: Refused[] = [];
  let newest: Temporal.Instant | undefined;
  for (const { resource, search } of page.entry ?? []) {
    if (!resource || (search?.mode ?? 'match') !== 'match' || resource.resourceType === 'OperationOutcome') continue;
    const body = jsonOf(resource);
    if (resource.resourceType !== type || !isFhirId(resource.id)) {
      const detail = resource.resourceType === type ? 'It has no valid id.' : `It is a ${resource.resourceType}.`;
      refused.push({ remoteId: undefined, body, detail });
      continue;
    }
    const changed = instantOf(resource.meta?.lastUpdated);
    if (changed && (!newest || Temporal.Instant.compare(changed, newest) > 0)) newest = changed;
    entries.set(resource.id, { type, remoteId: resource.id, body, version: resource.meta?.versionId });
  }
  return { entries: [...entries.values()], refused, newest: newest?.toString() };
}

async function commitAll(
  context: RunContext,
  type: string,
  incoming: readonly Incoming[],
  refused: readonly Refused[],
  alongside: readonly Statement[],
): Promise<void> {
  const { store, connection, runId } = context;
  const now = realNow(context);
  const applied = incoming.flatMap(({ outcome, localId, ...rest }) =>
    APPLIED.has(outcome) && localId !== undefined ? [{ ...rest, localId }] : [],
  );
  const changes = incoming.flatMap((one) => one.changes);
  if (applied.length > 0) changes.push(provenanceOf(context, applied));
  const base = { connection: connection.name, runId, direction: 'pull', type } as const;
  const worth = incoming.filter(
    ({ outcome }) => APPLIED.has(outcome) || outcome === 'conflict' || outcome === 'linked',
  );
  const messages = [
    ...worth.map(({ outcome, localId, remoteId }) => writeMessage({ ...base, localId, remoteId, outcome }, now)),
    ...refused.map(({ remoteId, body, detail }) =>
      writeMessage({ ...base, remoteId, outcome: 'quarantined', detail, body: JSON.stringify(body) }, now),
    ),
  ];
  await store.commit(actorOf(connection, runId), changes, [
    ...incoming.flatMap((one) => one.statements),
    ...messages,
    ...alongside,
  ]);
}

function announce(context: RunContext, incoming: readonly Incoming[], refused: readonly Refused[]): void {
  const { connection, emit } = context;
  for (const { outcome, type, localId, remoteId } of incoming) {
    const event: SyncEvent = {
      kind: 'pulled',
      connection: connection.name,
      type,
      remoteId,
      ...(localId ? { localId } : {}),
    };
    if (outcome === 'echo') context.meter.echo(connection.name);
    if (outcome === 'conflict') emit({ ...event, kind: 'conflict' });
    else if (APPLIED.has(outcome)) emit({ ...event, operation: outcome === 'created' ? 'create' : 'update' });
  }
  for (const { remoteId } of refused) {
    emit({ kind: 'quarantined', connection: connection.name, ...(remoteId ? { remoteId } : {}) });
  }
}

function count(incoming: readonly Incoming[]): number {
  return incoming.filter(({ outcome }) => APPLIED.has(outcome)).length;
}

function instantOf(text: string | undefined): Temporal.Instant | undefined {
  try {
    return text === undefined ? undefined : Temporal.Instant.from(text);
  } catch {
    return undefined;
  }
}
