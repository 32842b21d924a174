// A Consent as flat rules that a database can ask: what each provision of the tree says, and which one it is an exception
// to. https://hl7.org/fhir/R4/consent.html

/** Any actor, purpose, label, class or resource. */
export const ANY = '*';

export interface ConsentRule {
  /** Number of the provision within its Consent; a provision with several actors or labels has a rule for each. */
  readonly node: number;
  /** The provision that this one is an exception to; -1 for none. */
  readonly parent: number;
  readonly effect: 'permit' | 'deny';
  /**
   * A permit that holds without looking at the provisions around it, because its limits and theirs are all in the rule.
   * Only such a permit releases a label that needs one.
   */
  readonly alone: boolean;
  /** `Practitioner/12`, a URL elsewhere, `system|value` of an identifier, or ANY. */
  readonly actor: string;
  /** Code of v3-ActReason, or ANY. */
  readonly purpose: string;
  /** Security label; its code is ANY for all resources, those without labels included. */
  readonly label: { readonly system: string; readonly code: string };
  /** Resource type, or ANY. */
  readonly class: string;
  /** `Observation/7`, or ANY. */
  readonly data: string;
  /** Half-open [from, until), milliseconds since 1970; open ends are the first and last instant that Temporal can hold. */
  readonly from: number;
  readonly until: number;
}

/** What a Consent says, and of which local patient. */
export interface PatientRules {
  readonly patient: string;
  readonly rules: readonly ConsentRule[];
}
