// A rule that cannot work stops the start and says which file and what expression; nothing is found out with patients.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadPanels } from '../../src/care/panels/panels.ts';
import { createRegistry } from '../../src/registry/registry.ts';
import { testRules, testValidate } from '../support/store-rules.ts';
import { PANELS } from './population.ts';

const PROFILES = new URL('../../profiles', import.meta.url).pathname;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'baton-panels-'));
  for (const name of ['groups', 'stratification']) {
    mkdirSync(join(folder, name));
    cpSync(join(PROFILES, name), join(folder, name), { recursive: true });
  }
});
afterEach(() => rmSync(folder, { recursive: true }));

function edit(file: string, from: string, to: string): void {
  const path = join(folder, file);
  const text = readFileSync(path, 'utf8');
  expect(text).toContain(from);
  writeFileSync(path, text.replace(from, to));
}

it.each([
  [
    'groups/frequent-acute-stays.json',
    '%stays.count() >= 2',
    '%stays.count( >= 2',
    'characteristic "Acute stays in 12 months"',
  ],
  ['groups/frequent-acute-stays.json', '%stays.count() >= 2', '%stayz.count() >= 2', '%stayz, which no query gives'],
  ['groups/frequent-acute-stays.json', 'today() - 12 months', 'today( - 12 months', 'query stays'],
  ['groups/frequent-acute-stays.json', 'patient={{%patient.id}}&', '', 'must be Type?patient={{%patient.id}}&…'],
  ['groups/frequent-acute-stays.json', '"actual": false', '"actual": true', 'actual false'],
  [
    'groups/heart-failure-high-risk.json',
    '"valueCode": "heart-failure-outreach"',
    '"valueCode": "nothing"',
    'no scoring method nothing',
  ],
  ['stratification/heart-failure-outreach.json', '%stays.count() = 1', 'nonsense()', 'points stay'],
  ['stratification/heart-failure-outreach.json', '"points": 4', '"points": "four"', '/points/1/points'],
  ['stratification/heart-failure-outreach.json', '{', '[', 'is not JSON'],
])('%s with %s replaced by %s', (file, from, to, told) => {
  edit(file, from, to);
  expect(() => loadPanels(folder)).toThrow(told);
  expect(() => loadPanels(folder)).toThrow(join(folder, file));
});

it('a query by a parameter that is none', () => {
  edit('groups/frequent-acute-stays.json', '&class=', '&klass=');
  const registry = () =>
    createRegistry({
      store: undefined as never,
      clock: {
        now: () => Temporal.Instant.fromEpochMilliseconds(0),
        real: () => Temporal.Instant.fromEpochMilliseconds(0),
      },
      zone: 'UTC',
      panels: loadPanels(folder),
      parse: (query) => testRules().searchEngine.parse(query),
      log: pino({ level: 'silent' }),
    });
  expect(registry).toThrow(join(folder, 'groups/frequent-acute-stays.json'));
  expect(registry).toThrow('query stays');
});

it('the panels that come with Baton are valid Groups, and have their codes', () => {
  const codes = JSON.parse(readFileSync(join(PROFILES, 'code-systems/panel.json'), 'utf8')).concept;
  expect(PANELS.panels.map(({ code }) => code).sort()).toEqual(codes.map(({ code }: { code: string }) => code).sort());
  for (const { definition, description } of PANELS.panels) {
    expect(testValidate(definition).filter(({ severity }) => severity !== 'information')).toEqual([]);
    expect(description).toBeTruthy();
  }
});
