// A failure as RFC 9457 tells it, with the OperationOutcome of the same failure in it.
// https://www.rfc-editor.org/rfc/rfc9457
import type { OperationOutcome } from '@medplum/fhirtypes';
import type { Difference } from '../care/document/document-schema.ts';
import { Undecided } from '../care/document/undecided.ts';
import { type Fault, type FaultKind, outcomeOf } from '../fault.ts';

export const PROBLEM_JSON = 'application/problem+json; charset=utf-8';

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  /** Which member or header is at fault, where one is. */
  readonly errors: readonly { readonly detail: string; readonly member?: string }[];
  /** What a person has to decide before the request can be carried out. */
  readonly differences?: readonly Difference[];
  readonly outcome: OperationOutcome;
}

const TITLES: Readonly<Record<FaultKind, string>> = {
  invalid: 'The request is not right',
  unauthenticated: 'Who asks is not known',
  forbidden: 'This is not allowed to who asks',
  'not-found': 'There is no such thing',
  'not-allowed': 'The method does not apply here',
  'not-acceptable': 'No such form of the answer',
  gone: 'It was deleted',
  conflict: 'Something else stands against it',
  precondition: 'It has changed meanwhile',
  'multiple-matches': 'More than one matches',
  'too-large': 'It is too much at once',
  'media-type': 'The body has the wrong media type',
  unprocessable: 'It cannot be done as asked',
  'too-many-headers': 'The request has too many headers',
  throttled: 'Too many requests',
  fault: 'Baton failed',
  upstream: 'Another server failed',
  unavailable: 'Baton cannot answer now',
  timeout: 'It took too long',
};

/** @param requestId also in the header x-request-id and in the log */
export function problemOf(fault: Fault, requestId: string): Problem {
  const errors = fault.issues.map(({ details, expression }) => ({
    detail: details?.text ?? TITLES[fault.kind],
    ...(expression?.[0] === undefined ? {} : { member: expression[0] }),
  }));
  return {
    type: `urn:baton:problem:${fault.kind}`,
    title: TITLES[fault.kind],
    status: fault.status,
    detail: errors[0]?.detail ?? fault.message,
    instance: `urn:baton:request:${requestId}`,
    errors,
    ...(fault instanceof Undecided ? { differences: fault.differences } : {}),
    outcome: outcomeOf(fault),
  };
}
