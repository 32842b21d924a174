// Local patients who may be a remote one, found by what few others have in common with it; how like they are is for the rules
// to say. Whoever differs in birth date and in name at once is not looked at.
import { asFault } from '../../fault.ts';
import { isJsonObject, type Json, type JsonObject } from '../../fhir/canonical-json.ts';
import { nameWords } from '../../fhir/patient-match/normal-form.ts';
import { replacedBy } from '../../fhir/patient-merge.ts';
import { dateRange } from '../../fhir/search/date-range.ts';
import type { Store, StoredVersion } from '../../store/store.ts';
import { parseBody } from '../body.ts';

const DATE = /^(\d{4})-(\d\d)(?:-(\d\d))?$/;

export async function alikePatients(store: Pick<Store, 'find'>, remote: JsonObject): Promise<StoredVersion[]> {
  const found = new Map<string, StoredVersion>();
  for (const query of queries(remote)) {
    for (const stored of (await findFew(store, query)) ?? []) found.set(stored.id, stored);
  }
  // A record that another one stands for is nobody any more.
  return [...found.values()].filter(({ content }) => replacedBy(parseBody(content)) === undefined);
}

function queries(remote: JsonObject): string[] {
  const dates = datesOf(remote);
  return [
    ...(dates.length > 0 ? [`Patient?birthdate=${encodeURIComponent(dates.join(','))}`] : []),
    ...namesOf(remote).map(
      ([family, given]) => `Patient?family=${encodeURIComponent(family)}&given=${encodeURIComponent(given)}`,
    ),
  ];
}

/** The birth date, and what it would be with day and month turned; none when only the year is known, or there is no such date. */
export function datesOf({ birthDate }: JsonObject): string[] {
  const match = typeof birthDate === 'string' ? DATE.exec(birthDate) : null;
  // What is received need not be valid, and a search refuses a date that does not exist.
  if (!match || !dateRange(match[0])) return [];
  const [date, year, month, day] = match;
  return Number(day) <= 12 && day !== month ? [date, `${year}-${day}-${month}`] : [date];
}

/** The first words of family and given name, folded. */
function namesOf({ name }: JsonObject): (readonly [string, string])[] {
  return (Array.isArray(name) ? name : []).flatMap((one) => {
    if (!isJsonObject(one)) return [];
    const family = wordOf(one.family);
    const given = wordOf(Array.isArray(one.given) ? one.given[0] : undefined);
    return family === '' || given === '' ? [] : [[family, given] as const];
  });
}

/** The search folds case and accents as the rules do, and takes the beginning of a name for it. */
export function wordOf(value: Json | undefined): string {
  return typeof value === 'string' ? (nameWords(value)[0] ?? '') : '';
}

/** Undefined when more than a thousand match: a number, a name or a day that so many have tells nobody apart. */
export async function findFew(store: Pick<Store, 'find'>, query: string): Promise<StoredVersion[] | undefined> {
  try {
    return await store.find(query);
  } catch (error) {
    const { kind } = asFault(error);
    if (kind === 'too-large') return undefined;
    // What no search can be made of, like a character that a database cannot hold, nobody here has.
    if (kind === 'invalid') return [];
    throw error;
  }
}
