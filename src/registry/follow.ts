// Follows the log: whose record a change touches is evaluated anew, once for all changes of a batch. The cursor moves when
// that is done, so after a crash it is done again, which changes nothing. Two processes may do it at the same time.
import type { Resource } from '@medplum/fhirtypes';
import { asFault } from '../fault.ts';
import { parseExact } from '../fhir/exact-json.ts';
import { collectReferences, parseLiteral } from '../fhir/references.ts';
import { advanceCursor, beginCursor, readCursor } from '../store/cursor.ts';
import type { LogEntry } from '../store/store.ts';
import { evaluatePatient } from './evaluate.ts';
import { ACTOR, type Parts } from './parts.ts';

const CURSOR = 'registry';
const BATCH = 500;

/** Catches up with the log. Returns how many entries that were. */
export async function followLog(parts: Parts): Promise<number> {
  const { store, signal } = parts;
  const asked = typesAsked(parts);
  // What was there before is the first sweep's.
  let cursor = await beginCursor(store, ACTOR, CURSOR, await store.head());
  let handled = 0;
  while (!signal.aborted) {
    const entries = await store.readLog(cursor, BATCH);
    const last = entries.at(-1)?.sequence;
    if (last === undefined) break;
    for (const [patient, types] of await touchedBy(parts, entries, asked)) {
      if (signal.aborted) return handled;
      await evaluatePatient(parts, patient, { types });
    }
    cursor = await advance(parts, cursor, last);
    handled += entries.length;
    if (entries.length < BATCH) break;
  }
  return handled;
}

/** Where the log goes on: behind the batch, or where another process has come to meanwhile. */
async function advance({ store }: Parts, from: number, to: number): Promise<number> {
  try {
    await store.commit(ACTOR, [], [advanceCursor(CURSOR, from, to)]);
    return to;
  } catch (error) {
    if (asFault(error).kind !== 'conflict') throw error;
    return (await readCursor(store, CURSOR)) ?? to;
  }
}

/** Types that some rule asks for. */
function typesAsked({ panels: { panels, methods } }: Parts): ReadonlySet<string> {
  const queries = [...panels, ...methods].flatMap((one) => one.queries);
  return new Set(['Patient', ...queries.map(({ type }) => type)]);
}

/** Patients whose record the entries changed, with the types of what was changed. */
async function touchedBy(parts: Parts, entries: readonly LogEntry[], asked: ReadonlySet<string>) {
  const touched = new Map<string, Set<string>>();
  for (const entry of entries) {
    const isOurs = entry.actor === ACTOR.reference;
    // A membership that somebody else has changed may contradict the rules now, all of them.
    const type = entry.type === 'Group' ? 'Patient' : entry.type;
    if (!asked.has(type) || isOurs) continue;
    for (const patient of await patientsIn(parts, entry)) {
      const types = touched.get(patient) ?? new Set();
      touched.set(patient, types.add(type));
    }
  }
  return touched;
}

/** Whom the version is about, and whom the one before was: a result that was filed wrongly is taken from one to another. */
async function patientsIn({ store }: Parts, { type, id, versionId, content }: LogEntry): Promise<Set<string>> {
  if (type === 'Patient') return new Set([id]);
  const before = Number(versionId) > 1 ? await store.vread(type, id, String(Number(versionId) - 1)) : undefined;
  return new Set([content, before?.content ?? ''].flatMap(patientsNamed));
}

function patientsNamed(content: string): string[] {
  if (content === '') return [];
  return collectReferences(parseExact<Resource>(content)).flatMap((reference) => {
    const target = parseLiteral(reference);
    return target?.type === 'Patient' ? [target.id] : [];
  });
}
