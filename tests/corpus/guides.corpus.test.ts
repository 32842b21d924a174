// The published guides as an operator has them: all installed side by side, two versions of US Core among them.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Resource } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type App, build } from '../../src/app.ts';
import { systemClock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config.ts';
import { readPackage } from '../../src/fhir/package/read-package.ts';
import { installGuide } from '../../src/store/install-guide.ts';
import { corpusFiles, readPackage as readExamples } from './packages.ts';

const OPERATOR = { reference: 'Device/operator', kind: 'service' } as const;
const US_CORE_PATIENT = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient';
const packages = corpusFiles('igs').sort();

describe.skipIf(packages.length === 0)('all guides of the corpus together', () => {
  const folder = mkdtempSync(join(tmpdir(), 'baton-guides-'));
  const clock = systemClock();
  let app: App;
  const open = () => {
    const config = loadConfig({ BATON_SANDBOX: 'off', BATON_DATABASE_URL: `sqlite:${join(folder, 'baton.db')}` });
    return build(config, { clock, fetch: globalThis.fetch, log: pino({ level: 'silent' }), write: () => undefined });
  };

  beforeAll(async () => {
    const installing = await open();
    const { store, conformance } = installing;
    for (const file of packages) {
      const report = await installGuide(
        { store, conformance, clock, actor: OPERATOR },
        readPackage(readFileSync(file)),
      );
      expect(report, file).toMatchObject({ isNew: true, unusableProfiles: [], unusedParameters: [] });
    }
    await installing.close();
    app = await open();
  });
  afterAll(async () => {
    await app?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('are there after a restart', () => {
    expect(app.conformance.guides.map(({ name, version }) => `${name}@${version}`)).toEqual([
      'hl7.fhir.us.core@6.1.0',
      'hl7.fhir.us.core@7.0.0',
      'hl7.fhir.us.davinci-pas@2.2.1',
    ]);
  });

  test.each(packages.map((file) => [basename(file), file]))('examples of %s are valid', (_, file) => {
    const wrong = readExamples(file).examples.flatMap((example) => errors(example));
    expect(wrong).toEqual([]);
  });

  test('each version asks for what it asks for, in its own words', () => {
    const claims = ['|6.1.0', '|7.0.0', ''].map((version) => ({
      resourceType: 'Patient' as const,
      meta: { profile: [`${US_CORE_PATIENT}${version}`] },
    }));
    for (const claim of claims) expect(errors(claim)).toHaveLength(3);
    const race = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-race';
    const elements = (version: string) =>
      app.conformance.definitions.structure(`${US_CORE_PATIENT}|${version}`)?.elements;
    const profiles = (version: string) =>
      elements(version)?.flatMap(({ type }) => type?.flatMap(({ profile }) => profile ?? []) ?? []) ?? [];
    expect(profiles('6.1.0')).toContain(`${race}|6.1.0`);
    expect(profiles('7.0.0')).toContain(race);
  });

  function errors(resource: Resource): string[] {
    return app.conformance
      .validate(resource)
      .filter(({ severity }) => severity === 'error')
      .map(({ expression, details }) => `${resource.id}: ${expression?.[0]} ${details?.text}`);
  }
});
