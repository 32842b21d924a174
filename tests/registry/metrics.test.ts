// The registry in /metrics: how many are on a panel, who could not be evaluated, whether everybody was looked at today.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Group } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadPanels } from '../../src/care/panels/panels.ts';
import { createRegistry, type Registry } from '../../src/registry/registry.ts';
import { serve, type TestServer } from '../server/serve.ts';
import { PARSE, person } from './population.ts';

const BASE = 'https://baton.health/fhir';
const expression = "%patient.name.family.single() = 'Sample'";
/** A rule that has no answer for who has two names. */
const PANEL: Group = {
  ...{ resourceType: 'Group', type: 'person', actual: false, name: 'Named' },
  code: { coding: [{ system: `${BASE}/CodeSystem/panel`, code: 'named' }] },
  characteristic: [
    {
      extension: [
        {
          url: `${BASE}/StructureDefinition/panel-criterion`,
          valueExpression: { language: 'text/fhirpath', expression },
        },
      ],
      ...{ code: { text: 'Name' }, valueBoolean: true, exclude: false },
    },
  ],
};

let folder: string;
let baton: TestServer;
let registry: Registry;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'baton-metrics-'));
  mkdirSync(join(folder, 'groups'));
  writeFileSync(join(folder, 'groups/named.json'), JSON.stringify(PANEL));
  baton = await serve(({ store, clock }) => {
    const log = pino({ level: 'silent' });
    registry = createRegistry({ store, clock, zone: 'UTC', panels: loadPanels(folder), parse: PARSE, log });
    return { registry };
  });
});
afterAll(async () => {
  await baton.close();
  rmSync(folder, { recursive: true });
});

it('counts members, failures and the sweep', async () => {
  expect((await baton.send('GET', '/metrics')).text).toContain('baton_panels_swept 0');
  await baton.fhir('PUT', '/Patient/ann', { body: person('ann') });
  await registry.tick();
  const twice = { ...person('bea'), name: [{ family: 'Sample' }, { family: 'Other' }] };
  await baton.fhir('PUT', '/Patient/bea', { body: twice });
  await registry.run();
  const { text } = await baton.send('GET', '/metrics');
  expect(text).toContain('baton_panels_failed_total 1');
  expect(text).toContain('baton_panels_swept 1');
  // Counted a minute ago at most: nobody was on it then.
  expect(text).toContain('baton_panel_members{panel="named"} 0');
  const later = createRegistry({
    ...{ store: baton.temp.store, clock: baton.temp.clock, zone: 'UTC', panels: loadPanels(folder) },
    ...{ parse: PARSE, log: pino({ level: 'silent' }) },
  });
  expect((await later.status()).members).toEqual([{ panel: 'named', count: 1 }]);
});
