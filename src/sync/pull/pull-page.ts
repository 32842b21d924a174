// Takes in one page: everything it brings, the links and the checkpoint are one commit. One bad resource never holds up
// the page; it is kept raw in the message log. docs/sync-spec.md#I3 docs/sync-spec.md#I7
import type { Bundle } from '@medplum/fhirtypes';
import { asFault, type Fault } from '../../fault.ts';
import { replacedBy } from '../../fhir/patient-merge.ts';
import { damageOf } from '../../fhir/received-json.ts';
import { unlessClosedMeanwhile } from '../../store/closed-meanwhile.ts';
import { RevisionRefused } from '../../store/revision.ts';
import type { Statement } from '../../store/store.ts';
import { isFhirId, jsonOf, updatedOf } from '../body.ts';
import { refusedElement } from '../conflicts/transitions.ts';
import { actorOf } from '../connections/settings.ts';
import { type RunContext, realNow, type SyncEvent } from '../context.ts';
import { writeMessage } from '../messages/message-log.ts';
import { provenanceOf } from '../provenance.ts';
import { objection } from '../push/expected.ts';
import type { Incoming } from './incoming.ts';
import { unlessKeptAside } from './kept-aside.ts';
import { unlessMadeMeanwhile } from './made-meanwhile.ts';
import { laterTwins } from './page-twins.ts';
import { type Entry, type Gone, type PagePlan, planAllGone, planPage } from './plan-page.ts';
import { isOfTheData, type Refused, refusedBy } from './refused.ts';
import { recordsTakenFrom } from './taken-from.ts';

export interface PageResult {
  /** Resources that changed something here. */
  readonly applied: number;
  /** Resources that are kept aside since this page. */
  readonly quarantined: number;
  /** Newest lastUpdated of the page that can be true, the remote's time. */
  readonly newest: string | undefined;
}

/** First loads of several servers look for the same people at the same time. */
const MOST_TRIES = 10;
const NOTHING: Gone = { remoteIds: [], isLost: false };
const DAY_SECONDS = 24 * 60 * 60;
const OPERATIONS: Partial<Record<Incoming['outcome'], 'create' | 'delete'>> = { created: 'create', deleted: 'delete' };
const APPLIED = new Set<Incoming['outcome']>(['created', 'updated', 'merged', 'deleted']);
/** In the message log, although nothing was written. */
const NOTED = new Set<Incoming['outcome']>(['conflict', 'linked', 'held', 'replaced', 'lost']);

/**
 * A change of ours in between has it planned and committed anew.
 * @param alongside the checkpoint after this page, given what it brought, the exchanges, and the fence of the stream's lease; asked for
 * each try
 */
export async function applyPage(
  context: RunContext,
  type: string,
  page: Bundle,
  alongside: (result: PageResult) => Statement[],
  gone: Gone = NOTHING,
): Promise<PageResult> {
  const { entries, refused, newest, warnings } = readPage(type, page, believable(context));
  if (type === 'Patient') await applyMergesFirst(context, entries);
  const rows = (result: PageResult) => [...warned(context, type, warnings), ...alongside(result)];
  for (let tries = 1; ; tries += 1) {
    try {
      const head = await context.store.head();
      const planned = await planPage(context, type, entries);
      const merged = tries === 1 ? await recordsTakenFrom(context, planned.incoming) : [];
      if (merged.length > 0) {
        await applyMergesFirst(context, merged);
        continue;
      }
      const later = besideMerge(planned.incoming) ?? laterTwins(context, planned.incoming);
      const first = planned.incoming.filter(({ remoteId }) => !later.has(remoteId));
      const incoming = [...first, ...(await planAllGone(context, type, gone))];
      const bad = await unlessKeptAside(context, type, [...refused, ...planned.refused]);
      const result = { applied: count(incoming), quarantined: bad.length, newest };
      const ending = () => (later.size === 0 ? rows(result) : []);
      await context.exchanges.attempt(() => commitAll(context, type, incoming, bad, head, ending()));
      announce(context, incoming, bad);
      if (later.size === 0) return result;
      const rest = entries.filter(({ remoteId }) => later.has(remoteId));
      return applyOneByOne(context, type, { entries: rest, gone: NOTHING, refused: [], before: result }, rows);
    } catch (error) {
      const fault = asFault(error);
      if (isOvertaken(fault) && tries < MOST_TRIES) continue;
      if (!isOfTheData(fault)) throw error;
      const before = { applied: 0, quarantined: 0, newest };
      return applyOneByOne(context, type, { entries, gone, refused, before }, rows);
    }
  }
}

/** Somebody here edited one of them meanwhile, another server brought somebody new, or the lease is gone: look again. */
function isOvertaken({ kind }: Fault): boolean {
  return kind === 'precondition' || kind === 'conflict';
}

/** Who stands for whom must be known before the others are looked at, because the survivor may be on the same page. */
async function applyMergesFirst(context: RunContext, patients: readonly Entry[]): Promise<void> {
  for (const entry of patients.filter(({ body }) => replacedBy(body) !== undefined)) {
    const { incoming } = await planPage(context, 'Patient', [entry]);
    if (incoming[0]?.event !== 'merged') continue;
    await commitAll(context, 'Patient', incoming, [], 0, []);
    announce(context, incoming, []);
  }
}

/**
 * Remote ids of all others of a page on which a record of ours turns out to be merged only when it is read, because the search shows it
 * as it was before: the survivor may be among them. Undefined when there is none.
 */
function besideMerge(incoming: readonly Incoming[]): Set<string> | undefined {
  // One that is nobody's, and whose merge leads elsewhere than before, changes nothing about the others.
  const merged = incoming.find(({ event, localId }) => event === 'merged' && localId !== undefined);
  return merged && new Set(incoming.filter((one) => one !== merged).map(({ remoteId }) => remoteId));
}

/** What a page is made of. */
interface Parts extends Pick<PageContent, 'entries' | 'refused'> {
  readonly gone: Gone;
  /** What came of the rest of it. */
  readonly before: PageResult;
}

async function applyOneByOne(
  context: RunContext,
  type: string,
  { entries, gone, refused, before }: Parts,
  alongside: (result: PageResult) => Statement[],
): Promise<PageResult> {
  const refusals = [...refused];
  const good: Incoming[] = [];
  for (const entry of entries) {
    const alone = await applyAlone(context, type, entry, () => planPage(context, type, [entry]));
    good.push(...alone.incoming);
    refusals.push(...alone.refused);
  }
  for (const remoteId of gone.remoteIds) {
    const look = async () => ({
      incoming: await planAllGone(context, type, { ...gone, remoteIds: [remoteId] }),
      refused: [],
    });
    const alone = await applyAlone(context, type, { remoteId, body: { resourceType: type } }, look);
    good.push(...alone.incoming);
    refusals.push(...alone.refused);
  }
  const bad = await unlessKeptAside(context, type, refusals);
  const { applied, quarantined, newest } = before;
  const result = { applied: applied + count(good), quarantined: quarantined + bad.length, newest };
  await commitAll(context, type, [], bad, 0, alongside(result));
  announce(context, good, bad);
  return result;
}

/** A page of its own: looked at when those before it are in, and again when somebody writes beside it. */
async function applyAlone(
  context: RunContext,
  type: string,
  about: Pick<Entry, 'remoteId' | 'body'>,
  look: () => Promise<PagePlan>,
): Promise<PagePlan> {
  for (let tries = 1; ; tries += 1) {
    try {
      const head = await context.store.head();
      const planned = await look();
      const [one] = planned.incoming;
      if (!one || isNothing(context, one)) return planned;
      return { ...planned, incoming: [await commitOrAsk(context, type, one, head)] };
    } catch (error) {
      const fault = asFault(error);
      if (isOvertaken(fault) && tries < MOST_TRIES) continue;
      if (!isOfTheData(fault)) throw error;
      return { incoming: [], refused: [refusedBy(about, fault)] };
    }
  }
}

/** A replay tells of everything, also of what it finds as it was. */
function isNothing({ replayOf }: RunContext, { changes, statements }: Incoming): boolean {
  return changes.length + statements.length === 0 && replayOf === undefined;
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
  const stillMeant = unlessClosedMeanwhile(changes, head);
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
      ...stillMeant,
      ...incoming.flatMap((one) => one.statements),
      ...incoming.flatMap(({ afterwards = [] }) => afterwards),
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
