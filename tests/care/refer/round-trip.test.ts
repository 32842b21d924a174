// What a nurse enters comes back as she entered it, conforms to Baton's profiles on the way, and a change keeps all that it
// is not about.
import type { CareTeam, HealthcareService, RelatedPerson, Resource } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { viewCaregiver } from '../../../src/care/caregivers/caregiver-view.ts';
import { changeCaregiver, writeCaregiver } from '../../../src/care/caregivers/write-caregiver.ts';
import { viewContact } from '../../../src/care/contacts/contact-view.ts';
import { writeContact } from '../../../src/care/contacts/write-contact.ts';
import { followOrder, viewEquipment, writeOrder } from '../../../src/care/equipment/write-equipment.ts';
import type { Kept } from '../../../src/care/records.ts';
import { viewReferral } from '../../../src/care/referrals/referral-view.ts';
import { askToFulfil, offerChoice, writeReferral } from '../../../src/care/referrals/write-referral.ts';
import { viewResource, withCapacity, writeResource } from '../../../src/care/resources/resource-view.ts';
import { addMember, changeMember, endMember, leadBy } from '../../../src/care/team/members.ts';
import { viewTeam } from '../../../src/care/team/team-view.ts';
import { testValidate } from '../../support/store-rules.ts';
import { CALLER, caregivers, contacts, equipment, members, referrals, resources } from './generated.ts';

const RUNS = { numRuns: 60 };
const PLACE = { episode: 'EpisodeOfCare/e', patient: 'Patient/p' };
const ASKS = {
  patient: 'Patient/p',
  plan: 'CarePlan/c',
  requester: CALLER.who,
  asker: { reference: 'Organization/o' },
};

function kept<T extends Resource>(resource: T): T & { id: string; meta: { versionId: string; lastUpdated: string } } {
  const { meta } = resource as { meta?: object };
  return { ...resource, id: 'x', meta: { ...meta, versionId: '1', lastUpdated: '2026-11-28T15:00:00Z' } } as never;
}

/** Errors, and profiles of Baton's own that could not be checked. */
function faults(resource: Resource): string[] {
  return testValidate(resource)
    .filter(({ severity, details }) => severity === 'error' || details?.text?.includes('baton.health'))
    .map(({ details, expression }) => `${expression}: ${details?.text}`);
}

const TEAM: CareTeam = {
  resourceType: 'CareTeam',
  meta: { profile: ['https://baton.health/fhir/StructureDefinition/baton-care-team'] },
  status: 'active',
  subject: { reference: 'Patient/p' },
};
const FOREIGN = { extension: [{ url: 'urn:foreign', valueString: 'kept' }] };

describe('a contact', () => {
  it('comes back as it was logged', () => {
    fc.assert(
      fc.property(contacts, (contact) => {
        const written = writeContact(contact, PLACE, CALLER);
        expect(faults(written)).toEqual([]);
        const { note, ...said } = contact;
        const view = viewContact(kept(written), 'e');
        expect(view).toMatchObject({ ...said, ofCase: true, by: CALLER.who });
        expect(view.notes).toEqual(note === undefined ? undefined : [note]);
        expect(view.status).toBe(contact.outcome === 'reached' ? 'completed' : 'not-done');
      }),
      RUNS,
    );
  });

  it('with the patient needs no name, and counts as interactive by its channel', () => {
    const contact = {
      channel: 'phone',
      party: 'patient',
      outcome: 'reached',
      started: '2026-11-28T09:00:00-05:00',
    } as const;
    const view = viewContact(kept(writeContact(contact, PLACE, CALLER)), 'other');
    expect(view).toMatchObject({ with: [{ reference: 'Patient/p' }], interactive: true, ofCase: false });
    const missed = writeContact({ ...contact, outcome: 'no-answer' }, PLACE, CALLER);
    expect(viewContact(kept(missed), 'e').interactive).toBe(false);
  });

  it('from elsewhere is shown by its HL7 codes', () => {
    const view = viewContact(
      kept({
        resourceType: 'Communication',
        status: 'not-done',
        statusReason: {
          coding: [
            {
              system: 'http://terminology.hl7.org/CodeSystem/communication-not-done-reason',
              code: 'invalid-phone-number',
            },
          ],
        },
        medium: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationMode', code: 'PHONE' }] }],
        received: '2026-11-01',
      }),
      'e',
    );
    expect(view).toMatchObject({ channel: 'phone', outcome: 'wrong-number', direction: 'inbound', ofCase: false });
  });
});

describe('a team', () => {
  it('shows who joined as they joined', () => {
    fc.assert(
      fc.property(members, (member) => {
        const team = addMember(TEAM, member, CALLER);
        expect(faults(team)).toEqual([]);
        const [shown] = viewTeam(kept(team), true, CALLER).members;
        expect(shown).toMatchObject(member);
      }),
      RUNS,
    );
  });

  it('keeps everybody and everything when one leaves, leads or changes', () => {
    fc.assert(
      fc.property(fc.array(members, { minLength: 1, maxLength: 4 }), fc.nat(), (all, at) => {
        const open = all.map(({ end: _, ...one }, index) => ({
          ...one,
          start: '2026-01-01',
          member: { reference: `Practitioner/p${index}` },
        }));
        const empty: CareTeam = { ...TEAM, ...FOREIGN };
        const joined = open.reduce<CareTeam>((team, { onBehalfOf: _, ...one }) => addMember(team, one, CALLER), empty);
        const foreign = joined.participant?.map((one) => ({ ...one, ...withForeign(one.extension) }));
        const team: CareTeam = { ...joined, participant: foreign as never };
        const { members: before } = viewTeam(kept(team), true, CALLER);
        const id = before[at % before.length]?.id ?? '';
        const ended = endMember(team, id, { end: '2026-11-20' }, CALLER);
        expect(ended.participant).toHaveLength(open.length);
        expect(ended.participant?.every((one) => one.extension?.[0]?.url === 'urn:foreign')).toBe(true);
        const after = viewTeam(kept(ended), true, CALLER).members.find((one) => one.id === id);
        expect(after).toMatchObject({ end: '2026-11-20', current: false });
        const led = viewTeam(kept(leadBy(team, id, CALLER)), true, CALLER).members;
        expect(led.filter(({ duties }) => duties?.includes('lead')).map((one) => one.id)).toEqual([id]);
        const changed = changeMember(team, id, { role: { text: 'Nurse' }, from: '2026-06-01' }, CALLER);
        expect(changed.participant).toHaveLength(open.length + 1);
        expect(changed.extension).toEqual(FOREIGN.extension);
        expect(faults(changed)).toEqual([]);
      }),
      RUNS,
    );
  });

  it('from elsewhere has members with names that stay the same', () => {
    const participant = [{ member: { display: 'Somebody' } }, { member: { display: 'Somebody' } }];
    const team = kept({ ...TEAM, participant });
    const [first, second] = viewTeam(team, false, CALLER).members;
    expect(first?.id).not.toBe(second?.id);
    const ended = endMember(team, second?.id ?? '', { end: '2026-11-01' }, CALLER);
    expect(ended.participant?.map(({ period }) => period?.end)).toEqual([undefined, '2026-11-01']);
    expect(viewTeam(kept(ended), false, CALLER).members.map(({ id }) => id)).toEqual([first?.id, second?.id]);
  });

  it('takes nobody twice in one role', () => {
    const member = { member: { reference: 'Practitioner/a' }, role: { text: 'Nurse' } };
    const team = addMember(TEAM, member, CALLER);
    expect(() => addMember(team, member, CALLER)).toThrow('already');
    expect(addMember(team, { ...member, role: { text: 'Coach' } }, CALLER).participant).toHaveLength(2);
  });
});

function withForeign(extension: NonNullable<CareTeam['participant']>[number]['extension']) {
  return { extension: [...FOREIGN.extension, ...(extension ?? [])] };
}

describe('a caregiver', () => {
  it('comes back as entered', () => {
    fc.assert(
      fc.property(caregivers, (caregiver) => {
        const person = writeCaregiver(caregiver, 'Patient/p');
        expect(faults(person)).toEqual([]);
        expect(viewCaregiver(kept(person))).toMatchObject({ ...caregiver, active: true });
      }),
      RUNS,
    );
  });

  it('keeps what a change does not name', () => {
    fc.assert(
      fc.property(caregivers, caregivers, (one, { telecom, permissions, language }) => {
        const person: RelatedPerson = { ...writeCaregiver(one, 'Patient/p'), birthDate: '1960-01-01' };
        const foreign = { ...person, extension: [...FOREIGN.extension, ...(person.extension ?? [])] };
        const change = Object.fromEntries(
          Object.entries({ telecom, permissions, language }).filter(([, value]) => value !== undefined),
        );
        const changed = changeCaregiver(foreign, change);
        expect(changed).toMatchObject({
          birthDate: '1960-01-01',
          name: person.name,
          relationship: person.relationship,
        });
        expect(changed.extension?.[0]).toEqual(FOREIGN.extension[0]);
        expect(viewCaregiver(kept(changed))).toMatchObject({ ...one, ...change });
        expect(faults(changed)).toEqual([]);
      }),
      RUNS,
    );
  });
});

describe('a referral', () => {
  it('comes back as it was made', () => {
    fc.assert(
      fc.property(referrals, (referral) => {
        const order = writeReferral(referral, referral.to ? [referral.to] : [], ASKS, CALLER);
        const asking = { focus: 'ServiceRequest/x', owner: referral.to, due: referral.due };
        const task = askToFulfil(order, asking, ASKS, CALLER);
        expect([...faults(order), ...faults(task)]).toEqual([]);
        const view = viewReferral({ order: kept(order), tasks: [kept(task)], inPlan: true });
        const { to, needs, goals, note, ...said } = referral;
        expect(view).toMatchObject({ ...said, status: 'active', made: '2026-11-28T10:00:00-05:00' });
        expect(view.to).toEqual(to && [to]);
        expect(view.needs).toEqual(needs?.map((id) => ({ reference: `Condition/${id}` })));
        expect(view.goals).toEqual(goals?.map((id) => ({ reference: `Goal/${id}` })));
        expect(view.notes).toEqual(note === undefined ? undefined : [note]);
        expect(view.task).toMatchObject({ status: 'requested', open: to === undefined, ...(to ? { owner: to } : {}) });
      }),
      RUNS,
    );
  });

  it("claims Gravity's profiles where it meets them", () => {
    const coded = { system: 'http://snomed.info/sct', code: '467771000124109' };
    const claims = (service: object, sdoh: ['food-insecurity'] | []) => {
      const order = writeReferral({ kind: 'community-resource', service, sdoh } as never, [], ASKS, CALLER);
      const task = askToFulfil(order, { focus: 'ServiceRequest/x' }, ASKS, CALLER);
      return [order, task].map(({ meta }) => meta?.profile?.some((url) => url.includes('SDOHCC')));
    };
    expect(claims(coded, ['food-insecurity'])).toEqual([true, true]);
    expect(claims({ text: 'Food' }, ['food-insecurity'])).toEqual([false, false]);
    expect(claims(coded, [])).toEqual([false, false]);
  });

  it('shows the list that the patient chooses from', () => {
    const offered = [{ reference: 'Organization/a' }, { reference: 'Organization/b', display: 'B' }];
    const task = offerChoice(offered, { focus: 'ServiceRequest/x' }, ASKS, CALLER);
    expect(faults(task)).toEqual([]);
    const order = writeReferral({ kind: 'facility', service: { text: 'SNF' } }, [], ASKS, CALLER);
    const view = viewReferral({ order: kept(order), tasks: [kept(task)], inPlan: true });
    expect(view.choice).toMatchObject({ offered, status: 'requested' });
    expect(view.task).toBeUndefined();
  });
});

describe('equipment', () => {
  it('comes back as it was ordered', () => {
    fc.assert(
      fc.property(equipment, (input) => {
        const place = { patient: 'Patient/p', plan: 'CarePlan/c' };
        const order = writeOrder(input, place, CALLER);
        const task = followOrder(order, 'DeviceRequest/x', place, CALLER);
        expect([...faults(order), ...faults(task)]).toEqual([]);
        const { needs, note, ...said } = input;
        const view = viewEquipment(kept(order) as Kept<'DeviceRequest'>, kept(task), true);
        expect(view).toMatchObject({ ...said, stage: 'ordered' });
        expect(view.needs).toEqual(needs?.map((id) => ({ reference: `Condition/${id}` })));
        expect(view.notes).toEqual(note === undefined ? undefined : [note]);
      }),
      RUNS,
    );
  });
});

describe('a community resource', () => {
  it('comes back as registered, and keeps everything when its capacity changes', () => {
    fc.assert(
      fc.property(resources, (input) => {
        const service = writeResource(input, undefined);
        expect(faults(service)).toEqual([]);
        expect(viewResource(kept(service))).toMatchObject(input);
        const foreign: HealthcareService = {
          ...service,
          extension: [...FOREIGN.extension, ...(service.extension ?? [])],
        };
        const full = withCapacity(foreign, { status: 'no-capacity' });
        expect(viewResource(kept(full))).toMatchObject({ ...input, capacity: { status: 'no-capacity' } });
        expect(full.extension?.[0]).toEqual(FOREIGN.extension[0]);
        expect(full.extension).toHaveLength(2);
      }),
      RUNS,
    );
  });
});
