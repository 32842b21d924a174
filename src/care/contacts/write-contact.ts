// A contact as a Communication. https://hl7.org/fhir/R4/communication.html
import type { Communication, Extension, Reference } from '@medplum/fhirtypes';
import { conceptOf } from '../coded.ts';
import { withNote } from '../note.ts';
import type { Caller } from '../records.ts';
import {
  CONTACT_DETAILS,
  CONTACT_PROFILE,
  channelConcept,
  isInteractive,
  outcomeConcept,
  partyConcept,
} from './contact-codes.ts';
import type { LogContact } from './contact-schema.ts';

/** Where a contact belongs. */
export interface ContactPlace {
  /** `EpisodeOfCare/…` */
  readonly episode: string;
  /** `Patient/…` */
  readonly patient: string;
}

/**
 * `sent` says when we reached out, `received` when they did, so that the two tell the direction. Whom nobody names in a
 * contact with the patient is the patient.
 * @param us who of us made it
 */
export function writeContact(
  contact: LogContact,
  { episode, patient }: ContactPlace,
  caller: Caller,
  us: Reference = caller.who,
): Communication {
  const { channel, direction = 'outbound', party, purpose, outcome, started, note, intervention } = contact;
  const others: Reference[] = contact.with ?? (party === 'patient' ? [{ reference: patient }] : []);
  return {
    resourceType: 'Communication',
    meta: { profile: [CONTACT_PROFILE] },
    extension: [detailsOf(contact)],
    ...(intervention ? { basedOn: [intervention] } : {}),
    ...(outcome === 'reached'
      ? { status: 'completed' as const }
      : { status: 'not-done' as const, statusReason: outcomeConcept(outcome) }),
    category: [partyConcept(party)],
    medium: [channelConcept(channel)],
    subject: { reference: patient },
    ...(purpose ? { topic: conceptOf(purpose) } : {}),
    about: [{ reference: episode }],
    ...sidesOf(direction, started, us, others),
    ...withNote(undefined, caller, note),
  } as Communication;
}

/** A Communication has one sender; who else spoke to us is named after us among the recipients. */
function sidesOf(direction: 'outbound' | 'inbound', started: string, us: Reference, others: readonly Reference[]) {
  if (direction === 'outbound') {
    return { sent: started, ...(others.length > 0 ? { recipient: others } : {}), sender: us };
  }
  const [first, ...beside] = others;
  return { received: started, recipient: [us, ...beside], ...(first ? { sender: first } : {}) };
}

function detailsOf({ direction = 'outbound', ended, language, interpreter, ...contact }: LogContact): Extension {
  const interactive = contact.interactive ?? (contact.outcome === 'reached' && isInteractive(contact.channel));
  const parts: Extension[] = [
    { url: 'direction', valueCode: direction },
    { url: 'interactive', valueBoolean: interactive },
    ...(ended === undefined ? [] : [{ url: 'ended', valueDateTime: ended }]),
    ...(language === undefined ? [] : [{ url: 'language', valueCode: language }]),
    ...(interpreter === undefined ? [] : [{ url: 'interpreter', valueBoolean: interpreter }]),
  ];
  return { url: CONTACT_DETAILS, extension: parts };
}
