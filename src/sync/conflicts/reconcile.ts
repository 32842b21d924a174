// Brings two copies together that both grew from the last common version. The two servers never hold the same text (each
// normalises, drops and adds), so what the remote changed is first carried over to our copy of that version. Pure.
import { type JsonObject, sameJson } from '../../fhir/canonical-json.ts';
import { carryChange, type MergeConflict, type MergePolicy, merge3 } from '../../fhir/merge3.ts';
import { patientElementOf, patientOf, patientsOf } from '../patients/patient-reference.ts';
import type { ResourcePolicy } from './policy-schema.ts';
import { illegalSteps } from './transitions.ts';

/** All bodies comparable and in local terms. */
export interface Copies {
  readonly baseLocal: JsonObject;
  readonly baseRemote: JsonObject;
  readonly local: JsonObject;
  readonly remote: JsonObject;
}

export interface Reconciled {
  /** Our copy of what the remote has: the next common version. */
  readonly theirs: JsonObject;
  /** What our copy becomes; with conflicts, what is proposed. */
  readonly merged: JsonObject;
  readonly conflicts: readonly MergeConflict[];
  readonly localChanges: boolean;
  /** True when the remote lacks something of the merged copy. */
  readonly remoteChanges: boolean;
}

export function reconcile(copies: Copies, policy: ResourcePolicy): Reconciled {
  const { baseLocal, baseRemote, local, remote } = copies;
  const theirs = naming(copies, carryChange(baseRemote, remote, baseLocal));
  const result = merge3(baseLocal, local, theirs, heedEnded(policy, local));
  const steps = illegalSteps({ base: baseLocal, ours: local, theirs, merged: result.merged });
  // As everywhere that a person is asked: what is proposed has ours.
  const merged = { ...result.merged, ...Object.fromEntries(steps.map(({ path, ours }) => [path, ours])) };
  const conflicts = [
    ...result.conflicts,
    ...steps.filter(({ path }) => !result.conflicts.some((c) => c.path === path)),
  ];
  const moved = movedToAnotherPatient(local, merged) ?? editedAsAnothers(copies, theirs);
  const isAsked = conflicts.some(({ path }) => path.split('.', 1)[0] === patientElementOf(local));
  return {
    theirs,
    merged,
    conflicts: moved && !isAsked ? [moved, ...conflicts] : conflicts,
    localChanges: !sameJson(merged, local),
    remoteChanges: !sameJson(carryChange(theirs, merged, remote), remote),
  };
}

/** What has ended here is not quietly opened again, nor ended otherwise, by who wins in general. */
function heedEnded({ paths, final = {}, ...policy }: ResourcePolicy, local: JsonObject): MergePolicy {
  const ended = Object.entries(final).filter(([element, codes]) => codes.some((code) => code === local[element]));
  return {
    ...policy,
    paths: { ...paths, ...Object.fromEntries(ended.map(([element]) => [element, 'review'] as const)) },
  };
}

/**
 * No server may move a resource from one patient to another without a person looking at it. Where it may have several, some
 * come and go: it is another's when it names others, and none of ours any more.
 */
function movedToAnotherPatient(local: JsonObject, merged: JsonObject): MergeConflict | undefined {
  const [before, after] = [patientsOf(local), patientsOf(merged)];
  const known = before.filter((one) => !one.includes('://'));
  const whose = known.length > 0 ? known : before;
  const isEmptied = after.length === 0 && Array.isArray(local[patientElementOf(local) ?? '']);
  const [ours] = whose;
  if (ours === undefined || isEmptied || whose.some((one) => after.includes(one))) return undefined;
  return { path: 'patient', ours, theirs: after.find((one) => !before.includes(one)) ?? after[0], why: 'patient' };
}

/** What was written there about another patient than ours is about is in none of ours without a person looking at it. */
function editedAsAnothers({ baseLocal, local }: Copies, theirs: JsonObject): MergeConflict | undefined {
  const isEdited = patientOf(theirs) !== undefined && !sameJson(theirs, baseLocal);
  return isEdited ? movedToAnotherPatient(local, theirs) : undefined;
}

/** Theirs, which names whom the common version is about also when nobody knows any more who that is there: by the URL, if edited. */
function naming({ baseRemote, remote }: Copies, theirs: JsonObject): JsonObject {
  const [element, known] = [patientElementOf(theirs), patientsOf(theirs)];
  const unknown = patientsOf(remote).filter((one) => one.includes('://') && !known.includes(one));
  const isUnknown = unknown.length > 0 && !sameJson(remote, baseRemote);
  return isUnknown && element !== undefined ? { ...theirs, [element]: remote[element] } : theirs;
}

/** What is proposed to a person mixes the words about two patients in no resource: then it is ours as it is. */
export function ofOnePatient<T extends Reconciled>(result: T, local: JsonObject): T {
  const isAnothers = movedToAnotherPatient(local, result.theirs) !== undefined;
  return isAnothers && result.conflicts.length > 0 ? { ...result, merged: local } : result;
}
