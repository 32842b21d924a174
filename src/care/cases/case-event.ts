// What was said when something happened to a case, kept as a Communication about it: R4's EpisodeOfCare has no notes.
import type { Communication } from '@medplum/fhirtypes';
import type { Change } from '../../fhir/change.ts';
import { concept } from '../concept.ts';
import { toFhirDateTime } from '../local-time.ts';
import type { Caller, Kept } from '../records.ts';
import { CODE_SYSTEM } from '../systems.ts';

/** CodeSystem case-event. */
export const CASE_EVENTS = {
  assignment: 'Assignment',
  handover: 'Hand-over',
  activation: 'Activation',
  hold: 'Put on hold',
  resumption: 'Resumption',
  closure: 'Closure',
  cancellation: 'Cancellation',
} as const;

/** @param to whom it is said to; nothing is kept when nothing was said */
export function noteOfEvent(
  { id, patient }: Kept<'EpisodeOfCare'>,
  event: keyof typeof CASE_EVENTS,
  { who, now, zone }: Caller,
  note: string | undefined,
  to?: { readonly reference: string },
): Change[] {
  if (note === undefined) return [];
  const resource: Communication = {
    resourceType: 'Communication',
    status: 'completed',
    category: [concept(CODE_SYSTEM.caseEvent, event, CASE_EVENTS[event])],
    subject: patient as NonNullable<Communication['subject']>,
    about: [{ reference: `EpisodeOfCare/${id}` }],
    sent: toFhirDateTime(now, zone),
    ...(to ? { recipient: [to] } : {}),
    sender: who as NonNullable<Communication['sender']>,
    payload: [{ contentString: note }],
  };
  return [{ op: 'create', resource }];
}
