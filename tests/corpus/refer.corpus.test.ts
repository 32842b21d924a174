// What Baton writes for teams, caregivers, referrals and contacts meets US Core as published, beside Baton's own profiles.
import { basename } from 'node:path';
import type { Observation, Procedure, Resource } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  levelConcept,
  ROLE_STRAIN,
  STRAIN_CATEGORIES,
  STRAIN_PROFILES,
} from '../../src/care/caregivers/caregiver-codes.ts';
import { writeCaregiver } from '../../src/care/caregivers/write-caregiver.ts';
import { writeContact } from '../../src/care/contacts/write-contact.ts';
import { PROFILE } from '../../src/care/referrals/referral-codes.ts';
import { askToFulfil, writeReferral } from '../../src/care/referrals/write-referral.ts';
import { addMember } from '../../src/care/team/members.ts';
import { TEAM_PROFILES } from '../../src/care/team/team-codes.ts';
import { loadDefinitions } from '../../src/fhir/definitions.ts';
import { createValidator } from '../../src/fhir/validation/validator.ts';
import { artifacts } from '../care/artifacts.ts';
import { CALLER, caregivers, contacts, members, referrals } from '../care/refer/generated.ts';
import { corpusFiles, readPackage } from './packages.ts';

const subject = { reference: 'Patient/p' };
const ASKS = {
  patient: 'Patient/p',
  plan: 'CarePlan/c',
  requester: CALLER.who,
  asker: { reference: 'Organization/o' },
};

const STRAIN: Observation = {
  resourceType: 'Observation',
  meta: { profile: [...STRAIN_PROFILES] },
  status: 'final',
  category: STRAIN_CATEGORIES,
  code: ROLE_STRAIN,
  subject,
  focus: [{ reference: 'RelatedPerson/r' }],
  effectiveDateTime: '2026-11-28',
  valueCodeableConcept: levelConcept('some'),
};
const OUTCOME: Procedure = {
  resourceType: 'Procedure',
  meta: { profile: [PROFILE.outcome, PROFILE.usCoreProcedure] },
  basedOn: [{ reference: 'ServiceRequest/s' }],
  status: 'completed',
  code: { text: 'Food' },
  subject,
  performedDateTime: '2026-11-28',
  performer: [{ actor: { reference: 'Organization/o' } }],
};

const packages = corpusFiles('igs').filter((file) => file.includes('us.core'));
describe.skipIf(packages.length === 0)('what is written of people and referrals', () => {
  test.each(packages.map((file) => [basename(file), file]))('meets %s', (_, file) => {
    const { validate } = createValidator(loadDefinitions([...artifacts, ...readPackage(file).artefacts]));
    const faults = (resource: Resource) =>
      validate(resource)
        .filter(
          ({ severity, details }) => severity === 'error' || details?.text?.includes('/us/core/StructureDefinition'),
        )
        .map(({ details, expression }) => `${expression}: ${details?.text}`);
    const team = { resourceType: 'CareTeam', meta: { profile: TEAM_PROFILES }, status: 'active', subject } as const;
    const runs = { numRuns: 40 };
    fc.assert(
      fc.property(members, caregivers, referrals, contacts, (member, caregiver, referral, contact) => {
        const order = writeReferral(referral, referral.to ? [referral.to] : [], ASKS, CALLER);
        expect(faults(addMember(team, member, CALLER))).toEqual([]);
        expect(faults(writeCaregiver(caregiver, 'Patient/p'))).toEqual([]);
        expect(faults(order)).toEqual([]);
        expect(faults(askToFulfil(order, { focus: 'ServiceRequest/s', owner: referral.to }, ASKS, CALLER))).toEqual([]);
        expect(faults(writeContact(contact, { episode: 'EpisodeOfCare/e', patient: 'Patient/p' }, CALLER))).toEqual([]);
      }),
      runs,
    );
    expect([faults(STRAIN), faults(OUTCOME)]).toEqual([[], []]);
    const { meta: claimed, ...unmarked } = STRAIN;
    expect(claimed?.profile).toContain('http://hl7.org/fhir/us/core/StructureDefinition/us-core-simple-observation');
    const wrong = { ...unmarked, meta: { profile: [TEAM_PROFILES[1] ?? ''] } };
    expect(faults(wrong)).not.toEqual([]);
  });
});
