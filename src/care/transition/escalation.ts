// A follow-up that missed its deadline: marked overdue, made urgent, and put before a supervisor as a Task of its own.
import type { Organization, Reference, Task } from '@medplum/fhirtypes';
import { concept, roleConcept } from '../concept.ts';
import type { Window } from '../deadline.ts';
import { referenceTo } from '../reference-to.ts';
import { CODE_SYSTEM, IDENTIFIER } from '../systems.ts';
import { touched } from '../touched.ts';
import { cancelFollowUp, type FollowUpKey, followUpKey, formatKey, formatWindow } from './follow-up.ts';
import { stageConcept } from './life.ts';

const SUFFIX = '-escalation';

/**
 * Key of the Task that escalates a follow-up.
 * @param cycle how often the follow-up has been missed
 */
export function escalationKey(key: FollowUpKey, cycle = 1): FollowUpKey {
  return { ...key, step: key.step + SUFFIX, occurrence: cycle };
}

/** True when one is the key of an escalation of the other. */
export function escalates(above: FollowUpKey, key: FollowUpKey): boolean {
  return above.episode === key.episode && above.step === key.step + SUFFIX;
}

/** An escalation that is missed too is made stat; there is nobody further up to tell. */
export function isEscalation({ step }: FollowUpKey): boolean {
  return step.endsWith(SUFFIX);
}

/** The follow-up past its deadline: urgent, or stat when it was more than routine already. */
export function markOverdue(task: Task, now: Temporal.Instant): Task {
  const priority = (task.priority ?? 'routine') === 'routine' ? 'urgent' : 'stat';
  return touched({ ...task, businessStatus: stageConcept('overdue'), priority }, now);
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
  cycle = 1,
): Task {
  const { start } = formatWindow(window, zone);
  const owner = facility ?? overdue.owner;
  return {
    resourceType: 'Task',
    identifier: [{ system: IDENTIFIER.followUp, value: formatKey(escalationKey(key, cycle)) }],
    ...(overdue.basedOn ? { basedOn: overdue.basedOn } : {}),
    ...(overdue.groupIdentifier ? { groupIdentifier: overdue.groupIdentifier } : {}),
    status: 'requested',
    businessStatus: stageConcept('due'),
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

/** An open escalation of the follow-up with its reason to be gone; undefined for every other Task. */
export function cancelEscalation(task: Task, key: FollowUpKey, now: Temporal.Instant): Task | undefined {
  const above = followUpKey(task);
  return above && escalates(above, key) ? cancelFollowUp(task, 'resolved', now) : undefined;
}
