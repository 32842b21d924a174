// The medication reconciliation after a discharge: done when, and by somebody whose signature counts.
import { linkedOf } from '../linked.ts';
import { present } from '../present.ts';
import { whatIsMissing } from '../qualifications/sign-off.ts';
import {
  dayOfDischarge,
  daysAfter,
  doneFollowUps,
  type EvidenceFacts,
  hasOneOf,
  isPast,
  type Moment,
  momentOf,
  type Proved,
  proofOf,
} from './evidence-facts.ts';
import type { TrcRules } from './evidence-rules.ts';
import type { Finding } from './evidence-schema.ts';

interface Reconciled extends Proved {
  /** Undefined when the signature counts. */
  readonly lacks: string | undefined;
}

/** The earliest that counts, else the earliest, since the day of the discharge. */
function reconciled(facts: EvidenceFacts, codes: readonly string[]): Reconciled | undefined {
  const byProcedure = facts.procedures
    .filter(({ status, code }) => status === 'completed' && hasOneOf([code], codes))
    .map((one) => ({
      when: one.performedDateTime ?? one.performedPeriod?.end ?? one.performedPeriod?.start,
      who: (one.performer ?? []).map(({ actor }) => actor),
      proof: proofOf(one),
    }));
  const byTask = doneFollowUps(facts, 'medication-reconciliation').map(({ task, when, proof }) => ({
    when,
    who: task.owner ? [task.owner] : [],
    proof,
  }));
  const all = [...byProcedure, ...byTask].flatMap(({ when, who, proof }): Reconciled[] => {
    const moment = momentOf(when, facts.zone);
    if (!moment || daysAfter(facts, moment.day) < 0) return [];
    const lacks = who.map(({ reference }) => whatLacks(facts, reference, moment));
    const able = lacks.indexOf(undefined);
    const by = linkedOf(who[Math.max(0, able)]);
    return [
      { ...moment, by, lacks: who.length === 0 ? 'It does not say who did it.' : lacks[Math.max(0, able)], proof },
    ];
  });
  const inOrder = all.toSorted((a, b) => Temporal.PlainDate.compare(a.day, b.day));
  return inOrder.find(({ lacks }) => lacks === undefined) ?? inOrder[0];
}

function whatLacks(facts: EvidenceFacts, reference: string | undefined, { at }: Moment): string | undefined {
  const practitioner = facts.practitioners.get(reference ?? '');
  if (!practitioner) return 'Who did it is no person whose qualifications are known.';
  return whatIsMissing(practitioner, 'medication-reconciliation', { now: at, zone: facts.zone });
}

/**
 * States: on-time, late, unqualified, pending, missed.
 * @param until last day that counts; undefined while it is not known, because there was no visit yet
 */
export function reconciliationFinding(
  facts: EvidenceFacts,
  { reconciled: codes }: Pick<TrcRules, 'reconciled'>,
  title: string,
  until: Temporal.PlainDate | undefined,
): Finding {
  const shared = { code: 'medication-reconciliation', title, due: until?.toString() };
  const found = reconciled(facts, codes);
  if (!found) {
    const state = until && isPast(facts, until) ? 'missed' : 'pending';
    return present<Finding>({
      ...shared,
      state,
      met: false,
      when: undefined,
      by: undefined,
      because: undefined,
      proof: [],
    });
  }
  const isInTime = until === undefined || Temporal.PlainDate.compare(found.day, until) <= 0;
  const met = isInTime && found.lacks === undefined;
  const state = !isInTime ? 'late' : met ? 'on-time' : 'unqualified';
  return present<Finding>({
    ...shared,
    state,
    met,
    when: found.text,
    by: found.by,
    because: isInTime ? found.lacks : `Done after ${until?.toString() ?? dayOfDischarge(facts).toString()}`,
    proof: found.proof,
  });
}
