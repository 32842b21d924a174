// The OperationOutcomes that Medplum's engine lacks or words too thinly for a person to act on.
import { allOk, created } from '@medplum/core';
import type { OperationOutcome, OperationOutcomeIssue } from '@medplum/fhirtypes';

export { allOk, created };

/** One error issue; `id` is what Medplum's `getStatus` derives the HTTP status from. */
function outcome(id: string, code: OperationOutcomeIssue['code'], text: string): OperationOutcome {
  return { resourceType: 'OperationOutcome', id, issue: [{ severity: 'error', code, details: { text } }] };
}

export const notFound = (type: string, id: string): OperationOutcome =>
  outcome('not-found', 'not-found', `Resource ${type}/${id} is not known.`);

export const conflict = (version: string): OperationOutcome =>
  outcome('precondition-failed', 'conflict', `Version ${version} is not the current version.`);

export const refused = (text: string): OperationOutcome => outcome('bad-request', 'invalid', text);

export const unsupported = (text: string): OperationOutcome => outcome('bad-request', 'not-supported', text);

/** For answers that the wrapper gives itself, without an engine status. */
export const plain = (code: OperationOutcomeIssue['code'], text: string): OperationOutcome => {
  const { id: _, ...rest } = outcome('', code, text);
  return rest;
};
