// Guides come and go as a whole, and every process on the database goes by them from its next commit on.
import type { Resource, StructureDefinition } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EXTENSION, PROFILE, patientProfile, searchParameter, wardExtension } from '../../support/guide-artefacts.ts';
import { type GuideWorld, openGuideWorld } from './guide-world.ts';

const V1 = { version: '1.0.0', resources: [patientProfile('1.0.0', 'gender'), wardExtension('1.0.0', 'string')] };
const V2 = { version: '2.0.0', resources: [patientProfile('2.0.0', 'birthDate'), wardExtension('2.0.0', 'boolean')] };

const patient = (profile: string, more: object = {}): Resource => ({
  resourceType: 'Patient',
  id: 'p',
  meta: { profile: [profile] },
  ...more,
});

let world: GuideWorld;
beforeEach(async () => {
  world = await openGuideWorld();
});
afterEach(() => world.cleanup());

/** Errors and warnings of a resource, by element. */
const issues = (resource: Resource) =>
  world.conformance.validate(resource).map(({ severity, expression }) => `${severity} ${expression?.[0]}`);

describe('adding', () => {
  test('the same package again changes nothing; another one of that name and version is refused', async () => {
    expect(await world.add(V1)).toMatchObject({ isNew: true });
    const mark = () => world.store.query("SELECT value FROM setting WHERE key = 'guides'");
    const before = await mark();
    expect(await world.add(V1)).toMatchObject({ isNew: false });
    expect(await mark()).toEqual(before);
    await expect(world.add({ ...V1, resources: V2.resources })).rejects.toMatchObject({ kind: 'conflict' });
    expect(world.conformance.guides.map(({ version }) => version)).toEqual(['1.0.0']);
  });

  test('leaves nothing behind when it is refused', async () => {
    const malformed = { ...patientProfile('1.0.0', 'gender'), differential: { element: 'all' } } as never;
    await expect(world.add({ resources: [wardExtension('1.0.0', 'string'), malformed] })).rejects.toMatchObject({
      kind: 'unprocessable',
      message: expect.stringContaining(PROFILE),
    });
    expect(await world.store.query('SELECT name FROM guide')).toEqual([]);
    expect(await world.store.query('SELECT url FROM guide_resource')).toEqual([]);
  });

  test('names missing dependencies, profiles and parameters that cannot be used', async () => {
    const orphan: StructureDefinition = {
      ...patientProfile('1.0.0', 'gender'),
      id: 'orphan',
      url: `${PROFILE}-orphan`,
      baseDefinition: 'http://example.org/not-installed',
    };
    const report = await world.add({
      manifest: { dependencies: { 'hl7.fhir.r4.core': '4.0.1', 'org.example.base': '3.0.0' } },
      resources: [
        orphan,
        searchParameter({ expression: 'Goal.nowhere(' }),
        searchParameter({ id: 'b', url: 'http://b', code: 'patient', type: 'token' }),
        searchParameter({ id: 'c', url: 'http://c', code: 'category' }),
        searchParameter({ id: 'd', url: 'http://d', code: '_content' }),
        searchParameter({ id: 'e', url: 'http://e', code: 'x', base: ['Nowhere' as never] }),
        searchParameter({ id: 'f', url: 'http://f', code: 'y', base: ['Patient'] }),
      ],
    });
    expect(report.missing).toEqual(['org.example.base@3.0.0']);
    expect(report.unusableProfiles).toEqual([
      { url: orphan.url, why: expect.stringContaining('http://example.org/not-installed') },
    ]);
    expect(report.unusedParameters.map(({ name }) => name).sort()).toEqual([
      'Goal._content',
      'Goal.description',
      'Goal.patient',
      'Nowhere.x',
      'Patient.y',
    ]);
  });

  test('is in the audit trail', async () => {
    await world.add(V1);
    await world.remove('org.example.guide', '1.0.0');
    await world.put({ resourceType: 'Patient', id: 'x' });
    const rows = await world.store.query("SELECT interaction, query FROM audit WHERE action = 'E' ORDER BY sequence");
    expect(rows).toEqual([
      { interaction: 'guide-add', query: 'org.example.guide@1.0.0' },
      { interaction: 'guide-remove', query: 'org.example.guide@1.0.0' },
    ]);
  });
});

describe('two versions at once', () => {
  beforeEach(async () => {
    await world.add(V2);
    await world.add(V1);
  });

  test('a claim with a version means that one, a claim without the newest, an unknown one is said', () => {
    expect(issues(patient(`${PROFILE}|1.0.0`, { gender: 'female' }))).toEqual([]);
    expect(issues(patient(`${PROFILE}|2.0.0`, { gender: 'female' }))).toEqual(['error Patient.birthDate']);
    expect(issues(patient(PROFILE, { birthDate: '1950-01-01' }))).toEqual([]);
    expect(issues(patient(PROFILE, { gender: 'female' }))).toEqual(['error Patient.birthDate']);
    expect(issues(patient(`${PROFILE}|3.0.0`))).toEqual(['warning Patient.meta.profile']);
  });

  test('a profile goes on with the extensions of its own guide', () => {
    const ward = (value: object) => ({ extension: [{ url: EXTENSION, ...value }] });
    const old = patient(`${PROFILE}|1.0.0`, { gender: 'female', ...ward({ valueString: 'Ward 3' }) });
    const now = patient(`${PROFILE}|2.0.0`, { birthDate: '1950-01-01', ...ward({ valueBoolean: true }) });
    expect(issues(old)).toEqual([]);
    expect(issues(now)).toEqual([]);
    const mixed = patient(`${PROFILE}|1.0.0`, { gender: 'female', ...ward({ valueBoolean: true }) });
    expect(issues(mixed).some((issue) => issue.startsWith('error Patient.extension'))).toBe(true);
  });

  test('are both in the CapabilityStatement', () => {
    const { guides, profiles } = world.conformance.installed;
    expect(guides).toEqual([]);
    expect(profiles.get('Patient')).toEqual(expect.arrayContaining([`${PROFILE}|1.0.0`, `${PROFILE}|2.0.0`]));
  });
});

describe('removing', () => {
  test('takes it away; what is not there or is needed stays as it is', async () => {
    await world.add(V1);
    await world.add({
      name: 'org.example.on-top',
      resources: [searchParameter()],
      manifest: {
        dependencies: { 'org.example.guide': '1.0.0' },
      },
    });
    await expect(world.remove('org.example.guide', '1.0.0')).rejects.toMatchObject({ kind: 'conflict' });
    await expect(world.remove('org.example.guide', '9.9.9')).rejects.toMatchObject({ kind: 'not-found' });
    await world.remove('org.example.on-top', '1.0.0');
    await world.remove('org.example.guide', '1.0.0');
    expect(issues(patient(PROFILE))).toEqual(['warning Patient.meta.profile']);
    expect(await world.store.query('SELECT url FROM guide_resource')).toEqual([]);
  });
});

describe('another process', () => {
  test('checks by a new guide from its next commit on, without being told', async () => {
    const other = await world.another();
    await world.add(V1);
    await expect(other.put(patient(PROFILE))).rejects.toMatchObject({ kind: 'unprocessable' });
    await other.put(patient(PROFILE, { gender: 'female' }));
    await world.remove('org.example.guide', '1.0.0');
    await other.put(patient(PROFILE));
  });

  test('indexes by its parameters from its next commit on', async () => {
    const other = await world.another();
    await world.add({ resources: [searchParameter()] });
    await other.put({
      resourceType: 'Goal',
      id: 'g',
      lifecycleStatus: 'active',
      description: { coding: [{ code: 'walk' }] },
      subject: { reference: 'Patient/p' },
    });
    expect(await world.found('Goal?description=walk')).toEqual(['g']);
    expect(await other.found('Goal?description=walk')).toEqual(['g']);
  });

  test('knows a new guide when it looks, without having committed', async () => {
    const other = await world.another();
    await world.add({ resources: [searchParameter()] });
    await expect(other.found('Goal?description=walk')).rejects.toMatchObject({ kind: 'invalid' });
    expect(await other.store.refresh()).toBe(true);
    expect(await other.found('Goal?description=walk')).toEqual([]);
    expect(await other.store.refresh()).toBe(false);
  });

  test('that was started with other parameters stops the first one from writing', async () => {
    await world.put({ resourceType: 'Patient', id: 'a' });
    const other = await world.another([searchParameter()]);
    await other.put({ resourceType: 'Patient', id: 'b' });
    await expect(world.put({ resourceType: 'Patient', id: 'c' })).rejects.toMatchObject({ kind: 'unavailable' });
    await world.add(V1);
    await expect(world.put({ resourceType: 'Patient', id: 'c' })).rejects.toMatchObject({ kind: 'unavailable' });
    await other.put({ resourceType: 'Patient', id: 'c' });
  });
});
