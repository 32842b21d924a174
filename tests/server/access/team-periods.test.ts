// Who is on a care team is on it while the participation lasts; who managed a case that is closed still reads what was done.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ReferWorld, referWorld } from '../api/refer-world.ts';
import type { Json } from '../serve.ts';

let baton: ReferWorld;
const ref = (reference: string) => ({ reference });
const instantIn = (time: Temporal.DurationLike) => baton.temp.clock.now().add(time).toString();
/** As dates go: the day in UTC. */
const dayIn = (days: number) => instantIn({ hours: 24 * days }).slice(0, 10);
const idsOf = ({ entry = [] }: Json) => entry.map(({ resource }) => resource?.id).toSorted();

beforeAll(async () => {
  baton = await referWorld();
  await baton.put(
    { resourceType: 'Practitioner', id: 'next', name: [{ family: 'next' }] },
    {
      resourceType: 'PractitionerRole',
      id: 'next-role',
      active: true,
      practitioner: ref('Practitioner/next'),
      organization: ref('Organization/shelter'),
      code: [{ coding: [{ system: 'https://baton.health/fhir/CodeSystem/care-role', code: 'case-manager' }] }],
    },
    { resourceType: 'Patient', id: 'eve', name: [{ family: 'Example' }] },
    { resourceType: 'Task', id: 'of-eve', status: 'requested', intent: 'order', for: ref('Patient/eve') },
  );
});

afterAll(() => baton.close());

type Period = { readonly start?: string; readonly end?: string };

/** Puts the nurse on the team of eve for these times; undefined is a participation without a period. */
async function onTeam(...periods: (Period | undefined)[]): Promise<void> {
  const participant = periods.map((period) => ({ member: ref('Practitioner/nurse'), ...(period ? { period } : {}) }));
  await baton.put({
    resourceType: 'CareTeam',
    id: 'of-eve',
    status: 'active',
    subject: ref('Patient/eve'),
    participant,
  });
}

/** What the nurse sees of eve, through every door. */
async function seen(): Promise<unknown[]> {
  const as = baton.nurse;
  const get = (path: string) => baton.fhir('GET', path, { as });
  const [read, task, search, count, all, chained] = await Promise.all([
    get('/Patient/eve'),
    get('/Task/of-eve'),
    get('/Task?_id=of-eve'),
    get('/Patient?_id=eve&_summary=count'),
    get('/Patient/eve/$everything'),
    get('/Task?patient:Patient.family=Example'),
  ]);
  return [
    ...[read, task, all].map(({ status }) => status),
    idsOf(search.json).length,
    count.json.total,
    chained.json.total,
  ];
}

const OPEN = [200, 200, 200, 1, 1, 1];
const SHUT = [404, 404, 404, 0, 0, 0];

describe('a participation', () => {
  it.each([
    ['without a period', () => [undefined], OPEN],
    ['that has begun', () => [{ start: instantIn({ seconds: -30 }) }], OPEN],
    ['that is not over', () => [{ end: instantIn({ seconds: 30 }) }], OPEN],
    ['that ends with today', () => [{ start: '2020', end: dayIn(0) }], OPEN],
    ['that is over', () => [{ start: '2020-01-01', end: instantIn({ seconds: -2 }) }], SHUT],
    ['that ended yesterday', () => [{ end: dayIn(-1) }], SHUT],
    ['that has not begun', () => [{ start: instantIn({ seconds: 30 }) }], SHUT],
    ['that begins tomorrow', () => [{ start: dayIn(1), end: dayIn(9) }], SHUT],
    ['that is over, and another that goes on', () => [{ end: dayIn(-9) }, { start: dayIn(-1) }], OPEN],
    ['that is over, and another that is to come', () => [{ end: dayIn(-9) }, { start: dayIn(9) }], SHUT],
  ] as [string, () => (Period | undefined)[], unknown[]][])('%s', async (_, periods, expected) => {
    await onTeam(...periods());
    expect(await seen()).toEqual(expected);
  });

  it('that is over lets nobody write, and nobody writes themselves back', async () => {
    await onTeam({ end: dayIn(-1) });
    const as = baton.nurse;
    const task = { resourceType: 'Task', id: 'of-eve', status: 'requested', intent: 'order', for: ref('Patient/eve') };
    expect((await baton.fhir('PUT', '/Task/of-eve', { as, body: task })).status).toBe(404);
    const team = {
      resourceType: 'CareTeam',
      id: 'of-eve',
      status: 'active',
      subject: ref('Patient/eve'),
      participant: [{ member: ref('Practitioner/nurse') }],
    };
    expect((await baton.fhir('PUT', '/CareTeam/of-eve', { as, body: team })).status).toBe(404);
    const { id: _, ...another } = team;
    expect((await baton.fhir('POST', '/CareTeam', { as, body: another })).status).toBe(403);
  });

  it('of another does not count for one whose own is over', async () => {
    const participant = [
      { member: ref('Practitioner/nurse'), period: { end: dayIn(-1) } },
      { member: ref('Practitioner/next'), period: { start: dayIn(-1) } },
    ];
    await baton.put({
      resourceType: 'CareTeam',
      id: 'of-eve',
      status: 'active',
      subject: ref('Patient/eve'),
      participant,
    });
    expect(await seen()).toEqual(SHUT);
  });
});

const MOVED = { reason: { text: 'Moved' }, outcome: { text: 'Unknown' } };

describe('a case', () => {
  const opened = async (patient: string) => {
    const id = await baton.open(patient);
    const next = await baton.tokenOf('Practitioner/next', 'user/*.cruds');
    return { id, next };
  };
  /** Periods are written to the second, and standings remembered for one. */
  const later = async () => {
    const { clock } = baton.temp;
    clock.moveTo(clock.now().add({ seconds: 3 }));
    await baton.put({ resourceType: 'Organization', id: 'clinic', active: true, name: 'clinic' });
  };
  const statuses = async (as: string, id: string) =>
    Promise.all(
      ['', '/timeline', '/handover'].map(
        async (path) => (await baton.api('GET', `/cases/${id}${path}`, { as })).status,
      ),
    );

  it('that was handed over is gone for who had it', async () => {
    const { id, next } = await opened('han');
    const body = { to: ref('Practitioner/next'), note: 'Calls in the morning' };
    expect((await baton.asNurse('POST', `/cases/${id}/handover`, body)).status).toBeLessThan(300);
    await later();
    expect(await statuses(baton.nurse, id)).toEqual([404, 404, 404]);
    expect((await baton.fhir('GET', '/Patient/han', { as: baton.nurse })).status).toBe(404);
    expect(await statuses(next, id)).toEqual([200, 200, 200]);
  });

  it('that is closed stays readable for who managed it last, and no more than that', async () => {
    const { id } = await opened('lea');
    const as = baton.nurse;
    const closed = await baton.asNurse('POST', `/cases/${id}/close`, MOVED);
    expect([closed.status, closed.json.status], closed.text).toEqual([200, 'finished']);
    await later();
    expect(await statuses(as, id)).toEqual([200, 200, 200]);
    const listed = await baton.asNurse('GET', '/cases?status=finished&careManager=Practitioner/nurse');
    expect((listed.json.items as Json[]).map((each) => each.id)).toContain(id);
    await baton.put({
      resourceType: 'Immunization',
      id: 'later',
      status: 'completed',
      vaccineCode: { text: 'x' },
      patient: ref('Patient/lea'),
      occurrenceDateTime: '2026-11-01',
    });
    expect((await baton.fhir('GET', '/Immunization/later', { as })).status).toBe(404);
    const patient = { resourceType: 'Patient', id: 'lea', active: true, name: [{ family: 'changed' }] };
    expect((await baton.fhir('PUT', '/Patient/lea', { as, body: patient })).status).toBe(404);
    const task = { resourceType: 'Task', status: 'requested', intent: 'order', for: ref('Patient/lea') };
    expect((await baton.fhir('POST', '/Task', { as, body: task })).status).toBe(403);
    const again = { patient: ref('Patient/lea'), careManager: ref('Practitioner/nurse') };
    expect((await baton.asNurse('POST', '/cases', again)).status).toBe(403);
    expect(
      (await baton.api('GET', `/cases/${id}`, { as: await baton.tokenOf('Practitioner/next', 'user/*.cruds') })).status,
    ).toBe(404);
  });

  it('that is closed lets nobody write themselves into the record by what it shows', async () => {
    const { id } = await opened('mia');
    expect((await baton.asNurse('POST', `/cases/${id}/close`, MOVED)).status).toBe(200);
    await baton.open('own');
    // The team of mia names a patient of the nurse, so that the nurse may change it.
    const team = (...more: object[]) => ({
      resourceType: 'CareTeam',
      id: 'of-mia',
      status: 'active',
      subject: ref('Patient/mia'),
      participant: [{ member: ref('Patient/own') }, ...more],
    });
    await baton.put(team());
    const as = baton.nurse;
    const body = team({ member: ref('Practitioner/nurse') });
    expect((await baton.fhir('PUT', '/CareTeam/of-mia', { as, body })).status).toBe(403);
  });

  it('that is closed is open to the supervisor of its organization', async () => {
    const { id } = await opened('sup');
    expect((await baton.asNurse('POST', `/cases/${id}/close`, MOVED)).status).toBe(200);
    await baton.put(
      { resourceType: 'Practitioner', id: 'chief' },
      {
        resourceType: 'PractitionerRole',
        id: 'chief-role',
        active: true,
        practitioner: ref('Practitioner/chief'),
        organization: ref('Organization/clinic'),
        code: [{ coding: [{ system: 'https://baton.health/fhir/CodeSystem/care-role', code: 'supervisor' }] }],
      },
    );
    expect(await statuses(await baton.tokenOf('Practitioner/chief', 'user/*.cruds'), id)).toEqual([200, 200, 200]);
  });
});
