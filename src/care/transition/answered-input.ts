// What a risk score asked, answered from what is stored.
import type { Resource } from '@medplum/fhirtypes';
import type { Known } from './risk-method.ts';

/** Code of CodeSystem risk-input, and in words. */
export interface MissingInput {
  readonly code: string;
  readonly words: string;
}

export interface AnsweredInput {
  /** Undefined when it is not known. */
  readonly known?: Known;
  readonly shownBy: readonly Resource[];
  readonly missing: readonly MissingInput[];
}
