// Takes in one page: everything it brings, the links and the checkpoint are one commit. One bad resource never holds up
// the page; it is kept raw in the message log. docs/sync-spec.md#I3 docs/sync-spec.md#I7
import type { Bundle } from '@medplum/fhirtypes';
import { asFault, outcomeOf } from '../../fault.ts';
import { replacedBy } from '../../fhir/patient-merge.ts';
import { damageOf } from '../../fhir/received-json.ts';
import { RevisionRefused } from '../../store/revision.ts';
import type { Statement } from '../../store/store.ts';
import { isFhirId, jsonOf, updatedOf } from '../body.ts';
import { refusedElement } from '../conflicts/transitions.ts';
import { actorOf } from '../connections/settings.ts';
import { type RunContext, realNow, type SyncEvent } from '../context.ts';
import { readLinkMap, readLinkMarks, readLinksByRemote } from '../identity.ts';
import { remoteTargets } from '../mapping.ts';
import { writeMessage } from '../messages/message-log.ts';
import { heldAmong, hold, idOfPatient, letGo } from '../patients/held.ts';
import { openQuestions } from '../patients/identity-question.ts';
import { patientOf } from '../patients/patient-reference.ts';
import { provenanceOf } from '../provenance.ts';
import { objection } from '../push/expected.ts';
import { type Incoming, identify, plan, quickEcho, type Received } from './incoming.ts';
import { headBefore, unlessMadeMeanwhile } from './made-meanwhile.ts';
import { planGone } from './remote-gone.ts';

export interface PageResult {
  /** Resources that changed something here. */
  readonly applied: number;
  readonly quarantined: number;
  /** Newest lastUpdated of the page that can be true, the remote's time. */
  readonly newest: string | undefined;
}

type Entry = Pick<Received, 'type' | 'remoteId' | 'body' | 'version'>;
interface Refused {
  readonly remoteId: string | undefined;
  /** As it was received. */
  readonly body: string;
  readonly detail: string;
}

/** First loads of several servers look for the same people at the same time. */
const MOST_TRIES = 10;
const DAY_SECONDS = 24 * 60 * 60;
const OPERATIONS: Partial<Record<Incoming['outcome'], 'create' | 'delete'>> = { created: 'create', deleted: 'delete' };
const APPLIED = new Set<Incoming['outcome']>(['created', 'updated', 'merged', 'deleted']);
/** In the message log, although nothing was written. */
const NOTED = new Set<Incoming['outcome']>(['conflict', 'linked', 'held', 'replaced']);

/**
 * A change of ours in between has it planned and committed anew.
 * @param gone remote ids of resources that the remote says it deleted
 * @param alongside the checkpoint after this page, given what it brought, the exchanges, and the fence of the stream's lease; asked for
 * each try
 */
export async function applyPage(
  context: RunContext,
  type: string,
  page: Bundle,
  alongside: (result: PageResult) => Statement[],
  gone: readonly string[] = [],
): Promise<PageResult> {
  const { entries, refused, newest, warnings } = readPage(type, page, believable(context));
  if (type === 'Patient') await applyMergesFirst(context, entries);
  for (let tries = 1; ; tries += 1) {
    const head = await headBefore(context, type);
    const incoming = [...(await planPage(context, type, entries)), ...(await planAllGone(context, type, gone))];
    const result = { applied: count(incoming), quarantined: refused.length, newest };
    try {
      await context.exchanges.attempt(() =>
        commitAll(context, type, incoming, refused, head, [...warned(context, type, warnings), ...alongside(result)]),
      );
      announce(context, incoming, refused);
      return result;
    } catch (error) {
      const { kind } = asFault(error);
      // Somebody here edited one of them meanwhile, another server brought somebody new, or the lease is gone: look again.
      if ((kind === 'precondition' || kind === 'conflict') && tries < MOST_TRIES) continue;
      if (!REFUSALS.has(kind)) throw error;
      return applyOneByOne(context, type, incoming, refused, newest, head, (all) => [
        ...warned(context, type, warnings),
        ...alongside(all),
      ]);
    }
  }
}

/** Who stands for whom must be known before the others are looked at, because the survivor may be on the same page. */
async function applyMergesFirst(context: RunContext, patients: readonly Entry[]): Promise<void> {
  for (const entry of patients.filter(({ body }) => replacedBy(body) !== undefined)) {
    const incoming = await planPage(context, 'Patient', [entry]);
    if (incoming.some(({ outcome }) => outcome !== 'replaced')) continue;
    await commitAll(context, 'Patient', incoming, [], 0, []);
    announce(context, incoming, []);
  }
}

const REFUSALS = new Set(['invalid', 'unprocessable', 'multiple-matches', 'not-found', 'gone']);

async function applyOneByOne(
  context: RunContext,
  type: string,
  incoming: readonly Incoming[],
  refused: readonly Refused[],
  newest: string | undefined,
  head: number,
  alongside: (result: PageResult) => Statement[],
): Promise<PageResult> {
  const bad = [...refused];
  const good: Incoming[] = [];
  for (const one of incoming) {
    try {
      good.push(await commitOrAsk(context, type, one, head));
    } catch (error) {
      const fault = asFault(error);
      if (!REFUSALS.has(fault.kind)) throw error;
      bad.push({
        remoteId: one.remoteId,
        body: JSON.stringify(one.body),
        detail: JSON.stringify(outcomeOf(fault).issue),
      });
    }
  }
  const result = { applied: count(good), quarantined: bad.length, newest };
  await commitAll(context, type, [], bad, head, alongside(result));
  announce(context, good, bad);
  return result;
}

/** An update that may not follow what is stored is a question for a person. */
async function commitOrAsk(context: RunContext, type: string, one: Incoming, head: number): Promise<Incoming> {
  try {
    await commitAll(context, type, [one], [], head, []);
    return one;
  } catch (error) {
    if (!(error instanceof RevisionRefused) || !one.ifRefused) throw error;
    const asked = await one.ifRefused(refusedElement(error, type));
    await commitAll(context, type, [asked], [], head, []);
    return asked;
  }
}

/** Decides about every entry without writing anything. */
export async function planPage(context: RunContext, type: string, entries: readonly Entry[]): Promise<Incoming[]> {
  const { store, connection, mapping } = context;
  const ids = entries.map(({ remoteId }) => remoteId);
  const marks = await readLinkMarks(store, connection.name, type, ids);
  const decided: Incoming[] = [];
  const news: Entry[] = [];
  for (const entry of entries) {
    const mark = marks.get(entry.remoteId);
    const known = mark && quickEcho(context, entry, mark);
    if (known) decided.push(known);
    else news.push(entry);
  }
  const linked = news.filter(({ remoteId }) => marks.has(remoteId)).map(({ remoteId }) => remoteId);
  const links = await readLinksByRemote(store, connection.name, type, linked);
  const received: Received[] = [];
  for (const entry of news) {
    const known = await identify(context, entry, links.get(entry.remoteId));
    if ('outcome' in known) decided.push(known);
    else received.push(known);
  }
  const bodies = received.flatMap(({ body, link }) => (link?.baseRemote ? [body, link.baseRemote] : [body]));
  const targets = bodies.flatMap((body) => remoteTargets(mapping, body));
  const map = await readLinkMap(store, connection.name, [], targets);
  for (const { localId, remoteId } of received) map.add(type, localId, remoteId);
  const patients = new Set(received.map((one) => patientIdOf(context, one)).filter((id) => id !== ''));
  const asked = await openQuestions(store, connection.name, 'Patient', [...patients]);
  for (const one of received) {
    const waits = !one.link && asked.has(patientIdOf(context, one));
    decided.push(waits ? holdBack(context, one) : await plan(context, one, map));
  }
  const held = await heldAmong(store, connection.name, type, ids);
  return held.size === 0 ? decided : decided.map((one) => letGoUnlessHeld(context, one, held));
}

/** Remote id of the patient it is about; '' when it is about none. */
function patientIdOf({ mapping }: RunContext, { type, body }: Received): string {
  const reference = type === 'Patient' ? undefined : patientOf(body);
  return reference === undefined ? '' : (idOfPatient(reference, mapping.remoteBase) ?? '');
}

/** Nobody knows yet whose it is. */
function holdBack(context: RunContext, one: Received): Incoming {
  const { type, remoteId, body, version } = one;
  const waitsFor = { type: 'Patient', id: patientIdOf(context, one) };
  const about = { connection: context.connection.name, type, remoteId, body, waitsFor };
  const statements = [hold(about, realNow(context))];
  return { outcome: 'held', type, remoteId, remoteVersion: version, body, changes: [], statements, isHeld: true };
}

/** What was held of a resource is older than the copy that has just been decided about. */
function letGoUnlessHeld(context: RunContext, one: Incoming, held: ReadonlySet<string>): Incoming {
  if (one.isHeld || !held.has(one.remoteId)) return one;
  const gone = letGo(context.connection.name, one.type, one.remoteId);
  return { ...one, statements: [...one.statements, gone] };
}

async function planAllGone(context: RunContext, type: string, gone: readonly string[]): Promise<Incoming[]> {
  const links = await readLinksByRemote(context.store, context.connection.name, type, gone);
  return Promise.all([...links.values()].map((link) => planGone(context, link)));
}

export interface PageContent {
  readonly entries: Entry[];
  /** What cannot be an answer to what was asked. */
  readonly refused: Refused[];
  readonly newest: string | undefined;
  /** OperationOutcomes among the entries: what the server left out, and why. */
  readonly warnings: string[];
}

/** Beyond it a time is a mistake of whoever entered it there, and none to read on from. */
function believable({ clock, remote }: RunContext): Temporal.Instant {
  return clock.now().add({ seconds: (remote.skew() ?? 0) + DAY_SECONDS });
}

/**
 * The matches of a page, each id once with its newest version.
 * @param end later times do not count as the newest
 */
export function readPage(type: string, page: Bundle, end?: Temporal.Instant): PageContent {
  const entries = new Map<string, Entry>();
  const refused: Refused[] = [];
  const warnings: string[] = [];
  let newest: Temporal.Instant | undefined;
  for (const { resource, search } of page.entry ?? []) {
    if (!resource) continue;
    const damage = damageOf(resource);
    if (damage) {
      refused.push({ remoteId: isFhirId(resource.id) ? resource.id : undefined, body: damage.raw, detail: damage.why });
      continue;
    }
    if (resource.resourceType === 'OperationOutcome' || search?.mode === 'outcome') {
      warnings.push(JSON.stringify(resource));
      continue;
    }
    if ((search?.mode ?? 'match') !== 'match') continue;
    const detail = objection(resource, type);
    if (detail !== undefined || !isFhirId(resource.id)) {
      const body = JSON.stringify(resource);
      refused.push({ remoteId: isFhirId(resource.id) ? resource.id : undefined, body, detail: detail ?? '' });
      continue;
    }
    const changed = updatedOf(jsonOf(resource));
    const isBelievable = changed && (!end || Temporal.Instant.compare(changed, end) <= 0);
    if (isBelievable && (!newest || Temporal.Instant.compare(changed, newest) > 0)) newest = changed;
    const version = typeof resource.meta?.versionId === 'string' ? resource.meta.versionId : undefined;
    entries.set(resource.id, { type, remoteId: resource.id, body: jsonOf(resource), version });
  }
  return { entries: [...entries.values()], refused, newest: newest?.toString(), warnings };
}

function warned(context: RunContext, type: string, warnings: readonly string[]): Statement[] {
  const { connection, runId } = context;
  const about = { connection: connection.name, runId, direction: 'pull', type, outcome: 'warning' } as const;
  const detail = 'The server put a warning among the entries: something may be missing from them.';
  return warnings.map((body) => writeMessage({ ...about, detail, body }, realNow(context)));
}

/** @param head of the log before the page was looked at */
async function commitAll(
  context: RunContext,
  type: string,
  incoming: readonly Incoming[],
  refused: readonly Refused[],
  head: number,
  alongside: readonly Statement[],
): Promise<void> {
  const { store, connection, runId } = context;
  const now = realNow(context);
  const applied = incoming.flatMap(({ outcome, localId, ...rest }) =>
    APPLIED.has(outcome) && localId !== undefined && rest.changes.length > 0 ? [{ ...rest, localId }] : [],
  );
  const changes = incoming.flatMap((one) => one.changes);
  if (applied.length > 0) changes.push(provenanceOf(context, applied));
  const { replayOf } = context;
  const base = { connection: connection.name, runId, direction: 'pull', type, replayOf } as const;
  const worth = incoming.filter(({ outcome }) => APPLIED.has(outcome) || NOTED.has(outcome) || replayOf !== undefined);
  const messages = [
    ...worth.map(({ outcome, localId, remoteId }) => writeMessage({ ...base, localId, remoteId, outcome }, now)),
    ...refused.map(({ remoteId, body, detail }) =>
      writeMessage({ ...base, remoteId, outcome: 'quarantined', detail, body }, now),
    ),
  ];
  await store.commit(
    actorOf(connection, runId),
    changes,
    [
      ...(context.fence ? [context.fence] : []),
      ...incoming.flatMap((one) => one.statements),
      ...messages,
      ...alongside,
    ],
    await unlessMadeMeanwhile(context, type, incoming, head),
  );
}

function announce(context: RunContext, incoming: readonly Incoming[], refused: readonly Refused[]): void {
  const { connection, emit } = context;
  for (const { outcome, type, localId, remoteId, event: further } of incoming) {
    const event: SyncEvent = {
      kind: 'pulled',
      connection: connection.name,
      type,
      remoteId,
      ...(localId ? { localId } : {}),
    };
    if (further) emit({ ...event, kind: further });
    if (outcome === 'echo') context.meter.echo(connection.name);
    if (outcome === 'conflict') emit({ ...event, kind: 'conflict' });
    else if (APPLIED.has(outcome)) emit({ ...event, operation: OPERATIONS[outcome] ?? 'update' });
  }
  for (const { remoteId } of refused) {
    emit({ kind: 'quarantined', connection: connection.name, ...(remoteId ? { remoteId } : {}) });
  }
}

function count(incoming: readonly Incoming[]): number {
  return incoming.filter(({ outcome }) => APPLIED.has(outcome)).length;
}
