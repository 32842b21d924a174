// A request that the simulated server turns away, and the OperationOutcome that its vendor would say so with.
import type { OperationOutcome, OperationOutcomeIssue } from '@medplum/fhirtypes';
import { COMMON_REFUSALS } from '../vendors/refusals.ts';
import type { Reason, RefusalRow, VendorRules } from '../vendors/vendor-rules.ts';

export class Refusal extends Error {
  readonly reason: Reason;
  /** Where the client should look instead. */
  readonly location: string | undefined;

  constructor(reason: Reason, message: string, location?: string) {
    super(message);
    this.reason = reason;
    this.location = location;
  }
}

export function rowOf(rules: VendorRules, reason: Reason): RefusalRow {
  return rules.refusals[reason] ?? COMMON_REFUSALS[reason];
}

export function refusalBody(rules: VendorRules, refusal: Refusal): OperationOutcome {
  const { code, own } = rowOf(rules, refusal.reason);
  return outcome(rules, own === undefined ? 'error' : 'fatal', code, own, refusal.message);
}

/** @param own the vendor's own code, when it has one */
export function outcome(
  rules: Pick<VendorRules, 'ownSystem'>,
  severity: 'fatal' | 'error' | 'warning',
  code: string,
  own: string | undefined,
  text: string,
): OperationOutcome {
  const coding = own && rules.ownSystem ? [{ system: rules.ownSystem, code: own, display: text }] : undefined;
  return {
    resourceType: 'OperationOutcome',
    issue: [
      { severity, code: code as OperationOutcomeIssue['code'], details: { ...(coding ? { coding } : {}), text } },
    ],
  };
}
