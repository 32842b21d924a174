// What comes with Baton in profiles/ can be read and searched as FHIR, and is changed by nobody.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Entry, PROFILES, serve, type TestServer } from './serve.ts';

let baton: TestServer;

beforeAll(async () => {
  baton = await serve({ brought: PROFILES });
});

afterAll(() => baton.close());

const ids = (entries: readonly Entry[] = []) => entries.map(({ resource }) => resource?.id);

async function everyPage(path: string) {
  const pages: Entry[][] = [];
  for (let url: string | undefined = path; url !== undefined; ) {
    const { json } = await baton.fhir('GET', url);
    pages.push(json.entry ?? []);
    url = json.link?.find(({ relation }) => relation === 'next')?.url.replace(/^.*\/fhir\/R4/, '');
  }
  return pages;
}

test('a definition of each type is found by its url and version, and read by its id', async () => {
  const firstOfEach = [...Map.groupBy(PROFILES, ({ resourceType }) => resourceType).values()].flatMap(
    ([one]) => one ?? [],
  );
  for (const { resourceType, id, ...resource } of firstOfEach) {
    if (!('url' in resource)) continue;
    const { url, version } = resource as { url: string; version: string };
    const found = await baton.fhir('GET', `/${resourceType}?url=${encodeURIComponent(url)}&version=${version}`);
    expect(ids(found.json.entry), url).toEqual([id]);
  }
  const pathway = await baton.fhir('GET', '/PlanDefinition/heart-failure');
  expect(pathway.json).toMatchObject({
    id: 'heart-failure',
    url: 'https://baton.health/fhir/PlanDefinition/heart-failure',
  });
  expect(await baton.temp.store.head()).toBe(0);
});

test('a profile is given with the snapshot that others validate by', async () => {
  const { json } = await baton.fhir('GET', '/StructureDefinition/baton-case');
  const { element } = json.snapshot as { element: { path: string; short?: string }[] };
  expect(element.map(({ path }) => path)).toContain('EpisodeOfCare.careManager');
});

test('its version is its content: If-None-Match is 304, vread finds it, another is 404', async () => {
  const { headers, json } = await baton.fhir('GET', '/Questionnaire/phq-2');
  const etag = String(headers.etag);
  expect(etag).toBe(`W/"${json.meta?.versionId}"`);
  expect((await baton.fhir('GET', '/Questionnaire/phq-2', { headers: { 'if-none-match': etag } })).status).toBe(304);
  expect((await baton.fhir('GET', `/Questionnaire/phq-2/_history/${json.meta?.versionId}`)).status).toBe(200);
  expect((await baton.fhir('GET', '/Questionnaire/phq-2/_history/2')).status).toBe(404);
  expect((await baton.fhir('GET', '/Questionnaire/nobody')).status).toBe(404);
});

test('behind what is stored: every one once over all pages, and the total counts both', async () => {
  for (const id of ['own-1', 'own-2', 'own-3']) {
    await baton.fhir('PUT', `/PlanDefinition/${id}`, {
      body: { resourceType: 'PlanDefinition', id, status: 'active' },
    });
  }
  const shipped = PROFILES.filter(({ resourceType }) => resourceType === 'PlanDefinition').length;
  for (const count of [1, 2, 3, 4, 50]) {
    const pages = await everyPage(`/PlanDefinition?_count=${count}`);
    expect(pages.every((page) => page.length <= count)).toBe(true);
    const all = ids(pages.flat());
    expect(new Set(all).size).toBe(all.length);
    expect(all).toHaveLength(shipped + 3);
    expect(all.slice(0, 3).sort()).toEqual(['own-1', 'own-2', 'own-3']);
  }
  for (const path of ['?_summary=count', '?_total=accurate&_count=2', '?_count=100']) {
    expect((await baton.fhir('GET', `/PlanDefinition${path}`)).json.total, path).toBe(shipped + 3);
  }
  const middle = await baton.fhir('GET', '/PlanDefinition?_total=accurate&_count=2');
  const next = middle.json.link?.find(({ relation }) => relation === 'next')?.url.replace(/^.*\/fhir\/R4/, '') ?? '';
  expect((await baton.fhir('GET', next)).json.total).toBe(shipped + 3);
});

test('one that is stored under its id stands in for it, until it is deleted', async () => {
  const own = { resourceType: 'PlanDefinition', id: 'copd', url: 'https://example.org/own', status: 'draft' };
  expect((await baton.fhir('PUT', '/PlanDefinition/copd', { body: own })).status).toBe(201);
  expect((await baton.fhir('GET', '/PlanDefinition/copd')).json.url).toBe('https://example.org/own');
  const named = '/PlanDefinition?url=https://baton.health/fhir/PlanDefinition/copd';
  expect((await baton.fhir('GET', named)).json.total).toBe(0);
  await baton.fhir('DELETE', '/PlanDefinition/copd');
  expect((await baton.fhir('GET', '/PlanDefinition/copd')).json.url).toBe(
    'https://baton.health/fhir/PlanDefinition/copd',
  );
  expect((await baton.fhir('GET', named)).json.total).toBe(1);
});

test('who may not search the type gets none; any search parameter works', async () => {
  const token = await baton.token('system/Patient.rs');
  expect((await baton.fhir('GET', '/PlanDefinition', { as: token })).status).toBe(403);
  expect((await baton.fhir('GET', '/PlanDefinition/heart-failure', { as: token })).status).toBe(403);
  const titled = await baton.fhir('GET', '/Questionnaire?title:contains=phq&status=active&_elements=url&_sort=name');
  expect(ids(titled.json.entry).sort()).toEqual(['phq-2', 'phq-9']);
  const expanded = await baton.fhir('GET', '/ValueSet/care-role/$expand');
  expect(expanded.status).toBe(200);
});
