// A referral that a protocol orders, as a US Core ServiceRequest.
// http://hl7.org/fhir/us/core/StructureDefinition/us-core-servicerequest
import type { ServiceRequest } from '@medplum/fhirtypes';
import { profileUrl } from '../../fhir/profile-canonical.ts';
import type { Window } from '../deadline.ts';
import { toFhirDateTime } from '../local-time.ts';
import { referenceTo } from '../reference-to.ts';
import { formatWindow, goalLinks, type PlanReferences } from './follow-up.ts';
import type { ProtocolStep } from './protocol.ts';
import { diagnosesOf, type TransitionContext } from './transition-context.ts';

/** The active order of a step, to be carried out within its window. */
export function orderService(
  step: ProtocolStep,
  window: Window,
  plan: PlanReferences,
  context: TransitionContext,
): ServiceRequest {
  const { action, activity } = step;
  const goals = goalLinks(step, plan);
  const reasonReference = diagnosesOf(context);
  return {
    resourceType: 'ServiceRequest',
    meta: { profile: [profileUrl('usCore', 'us-core-servicerequest')] },
    ...(goals.length > 0 ? { extension: goals } : {}),
    ...(activity.url ? { instantiatesCanonical: [activity.url] } : {}),
    basedOn: [plan.carePlan],
    status: 'active',
    intent: 'order',
    ...(activity.topic ? { category: activity.topic } : {}),
    priority: action.priority ?? activity.priority ?? 'routine',
    ...(activity.code ? { code: activity.code } : {}),
    subject: referenceTo(context.patient),
    encounter: referenceTo(context.encounter),
    occurrencePeriod: formatWindow(window, context.anchor.zone),
    authoredOn: toFhirDateTime(context.now, context.anchor.zone),
    ...(context.facility ? { requester: context.facility } : {}),
    ...(reasonReference.length > 0 ? { reasonReference } : {}),
    ...(activity.description ? { patientInstruction: activity.description } : {}),
  };
}
