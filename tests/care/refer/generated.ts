// What nurses enter, generated.
import fc from 'fast-check';
import { PERMISSIONS, STRAIN_LEVELS } from '../../../src/care/caregivers/caregiver-codes.ts';
import type { AddCaregiver } from '../../../src/care/caregivers/caregiver-schema.ts';
import { CHANNELS, namesOf, OUTCOMES, PARTIES } from '../../../src/care/contacts/contact-codes.ts';
import type { LogContact } from '../../../src/care/contacts/contact-schema.ts';
import type { OrderEquipment } from '../../../src/care/equipment/equipment-schema.ts';
import { SOCIAL_NEEDS } from '../../../src/care/needs/social-needs.ts';
import { REFERRAL_KINDS } from '../../../src/care/referrals/referral-codes.ts';
import type { MakeReferral } from '../../../src/care/referrals/referral-schema.ts';
import { CAPACITY_STATUSES } from '../../../src/care/resources/resource-codes.ts';
import type { RegisterResource } from '../../../src/care/resources/resource-schema.ts';
import { DUTIES } from '../../../src/care/team/team-codes.ts';
import type { AddMember } from '../../../src/care/team/team-schema.ts';

export const CALLER = {
  who: { reference: 'Practitioner/nurse' },
  now: Temporal.Instant.from('2026-11-28T15:00:00Z'),
  zone: 'America/New_York',
};

/** Without the members that came out undefined. */
const some = <T extends object>(record: fc.Arbitrary<T>) =>
  record.map((value) => Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T);
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const words = fc.stringMatching(/^[A-Za-z][A-Za-z &<]{0,20}[a-z]$/);
const id = fc.stringMatching(/^[A-Za-z0-9]{1,10}$/);
const code = fc.stringMatching(/^[a-z0-9]{1,8}$/);
const coded = fc.oneof(
  words.map((text) => ({ text })),
  fc.record({ system: fc.constantFrom('http://snomed.info/sct', 'urn:local'), code, text: words }),
);
const party = <T extends string>(...types: T[]) =>
  some(
    fc.record({
      reference: fc.tuple(fc.constantFrom(...types), id).map(([type, one]) => `${type}/${one}`),
      display: maybe(words),
    }),
  ) as fc.Arbitrary<{ reference: string; display?: string }>;
const day = fc
  .integer({ min: 0, max: 700 })
  .map((days) => Temporal.PlainDate.from('2025-01-01').add({ days }).toString());
const moment = day.map((one) => `${one}T10:00:00-05:00`);
const language = fc.constantFrom('en', 'es', 'zh-Hant');

export const contacts = some(
  fc.record({
    channel: fc.constantFrom(...namesOf(CHANNELS)),
    direction: fc.constantFrom('outbound' as const, 'inbound' as const),
    party: fc.constantFrom(...namesOf(PARTIES)),
    with: fc.uniqueArray(party('RelatedPerson', 'Practitioner', 'Organization'), {
      minLength: 1,
      maxLength: 3,
      selector: ({ reference }) => reference,
    }),
    purpose: maybe(coded),
    outcome: fc.constantFrom(...namesOf(OUTCOMES)),
    interactive: fc.boolean(),
    started: moment,
    ended: maybe(moment),
    language: maybe(language),
    interpreter: maybe(fc.boolean()),
    note: maybe(words),
    intervention: maybe(party('Task')),
  }),
) as fc.Arbitrary<LogContact>;

export const members = some(
  fc.record({
    member: party('Practitioner', 'RelatedPerson', 'Organization', 'PractitionerRole'),
    role: coded,
    start: day,
    end: maybe(fc.constant('2027-06-30')),
    onBehalfOf: maybe(party('Organization')),
    duties: maybe(fc.subarray([...DUTIES], { minLength: 1 })),
  }),
).map(({ onBehalfOf, ...one }) =>
  one.member.reference.startsWith('Practitioner/') && onBehalfOf ? { ...one, onBehalfOf } : one,
) as fc.Arbitrary<AddMember>;

export const caregivers = some(
  fc.record({
    name: fc.record({ given: fc.array(words, { minLength: 1, maxLength: 2 }), family: words }),
    relationship: fc.array(coded, { minLength: 1, maxLength: 2 }),
    telecom: maybe(
      fc.array(fc.record({ system: fc.constantFrom('phone' as const, 'email' as const), value: words }), {
        minLength: 1,
        maxLength: 3,
      }),
    ),
    language: maybe(language),
    permissions: maybe(fc.subarray([...PERMISSIONS], { minLength: 1 })),
    emergencyContact: fc.boolean(),
    start: maybe(day),
  }),
) as fc.Arbitrary<AddCaregiver>;

export const strains = some(
  fc.record({ level: fc.constantFrom(...STRAIN_LEVELS), observed: moment, note: maybe(words) }),
);

export const referrals = some(
  fc.record({
    kind: fc.constantFrom(...REFERRAL_KINDS),
    service: coded,
    sdoh: maybe(fc.subarray([...SOCIAL_NEEDS], { minLength: 1, maxLength: 3 })),
    to: maybe(party('Organization', 'Practitioner')),
    priority: fc.constantFrom('routine' as const, 'urgent' as const),
    needs: maybe(fc.uniqueArray(id, { minLength: 1, maxLength: 2 })),
    goals: maybe(fc.uniqueArray(id, { minLength: 1, maxLength: 2 })),
    consent: maybe(party('Consent')),
    due: maybe(day),
    doNotContactPatient: fc.boolean(),
    instructions: maybe(words),
    note: maybe(words),
  }),
) as fc.Arbitrary<MakeReferral>;

export const equipment = some(
  fc.record({
    item: coded,
    supplier: maybe(party('Organization')),
    priority: fc.constantFrom('routine' as const, 'urgent' as const),
    needs: maybe(fc.uniqueArray(id, { minLength: 1, maxLength: 2 })),
    coverage: maybe(party('Coverage')),
    neededBy: maybe(day),
    note: maybe(words),
  }),
) as fc.Arbitrary<OrderEquipment>;

export const resources = some(
  fc.record({
    name: words,
    categories: fc.array(coded, { minLength: 1, maxLength: 2 }),
    sdoh: maybe(fc.subarray([...SOCIAL_NEEDS], { minLength: 1, maxLength: 3 })),
    provider: maybe(party('Organization')),
    telecom: maybe(
      fc.array(fc.record({ system: fc.constantFrom('phone' as const, 'url' as const), value: words }), {
        minLength: 1,
        maxLength: 2,
      }),
    ),
    languages: maybe(fc.uniqueArray(language, { minLength: 1 })),
    eligibility: maybe(words),
    appointmentRequired: maybe(fc.boolean()),
    comment: maybe(words),
    capacity: maybe(some(fc.record({ status: fc.constantFrom(...CAPACITY_STATUSES), notes: maybe(words) }))),
  }),
) as fc.Arbitrary<RegisterResource>;
