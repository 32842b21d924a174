// Two patient records that turn out to be one person: who stands for whom, and what the records say afterwards. Pure; for
// merges that a server reports (Patient.link), for those a person decides, and for messages that order one.
// https://hl7.org/fhir/R4/patient.html#8.1.10
import type { Patient } from '@medplum/fhirtypes';
import { isJsonObject, type Json, type JsonObject } from './canonical-json.ts';
import { joinDeath } from './death-word.ts';

/** More records in a row than this are a circle or a fault. */
export const LONGEST_CHAIN = 10;

/** Reference to the record that stands for this one: `Patient/2`, as written. A `seealso` link merges nothing. */
export function replacedBy(patient: JsonObject): string | undefined {
  for (const link of listOf(patient.link)) {
    if (!isJsonObject(link) || link.type !== 'replaced-by' || !isJsonObject(link.other)) continue;
    const { reference } = link.other;
    if (typeof reference === 'string' && reference !== '') return reference;
  }
  return undefined;
}

/**
 * The last record of a chain of merges: A replaced by B, B by C.
 * @param next what replaced a record; undefined when nothing did
 * @returns undefined when the chain comes back to itself or does not end
 */
export async function followChain(
  start: string,
  next: (id: string) => Promise<string | undefined>,
): Promise<string | undefined> {
  const seen = new Set<string>();
  for (let id = start; seen.size <= LONGEST_CHAIN; ) {
    if (seen.has(id)) return undefined;
    seen.add(id);
    const following = await next(id);
    if (following === undefined) return id;
    id = following;
  }
  return undefined;
}

/** The record that is no longer used: inactive, and pointing at the one that stands for it. */
export function retired(patient: JsonObject, survivor: string): JsonObject {
  const others = listOf(patient.link).filter((link) => !(isJsonObject(link) && link.type === 'replaced-by'));
  return { ...patient, active: false, link: [...others, { other: { reference: survivor }, type: 'replaced-by' }] };
}

/** The record in use again, after a merge that was taken back. */
export function reopened({ link, ...rest }: JsonObject): JsonObject {
  const others = listOf(link).filter((one) => !(isJsonObject(one) && one.type === 'replaced-by'));
  return { ...rest, active: true, ...(others.length > 0 ? { link: others } : {}) };
}

/**
 * The record in use, with a link to the one it stands for, and with its identifiers as old ones, so that it is found by them. A
 * person has died once, whichever of their records says so.
 */
export function surviving(patient: JsonObject, replaced: JsonObject, reference: string): JsonObject {
  const links = listOf(patient.link);
  const known = links.some(
    (link) => isJsonObject(link) && isJsonObject(link.other) && link.other.reference === reference,
  );
  const mine = listOf(patient.identifier);
  const has = (one: JsonObject) =>
    mine.some((own) => isJsonObject(own) && own.system === one.system && own.value === one.value);
  const taken = listOf(replaced.identifier)
    .filter(isJsonObject)
    .filter((one) => !has(one))
    .map((one) => ({ ...one, use: 'old' }));
  const link = known ? links : [...links, { other: { reference }, type: 'replaces' }];
  const identifier = [...mine, ...taken];
  const kept = { ...patient, link, ...(identifier.length > 0 ? { identifier } : {}) };
  const [one, other] = [kept, replaced] as unknown as [Patient, Patient];
  return joinDeath(one, one, other) as unknown as JsonObject;
}

function listOf(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}
