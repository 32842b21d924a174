// What a nurse would want refused: each is, by the member or element that is wrong, and nothing of it is written.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Agency, openAgency } from './agency.ts';

let baton: Agency;
let open = '';
const made: Record<string, string> = {};

const NURSE = { reference: 'Practitioner/nora' };
const KG = (value: number) => ({ quantity: { value, unit: 'kg', code: 'kg' } });
const WEIGHT = { system: 'http://loinc.org', code: '29463-7' };
/** A heart failure pathway of one's own, whose steps wait for each other. */
const CIRCLE = {
  resourceType: 'PlanDefinition',
  id: 'circle',
  url: 'https://example.org/circle',
  status: 'active',
  name: 'Circle',
  action: ['one', 'two'].map((id, at) => ({
    id,
    title: id,
    relatedAction: [{ actionId: at === 0 ? 'two' : 'one', relationship: 'after' }],
  })),
};
/** One that is a part of itself. */
const NESTED = {
  resourceType: 'PlanDefinition',
  id: 'nested',
  url: 'https://example.org/nested',
  status: 'active',
  name: 'Nested',
  action: [{ id: 'again', definitionCanonical: 'https://example.org/nested' }],
};

beforeAll(async () => {
  baton = await openAgency();
  const patient = (id: string, more: object = {}) => ({
    resourceType: 'Patient',
    id,
    managingOrganization: { reference: 'Organization/clinic' },
    ...more,
  });
  await baton.put(
    ...['late', 'former', 'next', 'stranger'].map((id) => patient(id)),
    patient('dead', { deceasedDateTime: '2026-01-01' }),
    patient('merged', { link: [{ other: { reference: 'Patient/next' }, type: 'replaced-by' }] }),
    patient('inactive', { active: false }),
    { resourceType: 'Condition', id: 'not-hers', subject: { reference: 'Patient/stranger' }, code: { text: 'Asthma' } },
    CIRCLE,
    NESTED,
  );
  const start = async (id: string) =>
    (await baton.does('vera', 'POST', '/cases', { patient: { reference: `Patient/${id}` }, careManager: NURSE })).id;
  open = `/cases/${await start('heart')}`;
  made.late = `/cases/${await start('late')}`;
  made.former = `/cases/${await start('former')}`;
  made.closed = `/cases/${await start('next')}`;
  await baton.does('vera', 'POST', `${made.closed}/close`, { reason: { text: 'x' }, outcome: { text: 'x' } });
  const { id: goal } = await baton.does('nora', 'POST', `${open}/goals`, { description: { text: 'Walk' } });
  made.goal = `${open}/goals/${goal}`;
  await baton.does('nora', 'PATCH', made.goal, { priority: 'high' });
  const { id: task } = await baton.does('nora', 'POST', `${open}/interventions`, { description: 'Call' });
  made.task = `${open}/interventions/${task}`;
  const { id: ended } = await baton.does('nora', 'POST', `${open}/interventions`, { description: 'Call' });
  await baton.does('nora', 'POST', `${open}/interventions/${ended}/complete`);
  made.ended = `${open}/interventions/${ended}`;
  const { id: form } = await baton.does('nora', 'POST', `${open}/assessments`, { instrument: 'phq-9' });
  made.form = `${open}/assessments/${form}`;
  const { id: whole } = await baton.does('nora', 'POST', `${open}/assessments`, {
    instrument: 'case-management-assessment',
  });
  made.whole = `${open}/assessments/${whole}`;
  // Cases that were opened before it happened.
  await baton.put(
    patient('late', { deceasedBoolean: true }),
    patient('former', { link: [{ other: { reference: 'Patient/next' }, type: 'replaced-by' }] }),
  );
});

afterAll(() => baton.close());

interface Refusal {
  readonly status: number;
  readonly member: string | undefined;
  readonly detail: string;
}

/** Whatever is asked: nothing is written. */
async function refused(method: 'POST' | 'PATCH' | 'PUT', path: string, body: object): Promise<Refusal> {
  const before = await baton.temp.store.head();
  // Whom a nurse has no case of, only the supervisor reaches.
  const who = path === '/cases' || path.startsWith(made.closed ?? '') ? 'vera' : 'nora';
  const { status, json } = await baton.asks(who, method, path, body);
  expect(await baton.temp.store.head()).toBe(before);
  const [error] = (json.errors ?? []) as { member?: string }[];
  return { status, member: error?.member, detail: String(json.detail) };
}

type Row = readonly [what: string, at: () => string, body: object | (() => object), status: number, member: RegExp];
const at = (path: string) => () => `${open}${path}`;
const goal = { description: { text: 'Weigh less' } };
const answers = (...all: readonly [string, unknown][]) => ({
  answers: all.map(([linkId, value]) => ({ linkId, values: [{ value }] })),
});

const ROWS: readonly Row[] = [
  ['missing answers', () => `${made.form}/complete`, answers(['phq9-1', { code: 'LA6568-5' }]), 422, /phq9-2/],
  [
    'an answer to what was not asked',
    () => `${made.whole}/answers`,
    answers(['fall-injury', true]),
    422,
    /fall-injury/,
  ],
  ['an answer that is no option', () => `${made.form}/answers`, answers(['phq9-1', { code: 'often' }]), 422, /phq9-1/],
  ['an answer of another type', () => `${made.whole}/answers`, answers(['pain', 'much']), 422, /pain/],
  ['an instrument that there is not', at('/assessments'), { instrument: 'none' }, 422, /^instrument$/],
  [
    'a target in the past',
    at('/goals'),
    { ...goal, targets: [{ measure: WEIGHT, detail: KG(80), due: '2020-01-01' }] },
    422,
    /^targets\[0\]\.due$/,
  ],
  [
    'targets that contradict each other',
    at('/goals'),
    {
      ...goal,
      targets: [
        { measure: WEIGHT, detail: KG(80), due: '2099-01-01' },
        { measure: WEIGHT, detail: KG(70), due: '2099-01-01' },
      ],
    },
    422,
    /^targets\[1\]$/,
  ],
  ['a review in the past', at('/reviews'), { outcome: 'continue', next: '2020-01-01' }, 422, /^next$/],
  ['a deadline in the past', at('/interventions'), { description: 'Call', due: '2020-01-01' }, 422, /^due$/],
  [
    'a contact in the future',
    at('/contacts'),
    { channel: 'phone', party: 'patient', outcome: 'reached', started: '2099-01-01T10:00:00Z' },
    422,
    /^started$/,
  ],
  [
    'a contact that ends before it starts',
    at('/contacts'),
    {
      channel: 'phone',
      party: 'patient',
      outcome: 'reached',
      started: '2026-01-02T10:00:00Z',
      ended: '2026-01-02T09:00:00Z',
    },
    422,
    /^ended$/,
  ],
  ['a second active plan', at('/plan'), {}, 409, /./],
  ['a second open case', () => '/cases', { patient: { reference: 'Patient/heart' } }, 409, /^programme$/],
  ['a pathway that waits for itself', at('/pathways'), { pathway: 'https://example.org/circle' }, 422, /./],
  ['a pathway that holds itself', at('/pathways'), { pathway: 'https://example.org/nested' }, 422, /./],
  ['a pathway that there is not', at('/pathways'), { pathway: 'none' }, 422, /^pathway$/],
  [
    'an unknown category',
    at('/needs'),
    { kind: 'social-need', category: 'gold', code: { text: 'x' } },
    400,
    /^category$/,
  ],
  ['a social need without a category', at('/needs'), { kind: 'social-need', code: { text: 'x' } }, 422, /^category$/],
  ['an unknown achievement', () => `${made.goal}/progress`, { achievement: 'great' }, 400, /^achievement$/],
  [
    'a directive of an unknown type',
    at('/advance-directives'),
    { type: { code: '11506-3' }, url: 'https://example.org/a' },
    422,
    /^type$/,
  ],
  ['a status that cannot follow', () => `${made.ended}/start`, {}, 422, /^Task\.status$/],
  [
    'a need of another patient',
    at('/goals'),
    { ...goal, addresses: [{ reference: 'Condition/not-hers' }] },
    422,
    /^addresses\[0\]/,
  ],
  [
    'an owner who is not there',
    () => `${made.task}/assign`,
    { owner: { reference: 'Practitioner/none' } },
    422,
    /^owner$/,
  ],
  ['a member that there is not', at('/goals'), { ...goal, colour: 'red' }, 400, /^colour$/],
  ['a goal without a description', at('/goals'), {}, 400, /^description$/],
  ['anything in a closed case', () => `${made.closed}/goals`, goal, 422, /^EpisodeOfCare\.status$/],
  ...['dead', 'merged', 'inactive', 'nobody'].map(
    (id): Row => [
      `a case of a patient who is ${id}`,
      () => '/cases',
      { patient: { reference: `Patient/${id}` } },
      422,
      /^patient$/,
    ],
  ),
];

describe('bad input', () => {
  it.each(ROWS)('%s is refused', async (_, path, body, status, member) => {
    const answer = await refused('POST', path(), typeof body === 'function' ? body() : body);
    expect([answer.status, answer.member], answer.detail).toEqual([status, expect.stringMatching(member)]);
    expect(answer.detail).toMatch(/\.$/);
  });

  const PLANNED: readonly (readonly [string, object])[] = [
    ['plan', {}],
    ['needs', { kind: 'barrier', code: { text: 'x' } }],
    ['goals', goal],
    ['interventions', { description: 'Call' }],
    ['pathways', { pathway: 'case-start' }],
    ['referrals', { kind: 'community-resource', service: { text: 'Food' }, to: { reference: 'Organization/pantry' } }],
    ['equipment', { item: { text: 'Bed' } }],
    [
      'conferences',
      { title: 'x', start: '2099-01-01T10:00:00Z', minutes: 30, participants: [{ actor: NURSE, required: true }] },
    ],
    ['education', { topic: 'Salt' }],
    ['medication-reconciliations', {}],
    ['assessments', { instrument: 'phq-9' }],
  ];
  it.each(PLANNED)('nothing is planned for who has died, or whose record was merged: %s', async (noun, body) => {
    for (const which of ['late', 'former'] as const) {
      const answer = await refused('POST', `${made[which]}/${noun}`, body);
      expect([answer.status, answer.member], answer.detail).toEqual([422, expect.stringMatching(/atient/)]);
    }
  });

  it('a stale ETag is refused, the current one is not', async () => {
    const before = await baton.temp.store.head();
    const send = (etag: string) =>
      baton.api('PATCH', made.goal ?? '', { body: { priority: 'low' }, headers: { 'if-match': etag } });
    const stale = await send('W/"1"');
    expect([stale.status, stale.json.errors], stale.text).toMatchObject([412, [{ member: 'If-Match' }]]);
    expect(await baton.temp.store.head()).toBe(before);
    const { etag } = (await baton.api('GET', made.goal ?? '')).headers;
    expect((await send(String(etag))).status).toBe(200);
  });

  it('a repeated command is carried out once, and its key is no other command’s', async () => {
    const send = (body: object, key: string) => baton.api('POST', `${open}/goals`, { body, key });
    const first = await send(goal, 'the-key');
    const head = await baton.temp.store.head();
    const again = await send(goal, 'the-key');
    expect([again.status, again.json.id, again.headers['idempotency-replayed']]).toEqual([201, first.json.id, 'true']);
    const other = await send({ description: { text: 'Another' } }, 'the-key');
    expect([other.status, other.json.errors]).toMatchObject([422, [{ member: 'Idempotency-Key' }]]);
    const none = await send(goal, '');
    expect([none.status, none.json.errors]).toMatchObject([400, [{ member: 'Idempotency-Key' }]]);
    expect(await baton.temp.store.head()).toBe(head);
  });
});
