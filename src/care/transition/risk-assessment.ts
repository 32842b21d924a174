// How likely the patient is to come back: the LACE index of a stay as a RiskAssessment with what it rests on.
import type { Encounter, RiskAssessment } from '@medplum/fhirtypes';
import { concept } from '../concept.ts';
import { localDate, toFhirDateTime, toInstant } from '../local-time.ts';
import { referenceTo } from '../reference-to.ts';
import { CODE_SYSTEM, EXTENSION } from '../systems.ts';
import { type ComorbidityTable, isReadable } from './comorbidity.ts';
import { type LaceScore, type RiskBand, scoreLace } from './lace.ts';
import type { TransitionContext } from './transition-context.ts';

/** How the inputs of LACE are read; made once from profiles/. */
export interface RiskRules {
  readonly comorbidities: ComorbidityTable;
  /** Undefined when the encounter does not say. */
  readonly isAcute: (encounter: Encounter) => boolean | undefined;
}

export interface AssessedRisk {
  readonly score: LaceScore;
  readonly assessment: RiskAssessment;
}

/** An emergency visit that ended this shortly before the admission, or did not end, led to it. */
const LED_TO_ADMISSION = { hours: 24 };

const BAND: Readonly<Record<RiskBand, string>> = {
  low: 'Low likelihood',
  moderate: 'Moderate likelihood',
  high: 'High likelihood',
};

/**
 * Scores a stay.
 * @param emergencyEncounters emergency encounters of the patient in the six months before the admission
 */
export function assessRisk(
  context: TransitionContext,
  emergencyEncounters: readonly Encounter[],
  rules: RiskRules,
): AssessedRisk {
  const admission = admissionInstant(context);
  const nights = admission ? nightsBetween(admission, context) : 0;
  const acute = rules.isAcute(context.encounter);
  const { found, shownBy } = rules.comorbidities.find(context.conditions);
  const visits = admission ? emergencyEncounters.filter((visit) => countsAsVisit(visit, admission, context)) : [];
  const score = scoreLace({ nights, acute: acute ?? false, comorbidities: found, emergencyVisits: visits.length });
  const unreadable = context.conditions.filter((condition) => !isReadable(condition)).length;
  const missing = [
    ...(admission ? [] : ['admission time']),
    ...(acute === undefined ? ['admission type'] : []),
    ...(unreadable > 0 ? [`ICD-10-CM codes of ${unreadable} conditions`] : []),
  ];
  const basis = [context.encounter, ...shownBy, ...visits].map(referenceTo);
  return { score, assessment: { ...describe(context, score, rules, missing), basis } };
}

/** When the stay began; undefined when the encounter does not say. */
function admissionInstant({ encounter, anchor }: TransitionContext): Temporal.Instant | undefined {
  return encounter.period?.start ? toInstant(encounter.period.start, anchor.zone) : undefined;
}

function nightsBetween(admission: Temporal.Instant, { anchor }: TransitionContext): number {
  const until = localDate(anchor.discharge, anchor.zone);
  return Math.max(0, localDate(admission, anchor.zone).until(until, { largestUnit: 'days' }).days);
}

function countsAsVisit(visit: Encounter, admission: Temporal.Instant, { anchor }: TransitionContext): boolean {
  if (visit.status === 'cancelled' || visit.status === 'entered-in-error' || visit.status === 'planned') return false;
  if (!visit.period?.start || !visit.period.end) return false;
  const sixMonthsBefore = admission.toZonedDateTimeISO(anchor.zone).subtract({ months: 6 }).toInstant();
  const [start, end] = [toInstant(visit.period.start, anchor.zone), toInstant(visit.period.end, anchor.zone)];
  const old = Temporal.Instant.compare(start, sixMonthsBefore) < 0;
  const ledHere = Temporal.Instant.compare(end, admission.subtract(LED_TO_ADMISSION)) > 0;
  return !old && !ledHere;
}

function describe(
  { encounter, patient, anchor, now }: TransitionContext,
  score: LaceScore,
  rules: RiskRules,
  missing: readonly string[],
): RiskAssessment {
  const { lengthOfStay, acuity, comorbidity, emergency, total, band } = score;
  const version = rules.comorbidities.version;
  const points = { total, 'length-of-stay': lengthOfStay, acuity, comorbidity, emergency };
  const monthLater = anchor.discharge.toZonedDateTimeISO(anchor.zone).add({ days: 30 }).toInstant();
  return {
    resourceType: 'RiskAssessment',
    extension: [
      {
        url: EXTENSION.riskScore,
        extension: Object.entries(points).map(([url, valueInteger]) => ({ url, valueInteger })),
      },
    ],
    status: 'final',
    method: {
      coding: [{ system: CODE_SYSTEM.riskMethod, version, code: 'lace', display: 'LACE index' }],
      text: 'LACE index',
    },
    subject: referenceTo(patient),
    encounter: referenceTo(encounter),
    occurrenceDateTime: toFhirDateTime(now, anchor.zone),
    prediction: [
      {
        outcome: { text: 'Death or unplanned readmission within 30 days of discharge' },
        qualitativeRisk: concept('http://terminology.hl7.org/CodeSystem/risk-probability', band, BAND[band]),
        whenPeriod: {
          start: toFhirDateTime(anchor.discharge, anchor.zone),
          end: toFhirDateTime(monthLater, anchor.zone),
        },
        rationale: `LACE ${total} = L ${lengthOfStay} + A ${acuity} + C ${comorbidity} + E ${emergency}`,
      },
    ],
    ...(missing.length > 0 ? { note: [{ text: `Not known, so counted as zero: ${missing.join('; ')}.` }] } : {}),
  };
}
