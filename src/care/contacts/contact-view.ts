// A Communication as a contact, whoever wrote it. Tolerant: what is not said is left out.
import type { Communication, Extension, Reference } from '@medplum/fhirtypes';
import { codedOf } from '../coded.ts';
import { type LinkedOut, linkedOf } from '../linked.ts';
import { present, some } from '../present.ts';
import type { Kept } from '../records.ts';
import { CONTACT_DETAILS, channelOf, isInteractive, outcomeOf, partyKindOf } from './contact-codes.ts';
import type { Contact } from './contact-schema.ts';

/** @param episode id of the case that is looked at */
export function viewContact(communication: Kept<'Communication'>, episode: string): Contact {
  const { id, meta, status, medium, category, topic, statusReason, basedOn, note } = communication;
  const details = communication.extension?.find(({ url }) => url === CONTACT_DETAILS)?.extension ?? [];
  const direction = directionOf(communication, details);
  const channel = channelOf(medium);
  const [by, others] = sidesOf(communication, direction);
  const outcome = status === 'completed' ? 'reached' : outcomeOf(statusReason);
  const interactive =
    partOf(details, 'interactive')?.valueBoolean ?? (channel && status === 'completed' && isInteractive(channel));
  const intervention = linkedOf(basedOn?.find(({ reference }) => reference?.startsWith('Task/')));
  const notes = (note ?? []).flatMap(({ text }) => text ?? []);
  return present<Contact>({
    id,
    version: meta.versionId,
    status,
    ofCase: communication.about?.some(({ reference }) => reference === `EpisodeOfCare/${episode}`) ?? false,
    channel,
    direction,
    party: partyKindOf(category),
    with: some(others),
    by,
    purpose: codedOf(topic),
    outcome,
    reason: codedOf(statusReason),
    interactive,
    started: communication.sent ?? communication.received,
    ended: partOf(details, 'ended')?.valueDateTime,
    language: partOf(details, 'language')?.valueCode,
    interpreter: partOf(details, 'interpreter')?.valueBoolean,
    visit: linkedOf(communication.encounter),
    notes: some(notes),
    intervention,
    corrects: linkedOf(communication.inResponseTo?.[0]),
  });
}

const partOf = (details: readonly Extension[], name: string) => details.find(({ url }) => url === name);

/** Baton says it; elsewhere, what only has a time of receipt came in. */
function directionOf({ sent, received }: Communication, details: readonly Extension[]): Contact['direction'] {
  const said = partOf(details, 'direction')?.valueCode;
  if (said === 'inbound' || said === 'outbound') return said;
  if (sent === undefined && received === undefined) return undefined;
  return sent === undefined ? 'inbound' : 'outbound';
}

/** Who of us, and with whom. */
function sidesOf({ sender, recipient = [] }: Communication, direction: Contact['direction']) {
  const named = (references: readonly (Reference | undefined)[]) => references.flatMap((one) => linkedOf(one) ?? []);
  if (direction !== 'inbound') return [linkedOf(sender), named(recipient)] as const;
  const [us, ...beside] = recipient;
  return [linkedOf(us), named([sender, ...beside])] as readonly [LinkedOut | undefined, LinkedOut[]];
}
