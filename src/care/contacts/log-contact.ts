// Logging a contact or an attempt, and correcting one: what is wrong is marked so and stays, the right one is new.
import { randomUUID } from 'node:crypto';
import type { Communication, Task } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import type { Change } from '../../fhir/change.ts';
import { type CaseAtHand, caseAtHand } from '../case-at-hand.ts';
import { concept } from '../concept.ts';
import { nowOf, requireOrder, requirePast } from '../given-time.ts';
import { isMessage } from '../messages/message.ts';
import { withNote } from '../note.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { idOf } from '../stored.ts';
import { countingFacts, isToReach } from '../transition/attempts.ts';
import { followUpKey } from '../transition/follow-up.ts';
import type { CorrectContact, LogContact, RetractContact } from './contact-schema.ts';
import { planVisit, takeBackVisit } from './contact-visit.ts';
import { judgeContact } from './counted-contact.ts';
import { madeBy } from './made-by.ts';
import { writeContact } from './write-contact.ts';

/** Contacts happen also after a case has ended, and are documented late: any case will do. */
export async function logContact(
  records: Records,
  caller: Caller,
  input: { readonly case: string; readonly contact: LogContact },
): Promise<Planned> {
  const found = await caseAtHand(records, input.case);
  const id = randomUUID();
  const { communication, visit } = await planContact(records, caller, found, input.contact);
  const completed = await planCompletion(records, caller, input.contact, { ...communication, id });
  return { changes: [{ op: 'create', id, resource: communication }, ...visit, ...completed], about: 0 };
}

/**
 * Marks the contact as entered in error and logs the right one, which refers to it.
 * @throws Fault not-found; unprocessable when it was marked before
 */
export async function correctContact(
  records: Records,
  caller: Caller,
  input: { readonly case: string; readonly id: string } & CorrectContact,
): Promise<Planned> {
  const found = await caseAtHand(records, input.case);
  const wrong = await findContact(records, found, input.id);
  const id = randomUUID();
  const { communication, visit } = await planContact(records, caller, found, input.contact);
  const inResponseTo = [{ reference: `Communication/${wrong.id}` }];
  const completed = await planCompletion(records, caller, input.contact, { ...communication, id });
  const changes: Change[] = [
    { op: 'create', id, resource: { ...communication, inResponseTo } },
    retraction(wrong, input.reason, caller),
    ...(await takeBackVisit(records, wrong)),
    ...visit,
    ...completed,
  ];
  return { changes, about: 0 };
}

/** @throws Fault as {@link correctContact} */
export async function retractContact(
  records: Records,
  caller: Caller,
  input: { readonly case: string; readonly id: string } & RetractContact,
): Promise<Planned> {
  const found = await caseAtHand(records, input.case);
  const wrong = await findContact(records, found, input.id);
  const visit = await takeBackVisit(records, wrong);
  return { changes: [retraction(wrong, input.reason, caller), ...visit], about: 0 };
}

async function planContact(records: Records, caller: Caller, found: CaseAtHand, contact: LogContact) {
  requirePast(contact.started, 'started', caller);
  if (contact.ended !== undefined) requirePast(contact.ended, 'ended', caller);
  requireOrder(contact.started, contact.ended, ['started', 'ended'], caller);
  const { episode, patient } = found;
  if (contact.intervention) await findIntervention(records, contact.intervention.reference, patient.id);
  const place = { episode: `EpisodeOfCare/${episode.id}`, patient: `Patient/${patient.id}` };
  const { encounter, changes: visit } = planVisit(contact, found, caller);
  const communication = writeContact(contact, place, caller, await madeBy(records, caller, contact));
  return { communication: encounter ? { ...communication, encounter } : communication, visit };
}

async function findIntervention(records: Records, reference: string, patient: string): Promise<Kept<'Task'>> {
  const task = await records.read('Task', idOf({ reference }, 'Task') ?? '');
  if (task && idOf(task.for, 'Patient') === patient) return task;
  throw new Fault('unprocessable', `${reference} is no intervention of this patient.`, {
    expression: 'intervention',
    code: 'not-found',
  });
}

/**
 * @throws Fault unprocessable when nobody was reached, or the contact does not count for the follow-up that it is to complete;
 * the commit refuses what the intervention cannot become
 */
async function planCompletion(
  records: Records,
  caller: Caller,
  contact: LogContact,
  communication: Communication,
): Promise<Change[]> {
  const { completes, intervention, outcome, started, ended } = contact;
  if (!completes) return [];
  if (!intervention || outcome !== 'reached') {
    const sentence = intervention
      ? 'An attempt that reached nobody does not complete the intervention.'
      : 'Name the intervention that the contact completes.';
    throw new Fault('unprocessable', sentence, { expression: 'completes', code: 'business-rule' });
  }
  const task = await records.read('Task', idOf(intervention, 'Task') ?? '');
  if (!task) return [];
  if (followUpKey(task) && isToReach(task)) {
    const { reached, because } = judgeContact(communication, countingFacts(task, new Set()));
    if (!reached) {
      const sentence = `The contact does not complete the follow-up; log it without completes. ${because ?? ''}`.trim();
      throw new Fault('unprocessable', sentence, { expression: 'completes', code: 'business-rule' });
    }
  }
  const resource: Task = {
    ...task,
    status: 'completed',
    lastModified: nowOf(caller),
    executionPeriod: { start: started, ...task.executionPeriod, end: ended ?? started },
    output: [
      ...(task.output ?? []),
      {
        type: concept('http://hl7.org/fhir/resource-types', 'Communication', 'Communication'),
        valueReference: { reference: `Communication/${communication.id}` },
      },
    ],
  };
  return [{ op: 'update', resource, ifMatch: task.meta.versionId }];
}

async function findContact(records: Records, { patient }: CaseAtHand, id: string): Promise<Kept<'Communication'>> {
  const communication = await records.read('Communication', id);
  if (!communication || isMessage(communication) || idOf(communication.subject, 'Patient') !== patient.id) {
    throw new Fault('not-found', `There is no contact ${id} with the patient of this case.`);
  }
  if (communication.status !== 'entered-in-error') return communication;
  throw new Fault('unprocessable', 'The contact is marked as entered in error already.', {
    expression: 'Communication.status',
    code: 'business-rule',
  });
}

function retraction(wrong: Kept<'Communication'>, reason: string | undefined, caller: Caller): Change {
  const resource: Communication = { ...wrong, status: 'entered-in-error', ...withNote(wrong.note, caller, reason) };
  return { op: 'update', resource, ifMatch: wrong.meta.versionId };
}
