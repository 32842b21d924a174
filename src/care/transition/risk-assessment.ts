// How likely the patient is to come back: a stay scored by a method, as a RiskAssessment with all that it rests on and all
// that was not known.
import type { RiskAssessment } from '@medplum/fhirtypes';
import { concept, hasCode } from '../concept.ts';
import { derivedId } from '../derived-id.ts';
import { toFhirDateTime } from '../local-time.ts';
import { referenceTo } from '../reference-to.ts';
import { CODE_SYSTEM, EXTENSION, IDENTIFIER } from '../systems.ts';
import type { MissingInput } from './answered-input.ts';
import type { RiskFacts } from './protocol.ts';
import { answerInput, type InputRules, type RiskData } from './risk-inputs.ts';
import { pointsOf, type RiskBand, type RiskMethod, type RiskScore, scoreRisk } from './risk-method.ts';
import type { TransitionContext } from './transition-context.ts';

/** The methods in use, the one that decides first, and how their inputs are read; made once from profiles/. */
export interface RiskRules extends InputRules {
  readonly methods: readonly RiskMethod[];
}

export interface MethodRisk {
  readonly method: RiskMethod;
  readonly score: RiskScore;
  readonly assessment: RiskAssessment;
}

/** The risk by the method that decides, and by every method in use. */
export interface AssessedRisk extends MethodRisk {
  readonly all: readonly MethodRisk[];
}

const BAND: Readonly<Record<RiskBand, string>> = {
  negligible: 'Negligible likelihood',
  low: 'Low likelihood',
  moderate: 'Moderate likelihood',
  high: 'High likelihood',
  certain: 'Certain',
};

/** Scores a stay by every method in use. */
export function assessRisk(context: TransitionContext, data: RiskData, rules: RiskRules): AssessedRisk {
  const all = rules.methods.map((method) => assessBy(method, context, data, rules));
  // readRiskMethods sees to it that one decides.
  return { ...(all[0] as MethodRisk), all };
}

/** What conditions of protocols can ask about a risk. */
export function riskFacts({ assessment, score, all }: AssessedRisk): RiskFacts {
  const lace = all.find(({ method }) => method.code === 'lace')?.score.total;
  return { risk: assessment, score: score.total, band: score.band, lace };
}

/** The same as kept assessments say it, that of the method that decides first; undefined when there are none. */
export function knownRiskFacts(known: readonly RiskAssessment[]): RiskFacts | undefined {
  const [risk] = known;
  const band = risk?.prediction?.[0]?.qualitativeRisk?.coding?.[0]?.code as RiskBand | undefined;
  const score = risk && totalOf(risk);
  const lace = known.find(({ method }) => hasCode(method, CODE_SYSTEM.riskMethod, 'lace'));
  if (!risk || !band || score === undefined) return undefined;
  return { risk, score, band, lace: lace && totalOf(lace) };
}

/** The points that a kept assessment gives. */
export function totalOf({ extension }: RiskAssessment): number | undefined {
  const parts = extension?.find(({ url }) => url === EXTENSION.riskScore)?.extension;
  return parts?.find(({ url }) => url === 'total')?.valueInteger;
}

/** Id of the RiskAssessment of a transition by a method: the same risk, known better, is a new version of the same. */
export function riskIdFor(episode: string, method: string): string {
  return derivedId('transition-risk', episode, method);
}

/** The assessment as it is kept with its transition. */
export function ofTransition({ method, assessment }: MethodRisk, episode: string): RiskAssessment & { id: string } {
  const value = `${episode}|${method.code}`;
  return {
    ...assessment,
    id: riskIdFor(episode, method.code),
    identifier: [{ system: IDENTIFIER.transitionRisk, value }],
  };
}

function assessBy(method: RiskMethod, context: TransitionContext, data: RiskData, rules: InputRules): MethodRisk {
  const answers = method.components.map((component) => {
    const answer = answerInput(component, { ...data, context, rules });
    // A value that is known only between bounds may not tell which points it gives.
    const unclear = answer.known !== undefined && pointsOf(component, answer.known) === undefined;
    const missing = unclear ? [{ code: component.code, words: `exact ${component.code}` }] : answer.missing;
    return { ...answer, missing, component };
  });
  const score = scoreRisk(method, Object.fromEntries(answers.map(({ component, known }) => [component.code, known])));
  const missing = unique(answers.flatMap((answer) => answer.missing));
  const basis = [...new Set([context.encounter, ...answers.flatMap(({ shownBy }) => shownBy)].map(referenceOf))];
  const assessment = { ...describe(context, method, score, missing), basis: basis.map((reference) => ({ reference })) };
  return { method, score, assessment };
}

const referenceOf = (resource: { resourceType: string; id?: string }) => referenceTo(resource).reference;

function unique(missing: readonly MissingInput[]): MissingInput[] {
  return missing.filter(({ words }, at) => missing.findIndex((other) => other.words === words) === at);
}

function describe(
  { encounter, patient, anchor, now }: TransitionContext,
  method: RiskMethod,
  { points, total, band, percent }: RiskScore,
  missing: readonly MissingInput[],
): RiskAssessment {
  const later = anchor.discharge.toZonedDateTimeISO(anchor.zone).add({ days: method.days }).toInstant();
  const sum = method.components.map(({ code, letter }) => `${letter} ${points[code] ?? 0}`).join(' + ');
  return {
    resourceType: 'RiskAssessment',
    extension: [
      {
        url: EXTENSION.riskScore,
        extension: Object.entries({ total, ...points }).map(([url, valueInteger]) => ({ url, valueInteger })),
      },
      ...missing.map(({ code, words }) => ({
        url: EXTENSION.riskMissing,
        valueCodeableConcept: { coding: [{ system: CODE_SYSTEM.riskInput, code }], text: words },
      })),
    ],
    status: 'final',
    method: {
      coding: [{ system: CODE_SYSTEM.riskMethod, version: method.version, code: method.code, display: method.title }],
      text: method.title,
    },
    subject: referenceTo(patient),
    encounter: referenceTo(encounter),
    occurrenceDateTime: toFhirDateTime(now, anchor.zone),
    prediction: [
      {
        outcome: { text: method.outcome },
        qualitativeRisk: concept('http://terminology.hl7.org/CodeSystem/risk-probability', band, BAND[band]),
        ...(percent === undefined ? {} : { probabilityDecimal: percent }),
        whenPeriod: {
          start: toFhirDateTime(anchor.discharge, anchor.zone),
          end: toFhirDateTime(later, anchor.zone),
        },
        rationale: `${method.short} ${total} = ${sum}`,
      },
    ],
    ...(missing.length > 0
      ? { note: [{ text: `Not known, so counted as zero: ${missing.map(({ words }) => words).join('; ')}.` }] }
      : {}),
  };
}
