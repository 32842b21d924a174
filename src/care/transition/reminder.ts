// The record that somebody is to be told of a follow-up. It says what is due, not about whom it says more than a
// reference: channels may take it out of the house.
import type { CommunicationRequest, Task } from '@medplum/fhirtypes';
import { concept } from '../concept.ts';
import { referenceTo } from '../reference-to.ts';
import { CODE_SYSTEM, IDENTIFIER } from '../systems.ts';

const REASONS = {
  'follow-up-due': 'Follow-up due',
  'follow-up-reminder': 'Follow-up soon due',
  'follow-up-overdue': 'Follow-up overdue',
  'follow-up-assigned': 'Follow-up assigned',
} as const;

/** Between the key of a follow-up and what else makes a message about it unique. */
const MORE = '#';

/** The key of a message about a follow-up beside the first, e.g. of a step of the ladder. */
export function messageKey(key: string, ...more: readonly (string | number)[]): string {
  return [key, ...more].join(MORE);
}

/** Key of the follow-up that a message is about. */
export function aboutKey(key: string): string {
  return key.split(MORE)[0] ?? key;
}

/**
 * A request to tell the owner. `occurrenceDateTime` is when it ought to have been told and `authoredOn` when it was:
 * what lies between is the lateness.
 * @param key key of the follow-up, which makes the request unique
 * @param ought FHIR dateTime
 * @param recipient the owner when nobody else is named
 */
export function remindOwner(
  task: Task,
  key: string,
  reason: keyof typeof REASONS,
  ought: string,
  now: Temporal.Instant,
  recipient: CommunicationRequest['recipient'] = task.owner ? [task.owner] : [],
): CommunicationRequest {
  return {
    resourceType: 'CommunicationRequest',
    identifier: [{ system: IDENTIFIER.reminder, value: key }],
    ...(task.basedOn ? { basedOn: task.basedOn } : {}),
    status: 'active',
    category: [concept('http://terminology.hl7.org/CodeSystem/communication-category', 'reminder', 'Reminder')],
    priority: task.priority ?? 'routine',
    ...(task.for?.reference?.startsWith('Patient/') ? { subject: { reference: task.for.reference } } : {}),
    ...(task.id ? { about: [referenceTo(task)] } : {}),
    ...(task.encounter ? { encounter: task.encounter } : {}),
    payload: [{ contentString: `${REASONS[reason]}: ${task.description ?? 'follow-up'}` }],
    occurrenceDateTime: ought,
    authoredOn: now.toString({ smallestUnit: 'second' }),
    ...(recipient && recipient.length > 0 ? { recipient } : {}),
    reasonCode: [concept(CODE_SYSTEM.messageReason, reason, REASONS[reason])],
  };
}
