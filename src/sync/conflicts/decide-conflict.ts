// Carries a person's decision out, or shows what it would do here and there. docs/sync-spec.md#I10 docs/sync-spec.md#I22
import type { Provenance } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { type JsonObject, sameJson } from '../../fhir/canonical-json.ts';
import type { Change } from '../../fhir/change.ts';
import { type ElementDifference, elementDifferences } from '../../fhir/element-diff.ts';
import { unlessClosedMeanwhile } from '../../store/closed-meanwhile.ts';
import type { Actor } from '../../store/store.ts';
import { comparable, jsonOf, parseBody } from '../body.ts';
import type { ConnectionContext } from '../context.ts';
import { decideMatch, type MatchDecision } from '../patients/decide-match.ts';
import { withholdingOf } from '../push/consent.ts';
import { createBody } from '../push/push-create.ts';
import { updateBody, withRelativeReferences } from '../push/push-update.ts';
import { asksWho, type Conflict } from './conflict.ts';
import { conflictTag, requireConflict } from './conflict-view.ts';
import { presentConflict } from './present-conflict.ts';
import { editedSince, type PlannedResolution, planResolution, type Resolution } from './resolve.ts';

/** `values` are before and after. */
type Difference = ElementDifference;

export interface ResolutionForecast {
  readonly id: string;
  readonly take: Resolution['take'];
  readonly here: { readonly outcome: 'unchanged' | 'would-update'; readonly differences: readonly Difference[] };
  readonly there: {
    /** `would-merge`: the two are linked first, and the next exchange compares them. `nothing`: the link has ended. */
    readonly outcome:
      | 'unchanged'
      | 'would-create'
      | 'would-update'
      | 'would-delete'
      | 'would-merge'
      | 'withheld'
      | 'nothing';
    /** What would be sent. */
    readonly body?: JsonObject;
    readonly differences: readonly Difference[];
  };
}

/**
 * Writes the new local version as `actor` (so it is audited), with a Provenance that names the remote version it answers,
 * and lets the resource be sent again.
 * @param tag of the conflict as the person saw it; undefined decides whatever it is now
 * @throws Fault not-found | conflict (already closed) | precondition (changed since) | invalid | unprocessable
 */
export async function decideConflict(
  context: ConnectionContext,
  actor: Actor,
  id: string,
  resolution: Resolution,
  tag: string | undefined,
): Promise<void> {
  const { store, clock } = context;
  const head = await store.head();
  const conflict = await requireSeen(context, id, resolution, tag);
  const now = clock.real().epochMilliseconds;
  if (asksWho(conflict)) return decideMatch(store, actor, id, matchDecision(conflict, resolution), now);
  const plan = await planResolution(context, actor, conflict, resolution, now);
  const provenance = plan.resource ? [await provenanceOfDecision(context, actor, plan, resolution)] : [];
  // Whether our copy may become this is what the person was asked.
  const statements = [...unlessClosedMeanwhile(plan.changes, head), ...plan.statements];
  await store.commit(actor, [...plan.changes, ...provenance], statements, { isDecided: true });
}

/** The same decision, without making it. Nothing is written and the server is not asked. */
export async function forecastResolution(
  context: ConnectionContext,
  actor: Actor,
  id: string,
  resolution: Resolution,
  tag: string | undefined,
): Promise<ResolutionForecast> {
  const conflict = await requireSeen(context, id, resolution, tag);
  const plan = await planResolution(context, actor, conflict, resolution, context.clock.real().epochMilliseconds);
  const before = plan.current && comparable(parseBody(plan.current.content));
  const after = plan.resource ? comparable(jsonOf(plan.resource)) : before;
  const differences = elementDifferences([before, after]);
  const outcome = differences.length === 0 ? 'unchanged' : 'would-update';
  return {
    id,
    take: resolution.take,
    here: { outcome, differences },
    there: await forecastThere(context, plan, after),
  };
}

async function forecastThere(
  context: ConnectionContext,
  { conflict, link }: PlannedResolution,
  after: JsonObject | undefined,
): Promise<ResolutionForecast['there']> {
  const { type, localId } = conflict;
  if (asksWho(conflict)) return { outcome: 'would-merge', differences: [] };
  if (!after && link?.state === 'linked') return { outcome: 'would-delete', differences: [] };
  if (!after || link?.state === 'tombstone') return { outcome: 'nothing', differences: [] };
  if ((await withholdingOf(context, { type, id: localId })).withheld) return { outcome: 'withheld', differences: [] };
  const content = JSON.stringify(after);
  if (!link || link.state === 'replaced') {
    const body = await createBody(context, { id: localId, content });
    return { outcome: 'would-create', body, differences: elementDifferences([undefined, comparable(body)]) };
  }
  const body = await updateBody(context, { stored: { content }, link });
  const there = link.baseRemote && withRelativeReferences(context, comparable(link.baseRemote));
  const same = there !== undefined && sameJson(there, comparable(body));
  const differences = same ? [] : elementDifferences([there, comparable(body)]);
  return differences.length === 0
    ? { outcome: 'unchanged', differences }
    : { outcome: 'would-update', body, differences };
}

/** @throws Fault unprocessable */
function matchDecision({ localId }: Conflict, { take }: Resolution): MatchDecision {
  if (take === 'theirs') return { decision: 'link', to: localId };
  if (take === 'ours') return { decision: 'apart' };
  throw new Fault('unprocessable', 'The question is who it is: take theirs or ours.');
}

/**
 * The conflict as it stands now, open and as the person saw it.
 * @throws Fault not-found | conflict (already closed) | precondition
 */
async function requireSeen(
  context: ConnectionContext,
  id: string,
  { take }: Resolution,
  tag: string | undefined,
): Promise<Conflict> {
  const opened = await requireConflict(context, id);
  if (opened.state !== 'open') throw new Fault('conflict', `Conflict ${id} is ${opened.state} already.`);
  const conflict = await presentConflict(context, opened);
  if (tag !== undefined && tag !== (await conflictTag(context, conflict))) {
    throw new Fault('precondition', `Conflict ${id} or our copy has changed since it was looked at; look again.`);
  }
  // Without a tag nobody knows what was seen; what was opened is supposed.
  if (tag === undefined && take !== 'ours' && opened.localVersion !== conflict.localVersion)
    throw editedSince(conflict);
  return conflict;
}

/** https://hl7.org/fhir/R4/provenance.html */
async function provenanceOfDecision(
  { store, remote, clock }: ConnectionContext,
  actor: Actor,
  { conflict }: PlannedResolution,
  { take }: Resolution,
): Promise<Change> {
  const { type, localId, localVersion, remoteId, remoteVersion } = conflict;
  const [, kind = '', id = ''] = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})$/.exec(actor.reference) ?? [];
  // Only who is stored here can be referred to.
  const who = id === '' ? undefined : await store.read(kind, id);
  const known = who !== undefined && who.operation !== 'delete';
  const here = `${type}/${localId}${localVersion === undefined ? '' : `/_history/${localVersion}`}`;
  const there = `${remote.baseUrl}/${type}/${remoteId}${remoteVersion === undefined ? '' : `/_history/${remoteVersion}`}`;
  const resource: Provenance = {
    resourceType: 'Provenance',
    target: [{ reference: `${type}/${localId}` }],
    recorded: clock.now().toString({ smallestUnit: 'millisecond' }),
    activity: { text: `A conflict was decided by a person: ${take}` },
    agent: [{ who: known ? { reference: actor.reference } : { identifier: { value: actor.reference } } }],
    entity: [
      { role: 'revision', what: { identifier: { value: here } } },
      { role: 'source', what: { reference: there } },
    ],
  };
  return { op: 'create', resource };
}
