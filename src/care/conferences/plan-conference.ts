// Plans a conference: an Appointment that the plan refers to, to which people are invited.

import { randomUUID } from 'node:crypto';
import type { Appointment, AppointmentParticipant, Extension } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { type OnCase, workableCase } from '../case-at-hand.ts';
import { claims } from '../claimed-profiles.ts';
import { concept } from '../concept.ts';
import { nowOf, requireAhead } from '../given-time.ts';
import { knownResource, knownResources, PEOPLE } from '../known-resource.ts';
import { planToExtend } from '../plans/plan-of-case.ts';
import type { Caller, Planned, Records } from '../records.ts';
import { referenceTo } from '../reference-to.ts';
import { CODE_SYSTEM, EXTENSION } from '../systems.ts';
import type { ConferenceMove, ConferencePlan } from './conference-schema.ts';

export const CARE_CONFERENCE = concept(CODE_SYSTEM.serviceKind, 'care-conference', 'Care conference');

/** @throws Fault not-found; unprocessable for a time in the past, the same person twice, an unknown participant */
export async function planConference(
  records: Records,
  caller: Caller,
  { caseId, body }: OnCase<ConferencePlan>,
): Promise<Planned> {
  const found = await workableCase(records, caseId);
  const { episode, patient } = found;
  requireAhead(body.start, 'start', caller);
  requireNobodyTwice(body);
  const actors = body.participants.map(({ actor }) => actor);
  await knownResources(records, found, actors, PEOPLE, 'participants');
  await requirePlace(records, body);
  const plan = await planToExtend(records, caller, found);
  const id = randomUUID();
  const participant = withSubject(
    body.participants.map(
      ({ actor, required }): AppointmentParticipant => ({
        actor,
        required: required ? 'required' : 'optional',
        // Who plans the conference takes part in it.
        status: actor.reference === caller.who.reference ? 'accepted' : 'needs-action',
      }),
    ),
    referenceTo(patient).reference,
  );
  const resource: Appointment = {
    resourceType: 'Appointment',
    meta: claims('baton-conference'),
    extension: [...linkOf(body), ...(body.agenda ?? []).map(agendaItem)],
    status: 'pending',
    serviceType: [CARE_CONFERENCE],
    description: body.title,
    supportingInformation: [referenceTo(episode)],
    ...slotOf(body),
    created: nowOf(caller),
    participant: [...participant, ...placeOf(body)],
  };
  if (resource.extension?.length === 0) delete resource.extension;
  const booked = { ...resource, status: statusByAnswers(resource.participant) };
  return {
    changes: [{ op: 'create', resource: booked, id }, ...plan.add({ activities: [`Appointment/${id}`] })],
    about: 0,
  };
}

/** Booked when everybody who must be there will be. */
export function statusByAnswers(participant: readonly AppointmentParticipant[]): 'booked' | 'pending' {
  const awaited = participant.filter(({ required }) => (required ?? 'required') === 'required');
  return awaited.every(({ status }) => status === 'accepted') ? 'booked' : 'pending';
}

/** From when to when, as FHIR says it. */
export function slotOf({ start, minutes }: ConferenceMove | ConferencePlan) {
  const end = Temporal.Instant.from(start).add({ minutes }).toString();
  const offset = start.endsWith('Z') ? 'Z' : start.slice(-6);
  const local = Temporal.Instant.from(end).toZonedDateTimeISO(offset === 'Z' ? 'UTC' : offset);
  const shown = local.toString({ timeZoneName: 'never', smallestUnit: 'second' });
  return { start, end: shown, minutesDuration: minutes };
}

/** @throws Fault unprocessable when the Location is not known */
export async function requirePlace(records: Records, { where }: { where?: { reference?: string } }): Promise<void> {
  if (where?.reference) await knownResource(records, {}, where.reference, ['Location'], 'where');
}

export function placeOf({ where }: { where?: { reference?: string; display?: string } }): AppointmentParticipant[] {
  if (!where) return [];
  const type = concept('http://terminology.hl7.org/CodeSystem/v3-ParticipationType', 'LOC', 'location');
  return [{ type: [type], actor: where, required: 'information-only', status: 'accepted' }];
}

export function linkOf({ link }: { link?: string }): Extension[] {
  return link === undefined ? [] : [{ url: EXTENSION.meetingLink, valueUrl: link }];
}

const agendaItem = (item: string): Extension => ({ url: EXTENSION.agendaItem, valueString: item });

/** The conference is about the patient, also when the patient is not invited: it is found by the patient. */
function withSubject(participant: AppointmentParticipant[], patient: string): AppointmentParticipant[] {
  if (participant.some(({ actor }) => actor?.reference === patient)) return participant;
  return [...participant, { actor: { reference: patient }, required: 'information-only', status: 'needs-action' }];
}

function requireNobodyTwice({ participants }: ConferencePlan): void {
  const seen = new Set<string>();
  for (const [at, { actor }] of participants.entries()) {
    if (seen.has(actor.reference)) {
      throw new Fault('unprocessable', `participants[${at}] is named twice.`, {
        expression: `participants[${at}]`,
        code: 'duplicate',
      });
    }
    seen.add(actor.reference);
  }
}
