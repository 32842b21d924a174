// A video contact that was a visit: an Encounter of class VR beside the Communication, and its end when the contact is taken
// back. https://hl7.org/fhir/R4/encounter.html
import { randomUUID } from 'node:crypto';
import type { Communication, Encounter, EncounterParticipant } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import type { Change } from '../../fhir/change.ts';
import { profileUrl } from '../../fhir/profile-canonical.ts';
import type { CaseAtHand } from '../case-at-hand.ts';
import { claims } from '../claimed-profiles.ts';
import { conceptOf } from '../coded.ts';
import { concept } from '../concept.ts';
import { typeOfParty } from '../party.ts';
import type { Caller, Kept, Records } from '../records.ts';
import { referenceTo } from '../reference-to.ts';
import { idOf } from '../stored.ts';
import type { LogContact } from './contact-schema.ts';

const PROFILE = 'baton-visit';
const VISIT_PROFILE = profileUrl('baton', PROFILE);
const PERFORMER = {
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'PPRF' }],
  text: 'Primary performer',
};

/** Made of a contact, by whoever logged it: the record of the visit, not proof of what they may furnish. */
export const isLoggedVisit = ({ meta }: Encounter): boolean => meta?.profile?.includes(VISIT_PROFILE) ?? false;

export interface PlannedVisit {
  /** Of the Communication. */
  readonly encounter?: { readonly reference: string };
  readonly changes: readonly Change[];
}

/** Nothing when the contact was no visit. @throws Fault unprocessable when it cannot have been one */
export function planVisit(
  contact: LogContact,
  { episode, subject }: Pick<CaseAtHand, 'episode' | 'subject'>,
  caller: Caller,
): PlannedVisit {
  const { visit, started, ended, purpose } = contact;
  if (!visit) return { changes: [] };
  requireVisit(contact, caller);
  const id = randomUUID();
  const period = { start: started, ...(ended === undefined ? {} : { end: ended }) };
  const resource: Encounter = {
    resourceType: 'Encounter',
    meta: claims(PROFILE, 'us-core-encounter'),
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'VR', display: 'virtual' },
    type: [concept('http://snomed.info/sct', '448337001', 'Telemedicine consultation with patient')],
    ...(visit.service ? { serviceType: conceptOf(visit.service) } : {}),
    subject,
    episodeOfCare: [referenceTo(episode)],
    participant: [
      { type: [PERFORMER], individual: caller.who as NonNullable<EncounterParticipant['individual']>, period },
    ],
    period,
    ...(purpose ? { reasonCode: [conceptOf(purpose)] } : {}),
    ...(episode.managingOrganization ? { serviceProvider: episode.managingOrganization } : {}),
  };
  return { encounter: { reference: `Encounter/${id}` }, changes: [{ op: 'create', id, resource }] };
}

function requireVisit({ channel, party, outcome, interactive }: LogContact, { who }: Caller): void {
  const isOfStaff = ['Practitioner', 'PractitionerRole'].includes(typeOfParty(who) ?? '');
  if (channel === 'video' && party === 'patient' && outcome === 'reached' && interactive !== false && isOfStaff) return;
  const sentence = isOfStaff
    ? 'Only a video contact that reached the patient was a visit.'
    : 'A visit is logged by the practitioner who made it.';
  throw new Fault('unprocessable', sentence, { expression: 'visit', code: 'business-rule' });
}

/**
 * What takes back the visit that was made of the contact; one from elsewhere stays as it is.
 * @throws Fault forbidden when the caller may not see it
 */
export async function takeBackVisit(records: Records, contact: Kept<'Communication'>): Promise<Change[]> {
  const id = idOf(contact.encounter as Communication['encounter'], 'Encounter');
  if (id === undefined) return [];
  const encounter = await records.read('Encounter', id);
  if (!encounter) {
    const sentence = 'The contact belongs to a visit that you may not see; somebody who may must take it back.';
    throw new Fault('forbidden', sentence, { expression: 'Communication.encounter' });
  }
  if (!isLoggedVisit(encounter) || encounter.status === 'entered-in-error') return [];
  const resource: Encounter = { ...encounter, status: 'entered-in-error' };
  return [{ op: 'update', resource, ifMatch: encounter.meta.versionId }];
}
