// Whether a definition is in effect: a rule of a payer or regulator begins and ends on a day.
// https://hl7.org/fhir/R4/plandefinition-definitions.html#PlanDefinition.effectivePeriod
import type { Period } from '@medplum/fhirtypes';
import { toInstant, toLastInstant } from '../local-time.ts';

interface Dated {
  readonly effectivePeriod?: Period;
}

export interface Moment {
  readonly now: Temporal.Instant;
  /** IANA time zone in which days begin and end. */
  readonly zone: string;
}

/** Without a period always; without a start or an end as far as the other says. */
export function isInEffect({ effectivePeriod: { start, end } = {} }: Dated, { now, zone }: Moment): boolean {
  return (
    (start === undefined || Temporal.Instant.compare(toInstant(start, zone), now) <= 0) &&
    (end === undefined || Temporal.Instant.compare(now, toLastInstant(end, zone)) <= 0)
  );
}

/** `from 2007-07-01 to 2026-12-31` */
export function periodInWords({ effectivePeriod: { start, end } = {} }: Dated): string {
  return [...(start === undefined ? [] : [`from ${start}`]), ...(end === undefined ? [] : [`to ${end}`])].join(' ');
}
