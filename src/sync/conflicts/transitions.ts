// Whether a merged code could have come about at all. Two legal edits may add up to a step that nobody may take, such as
// from completed back to requested. Pure. docs/sync-spec.md#I9
import { type Json, type JsonObject, sameJson } from '../../fhir/canonical-json.ts';
import type { MergeConflict } from '../../fhir/merge3.ts';
import type { ResourcePolicy } from './policy-schema.ts';

type Table = Readonly<Record<string, readonly string[]>>;

/** The bodies of a merge and its result, comparable and in local terms. */
export interface Merging {
  readonly base: JsonObject;
  readonly ours: JsonObject;
  readonly theirs: JsonObject;
  readonly merged: JsonObject;
}

/** The elements whose merged code is out of reach of the last common version. What both sides say alike is not asked. */
export function illegalSteps({ transitions = {} }: ResourcePolicy, merging: Merging): MergeConflict[] {
  const found: MergeConflict[] = [];
  for (const [element, table] of Object.entries(transitions)) {
    const [base, ours, theirs, merged] = [merging.base, merging.ours, merging.theirs, merging.merged].map(
      (body) => body[element],
    );
    if (sameJson(ours, theirs) || isReachable(table, base, merged)) continue;
    found.push({ path: element, base, ours, theirs, why: 'transition' });
  }
  return found;
}

/** In any number of steps, because each side may have taken several; from a code that the table lacks, everywhere. */
export function isReachable(table: Table, from: Json | undefined, to: Json | undefined): boolean {
  if (typeof from !== 'string' || !(from in table) || sameJson(from, to)) return true;
  const seen = new Set([from]);
  for (const code of seen) for (const next of table[code] ?? []) seen.add(next);
  return typeof to === 'string' && seen.has(to);
}
