// Writes to people of a case, answers them, and takes back what one has written oneself.
import type { Communication } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { type CaseAtHand, type OnCase, openCaseAtHand } from '../case-at-hand.ts';
import { claims } from '../claimed-profiles.ts';
import { nowOf } from '../given-time.ts';
import { isSame, typeOfParty } from '../party.ts';
import type { Caller, Planned, Records } from '../records.ts';
import { referenceTo } from '../reference-to.ts';
import { idOf } from '../stored.ts';
import { isCurrent } from '../team/team-view.ts';
import { TEAM_MESSAGE } from './message.ts';
import type { WriteMessage } from './message-schema.ts';
import { messagesOf } from './threads.ts';

/** @throws Fault not-found; unprocessable for a case that is over, a recipient who is not of it, an answer to no message */
export async function writeMessage(
  records: Records,
  caller: Caller,
  { caseId, body }: OnCase<WriteMessage>,
): Promise<Planned> {
  const found = await openCaseAtHand(records, caseId);
  await requireOfCase(records, caller, found, body.to);
  if (body.inReplyTo) await requireMessage(records, caseId, body.inReplyTo.reference);
  const resource: Communication = {
    resourceType: 'Communication',
    meta: claims('baton-message'),
    ...(body.inReplyTo ? { inResponseTo: [body.inReplyTo] } : {}),
    status: 'completed',
    category: [TEAM_MESSAGE],
    subject: found.subject,
    about: [referenceTo(found.episode)],
    sent: nowOf(caller),
    recipient: body.to as NonNullable<Communication['recipient']>,
    sender: caller.who as NonNullable<Communication['sender']>,
    payload: [{ contentString: body.text }],
  };
  return { changes: [{ op: 'create', resource }], about: 0 };
}

/** Current members of its teams, its manager, its patient, and family that is on record for the patient. */
async function requireOfCase(
  records: Records,
  caller: Caller,
  { episode, subject }: CaseAtHand,
  to: WriteMessage['to'],
): Promise<void> {
  const teams = await Promise.all(
    (episode.team ?? []).map(async (one) => ({
      reference: one,
      team: await records.read('CareTeam', idOf(one, 'CareTeam') ?? ''),
    })),
  );
  const members = teams.flatMap(({ team }) =>
    (team?.participant ?? []).filter((one) => isCurrent(one, caller)).flatMap(({ member }) => member ?? []),
  );
  const known = [subject, episode.careManager, ...teams.map(({ reference }) => reference), ...members];
  for (const [at, one] of to.entries()) {
    if (known.some((other) => isSame(one, other)) || (await isFamily(records, one.reference, subject))) continue;
    const sentence = `${one.reference} is not in the team of this case now; add them to the team first.`;
    throw new Fault('unprocessable', sentence, { expression: `to[${at}]`, code: 'business-rule' });
  }
}

async function isFamily(records: Records, reference: string, subject: CaseAtHand['subject']): Promise<boolean> {
  if (typeOfParty({ reference }) !== 'RelatedPerson') return false;
  const person = await records.read('RelatedPerson', idOf({ reference }, 'RelatedPerson') ?? '');
  return person !== undefined && person.active !== false && isSame(person.patient, subject);
}

async function requireMessage(records: Records, caseId: string, reference: string): Promise<void> {
  const messages = await messagesOf(records, caseId);
  if (messages.some(({ id }) => reference === `Communication/${id}`)) return;
  throw new Fault('unprocessable', `${reference} is no message of this case.`, {
    expression: 'inReplyTo',
    code: 'not-found',
  });
}

/** @throws Fault not-found; forbidden when somebody else wrote it; unprocessable when it was taken back before */
export async function retractMessage(
  records: Records,
  caller: Caller,
  { caseId, id }: { readonly caseId: string; readonly id: string },
): Promise<Planned> {
  const message = (await messagesOf(records, caseId)).find((one) => one.id === id);
  if (!message) throw new Fault('not-found', `There is no message ${id} of this case.`);
  const { sender } = message;
  const isOwn = isSame(sender, caller.who) || isSameApplication(sender, caller.who);
  if (!isOwn) throw new Fault('forbidden', 'Only who wrote a message takes it back.');
  if (message.status === 'entered-in-error') {
    throw new Fault('unprocessable', 'The message was taken back already.', {
      expression: 'Communication.status',
      code: 'business-rule',
    });
  }
  const resource: Communication = { ...message, status: 'entered-in-error' };
  return { changes: [{ op: 'update', resource, ifMatch: message.meta.versionId }], about: 0 };
}

const isSameApplication = (one: Communication['sender'], { identifier }: Caller['who']): boolean =>
  identifier?.value !== undefined &&
  one?.identifier?.system === identifier.system &&
  one?.identifier?.value === identifier.value;
