// Why each differing element of a merge is what it is: who changed it, which rule decided, and why none could. For people.
import type { Json, JsonObject } from '../../fhir/canonical-json.ts';
import { sameJson } from '../../fhir/canonical-json.ts';
import { elementDifferences } from '../../fhir/element-diff.ts';
import { type MergeConflict, type Preference, ruleFor } from '../../fhir/merge3.ts';
import { patientOf } from '../patients/patient-reference.ts';
import type { ResourcePolicy } from './policy-schema.ts';

/** Comparable bodies in local terms. */
export interface MergeCopies {
  readonly base: JsonObject | undefined;
  readonly ours: JsonObject | undefined;
  readonly theirs: JsonObject | undefined;
  readonly proposed: JsonObject | undefined;
}

export interface ElementView {
  /** With the keys of list items, e.g. `activity[Task/1].detail.status`. */
  readonly path: string;
  /** Sides that have no such element are absent. */
  readonly base?: Json;
  readonly ours?: Json;
  readonly theirs?: Json;
  readonly proposed?: Json;
  readonly changedBy: 'ours' | 'theirs' | 'both' | 'both-alike' | 'nobody';
  readonly decidedBy: Decision;
  /** A sentence, only where a person must decide. */
  readonly why?: string;
}

/**
 * `rule` is the path that the policy names, or `default`; absent where no policy was asked. `own-identifier`: a push adds our
 * identifier, by which what it sends is found again there.
 */
export interface Decision {
  readonly kind: 'only-change' | 'agreement' | 'policy' | 'final' | 'transition' | 'patient' | 'own-identifier';
  readonly rule?: string;
  readonly preference?: Preference;
}

/** @param conflicts what the merge left to a person */
export function explainMerge(
  policy: ResourcePolicy | undefined,
  copies: MergeCopies,
  conflicts: readonly MergeConflict[],
): ElementView[] {
  const { base, ours, theirs, proposed } = copies;
  const sides = proposed === undefined ? [base, ours, theirs] : [base, ours, theirs, proposed];
  return elementDifferences(sides).map(({ path, element, values }) => {
    const [before, here, there, wanted] = values;
    const changedBy = whoChanged(before, here, there);
    const namesPatient = values.some((value) => value !== undefined && patientOf({ [element]: value }) !== undefined);
    const conflict = conflicts.find((one) => (one.why === 'patient' ? namesPatient : covers(one.path, path)));
    const decidedBy = decisionOf(policy ?? {}, element, changedBy, here, conflict);
    const why = conflict === undefined ? undefined : reasonOf(policy, decidedBy, conflict);
    return {
      path,
      ...(before === undefined ? {} : { base: before }),
      ...(here === undefined ? {} : { ours: here }),
      ...(there === undefined ? {} : { theirs: there }),
      ...(wanted === undefined ? {} : { proposed: wanted }),
      changedBy,
      decidedBy,
      ...(why === undefined ? {} : { why }),
    };
  });
}

function whoChanged(before?: Json, here?: Json, there?: Json): ElementView['changedBy'] {
  const [ours, theirs] = [!sameJson(before, here), !sameJson(before, there)];
  if (ours && theirs) return sameJson(here, there) ? 'both-alike' : 'both';
  return ours ? 'ours' : theirs ? 'theirs' : 'nobody';
}

/** True when a conflict about `outer` is about `path`, too: the same element, one within it, or a type of its choice. */
function covers(outer: string, path: string): boolean {
  if (outer === path || path.startsWith(`${outer}.`) || path.startsWith(`${outer}[`)) return true;
  return outer.endsWith('[x]') && path.startsWith(outer.slice(0, -3));
}

function decisionOf(
  { final = {}, ...policy }: ResourcePolicy,
  element: string,
  changedBy: ElementView['changedBy'],
  here: Json | undefined,
  conflict: MergeConflict | undefined,
): Decision {
  if (conflict?.why !== undefined) return { kind: conflict.why };
  if (changedBy === 'both-alike') return { kind: 'agreement' };
  if (changedBy !== 'both') return { kind: 'only-change' };
  if (final[element]?.some((code) => code === here)) return { kind: 'final', rule: element, preference: 'review' };
  return { kind: 'policy', ...ruleFor(policy, element) };
}

function reasonOf(policy: ResourcePolicy | undefined, { kind, rule, preference }: Decision, of: MergeConflict): string {
  switch (kind) {
    case 'transition':
      return `No steps lead from ${of.ours ?? of.base} to what the other side made of it.`;
    case 'patient':
      return 'It would move the resource to another patient.';
    case 'final':
      return `It has ended here (${of.ours}), and the other side changed it at the same time.`;
    case 'policy':
      if (of.ours === undefined || of.theirs === undefined) return 'One side removed what the other changed.';
      if (preference !== 'review')
        return `Both sides changed it, and ${preference} (${rule}) cannot join single values.`;
      if (rule !== 'default') return `Both sides changed it, and the policy leaves ${rule} to a person.`;
      return policy === undefined
        ? 'Both sides changed it, and the type has no policy.'
        : 'Both sides changed it, and no path of the policy names it.';
    case 'only-change':
    case 'agreement':
    case 'own-identifier':
      return 'It belongs to an element that both sides changed.';
  }
}
