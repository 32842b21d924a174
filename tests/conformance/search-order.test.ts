// 27 to 29. Order and pages. https://hl7.org/fhir/R4/search.html#sort and https://hl7.org/fhir/R4/http.html#paging
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { type Asked, ask, idsOf } from './asked.ts';

let asked: Asked;

const patient = (id: string, more: object = {}) => ({ resourceType: 'Patient', id, ...more });
const task = (id: string, more: object = {}) => ({
  resourceType: 'Task',
  id,
  status: 'requested',
  intent: 'order',
  ...more,
});
const team = (id: string) => ({ resourceType: 'CareTeam', id, status: 'active', name: 'the same' });
const due = (end: string) => ({ restriction: { period: { end } } });
const TIED = Array.from({ length: 50 }, (_, index) => `tied-${index}`);

beforeAll(async () => {
  asked = await ask(
    patient('b', { birthDate: '2000-01-01', name: [{ family: 'Berg' }, { family: 'Zorn' }] }),
    patient('a', { birthDate: '1990-01-01', name: [{ family: 'Abel' }] }),
    patient('n'),
    patient('c', { birthDate: '2010-01-01', name: [{ family: 'Carl' }, { family: 'Aal' }] }),
    ...TIED.map((id) => task(id, { priority: 'urgent', ...due('2026-01-01') })),
    ...TIED.map(team),
    task('none'),
    task('late', { priority: 'asap', ...due('2027-01-01') }),
    task('early', { priority: 'asap', ...due('2025-01-01') }),
  );
});
afterAll(() => asked.close());

describe('27. _sort never filters: what has no value comes last', () => {
  test.each<[string, string[]]>([
    ['birthdate', ['a', 'b', 'c', 'n']],
    ['-birthdate', ['c', 'b', 'a', 'n']],
    ['family', ['c', 'a', 'b', 'n']],
    ['-family', ['b', 'c', 'a', 'n']],
    ['_id', ['a', 'b', 'c', 'n']],
    ['-_id', ['n', 'c', 'b', 'a']],
    ['gender,-birthdate', ['c', 'b', 'a', 'n']],
    ['organization,birthdate', ['a', 'b', 'c', 'n']],
    ['death-date,-_id', ['n', 'c', 'b', 'a']],
  ])('Patient?_sort=%s', async (sort, expected) => {
    expect(await asked.ids(`Patient?_sort=${sort}`)).toEqual(expected);
    const pages = await asked.pages(`Patient?_sort=${sort}&_count=1`);
    expect(pages.flatMap((page) => idsOf(page))).toEqual(expected);
  });

  it('a worklist is in order of priority, then due time', async () => {
    const all = await asked.ids('Task?_sort=priority,due&_count=1000');
    expect(all.slice(0, 2)).toEqual(['early', 'late']);
    expect([all.at(-1), all.length]).toEqual(['none', 53]);
  });
});

describe('28. equal values: each resource once through the pages', () => {
  test.each([
    'CareTeam?_sort=status',
    'CareTeam?_sort=-status',
    'CareTeam?status=active',
    'CareTeam?status=active,proposed&_sort=-_lastUpdated',
    'Task?priority=urgent,asap&_sort=priority',
    'Task?_sort=due',
    'Task?_sort=-priority,-due',
    'Task?priority:not=urgent&_sort=due',
  ])('%s', async (url) => {
    const all = await asked.ids(`${url}&_count=1000`);
    expect(new Set(all).size).toBe(all.length);
    for (const count of [1, 7, 50]) {
      const pages = await asked.pages(`${url}&_count=${count}`);
      expect(pages.flatMap((page) => idsOf(page))).toEqual(all);
    }
  });
});

describe('29. while others write', () => {
  test.each(['Task?_sort=due', 'Task?_sort=-due', 'Task?_sort=_id', 'Task?', 'Task?_sort=-_lastUpdated'])(
    '%s has everything that nobody touched once',
    async (url) => {
      const before = (await asked.ids(`${url}&_count=1000`)).toSorted();
      const made: string[] = [];
      const pages = await asked.pages(`${url}&_count=5`, async (page) => {
        for (const end of ['2020-01-01', '2026-01-01', '2030-01-01']) {
          const id = `${page % 2 ? 'a' : 'z'}-new-${page}-${end}`;
          await asked.put(task(id, due(end)));
          made.push(id);
        }
        await asked.baton.fhir('DELETE', `/Task/${made[page]}`);
      });
      const seen = pages.flatMap((page) => idsOf(page));
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen.filter((id) => !id.includes('new')).toSorted()).toEqual(before);
      for (const id of made) await asked.baton.fhir('DELETE', `/Task/${id}`);
    },
  );
});
