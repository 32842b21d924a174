// Inputs of the care plan as fast-check makes them, and who asks.
import fc from 'fast-check';
import type { Coded } from '../../src/care/coded.ts';
import type { GoalInput, ProgressInput, Target } from '../../src/care/goals/goal-schema.ts';
import type { InterventionInput } from '../../src/care/interventions/intervention-schema.ts';
import type { Measured, Value } from '../../src/care/measured-value.ts';
import type { NeedInput } from '../../src/care/needs/need-schema.ts';
import { SOCIAL_NEEDS } from '../../src/care/needs/social-needs.ts';
import type { Caller, Kept } from '../../src/care/records.ts';
import { ACHIEVEMENTS } from '../../src/fhir/status/achievement.ts';

export const caller: Caller = {
  who: { reference: 'Practitioner/nurse' },
  now: Temporal.Instant.from('2026-11-28T15:00:00Z'),
  zone: 'America/New_York',
};
export const organization: Caller = { ...caller, who: { reference: 'Organization/clinic' } };
export const subject = { reference: 'Patient/p1' };

/** As the store would have it. */
export function kept<R extends { resourceType: string; meta?: object }>(resource: R) {
  const meta = { ...resource.meta, versionId: '1', lastUpdated: '2026-11-28T15:00:00Z' };
  return { ...resource, id: 'x1', meta } as unknown as Kept<never> & R;
}

const words = fc.stringMatching(/^[A-Za-z0-9<&"'éß]([A-Za-z0-9 <&"'éß]{0,20}[a-z])?$/);
const code = fc.stringMatching(/^[A-Za-z0-9-]{1,12}$/);
const url = code.map((one) => `https://codes.example/${one}`);
export const coded: fc.Arbitrary<Coded> = fc.oneof(
  words.map((text) => ({ text })),
  fc.record({ system: url, code }),
  fc.record({ system: url, code, text: words }),
);
const linkTo = (...types: readonly string[]) =>
  fc.record(
    { reference: fc.tuple(fc.constantFrom(...types), code).map((parts) => parts.join('/')), display: words },
    { requiredKeys: ['reference'] },
  );
const unique = <T extends { reference: string }>(one: fc.Arbitrary<T>) =>
  fc.uniqueArray(one, { minLength: 1, maxLength: 3, selector: ({ reference }) => reference });
const between = (first: string, last: string) =>
  fc
    .date({ min: new Date(first), max: new Date(last), noInvalidDate: true })
    .map((one) => `${one.toISOString().slice(0, 19)}Z`);
const start = between('2027-01-01', '2028-12-31');
const due = between('2029-01-01', '2030-12-31');
const day = start.map((one) => one.slice(0, 10));
const number = fc.integer({ min: -99_999, max: 99_999 }).map((one) => one / 100);
const measured: fc.Arbitrary<Measured> = fc.oneof(
  fc.record(
    { value: number, comparator: fc.constantFrom('<', '<=', '>=', '>'), unit: words },
    { requiredKeys: ['value'] },
  ),
  fc.record({ value: number, code, unit: words }, { requiredKeys: ['value', 'code'] }),
  fc.record({ value: number, code, system: url }),
);
const amount = fc.record({ value: number, code, unit: words }, { requiredKeys: ['value'] });
export const value: fc.Arbitrary<Value> = fc.oneof(
  measured.map((quantity) => ({ quantity })),
  fc.record({ range: fc.oneof(fc.record({ low: amount }), fc.record({ high: amount })) }),
  coded.map((one) => ({ coded: one })),
  words.map((text) => ({ text })),
  fc.boolean().map((boolean) => ({ boolean })),
  fc.integer({ min: -1000, max: 1000 }).map((integer) => ({ integer })),
);
export const target: fc.Arbitrary<Target> = fc.oneof(
  fc.record({ due: day }),
  fc.record({ measure: coded, detail: value, due: day }, { requiredKeys: ['measure'] }),
);

export const needInput: fc.Arbitrary<NeedInput> = fc
  .record(
    {
      kind: fc.constantFrom('health-concern', 'social-need', 'barrier'),
      category: fc.constantFrom(...SOCIAL_NEEDS),
      code: coded,
      severity: fc.constantFrom('mild', 'moderate', 'severe'),
      onset: fc.constantFrom('2020', '2021-03', '2022-04-05', '2022-04-05T10:00:00-05:00'),
      verification: fc.constantFrom('unconfirmed', 'provisional', 'differential', 'confirmed'),
      statedBy: linkTo('Patient', 'RelatedPerson', 'Practitioner'),
      evidence: unique(linkTo('Observation', 'QuestionnaireResponse')),
    },
    { requiredKeys: ['kind', 'code'] },
  )
  // A need that has a category of Gravity is a social need or a barrier.
  .map((input) => {
    if (input.kind === 'health-concern') return without(input, 'category');
    return input.kind === 'social-need' ? { ...input, category: input.category ?? 'stress' } : input;
  }) as fc.Arbitrary<NeedInput>;

export const goalInput = fc.record(
  {
    description: coded,
    status: fc.constantFrom('proposed', 'planned', 'accepted', 'active'),
    priority: fc.constantFrom('high', 'medium', 'low'),
    category: fc.constantFrom(...SOCIAL_NEEDS),
    start: day,
    targets: fc.array(target, { minLength: 1, maxLength: 4 }),
    expressedBy: linkTo('Patient', 'Practitioner', 'RelatedPerson'),
    addresses: unique(linkTo('Condition', 'Observation')),
  },
  { requiredKeys: ['description'] },
) as fc.Arbitrary<GoalInput>;

export const progressInput = fc.record(
  {
    achievement: fc.constantFrom(...ACHIEVEMENTS),
    at: fc.constant('2026-11-01T10:00:00Z'),
    measure: coded,
    value,
    note: words,
  },
  { requiredKeys: ['measure'] },
) as fc.Arbitrary<ProgressInput>;

export const interventionInput = fc.record(
  {
    description: words,
    code: coded,
    priority: fc.constantFrom('routine', 'urgent', 'asap', 'stat'),
    owner: linkTo('Practitioner', 'PractitionerRole', 'Organization', 'CareTeam'),
    start,
    due,
    goals: unique(linkTo('Goal')),
    need: linkTo('Condition'),
  },
  { requiredKeys: ['description'] },
) as fc.Arbitrary<InterventionInput>;

/** Content that no view shows: elements of R4 that the API does not have, extensions, and what R4 does not know. */
export const foreign = fc.record(
  {
    extension: fc.array(fc.record({ url, valueString: words }), { minLength: 1, maxLength: 2 }),
    identifier: fc.array(fc.record({ system: url, value: words }), { minLength: 1, maxLength: 2 }),
    note: fc.array(fc.record({ text: words, authorString: words }), { minLength: 1, maxLength: 2 }),
    language: fc.constant('en-US'),
    contained: fc.constant([{ resourceType: 'Basic', id: 'c', code: { text: 'x' } }]),
    _priority: fc.record({ id: code }),
    unknownElement: fc.anything({ maxDepth: 1, withNullPrototype: false }).filter((one) => one !== undefined),
  },
  { requiredKeys: [] },
);

function without<T extends object, K extends keyof T>(object: T, key: K): Omit<T, K> {
  const { [key]: _, ...rest } = object;
  return rest;
}
