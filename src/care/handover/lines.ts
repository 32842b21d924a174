// Resources in one line each, as a colleague would say them.
import type { CodeableConcept, Goal, Patient } from '@medplum/fhirtypes';
import { personName } from '../person-name.ts';
import type { Kept } from '../records.ts';
import type { HandoverSummary, Line } from './handover-schema.ts';

interface Told {
  readonly what: string | undefined;
  readonly status?: string | undefined;
  readonly when?: string | undefined;
  readonly detail?: string | undefined;
}

function line({ resourceType, id }: { resourceType: string; id: string }, { what, status, when, detail }: Told): Line {
  return {
    reference: `${resourceType}/${id}`,
    what: what ?? resourceType,
    ...(status === undefined ? {} : { status }),
    ...(when === undefined ? {} : { when }),
    ...(detail === undefined || detail === '' ? {} : { detail }),
  };
}

export const wordsOf = (concept: CodeableConcept | undefined): string | undefined =>
  concept?.text ?? concept?.coding?.find(({ display }) => display !== undefined)?.display ?? concept?.coding?.[0]?.code;

export const conditionLine = (condition: Kept<'Condition'>) =>
  line(condition, {
    what: wordsOf(condition.code),
    status: condition.clinicalStatus?.coding?.[0]?.code,
    when: condition.onsetDateTime ?? condition.recordedDate,
  });

export const allergyLine = (allergy: Kept<'AllergyIntolerance'>) =>
  line(allergy, { what: wordsOf(allergy.code), status: allergy.criticality });

export const admissionLine = (encounter: Kept<'Encounter'>) =>
  line(encounter, {
    what: wordsOf(encounter.type?.[0]) ?? encounter.class?.display ?? encounter.class?.code,
    status: encounter.status,
    when: encounter.period?.start,
    detail: wordsOf(encounter.reasonCode?.[0]),
  });

export const goalLine = (goal: Kept<'Goal'>) =>
  line(goal, {
    what: wordsOf(goal.description),
    status: wordsOf(goal.achievementStatus) ?? goal.lifecycleStatus,
    when: goal.startDate,
    detail: (goal.target ?? []).map(targetWords).filter(Boolean).join('; '),
  });

function targetWords({ measure, detailQuantity, detailString, dueDate }: NonNullable<Goal['target']>[number]): string {
  const value = detailQuantity
    ? [detailQuantity.comparator, detailQuantity.value, detailQuantity.unit]
        .filter((part) => part !== undefined)
        .join(' ')
    : detailString;
  return [wordsOf(measure), value, dueDate && `by ${dueDate}`].filter(Boolean).join(' ');
}

export const taskLine = (task: Kept<'Task'>) =>
  line(task, {
    what: task.description ?? wordsOf(task.code),
    status: task.status,
    when: task.restriction?.period?.end,
    detail: task.priority === undefined || task.priority === 'routine' ? undefined : task.priority,
  });

export const communicationLine = (communication: Kept<'Communication'>) =>
  line(communication, {
    what: wordsOf(communication.topic) ?? wordsOf(communication.category?.[0]),
    status: communication.status,
    when: communication.sent ?? communication.received,
    detail: [
      ...(communication.payload ?? []).map(({ contentString }) => contentString),
      ...(communication.note ?? []).map(({ text }) => text),
    ]
      .filter(Boolean)
      .join(' '),
  });

export const riskLine = (risk: Kept<'RiskAssessment'>) =>
  line(risk, {
    what: wordsOf(risk.code) ?? wordsOf(risk.method) ?? 'Risk',
    status: risk.status,
    when: risk.occurrenceDateTime ?? risk.occurrencePeriod?.start,
    detail: wordsOf(risk.prediction?.[0]?.qualitativeRisk) ?? wordsOf(risk.prediction?.[0]?.outcome),
  });

export const flagLine = (flag: Kept<'Flag'>) =>
  line(flag, { what: wordsOf(flag.code), status: flag.status, when: flag.period?.start });

export const issueLine = (issue: Kept<'DetectedIssue'>) =>
  line(issue, {
    what: wordsOf(issue.code),
    status: issue.status,
    when: issue.identifiedDateTime ?? issue.identifiedPeriod?.start,
    detail: issue.detail,
  });

export function patientLine(reference: string, patient: Patient | undefined): HandoverSummary['situation']['patient'] {
  const language = patient?.communication?.find(({ preferred }) => preferred === true) ?? patient?.communication?.[0];
  const phone = patient?.telecom?.find(({ system }) => system === 'phone')?.value;
  const said = {
    name: personName(patient?.name),
    birthDate: patient?.birthDate,
    gender: patient?.gender,
    language: wordsOf(language?.language),
    phone,
  };
  return { reference, ...Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)) };
}
