// The conferences about the patient of a case, those of the case and others, in the order of their times.
import { caseAtHand } from '../case-at-hand.ts';
import type { Kept, Records } from '../records.ts';
import { CODE_SYSTEM } from '../systems.ts';
import { conferenceOf } from './change-conference.ts';
import type { ConferenceView } from './conference-schema.ts';
import { isConferenceRecord, viewConference } from './conference-view.ts';

/** @throws Fault not-found */
export async function listConferences(records: Records, caseId: string): Promise<ConferenceView[]> {
  const { patient } = await caseAtHand(records, caseId);
  const [appointments, held] = await Promise.all([
    records.find('Appointment', {
      patient: `Patient/${patient.id}`,
      'service-type': `${CODE_SYSTEM.serviceKind}|care-conference`,
      _sort: 'date',
    }),
    records.find('Communication', {
      subject: `Patient/${patient.id}`,
      category: `${CODE_SYSTEM.serviceKind}|care-conference`,
    }),
  ]);
  return appointments.map((one) => viewConference(one, recordOf(held, one.id), caseId));
}

/** @throws Fault not-found */
export async function readConference(records: Records, caseId: string, id: string): Promise<ConferenceView> {
  const appointment = await conferenceOf(records, caseId, id);
  const held = await records.find('Communication', { 'part-of': `Appointment/${id}` });
  return viewConference(appointment, recordOf(held, id), caseId);
}

function recordOf(held: readonly Kept<'Communication'>[], id: string): Kept<'Communication'> | undefined {
  return held.find(
    (one) =>
      one.status !== 'entered-in-error' &&
      isConferenceRecord(one) &&
      one.partOf?.some(({ reference }) => reference === `Appointment/${id}`),
  );
}
