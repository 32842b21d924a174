// What a scoring method says of a patient, as the one RiskAssessment of that method and patient. Its versions are its history.
import type { RiskAssessment } from '@medplum/fhirtypes';
import { type Json, sameJson } from '../../fhir/canonical-json.ts';
import { derivedId } from '../derived-id.ts';
import { toFhirDateTime } from '../local-time.ts';
import { CODE_SYSTEM, EXTENSION, IDENTIFIER } from '../systems.ts';
import { withLabelsOf } from './labels.ts';
import { referencesTo, riskConcept, type When } from './membership.ts';
import type { Scored, ScoringMethod } from './scoring-method.ts';

export const assessmentId = (method: string, patient: string) => derivedId('stratification', method, patient);

/** Points in a RiskAssessment that a scoring method made. */
export function scoreOf({ extension }: RiskAssessment): number | undefined {
  return extension?.find(({ url }) => url === EXTENSION.stratificationScore)?.valueInteger;
}

/**
 * The assessment as an evaluation leaves it: cancelled when the method is not for the patient any more.
 * @returns undefined when method, score, tier, basis and what is missing are what they were
 */
export function nextAssessment(
  method: ScoringMethod,
  patient: string,
  current: RiskAssessment | undefined,
  scored: Scored | undefined,
  when: When,
): RiskAssessment | undefined {
  if (!scored) {
    if (!current || current.status === 'cancelled') return undefined;
    return withdrawn(current);
  }
  const next = withLabelsOf(assess(method, patient, current, scored, when), scored.basis);
  return current && sameJson(substanceOf(current), substanceOf(next)) ? undefined : next;
}

/** Predicts nothing any more, so that nobody who reads predictions counts it. What it said is in its versions. */
function withdrawn(current: RiskAssessment): RiskAssessment {
  const { prediction: _prediction, basis: _basis, note: _note, extension, ...rest } = current;
  const others = (extension ?? []).filter(({ url }) => url !== EXTENSION.stratificationScore);
  return { ...rest, ...(others.length > 0 ? { extension: others } : {}), status: 'cancelled' };
}

function assess(
  { code, version, title, outcome, days }: ScoringMethod,
  patient: string,
  current: RiskAssessment | undefined,
  { total, tier, parts, basis, missing }: Scored,
  { now, zone }: When,
): RiskAssessment {
  const start = toFhirDateTime(now, zone);
  const end = toFhirDateTime(now.toZonedDateTimeISO(zone).add({ days }).toInstant(), zone);
  const sum = parts.map((part) => `${part.points} ${part.title}`).join(' + ');
  const references = referencesTo(basis);
  const { note: _note, basis: _basis, ...kept } = current ?? {};
  const others = (current?.extension ?? []).filter(({ url }) => url !== EXTENSION.stratificationScore);
  return {
    ...kept,
    resourceType: 'RiskAssessment',
    id: assessmentId(code, patient),
    extension: [...others, { url: EXTENSION.stratificationScore, valueInteger: total }],
    identifier: [{ system: IDENTIFIER.stratification, value: `${code}|${patient}` }],
    status: 'final',
    method: { coding: [{ system: CODE_SYSTEM.stratificationMethod, version, code, display: title }], text: title },
    subject: { reference: `Patient/${patient}` },
    occurrenceDateTime: start,
    ...(references.length > 0 ? { basis: references } : {}),
    prediction: [
      {
        outcome: { text: outcome },
        qualitativeRisk: riskConcept(tier),
        whenPeriod: { start, end },
        rationale: sum === '' ? `${title}: ${total}` : `${title}: ${total} = ${sum}`,
      },
    ],
    ...(missing.length > 0 ? { note: [{ text: `Not known, so no points were given: ${missing.join('; ')}.` }] } : {}),
  };
}

/** What makes a new assessment when it differs; when it was made does not. */
function substanceOf({ status, method, basis, prediction, note, extension, meta }: RiskAssessment): Json {
  const predicted = prediction?.map(({ qualitativeRisk, rationale, outcome }) => ({
    qualitativeRisk,
    rationale,
    outcome,
  }));
  const labels = meta?.security;
  return JSON.parse(JSON.stringify({ status, method, basis, predicted, note, extension, labels })) as Json;
}
