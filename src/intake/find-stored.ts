// Which stored resources the drafts of a message mean: by identifier, in one search. Of a patient whose
// record was merged the record that stands for it is meant.
import type { Encounter, Resource } from '@medplum/fhirtypes';
import type { JsonObject } from '../fhir/canonical-json.ts';
import { instantOf } from '../fhir/event-time.ts';
import { parseExact } from '../fhir/exact-json.ts';
import { followChain, replacedBy } from '../fhir/patient-merge.ts';
import type { Store, StoredVersion } from '../store/store.ts';
import type { KnownShared } from './known-shared.ts';
import type { Draft } from './map/drafts.ts';
import { LATEST_EVENT } from './map/systems.ts';
import { Refusal } from './refusal.ts';

export interface StoredDraft {
  readonly resource: Resource;
  readonly versionId: string;
}

/**
 * Stored resources by the fullUrl of the draft that means them.
 * @throws Refusal AE 207 when more than one stored resource has the identifier, other than copies of one patient's stay
 */
export async function findStored(
  store: Store,
  drafts: readonly Draft[],
  known: KnownShared,
): Promise<Map<string, StoredDraft>> {
  const found = new Map<string, StoredDraft>();
  for (const draft of drafts.filter(({ isShared }) => isShared)) {
    const id = known.idOf(draft);
    // Nothing of it is needed but where it is.
    if (id) found.set(draft.fullUrl, { resource: { ...draft.resource, id }, versionId: '' });
  }
  const unknown = drafts.filter(({ fullUrl }) => !found.has(fullUrl));
  const asked = unknown.flatMap(({ resource: { resourceType: type }, match, formerly }) =>
    [match, ...formerly].map(({ system, value }) => ({ type, system, value })),
  );
  const versions = asked.length > 0 ? await store.findIdentified(asked) : [];
  const stored = await Promise.all(versions.map((version) => meant(store, version)));
  for (const draft of unknown) {
    const type = draft.resource.resourceType;
    const ofType = stored.filter(({ resource }) => resource.resourceType === type);
    const [match] = matching(ofType, [draft.match], type);
    const [former] = match ? [] : matching(ofType, draft.formerly, type, 'any');
    const one = match ?? former;
    if (!one) continue;
    found.set(draft.fullUrl, one);
    if (draft.isShared && one.resource.id) known.note(draft, one.resource.id);
  }
  return found;
}

interface Candidate extends StoredDraft {
  /** Identifiers of the record that was found, which may be one that another stands for. */
  readonly identifiers: ReadonlySet<string>;
}

async function meant(store: Store, version: StoredVersion): Promise<Candidate> {
  const resource = parseExact<Resource>(version.content);
  const identifiers = identifiersOf(resource);
  const own = { resource, versionId: version.versionId, identifiers };
  if (resource.resourceType !== 'Patient' || !replacedBy(resource as unknown as JsonObject)) return own;
  const last = await followChain(version.id, async (id) => {
    const record = await store.read('Patient', id);
    const reference = record && record.operation !== 'delete' ? replacedBy(parseExact(record.content)) : undefined;
    return /^Patient\/([A-Za-z0-9\-.]{1,64})$/.exec(reference ?? '')?.[1];
  });
  const survivor = last === undefined ? undefined : await store.read('Patient', last);
  if (!survivor || survivor.operation === 'delete') return own;
  return { resource: parseExact<Resource>(survivor.content), versionId: survivor.versionId, identifiers };
}

function matching(
  candidates: readonly Candidate[],
  identifiers: readonly Draft['match'][],
  type: string,
  several: 'one' | 'any' = 'one',
): StoredDraft[] {
  const keys = identifiers.map(keyOf);
  const all = candidates.filter((candidate) => keys.some((key) => candidate.identifiers.has(key)));
  const distinct = [...new Map(all.map((one) => [one.resource.id, one])).values()];
  if (distinct.length > 1 && several === 'one') {
    const stay = toldOne(distinct);
    if (stay) return [stay];
    const text = `The identifier of a ${type} of this message is that of more than one stored ${type}; merge them first.`;
    throw new Refusal('AE', '207', text);
  }
  return distinct;
}

/**
 * Of copies of one stay, as another server or a person has written it beside what messages told: the one that messages told, and
 * always the same one. Undefined for other resources, and for stays of several patients.
 */
function toldOne(copies: readonly StoredDraft[]): StoredDraft | undefined {
  const stays = copies.filter(({ resource }) => resource.resourceType === 'Encounter');
  const patients = new Set(stays.map(({ resource }) => (resource as Encounter).subject?.reference));
  if (stays.length < copies.length || patients.size > 1) return undefined;
  const told = stays.filter(({ resource }) => instantOf(resource as Encounter, LATEST_EVENT));
  return (told.length > 0 ? told : stays).sort((one, other) =>
    String(one.resource.id) < String(other.resource.id) ? -1 : 1,
  )[0];
}

const keyOf = ({ system, value }: { system?: string; value?: string }) => JSON.stringify([system, value]);

function identifiersOf(resource: Resource): Set<string> {
  const identifiers = 'identifier' in resource ? [resource.identifier ?? []].flat() : [];
  return new Set(identifiers.map(keyOf));
}
