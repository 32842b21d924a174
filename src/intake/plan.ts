// Drafts of one message, matched with the store by identifier -> the changes of one commit. What is stored already just
// as the message says gives no change.
import type { Encounter, Patient, Provenance, Reference, Resource } from '@medplum/fhirtypes';
import { type JsonObject, sameJson } from '../fhir/canonical-json.ts';
import type { Change } from '../fhir/change.ts';
import { DEATH_TOLD } from '../fhir/death-word.ts';
import { rewriteLinks } from '../fhir/references.ts';
import type { CommitOptions, Statement, Store } from '../store/store.ts';
import { findStored, type StoredDraft } from './find-stored.ts';
import { findToldStay } from './find-told-stay.ts';
import { forgetHeard, keepHeard, readHeard, withHeard, withoutConfirmation } from './heard.ts';
import { searchToken } from './identifier-query.ts';
import type { KnownShared } from './known-shared.ts';
import type { AdtContent } from './map/adt.ts';
import type { Draft } from './map/drafts.ts';
import { LATEST_EVENT } from './map/systems.ts';
import { withoutTimes } from './map/whereabouts.ts';
import { type Compartment, findRetired, planMerge } from './plan-merge.ts';

export interface Plan {
  readonly changes: readonly Change[];
  /** To be committed with them: when what is known already was heard again, and that nothing more belongs to who is closed. */
  readonly heard: readonly Statement[];
  /** False when this message is the first that Baton hears of the visit. */
  readonly visitKnown: boolean;
  /** For its commit: a person may be telling of a stay that it makes at this moment, without the visit's number. */
  readonly manner: Pick<CommitOptions, 'unlessNewer'>;
}

/** @throws Refusal AE 205 | 207 when an identifier means more than one thing */
export async function planChanges(
  store: Store,
  compartment: Compartment,
  shared: KnownShared,
  content: AdtContent,
): Promise<Plan> {
  const head = await store.head();
  const stored = await findStored(store, content.drafts, shared);
  const told = await findToldStay(store, content, stored);
  if (told && content.encounter !== undefined) stored.set(content.encounter, told);
  const literal = (fullUrl: string) => {
    const match = stored.get(fullUrl)?.resource;
    return match && `${match.resourceType}/${match.id}`;
  };
  const known = await readHeard(store, idsOf(content.drafts, stored));
  const moved: Change[] = [];
  const changes: Change[] = [];
  const heard: Statement[] = [];
  for (const draft of content.drafts) {
    const match = stored.get(draft.fullUrl);
    if (match && draft.isShared) continue;
    const fresh = rewriteLinks(draft.resource, literal);
    if (!match) {
      const ifNoneExist = `identifier=${searchToken(draft.match)}`;
      changes.push({ op: 'create', resource: fresh, fullUrl: draft.fullUrl, ifNoneExist });
      continue;
    }
    const id = idOf(match);
    const before = { ...match, resource: withHeard(match.resource, known.get(id)) };
    const joined = draft.merge(before.resource, fresh);
    const merge = await mergeFor(store, compartment, content, draft, joined, head);
    heard.push(...(merge?.statements ?? []));
    moved.push(...(merge?.changes ?? []));
    const after = merge?.survivor ?? joined;
    if (saysTheSame(before.resource, after)) heard.push(...keepHeard(id, before, after, known.get(id)));
    else {
      changes.push({ op: 'update', resource: after, ifMatch: match.versionId });
      heard.push(forgetHeard(id, known.get(id)));
    }
  }
  const visitKnown = content.encounter === undefined || stored.has(content.encounter);
  if (changes.length + moved.length === 0) return { changes, heard, visitKnown, manner: {} };
  const target = [...changes, ...moved.filter(isOfPatient)].flatMap(targetOf);
  const provenance: Provenance = { ...rewriteLinks({ ...content.provenance, target }, literal) };
  const visit = visitKnown ? undefined : content.drafts.find(({ fullUrl }) => fullUrl === content.encounter)?.resource;
  const patient = visit?.resourceType === 'Encounter' ? literal(visit.subject?.reference ?? '') : undefined;
  const manner = patient ? { unlessNewer: { query: `Encounter?patient=${patient}`, after: head } } : {};
  return { changes: [...changes, ...moved, { op: 'create', resource: provenance }], heard, visitKnown, manner };
}

async function mergeFor(
  store: Store,
  compartment: Compartment,
  { merges }: AdtContent,
  { fullUrl }: Draft,
  survivor: Resource,
  head: number,
) {
  const merge = merges.find((one) => one.survivor === fullUrl);
  if (!merge || survivor.resourceType !== 'Patient') return undefined;
  const closing = await findRetired(store, merge.retired, survivor.id ?? '');
  const heard = await readHeard(
    store,
    closing.map(({ id }) => `Patient/${id}`),
  );
  return planMerge(store, compartment, survivor satisfies Patient, closing, heard, head);
}

const idOf = ({ resource: { resourceType, id } }: StoredDraft) => `${resourceType}/${id}`;

function idsOf(drafts: readonly Draft[], stored: ReadonlyMap<string, StoredDraft>): string[] {
  return drafts.flatMap(({ fullUrl, isShared }) => {
    const match = isShared ? undefined : stored.get(fullUrl);
    return match ? [idOf(match)] : [];
  });
}

const isOfPatient = (change: Change) => change.op === 'update' && change.resource.resourceType === 'Patient';

function targetOf(change: Change): Reference[] {
  if (change.op === 'create' && change.fullUrl) return [{ reference: change.fullUrl }];
  if (change.op === 'update') return [{ reference: `${change.resource.resourceType}/${change.resource.id}` }];
  return [];
}

/** Equal but for times: a newer event that changes nothing is not worth a version. */
function saysTheSame(stored: Resource, merged: Resource): boolean {
  return stored === merged || sameJson(essence(stored), essence(merged));
}

function essence(resource: Resource): JsonObject {
  const { meta: _, extension, period, ...rest } = resource as Encounter;
  const lasting = withoutTimes(extension?.filter(({ url }) => url !== LATEST_EVENT && url !== DEATH_TOLD));
  return { ...rest, extension: lasting, period: withoutConfirmation(period) } as unknown as JsonObject;
}
