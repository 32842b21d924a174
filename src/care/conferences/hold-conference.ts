// Records that a conference was held: who came, what was decided, the minutes. Decisions that somebody has to carry out
// become interventions of the plan in the same commit.
import { randomUUID } from 'node:crypto';
import type { Communication, CommunicationPayload, Task } from '@medplum/fhirtypes';
import type { Change } from '../../fhir/change.ts';
import { type CaseAtHand, type OnItem, workableCase } from '../case-at-hand.ts';
import { claims } from '../claimed-profiles.ts';
import { concept } from '../concept.ts';
import { requireAhead, requireOrder, requirePast } from '../given-time.ts';
import { interventionOf } from '../interventions/intervention.ts';
import { knownResources, OWNERS, PEOPLE } from '../known-resource.ts';
import { type ExtendablePlan, planToExtend } from '../plans/plan-of-case.ts';
import type { Caller, Planned, Records } from '../records.ts';
import { referenceTo } from '../reference-to.ts';
import { EXTENSION } from '../systems.ts';
import { conferenceOf, requireStillAhead } from './change-conference.ts';
import { type ConferenceHeld, MANNERS } from './conference-schema.ts';
import { CARE_CONFERENCE } from './plan-conference.ts';

/** @throws Fault not-found; unprocessable when it is over or lies ahead, or somebody named is not known */
export async function holdConference(
  records: Records,
  caller: Caller,
  { caseId, id, body }: OnItem<ConferenceHeld>,
): Promise<Planned> {
  const found = await workableCase(records, caseId);
  const appointment = requireStillAhead(await conferenceOf(records, caseId, id));
  const { start, end } = timesOf(body, appointment, caller);
  await knownResources(records, found, body.attended, PEOPLE, 'attended');
  const owners = (body.decisions ?? []).flatMap(({ intervention }) => intervention?.owner ?? []);
  await knownResources(records, found, owners, OWNERS, 'decisions.intervention.owner');

  const plan = await planToExtend(records, caller, found);
  const recordId = randomUUID();
  const decisions = (body.decisions ?? []).map((decision, at) => decide(decision, at, found, plan, recordId, caller));
  const record: Communication = {
    resourceType: 'Communication',
    meta: claims('baton-conference-record'),
    basedOn: [{ reference: plan.reference }],
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
      ...plan.add({ activities: tasks.map(({ id }) => `Task/${id}`) }),
    ],
    about: 0,
  };
}

function timesOf(body: ConferenceHeld, planned: { start?: string; end?: string }, caller: Caller) {
  const start = body.start ?? planned.start;
  if (start) requirePast(start, 'start', caller);
  const { end } = body;
  if (end) requirePast(end, 'end', caller);
  if (start && end) requireOrder(start, end, ['start', 'end'], caller);
  return { start, end };
}

type Decision = NonNullable<ConferenceHeld['decisions']>[number];
type Created = Extract<Change, { op: 'create' }>;

function decide(
  { text, intervention }: Decision,
  at: number,
  about: CaseAtHand,
  plan: ExtendablePlan,
  recordId: string,
  caller: Caller,
): { payload: CommunicationPayload; task?: Created } {
  if (!intervention) return { payload: part('decision', { contentString: text }) };
  const { owner, due } = intervention;
  if (due) requireAhead(due, `decisions[${at}].intervention.due`, caller);
  const id = randomUUID();
  const resource: Task = {
    ...interventionOf({ description: text, code: { text }, owner, due }, about, plan.reference, caller),
    reasonReference: { reference: `Communication/${recordId}` },
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
