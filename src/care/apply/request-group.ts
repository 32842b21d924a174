// The steps of an applied pathway as a RequestGroup, which keeps groups, choices and relations for whoever decides.
// https://hl7.org/fhir/R4/requestgroup.html
import type { Reference, RequestGroup, RequestGroupAction } from '@medplum/fhirtypes';
import { toFhirDateTime } from '../local-time.ts';
import type { Link } from '../reference-to.ts';
import type { Applied, AppliedStep, ApplyOptions } from './apply-pathway.ts';
import { findPerformers, type Team } from './team.ts';

/** @param resourceOf the reference to what a step made */
export function requestGroupOf(
  applied: Applied,
  options: ApplyOptions,
  resourceOf: (step: AppliedStep) => Link,
): RequestGroup {
  const { subject, encounter, requester, now, clock, team } = options;
  return {
    resourceType: 'RequestGroup',
    instantiatesCanonical: [applied.pathway.canonical],
    status: 'draft',
    intent: 'proposal',
    subject: subject as RequestGroup['subject'],
    ...(encounter ? { encounter } : {}),
    authoredOn: toFhirDateTime(now, clock.zone),
    ...(requester && /^(?:Device|Practitioner|PractitionerRole)\//.test(requester.reference ?? '')
      ? { author: requester as RequestGroup['author'] }
      : {}),
    action: applied.steps.map((step) => actionOf(step, team, resourceOf)),
  };
}

function actionOf(applied: AppliedStep, team: Team, resourceOf: (step: AppliedStep) => Link): RequestGroupAction {
  const { step, title, steps } = applied;
  const { action } = step;
  const { people } = findPerformers(action.participant ?? [], team);
  const { type, groupingBehavior, selectionBehavior, requiredBehavior, precheckBehavior, cardinalityBehavior } = action;
  const known = {
    ...{ prefix: action.prefix, description: action.description, textEquivalent: action.textEquivalent },
    ...{ priority: action.priority, code: action.code, documentation: action.documentation, type },
    ...{ groupingBehavior, selectionBehavior, requiredBehavior, precheckBehavior, cardinalityBehavior },
    ...{ timingDateTime: action.timingDateTime, timingAge: action.timingAge, timingPeriod: action.timingPeriod },
    ...{ timingDuration: action.timingDuration, timingRange: action.timingRange, timingTiming: action.timingTiming },
    // Whether it applies has been decided; when to start and stop is still to be watched.
    condition: action.condition?.filter(({ kind }) => kind !== 'applicability'),
    relatedAction: step.relations.map((relation, index) => ({
      ...action.relatedAction?.[index],
      actionId: relation.to,
      relationship: relation.relationship,
    })),
    participant: people as Reference[],
    action: steps.map((inner) => actionOf(inner, team, resourceOf)),
  };
  const said = Object.entries(known).filter(([, value]) =>
    Array.isArray(value) ? value.length > 0 : value !== undefined,
  );
  return {
    id: step.id,
    title,
    ...Object.fromEntries(said),
    ...(applied.made ? { resource: resourceOf(applied) } : {}),
  };
}
