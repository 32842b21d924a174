// How the scores of a patient went, from the survey observations of the record, wherever they were made.
import type { Observation } from '@medplum/fhirtypes';
import { codedOf } from '../coded.ts';
import { findReadable } from '../find-readable.ts';
import type { Records } from '../records.ts';
import { caseOf } from './assessment-of-case.ts';
import type { ScoreHistory, ScoreQuery } from './assessment-schema.ts';

/** Series by code, each oldest first; undefined when there is no such case for the caller. */
export async function scoreHistory(
  records: Records,
  caseId: string,
  { code }: ScoreQuery,
): Promise<ScoreHistory | undefined> {
  const about = await caseOf(records, caseId);
  const found = await findReadable(records, 'Observation', {
    subject: `Patient/${about.patient.id}`,
    category: 'survey',
    status: 'final,amended,corrected',
    ...(code === undefined ? {} : { code }),
    _sort: 'date',
  });
  const scored = found.filter(
    ({ valueQuantity, valueInteger }) => (valueQuantity?.value ?? valueInteger) !== undefined,
  );
  const series = Map.groupBy(
    scored,
    ({ code: { coding, text } }) => `${coding?.[0]?.system}|${coding?.[0]?.code ?? text}`,
  );
  return {
    items: [...series.values()].map((points) => ({
      code: codedOf(points[0]?.code) ?? {},
      points: points.map(pointOf),
    })),
  };
}

function pointOf(one: Observation & { readonly id: string }) {
  const { valueQuantity, valueInteger, effectiveDateTime, effectivePeriod, effectiveInstant, issued, derivedFrom } =
    one;
  const assessment = derivedFrom?.find(({ reference }) => reference?.startsWith('QuestionnaireResponse/'));
  const unit = valueQuantity?.unit ?? valueQuantity?.code;
  return {
    date: effectiveDateTime ?? effectiveInstant ?? effectivePeriod?.end ?? effectivePeriod?.start ?? issued ?? '',
    value: valueQuantity?.value ?? valueInteger ?? 0,
    ...(unit ? { unit } : {}),
    status: one.status ?? 'unknown',
    observation: { reference: `Observation/${one.id}` },
    ...(assessment?.reference ? { assessment: { reference: assessment.reference } } : {}),
  };
}
