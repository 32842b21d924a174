// The plan of a transition, as a US Core CarePlan: everything it consists of is referenced, nothing is inline.
// http://hl7.org/fhir/us/core/StructureDefinition/us-core-careplan
import type { CarePlan } from '@medplum/fhirtypes';
import { isEnd } from '../../fhir/status/machine.ts';
import { CARE_PLAN } from '../../fhir/status/request.ts';
import { concept, type TransitionReason } from '../concept.ts';
import { localDate, toFhirDateTime } from '../local-time.ts';
import { narrative } from '../narrative.ts';
import { CLAIMS } from '../plans/claims.ts';
import { type Link, referenceTo } from '../reference-to.ts';
import { IDENTIFIER } from '../systems.ts';
import type { PlanReferences } from './follow-up.ts';
import type { Protocol } from './protocol.ts';
import { diagnosesOf, type TransitionContext } from './transition-context.ts';

const ASSESS_PLAN = concept(
  'http://hl7.org/fhir/us/core/CodeSystem/careplan-category',
  'assess-plan',
  'Assessment and Plan of Treatment',
);

/** Of a plan for the time of the stay. */
export const INPATIENT_PLAN = [ASSESS_PLAN, concept('http://snomed.info/sct', '736353004', 'Inpatient care plan')];

const CATEGORIES = [
  ASSESS_PLAN,
  // What goes on at home after the stay is the outpatient plan, not the inpatient one (736353004).
  concept('http://snomed.info/sct', '736271009', 'Outpatient care plan'),
];

const UNTITLED = 'Transition of care';

/** Something the plan consists of: its reference and how a person would name it, with its deadline. */
export interface PlannedActivity {
  readonly reference: Link;
  readonly line: string;
}

export function writeCarePlan(
  protocol: Protocol,
  activities: readonly PlannedActivity[],
  risk: Link,
  plan: PlanReferences,
  context: TransitionContext,
): CarePlan {
  const { patient, encounter, facility, anchor, now } = context;
  const { definition } = protocol;
  const title = definition.title ?? UNTITLED;
  const addresses = diagnosesOf(context);
  return {
    resourceType: 'CarePlan',
    meta: { profile: [...CLAIMS.otherPlan] },
    text: describePlan(
      definition.title,
      activities.map(({ line }) => line),
      context,
    ),
    identifier: [{ system: IDENTIFIER.transitionPlan, value: plan.episode }],
    instantiatesCanonical: [protocol.canonical],
    status: 'active',
    intent: 'plan',
    category: CATEGORIES,
    title,
    ...(definition.description ? { description: definition.description } : {}),
    subject: referenceTo(patient),
    encounter: referenceTo(encounter),
    period: servicePeriod(context),
    created: toFhirDateTime(now, anchor.zone),
    ...(facility ? { contributor: [facility] } : {}),
    careTeam: [plan.careTeam],
    ...(addresses.length > 0 ? { addresses } : {}),
    supportingInfo: [risk, { reference: `EpisodeOfCare/${plan.episode}` }],
    ...(plan.goals.size > 0 ? { goal: [...plan.goals.values()] } : {}),
    activity: activities.map(({ reference }) => ({ reference })),
  };
}

/**
 * The plan counted from a corrected discharge.
 * @param lines of its activities, as they stand now
 */
export function moveCarePlan(plan: CarePlan, lines: readonly string[], context: TransitionContext): CarePlan {
  return { ...plan, text: describePlan(plan.title, lines, context), period: servicePeriod(context) };
}

/** One activity in words. */
export function activityLine(title: string, due: Temporal.Instant, { anchor }: TransitionContext): string {
  return `${title}: by ${localDate(due, anchor.zone)}`;
}

function describePlan(title = UNTITLED, lines: readonly string[], { anchor }: TransitionContext): CarePlan['text'] {
  return narrative(`${title}. Discharged on ${localDate(anchor.discharge, anchor.zone)}.`, lines);
}

/** The day of the discharge and the 29 days after it, as CMS counts transitional care. */
function servicePeriod({ anchor }: TransitionContext): CarePlan['period'] {
  const day = localDate(anchor.discharge, anchor.zone);
  return { start: day.toString(), end: day.add({ days: 29 }).toString() };
}

/** The plan at its end; undefined when it has ended already and stays as it is. */
export function closeCarePlan(
  plan: CarePlan,
  status: 'completed' | 'revoked',
  reason?: TransitionReason,
): CarePlan | undefined {
  if (isEnd(CARE_PLAN, plan.status)) return undefined;
  const note = reason ? { note: [...(plan.note ?? []), { text: `Withdrawn: ${reason}.` }] } : {};
  return { ...plan, status, ...note };
}
