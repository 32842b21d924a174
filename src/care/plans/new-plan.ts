// The plan of a case as FHIR has it. https://hl7.org/fhir/R4/careplan.html
import type { CarePlan, EpisodeOfCare, Patient, Period, Reference } from '@medplum/fhirtypes';
import { concept } from '../concept.ts';
import { localDate, toFhirDateTime } from '../local-time.ts';
import { narrative } from '../narrative.ts';
import type { Caller } from '../records.ts';
import { EXTENSION, IDENTIFIER } from '../systems.ts';
import { CLAIMS } from './claims.ts';

const CATEGORIES = [
  concept(
    'http://hl7.org/fhir/us/core/CodeSystem/careplan-category',
    'assess-plan',
    'Assessment and Plan of Treatment',
  ),
  concept('http://snomed.info/sct', '38717003', 'Longitudinal care plan'),
];

export interface PlanInput {
  readonly title?: string;
  readonly description?: string;
  readonly period?: { readonly start?: string; readonly end?: string };
}

/** The case that a plan is made for. */
interface PlannedCase {
  readonly episode: Pick<EpisodeOfCare, 'team'> & { readonly id: string };
  readonly subject: Reference<Patient>;
}

/** An active plan in which nothing is planned yet. */
export function newPlan({ episode, subject }: PlannedCase, input: PlanInput, caller: Caller): CarePlan {
  const { who, now, zone } = caller;
  const plan: CarePlan = {
    resourceType: 'CarePlan',
    meta: { profile: [...CLAIMS.plan] },
    extension: [{ url: EXTENSION.episodeOfCare, valueReference: { reference: `EpisodeOfCare/${episode.id}` } }],
    identifier: [{ system: IDENTIFIER.casePlan, value: episode.id }],
    status: 'active',
    intent: 'plan',
    category: CATEGORIES,
    title: input.title ?? 'Care plan',
    ...(input.description === undefined ? {} : { description: input.description }),
    subject,
    period: { start: localDate(now, zone).toString(), ...input.period },
    created: toFhirDateTime(now, zone),
    author: who as NonNullable<CarePlan['author']>,
    ...(episode.team?.length ? { careTeam: episode.team } : {}),
  };
  return { ...plan, text: planText(plan) };
}

/** The plan with a text that says what it says now; a text that a person wrote stays. */
export function retold(plan: CarePlan): CarePlan {
  return plan.text && plan.text.status !== 'generated' ? plan : { ...plan, text: planText(plan) };
}

/** Of what stands in the plan itself: what it refers to may change without the plan. */
function planText({ title, description, status, period }: CarePlan): CarePlan['text'] {
  return narrative(title ?? 'Care plan', [
    ...(description === undefined ? [] : [description]),
    `Status: ${status}`,
    ...(period ? [`Period: ${wordsOf(period)}`] : []),
  ]);
}

function wordsOf({ start, end }: Period): string {
  return `${start ?? 'not said'} to ${end ?? 'open'}`;
}
