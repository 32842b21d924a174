// The face-to-face visit after a discharge (CMS TCM): by whoever may bill, within 7 or 14 days, not on the day itself.
import type { Encounter } from '@medplum/fhirtypes';
import { isLoggedVisit } from '../contacts/contact-visit.ts';
import { linkedOf } from '../linked.ts';
import { present } from '../present.ts';
import { qualificationsOf } from '../qualifications/qualification.ts';
import {
  dayOfDischarge,
  daysAfter,
  doneFollowUps,
  type EvidenceFacts,
  hasOneOf,
  isPast,
  momentOf,
  type Proved,
  proofOf,
} from './evidence-facts.ts';
import type { TcmRules } from './evidence-rules.ts';
import type { Finding } from './evidence-schema.ts';

export interface Visit extends Proved {
  /** Days after the day of the discharge. */
  readonly days: number;
  /** Undefined when it is not known whether the person may bill. */
  readonly isByBiller: boolean | undefined;
  readonly encounter?: Encounter;
}

const SEEN: readonly Encounter['status'][] = ['finished', 'in-progress', 'arrived', 'triaged'];

/** Visits after the day of the discharge; that day's do not count. The first one by somebody who may bill, if any. */
export function firstVisit(facts: EvidenceFacts, rules: TcmRules): Visit | undefined {
  const met = facts.encounters
    .filter((one) => SEEN.includes(one.status) && rules.visitClasses.includes(one.class.code ?? ''))
    .filter((one) => countsAsVisit(facts, one, rules))
    .map((encounter) => {
      const who = (encounter.participant ?? []).flatMap(({ individual }) => individual ?? []);
      const able = who.map(({ reference }) => mayBill(facts, reference, rules));
      const by = who[Math.max(0, able.indexOf(true))];
      return {
        when: encounter.period?.start,
        by: linkedOf(by),
        able: judge(able),
        encounter,
        proof: proofOf(encounter),
      };
    });
  const told = doneFollowUps(facts, 'follow-up-visit').map(({ task, ...rest }) => ({
    ...rest,
    able: judge([mayBill(facts, task.owner?.reference, rules)]),
  }));
  const last = Math.max(...Object.values(rules.visitDays));
  const all = [...met, ...told].flatMap(({ when, able, ...rest }): Visit[] => {
    const moment = momentOf(when, facts.zone);
    const days = moment && daysAfter(facts, moment.day);
    if (!moment || days === undefined || days < 1) return [];
    return [{ ...moment, ...rest, days, isByBiller: able }];
  });
  const inOrder = all.toSorted((a, b) => a.days - b.days);
  const inTime = inOrder.filter(({ days }) => days <= last);
  return inTime.find((one) => one.isByBiller) ?? inTime.find((one) => one.isByBiller === undefined) ?? inOrder[0];
}

/**
 * A visit that somebody logged here as a contact counts only when who made it is known to be allowed to furnish one; what
 * others tell of a visit is judged by the rules of each measure.
 */
export function countsAsVisit(facts: EvidenceFacts, encounter: Encounter, rules: TcmRules): boolean {
  if (!isLoggedVisit(encounter)) return true;
  return encounter.participant?.some(({ individual }) => mayBill(facts, individual?.reference, rules)) ?? false;
}

function mayBill(facts: EvidenceFacts, reference: string | undefined, { billers }: TcmRules): boolean | undefined {
  const practitioner = facts.practitioners.get(reference ?? '');
  const held = practitioner ? qualificationsOf(practitioner, facts.now, facts.zone) : [];
  if (held.length === 0) return undefined;
  return held.some(({ code, view }) => view.standing === 'current' && hasOneOf([code], billers));
}

const judge = (able: readonly (boolean | undefined)[]) =>
  able.includes(true) ? true : able.length === 0 || able.includes(undefined) ? undefined : false;

/** States: within-7, within-14, late, unqualified, unproved, booked, pending, missed. */
export function visitFinding(facts: EvidenceFacts, rules: TcmRules, visit: Visit | undefined): Finding {
  const { high, moderate } = rules.visitDays;
  const due = dayOfDischarge(facts).add({ days: moderate });
  const shared = { code: 'visit', title: `Face-to-face visit within ${high} or ${moderate} days`, due: due.toString() };
  if (!visit) {
    const booked = bookedVisit(facts);
    const state = isPast(facts, due) ? 'missed' : booked ? 'booked' : 'pending';
    return present<Finding>({
      ...shared,
      state,
      met: false,
      when: booked?.text,
      by: undefined,
      because: undefined,
      proof: booked?.proof ?? [],
    });
  }
  const isLate = visit.days > moderate;
  const lacks = {
    true: undefined,
    false: 'Not by a physician, NP, PA, CNS or CNM.',
    undefined: 'Not known whether who saw the patient may bill.',
  };
  const because = isLate ? `${visit.days} days after the discharge` : lacks[`${visit.isByBiller}`];
  const inTime = visit.days <= high ? `within-${high}` : `within-${moderate}`;
  const unproved = visit.isByBiller === false ? 'unqualified' : 'unproved';
  return present<Finding>({
    ...shared,
    state: isLate ? 'late' : visit.isByBiller ? inTime : unproved,
    met: !isLate && visit.isByBiller === true,
    when: visit.text,
    by: visit.by,
    because,
    proof: visit.proof,
  });
}

function bookedVisit(facts: EvidenceFacts): Omit<Proved, 'by'> | undefined {
  const booked = facts.appointments
    .filter(({ status }) => status === 'booked' || status === 'pending' || status === 'arrived')
    .flatMap((one) => {
      const moment = momentOf(one.start, facts.zone);
      return moment && daysAfter(facts, moment.day) >= 1 ? [{ ...moment, proof: proofOf(one) }] : [];
    });
  return booked.toSorted((a, b) => Temporal.Instant.compare(a.at, b.at))[0];
}
