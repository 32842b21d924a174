// The messages of a case in threads, the one with the latest message first.
import { caseAtHand } from '../case-at-hand.ts';
import { toInstant } from '../local-time.ts';
import type { Caller, Kept, Records } from '../records.ts';
import { idOf } from '../stored.ts';
import { isMessage, MESSAGE_CATEGORY, viewMessage } from './message.ts';
import type { Message, Thread } from './message-schema.ts';

/** @throws Fault not-found when there is no such case, or the caller may not see it */
export async function listThreads(records: Records, caller: Caller, caseId: string): Promise<Thread[]> {
  return threadsOf((await messagesOf(records, caseId)).map(viewMessage), caller.zone);
}

/** Undefined when the case has no such message. @throws Fault not-found */
export async function showMessage(records: Records, caseId: string, id: string): Promise<Message | undefined> {
  const found = (await messagesOf(records, caseId)).find((one) => one.id === id);
  return found && viewMessage(found);
}

/** Of the case; those of another case of the patient are its own. */
export async function messagesOf(records: Records, caseId: string): Promise<Kept<'Communication'>[]> {
  const { subject } = await caseAtHand(records, caseId);
  const all = await records.find('Communication', { patient: subject.reference, category: MESSAGE_CATEGORY });
  return all.filter((one) => isMessage(one) && one.about?.some((about) => idOf(about, 'EpisodeOfCare') === caseId));
}

/** An answer belongs to the thread of what it answers; to what cannot be seen, it begins one. */
export function threadsOf(messages: readonly Message[], zone: string): Thread[] {
  const byId = new Map(messages.map((message) => [message.id, message]));
  const inOrder = messages.toSorted((a, b) => timeOf(a, zone) - timeOf(b, zone));
  const threads = Map.groupBy(inOrder, (message) => beginningOf(message, byId));
  return [...threads]
    .map(([id, all]): Thread => ({ id, ...lastOf(all), messages: all }))
    .toSorted((a, b) => timeOf(b.messages.at(-1), zone) - timeOf(a.messages.at(-1), zone));
}

function lastOf(all: readonly Message[]): Pick<Thread, 'last'> {
  const sent = all.at(-1)?.sent;
  return sent === undefined ? {} : { last: sent };
}

const timeOf = (message: Message | undefined, zone: string): number =>
  message?.sent === undefined ? 0 : toInstant(message.sent, zone).epochMilliseconds;

/** Answers that lead in a circle, which only FHIR lets somebody write, are a thread of the one with the least id. */
function beginningOf(message: Message, byId: ReadonlyMap<string, Message>): string {
  const path: string[] = [];
  let at: Message | undefined = message;
  let first = message.id;
  while (at) {
    const round = path.indexOf(at.id);
    if (round >= 0) return path.slice(round).toSorted()[0] ?? first;
    path.push(at.id);
    first = at.id;
    at = byId.get(idOf(at.inReplyTo, 'Communication') ?? '');
  }
  return first;
}
