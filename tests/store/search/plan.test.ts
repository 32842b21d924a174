// What the database does for a query: it must look rows up, not read whole tables. Asked of SQLite itself, which plans
// by the statement's shape, so that a few rows are enough.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSearchEngine } from '../../../src/store/search/search-engine.ts';
import type { Sql } from '../../../src/store/sql.ts';
import type { SqlValue } from '../../../src/store/store.ts';
import { TEST_BASE_URL, testParameters } from '../../support/store-rules.ts';
import { openSearchWorld, parse, type SearchWorld } from './search-world.ts';

let world: SearchWorld;
let statements: { text: string; params: readonly SqlValue[] }[] = [];

beforeAll(async () => {
  world = await openSearchWorld();
  await world.put(
    { resourceType: 'Patient', id: 'p', name: [{ family: 'Stone' }], birthDate: '1950-01-01' },
    { resourceType: 'Task', id: 't', status: 'requested', intent: 'order', for: { reference: 'Patient/p' } },
  );
});
afterAll(() => world.cleanup());

/** Runs a query and gives the statements it took. */
async function statementsOf(url: string) {
  const sql: Sql = {
    dialect: 'sqlite',
    all(text, params = []) {
      statements.push({ text, params });
      return world.temp.store.query(text, params);
    },
    run: () => Promise.reject(new Error('A search writes nothing.')),
  };
  const engine = createSearchEngine({ parameters: testParameters, baseUrl: TEST_BASE_URL });
  (await engine.open(sql)).enforce();
  statements = [];
  await engine.run(sql, parse(url));
  return statements;
}

async function planOf(url: string): Promise<string[]> {
  const rows: string[] = [];
  for (const { text, params } of await statementsOf(url)) {
    const plan = await world.temp.store.query(`EXPLAIN QUERY PLAN ${text}`, params);
    rows.push(...plan.map((row) => String(row.detail)));
  }
  return rows;
}

/** Subqueries whose rows are read one after the other: candidates, the sorted page, counted candidates, targets. */
const SUBQUERIES = new Set(['a', 'd', 'f', 'g', 'm', 't']);

test.each([
  'Task?owner=Practitioner/n&status=requested,in-progress&_sort=priority,due&_count=50&_include=Task:patient',
  'Task?raise-at=le2026-01-01T00:00:00Z&_sort=raise-at',
  'Task?_sort=-_lastUpdated&_lastUpdated=ge2026',
  'Task?status=requested',
  'Task?patient.family=stone',
  'Patient?_has:Task:patient:status=requested',
  'Patient?_id=p&_revinclude=Task:patient',
  'Patient?name=stone&birthdate=ge1940&birthdate=le1960',
  'Patient?identifier=urn:x|1',
  'Observation?code-value-quantity=1-8$gt5',
])('%s reads no table from end to end', async (url) => {
  const plan = await planOf(url);
  const scanned = plan.map((line) => /^SCAN (\S+)/.exec(line)?.[1]).filter((alias) => alias !== undefined);
  expect(scanned.filter((alias) => !SUBQUERIES.has(alias))).toEqual([]);
  expect(plan.join('\n')).toContain('SEARCH');
});

test('a range that is asked for one candidate is not walked for all resources', async () => {
  const plan = await planOf('Patient?name=stone&birthdate=ge1940');
  expect(plan.filter((line) => line.includes('search_date_high'))).toEqual([]);
});

test('several codes are asked of one candidate at a time, and of search rows alone', async () => {
  const plan = await planOf('Task?owner=Practitioner/n&status=requested,in-progress&_sort=due');
  expect(plan.filter((line) => line.includes('search_token_code'))).toEqual([]);
  expect(plan.filter((line) => line.includes('SEARCH r '))).toHaveLength(1);
});

test('the page of one value is in order without sorting', async () => {
  const plan = await planOf('Task?patient=Patient/p&status=requested');
  expect(plan.filter((line) => line.includes('TEMP B-TREE'))).toEqual([]);
});

test.each([
  'Patient?_sort=-family',
  'Patient?_sort=birthdate',
  'Task?_sort=due',
  'Task?_sort=-priority',
  'Task?_sort=_id',
])('%s walks along an index, and looks at no other resource', async (url) => {
  const plan = (await planOf(url)).join('\n');
  expect(plan).not.toContain('TEMP B-TREE');
  expect(plan).not.toMatch(/SEARCH e USING COVERING INDEX/);
});

test('the same shape of query is the same text, whatever its values', async () => {
  const texts = async (url: string) => (await statementsOf(url)).map(({ text }) => text);
  expect(await texts('Task?patient=Patient/a&status=requested&_count=5')).toEqual(
    await texts('Task?patient=Patient/b&status=completed&_count=5'),
  );
});
