// Whether a merged status could have come about at all. Two legal edits may add up to a step that nobody may take, such as
// from completed back to requested. Pure. docs/sync-spec.md#I9
import { type JsonObject, sameJson } from '../../fhir/canonical-json.ts';
import type { MergeConflict } from '../../fhir/merge3.ts';
import { isReachable } from '../../fhir/status/machine.ts';
import { machineOf, statusOf } from '../../fhir/status/machine-of.ts';
import type { RevisionRefused } from '../../store/revision.ts';
import { resourceOf } from '../body.ts';

/** The bodies of a merge and its result, comparable and in local terms. */
export interface Merging {
  readonly base: JsonObject;
  readonly ours: JsonObject;
  readonly theirs: JsonObject;
  readonly merged: JsonObject;
}

/**
 * The status when the merged one is out of reach of the last common version, or of our copy, in however many steps: each
 * side may have taken several. What both sides say alike is not asked.
 */
export function illegalSteps({ base, ours, theirs, merged }: Merging): MergeConflict[] {
  const machine = machineOf(...[ours, base, theirs, merged].map(resourceOf));
  if (!machine) return [];
  const { element } = machine;
  const [before, mine, after] = [base, ours, merged].map((body) => statusOf(machine, resourceOf(body)));
  if (sameJson(ours[element], theirs[element])) return [];
  if (isReachable(machine, before, after) && isReachable(machine, mine, after)) return [];
  return [
    { path: element, base: base[element], ours: ours[element], theirs: theirs[element], why: 'transition' as const },
  ];
}

/** Whether our copy may become the other, as far as its status goes. */
export function mayBecome(ours: JsonObject, other: JsonObject): boolean {
  const machine = machineOf(resourceOf(ours), resourceOf(other));
  if (!machine) return true;
  return isReachable(machine, statusOf(machine, resourceOf(ours)), statusOf(machine, resourceOf(other)));
}

/** The element that a rule of the store refused: `status` of `Task.status`. */
export function refusedElement({ issues }: RevisionRefused, type: string): string {
  const [expression = type] = issues[0]?.expression ?? [];
  return expression.replace(`${type}.`, '');
}

/** What is asked of a person when the store refuses a merge over one element; what is proposed has ours there. */
export function refusedStep(path: string, { base, ours, theirs, merged }: Merging) {
  const { [path]: _, ...rest } = merged;
  const kept = ours[path];
  const paths = [{ path, base: base[path], ours: kept, theirs: theirs[path], why: 'transition' as const }];
  return { paths, proposed: kept === undefined ? rest : { ...rest, [path]: kept } };
}
