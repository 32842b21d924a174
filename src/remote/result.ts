// What comes back from a remote: a value, or a failure that says what may be done about it. Failing is normal here, so
// nothing is thrown. docs/sync-spec.md#I17
import type { OperationOutcomeIssue } from '@medplum/fhirtypes';
import type { RetryClass } from '../fault.ts';

export interface RemoteFailure {
  readonly class: RetryClass;
  /** One sentence without patient data. */
  readonly message: string;
  /** HTTP status; absent when no answer arrived. */
  readonly status?: number;
  /** What the remote said; may name patients, so it goes to the message table only. */
  readonly issues?: readonly OperationOutcomeIssue[];
  /** How long the remote asked to be left alone. */
  readonly retryAfter?: Temporal.Duration;
}

export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: RemoteFailure };

export function success<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

export function failure(failed: RemoteFailure): { readonly ok: false; readonly failure: RemoteFailure } {
  return { ok: false, failure: failed };
}
