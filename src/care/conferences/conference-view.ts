// An Appointment and the Communication that records how it went, as an application sees them.
import type { Appointment, AppointmentParticipant, Communication, Reference } from '@medplum/fhirtypes';
import { codedOf } from '../coded.ts';
import { hasCode } from '../concept.ts';
import { type LinkedOut, linkedOf } from '../linked.ts';
import type { Kept } from '../records.ts';
import { CODE_SYSTEM, EXTENSION } from '../systems.ts';
import { type ConferenceView, MANNERS } from './conference-schema.ts';

const PARTICIPATION = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType';

/** Tells the place of a meeting from the people who take part. */
export function isPlace({ actor, type }: AppointmentParticipant): boolean {
  return (
    actor?.reference?.startsWith('Location/') || (type?.some((one) => hasCode(one, PARTICIPATION, 'LOC')) ?? false)
  );
}

/** The patient whom the conference is about and who is not invited. */
function isOnlySubject({ actor, required }: AppointmentParticipant): boolean {
  return required === 'information-only' && (actor?.reference?.startsWith('Patient/') ?? false);
}

/** Reference of the EpisodeOfCare that a conference was planned for. */
export function caseOf({ supportingInformation }: Appointment): string | undefined {
  return supportingInformation?.find(({ reference }) => reference?.startsWith('EpisodeOfCare/'))?.reference;
}

export function viewConference(
  appointment: Kept<'Appointment'>,
  record: Kept<'Communication'> | undefined,
  caseId: string,
): ConferenceView {
  const people = appointment.participant.filter((one) => !isPlace(one) && !isOnlySubject(one));
  const place = appointment.participant.find(isPlace)?.actor;
  const link = appointment.extension?.find(({ url }) => url === EXTENSION.meetingLink)?.valueUrl;
  const agenda = appointment.extension?.filter(({ url }) => url === EXTENSION.agendaItem) ?? [];
  const cancelled = codedOf(appointment.cancelationReason);
  return {
    id: appointment.id,
    version: appointment.meta.versionId,
    status: appointment.status,
    ofCase: caseOf(appointment) === `EpisodeOfCare/${caseId}`,
    ...(appointment.description ? { title: appointment.description } : {}),
    ...(appointment.start ? { start: appointment.start } : {}),
    ...(appointment.end ? { end: appointment.end } : {}),
    ...(place ? { where: shown(place) } : {}),
    ...(link ? { link } : {}),
    participants: people.map(({ actor, required, status }) => ({
      actor: shown(actor),
      required: (required ?? 'required') === 'required',
      answer: status,
    })),
    agenda: agenda.flatMap(({ valueString }) => valueString ?? []),
    ...(cancelled ? { cancelled } : {}),
    ...(record ? { held: viewRecord(record, people) } : {}),
  };
}

function viewRecord(record: Kept<'Communication'>, invited: readonly AppointmentParticipant[]) {
  const attended = (record.recipient ?? []).map(shown);
  const there = new Set(attended.map(({ reference }) => reference));
  const absent = invited.map(({ actor }) => shown(actor)).filter(({ reference }) => !there.has(reference));
  const minutes = partsOf(record, 'minutes').flatMap(({ contentString }) => contentString ?? []);
  return {
    id: record.id,
    ...(record.sent ? { start: record.sent } : {}),
    ...(record.received ? { end: record.received } : {}),
    attended,
    absent,
    manner: mannersOf(record),
    decisions: partsOf(record, 'decision').map(({ contentString, contentReference }) => {
      const text = contentString ?? contentReference?.display;
      return {
        ...(text === undefined ? {} : { text }),
        ...(contentReference?.reference ? { intervention: { reference: contentReference.reference } } : {}),
      };
    }),
    ...(minutes.length > 0 ? { minutes: minutes.join('\n') } : {}),
  };
}

function partsOf({ payload }: Communication, part: string) {
  return (payload ?? []).filter(({ extension }) =>
    extension?.some(({ url, valueCode }) => url === EXTENSION.conferencePart && valueCode === part),
  );
}

function mannersOf({ medium }: Communication): string[] {
  const codes = new Set(medium?.flatMap(({ coding }) => coding?.flatMap(({ code }) => code ?? []) ?? []));
  return Object.entries(MANNERS).flatMap(([manner, code]) => (codes.has(code) ? manner : []));
}

/** Somebody of whom nothing is said is still one of the people. */
const shown = (reference: Reference | undefined): LinkedOut => linkedOf(reference) ?? {};

/** Whether the Communication is the record of a conference. */
export function isConferenceRecord({ category }: Communication): boolean {
  return category?.some((one) => hasCode(one, CODE_SYSTEM.serviceKind, 'care-conference')) ?? false;
}
