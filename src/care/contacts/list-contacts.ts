// The contacts of the patient of a case, the latest first, and how often each intervention was tried.
import type { Static } from 'typebox';
import Type from 'typebox';
import { profileUrl } from '../../fhir/profile-canonical.ts';
import { caseAtHand } from '../case-at-hand.ts';
import { DateOrTime } from '../given-time.ts';
import { toInstant } from '../local-time.ts';
import { isMessage } from '../messages/message.ts';
import type { Caller, Records } from '../records.ts';
import { type Attempts, type Contact, ContactChannel, ContactOutcome, ContactParty } from './contact-schema.ts';
import { viewContact } from './contact-view.ts';

export const ContactFilter = Type.Object(
  {
    party: Type.Optional(ContactParty),
    outcome: Type.Optional(ContactOutcome),
    channel: Type.Optional(ContactChannel),
    intervention: Type.Optional(Type.String({ description: 'Id of the Task' })),
    since: Type.Optional(DateOrTime),
    until: Type.Optional(DateOrTime),
    retracted: Type.Optional(Type.Boolean({ description: 'Also those entered in error' })),
  },
  { additionalProperties: false },
);
export type ContactFilter = Static<typeof ContactFilter>;

/** Minutes and decisions of conferences are shown as conferences, messages of the team as messages. */
const NOT_CONTACTS = new Set([profileUrl('baton', 'baton-conference-record')]);

/** @throws Fault not-found */
export async function listContacts(
  records: Records,
  caller: Caller,
  input: { readonly case: string; readonly filter?: ContactFilter },
): Promise<{ readonly items: Contact[]; readonly attempts: Attempts[] }> {
  const { patient } = await caseAtHand(records, input.case);
  const all = await records.find('Communication', { patient: `Patient/${patient.id}` });
  const contacts = all.filter(
    (one) => !isMessage(one) && !(one.meta as { profile?: string[] }).profile?.some((url) => NOT_CONTACTS.has(url)),
  );
  const views = inOrder(
    contacts.map((communication) => viewContact(communication, input.case)),
    caller.zone,
  );
  const counted = countAttempts(views);
  const filter = input.filter ?? {};
  const items = counted.items.filter((contact) => matches(contact, filter, caller.zone)).reverse();
  return { items, attempts: counted.attempts };
}

const timeOf = (contact: Contact, zone: string) => toInstant(contact.started ?? '1900-01-01', zone);

function inOrder(contacts: readonly Contact[], zone: string): Contact[] {
  return contacts.toSorted((a, b) => Temporal.Instant.compare(timeOf(a, zone), timeOf(b, zone)));
}

/** @param contacts the oldest first */
export function countAttempts(contacts: readonly Contact[]): { items: Contact[]; attempts: Attempts[] } {
  const byIntervention = new Map<string, Attempts>();
  const items = contacts.map((contact) => {
    const key = contact.intervention?.reference;
    if (key === undefined || contact.status === 'entered-in-error') return contact;
    const before = byIntervention.get(key);
    const attempt = (before?.attempts ?? 0) + 1;
    byIntervention.set(key, {
      intervention: contact.intervention ?? {},
      attempts: attempt,
      reached: (before?.reached ?? 0) + (contact.outcome === 'reached' ? 1 : 0),
      ...(contact.started === undefined ? {} : { last: contact.started }),
    });
    return { ...contact, attempt };
  });
  return { items, attempts: [...byIntervention.values()] };
}

function matches(contact: Contact, filter: ContactFilter, zone: string): boolean {
  const { party, outcome, channel, intervention, since, until, retracted = false } = filter;
  const at = timeOf(contact, zone);
  return (
    (party === undefined || contact.party === party) &&
    (outcome === undefined || contact.outcome === outcome) &&
    (channel === undefined || contact.channel === channel) &&
    (intervention === undefined || contact.intervention?.reference === `Task/${intervention}`) &&
    (since === undefined || Temporal.Instant.compare(at, toInstant(since, zone)) >= 0) &&
    (until === undefined || Temporal.Instant.compare(at, toInstant(until, zone)) < 0) &&
    (retracted || contact.status !== 'entered-in-error')
  );
}

/** Undefined when it is not of the patient of the case. @throws Fault not-found */
export async function showContact(
  records: Records,
  caller: Caller,
  { case: id, id: contact }: { readonly case: string; readonly id: string },
): Promise<Contact | undefined> {
  const { items } = await listContacts(records, caller, { case: id, filter: { retracted: true } });
  return items.find((one) => one.id === contact);
}
