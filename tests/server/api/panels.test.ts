// Panels through /api/v1: what a nurse sees of them, enrols and declines; and that she sees no more than her patients.
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MemberView, PanelList, PanelView } from '../../../src/care/panels/panel-schema.ts';
import { createRegistry, type Registry } from '../../../src/registry/registry.ts';
import { createSearchEngine } from '../../../src/store/search/search-engine.ts';
import { condition, measured, PANELS, person } from '../../registry/population.ts';
import { FHIR, PARAMETERS } from '../serve.ts';
import { type ApiServer, serveApi } from './api-client.ts';

let baton: ApiServer;
let registry: Registry;
let nurse: string;

const put = (...all: object[]) =>
  baton.put(...(all as { readonly resourceType: string; readonly id: string; readonly [name: string]: unknown }[]));
const ROLE = 'https://baton.health/fhir/CodeSystem/care-role';

beforeAll(async () => {
  baton = await serveApi();
  registry = createRegistry({
    store: baton.temp.store,
    clock: baton.temp.clock,
    zone: 'UTC',
    panels: PANELS,
    parse: createSearchEngine({ parameters: PARAMETERS, baseUrl: FHIR }).parse,
    log: pino({ level: 'silent' }),
  });
  const people = ['ann', 'bea', 'cleo', 'dot', 'eve'];
  await put(...people.map((id) => person(id, '1940-01-01')));
  for (const id of people) await put(condition(`${id}-copd`, id, 'J44.1'));
  await put(
    condition('ann-hf', 'ann', 'I50.9'),
    condition('ann-ckd', 'ann', 'N18.4'),
    measured('ann-ef', 'ann', '10230-1', 30, '2026-01-01'),
    { resourceType: 'Practitioner', id: 'nurse', name: [{ family: 'Nurse' }] },
    {
      resourceType: 'PractitionerRole',
      id: 'nurse-role',
      active: true,
      practitioner: { reference: 'Practitioner/nurse' },
      code: [{ coding: [{ system: ROLE, code: 'case-manager' }] }],
    },
    {
      resourceType: 'CareTeam',
      id: 'team',
      status: 'active',
      subject: { reference: 'Patient/ann' },
      participant: [{ member: { reference: 'Practitioner/nurse' } }],
    },
  );
  await registry.tick();
  nurse = await baton.tokenOf('Practitioner/nurse', 'user/*.cruds');
});
afterAll(() => baton.close());

async function get<View>(path: string, as?: string): Promise<View> {
  const answer = await baton.api('GET', path, as === undefined ? {} : { as });
  expect(answer.status, answer.text).toBe(200);
  return answer.json as View;
}

const on = async (as?: string) =>
  (await get<PanelView>('/panels/copd?limit=200', as)).items.map(({ patient }) => patient.reference).sort();
const day = (days: number) => baton.temp.clock.now().toZonedDateTimeISO('UTC').add({ days }).toPlainDate().toString();

describe('reading', () => {
  it('lists panels with how many are on them', async () => {
    const { items } = await get<PanelList>('/panels');
    expect(items.map(({ id }) => id).sort()).toEqual(PANELS.panels.map(({ code }) => code).sort());
    expect(items.find(({ id }) => id === 'copd')).toMatchObject({ title: 'COPD', members: 5 });
  });

  it('says tier, score, since when and why', async () => {
    const panel = await get<PanelView>('/panels/heart-failure-high-risk');
    expect(panel).toMatchObject({
      criteria: [{ title: 'Diagnosis' }, { title: 'Risk of admission is high' }],
      method: { code: 'heart-failure-outreach', version: '1.0.0' },
    });
    expect(panel.items).toHaveLength(1);
    expect(panel.items[0]).toMatchObject({
      patient: { reference: 'Patient/ann', display: 'ann Sample' },
      status: 'on',
      tier: 'high',
      score: 6,
      why: [{ reference: 'Condition/ann-hf' }],
    });
    expect(panel.items[0]?.since).toMatch(/^\d{4}-/);
    const risk = await baton.fhir('GET', `/${panel.items[0]?.assessment?.reference}`);
    expect(risk.json).toMatchObject({ resourceType: 'RiskAssessment', subject: { reference: 'Patient/ann' } });
    expect((await get<PanelView>('/panels/heart-failure-high-risk?tier=low')).items).toEqual([]);
  });

  it('comes in pages', async () => {
    const seen: unknown[] = [];
    let path = '/panels/copd?limit=2';
    for (let page = 0; page < 3; page++) {
      const { items, next } = await get<PanelView>(path);
      seen.push(...items.map(({ patient }) => patient.reference));
      path = `/panels/copd?limit=2&after=${encodeURIComponent(next ?? '')}`;
      expect(next === undefined).toBe(page === 2);
    }
    expect(seen.sort()).toEqual(await on());
  });

  it('is narrowed to the patients of who asks, numbers too, in FHIR as well', async () => {
    expect(await on(nurse)).toEqual(['Patient/ann']);
    const { items } = await get<PanelList>('/panels', nurse);
    expect(items.find(({ id }) => id === 'copd')?.members).toBe(1);
    const groups = await baton.fhir('GET', '/Group?actual=true', { as: nurse });
    const members = groups.json.entry?.map(({ resource }) => JSON.stringify(resource?.member)) ?? [];
    expect(members).toHaveLength(2);
    expect(members.every((text) => text.includes('Patient/ann'))).toBe(true);
  });

  it('knows no other panel', async () => {
    expect((await baton.api('GET', '/panels/other')).status).toBe(404);
    expect((await baton.api('GET', '/panels/copd?shape=round')).status).toBe(400);
    const patientOnly = await baton.token('system/Patient.rs');
    expect((await baton.api('GET', '/panels', { as: patientOnly })).status).toBe(403);
  });
});

describe('answering', () => {
  it('enrols: a case is open, and the membership leads to it', async () => {
    const body = { careManager: { reference: 'Practitioner/nurse' }, priority: 'urgent' };
    const answer = await baton.api('POST', '/panels/copd/members/ann/enrol', { body, as: nurse });
    expect(answer.status, answer.text).toBe(200);
    const view = answer.json as unknown as MemberView;
    expect(view).toMatchObject({ status: 'on', patient: { reference: 'Patient/ann' } });
    const [, id] = view.case?.reference?.split('/') ?? [];
    expect(await get(`/cases/${id}`)).toMatchObject({
      status: 'active',
      priority: 'urgent',
      programme: { code: 'copd', text: 'COPD' },
    });
    const again = await baton.api('POST', '/panels/copd/members/ann/enrol', { body });
    expect(again.status).toBe(409);
    await registry.tick();
    const { items } = await get<PanelView>('/panels/copd', nurse);
    expect(items[0]).toMatchObject({ case: view.case, why: [{ reference: 'Condition/ann-copd' }] });
  });

  it('enrols nobody who is not on the panel', async () => {
    const answer = await baton.api('POST', '/panels/diabetes-out-of-control/members/ann/enrol', { body: {} });
    expect(answer.status).toBe(422);
  });

  it('declines until a day, whatever the rules say, and takes the patient back after it', async () => {
    const until = day(40);
    const body = { reason: { text: 'Sees a pulmonologist' }, until };
    const answer = await baton.api('POST', '/panels/copd/members/bea/decline', { body });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json).toMatchObject({
      status: 'declined',
      declined: { until, reason: { text: 'Sees a pulmonologist' } },
    });
    await put(condition('bea-more', 'bea', 'J43.9'));
    await registry.tick();
    expect(await on()).not.toContain('Patient/bea');
    expect((await get<PanelView>('/panels/copd?status=declined')).items).toHaveLength(1);
    baton.temp.clock.moveTo(baton.temp.clock.now().add({ hours: 24 * 41 }));
    await registry.tick();
    const { items } = await get<PanelView>('/panels/copd?limit=200');
    const bea = items.find(({ patient }) => patient.reference === 'Patient/bea');
    expect(bea?.spells).toHaveLength(2);
    expect(bea?.declined).toBeUndefined();
  });

  it('lets a declined patient be enrolled after all', async () => {
    const body = { reason: { text: 'Not now' }, until: day(400) };
    expect((await baton.api('POST', '/panels/copd/members/cleo/decline', { body })).status).toBe(200);
    const answer = await baton.api('POST', '/panels/copd/members/cleo/enrol', { body: {} });
    expect(answer.json).toMatchObject({ status: 'on' });
    await registry.tick();
    expect(await on()).toContain('Patient/cleo');
  });

  it.each([
    [{ reason: { text: 'x' }, until: '2020-01-01' }, 422, 'until'],
    [{ reason: { text: 'x' }, until: 'soon' }, 400, 'until'],
    [{ until: '2099-01-01' }, 400, 'reason'],
  ])('refuses %j', async (body, status, member) => {
    const answer = await baton.api('POST', '/panels/copd/members/dot/decline', { body });
    expect(answer.status, answer.text).toBe(status);
    expect((answer.json.errors as { member?: string }[])[0]?.member).toBe(member);
  });

  it('is not for patients of others', async () => {
    const body = { reason: { text: 'x' }, until: day(9) };
    expect((await baton.api('POST', '/panels/copd/members/dot/decline', { body, as: nurse })).status).toBe(422);
    expect((await baton.api('POST', '/panels/copd/members/dot/enrol', { body: {}, as: nurse })).status).toBe(422);
    expect(await on()).toContain('Patient/dot');
  });

  it('does a command sent twice once', async () => {
    const sent = { body: { reason: { text: 'Moves away' }, until: day(30) }, key: 'decline-eve' };
    const first = await baton.api('POST', '/panels/copd/members/eve/decline', sent);
    const second = await baton.api('POST', '/panels/copd/members/eve/decline', sent);
    expect(second.json.version).toBe(first.json.version);
  });
});
