// Accept first: CA says that a message is in safe storage; it is applied later, in order and once. Over MLLP, on a real store.
// HL7 v2.9 chapter 2, "Enhanced acknowledgment rules", tables 0008 and 0155.
import { DatabaseSync } from 'node:sqlite';
import type { Encounter } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createDeliveries } from '../../src/intake/deliveries.ts';
import { findDeliveries } from '../../src/intake/delivery-search.ts';
import { createGiveWay } from '../../src/intake/give-way.ts';
import { backlogStatus, watchBacklog } from '../../src/intake/watch-backlog.ts';
import { testParameters, testRules } from '../support/store-rules.ts';
import { openTempStore, type TempStore } from '../support/temp-store.ts';
import { openDoor } from './door.ts';
import { bytes, edited, fixture } from './fixture.ts';
import { listeningSender } from './listening-sender.ts';

const NURSE = { reference: 'Practitioner/nurse', kind: 'user' } as const;
const COMMITS = { 'MSH-4': 'COMMITS', 'MSH-15': 'AL', 'MSH-16': 'NE' };
const message = (name: string, id: string, fields: Record<string, string> = {}) =>
  edited(fixture(name), { ...COMMITS, 'MSH-10': id, ...fields });

let temp: TempStore;
let door: Awaited<ReturnType<typeof openDoor>>;
let sender: Awaited<ReturnType<typeof listeningSender>>;
beforeEach(async () => {
  temp = await openTempStore({ engine: 'sqlite' });
  door = await openDoor(temp.store, temp.clock);
  sender = await listeningSender(door.target.port);
});
afterEach(async () => {
  sender.close();
  await door.close();
  await temp.cleanup();
});

const rows = () => temp.store.query('SELECT key, outcome, received, attempts FROM delivery ORDER BY accepted, key');
const outcomes = async () => (await rows()).map(({ outcome }) => outcome);
const status = () => backlogStatus(temp.store, temp.clock);
const deliveries = () =>
  createDeliveries(
    { store: temp.store, clock: temp.clock, parameters: testParameters, validate: testRules().validate },
    door.intake,
  );
async function encounters(): Promise<Encounter[]> {
  return (await temp.store.find('Encounter?identifier:missing=false')).map(({ content }) => JSON.parse(content));
}

it('says CA when the message is on disk, and AA when it is applied', async () => {
  const came = temp.clock.now();
  expect(await sender.send(message('a01-admit', 'ONE', { 'MSH-16': 'AL' }))).toMatchObject({
    code: 'CA',
    about: 'ONE',
  });
  const other = new DatabaseSync(temp.path, { readOnly: true });
  expect(other.prepare('SELECT outcome FROM delivery').all()).toEqual([{ outcome: 'CA' }]);
  other.close();
  expect(await temp.store.head()).toBe(0);
  expect(await findDeliveries(temp.store, { filter: { outcome: 'CA' }, limit: 9 })).toHaveLength(1);
  expect(await findDeliveries(temp.store, { filter: { waits: 'true' }, limit: 9 })).toEqual([]);

  temp.clock.moveTo(came.add({ minutes: 7 }));
  const { oldestSeconds, ...rest } = await status();
  expect(rest).toEqual({ waiting: 1, refused: 0 });
  expect(oldestSeconds).toBeGreaterThanOrEqual(419);
  door.intake.applying.start();
  expect(await sender.next()).toMatchObject({ code: 'AA', about: 'ONE' });
  expect(await rows()).toMatchObject([{ outcome: 'AA', attempts: 1 }]);
  expect(Number((await rows())[0]?.received)).toBeLessThan(came.add({ minutes: 1 }).epochMilliseconds);
  expect(await encounters()).toMatchObject([{ status: 'in-progress' }]);
  expect(await status()).toEqual({ waiting: 0, oldestSeconds: 0, refused: 0 });
});

it.each([
  ['CR', '203', { 'MSH-12': '1.0' }],
  ['CR', '202', { 'MSH-11': 'X' }],
  ['CR', '201', { 'MSH-9': 'ADT^A99' }],
  ['CE', '101', { 'MSH-7': '' }],
  ['CE', '103', { 'MSH-18': 'JIS X0202' }],
])('says %s %s at once for %j', async (code, condition, fields) => {
  expect(await sender.send(message('a01-admit', 'BAD', fields))).toMatchObject({ code, condition });
  expect(await outcomes()).toEqual([code === 'CR' ? 'AR' : 'AE']);
  // Corrected under the same control id it takes the place of the one that was refused.
  expect(await sender.send(message('a01-admit', 'BAD'))).toMatchObject({ code: 'CA' });
  expect(await outcomes()).toEqual(['CA']);
});

it.each([
  ['AL', 'NE', ['CA']],
  ['AL', 'AL', ['CA', 'AA']],
  ['NE', 'SU', ['AA']],
  ['ER', 'ER', []],
  ['', '', ['AA']],
])('with MSH-15 "%s" and MSH-16 "%s" answers %j', async (accept, application, codes) => {
  door.intake.applying.start();
  sender.write(message('a01-admit', 'ASKS', { 'MSH-15': accept, 'MSH-16': application }));
  sender.write(message('a01-admit', 'LAST', { 'MSH-12': '1.0' }));
  const heard: string[] = [];
  for (let last = false; heard.length < codes.length || !last; ) {
    const { code, about } = await sender.next();
    if (about === 'LAST') last = true;
    else heard.push(code);
  }
  expect(heard).toEqual(codes);
});

it('says CA again for what waits, refuses another message under its control id, and does nothing', async () => {
  const one = message('a01-admit', 'TWICE', { 'MSH-16': 'AL' });
  const first = await sender.send(one);
  const before = await rows();
  expect((await sender.send(one)).text).toBe(first.text);
  expect(await sender.send(message('a08-update', 'TWICE'))).toMatchObject({ code: 'CR', condition: '205' });
  expect(await rows()).toEqual(before);
  const [{ id = '' } = {}] = await findDeliveries(temp.store, { filter: {}, limit: 1 });
  expect(await deliveries().repeat(NURSE, id, { dryRun: false })).toMatchObject({ outcome: 'waits-to-be-applied' });
  await expect(deliveries().dismiss(NURSE, id, 'no')).rejects.toMatchObject({ kind: 'conflict' });
  door.intake.applying.start();
  expect([await sender.next(), await sender.next()]).toMatchObject([{ code: 'AA' }, { code: 'AA' }]);
  const head = await temp.store.head();
  expect([await sender.send(one), await sender.next()]).toMatchObject([{ code: 'CA' }, { code: 'AA' }]);
  expect(await temp.store.head()).toBe(head);
});

it('applies at once what somebody sends who asks for more than safe storage', async () => {
  const one = message('a01-admit', 'BOTH');
  expect(await sender.send(one)).toMatchObject({ code: 'CA' });
  expect((await door.intake.receive(bytes(one), 'http')).code).toBe('AA');
  expect(await outcomes()).toEqual(['AA']);
  const head = await temp.store.head();
  door.intake.applying.start();
  expect(await sender.send(one)).toMatchObject({ code: 'CA' });
  expect(await temp.store.head()).toBe(head);
});

it('applies what came over three connections in the order of acceptance', async () => {
  const others = [await listeningSender(door.target.port), await listeningSender(door.target.port)];
  const time = { 'EVN-2': '20261124120000', 'EVN-6': '' };
  const told = [
    [sender, message('a01-admit', 'IN', time)],
    [others[0], message('a08-update', 'CHANGED', time)],
    [others[1], message('a03-discharge', 'OUT', time)],
  ] as const;
  for (const [from, text] of told) expect((await from?.send(text))?.code).toBe('CA');
  door.intake.applying.start();
  expect((await others[1]?.send(message('a08-update', 'END', { ...time, 'MSH-15': 'NE', 'MSH-16': 'AL' })))?.code).toBe(
    'AA',
  );
  const [stay] = await encounters();
  expect(stay?.status).toBe('finished');
  const { items } = await temp.store.history({ type: 'Encounter', id: stay?.id ?? '', count: 9 });
  expect(items.map(({ content }) => JSON.parse(content).status).reverse()).toEqual(
    expect.arrayContaining(['in-progress', 'finished']),
  );
  expect(JSON.parse(items.at(-1)?.content ?? '{}').status).toBe('in-progress');
  for (const other of others) other.close();
});

it('lets no message of a patient overtake one that cannot be applied yet', async () => {
  const time = { 'EVN-2': '20261124120000', 'EVN-6': '' };
  const at = (ward: string) => ({ ...time, 'PV1-3': `${ward}^1^1^HARBOR` });
  const another = (name: string) =>
    message('a01-admit', name, { 'PID-3': `${name}^^^HARBOR^MR`, 'PV1-19': `${name}^^^HARBOR^VN`, 'MSH-16': 'AL' });
  await sender.send(message('a01-admit', 'IN', time));
  await sender.send(message('a08-update', 'STUCK', at('BLOCKED')));
  await sender.send(message('a08-update', 'BEHIND', at('WARDZ')));
  await sender.send(another('OTHER'));
  const disk = new DatabaseSync(temp.path);
  disk.exec(`CREATE TRIGGER stuck BEFORE INSERT ON version WHEN NEW.content LIKE '%BLOCKED%'
    BEGIN SELECT RAISE(ABORT, 'not now'); END`);
  door.intake.applying.start();
  expect(await sender.next()).toMatchObject({ code: 'AA', about: 'OTHER' });
  // Applied in a later round than those, which is over by then.
  expect([(await sender.send(another('LATER'))).code, (await sender.next()).code]).toEqual(['CA', 'AA']);
  expect(await outcomes()).toEqual(['AA', 'CA', 'CA', 'AA', 'AA']);
  disk.exec('DROP TRIGGER stuck');
  disk.close();
  while ((await status()).waiting > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await outcomes()).toEqual(['AA', 'AA', 'AA', 'AA', 'AA']);
  const [stay] = (await encounters()).filter(({ identifier }) => !/OTHER|LATER/.test(identifier?.[0]?.value ?? ''));
  const { items } = await temp.store.history({ type: 'Encounter', id: stay?.id ?? '', count: 9 });
  expect(items.map(({ content }) => /BLOCKED/.test(content)).indexOf(true)).toBeGreaterThan(0);
  expect(items[0]?.content).toContain('WARDZ');
});

it('says CR for a message that is too long, as far as the sender wants to hear', async () => {
  const long = `ZZZ|${'x'.repeat(1_048_576)}\r`;
  const asks = (accept: string) => `${message('a01-admit', `LONG${accept}`, { 'MSH-15': accept })}${long}`;
  expect(await sender.send(asks('AL'))).toMatchObject({ code: 'CR', about: 'LONGAL', condition: '207' });
  sender.write(asks('NE'));
  expect(await sender.send(message('a01-admit', 'NEXT'))).toMatchObject({ code: 'CA', about: 'NEXT' });
  expect((await findDeliveries(temp.store, { filter: { waits: 'true' }, limit: 9 })).length).toBe(2);
});

it('applies one content of a control id once, however and over how many ways it comes at the same time', async () => {
  door.intake.applying.start();
  const wards = fc.constantFrom('WARD1', 'WARD2');
  const way = fc.constantFrom('enhanced', 'stored', 'mllp', 'http');
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(way, wards), { minLength: 2, maxLength: 5 }), async (sent) => {
      run += 1;
      const own = { 'PID-3': `R${run}^^^HARBOR^MR`, 'PV1-19': `R${run}^^^HARBOR^VN` };
      const told = await Promise.all(
        sent.map(async ([by, ward]) => {
          // In original mode the same profile of the sender counts, so that the control id is the same.
          const text = message('a01-admit', `R${run}`, {
            ...{ ...own, 'PV1-3': `${ward}^1^1^HARBOR`, 'MSH-4': by === 'stored' ? 'STORED' : 'COMMITS' },
            ...(by === 'enhanced' ? {} : { 'MSH-15': '', 'MSH-16': '' }),
          });
          if (by === 'http') return (await door.intake.receive(bytes(text), 'http')).code;
          const connection = await listeningSender(door.target.port);
          const { code } = await connection.send(text);
          connection.close();
          return code;
        }),
      );
      while ((await status()).waiting > 0) await new Promise((resolve) => setImmediate(resolve));
      const kept = await temp.store.query('SELECT key, outcome FROM delivery WHERE key LIKE ?', [`%|R${run}`]);
      expect(kept.map(({ outcome }) => outcome)).toEqual(kept.map(() => 'AA'));
      expect(told.filter((code) => /^[AC]A$/.test(code)).length).toBeGreaterThanOrEqual(kept.length);
      expect(told.filter((code) => !/^[AC][AR]$/.test(code))).toEqual([]);
      const stays = await temp.store.find(`Encounter?identifier=R${run}`);
      expect(stays.length).toBe(1);
      expect(Number(stays[0]?.versionId)).toBeLessThanOrEqual(kept.length);
    }),
    { numRuns: 15 },
  );
});

it('keeps what turns out to be wrong, tells the sender and operators, and takes it in again corrected', async () => {
  const bad = message('a01-admit', 'WRONG', { 'PID-7': 'x', 'MSH-16': 'ER' });
  const watch = watchBacklog({
    ...{ store: temp.store, clock: temp.clock, log: pino({ level: 'silent' }) },
    wake: door.intake.applying.wake,
  });
  expect(await sender.send(bad)).toMatchObject({ code: 'CA' });
  door.intake.applying.start();
  expect(await sender.next()).toMatchObject({ code: 'AE', about: 'WRONG', condition: '102' });
  const [kept] = await findDeliveries(temp.store, { filter: { waits: 'true' }, limit: 9 });
  expect(kept).toMatchObject({ outcome: 'AE', condition: '102', location: 'PID^1^7', facility: 'COMMITS' });
  expect(await status()).toMatchObject({ waiting: 0, refused: 1 });
  await watch.tick();
  await watch.tick();
  const body = edited(bad, { 'PID-7': '19480307' });
  expect(await deliveries().repeat(NURSE, kept?.id ?? '', { dryRun: false, body })).toMatchObject({ outcome: 'AA' });
  await watch.tick();
  const alerts = await temp.store.query('SELECT event FROM alert ORDER BY at');
  expect(alerts.map(({ event }) => event)).toEqual(['intake.refused-after-acceptance', 'intake.repaired']);
});

it('tells operators when the backlog is old, and when it is gone', async () => {
  const wake = () => door.intake.applying.start();
  const tick = () =>
    watchBacklog({ store: temp.store, clock: temp.clock, log: pino({ level: 'silent' }), wake }).tick();
  sender.write(message('a01-admit', 'OLD', { 'MSH-15': 'NE', 'MSH-16': 'AL' }));
  while ((await status()).waiting === 0) await new Promise((resolve) => setImmediate(resolve));
  temp.clock.moveTo(temp.clock.now().add({ minutes: 6 }));
  await tick();
  expect((await sender.next()).code).toBe('AA');
  await tick();
  const alerts = await temp.store.query('SELECT event FROM alert ORDER BY at');
  expect(alerts.map(({ event }) => event)).toEqual(['intake.behind', 'intake.caught-up']);
});

it('never says CA for what is not on disk', async () => {
  const disk = new DatabaseSync(temp.path);
  disk.exec(`CREATE TRIGGER full BEFORE INSERT ON delivery BEGIN SELECT RAISE(ABORT, 'no room'); END`);
  expect(await sender.send(message('a01-admit', 'LOST'))).toMatchObject({ code: 'CE', condition: '207' });
  disk.exec('DROP TRIGGER full');
  disk.close();
  expect(await rows()).toEqual([]);
  expect(await sender.send(message('a01-admit', 'LOST'))).toMatchObject({ code: 'CA' });
});

it('says AA after safe storage to a sender whose profile wants that', async () => {
  const fields = { 'MSH-4': 'STORED', 'MSH-15': '', 'MSH-16': '' };
  expect(await sender.send(message('a01-admit', 'KEPT', fields))).toMatchObject({ code: 'AA' });
  expect(await outcomes()).toEqual(['CA']);
  expect(await temp.store.head()).toBe(0);
});

it('has applying go on however many come to be accepted', async () => {
  const giveWay = createGiveWay();
  const { promise, resolve } = Promise.withResolvers<void>();
  const accepting = giveWay.first(() => promise);
  await giveWay.rest(1);
  resolve();
  await accepting;
});
