// Whom a resource is about, who is asking, which labels need a permit, and what keeps a resource back.
import type { Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Asker } from '../../../src/fhir/consent/asker.ts';
import { labelPolicy, NO_LABEL_POLICY } from '../../../src/fhir/consent/label-policy.ts';
import { withheldCondition } from '../../../src/fhir/search/withheld.ts';
import { actCode, actor, confidentiality, consent, purpose } from '../../support/consents.ts';
import { testParameters } from '../../support/store-rules.ts';
import { openSearchWorld, type SearchWorld } from '../search/search-world.ts';

const AT = Temporal.Instant.from('2026-02-01T12:00Z').epochMilliseconds;
const DOCTOR: Asker = { actors: ['Practitioner/12', 'Organization/3'], purposes: ['TREAT'], at: AT, external: false };
const APP: Asker = { ...DOCTOR, actors: ['Device/app'], external: true };
const POLICY = labelPolicy({
  labels: [
    { ...actCode('42CFRPart2'), rule: 'deny-unless-permitted' },
    { ...actCode('SUD'), rule: 'deny-unless-permitted' },
    { ...confidentiality('R'), rule: 'deny-unless-permitted' },
  ],
});

let world: SearchWorld;
beforeAll(async () => {
  world = await openSearchWorld();
});
afterAll(() => world.cleanup());
beforeEach(async () => {
  const { items } = await world.search('Consent?_count=100');
  for (const { id } of items) await world.remove('Consent', id);
});

async function ask(type: string, id: string, asker: Asker = DOCTOR, policy = NO_LABEL_POLICY) {
  return world.temp.store.withholding(type, id, withheldCondition(testParameters, type, asker, policy));
}
const withheld = async (...given: Parameters<typeof ask>) => (await ask(...given)).withheld;

const about = (id: string, reference: string, more: object = {}): Resource => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { text: 'x' },
  subject: { reference },
  ...more,
});

describe('whom a resource is about', () => {
  beforeAll(() =>
    world.put(
      { resourceType: 'Patient', id: 'p1' },
      { resourceType: 'Patient', id: 'p2' },
      about('own', 'Patient/p1'),
      about('performed', 'Patient/p2', { performer: [{ reference: 'Patient/p1' }] }),
      { resourceType: 'RelatedPerson', id: 'daughter', patient: { reference: 'Patient/p1' } },
      { resourceType: 'Device', id: 'pump', patient: { reference: 'Patient/p1' } },
      { resourceType: 'Task', id: 'call', status: 'ready', intent: 'order', for: { reference: 'Patient/p1' } },
      {
        resourceType: 'Provenance',
        id: 'made',
        recorded: '2026-01-01T00:00:00Z',
        agent: [],
        target: [{ reference: 'Patient/p1' }],
      },
      { resourceType: 'Organization', id: 'o' },
    ),
  );
  const cases: [type: string, id: string, isAbout: boolean][] = [
    ['Patient', 'p1', true],
    ['Patient', 'p2', false],
    ['Observation', 'own', true],
    ['Observation', 'performed', true],
    ['RelatedPerson', 'daughter', true],
    ['Device', 'pump', true],
    ['Task', 'call', true],
    ['Provenance', 'made', true],
    ['Organization', 'o', false],
  ];
  test.each(cases)('%s/%s', async (type, id, isAbout) => {
    await world.put(consent('OPTOUT'));
    expect(await withheld(type, id)).toBe(isAbout);
    const condition = withheldCondition(testParameters, type, DOCTOR, NO_LABEL_POLICY);
    const { items } = await world.search(`${type}?_id=${id}`, {
      conditions: [{ kind: 'id', ids: [id], negated: false }, condition],
    });
    expect(items).toHaveLength(isAbout ? 1 : 0);
  });
});

describe('who is asking', () => {
  beforeAll(() => world.put(about('own', 'Patient/p1')));

  test('an asker is withheld what is denied to any part of it', async () => {
    await world.put(consent('OPTIN', { type: 'deny', actor: [actor('Organization/3')] }));
    expect(await withheld('Observation', 'own')).toBe(true);
    expect(await withheld('Observation', 'own', { ...DOCTOR, actors: ['Practitioner/12'] })).toBe(false);
  });

  test('of somebody unknown every deny of an actor holds, and no permit', async () => {
    const nobody = { ...DOCTOR, actors: [] };
    await world.put(consent('OPTIN', { type: 'deny', actor: [actor('Organization/3')] }));
    expect(await withheld('Observation', 'own', nobody)).toBe(true);
    await world.put(consent('OPTOUT', { type: 'permit', actor: [actor('Organization/3')] }));
    expect(await withheld('Observation', 'own', nobody)).toBe(true);
  });

  test('a consent keeps nothing from its patient', async () => {
    await world.put(consent('OPTOUT'));
    expect(await withheld('Observation', 'own', { ...DOCTOR, actors: ['Patient/p1'] })).toBe(false);
    expect(await withheld('Observation', 'own', { ...DOCTOR, actors: ['Patient/p2'] })).toBe(true);
  });

  test('every purpose must be allowed, and a purpose belongs to the wider one', async () => {
    await world.put(consent('OPTOUT', { type: 'permit', purpose: [purpose('TREAT')] }));
    expect(await withheld('Observation', 'own', { ...DOCTOR, purposes: ['COC'] })).toBe(false);
    expect(await withheld('Observation', 'own', { ...DOCTOR, purposes: ['TREAT', 'HPAYMT'] })).toBe(true);
    expect(await withheld('Observation', 'own', { ...DOCTOR, purposes: [] })).toBe(true);
  });

  test('an identifier names an actor as well as a reference does', async () => {
    const identifier = { system: 'urn:npi', value: '77' };
    await world.put(consent('OPTIN', { type: 'deny', actor: [{ ...actor(''), reference: { identifier } }] }));
    expect(await withheld('Observation', 'own', { ...DOCTOR, actors: ['Organization/4', 'urn:npi|77'] })).toBe(true);
    expect(await withheld('Observation', 'own')).toBe(false);
  });
});

describe('two consents', () => {
  test('a deny of one is not lifted by a permit of the other, and both denies are told', async () => {
    await world.put(
      about('own', 'Patient/p1'),
      about('performed', 'Patient/p2', { performer: [{ reference: 'Patient/p1' }] }),
    );
    const permit = { type: 'permit' as const, actor: [actor('Organization/3')] };
    await world.put(consent('OPTOUT', permit), consent('OPTOUT', undefined, { id: 'c2' }));
    expect((await ask('Observation', 'own')).consents).toEqual(['c2']);
    await world.put(consent('OPTOUT', undefined, { id: 'c3', patient: { reference: 'Patient/p2' } }));
    const both = await ask('Observation', 'performed');
    expect(both).toMatchObject({ consents: ['c2', 'c3'], patients: ['p1', 'p2'] });
  });

  test('when the answer may change by itself is told', async () => {
    await world.put(about('own', 'Patient/p1'));
    await world.put(
      consent('OPTOUT', { period: { end: '2026-02-28' } }),
      consent('OPTOUT', { period: { start: '2026-02-10' } }, { id: 'later' }),
    );
    const { until } = await ask('Observation', 'own');
    expect(until).toBe(Temporal.Instant.from('2026-02-10T00:00Z').epochMilliseconds);
  });
});

describe('labels that need a permit', () => {
  const release = (code: string, more: object = {}) =>
    consent('OPTIN', { type: 'permit', securityLabel: [actCode(code)], ...more });
  beforeAll(() =>
    world.put(
      about('plain', 'Patient/p1'),
      about('part2', 'Patient/p1', { meta: { security: [actCode('42CFRPart2')] } }),
      about('alcohol', 'Patient/p1', { meta: { security: [actCode('ETHUD')] } }),
      about('both', 'Patient/p1', { meta: { security: [actCode('42CFRPart2'), confidentiality('V')] } }),
      about('shared', 'Patient/p1', {
        meta: { security: [actCode('42CFRPart2')] },
        performer: [{ reference: 'Patient/p2' }],
      }),
      { resourceType: 'Organization', id: 'clinic', meta: { security: [actCode('42CFRPart2')] } },
    ),
  );

  test('keep a resource from an asker outside, and from nobody else', async () => {
    expect(await ask('Observation', 'part2', APP, POLICY)).toMatchObject({
      withheld: true,
      consents: [],
      labels: [{ system: actCode('').system, code: '42CFRPart2' }],
      patients: ['p1'],
    });
    expect(await withheld('Observation', 'plain', APP, POLICY)).toBe(false);
    expect(await withheld('Observation', 'part2', DOCTOR, POLICY)).toBe(false);
    expect(await withheld('Organization', 'clinic', APP, POLICY)).toBe(true);
  });

  test('include the labels below them and the levels above', async () => {
    expect((await ask('Observation', 'alcohol', APP, POLICY)).labels.map(({ code }) => code)).toEqual(['ETHUD']);
    expect((await ask('Observation', 'both', APP, POLICY)).labels.map(({ code }) => code)).toEqual(['42CFRPart2', 'V']);
  });

  test('are released by a consent that names them, for those whom it names', async () => {
    await world.put(release('42CFRPart2', { actor: [actor('Device/app')], purpose: [purpose('TREAT')] }));
    expect(await withheld('Observation', 'part2', APP, POLICY)).toBe(false);
    expect(await withheld('Observation', 'part2', { ...APP, actors: ['Device/other'] }, POLICY)).toBe(true);
    expect(await withheld('Observation', 'part2', { ...APP, purposes: ['HPAYMT'] }, POLICY)).toBe(true);
    expect(await withheld('Observation', 'alcohol', APP, POLICY)).toBe(true);
    await world.put(release('SUD', {}));
    expect(await withheld('Observation', 'alcohol', APP, POLICY)).toBe(false);
  });

  test('a general permit does not release them', async () => {
    await world.put(
      consent('OPTIN'),
      consent('OPTOUT', { type: 'permit', actor: [actor('Device/app')] }, { id: 'c2' }),
    );
    expect(await withheld('Observation', 'plain', APP, POLICY)).toBe(false);
    expect(await withheld('Observation', 'part2', APP, POLICY)).toBe(true);
  });

  test('each label and each patient needs one', async () => {
    await world.put(release('42CFRPart2'));
    expect((await ask('Observation', 'both', APP, POLICY)).labels.map(({ code }) => code)).toEqual(['V']);
    expect(await withheld('Observation', 'shared', APP, POLICY)).toBe(true);
    await world.put({ ...release('42CFRPart2'), id: 'c2', patient: { reference: 'Patient/p2' } });
    expect(await withheld('Observation', 'shared', APP, POLICY)).toBe(false);
  });

  test('a deny counts beside the permit of a label', async () => {
    await world.put(
      release('42CFRPart2'),
      consent('OPTIN', { type: 'deny', actor: [actor('Device/app')] }, { id: 'c2' }),
    );
    expect(await ask('Observation', 'part2', APP, POLICY)).toMatchObject({
      withheld: true,
      consents: ['c2'],
      labels: [],
    });
  });
});

describe('the policy file', () => {
  const entry = { system: 'urn:s', code: 'x', rule: 'deny-unless-permitted' };
  const WRONG: [sentence: string, content: unknown][] = [
    ['must be a JSON object', []],
    ['needs a list "labels"', {}],
    ['no setting "lables"', { labels: [], lables: [] }],
    ['labels[1].rule', { labels: [entry, { ...entry, rule: 'deny' }] }],
    ['labels[0] of the consent policy needs', { labels: [{ ...entry, code: '' }] }],
    ['labels[0] of the consent policy has no setting "kode"', { labels: [{ ...entry, kode: 'x' }] }],
  ];
  test.each(WRONG)('is refused: %s', (sentence, content) => {
    expect(() => labelPolicy(content)).toThrow(sentence);
  });
});
