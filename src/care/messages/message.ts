// A message as a Communication, which is no contact and no attempt at one. https://hl7.org/fhir/R4/communication.html
import type { Communication } from '@medplum/fhirtypes';
import { concept, hasCode } from '../concept.ts';
import { linkedOf } from '../linked.ts';
import { present } from '../present.ts';
import type { Kept } from '../records.ts';
import { CODE_SYSTEM } from '../systems.ts';
import type { Message } from './message-schema.ts';

export const TEAM_MESSAGE = concept(CODE_SYSTEM.serviceKind, 'team-message', 'Team message');

/** `SYSTEM|CODE`, to search by. */
export const MESSAGE_CATEGORY = `${CODE_SYSTEM.serviceKind}|team-message`;

export const isMessage = ({ category }: Communication): boolean =>
  category?.some((one) => hasCode(one, CODE_SYSTEM.serviceKind, 'team-message')) ?? false;

/** What was taken back is not shown again; FHIR keeps it. */
export function viewMessage(communication: Kept<'Communication'>): Message {
  const { id, meta, sender, recipient = [], sent, payload, inResponseTo, status } = communication;
  const isRetracted = status === 'entered-in-error';
  return present<Message>({
    id,
    version: meta.versionId,
    from: linkedOf(sender),
    to: recipient.flatMap((one) => linkedOf(one) ?? []),
    sent,
    text: isRetracted ? undefined : payload?.[0]?.contentString,
    inReplyTo: linkedOf(inResponseTo?.[0]),
    retracted: isRetracted,
  });
}
