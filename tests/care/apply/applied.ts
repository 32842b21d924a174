// A pathway written in a test, applied to one patient.
import type {
  ActivityDefinition,
  Patient,
  PlanDefinition,
  PlanDefinitionAction,
  Resource,
  Task,
} from '@medplum/fhirtypes';
import { type Applied, applyPathway, madeIn } from '../../../src/care/apply/apply-pathway.ts';
import { type Definition, lookupIn } from '../../../src/care/apply/definition-source.ts';
import { NO_CQL, readFacts } from '../../../src/care/apply/facts.ts';
import { readPathway } from '../../../src/care/apply/read-pathway.ts';
import type { Choice } from '../../../src/care/apply/select.ts';
import type { Team } from '../../../src/care/apply/team.ts';
import { usFederal } from '../artifacts.ts';
import { recordsOf } from './records-in-memory.ts';

export const ANN: Patient = { resourceType: 'Patient', id: 'ann', birthDate: '1960-03-01', gender: 'female' };
/** Monday 23 November 2026, 10:00 in New York; Thursday is Thanksgiving. */
export const NOW = Temporal.Instant.from('2026-11-23T15:00:00Z');
export const ZONE = 'America/New_York';

export type Action = PlanDefinitionAction;

export function planOf(action: readonly Action[], more: Partial<PlanDefinition> = {}): PlanDefinition {
  return { resourceType: 'PlanDefinition', status: 'active', url: 'urn:p', name: 'P', action: [...action], ...more };
}

export interface Given {
  readonly definitions?: readonly Definition[];
  readonly records?: readonly Resource[];
  readonly patient?: Patient;
  readonly choice?: Choice;
  readonly mode?: 'offer' | 'choose';
  readonly given?: Record<string, unknown>;
  readonly members?: Team['members'];
}

export async function apply(plan: PlanDefinition, given: Given = {}): Promise<Applied> {
  const { definitions = [], records = [], patient = ANN, choice = {}, mode = 'choose', members = [] } = given;
  const parameters = given.given ?? {};
  const pathway = readPathway(plan, lookupIn(definitions), Object.keys(parameters));
  const about = { patient, given: parameters, now: NOW, zone: ZONE };
  const facts = await readFacts(pathway, about, recordsOf(...records), NO_CQL);
  return applyPathway(pathway, facts, {
    ...{ key: 'case', mode, choice, now: NOW },
    clock: { start: NOW, zone: ZONE, calendar: usFederal, birthDate: patient.birthDate },
    team: { patient: { reference: 'Patient/ann' }, practitioner: { reference: 'Practitioner/nurse' }, members },
    subject: { reference: 'Patient/ann' },
    plan: { reference: 'CarePlan/plan' },
  });
}

/** Ids of what was made, with `#2` for a second time. */
export function idsOf(applied: Applied): string[] {
  return madeIn(applied.steps).map(({ step, made }) => {
    const key = (made.resource as Task).identifier?.[0]?.value?.split('|') ?? [];
    return key[3] === undefined || key[3] === '1' ? step.id : `${step.id}#${key[3]}`;
  });
}

/** `START/END` of each Task, by step id. */
export function windowsOf(applied: Applied): Record<string, string> {
  return Object.fromEntries(
    madeIn(applied.steps).map(({ step, made }) => {
      const { start = '', end = '' } = (made.resource as Task).restriction?.period ?? {};
      return [step.id, `${start}/${end}`];
    }),
  );
}

export function activityOf(id: string, more: Partial<ActivityDefinition> = {}): ActivityDefinition {
  return {
    resourceType: 'ActivityDefinition',
    status: 'active',
    url: `urn:a:${id}`,
    title: id,
    kind: 'Task',
    code: { text: id },
    ...more,
  };
}

export const fhirpath = (expression: string) => ({ language: 'text/fhirpath' as const, expression });
export const when = (expression: string, kind: 'applicability' | 'start' | 'stop' = 'applicability') => ({
  kind,
  expression: fhirpath(expression),
});
export const days = (value: number) => ({ value, unit: 'days', system: 'http://unitsofmeasure.org', code: 'd' });
export const hours = (value: number) => ({ value, unit: 'hours', system: 'http://unitsofmeasure.org', code: 'h' });
export const BUSINESS = {
  extension: [{ url: 'https://baton.health/fhir/StructureDefinition/day-count', valueCode: 'business-day' }],
};
