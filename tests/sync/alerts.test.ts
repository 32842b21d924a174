// Operators are told of changes of state: once at the beginning, once at the end, whatever restarts in between.
// docs/sync-spec.md#I19 docs/sync-spec.md#I23
import { readFileSync } from 'node:fs';
import type { Patient } from '@medplum/fhirtypes';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CONDITIONS, HAPPENINGS } from '../../src/sync/alerts/alert-kinds.ts';
import { openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.cleanup());

const toldAll = () => world.events.flatMap(({ alert }) => alert ?? []);
/** The clock of the remote is its own here; that is told, too, and is another test's. */
const told = () => toldAll().filter((alert) => !alert.startsWith('clock.'));
const tick = () => world.sync.tick(Temporal.Now.instant());

async function kept(): Promise<unknown[]> {
  const sql = "SELECT event FROM alert WHERE event NOT LIKE 'clock.%' ORDER BY at, event";
  return (await world.temp.store.query(sql)).map(({ event }) => event);
}

/** Five failures in a row. */
function fail(): void {
  for (let failures = 0; failures < 5; failures += 1) world.remote.knobs.refusals.push({ status: 503 });
}

test('a breaker that opens and closes is told once each, and a restart neither repeats nor forgets it', async () => {
  for (let id = 0; id < 6; id += 1) await world.write(patient(`p${id}`));
  fail();
  await tick();
  await tick();
  expect(told()).toEqual(['breaker.opened']);
  await world.restart();
  await tick();
  expect(told()).toEqual(['breaker.opened']);
  expect((await world.sync.status())[0]?.alerts).toEqual(['breaker']);
  world.pass({ minutes: 1 });
  await tick();
  expect(told()).toEqual(['breaker.opened', 'breaker.closed']);
  expect(await kept()).toEqual(['breaker.opened', 'breaker.closed']);
});

test('a breaker that was open is still open after a restart', async () => {
  for (let id = 0; id < 6; id += 1) await world.write(patient(`p${id}`));
  fail();
  await world.sync.pushNow();
  await world.restart();
  const before = world.remote.requests.length;
  await world.sync.pushNow();
  expect((await world.sync.status())[0]?.breaker).toMatchObject({ state: 'open', openings: 1 });
  expect(world.remote.requests).toHaveLength(before);
});

test('a change that waits too long is told, and that it has arrived', async () => {
  await world.write(patient('p1'));
  world.remote.knobs.refusals.push({ status: 429, headers: { 'retry-after': '3000' } });
  await tick();
  world.pass({ minutes: 4 });
  await tick();
  expect(told()).toEqual([]);
  world.pass({ minutes: 2 });
  await tick();
  await tick();
  expect(told()).toEqual(['lag.exceeded']);
  world.pass({ hours: 2 });
  await world.sync.tick(Temporal.Now.instant().add({ minutes: 126 }));
  expect(told()).toEqual(['lag.exceeded', 'lag.recovered']);
});

test('what waits for a patient whom the server does not know is not late', async () => {
  await world.cleanup();
  world = await openWorld({ connection: { matching: { owner: 'remote' } } });
  await world.write(patient('p1'));
  await world.write(task('t1'));
  await tick();
  world.pass({ minutes: 10 });
  await tick();
  expect((await world.sync.status())[0]).toMatchObject({ outbox: { queued: 2 }, oldestQueuedSeconds: 0 });
  expect(told()).toEqual([]);
});

test('the first conflict and the last decision are told', async () => {
  await world.write(patient('p1'));
  await world.sync.pushNow();
  const [there] = world.remote.all('Patient') as Patient[];
  world.remote.put({ ...there, resourceType: 'Patient', gender: 'male' });
  await world.write(patient('p1', { gender: 'female' }));
  await world.sync.pullNow();
  expect(told()).toEqual(['conflict.first']);
  const [conflict] = await world.sync.conflicts();
  await world.sync.resolve({ reference: 'Practitioner/1', kind: 'user' }, conflict?.id ?? '', { take: 'ours' });
  await tick();
  expect(told()).toEqual(['conflict.first', 'conflict.cleared']);
});

test('what the server refuses is told until it is sent, or given up by a person', async () => {
  for (const id of ['p1', 'p2']) {
    const issue = [
      {
        code: 'required',
        details: { text: 'Rivera', coding: [null, { code: '59144' }] },
        expression: ['Patient.gender'],
      },
      { code: 'Rivera', expression: 'Rivera', details: { coding: [{ code: '4711083' }] } },
      null,
    ];
    world.remote.knobs.refusals.push({
      status: 422,
      body: JSON.stringify({ resourceType: 'OperationOutcome', issue }),
    });
    await world.write(patient(id));
    await world.sync.pushNow();
  }
  expect(told()).toEqual(['rejected.first']);
  await world.write(patient('p1', { gender: 'female' }));
  await world.sync.pushNow();
  const [left] = await world.temp.store.query(
    "SELECT id, fault FROM outbox WHERE state = 'rejected' AND local_id = 'p2'",
  );
  expect(left?.fault).toBe('The server answered 422: required (59144) at Patient.gender.');
  expect((await world.sync.status())[0]).toMatchObject({ rejected: 1, alerts: ['rejected'] });
  await world.sync.reject({ reference: 'Practitioner/1', kind: 'user' }, String(left?.id), undefined);
  await tick();
  expect(told()).toEqual(['rejected.first', 'rejected.cleared']);
});

test('what is kept aside is told for a day', async () => {
  await world.write(patient('p1'));
  await world.sync.pushNow();
  const [there] = world.remote.all('Patient');
  world.remote.put(task('bad', { for: { reference: `Patient/${there?.id}` }, status: 'none of these' }));
  await world.sync.pullNow();
  world.remote.remove('Task', 'bad');
  world.pass({ hours: 23 });
  await tick();
  world.pass({ hours: 2 });
  await tick();
  expect(told().filter((alert) => alert.startsWith('quar'))).toEqual(['quarantine.first', 'quarantine.quiet']);
});

test('a server that cannot be read for long is told', async () => {
  await tick();
  for (let failures = 0; failures < 20; failures += 1) world.remote.knobs.refusals.push({ status: 503 });
  world.pass({ minutes: 70 });
  await world.sync.tick(Temporal.Now.instant().add({ minutes: 70 }));
  expect(told()).toContain('pull.stalled');
  world.remote.knobs.refusals.length = 0;
  world.pass({ minutes: 20 });
  await world.sync.tick(Temporal.Now.instant().add({ minutes: 90 }));
  expect(told()).toEqual(['breaker.opened', 'pull.stalled', 'breaker.closed', 'pull.resumed']);
});

test('the first round of patients, while it is under way, is no silence', async () => {
  await world.cleanup();
  let seen: number | null | undefined;
  const fetch: typeof globalThis.fetch = async (...given) => {
    if (String(given[0]).includes('/Task?')) seen = (await world.sync.status())[0]?.oldestRunSeconds;
    return globalThis.fetch(...given);
  };
  const connection = { vendor: 'epic', types: { Patient: 'both', Task: 'both' } } as const;
  world = await openWorld({ knobs: { lastUpdated: false }, connection, sync: () => ({ fetch }) });
  await world.write(patient('p1'));
  await world.sync.pushNow();
  await world.sync.pullNow();
  expect(seen).toBeLessThan(60);
});

test('a stream of the way in which a type was read before is no silence', async () => {
  await tick();
  const sql = `INSERT INTO checkpoint (stream_key, connection, type, strategy, overlap_seconds, history, ran_at)
    VALUES (?, 'ehr', ?, 'roster', 0, '[]', 0)`;
  const rows = ['Task', 'Encounter'].map((type) => ({ sql, params: [`old-${type}`, type] }));
  await world.temp.store.commit({ reference: 'Device/test', kind: 'service' }, [], rows);
  await tick();
  expect(told()).toEqual([]);
});

test('what happens to a server is told in words, clocks with an end', async () => {
  const now = () => Temporal.Now.instant().epochMilliseconds;
  world.remote.now = now() + 90_000;
  await world.sync.pullNow();
  world.remote.now = now();
  await world.sync.pullNow();
  expect(toldAll()).toEqual(['clock.skewed', 'clock.agreed']);
  const details = await world.temp.store.query('SELECT detail FROM alert ORDER BY at, event DESC');
  expect(details.map(({ detail }) => detail)).toEqual([
    expect.stringContaining('ahead of ours'),
    expect.stringContaining('agree again'),
  ]);
});

test.each([
  ['refused-type', 'type.refused'],
  ['epoch', 'server.replaced'],
  ['subscription', 'subscription.stopped'],
  ['merge-refused', 'merge.refused'],
  ['sweep', 'sweep.implausible'],
] as const)('%s is an alert with a section of the runbook', (kind, event) => {
  const happening = HAPPENINGS[kind];
  expect(happening?.event).toBe(event);
  expect(happening?.detail({ kind, connection: 'ehr', type: 'Task' })).toMatch(/^[A-Z].*\.$/);
});

test('every alert has its row in the runbook', () => {
  const runbook = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const names = [
    ...Object.values(CONDITIONS).flatMap(({ begins, ends }) => [begins, ends]),
    ...Object.values(HAPPENINGS).flatMap(({ event, ends }) => [event, ends ?? event]),
  ];
  for (const name of names) expect(runbook).toContain(`\`${name}\``);
});
