// Timeline, hand-over summary and transitions of a case whose patient's record others have written too.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, serveApi } from './api-client.ts';

let baton: ApiServer;
let id: string;

interface Entry {
  readonly kind: string;
  readonly when?: string;
  readonly what: string;
  readonly reference: string;
  readonly [name: string]: unknown;
}

const subject = { reference: 'Patient/ann' };
const nurse = { reference: 'Practitioner/nurse' };
const system = 'https://baton.health/fhir/CodeSystem/episode-type';

beforeAll(async () => {
  baton = await serveApi();
  const now = baton.temp.clock.now();
  const at = (hours: number) => now.add({ hours }).toString({ smallestUnit: 'second' });
  await baton.put(
    { resourceType: 'Practitioner', id: 'nurse' },
    {
      resourceType: 'Patient',
      id: 'ann',
      name: [{ given: ['Ann'], family: 'Example' }],
      birthDate: '1950-02-03',
      telecom: [{ system: 'phone', value: '555-0101' }],
    },
    { resourceType: 'Patient', id: 'bob' },
  );
  const body = { patient: subject, careManager: nurse, programme: { text: 'Heart *failure*' } };
  const opened = await baton.api('POST', '/cases', { body });
  ({ id } = opened.json as unknown as { id: string });
  const plan = (opened.json as unknown as { plan: { reference: string } }).plan;
  const task = (name: string, due: string | undefined, more: object = {}) => ({
    ...{
      resourceType: 'Task',
      id: name,
      status: 'requested',
      intent: 'order',
      description: `Do ${name}`,
      for: subject,
    },
    basedOn: [plan],
    owner: nurse,
    lastModified: '2026-02-01T10:00:00Z',
    ...(due === undefined ? {} : { restriction: { period: { end: due } } }),
    ...more,
  });
  const category = (code: string) => [
    { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-category', code }] },
  ];
  const active = {
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
  };
  await baton.put(
    {
      ...{ resourceType: 'Encounter', id: 'stay', status: 'finished', subject },
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP', display: 'inpatient' },
      period: { start: '2026-01-10T08:00:00Z', end: '2026-01-14T08:00:00Z' },
    },
    {
      ...{ resourceType: 'Condition', id: 'chf', clinicalStatus: active, category: category('problem-list-item') },
      ...{ code: { text: 'Heart failure' }, subject, recordedDate: '2026-01-11' },
    },
    {
      ...{ resourceType: 'Condition', id: 'food', clinicalStatus: active, category: category('health-concern') },
      ...{ code: { text: 'Food insecurity' }, subject, recordedDate: '2026-01-20' },
    },
    {
      ...{ resourceType: 'Goal', id: 'walk', lifecycleStatus: 'active', description: { text: 'Walk daily' }, subject },
      startDate: '2026-01-21',
      target: [
        { measure: { text: 'Steps' }, detailQuantity: { value: 2000, comparator: '>=' }, dueDate: '2026-06-01' },
      ],
    },
    {
      ...{ resourceType: 'Observation', id: 'steps', status: 'final', code: { text: 'Steps' }, subject },
      focus: [{ reference: 'Goal/walk' }],
      effectiveDateTime: '2026-01-28',
    },
    { ...{ resourceType: 'Observation', id: 'weight', status: 'final', code: { text: 'Weight' }, subject } },
    {
      ...{ resourceType: 'Communication', id: 'call', status: 'completed', subject, sender: nurse },
      ...{ topic: { text: 'Check-in call' }, sent: '2026-01-25T10:00:00Z', note: [{ text: 'Feels well.' }] },
    },
    { resourceType: 'Communication', id: 'undated', status: 'completed', subject },
    {
      ...{ resourceType: 'Flag', id: 'falls', status: 'active', code: { text: 'Falls' }, subject },
      period: { start: '2026-01-12' },
    },
    {
      ...{ resourceType: 'DetectedIssue', id: 'double', status: 'preliminary', patient: subject },
      ...{ code: { text: 'Twice the same' }, identifiedDateTime: '2026-01-15T09:00:00Z' },
    },
    task('late', at(-48)),
    task('soon', at(48)),
    task('someday', undefined),
    task('other', at(-48), { for: { reference: 'Patient/bob' }, basedOn: undefined }),
    {
      ...{ resourceType: 'EpisodeOfCare', id: 'trans', status: 'active', patient: subject, careManager: nurse },
      type: [{ coding: [{ system, code: 'transition-of-care' }], text: 'Transition of care' }],
      period: { start: '2026-01-14T08:00:00Z' },
    },
    {
      ...task('follow', at(-24), { lastModified: '2026-01-14T09:00:00Z', basedOn: undefined }),
      groupIdentifier: { system: 'urn:baton:transition-plan', value: 'trans' },
    },
  );
});

afterAll(() => baton.close());

async function timeline(query = '', as?: string) {
  const answer = await baton.api('GET', `/cases/${id}/timeline${query}`, as === undefined ? {} : { as });
  expect(answer.status, answer.text).toBe(200);
  return answer.json as unknown as { items: Entry[]; next?: string };
}

describe('the timeline', () => {
  it('has everything once, newest first, what has no date last', async () => {
    const { items, next } = await timeline();
    expect(next).toBeUndefined();
    const dated = items.filter(({ when }) => when !== undefined);
    const times = dated.map(({ when = '' }) =>
      when.length === 10 ? Date.parse(`${when}T00:00:00Z`) : Date.parse(when),
    );
    expect(times).toEqual([...times].sort((a, b) => b - a));
    const story = dated
      .filter(({ when = '' }) => when < '2026-02')
      .map(({ kind, reference }) => `${kind} ${reference}`);
    expect(story).toEqual([
      'progress Observation/steps',
      'contact Communication/call',
      'goal Goal/walk',
      'need Condition/food',
      'medication-issue DetectedIssue/double',
      'task Task/follow',
      'transition EpisodeOfCare/trans',
      'flag Flag/falls',
      'need Condition/chf',
      'admission Encounter/stay',
    ]);
    expect(items.at(-1)).toEqual({
      kind: 'contact',
      what: 'Communication',
      status: 'completed',
      reference: 'Communication/undated',
    });
    const references = items.map(({ kind, reference, status }) => `${kind} ${reference} ${status}`);
    expect(new Set(references).size).toBe(references.length);
    expect(references).not.toContain('task Task/other requested');
    expect(items.find(({ kind }) => kind === 'case-status')).toMatchObject({ what: 'Case active' });
  });

  it('is paged without a gap or a double, however small the page', async () => {
    const whole = (await timeline()).items;
    for (const limit of [1, 3, 7]) {
      const seen: Entry[] = [];
      let after: string | undefined = '';
      while (after !== undefined && seen.length <= whole.length) {
        const page = await timeline(`?limit=${limit}${after === '' ? '' : `&after=${after}`}`);
        seen.push(...page.items);
        after = page.next;
      }
      expect(seen).toEqual(whole);
    }
  });

  it('is narrowed by kind, and knows no other', async () => {
    const { items } = await timeline('?kind=need,goal');
    expect(items.map(({ reference }) => reference)).toEqual(['Goal/walk', 'Condition/food', 'Condition/chf']);
    for (const query of ['?kind=birthday', '?after=x', '?after=W10x']) {
      expect((await baton.api('GET', `/cases/${id}/timeline${query}`)).status, query).toBe(400);
    }
  });

  it('shows what the caller may see, and no more', async () => {
    const { items } = await timeline('', await baton.token('system/EpisodeOfCare.rs system/Goal.rs'));
    expect(items.map(({ kind }) => kind).sort()).toEqual(['case-status', 'goal', 'transition']);
    expect((await baton.api('GET', '/cases/nobody/timeline')).status).toBe(404);
  });
});

describe('the hand-over', () => {
  it('tells what the next case manager must know', async () => {
    const answer = await baton.api('GET', `/cases/${id}/handover`);
    const names = (lines: unknown) => (lines as { what: string }[]).map(({ what }) => what);
    const { situation, background, ...rest } = answer.json as unknown as Record<string, unknown>;
    expect(situation).toMatchObject({
      case: { id },
      patient: { reference: 'Patient/ann', name: 'Ann Example', birthDate: '1950-02-03', phone: '555-0101' },
    });
    expect(names((background as { diagnoses: unknown }).diagnoses)).toEqual(['Heart failure']);
    expect(names(rest.needs)).toEqual(['Food insecurity']);
    expect(rest.goals).toMatchObject([{ what: 'Walk daily', detail: 'Steps >= 2000 by 2026-06-01' }]);
    expect(names(rest.overdue)).toEqual(['Do late', 'Do follow']);
    expect(names(rest.dueSoon)).toEqual(['Do soon']);
    expect(names(rest.openLater)).toEqual(['Do someday']);
    expect(rest.contacts).toMatchObject([{ what: 'Check-in call', detail: 'Feels well.' }, {}]);
    expect(names(rest.risks)).toEqual(['Falls']);
    expect(names(rest.medicationIssues)).toEqual(['Twice the same']);
    expect(rest.team).toMatchObject([{ member: subject }, { member: nurse, role: 'Case manager' }]);
  });

  it('comes as Markdown or plain text when that is wanted', async () => {
    const ask = (accept: string) => baton.api('GET', `/cases/${id}/handover`, { headers: { accept } });
    const markdown = await ask('text/markdown, application/json;q=0.5');
    expect(markdown.headers['content-type']).toBe('text/markdown; charset=utf-8');
    expect(markdown.text).toContain('## Overdue\n\n- Do late (requested');
    expect(markdown.text).toContain('Programme: Heart \\*failure\\*');
    expect(markdown.text).toContain('## Allergies\n\n- none on record');
    const plain = await ask('text/plain');
    expect(plain.text).toContain('NEEDS\n  Food insecurity (active, 2026-01-20)\n');
    expect((await ask('*/*')).headers['content-type']).toContain('application/json');
    expect((await ask('text/html')).status).toBe(406);
  });
});

it('the transitions of the patient have their follow-ups', async () => {
  const answer = await baton.api('GET', `/cases/${id}/transitions`);
  expect(answer.json.items, answer.text).toMatchObject([
    {
      id: 'trans',
      status: 'active',
      discharged: '2026-01-14T08:00:00Z',
      followUps: [{ task: { reference: 'Task/follow' }, overdue: true, status: 'requested' }],
    },
  ]);
});
