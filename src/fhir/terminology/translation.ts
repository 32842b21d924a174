// What $translate is asked and answers. https://hl7.org/fhir/R4/conceptmap-operation-translate.html
import type { CodeableConcept, Coding } from '@medplum/fhirtypes';
import type { Equivalence } from './equivalence.ts';

export interface TranslateRequest {
  /** One of them is translated: each in turn, what is found is put together. */
  readonly codings: readonly Coding[];
  /** Code system to translate to (in reverse: from). */
  readonly targetSystem?: string | undefined;
  readonly dependencies: readonly Dependency[];
  readonly reverse: boolean;
}

/** Another element's value that a mapping may depend on. */
export interface Dependency {
  readonly element: string;
  readonly concept: CodeableConcept;
}

export interface Match {
  readonly equivalence: Equivalence;
  readonly concept?: Coding;
  readonly product: readonly { readonly element: string; readonly concept: Coding }[];
  /** Canonical of the concept map it comes from. */
  readonly source: string | undefined;
}

export interface Translation {
  readonly result: boolean;
  readonly message?: string;
  readonly matches: readonly Match[];
}
