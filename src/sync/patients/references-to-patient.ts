// What there is of a patient: everything in the patient's compartment, found by the search parameters that make it one.
import { asFault } from '../../fault.ts';
import type { StoredVersion } from '../../store/store.ts';
import type { ConnectionContext } from '../context.ts';
import { isThere } from '../identity-row.ts';

/** Nothing is older. */
const BEGINNING = Temporal.Instant.from('2000-01-01T00:00:00Z').epochMilliseconds;
/** A span this short that still has too many is a fault of the caller. */
const SHORTEST = 1;

/** Who stands for whom, and what was done to versions that were: true of the record it is about, not data of the person. */
const NO_DATA = new Set(['Patient', 'Provenance', 'AuditEvent']);

type Parts = Pick<ConnectionContext, 'store' | 'consent' | 'clock' | 'connection'>;

/** Whether anything refers to the patient, or another server has it. */
export async function patientHasMore(parts: Parts, id: string): Promise<boolean> {
  const { store, connection } = parts;
  const sql = `SELECT 1 FROM identity WHERE type = 'Patient' AND local_id = ? AND connection <> ? AND ${isThere()} LIMIT 1`;
  if ((await store.query(sql, [id, connection.name])).length > 0) return true;
  for (const query of queriesFor(parts, id)) {
    if ((await findSpan(parts, query, BEGINNING, parts.clock.now().epochMilliseconds + 1)).length > 0) return true;
  }
  return false;
}

/** Every resource that refers to the patient, once. */
export async function resourcesOfPatient(parts: Parts, id: string): Promise<StoredVersion[]> {
  const found = new Map<string, StoredVersion>();
  for (const query of queriesFor(parts, id)) {
    for (const stored of await findSpan(parts, query, BEGINNING, parts.clock.now().epochMilliseconds + 1)) {
      found.set(`${stored.type}/${stored.id}`, stored);
    }
  }
  return [...found.values()];
}

function queriesFor({ consent }: Parts, id: string): string[] {
  const { parameters } = consent;
  return parameters.types.flatMap((type) => {
    const codes = NO_DATA.has(type) ? [] : (parameters.patientCompartment(type) ?? []);
    return codes
      .filter((code) => parameters.get(type, code)?.kind === 'reference')
      .map((code) => `${type}?${code}=Patient/${id}`);
  });
}

/** More than one answer may hold are asked for in two halves of the time in which they were written. */
async function findSpan(parts: Parts, query: string, from: number, to: number): Promise<StoredVersion[]> {
  const instant = (at: number) => encodeURIComponent(Temporal.Instant.fromEpochMilliseconds(at).toString());
  const narrowed = from === BEGINNING ? query : `${query}&_lastUpdated=ge${instant(from)}`;
  try {
    return await parts.store.find(`${narrowed}&_lastUpdated=lt${instant(to)}`);
  } catch (error) {
    if (asFault(error).kind !== 'too-large' || to - from <= SHORTEST) throw error;
    const middle = Math.floor((from + to) / 2);
    return [...(await findSpan(parts, query, from, middle)), ...(await findSpan(parts, query, middle, to))];
  }
}
