// What an operation says about itself; routes, audit and CapabilityStatement follow from it.
// https://hl7.org/fhir/R4/operations.html
import type { FhirHandler } from '../context.ts';

/** Where an operation can be asked for: `[base]/$x`, `[base]/Type/$x`, `[base]/Type/id/$x`, and on one version. */
export type OperationLevel = 'system' | 'type' | 'instance' | 'version';

export interface Operation {
  /** Without the `$`. */
  readonly code: string;
  readonly at: readonly OperationLevel[];
  /** Resource types it applies to; absent: every type. */
  readonly types?: readonly string[];
  /** Of all types, those that it does not apply to. */
  readonly notFor?: readonly string[];
  /** Changes something, so that GET is refused. */
  readonly affectsState: boolean;
  /** Canonical URL of the OperationDefinition. */
  readonly definition: string;
  /** Names of the input parameters; another one is refused, or ignored when the client prefers leniency. */
  readonly inputs: readonly string[];
  readonly handler: FhirHandler;
}
