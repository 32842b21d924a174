// A follow-up that missed its deadline: marked overdue, made urgent, and put before a supervisor as a Task of its own.
import type { Organization, Reference, Task } from '@medplum/fhirtypes';
import { concept, roleConcept } from '../concept.ts';
import type { Window } from '../deadline.ts';
import { referenceTo } from '../reference-to.ts';
import { CODE_SYSTEM, IDENTIFIER } from '../systems.ts';
import { touched } from '../touched.ts';
import { clockConcept, type FollowUpKey, formatKey, formatWindow } from './follow-up.ts';

const SUFFIX = '-escalation';

/** Key of the Task that escalates a follow-up. */
export function escalationKey(key: FollowUpKey): FollowUpKey {
  return { ...key, step: key.step + SUFFIX };
}

/** An escalation that is missed too is made stat; there is nobody further up to tell. */
export function isEscalation({ step }: FollowUpKey): boolean {
  return step.endsWith(SUFFIX);
}

/** The follow-up past its deadline: urgent, or stat when it was more than routine already. */
export function markOverdue(task: Task, now: Temporal.Instant): Task {
  const priority = (task.priority ?? 'routine') === 'routine' ? 'urgent' : 'stat';
  return touched({ ...task, businessStatus: clockConcept('overdue'), priority }, now);
}

/**
 * The supervisor's Task about an overdue follow-up, due at once.
 * @param facility whose supervisor it is
 */
export function escalate(
  overdue: Task,
  key: FollowUpKey,
  window: Window,
  zone: string,
  facility: Reference<Organization> | undefined,
): Task {
  const { start } = formatWindow(window, zone);
  const owner = facility ?? overdue.owner;
  return {
    resourceType: 'Task',
    identifier: [{ system: IDENTIFIER.followUp, value: formatKey(escalationKey(key)) }],
    ...(overdue.basedOn ? { basedOn: overdue.basedOn } : {}),
    ...(overdue.groupIdentifier ? { groupIdentifier: overdue.groupIdentifier } : {}),
    status: 'requested',
    businessStatus: clockConcept('due'),
    intent: 'order',
    priority: overdue.priority ?? 'urgent',
    code: concept(CODE_SYSTEM.followUpStep, 'escalation', 'Escalation'),
    description: `Overdue: ${overdue.description ?? key.step}`,
    focus: referenceTo(overdue),
    ...(overdue.for ? { for: overdue.for } : {}),
    ...(overdue.encounter ? { encounter: overdue.encounter } : {}),
    authoredOn: start,
    lastModified: start,
    ...(facility ? { requester: facility } : {}),
    performerType: [roleConcept('supervisor')],
    ...(owner ? { owner } : {}),
    restriction: { period: formatWindow(window, zone) },
  };
}
