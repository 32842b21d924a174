// What is left of a type when a grant does not reach all of it: the lanes that lead to resources, each with its limits.
// Data only; server/fhir/reach.ts turns it into conditions of a search.
import type { Pairs } from '../fhir/request-url.ts';

/** Patients by what refers to them, or by what they say themselves: `CareTeam?participant=Practitioner/12`. */
export type PatientSet = string;

/** One way that leads to resources. All that it names must hold. */
export interface Lane {
  /** Only in this patient's compartment. */
  readonly patient?: string;
  /** Only what matches these search parameters: the constraint of a scope. No parameter: no limit. */
  readonly constraint: Pairs;
  /** What the role of the user adds; absent for an application that works on its own account. */
  readonly role?: RoleLimit;
  /** Under emergency access: consents are not asked. */
  readonly emergency?: boolean;
}

/** What a rule of a role leaves of the types it is about. */
export interface RoleLimit {
  /** Types that the rule is about, where the interaction is about several. */
  readonly types?: readonly string[];
  /** Only in the compartment of a patient of one of these sets. Absent: whoever it is about, or nobody. */
  readonly patients?: readonly PatientSet[];
  /** Only what matches these search parameters. */
  readonly matching?: Pairs;
}

export interface Narrowing {
  /** At least one must lead to the resource. */
  readonly lanes: readonly Lane[];
}

/** True when the lane leads to every resource. */
export function isWide({ patient, constraint, role }: Lane): boolean {
  return patient === undefined && constraint.length === 0 && role === undefined;
}
