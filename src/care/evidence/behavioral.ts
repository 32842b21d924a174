// HEDIS follow-up for mental illness: after a stay in hospital (FUH) and after an emergency visit (FUM). Pure.
import type { Condition, Encounter } from '@medplum/fhirtypes';
import { present } from '../present.ts';
import { idOf } from '../stored.ts';
import { icdCodes, isReal } from '../transition/comorbidity.ts';
import { dayOfDischarge, daysAfter, type HedisFacts, isPast, momentOf, proofOf } from './evidence-facts.ts';
import { type BehavioralRules, TCM } from './evidence-rules.ts';
import type { BehavioralEvidence, Finding, Reason } from './evidence-schema.ts';
import { countsAsVisit } from './visit-evidence.ts';

/** Undefined when the stay or visit was for something else. */
export function behavioralEvidence(facts: HedisFacts, rules: BehavioralRules): BehavioralEvidence | undefined {
  const { encounter } = facts;
  const kind = encounter.class.code ?? '';
  const measure = rules.acute.includes(kind) ? 'FUH' : rules.emergency.includes(kind) ? 'FUM' : undefined;
  if (!measure || !isFor(measure, encounter, facts, rules)) return undefined;
  const excluded = [
    ...tooYoung(facts, rules),
    ...(measure === 'FUH' ? afterStay(facts, rules) : afterVisit(facts, rules)),
  ];
  const rates = rules.days.map((days) => followUp(measure, facts, rules, days));
  return { rules: rules.version, measure, eligible: excluded.length === 0, excluded, rates };
}

/** The principal diagnosis is mental illness or self-harm; after an emergency visit self-harm counts wherever it stands. */
function isFor(measure: 'FUH' | 'FUM', encounter: Encounter, facts: HedisFacts, rules: BehavioralRules): boolean {
  const { principal, all } = diagnosesOf(encounter, facts);
  if (principal && has(principal, [...rules.mental, ...rules.selfHarm])) return true;
  return measure === 'FUM' && all.some((condition) => has(condition, rules.selfHarm));
}

function diagnosesOf({ diagnosis = [] }: Encounter, { conditions }: HedisFacts) {
  const byId = new Map(conditions.filter(isReal).map((condition) => [condition.id, condition]));
  const ranked = diagnosis.toSorted(
    (a, b) => (a.rank ?? Number.MAX_SAFE_INTEGER) - (b.rank ?? Number.MAX_SAFE_INTEGER),
  );
  const all = ranked.flatMap(({ condition }) => byId.get(idOf(condition, 'Condition')) ?? []);
  return { principal: all[0], all };
}

const has = (condition: Pick<Condition, 'code'>, prefixes: readonly string[]) =>
  icdCodes(condition).some((code) => prefixes.some((prefix) => code.startsWith(prefix)));

function tooYoung({ encounter, patient, zone }: HedisFacts, { fromAge }: BehavioralRules): Reason[] {
  const start = momentOf(encounter.period?.start ?? encounter.period?.end, zone)?.day;
  const born = patient.birthDate;
  if (!start || !born)
    return [{ code: 'age-unknown', text: 'The age at the time is not recorded.', proof: proofOf(patient) }];
  const birth = Temporal.PlainDate.from(born.length === 10 ? born : `${born}-12-31`.slice(0, 10));
  if (birth.until(start, { largestUnit: 'years' }).years >= fromAge) return [];
  return [{ code: 'age', text: `Younger than ${fromAge}.`, proof: proofOf(patient) }];
}

/** An acute stay within 30 days takes its place; one that is not acute takes the discharge out. */
function afterStay(facts: HedisFacts, { acute, nonAcute, chainDays }: BehavioralRules): Reason[] {
  const later = facts.encounters.filter((one) => startsWithin(one, facts, 0, chainDays));
  return later.flatMap((one) => {
    const kind = one.class.code ?? '';
    if (acute.includes(kind)) {
      return [{ code: 'extended', text: 'A later acute stay takes its place.', proof: proofOf(one) }];
    }
    if (!nonAcute.includes(kind)) return [];
    return [{ code: 'not-acute', text: 'A stay that is not acute followed.', proof: proofOf(one) }];
  });
}

/** A visit that ended in a stay is none; of several within 31 days the first counts. */
function afterVisit(facts: HedisFacts, rules: BehavioralRules): Reason[] {
  const stays = facts.encounters.filter(
    (one) => [...rules.acute, ...rules.nonAcute].includes(one.class.code ?? '') && startsWithin(one, facts, 0, 1),
  );
  const earlier = facts.encounters.filter(
    (one) =>
      rules.emergency.includes(one.class.code ?? '') &&
      isFor('FUM', one, facts, rules) &&
      startsWithin(one, facts, 1 - rules.onceInDays, 0) &&
      (one.period?.start ?? '') < (facts.encounter.period?.start ?? ''),
  );
  return [
    ...stays.map((one) => ({ code: 'admitted', text: 'The visit ended in a stay.', proof: proofOf(one) })),
    ...earlier.map((one) => ({ code: 'repeated', text: 'An earlier visit counts.', proof: proofOf(one) })),
  ];
}

const UNREAL: readonly Encounter['status'][] = ['cancelled', 'entered-in-error', 'planned'];

/** @param from, until days counted from the discharge */
function startsWithin(one: Encounter, facts: HedisFacts, from: number, until: number): boolean {
  const moment = momentOf(one.period?.start, facts.zone);
  if (!moment || one.id === facts.encounter.id || UNREAL.includes(one.status)) return false;
  // What began before the stay ended is no part of what came after it, unless only earlier ones are asked for.
  if (from === 0 && Temporal.Instant.compare(moment.at, facts.discharge) < 0 && moment.text.includes('T')) return false;
  const days = daysAfter(facts, moment.day);
  return days >= from && days <= until;
}

/** FUH asks for a mental health diagnosis and not for the day itself; FUM for any visit, that day's too. */
function followUp(measure: 'FUH' | 'FUM', facts: HedisFacts, rules: BehavioralRules, days: number): Finding {
  const due = dayOfDischarge(facts).add({ days });
  const shared = { code: `follow-up-${days}`, title: `${measure}: follow-up within ${days} days`, due: due.toString() };
  const first = measure === 'FUH' ? 1 : 0;
  const visits = facts.encounters
    .filter(({ status, class: kind }) => status === 'finished' && rules.visits.includes(kind.code ?? ''))
    .filter((one) => countsAsVisit(facts, one, TCM) && startsWithin(one, facts, first, days))
    .toSorted((a, b) => ((a.period?.start ?? '') < (b.period?.start ?? '') ? -1 : 1));
  const isMental = (one: Encounter) =>
    [...diagnosesOf(one, facts).all, ...(one.reasonCode ?? []).map((code) => ({ code }))].some((each) =>
      has(each, [...rules.mental, ...rules.selfHarm]),
    );
  const found = measure === 'FUM' ? visits[0] : (visits.find(isMental) ?? visits[0]);
  if (!found) return { ...shared, state: isPast(facts, due) ? 'missed' : 'pending', met: false, proof: [] };
  const met = measure === 'FUM' || isMental(found);
  return present<Finding>({
    ...shared,
    state: met ? 'on-time' : 'unproved',
    met,
    when: found.period?.start,
    by: undefined,
    because: met ? undefined : 'No mental health diagnosis is recorded with the visit.',
    proof: proofOf(found),
  });
}
