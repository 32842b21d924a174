// The four rates of HEDIS transitions of care for one discharge, and whether the discharge is counted. Pure.
import type { Composition, Provenance } from '@medplum/fhirtypes';
import { linkedOf } from '../linked.ts';
import { present } from '../present.ts';
import { IDENTIFIER } from '../systems.ts';
import { contactsOf } from './contact-evidence.ts';
import {
  assumption,
  dayOfDischarge,
  daysAfter,
  doneFollowUps,
  type HedisFacts,
  hasOneOf,
  isPast,
  type Moment,
  momentOf,
  type Proved,
  proofOf,
} from './evidence-facts.ts';
import { TCM, type TrcRules } from './evidence-rules.ts';
import type { Finding, Reason, TrcEvidence } from './evidence-schema.ts';
import { reconciliationFinding } from './reconciliation-evidence.ts';
import { chainOf, type StayChain } from './stay-chain.ts';
import { countsAsVisit } from './visit-evidence.ts';

/** What nothing that is stored here tells for sure. */
const NOT_CHECKED = [
  'enrolment from the discharge to 30 days after it',
  'hospice benefit, unless the patient was discharged to hospice',
];

export function trcEvidence(facts: HedisFacts, rules: TrcRules): TrcEvidence {
  const chain = chainOf(facts, rules);
  const excluded = exclusions(facts, chain, rules);
  return present<TrcEvidence>({
    rules: rules.version,
    eligible: excluded.length === 0,
    excluded,
    notChecked: [...NOT_CHECKED, ...chain.assumed.map(({ encounter, until }) => assumption(encounter, until?.text))],
    admitted: chain.admitted?.text,
    discharged: chain.discharged?.text,
    stays: proofOf(...chain.stays.map(({ encounter }) => encounter)),
    rates: [
      notification(facts, chain, rules),
      information(facts, rules),
      engagement(facts, rules),
      reconciliationFinding(
        facts,
        rules,
        'Medication reconciliation, day of discharge to 30 days after',
        dayAfter(facts, rules.reconciliationDays),
      ),
    ],
  });
}

const dayAfter = (facts: HedisFacts, days: number) => dayOfDischarge(facts).add({ days });

function exclusions(facts: HedisFacts, chain: StayChain, rules: TrcRules): Reason[] {
  const { encounter, patient, destination } = facts;
  const reasons: Reason[] = [];
  const add = (code: string, text: string, ...shown: { resourceType: string; id?: string }[]) =>
    reasons.push({ code, text, proof: proofOf(...shown) });
  if (!rules.stays.includes(encounter.class.code ?? '')) add('setting', 'Not an inpatient discharge.', encounter);
  const last = chain.stays.at(-1);
  if (!chain.isLast && last) add('extended', 'A later stay extends the episode; its discharge counts.', last.encounter);
  const day = dayAfter(facts, 0);
  const [month = 12, date = 1] = rules.lastDischarge.split('-').map(Number);
  if (Temporal.PlainDate.compare(day, day.with({ month, day: date })) > 0) {
    add('out-of-year', `Discharges count until ${rules.lastDischarge} of the year.`, encounter);
  }
  const birth = /^\d{4}/.exec(patient.birthDate ?? '')?.[0];
  if (birth === undefined) add('age-unknown', 'The date of birth is not recorded.', patient);
  // At the end of the year, so the year of birth decides.
  else if (day.year - Number(birth) < rules.fromAge)
    add('age', `Younger than ${rules.fromAge} at the end of the year.`, patient);
  if (rules.hospice.includes(destination)) add('hospice', 'Discharged to hospice.', encounter);
  return reasons;
}

/** A finding about a day up to which something counts. */
function until(
  facts: HedisFacts,
  shared: { readonly code: string; readonly title: string },
  due: Temporal.PlainDate,
  found: Proved | undefined,
  because?: string,
): Finding {
  const isInTime = found && Temporal.PlainDate.compare(found.day, due) <= 0;
  const open = isPast(facts, due) ? 'missed' : 'pending';
  return present<Finding>({
    ...shared,
    due: due.toString(),
    state: found ? (isInTime ? (because === undefined ? 'on-time' : 'incomplete') : 'late') : open,
    met: isInTime === true && because === undefined,
    when: found?.text,
    by: found?.by,
    because,
    proof: found?.proof ?? [],
  });
}

const earliest = (all: readonly Proved[]): Proved | undefined =>
  all.toSorted((a, b) => Temporal.Instant.compare(a.at, b.at))[0];

/** Day of the admission to two days after it: when the record was told of the stay. */
function notification(facts: HedisFacts, chain: StayChain, rules: TrcRules): Finding {
  const admitted = chain.admitted ?? momentOf(facts.encounter.period?.start, facts.zone);
  const shared = { code: 'notification', title: 'Notification of admission within 2 days' };
  if (!admitted)
    return { ...shared, state: 'unknown', met: false, because: 'The day of the admission is not recorded.', proof: [] };
  const told = facts.provenances.flatMap((provenance): Proved[] => {
    const moment = momentOf(toldAt(provenance), facts.zone);
    return moment ? [{ ...moment, by: linkedOf(provenance.agent[0]?.who), proof: proofOf(provenance) }] : [];
  });
  return until(facts, shared, admitted.day.add({ days: rules.notificationDays }), earliest(told));
}

/** A message says when its sender recorded the event, which may have been days before it came. */
function toldAt({ recorded, entity, meta }: Provenance): string {
  const isMessage = entity?.some(({ what }) => what.identifier?.system?.startsWith(IDENTIFIER.message));
  const came = isMessage ? meta?.lastUpdated : undefined;
  return came && Temporal.Instant.compare(Temporal.Instant.from(came), Temporal.Instant.from(recorded)) > 0
    ? came
    : recorded;
}

/** Day of the discharge to two days after it, with all that the information must hold. */
function information(facts: HedisFacts, rules: TrcRules): Finding {
  const shared = { code: 'discharge-information', title: 'Discharge information within 2 days' };
  const due = dayAfter(facts, rules.informationDays);
  const isIn = ({ day }: Moment) => daysAfter(facts, day) >= 0;
  const papers = facts.documents
    .filter((one) => hasOneOf([one.type], rules.documents) && one.status !== 'entered-in-error')
    .flatMap((document) => {
      const received = document.meta?.lastUpdated;
      const moment = momentOf(document.date ?? received, facts.zone);
      return moment && isIn(moment) ? [{ ...moment, by: undefined, document, proof: proofOf(document) }] : [];
    });
  const tasks = doneFollowUps(facts, 'discharge-information').flatMap(({ when, by, proof }): Proved[] => {
    const moment = momentOf(when, facts.zone);
    return moment && isIn(moment) ? [{ ...moment, by, proof }] : [];
  });
  const summary = papers.find(
    ({ document }) => document.resourceType === 'Composition' && lacking(document, rules).length === 0,
  );
  const found = summary ?? earliest([...tasks, ...papers]);
  const paper = papers.find(({ proof }) => proof[0]?.reference === found?.proof[0]?.reference)?.document;
  const lacks = paper?.resourceType === 'Composition' ? lacking(paper, rules) : [];
  return until(facts, shared, due, found, lacks.length > 0 ? `Without: ${lacks.join('; ')}` : undefined);
}

/** Elements that a summary has no section for. */
function lacking({ author, section = [] }: Composition, { elements }: TrcRules): string[] {
  const codes = section.map(({ code }) => code);
  const has = (sections: readonly string[]) => (sections.length === 0 ? author.length > 0 : hasOneOf(codes, sections));
  return elements.filter(({ sections }) => !has(sections)).map(({ title }) => title);
}

/** Within 30 days after the discharge; the day itself does not count. */
function engagement(facts: HedisFacts, rules: TrcRules): Finding {
  const shared = { code: 'engagement', title: 'Patient engagement within 30 days' };
  const isAfter = ({ day }: Moment) => daysAfter(facts, day) >= rules.engagementFrom;
  const spoken = contactsOf(facts).reached.filter(isAfter);
  const visits = facts.encounters
    .filter(({ status, class: kind }) => status === 'finished' && rules.engagementClasses.includes(kind.code ?? ''))
    .filter((one) => countsAsVisit(facts, one, TCM))
    .flatMap((encounter): Proved[] => {
      const moment = momentOf(encounter.period?.start, facts.zone);
      const by = linkedOf(encounter.participant?.[0]?.individual);
      return moment && isAfter(moment) ? [{ ...moment, by, proof: proofOf(encounter) }] : [];
    });
  const withPatient = spoken.filter(({ party }) => party === 'patient');
  const all = [...withPatient, ...visits];
  const found = earliest(all.length > 0 ? all : spoken);
  const finding = until(facts, shared, dayAfter(facts, rules.engagementDays), found);
  const isByCaregiver = all.length === 0 && spoken.length > 0;
  if (!isByCaregiver) return finding;
  return { ...finding, because: 'With the caregiver: counts when the patient cannot communicate.' };
}
