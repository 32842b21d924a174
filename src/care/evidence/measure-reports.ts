// The evidence record as FHIR: one individual MeasureReport for each measure, with the resources that were evaluated.
// https://hl7.org/fhir/R4/measurereport.html
import type { Bundle, MeasureReport, MeasureReportGroup } from '@medplum/fhirtypes';
import { derivedId } from '../derived-id.ts';
import type { LinkedOut } from '../linked.ts';
import { CODE_SYSTEM } from '../systems.ts';
import type { Finding, TransitionEvidence } from './evidence-schema.ts';

const MEASURE = 'https://baton.health/fhir/Measure';
const POPULATION = 'http://terminology.hl7.org/CodeSystem/measure-population';

/** A collection of the reports that apply, which are stored nowhere: their ids follow from the transition. */
export function measureReports(evidence: TransitionEvidence): Bundle<MeasureReport> {
  const { tcm, trc, behavioral } = evidence;
  const counted = tcm.impossible.length === 0;
  const reports = [
    report(
      evidence,
      'tcm',
      tcm.rules,
      tcm.findings,
      counted,
      [...tcm.impossible, ...tcm.waitingFor].flatMap(({ proof }) => proof),
    ),
    report(evidence, 'trc', trc.rules, trc.rates, trc.eligible, [
      ...trc.stays,
      ...trc.excluded.flatMap(({ proof }) => proof),
    ]),
    ...(behavioral
      ? [
          report(
            evidence,
            behavioral.measure.toLowerCase(),
            behavioral.rules,
            behavioral.rates,
            behavioral.eligible,
            behavioral.excluded.flatMap(({ proof }) => proof),
          ),
        ]
      : []),
  ];
  return {
    resourceType: 'Bundle',
    type: 'collection',
    timestamp: evidence.computed,
    entry: reports.map((resource) => ({ fullUrl: `urn:uuid:${resource.id}`, resource })),
  };
}

function report(
  { id, patient, facility, encounter, tcm, computed }: TransitionEvidence,
  measure: string,
  version: string,
  findings: readonly Finding[],
  isCounted: boolean,
  more: readonly LinkedOut[],
): MeasureReport {
  const used = [encounter, { reference: `EpisodeOfCare/${id}` }, ...findings.flatMap(({ proof }) => proof), ...more];
  const references = [...new Set(used.flatMap((one) => one?.reference ?? []))];
  return {
    resourceType: 'MeasureReport',
    id: derivedId('evidence', measure, id),
    status: 'complete',
    type: 'individual',
    measure: `${MEASURE}/${measure}|${version}`,
    subject: { reference: patient.reference ?? '' },
    date: computed,
    ...(facility?.reference?.startsWith('Organization/') ? { reporter: { reference: facility.reference } } : {}),
    period: { start: tcm.periodStart, end: tcm.periodEnd },
    group: findings.map((finding) => groupOf(finding, isCounted)),
    evaluatedResource: references.map((reference) => ({ reference })),
  };
}

function groupOf({ code, title, met }: Finding, isCounted: boolean): MeasureReportGroup {
  const population = (name: string, display: string, holds: boolean) => ({
    code: { coding: [{ system: POPULATION, code: name, display }] },
    count: holds ? 1 : 0,
  });
  return {
    code: { coding: [{ system: CODE_SYSTEM.evidencePart, code }], text: title },
    population: [
      population('initial-population', 'Initial Population', true),
      population('denominator', 'Denominator', isCounted),
      population('numerator', 'Numerator', isCounted && met),
    ],
    measureScore: { value: isCounted && met ? 1 : 0 },
  };
}
