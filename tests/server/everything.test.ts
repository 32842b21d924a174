// $everything over HTTP: what belongs to a patient's record, in which pages, and what a token may see of it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, FHIR, serve, type TestServer } from './serve.ts';

let baton: TestServer;

beforeAll(async () => {
  baton = await serve();
  const put = async (type: string, id: string, more: object = {}) => {
    const answer = await baton.fhir('PUT', `/${type}/${id}`, { body: { resourceType: type, id, ...more } });
    expect(answer.status, answer.text).toBeLessThan(300);
  };
  await put('Organization', 'unused', { name: 'Unused' });
  await put('Organization', 'clinic', { name: 'Clinic' });
  await put('PractitionerRole', 'nurse', { organization: { reference: 'Organization/clinic' } });
  await put('Patient', 'bea');
  await put('Patient', 'ann', { link: [{ other: { reference: 'Patient/bea' }, type: 'seealso' }] });
  for (const [patient, id] of [
    ['ann', 'a'],
    ['bea', 'b'],
  ] as const) {
    const subject = { reference: `Patient/${patient}` };
    await put('Task', `${id}-task`, {
      status: 'requested',
      intent: 'order',
      for: subject,
      owner: { reference: 'PractitionerRole/nurse' },
      authoredOn: '2026-02-01T10:00:00Z',
    });
    await put('Goal', `${id}-goal`, { lifecycleStatus: 'active', description: { text: 'walk' }, subject });
    for (const [month, n] of [
      ['2026-01', 1],
      ['2026-03', 2],
    ] as const) {
      const code = { text: 'weight' };
      await put('Observation', `${id}-o${n}`, { status: 'final', code, subject, effectiveDateTime: `${month}-15` });
    }
  }
});

afterAll(() => baton.close());

const found = (answer: Answer, mode?: string) => {
  expect(answer.status, answer.text).toBe(200);
  return (answer.json.entry ?? [])
    .filter(({ search }) => mode === undefined || search?.mode === mode)
    .map(({ resource }) => `${resource?.resourceType}/${resource?.id}`)
    .sort();
};

const RECORD = ['Goal/a-goal', 'Observation/a-o1', 'Observation/a-o2', 'Patient/ann', 'Task/a-task'];

describe('Patient/$everything', () => {
  it('gives the compartment as matches, and what it needs besides as includes, of nobody else', async () => {
    const answer = await baton.fhir('GET', '/Patient/ann/$everything');
    expect(found(answer, 'match')).toEqual(RECORD);
    expect(found(answer, 'include')).toEqual(['Organization/clinic', 'PractitionerRole/nurse']);
    expect(answer.json.type).toBe('searchset');
  });

  it('answers POST with Parameters alike', async () => {
    const body = { resourceType: 'Parameters', parameter: [{ name: '_type', valueCode: 'Goal' }] };
    const answer = await baton.fhir('POST', '/Patient/ann/$everything', { body });
    expect(found(answer)).toEqual(['Goal/a-goal']);
  });

  it('is paged, each resource on exactly one page, with links that work', async () => {
    let url: string | undefined = `${FHIR}/Patient/ann/$everything?_count=2`;
    const seen: string[] = [];
    for (let pages = 0; url !== undefined; pages += 1) {
      expect(pages).toBeLessThan(4);
      const answer: Answer = await baton.fhir('GET', url.slice(FHIR.length));
      seen.push(...found(answer, 'match'));
      url = answer.json.link?.find(({ relation }) => relation === 'next')?.url;
    }
    expect(seen.sort()).toEqual(RECORD);
  });

  it('takes _type, and an unknown one is refused', async () => {
    const answer = await baton.fhir('GET', '/Patient/ann/$everything?_type=Observation,PractitionerRole');
    expect(found(answer)).toEqual(['Observation/a-o1', 'Observation/a-o2']);
    const withTask = await baton.fhir('GET', '/Patient/ann/$everything?_type=Task,PractitionerRole');
    expect(found(withTask)).toEqual(['PractitionerRole/nurse', 'Task/a-task']);
    expect((await baton.fhir('GET', '/Patient/ann/$everything?_type=Observations')).status).toBe(400);
  });

  it('takes the period of care; what has no date stays', async () => {
    const answer = await baton.fhir('GET', '/Patient/ann/$everything?start=2026-02-01&end=2026-02-28');
    expect(found(answer, 'match')).toEqual(['Goal/a-goal', 'Patient/ann', 'Task/a-task']);
    const open = await baton.fhir('GET', '/Patient/ann/$everything?start=2026-03-01&_type=Observation');
    expect(found(open)).toEqual(['Observation/a-o2']);
    expect((await baton.fhir('GET', '/Patient/ann/$everything?start=spring&_type=Patient')).status).toBe(400);
  });

  it('takes _since: what changed from then on', async () => {
    const before = await baton.fhir('GET', '/Goal/a-goal');
    const since = encodeURIComponent(before.json.meta?.lastUpdated ?? '');
    const all = found(await baton.fhir('GET', `/Patient/ann/$everything?_since=${since}`));
    expect(all).toContain('Goal/a-goal');
    expect(all).not.toContain('Task/a-task');
    expect(found(await baton.fhir('GET', '/Patient/ann/$everything?_since=2999-01-01T00:00:00Z'))).toEqual([]);
    expect((await baton.fhir('GET', '/Patient/ann/$everything?_since=yesterday')).status).toBe(400);
  });

  it('knows only patients that are there', async () => {
    expect((await baton.fhir('GET', '/Patient/nobody/$everything')).status).toBe(404);
    expect((await baton.fhir('GET', '/Task/a-task/$everything')).status).toBe(404);
    expect((await baton.fhir('GET', '/Patient/$everything')).status).toBe(400);
    expect((await baton.fhir('GET', '/Patient/ann/$everything?foo=1')).status).toBe(400);
    expect((await baton.fhir('PUT', '/Patient/ann/$everything', { body: {} })).status).toBe(405);
  });

  it('gives a token what it may read, and no more', async () => {
    const some = await baton.token('system/Patient.rs system/Task.rs');
    const answer = await baton.fhir('GET', '/Patient/ann/$everything', { as: some });
    expect(found(answer)).toEqual(['Patient/ann', 'Task/a-task']);
    const part = await baton.token('system/Patient.rs system/Observation.rs?_id=a-o1');
    expect(found(await baton.fhir('GET', '/Patient/ann/$everything', { as: part }))).toEqual([
      'Observation/a-o1',
      'Patient/ann',
    ]);
    const none = await baton.token('system/Task.rs');
    expect((await baton.fhir('GET', '/Patient/ann/$everything', { as: none })).status).toBe(403);
  });

  it('gives a patient the own record, with or without the id', async () => {
    const own = await baton.token('patient/*.rs', 'ann');
    expect(found(await baton.fhir('GET', '/Patient/ann/$everything', { as: own }), 'match')).toEqual(RECORD);
    expect(found(await baton.fhir('GET', '/Patient/$everything', { as: own }), 'match')).toEqual(RECORD);
    expect((await baton.fhir('GET', '/Patient/bea/$everything', { as: own })).status).toBe(404);
  });
});
