// The SQL of consents agrees with an evaluator that knows neither rules nor SQL, for random consents, askers and times.
import type { Consent, ConsentProvision, Resource } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Asker } from '../../src/fhir/consent/asker.ts';
import { NO_LABEL_POLICY } from '../../src/fhir/consent/label-policy.ts';
import type { SearchQuery } from '../../src/fhir/search/query.ts';
import { withheldCondition } from '../../src/fhir/search/withheld.ts';
import { openSearchWorld, type SearchWorld } from '../store/search/search-world.ts';
import { actCode, action, actor, confidentiality, consent, purpose, resourceType, scope } from '../support/consents.ts';
import { testParameters } from '../support/store-rules.ts';
import { denies } from './consent-oracle.ts';

const labels = [
  [],
  [actCode('PSY')],
  [actCode('ETHUD'), confidentiality('N')],
  [confidentiality('V')],
  [{ system: 'urn:unknown', code: 'X' }],
];
const subjects = ['p1', 'p2'];
const resources: Resource[] = [
  ...subjects.map((id): Resource => ({ resourceType: 'Patient', id })),
  ...labels.flatMap((security, i): Resource[] => {
    const reference = `Patient/${subjects[i % 2]}`;
    const shared = { id: `r${i}`, meta: { security }, subject: { reference } };
    return [
      { ...shared, resourceType: 'Observation', status: 'final', code: { text: 'x' } },
      { ...shared, resourceType: 'Condition', asserter: { reference: 'Patient/p1' } },
    ];
  }),
  { resourceType: 'Organization', id: 'o1', meta: { security: [actCode('PSY')] } },
];

/** Ids of patients whom the resource is about, by what the resources above have. */
const about = (resource: Resource): string[] => {
  if (resource.resourceType === 'Patient') return [resource.id ?? ''];
  const { subject, asserter } = resource as { subject?: { reference: string }; asserter?: { reference: string } };
  return [subject, asserter].flatMap((each) => each?.reference.replace('Patient/', '') ?? []);
};

const few = <T>(values: readonly T[]) => fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 2 });
const provisions = fc.letrec<{ provision: ConsentProvision }>((tie) => ({
  provision: fc.record(
    {
      type: fc.constantFrom('permit', 'deny'),
      actor: few([
        actor('Practitioner/1'),
        actor('Practitioner/2'),
        actor('Organization/3'),
        actor('Practitioner/1', 'AUT'),
      ]),
      purpose: few([purpose('TREAT'), purpose('HOPERAT'), purpose('HPAYMT'), { system: 'urn:unknown', code: 'TREAT' }]),
      securityLabel: few([
        actCode('SPI'),
        actCode('SUD'),
        confidentiality('R'),
        confidentiality('N'),
        { system: 'urn:unknown', code: 'X' },
        { code: 'PSY' },
      ]),
      class: few([resourceType('Observation'), resourceType('Condition'), { system: 'urn:unknown', code: 'Y' }]),
      data: few([
        { meaning: 'instance', reference: { reference: 'Observation/r1' } },
        { meaning: 'related', reference: { reference: 'Observation/r1' } },
      ]),
      period: fc.constantFrom(
        { start: '2026-02-01' },
        { end: '2026-02-10' },
        { start: '2026-01-05', end: '2026-01-20' },
      ),
      action: few([action('access'), action('collect')]),
      code: fc.constant([{ text: 'z' }]),
      provision: fc.array(tie('provision'), { maxLength: 2, depthIdentifier: 'provisions' }),
    },
    { requiredKeys: ['type'] },
  ) as fc.Arbitrary<ConsentProvision>,
}));

/** Elements are left out more often than not, so that provisions match often enough to be worth judging. */
const sparse = fc
  .tuple(provisions.provision, fc.array(fc.nat(9), { minLength: 7, maxLength: 7 }))
  .map(([provision, numbers]) => {
    let turn = 0;
    const next = () => numbers[turn++ % numbers.length] ?? 0;
    const thin = (given: ConsentProvision): ConsentProvision => {
      const kept = Object.entries(given).filter(([key]) => key === 'type' || key === 'provision' || next() < 3);
      const inner = given.provision?.map(thin);
      return { ...Object.fromEntries(kept), ...(inner ? { provision: inner } : {}) };
    };
    return thin(provision);
  });

const consents = fc
  .record({
    directive: fc.constantFrom('OPTIN', 'OPTOUT', 'OPTOUT', undefined),
    root: fc.option(sparse, { nil: undefined }),
    typed: fc.boolean(),
    status: fc.constantFrom('active', 'active', 'active', 'active', 'inactive'),
    scope: fc.constantFrom('patient-privacy', 'patient-privacy', 'patient-privacy', 'research', 'other'),
    patient: fc.constantFrom(...subjects),
  })
  .map(({ directive, root, typed, status, scope: code, patient }): Consent => {
    const { type, ...rest } = root ?? {};
    return consent(directive, root && (typed && type ? root : rest), {
      status: status as Consent['status'],
      scope: scope(code),
      patient: { reference: `Patient/${patient}` },
    });
  });

const askers = fc.record({
  actors: fc.subarray(['Practitioner/1', 'Practitioner/2', 'Organization/3', 'Patient/p1']),
  purposes: fc.subarray(['TREAT', 'CAREMGT', 'ETREAT', 'HPAYMT']),
  day: fc.constantFrom('2026-01-01', '2026-01-10', '2026-02-05', '2026-03-01'),
});

const EVERYTHING: SearchQuery = {
  conditions: [],
  includes: [],
  sort: [],
  count: 1000,
  total: 'none',
  applied: [],
  ignored: [],
};

let world: SearchWorld;
beforeAll(async () => {
  world = await openSearchWorld();
  await world.put(...resources);
});
afterAll(() => world.cleanup());

function expected(all: readonly Consent[], asker: Asker): { resources: string[]; consents: Map<string, string[]> } {
  const found = new Map<string, string[]>();
  for (const resource of resources) {
    const concerned = about(resource).filter((id) => !asker.actors.includes(`Patient/${id}`));
    const denying = all.filter(({ patient, ...rest }) => {
      if (!concerned.includes(patient?.reference?.replace('Patient/', '') ?? '')) return false;
      const purposes = asker.purposes.length > 0 ? asker.purposes : [undefined];
      return purposes.some((each) => denies(rest as Consent, { ...asker, resource, purpose: each }));
    });
    const key = `${resource.resourceType}/${resource.id}`;
    if (denying.length > 0) found.set(key, denying.map(({ id }) => id ?? '').toSorted());
  }
  return { resources: [...found.keys()].toSorted(), consents: found };
}

test('a search, a search of one type and the question about one resource withhold what the evaluator withholds', async () => {
  let withheldSome = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(consents, { minLength: 1, maxLength: 3 }),
      fc.array(askers, { minLength: 1, maxLength: 4 }),
      async (given, asking) => {
        const all = [0, 1, 2].map(
          (i): Consent => ({ ...(given[i] ?? consent('OPTIN', undefined, { status: 'draft' })), id: `c${i}` }),
        );
        await world.put(...all);
        for (const { actors, purposes, day } of asking) {
          const at = Temporal.Instant.from(`${day}T12:00Z`).epochMilliseconds;
          const asker: Asker = { actors, purposes, at, external: false };
          const wanted = expected(all, asker);
          if (wanted.resources.length > 0) withheldSome += 1;
          const kinds = ['Patient', 'Observation', 'Condition', 'Organization'];
          const among = { kind: 'type', types: kinds } as const;
          const { items } = await world.temp.store.search({
            ...EVERYTHING,
            conditions: [among, withheldCondition(testParameters, undefined, asker, NO_LABEL_POLICY)],
          });
          expect(items.map(({ type, id }) => `${type}/${id}`).toSorted()).toEqual(wanted.resources);
          const condition = withheldCondition(testParameters, 'Observation', asker, NO_LABEL_POLICY);
          const open = await world.search('Observation?_count=1000', { conditions: [{ kind: 'not', of: condition }] });
          const isOpen = (key: string) => key.startsWith('Observation/') && !wanted.resources.includes(key);
          const keys = resources.map(({ resourceType: type, id }) => `${type}/${id}`);
          expect(open.items.map(({ id }) => `Observation/${id}`).toSorted()).toEqual(keys.filter(isOpen).toSorted());
          for (const [type = '', id = ''] of [
            ['Observation', 'r1'],
            ['Condition', 'r2'],
            ['Patient', 'p2'],
          ]) {
            const one = withheldCondition(testParameters, type, asker, NO_LABEL_POLICY);
            const why = await world.temp.store.withholding(type, id, one);
            expect(why.consents).toEqual(wanted.consents.get(`${type}/${id}`) ?? []);
            expect(why.withheld).toBe(why.consents.length > 0);
          }
        }
      },
    ),
    { numRuns: 300 },
  );
  expect(withheldSome).toBeGreaterThan(20);
});
