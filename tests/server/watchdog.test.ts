// A heartbeat that has stopped is told of even when the store is the reason: at /readyz, in /metrics, in the log and by the
// operators' channel. The store is a real one that really refuses.
import { join } from 'node:path';
import { pino } from 'pino';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createNotify, type Notify } from '../../src/notify/notify.ts';
import { loadTemplates } from '../../src/notify/templates.ts';
import { CLOCKWORK } from '../../src/store/alert.ts';
import { BATON } from '../../src/store/store.ts';
import { createTransitions, type Transitions } from '../../src/transitions/transitions.ts';
import { artifacts, calendars, riskMethods } from '../care/artifacts.ts';
import { startHook } from '../notify/receivers.ts';
import { testRules } from '../support/store-rules.ts';
import { testEngine } from '../support/temp-store.ts';
import { serve, type TestServer } from './serve.ts';

const SECRET = `whsec_${Buffer.from('a secret of at least 24 bytes').toString('base64')}`;
let baton: TestServer;
let transitions: Transitions;
let notify: Notify;
let hook: Awaited<ReturnType<typeof startHook>>;
let minutes: number;
let logged: { readonly alert?: string; readonly detail?: string }[];

beforeEach(async () => {
  minutes = 0;
  logged = [];
  hook = await startHook();
  const log = pino({ level: 'warn' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  const clock = { now: () => Temporal.Now.instant(), real: () => Temporal.Now.instant().add({ minutes }) };
  baton = await serve(({ store }) => {
    notify = createNotify({
      ...{ store, clock, log, facilities: [], fetch, baseUrl: 'https://baton.example' },
      settings: {
        channels: [{ name: 'pager', kind: 'webhook', url: hook.url, secret: SECRET, attempts: 2, digestMinutes: 0 }],
        operators: { channels: ['pager'] },
        routes: [],
      },
      templates: loadTemplates(join(import.meta.dirname, '../../profiles/notifications')),
    });
    transitions = createTransitions({
      ...{ store, clock, log, facilities: [], calendars, riskMethods, artifacts },
      parse: (query) => testRules().searchEngine.parse(query),
      tellDirectly: notify.tellDirectly,
    });
    return { transitions };
  });
  await transitions.tick();
});
afterEach(async () => {
  await baton.close();
  await hook.close();
});

const sql = (text: string) => baton.temp.store.commit(BATON, [], [{ sql: text, params: [] }]);
const ready = () => baton.send('GET', '/readyz', { as: '' });
const told = () => hook.posted.map(({ body }) => JSON.parse(body));
const alerts = async () =>
  (await baton.temp.store.query('SELECT event FROM alert WHERE connection = ? ORDER BY at, event', [CLOCKWORK])).map(
    ({ event }) => event,
  );
/** A beat of each of the two, as the clockwork gives them. */
const beat = async () => {
  await transitions.tick().catch(() => undefined);
  await transitions.watchdog.look();
  await notify.tick().catch(() => undefined);
};

describe.skipIf(testEngine === 'postgres')('the store takes no writes any more', () => {
  // Every table that a beat, an alert, the probe or a lease writes.
  const tables = ['beat', 'alert', 'alert_state', 'lease', 'setting', 'cursor'];
  const onEach = async (statement: (table: string, change: string) => string) => {
    for (const table of tables) for (const change of ['INSERT', 'UPDATE']) await sql(statement(table, change));
  };
  const breakStore = () =>
    onEach(
      (table, change) => `CREATE TRIGGER broken_${table}_${change} BEFORE ${change} ON ${table}
        BEGIN INSERT INTO a_table_that_is_not_there VALUES (1); END`,
    );
  const mendStore = () => onEach((table, change) => `DROP TRIGGER broken_${table}_${change}`);

  it('a stopped heartbeat is told all the same, once, and kept when there is room again', async () => {
    await breakStore();
    minutes = 6;
    await beat();
    await beat();
    const answer = await ready();
    expect(answer.status).toBe(503);
    expect(answer.json).toMatchObject({
      status: 'the store cannot write',
      complaints: [expect.stringMatching(/^The last heartbeat that ended well was 36\d s ago\.$/)],
    });
    const metrics = await baton.send('GET', '/metrics');
    expect(metrics.status).toBe(200);
    expect(Number(/^baton_heartbeat_age_seconds (\d+)/m.exec(metrics.text)?.[1])).toBeGreaterThanOrEqual(360);
    expect(logged.filter(({ alert, detail }) => alert === 'heartbeat.stopped' && detail)).toHaveLength(1);
    const [{ type, data }, ...more] = told();
    expect(more).toEqual([]);
    expect(type).toBe('heartbeat.stopped');
    expect(data.alert).toMatchObject({ event: 'heartbeat.stopped', about: CLOCKWORK });
    expect(await alerts()).toEqual([]);

    await mendStore();
    await beat();
    await beat();
    expect((await ready()).json).toEqual({ status: 'ready' });
    expect(await alerts()).toEqual(['heartbeat.stopped', 'heartbeat.resumed']);
    expect(told().map((one) => one.type)).toEqual(['heartbeat.stopped', 'heartbeat.resumed']);
  });

  it('a channel that is down as well is tried again until it has the alert', async () => {
    // As on a disk that has become read-only: SQLITE_READONLY for whatever writes.
    await sql('PRAGMA query_only = 1');
    minutes = 6;
    hook.answer(503, 503);
    await beat();
    await beat();
    await beat();
    await beat();
    expect(hook.posted).toHaveLength(3);
    expect(new Set(hook.posted.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });
});

it('a store that cannot even be read takes neither the alert nor the numbers with it', async () => {
  await baton.temp.store.close();
  minutes = 6;
  await beat();
  await beat();
  expect((await ready()).status).toBe(503);
  expect((await ready()).json.complaints).toHaveLength(1);
  const metrics = await baton.send('GET', '/metrics');
  expect(metrics.text).toMatch(/^baton_heartbeat_age_seconds 36\d$/m);
  expect(metrics.text).toMatch(/^baton_heartbeats_failed_total 0$/m);
  expect(metrics.text).not.toMatch(/^baton_follow_ups_behind_seconds \d/m);
  expect(Number(/^baton_metrics_unread (\d+)/m.exec(metrics.text)?.[1])).toBeGreaterThan(3);
  expect(told().map(({ type }) => type)).toEqual(['heartbeat.stopped']);
});

it('an alert that the store has is told once, signed, whoever raised it, and without the id of a patient', async () => {
  const at = Temporal.Now.instant().epochMilliseconds;
  await sql(`INSERT INTO alert (id, connection, event, detail, at)
    VALUES ('a1', 'baton/follow-ups', 'transitions.passed-over', 'Patient/ann version 2 was passed over.', ${at}),
      ('a0', 'baton/follow-ups', 'transitions.passed-over', 'Long ago.', ${at - 90_000_000})`);
  hook.answer(500);
  await notify.tick();
  await Promise.all([notify.tick(), notify.tick()]);
  await notify.tick();
  expect(hook.posted).toHaveLength(2);
  const { headers, body } = hook.posted[1] as (typeof hook.posted)[number];
  expect(new Webhook(SECRET).verify(body, headers)).toMatchObject({
    type: 'transitions.passed-over',
    data: { alert: { id: 'a1', detail: 'a Patient version 2 was passed over.' } },
  });
  expect(headers['webhook-id']).toBe('a1');
  const rows = await baton.temp.store.query('SELECT id FROM alert WHERE told_at IS NOT NULL');
  expect(rows).toEqual([{ id: 'a1' }]);
});
