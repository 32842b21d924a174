// What happens to a conference before it is held: answers to the invitation, another time, cancellation.
import type { Appointment } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { caseAtHand, type OnItem, workableCase } from '../case-at-hand.ts';
import { conceptOf } from '../coded.ts';
import { requireAhead } from '../given-time.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { EXTENSION } from '../systems.ts';
import type { ConferenceCancellation, ConferenceMove, InvitationAnswer } from './conference-schema.ts';
import { isPlace } from './conference-view.ts';
import { linkOf, placeOf, requirePlace, slotOf, statusByAnswers } from './plan-conference.ts';

const AHEAD = new Set<Appointment['status']>(['proposed', 'pending', 'booked', 'waitlist']);

/** @throws Fault not-found; unprocessable when the conference is over, or the person was not invited */
export async function answerInvitation(
  records: Records,
  _caller: Caller,
  { caseId, id, body }: OnItem<InvitationAnswer>,
): Promise<Planned> {
  const appointment = await conferenceAhead(records, caseId, id);
  const { reference } = body.participant;
  const isInvited = appointment.participant.some(({ actor }) => actor?.reference === reference);
  if (!isInvited) {
    throw new Fault('unprocessable', 'participant was not invited to this conference.', {
      expression: 'participant',
      code: 'not-found',
    });
  }
  const participant = appointment.participant.map((one) =>
    one.actor?.reference === reference ? { ...one, status: body.answer } : one,
  );
  return updateOf(appointment, { ...appointment, status: statusByAnswers(participant), participant });
}

/** Moves the conference and asks everybody again. @throws Fault as answerInvitation; for a time in the past */
export async function rescheduleConference(
  records: Records,
  caller: Caller,
  { caseId, id, body }: OnItem<ConferenceMove>,
): Promise<Planned> {
  const appointment = await conferenceAhead(records, caseId, id);
  requireAhead(body.start, 'start', caller);
  await requirePlace(records, body);
  const people = appointment.participant
    .filter((one) => !body.where || !isPlace(one))
    .map((one) =>
      isPlace(one) || one.actor?.reference === caller.who.reference ? one : { ...one, status: 'needs-action' as const },
    );
  const participant = [...people, ...placeOf(body)];
  const others = appointment.extension?.filter(({ url }) => !body.link || url !== EXTENSION.meetingLink) ?? [];
  const extension = [...others, ...linkOf(body)];
  return updateOf(appointment, {
    ...appointment,
    ...(extension.length > 0 ? { extension } : {}),
    ...slotOf(body),
    status: statusByAnswers(participant),
    participant,
  });
}

/** @throws Fault not-found; unprocessable when the conference is over */
export async function cancelConference(
  records: Records,
  _caller: Caller,
  { caseId, id, body }: OnItem<ConferenceCancellation>,
): Promise<Planned> {
  // A conference of a case that has closed meanwhile still has to be called off.
  await caseAtHand(records, caseId);
  const appointment = requireStillAhead(await conferenceOf(records, caseId, id));
  return updateOf(appointment, { ...appointment, status: 'cancelled', cancelationReason: conceptOf(body.reason) });
}

/** The Appointment, when it is one of the patient of the case. @throws Fault not-found */
export async function conferenceOf(records: Records, caseId: string, id: string): Promise<Kept<'Appointment'>> {
  const { patient } = await caseAtHand(records, caseId);
  const appointment = await records.read('Appointment', id);
  const isTheirs = appointment?.participant.some(({ actor }) => actor?.reference === `Patient/${patient.id}`);
  if (!appointment || !isTheirs) throw new Fault('not-found', `The case has no conference ${id}.`);
  return appointment;
}

async function conferenceAhead(records: Records, caseId: string, id: string): Promise<Kept<'Appointment'>> {
  await workableCase(records, caseId);
  return requireStillAhead(await conferenceOf(records, caseId, id));
}

/** @throws Fault unprocessable when the conference was held, cancelled or missed */
export function requireStillAhead(appointment: Kept<'Appointment'>): Kept<'Appointment'> {
  if (AHEAD.has(appointment.status)) return appointment;
  throw new Fault('unprocessable', `The conference is ${appointment.status}; only one still ahead can be changed.`, {
    expression: 'Appointment.status',
    code: 'business-rule',
  });
}

export function updateOf(read: Kept<'Appointment'>, resource: Appointment): Planned {
  return { changes: [{ op: 'update', resource, ifMatch: read.meta.versionId }], about: 0 };
}
