// Whether transitional care management can be reported for a transition, with which code, and what is missing (CMS, CPT
// 99495 and 99496). Pure.
import { localDate, toFhirDateTime, toInstant } from '../local-time.ts';
import { present } from '../present.ts';
import { CODE_SYSTEM } from '../systems.ts';
import { withdrawnBecause } from '../transition/episode.ts';
import { contactFinding } from './contact-evidence.ts';
import {
  assumption,
  DECISION_MAKING,
  dayOfDischarge,
  daysAfter,
  type EvidenceFacts,
  hasOneOf,
  isPast,
  momentOf,
  proofOf,
  toldDischarge,
} from './evidence-facts.ts';
import type { TcmRules, TrcRules } from './evidence-rules.ts';
import type { Finding, Reason, TcmEvidence } from './evidence-schema.ts';
import { reconciliationFinding } from './reconciliation-evidence.ts';
import { firstVisit, type Visit, visitFinding } from './visit-evidence.ts';

interface Shown {
  readonly resourceType: string;
  readonly id?: string;
}

type Level = 'high' | 'moderate' | 'low';

/** The evidence as it stands now. */
export function tcmEvidence(facts: EvidenceFacts, rules: TcmRules, reconciling: TrcRules): TcmEvidence {
  const day = dayOfDischarge(facts);
  const visit = firstVisit(facts, rules);
  const contact = contactFinding(facts, rules);
  const visited = visitFinding(facts, rules, visit);
  const medicines = reconciliationFinding(
    facts,
    reconciling,
    'Medicines reconciled by the day of the visit',
    visit?.day,
  );
  const decision = decisionFinding(facts, rules, visit);
  const level = decision.state as Level | 'unknown';
  const findings = [contact, medicines, visited, decision];
  const impossible = [
    ...exclusions(facts, rules),
    ...findings.filter((finding) => hasFailed(finding, facts)).map(asReason),
  ];
  const waitingFor =
    impossible.length > 0 ? [] : [...unclear(facts, rules), ...findings.filter(({ met }) => !met).map(asReason)];
  const reported = visit?.encounter && hasOneOf(visit.encounter.type ?? [], rules.reported);
  const status =
    impossible.length > 0 ? 'impossible' : waitingFor.length > 0 ? 'waiting' : reported ? 'reported' : 'ready';
  return present<TcmEvidence>({
    rules: rules.version,
    status,
    code: status === 'ready' || status === 'reported' ? codeFor(level, visit, rules) : undefined,
    dateOfService: visited.met ? visit?.day.toString() : undefined,
    periodStart: day.toString(),
    periodEnd: day.add({ days: rules.lastDay }).toString(),
    impossible,
    waitingFor,
    notChecked: assumptions(facts),
    findings,
  });
}

/** What the days are counted from, when nobody told it. */
function assumptions(facts: EvidenceFacts): string[] {
  const { encounter, discharge, zone } = facts;
  if (encounter.status !== 'finished' || toldDischarge(facts) !== undefined) return [];
  return [assumption(encounter, toFhirDateTime(discharge, zone))];
}

/** High decision making with a visit after day 7 is reported as moderate. */
function codeFor(
  level: Level | 'unknown',
  visit: Visit | undefined,
  { codes, visitDays }: TcmRules,
): string | undefined {
  if (!visit || level === 'low' || level === 'unknown') return undefined;
  return level === 'high' && visit.days <= visitDays.high ? codes.high : codes.moderate;
}

const FAILED = new Set(['missed', 'late', 'low']);

/** Nothing that is done now makes good for it. What the wrong person did can be done again while there is time. */
function hasFailed({ met, state, due }: Finding, facts: EvidenceFacts): boolean {
  if (met) return false;
  const isOver = due !== undefined && isPast(facts, Temporal.PlainDate.from(due.slice(0, 10)));
  return FAILED.has(state) || (state === 'unqualified' && isOver);
}

const asReason = ({ code, title, state, because, proof }: Finding): Reason => ({
  code: `${code}-${state}`,
  text: because === undefined ? `${title}: ${state}` : `${title}: ${state}. ${because}`,
  proof,
});

/** The code of the visit says it, or an Observation does. States: high, moderate, low, unknown. */
function decisionFinding(facts: EvidenceFacts, { codes, reported }: TcmRules, visit: Visit | undefined): Finding {
  const shared = { code: 'medical-decision-making', title: 'Medical decision making, moderate or high' };
  const types = visit?.encounter?.type ?? [];
  const coded = types
    .flatMap(({ coding }) => coding ?? [])
    .find(({ system, code }) => reported.includes(`${system}|${code}`));
  if (coded && visit?.encounter) {
    const state = coded.code === codes.high ? 'high' : 'moderate';
    return { ...shared, state, met: true, proof: proofOf(visit.encounter) };
  }
  const told = facts.observations.findLast((one) => {
    const moment = momentOf(one.effectiveDateTime ?? one.issued, facts.zone);
    return (
      one.status === 'final' && hasOneOf([one.code], [DECISION_MAKING]) && moment && daysAfter(facts, moment.day) >= 0
    );
  });
  const level = told?.valueCodeableConcept?.coding?.find(({ system }) => system === CODE_SYSTEM.evidencePart)?.code;
  if (!told || (level !== 'high' && level !== 'moderate' && level !== 'low')) {
    return { ...shared, state: 'unknown', met: false, proof: [] };
  }
  return { ...shared, state: level, met: level !== 'low', proof: proofOf(told) };
}

/** Why it cannot be reported, whatever is done. */
function exclusions(facts: EvidenceFacts, rules: TcmRules): Reason[] {
  const { episode, encounter, patient, destination, zone } = facts;
  const reasons: Reason[] = [];
  const add = (code: string, text: string, ...shown: Shown[]) => reasons.push({ code, text, proof: proofOf(...shown) });
  if (!rules.from.includes(encounter.class.code ?? '')) {
    add('setting', `A stay of class ${encounter.class.code} is no discharge that counts.`, encounter);
  }
  if (!rules.to.includes(destination) && !rules.toUnclear.includes(destination) && destination !== 'died') {
    add('destination', `Discharged to ${destination}, which is no community setting.`, encounter);
  }
  const why = withdrawnBecause(episode);
  if (why === 'discharge-cancelled' || why === 'superseded' || why === 'transferred') {
    add('withdrawn', `The transition was withdrawn: ${why}.`, episode);
  }
  const last = dayOfDischarge(facts).add({ days: rules.lastDay });
  const died = patient.deceasedDateTime && localDate(toInstant(patient.deceasedDateTime, zone), zone);
  if (died && Temporal.PlainDate.compare(died, last) <= 0)
    add('died', `Died before the end of the period on ${last}.`, patient);
  else if (destination === 'died' || (patient.deceasedBoolean && !died))
    add('died', 'Has died; the day is not recorded.', patient);
  const earlier = reportedBefore(facts, rules);
  if (earlier)
    add('reported-before', `Reported already within ${rules.onceInDays} days before this discharge.`, earlier);
  return reasons;
}

/** What only a person can settle. */
function unclear({ destination, encounter }: EvidenceFacts, { toUnclear }: TcmRules): Reason[] {
  if (!toUnclear.includes(destination)) return [];
  const text = `Where the patient went (${destination}) does not say whether it is a community setting.`;
  return [{ code: 'destination-unclear', text, proof: proofOf(encounter) }];
}

/** An earlier discharge's TCM, once per patient in 30 days. */
function reportedBefore(facts: EvidenceFacts, { reported, onceInDays }: TcmRules) {
  const isBefore = (text: string | undefined) => {
    const moment = momentOf(text, facts.zone);
    const days = moment && daysAfter(facts, moment.day);
    return days !== undefined && days <= 0 && days >= -onceInDays;
  };
  const visit = facts.encounters.find(({ type, period }) => hasOneOf(type ?? [], reported) && isBefore(period?.start));
  return (
    visit ??
    facts.procedures.find(
      ({ code, status, performedDateTime, performedPeriod }) =>
        status === 'completed' && hasOneOf([code], reported) && isBefore(performedDateTime ?? performedPeriod?.start),
    )
  );
}
