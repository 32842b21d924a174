// Transaction Bundles of new records, and those of the corpus.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { managerOf, type Population } from '../population/population.ts';
import { RECORD_SIZE, recordOf } from '../population/record.ts';
import type { Resource } from '../population/resource.ts';

const SYNTHEA = join(import.meta.dirname, '../../../../shared/corpus/synthea');

/** Places in a record of what refers to nothing but what stands before it: patient, visits, problems, measurements. */
const FIRST_PARTS = [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12];

/** A transaction that creates so many resources: whole records from the n-th patient's on, the last one in part. */
export function transactionOf(n: number, entries: number, population: Population): string {
  const records = Array.from({ length: Math.ceil(entries / RECORD_SIZE) }, (_, at) =>
    recordOf(n + at, managerOf(n + at, population)),
  );
  const rest = entries % RECORD_SIZE;
  const last = rest > 0 ? records.pop() : undefined;
  const part = last ? FIRST_PARTS.slice(0, rest).map((place) => last[place] as Resource) : [];
  return bundleOf([...records.flat(), ...part]);
}

/** A Task and a message about it, for a patient who is there. */
export function pairOf(n: number, population: Population): string {
  const record = recordOf(n, managerOf(n, population));
  return bundleOf([record[14], record[18]].filter((resource) => resource !== undefined));
}

/** POST entries; references among the resources become references to their urn:uuid. */
function bundleOf(resources: readonly Resource[]): string {
  const inside = new Set(resources.map(({ id }) => id));
  const entry = resources.map(({ id, ...resource }) => ({
    fullUrl: `urn:uuid:${id}`,
    resource,
    request: { method: 'POST', url: resource.resourceType },
  }));
  const text = JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry });
  return text.replace(/"reference":"[A-Za-z]+\/([0-9a-f-]{36})"/g, (whole, id: string) =>
    inside.has(id) ? `"reference":"urn:uuid:${id}"` : whole,
  );
}

/** Synthea's transactions as they are, smallest first; none when the corpus is not there. */
export function syntheaBundles(): Buffer[] {
  if (!existsSync(SYNTHEA)) return [];
  return readdirSync(SYNTHEA)
    .filter((name) => name.endsWith('.json.gz'))
    .map((name) => gunzipSync(readFileSync(join(SYNTHEA, name))))
    .sort((a, b) => a.length - b.length);
}
