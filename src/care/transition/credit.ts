// Credit for attempts: who could not be reached although it was tried often enough in time counts as contacted.
// CMS, transitional care management: two or more separate attempts within two business days, documented, and going on trying.
import type { Communication, Task, TaskOutput } from '@medplum/fhirtypes';
import { concept, hasCode } from '../concept.ts';
import { type CountingFacts, judgeContact } from '../contacts/counted-contact.ts';
import { toInstant } from '../local-time.ts';
import { referenceTo } from '../reference-to.ts';
import { CODE_SYSTEM } from '../systems.ts';

export interface CreditRule {
  readonly attempts: number;
  /** Hours between two attempts for them to be separate. */
  readonly apart: number;
}

/**
 * The attempts that count: made by us, after the discharge and before the deadline, far enough apart. The first of them, as
 * many as the rule asks for.
 */
export function countedAttempts(
  attempts: readonly Communication[],
  { attempts: wanted, apart }: CreditRule,
  from: Temporal.Instant,
  until: Temporal.Instant,
  facts: CountingFacts,
): Communication[] {
  const made = attempts
    .filter((one) => judgeContact(one, facts).attempt)
    .flatMap((attempt) => (attempt.sent ? [{ attempt, at: toInstant(attempt.sent, 'UTC') }] : []))
    .filter(({ at }) => Temporal.Instant.compare(at, from) >= 0 && Temporal.Instant.compare(at, until) <= 0)
    .toSorted((a, b) => Temporal.Instant.compare(a.at, b.at));
  return separate(made, { hours: apart })
    .slice(0, wanted)
    .map(({ attempt }) => attempt);
}

/** Of attempts in their order those that are far enough apart. Twice the same moment is one attempt told twice. */
export function separate<One extends { readonly at: Temporal.Instant }>(
  attempts: readonly One[],
  apart: Temporal.DurationLike,
): One[] {
  const counted: One[] = [];
  for (const one of attempts) {
    const last = counted.at(-1)?.at;
    const isSeparate = !last || Temporal.Instant.compare(one.at, last.add(apart)) >= 0;
    if (isSeparate && !last?.equals(one.at)) counted.push(one);
  }
  return counted;
}

const CREDIT = concept(CODE_SYSTEM.interventionOutput, 'contact-credit', 'Contact credited');
const ATTEMPT = concept('http://hl7.org/fhir/resource-types', 'Communication', 'Communication');

const isCredit = ({ type }: TaskOutput) => hasCode(type, CODE_SYSTEM.interventionOutput, 'contact-credit');

/** When the credit was earned, as FHIR writes it; undefined without credit. */
export function creditedAt({ output }: Task): string | undefined {
  return output?.find(isCredit)?.valueDateTime;
}

/**
 * The output of a follow-up whose attempts are these: each of them once, and the credit while it is earned.
 * @param earned when the last attempt was that earned it
 */
export function outputWith(task: Task, attempts: readonly Communication[], earned: string | undefined): TaskOutput[] {
  const wrong = new Set(
    attempts.filter(({ status }) => status === 'entered-in-error').map((one) => referenceTo(one).reference),
  );
  const kept = (task.output ?? []).filter((one) => !isCredit(one) && !wrong.has(one.valueReference?.reference ?? ''));
  const known = new Set(kept.map(({ valueReference }) => valueReference?.reference));
  const added = attempts
    .map((attempt) => referenceTo(attempt))
    .filter(({ reference }) => !known.has(reference) && !wrong.has(reference))
    .map((valueReference) => ({ type: ATTEMPT, valueReference }));
  return [...kept, ...added, ...(earned ? [{ type: CREDIT, valueDateTime: earned }] : [])];
}
