// Records that a conference was held: who came, what was decided, the minutes. Decisions that somebody has to carry out
// become interventions of the plan in the same commit.
import { randomUUID } from 'node:crypto';
import type { Communication, CommunicationPayload, Task } from '@medplum/fhirtypes';
import type { Change } from '../../fhir/change.ts';
import { addToPlan, type OnItem, type WorkableCase, workableCase } from '../case-at-hand.ts';
import { claims } from '../claimed-profiles.ts';
import { concept } from '../concept.ts';
import { nowOf, requireFuture, requireOrder, requirePast } from '../given-time.ts';
import { PEOPLE, requireKnown } from '../known-reference.ts';
import type { Caller, Planned, Records } from '../records.ts';
import { EXTENSION } from '../systems.ts';
import { referenceTo } from '../transition-context.ts';
import { conferenceOf, requireAhead } from './change-conference.ts';
import { type ConferenceHeld, MANNERS } from './conference-schema.ts';
import { CARE_CONFERENCE } from './plan-conference.ts';

const OWNERS = ['Practitioner', 'PractitionerRole', 'Organization', 'CareTeam', 'RelatedPerson', 'Patient'] as const;

/** @throws Fault not-found; unprocessable when it is over or lies ahead, or somebody named is not known */
export async function holdConference(
  records: Records,
  caller: Caller,
  { caseId, id, body }: OnItem<ConferenceHeld>,
): Promise<Planned> {
  const found = await workableCase(records, caseId);
  const appointment = requireAhead(await conferenceOf(records, caseId, id));
  const { start, end } = timesOf(body, appointment, caller);
  await requireKnown(records, body.attended, PEOPLE, 'attended', found.patient.id);
  const owners = (body.decisions ?? []).flatMap(({ intervention }) => intervention?.owner ?? []);
  await requireKnown(records, owners, OWNERS, 'decisions.intervention.owner', found.patient.id);

  const recordId = randomUUID();
  const decisions = (body.decisions ?? []).map((decision, at) => decide(decision, at, found, recordId, caller));
  const record: Communication = {
    resourceType: 'Communication',
    meta: claims('baton-conference-record'),
    basedOn: [referenceTo(found.plan)],
    partOf: [referenceTo(appointment)],
    status: 'completed',
    category: [CARE_CONFERENCE],
    ...(body.manner ? { medium: body.manner.map(mediumOf) } : {}),
    subject: referenceTo(found.patient),
    about: [referenceTo(found.episode)],
    ...(start ? { sent: start } : {}),
    ...(end ? { received: end } : {}),
    recipient: body.attended,
    sender: caller.who as NonNullable<Communication['sender']>,
    payload: [
      ...decisions.map(({ payload }) => payload),
      ...(body.minutes ? [part('minutes', { contentString: body.minutes })] : []),
    ],
  };
  if (record.payload?.length === 0) delete record.payload;
  const tasks = decisions.flatMap(({ task }) => task ?? []);
  return {
    changes: [
      { op: 'update', resource: { ...appointment, status: 'fulfilled' }, ifMatch: appointment.meta.versionId },
      { op: 'create', resource: record, id: recordId },
      ...tasks,
      ...(tasks.length > 0
        ? [
            addToPlan(
              found.plan,
              tasks.map(({ id }) => ({ reference: `Task/${id}` })),
            ),
          ]
        : []),
    ],
    about: 0,
  };
}

function timesOf(body: ConferenceHeld, planned: { start?: string; end?: string }, caller: Caller) {
  const start = body.start ?? planned.start;
  if (start) requirePast(start, 'start', caller);
  const { end } = body;
  if (end) requirePast(end, 'end', caller);
  if (start && end) requireOrder(start, end, ['start', 'end']);
  return { start, end };
}

type Decision = NonNullable<ConferenceHeld['decisions']>[number];
type Created = Extract<Change, { op: 'create' }>;

function decide(
  { text, intervention }: Decision,
  at: number,
  { plan, patient }: WorkableCase,
  recordId: string,
  caller: Caller,
): { payload: CommunicationPayload; task?: Created } {
  if (!intervention) return { payload: part('decision', { contentString: text }) };
  const { owner, due } = intervention;
  if (due) requireFuture(due, `decisions[${at}].intervention.due`, caller);
  const id = randomUUID();
  const resource: Task = {
    resourceType: 'Task',
    meta: claims('baton-intervention'),
    basedOn: [referenceTo(plan)],
    status: 'requested',
    intent: 'order',
    priority: 'routine',
    code: { text },
    description: text,
    for: referenceTo(patient),
    authoredOn: nowOf(caller),
    lastModified: nowOf(caller),
    requester: caller.who as NonNullable<Task['requester']>,
    ...(owner ? { owner } : {}),
    reasonReference: { reference: `Communication/${recordId}` },
    ...(due ? { restriction: { period: { end: due } } } : {}),
  };
  const payload = part('decision', { contentReference: { reference: `Task/${id}`, display: text } });
  return { payload, task: { op: 'create', resource, id } };
}

function part(code: 'decision' | 'minutes', content: CommunicationPayload): CommunicationPayload {
  return { extension: [{ url: EXTENSION.conferencePart, valueCode: code }], ...content };
}

function mediumOf(manner: NonNullable<ConferenceHeld['manner']>[number]) {
  return concept('http://terminology.hl7.org/CodeSystem/v3-ParticipationMode', MANNERS[manner], WORDS[manner]);
}

const WORDS = { 'in-person': 'face-to-face', video: 'videoconferencing', phone: 'telephone' } as const;
