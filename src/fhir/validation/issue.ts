// The findings of validation as OperationOutcome issues.
import type { OperationOutcomeIssue } from '@medplum/fhirtypes';

export type Issue = OperationOutcomeIssue;
export type IssueCode = Issue['code'];

/** At most this many issues are answered for one resource; the rest would help nobody. */
export const MOST_ISSUES = 100;

export function issueOf(severity: Issue['severity'], code: IssueCode, text: string, expression: string): Issue {
  return { severity, code, details: { text }, expression: [expression] };
}

/** The first issues, errors before warnings, with a note when there are more. */
export function limited(issues: readonly Issue[]): Issue[] {
  const sorted = [...issues.filter(isError), ...issues.filter((issue) => !isError(issue))];
  if (sorted.length <= MOST_ISSUES) return sorted;
  const more = `There are ${sorted.length - MOST_ISSUES} more issues; they are not listed.`;
  return [...sorted.slice(0, MOST_ISSUES), { severity: 'information', code: 'informational', details: { text: more } }];
}

export function isError({ severity }: Issue): boolean {
  return severity === 'error' || severity === 'fatal';
}

/** A name or a definition's value in a message, shortened. Never a value of the resource: issues carry no patient data. */
export function shown(value: unknown): string {
  const text = (typeof value === 'string' ? value : String(JSON.stringify(value))).replace(/[\p{Cc}\s]+/gu, ' ');
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
