// What may not be wrong when people, their records and what is about them have come to rest: told from who is really who
// (people.ts) and from what servers and persons have said.
import type { Patient } from '@medplum/fhirtypes';
import { canonicalJson, type Json, type JsonObject, sameJson } from '../../../src/fhir/canonical-json.ts';
import { comparable, jsonOf } from '../../../src/sync/body.ts';
import { mapReferences, toLocalTerms } from '../../../src/sync/mapping.ts';
import type { Place } from './edits.ts';
import {
  type MergeDays,
  mixed,
  papersAt,
  papersHere,
  patientsAt,
  patientsHere,
  takenForFormer,
} from './merge-world.ts';
import { isClosed, type Kept, keyOf, namesIn, type Paper, standsFor } from './people.ts';
import { SERVERS, type ServerName } from './two-servers.ts';

export async function findMergeDamage(days: MergeDays): Promise<string[]> {
  const damage = [...(await mixed(days)), ...(await unfinished(days))];
  const [patients, papers] = [await patientsHere(days), await papersHere(days)];
  damage.push(...closedWrongly(days, 'here', patients), ...repeated(days, 'here', papers));
  damage.push(...atClosed(patients, papers));
  for (const name of SERVERS) {
    damage.push(...closedWrongly(days, name, patientsAt(days, name)), ...repeated(days, name, papersAt(days, name)));
    damage.push(...(await differences(days, name, [...patients, ...papers])), ...(await lost(days, name, papers)));
  }
  return damage;
}

/** What waits although nobody is asked. */
async function unfinished({ world }: MergeDays): Promise<string[]> {
  const held = await world.store.query('SELECT connection, type, remote_id, waits_type, waits_id FROM held_resource');
  const sql = "SELECT * FROM patient_merge WHERE state IN ('reported', 'decided')";
  const merges = await world.store.query(sql);
  return [
    ...held.map((row) => `Held: ${JSON.stringify(row)}`),
    ...merges.map((row) => `Merge: ${JSON.stringify(row)}`),
  ];
}

/** A record is closed only for another of the same person, and where somebody has said that they are one. */
function closedWrongly({ people, merged }: MergeDays, place: Place, patients: readonly Kept<Patient>[]): string[] {
  return patients.filter(isClosed).flatMap((patient) => {
    const person = people.ofRecord(place, patient.id) ?? '';
    const told = `Patient/${patient.id} of ${person} at ${place} is closed`;
    if (![...merged].some((one) => people.areOne(one, person))) return [`${told}, and nobody has said so.`];
    const seen = new Set<string>();
    for (let at: Kept<Patient> = patient; ; ) {
      const next = standsFor(at);
      if (next === undefined) return isClosed(at) ? [`${told} for ${at.id}, which is closed for nobody.`] : [];
      if (seen.has(next)) return [`${told} in a circle.`];
      seen.add(next);
      const other = people.ofRecord(place, next) ?? '';
      if (!people.areOne(other, person)) return [`${told} for ${next} of ${other}.`];
      const following = patients.find(({ id }) => id === next);
      // A server may have deleted it since.
      if (!following) return place === 'here' ? [`${told} for ${next}, which is not there.`] : [];
      at = following;
    }
  });
}

/** What is about somebody stands at the record that is in use. */
function atClosed(patients: readonly Kept<Patient>[], papers: readonly Paper[]): string[] {
  const closed = new Set(patients.filter(isClosed).map(({ id }) => `Patient/${id}`));
  return papers.flatMap((paper) => {
    const name = namesIn(paper).find(({ reference }) => closed.has(String(reference)));
    return name ? [`${keyOf(paper)} is about ${name.reference}, which is closed.`] : [];
  });
}

function repeated({ mayRepeat }: MergeDays, place: Place, papers: readonly Paper[]): string[] {
  const keys = papers.map(keyOf).filter((key) => !mayRepeat.has(key));
  const twice = [...new Set(keys.filter((key, index) => keys.indexOf(key) !== index))];
  return twice.map((key) => `${key} is there twice at ${place}.`);
}

/** What is linked says the same, about the same people: which of somebody's records is named is not asked. */
async function differences(days: MergeDays, name: ServerName, here: readonly Kept[]): Promise<string[]> {
  const { world, people } = days;
  const context = { remoteBase: world.remotes[name].baseUrl, ownSystem: 'https://baton.test/id' };
  const sql = "SELECT type, local_id, remote_id FROM identity WHERE connection = ? AND state = 'linked'";
  const links = await world.store.query(sql, [name]);
  // What would name somebody who was lost there, and is gone by a person's word, does not go.
  const parked = "connection = ? AND state = 'parked' AND waits_for IS NOT NULL";
  const rows = await world.store.query(`SELECT type, local_id FROM outbox WHERE ${parked}`, [name]);
  const staying = new Set(rows.map((one) => `${one.type}/${one.local_id}`));
  const there: readonly Kept[] = [...patientsAt(days, name), ...papersAt(days, name)];
  const unknown = { localOf: () => undefined, remoteOf: () => undefined };
  const url = (id: string) => `${world.remotes[name].baseUrl}/Patient/${id}`;
  const taken = new Map([...(await takenForFormer(days, name))].map(([id, former]) => [url(id), former]));
  const byPerson = (body: JsonObject) =>
    mapReferences(body, (one) => {
      const person = taken.get(String(one.reference)) ?? people.named('here', one as { reference?: string });
      return person === undefined ? one : { ...one, reference: people.rootOf(person) };
    });
  return links.flatMap(({ type, local_id, remote_id }) => {
    const told = `${type}/${local_id} and ${remote_id} at ${name}`;
    const local = here.find(({ resourceType, id }) => resourceType === type && id === local_id);
    const remote = there.find(({ resourceType, id }) => resourceType === type && id === remote_id);
    if (!local || !remote) return [`${told}: ${local ? '' : 'not here '}${remote ? '' : 'not there'}`];
    // What is written here about a patient who is only pulled is not for the server.
    if (type === 'Patient' && days.takesAll[name]) return [];
    const theirs = inAnyOrder(byPerson(withoutReplaced(toLocalTerms(context, unknown, jsonOf(remote)).body)));
    const ours = inAnyOrder(byPerson(withoutReplaced(comparable(jsonOf(local)))));
    if (sameJson(theirs, ours) || staying.has(`${type}/${local_id}`)) return [];
    return [`${told} ${keyOf(local)}: ${JSON.stringify(ours)} here, ${JSON.stringify(theirs)} there`];
  });
}

/** Without the records of theirs that a patient's own replaced: here they may all be the one. */
function withoutReplaced(body: JsonObject): JsonObject {
  if (body.resourceType !== 'Patient' || !Array.isArray(body.link)) return body;
  const { link, ...rest } = body;
  const kept = link.filter((one) => (one as { readonly type?: Json }).type !== 'replaces');
  return kept.length === 0 ? rest : { ...rest, link: kept };
}

/** Several of one list, e.g. the patients of an account, each once. */
function inAnyOrder(body: JsonObject): JsonObject {
  const sorted = (list: Json[]) => [...new Map(list.map((one) => [canonicalJson(one), one]))].sort();
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [name, Array.isArray(value) ? sorted(value) : value]),
  ) as JsonObject;
}

/** What is about somebody whom both have is at both. */
async function lost(days: MergeDays, name: ServerName, here: readonly Kept<Paper>[]): Promise<string[]> {
  const { world, mayRepeat } = days;
  const there = papersAt(days, name);
  const sql = "SELECT local_id, remote_id FROM identity WHERE connection = ? AND type = 'Patient' AND state = 'linked'";
  const links = await world.store.query(sql, [name]);
  const [ours, theirs] = [new Set(links.map((one) => one.local_id)), new Set(links.map((one) => one.remote_id))];
  const records = new Map(patientsAt(days, name).map((one) => [one.id, one]));
  const lastOf = (id: string, steps = 0): string => {
    const record = records.get(id);
    const next = record && steps < 20 ? standsFor(record) : undefined;
    return next === undefined ? id : lastOf(next, steps + 1);
  };
  const isShared = (paper: Paper, shared: (id: string) => boolean) =>
    namesIn(paper).some(({ reference }) => shared(String(reference).replace('Patient/', '')));
  const missing = (from: readonly Kept<Paper>[], at: readonly Kept<Paper>[], shared: (id: string) => boolean) =>
    from.filter((paper) => {
      const isThere = mayRepeat.has(keyOf(paper)) || at.some((one) => keyOf(one) === keyOf(paper));
      return !isThere && isShared(paper, shared);
    });
  const absent = missing(there, here, (id) => theirs.has(lastOf(id)));
  // What names somebody who was lost there and is gone by a person's word does not go.
  const ended = "connection = ? AND type = 'Patient' AND state = 'tombstone' AND unseen IS NOT NULL";
  const rows = await world.store.query(`SELECT local_id FROM identity WHERE ${ended}`, [name]);
  const gone = new Set(rows.map((one) => one.local_id));
  const due = here.filter((paper) => !isShared(paper, (id) => gone.has(id)));
  return [
    ...absent.map((paper) => `${keyOf(paper)} at ${name} is not here: ${JSON.stringify(paper)}`),
    ...missing(due, there, (id) => ours.has(id)).map((paper) => `${keyOf(paper)} is not at ${name}.`),
  ];
}
