// How contacts are coded: Baton's own codes, and the HL7 ones that say the same.
import type { CodeableConcept } from '@medplum/fhirtypes';
import { profileUrl } from '../../fhir/profile-canonical.ts';

const BASE = 'https://baton.health/fhir';
export const CONTACT_PROFILE = profileUrl('baton', 'baton-contact');
export const CONTACT_DETAILS = `${BASE}/StructureDefinition/contact-details`;
export const CHANNEL = `${BASE}/CodeSystem/contact-channel`;
export const OUTCOME = `${BASE}/CodeSystem/contact-outcome`;
export const PARTY = `${BASE}/CodeSystem/contact-party`;
const MODE = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationMode';
const NOT_DONE = 'http://terminology.hl7.org/CodeSystem/communication-not-done-reason';

interface Row {
  readonly display: string;
  /** Code of the HL7 system. */
  readonly hl7?: string;
}

/** CodeSystem contact-channel, with v3-ParticipationMode. */
export const CHANNELS = {
  phone: { display: 'Phone', hl7: 'PHONE' },
  video: { display: 'Video', hl7: 'VIDEOCONF' },
  'in-person': { display: 'In person', hl7: 'FACE' },
  portal: { display: 'Portal message', hl7: 'ONLINEWRIT' },
  text: { display: 'Text message', hl7: 'TYPEWRIT' },
  letter: { display: 'Letter', hl7: 'MAILWRIT' },
  email: { display: 'E-mail', hl7: 'EMAILWRIT' },
  fax: { display: 'Fax', hl7: 'FAXWRIT' },
} as const satisfies Record<string, Row>;
export type Channel = keyof typeof CHANNELS;

/** CodeSystem contact-outcome, with communication-not-done-reason. */
export const OUTCOMES = {
  reached: { display: 'Reached' },
  'left-message': { display: 'Left a message', hl7: 'recipient-unavailable' },
  'no-answer': { display: 'No answer', hl7: 'recipient-unavailable' },
  'wrong-number': { display: 'Wrong number', hl7: 'invalid-phone-number' },
  refused: { display: 'Refused', hl7: 'patient-objection' },
  'not-safe': { display: 'Not safe to talk' },
} as const satisfies Record<string, Row>;
export type Outcome = keyof typeof OUTCOMES;

/** CodeSystem contact-party. */
export const PARTIES = {
  patient: { display: 'Patient' },
  caregiver: { display: 'Family or caregiver' },
  provider: { display: 'Provider' },
  payer: { display: 'Payer' },
  agency: { display: 'Agency' },
} as const satisfies Record<string, Row>;
export type PartyKind = keyof typeof PARTIES;

export const namesOf = <T extends Record<string, Row>>(table: T) => Object.keys(table) as (keyof T & string)[];

/** Both can answer at once: what makes a contact count as interactive unless somebody says otherwise. */
export const isInteractive = (channel: Channel): boolean =>
  channel === 'phone' || channel === 'video' || channel === 'in-person';

export const channelConcept = (channel: Channel): CodeableConcept =>
  conceptFrom(CHANNEL, channel, CHANNELS[channel], MODE);

export const outcomeConcept = (outcome: Outcome): CodeableConcept =>
  conceptFrom(OUTCOME, outcome, OUTCOMES[outcome], NOT_DONE);

export const partyConcept = (party: PartyKind): CodeableConcept => conceptFrom(PARTY, party, PARTIES[party]);

function conceptFrom(system: string, code: string, { display, hl7 }: Row, hl7System?: string): CodeableConcept {
  const own = { system, code, display };
  return { coding: hl7 === undefined ? [own] : [own, { system: hl7System, code: hl7 }], text: display };
}

export const channelOf = (concepts: readonly CodeableConcept[] | undefined): Channel | undefined =>
  readCode(concepts, CHANNELS, CHANNEL, MODE);

export const outcomeOf = (reason: CodeableConcept | undefined): Outcome | undefined =>
  readCode(reason ? [reason] : [], OUTCOMES, OUTCOME, NOT_DONE);

export const partyKindOf = (concepts: readonly CodeableConcept[] | undefined): PartyKind | undefined =>
  readCode(concepts, PARTIES, PARTY);

/** By Baton's own code, else by the HL7 code. */
function readCode<K extends string>(
  concepts: readonly CodeableConcept[] = [],
  table: Readonly<Record<K, Row>>,
  system: string,
  hl7System?: string,
): K | undefined {
  const codings = concepts.flatMap(({ coding = [] }) => coding);
  const own = codings.find((coding) => coding.system === system && Object.hasOwn(table, coding.code ?? ''));
  if (own) return own.code as K;
  const hl7 = codings.find((coding) => hl7System !== undefined && coding.system === hl7System)?.code;
  return (Object.keys(table) as K[]).find((code) => hl7 !== undefined && table[code].hl7 === hl7);
}
