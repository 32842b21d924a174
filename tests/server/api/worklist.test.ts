// The worklist and the caseloads of two case managers, as they and their supervisor see them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, serveApi } from './api-client.ts';

let baton: ApiServer;
const cases: Record<string, { id: string; plan: { reference: string } }> = {};

interface Item {
  readonly id: string;
  readonly [name: string]: unknown;
}

/** Days from the test clock's today. */
let day: (days: number) => string;

beforeAll(async () => {
  baton = await serveApi();
  const today = baton.temp.clock.now().toZonedDateTimeISO('UTC').toPlainDate();
  day = (days) => today.add({ days }).toString();
  await baton.put(
    { resourceType: 'Organization', id: 'clinic', name: 'Clinic' },
    { resourceType: 'Practitioner', id: 'mary', name: [{ given: ['Mary'], family: 'Nurse' }] },
    { resourceType: 'Practitioner', id: 'john', name: [{ text: 'John' }] },
    {
      resourceType: 'PractitionerRole',
      id: 'mary-role',
      active: true,
      organization: { reference: 'Organization/clinic' },
      practitioner: { reference: 'Practitioner/mary' },
      code: [{ coding: [{ system: 'https://baton.health/fhir/CodeSystem/care-role', code: 'case-manager' }] }],
      extension: [{ url: 'https://baton.health/fhir/StructureDefinition/caseload-capacity', valuePositiveInt: 40 }],
    },
    { resourceType: 'Patient', id: 'ann', name: [{ given: ['Ann'], family: 'Example' }] },
    { resourceType: 'Patient', id: 'bob', name: [{ given: ['Bob'], family: 'Example' }] },
  );
  for (const [patient, manager] of [
    ['ann', 'mary'],
    ['bob', 'john'],
  ] as const) {
    const body = {
      patient: { reference: `Patient/${patient}` },
      careManager: { reference: `Practitioner/${manager}` },
    };
    const answer = await baton.api('POST', '/cases', { body });
    cases[patient] = answer.json as never;
  }
  await task('late', 'ann', 'mary', { priority: 'routine', end: `${day(-2)}T10:00:00Z` });
  await task('soon', 'ann', 'mary', { priority: 'routine', start: day(-5), end: day(3) });
  await task('undated', 'ann', 'mary', {});
  await task('urgent', 'ann', 'mary', { priority: 'urgent', end: day(9), status: 'on-hold' });
  await task('stat', 'bob', 'john', { priority: 'stat', end: day(-1), status: 'in-progress' });
  await task('today', 'bob', 'john', { end: day(0) });
  await task('done', 'ann', 'mary', { status: 'completed', end: day(-9) });
  await task('role', 'ann', 'mary', { end: day(5), owner: 'PractitionerRole/mary-role' });
});

afterAll(() => baton.close());

function task(id: string, patient: string, manager: string, more: Record<string, string>): Promise<void> {
  const { start, end, status = 'requested', owner = `Practitioner/${manager}`, ...rest } = more;
  const period = { ...(start ? { start } : {}), ...(end ? { end } : {}) };
  return baton.put({
    resourceType: 'Task',
    id,
    status,
    intent: 'order',
    code: { coding: [{ system: 'urn:kind', code: 'call' }], text: 'Call' },
    for: { reference: `Patient/${patient}` },
    basedOn: [{ reference: cases[patient]?.plan.reference }],
    owner: { reference: owner },
    ...(end ? { restriction: { period } } : {}),
    ...rest,
  });
}

async function list(query = '', as?: string): Promise<{ ids: string[]; items: Item[]; next?: string }> {
  const answer = await baton.api('GET', `/worklist${query}`, as === undefined ? {} : { as });
  expect(answer.status, answer.text).toBe(200);
  const { items, next } = answer.json as unknown as { items: Item[]; next?: string };
  return { ids: items.map(({ id }) => id), items, ...(next === undefined ? {} : { next }) };
}

describe('the worklist', () => {
  it('has what is open, by priority, then by deadline, without one last', async () => {
    const { ids, items } = await list();
    expect(ids).toEqual(['stat', 'urgent', 'late', 'today', 'soon', 'role', 'undated']);
    expect(items[0]).toMatchObject({
      task: { reference: 'Task/stat' },
      kind: { system: 'urn:kind', code: 'call', text: 'Call' },
      patient: { reference: 'Patient/bob', display: 'Bob Example' },
      case: cases.bob?.id,
      plan: { reference: cases.bob?.plan.reference },
      overdue: true,
      verbs: ['hold', 'complete', 'fail', 'cancel'],
    });
    expect(items[1]).toMatchObject({ overdue: false, verbs: ['resume', 'fail', 'cancel'] });
    expect(items.map(({ overdue }) => overdue)).toEqual([true, false, true, false, false, false, false]);
  });

  it.each([
    ['?owner=Practitioner/mary', ['urgent', 'late', 'soon', 'role', 'undated']],
    ['?owner=Practitioner/john', ['stat', 'today']],
    ['?overdue=true', ['stat', 'late']],
    ['?overdue=false', ['urgent', 'today', 'soon', 'role']],
    ['?patient=Patient/bob', ['stat', 'today']],
    ['?status=completed', ['done']],
    ['?status=on-hold,in-progress', ['stat', 'urgent']],
    ['?kind=urn:kind|call&owner=Practitioner/john', ['stat', 'today']],
    ['?kind=visit', []],
    ['?case=nothing', []],
  ])('%s narrows it', async (query, expected) => {
    expect((await list(query)).ids).toEqual(expected);
  });

  it('is narrowed by case, by deadline and by team', async () => {
    expect((await list(`?case=${cases.bob?.id}`)).ids).toEqual(['stat', 'today']);
    expect((await list(`?dueBefore=${day(4)}&owner=Practitioner/mary`)).ids).toEqual(['late', 'soon']);
    const { teams } = (await baton.api('GET', `/cases/${cases.ann?.id}`)).json as unknown as {
      teams: { reference: string }[];
    };
    expect((await list(`?team=${teams[0]?.reference}`)).ids).toEqual(['urgent', 'late', 'soon', 'undated']);
  });

  it('is paged, each task on one page', async () => {
    const seen: string[] = [];
    let after = '';
    for (;;) {
      const page = await list(`?limit=2${after}`);
      seen.push(...page.ids);
      if (page.next === undefined) break;
      after = `&after=${encodeURIComponent(page.next)}`;
    }
    expect(seen).toEqual(['stat', 'urgent', 'late', 'today', 'soon', 'role', 'undated']);
    expect((await baton.api('GET', '/worklist?after=x')).status).toBe(400);
  });

  it('shows a person their own, and no name to who may not read it', async () => {
    const mary = await baton.tokenOf('Practitioner/mary', 'user/*.rs');
    expect((await list('?mine=true', mary)).ids).toEqual(['urgent', 'late', 'soon', 'role', 'undated']);
    expect((await list('', mary)).ids).not.toContain('stat');
    const tasksOnly = await baton.token('system/Task.rs');
    const { items } = await list('', tasksOnly);
    expect(items[0]?.patient).toEqual({ reference: 'Patient/bob' });
    expect((await baton.api('GET', '/worklist?mine=true')).status).toBe(400);
  });
});

describe('caseloads', () => {
  it('count what each manager has', async () => {
    const answer = await baton.api('GET', '/caseloads');
    expect(answer.json.items, answer.text).toEqual([
      {
        manager: { reference: 'Practitioner/john', display: 'John' },
        active: 1,
        onHold: 0,
        waiting: 0,
        overdue: 1,
        dueToday: 1,
      },
      {
        manager: { reference: 'Practitioner/mary', display: 'Mary Nurse' },
        ...{ active: 1, onHold: 0, waiting: 0, overdue: 1, dueToday: 0, capacity: 40, free: 39 },
      },
    ]);
  });

  it('of one manager show the cases', async () => {
    const answer = await baton.api('GET', '/caseloads/mary');
    expect(answer.json, answer.text).toMatchObject({
      active: 1,
      items: [{ case: { id: cases.ann?.id, patient: { display: 'Ann Example' } }, open: 4, overdue: 1 }],
    });
    expect((await baton.api('GET', '/caseloads/nobody')).status).toBe(404);
  });
});
