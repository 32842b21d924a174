// Whether a contact counts: as the interactive contact itself, as an attempt at it, or for nothing. Decided here alone, for the
// credit and the end of follow-ups and for the evidence. CMS, transitional care management: made by a physician or clinical
// staff, with the patient or a caregiver, both able to answer at once; attempts are documented. A chat bot is nobody.
import type { Communication, Provenance, Reference } from '@medplum/fhirtypes';
import type { LinkedOut } from '../linked.ts';
import { isMessage } from '../messages/message.ts';
import type { Kept } from '../records.ts';
import { referenceTo } from '../reference-to.ts';
import { viewContact } from './contact-view.ts';

/** What is known beside the contact itself. */
export interface CountingFacts {
  /** Contacts, as `Communication/12`, of which a Provenance names who of the staff made them: {@link namedIn}. */
  readonly named: ReadonlySet<string>;
  /** Follow-ups, as `Task/12`, that are to reach the patient: a contact for one that does not say with whom is with them. */
  readonly followUps: ReadonlySet<string>;
}

export interface Judgement {
  /** It is the interactive contact. */
  readonly reached: boolean;
  /** It is an attempt of ours, whether it reached somebody or not. */
  readonly attempt: boolean;
  readonly party?: 'patient' | 'caregiver';
  /** Why it does not count as the contact or not even as an attempt, where that is no matter of course. */
  readonly because?: string;
}

const NOTHING: Judgement = { reached: false, attempt: false };
/** A letter or a fax is no attempt at a contact in which both can answer. */
const ONE_WAY: ReadonlySet<string | undefined> = new Set(['letter', 'fax']);

export function judgeContact(communication: Communication, { named, followUps }: CountingFacts): Judgement {
  const { status } = communication;
  if ((status !== 'completed' && status !== 'not-done') || isMessage(communication)) return NOTHING;
  const {
    party: told,
    with: others = [],
    intervention,
    ...view
  } = viewContact(communication as Kept<'Communication'>, '');
  const ours = followUps.has(intervention?.reference ?? '');
  const party = told ?? partyAmong(others) ?? (ours && others.length === 0 ? 'patient' : undefined);
  if (party !== 'patient' && party !== 'caregiver') {
    return { ...NOTHING, because: 'It was not with the patient or a caregiver.' };
  }
  if (isByMachine(communication) && !named.has(referenceTo(communication).reference)) {
    const sentence = 'An application made it and nobody of the staff is named who did:';
    return { ...NOTHING, party, because: `${sentence} only a contact of a physician or clinical staff counts.` };
  }
  const attempt = view.direction !== 'inbound' && !ONE_WAY.has(view.channel);
  if (view.outcome !== 'reached' || view.interactive) return { reached: view.outcome === 'reached', attempt, party };
  const because = `Both could not answer at once: it is ${attempt ? 'an attempt at the contact' : 'no contact'}.`;
  return { reached: false, attempt, party, because };
}

function partyAmong(others: readonly LinkedOut[]): Judgement['party'] {
  const isOne = (type: string) => others.some(({ reference }) => reference?.startsWith(`${type}/`));
  return isOne('Patient') ? 'patient' : isOne('RelatedPerson') ? 'caregiver' : undefined;
}

/** Our side of it is a device or an application; when they reached out, the first who received it is ours. */
export function isByMachine({ sender, sent, recipient = [] }: Communication): boolean {
  return isMachine(sender) || (sent === undefined && isMachine(recipient[0]));
}

const isMachine = (one: Reference | undefined) =>
  one?.type === 'Device' || (one?.reference?.startsWith('Device/') ?? false);

const STAFF = /^(Practitioner|PractitionerRole)\//;
const PARTICIPANT = 'http://terminology.hl7.org/CodeSystem/provenance-participant-type';

/**
 * The contacts of which a Provenance says that somebody of the staff made them: an agent acted on behalf of them, or they are
 * its performer. Who only wrote a version, the author of the Provenance that Baton keeps itself, made no contact with it.
 */
export function namedIn(provenances: readonly Provenance[]): Set<string> {
  return new Set(provenances.filter(namesStaff).flatMap(contactsIn));
}

/** As `Communication/12`. */
export function contactsIn({ target }: Provenance): string[] {
  return target.flatMap(({ reference }) => /^Communication\/[^/]+/.exec(reference ?? '')?.[0] ?? []);
}

export function namesStaff({ agent }: Provenance): boolean {
  return agent.some(({ type, who, onBehalfOf }) => {
    const performs = type?.coding?.some(({ system, code }) => system === PARTICIPANT && code === 'performer');
    return STAFF.test(onBehalfOf?.reference ?? '') || (performs && STAFF.test(who.reference ?? ''));
  });
}

/** Those of which a Provenance may say more, as the value of its search parameter `target`; undefined when none. */
export function unnamedTargets(contacts: readonly Communication[]): string | undefined {
  const targets = contacts.filter((one) => one.id !== undefined && isByMachine(one));
  return targets.length === 0 ? undefined : targets.map((one) => referenceTo(one).reference).join(',');
}
