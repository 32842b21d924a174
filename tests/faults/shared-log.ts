// What must hold of a log that several processes have written together, some of which were killed.
import type { Observation, Patient } from '@medplum/fhirtypes';
import type { LogEntry, Store } from '../../src/store/store.ts';
import { SHARED } from './shared-names.ts';

/** What the writers said about their commits. */
export interface Said {
  /** `type id version` of everything acknowledged as written. */
  readonly acknowledged: readonly string[];
  /** Values of commits that were refused as surely not written. */
  readonly refused: readonly string[];
}

/**
 * @param seen the log as somebody saw it who followed it all the time
 * @returns a sentence for everything that is wrong
 */
export async function findDamage(store: Store, said: Said, seen: readonly LogEntry[]): Promise<string[]> {
  const log = await store.readLog(0, 10_000_000);
  const damage: string[] = [];
  const expect = (holds: boolean, sentence: string) => {
    if (!holds) damage.push(sentence);
  };
  expect(
    log.every((entry, index) => entry.sequence === index + 1),
    'The log has a gap.',
  );
  expect(
    seen.length === log.length && seen.every((entry, index) => entry.sequence === log[index]?.sequence),
    `The follower saw ${seen.length} entries of ${log.length}, or in another order.`,
  );
  const logged = new Set(log.map((entry) => `${entry.type} ${entry.id} ${entry.versionId}`));
  expect(logged.size === log.length, 'A version is in the log twice.');
  for (const line of said.acknowledged) expect(logged.has(line), `${line} was acknowledged and is not there.`);
  expect(new Set(said.acknowledged).size === said.acknowledged.length, 'A version was acknowledged twice.');
  const values = new Set(log.map(textOf));
  for (const value of said.refused) expect(!values.has(value), `${value} was refused and is there.`);
  for (const twice of repeated(log)) damage.push(`The conditional creates of ${twice} made more than one resource.`);
  damage.push(...brokenPairs(log), ...(await wrongRows(store, log)));
  return damage;
}

function textOf(entry: LogEntry): string {
  const resource = JSON.parse(entry.content) as Patient | Observation;
  return (resource.resourceType === 'Patient' ? resource.identifier?.[0]?.value : resource.note?.[0]?.text) ?? '';
}

function repeated(log: readonly LogEntry[]): string[] {
  const ids = new Map<string, string>();
  const found = new Set<string>();
  for (const entry of log) {
    const value = textOf(entry);
    if (!value.startsWith(SHARED)) continue;
    if ((ids.get(value) ?? entry.id) !== entry.id) found.add(value);
    ids.set(value, entry.id);
  }
  return [...found];
}

/** Both halves of a pair are written by one commit: every version of one is in the log beside the same of the other. */
function brokenPairs(log: readonly LogEntry[]): string[] {
  const halves = new Map<string, string>();
  for (const entry of log) {
    if (!/-(left|right)$/.test(entry.id)) continue;
    const key = `${entry.id.replace(/-(left|right)$/, '')} ${entry.versionId}`;
    const value = textOf(entry);
    if (halves.get(key) === value) halves.delete(key);
    else halves.set(key, value);
  }
  return [...halves.keys()].map((key) => `Version ${key} of a pair is only half there.`);
}

/** The current rows are the last versions. */
async function wrongRows(store: Store, log: readonly LogEntry[]): Promise<string[]> {
  const last = new Map(log.map((entry) => [`${entry.type}/${entry.id}`, entry]));
  const rows = await store.query('SELECT type, id, sequence, content FROM resource');
  const wrong = rows.filter((row) => {
    const entry = last.get(`${row.type}/${row.id}`);
    return entry?.sequence !== row.sequence || entry?.content !== row.content;
  });
  const missing = rows.length === last.size ? [] : [`There are ${rows.length} resources of ${last.size}.`];
  return [...missing, ...wrong.map((row) => `${row.type}/${row.id} is not at its last version.`)];
}
