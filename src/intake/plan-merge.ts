// Records of people that are one: everything of the closed record moves to the one that stays, the closed record points at
// it, and all that is in the commit of the message.
import type { Patient, Resource } from '@medplum/fhirtypes';
import { type JsonObject, sameJson } from '../fhir/canonical-json.ts';
import type { Change } from '../fhir/change.ts';
import { parseExact } from '../fhir/exact-json.ts';
import { replacedBy, retired, surviving } from '../fhir/patient-merge.ts';
import { LITERAL_ENDS, rewriteLinks } from '../fhir/references.ts';
import type { SearchParameters } from '../fhir/search/parameters.ts';
import type { Statement, Store, StoredVersion } from '../store/store.ts';
import { type Heard, withHeard } from './heard.ts';
import type { Draft } from './map/drafts.ts';
import { Refusal } from './refusal.ts';

/** The search parameters that say what belongs to a patient. */
export type Compartment = Pick<SearchParameters, 'types' | 'patientCompartment' | 'get'>;

/** More than this does not move in one commit. */
const MOST = 5_000;

/** Who stands for whom, and what was done to versions that were: true of the record it is about, not data of the person. */
const STAYS = new Set(['Patient', 'Provenance', 'AuditEvent']);

const asJson = (resource: Resource) => resource as unknown as JsonObject;
const asPatient = (json: JsonObject) => json as unknown as Patient;

/** Stored records with one of the identifiers that stand for themselves, but for the survivor. */
export async function findRetired(
  store: Store,
  identifiers: readonly Draft['match'][],
  survivor: string,
): Promise<StoredVersion[]> {
  const found = await store.findIdentified(
    identifiers.map(({ system, value }) => ({ type: 'Patient', system, value })),
  );
  return found.filter(({ id, content }) => id !== survivor && !replacedBy(parseExact<JsonObject>(content)));
}

/**
 * @param survivor the record that stays, as this message leaves it
 * @param closing the stored records that are closed
 * @param heard what newer messages have confirmed of them
 * @param head of the log before it was looked at what belongs to them
 * @returns the survivor with what it takes over, the changes to everything else, and statements for their commit
 * @throws Refusal AE 207 when more belongs to them than one commit takes
 */
export async function planMerge(
  store: Store,
  compartment: Compartment,
  survivor: Patient,
  closing: readonly StoredVersion[],
  heard: Heard,
  head: number,
): Promise<{
  readonly survivor: Patient;
  readonly changes: readonly Change[];
  readonly statements: readonly Statement[];
}> {
  const stays = `Patient/${survivor.id}`;
  let kept = asJson(survivor);
  const changes = new Map<string, Extract<Change, { op: 'update' }>>();
  for (const { id, content, versionId } of closing) {
    const closed = parseExact<JsonObject>(content);
    const gone = `Patient/${id}`;
    kept = surviving(kept, asJson(withHeard(asPatient(closed), heard.get(gone))), gone);
    changes.set(gone, { op: 'update', resource: asPatient(retired(closed, stays)), ifMatch: versionId });
    for (const { resource, ifMatch } of await resourcesOf(store, compartment, id)) {
      const key = `${resource.resourceType}/${resource.id}`;
      // It may name several of those that are closed.
      const before = changes.get(key)?.resource ?? resource;
      const moved = rewriteLinks(before, (url) => (url === gone || url.startsWith(`${gone}/`) ? stays : undefined));
      if (!sameJson(asJson(moved), asJson(before))) changes.set(key, { op: 'update', resource: moved, ifMatch });
    }
    if (changes.size > MOST) {
      throw new Refusal('AE', '207', `More than ${MOST} resources belong to the records; merge them in the registry.`);
    }
  }
  const statements = closing.map(({ id }) => unlessMoreBelongs(id, head));
  return { survivor: asPatient(kept), changes: [...changes.values()], statements };
}

/**
 * For the commit that closes a record: it fails as a conflict when something has been written since that names it, which would
 * stay with it.
 */
function unlessMoreBelongs(id: string, head: number): Statement {
  const stays = [...STAYS];
  const sql = `UPDATE resource SET sequence = sequence WHERE type = 'Patient' AND id = ? AND EXISTS (
    SELECT 1 FROM version WHERE sequence > ? AND type NOT IN (${stays.map(() => '?').join(', ')})
      AND (content LIKE ? OR content LIKE ?))`;
  const named = LITERAL_ENDS.map((end) => `%"reference":"Patient/${id}${end}%`);
  return { sql, params: [id, head, ...stays, ...named], rows: 0 };
}

interface Owned {
  readonly resource: Resource;
  readonly ifMatch: string;
}

/** Everything in the patient's compartment, each once. */
async function resourcesOf(store: Store, compartment: Compartment, id: string): Promise<Owned[]> {
  const found = new Map<string, Owned>();
  for (const type of compartment.types) {
    const codes = STAYS.has(type) ? [] : (compartment.patientCompartment(type) ?? []);
    for (const code of codes.filter((each) => compartment.get(type, each)?.kind === 'reference')) {
      for (const { id: own, content, versionId } of await store.find(`${type}?${code}=Patient/${id}`)) {
        found.set(`${type}/${own}`, { resource: parseExact<Resource>(content), ifMatch: versionId });
      }
    }
  }
  return [...found.values()];
}
