// Batch and transaction Bundles, read and checked: each entry becomes a change or a question. Nothing is run here.
// https://hl7.org/fhir/R4/http.html#transaction
import { asFault, Fault } from '../fault.ts';
import { type EntryRequest, readEntry } from './bundle-entry.ts';
import { type BundleRules, type Json, wrong } from './bundle-rules.ts';
import type { Change } from './change.ts';

export interface BundleRequest {
  readonly type: 'batch' | 'transaction';
  /** In the order of the Bundle. A Fault where a batch entry cannot be understood. */
  readonly entries: readonly (EntryRequest | Fault)[];
}

/**
 * @throws Fault invalid when it is not a batch or transaction, or when any entry of a transaction is wrong (all of them
 * are listed); too-large
 */
export function readBundle(body: unknown, rules: BundleRules): BundleRequest {
  const { resourceType, type, entry: given = [] } = (body ?? {}) as Json;
  if (resourceType !== 'Bundle') {
    throw new Fault('invalid', 'The base URL takes a Bundle of type batch or transaction.', { code: 'structure' });
  }
  if (type !== 'batch' && type !== 'transaction') {
    throw wrong('Bundle.type must be batch or transaction here.', 'Bundle.type', 'value');
  }
  if (!Array.isArray(given)) throw wrong('Bundle.entry must be an array.', 'Bundle.entry', 'structure');
  if (given.length > rules.maxEntries) {
    const sentence = `A Bundle may have at most ${rules.maxEntries} entries; this one has ${given.length}.`;
    throw new Fault('too-large', sentence);
  }
  const entries = given.map((entry, index) => attempt(() => readEntry(entry, `Bundle.entry[${index}]`, rules)));
  if (type === 'transaction') {
    throwTogether(entries.filter((entry) => entry instanceof Fault));
    refuseOverlaps(entries.filter((entry) => !(entry instanceof Fault)));
  }
  return { type, entries };
}

/** Two entries on one identity have no defined order, and two resources with one fullUrl make references ambiguous. */
function refuseOverlaps(entries: readonly EntryRequest[]): void {
  const seen = new Set<string>();
  for (const [index, entry] of entries.entries()) {
    if (entry.kind !== 'change') continue;
    for (const key of identitiesOf(entry.type, entry.change)) {
      if (seen.has(key)) {
        const sentence = 'Another entry of the transaction has the same identity.';
        throw wrong(sentence, `Bundle.entry[${index}]`, 'duplicate');
      }
      seen.add(key);
    }
  }
}

function identitiesOf(type: string, change: Change): string[] {
  const fullUrl = 'fullUrl' in change && change.fullUrl ? [`fullUrl ${change.fullUrl}`] : [];
  if (change.op === 'create') return fullUrl;
  const id = change.op === 'update' ? change.resource.id : change.id;
  return [...fullUrl, change.query === undefined ? `${type}/${id}` : `${type}?${change.query}`];
}

function throwTogether(faults: readonly Fault[]): void {
  const [first] = faults;
  if (!first) return;
  throw new Fault(first.kind, first.message, { issues: faults.flatMap((fault) => fault.issues) });
}

function attempt<T>(work: () => T): T | Fault {
  try {
    return work();
  } catch (error) {
    return asFault(error);
  }
}
