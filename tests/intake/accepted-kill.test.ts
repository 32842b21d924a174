// `kill -9` of a process that has said CA: nothing is lost, everything is applied once, by the process that is left.
import { afterEach, expect, it } from 'vitest';
import { backlogStatus } from '../../src/intake/watch-backlog.ts';
import { startProcess } from '../faults/postgres-processes.ts';
import { openTempStore, type TempStore } from '../support/temp-store.ts';
import { openDoor } from './door.ts';
import { edited, fixture } from './fixture.ts';
import { listeningSender } from './listening-sender.ts';

const STAYS = 6;
const EVENTS = ['a01-admit', 'a08-update', 'a08-update', 'a03-discharge'];

const messages = Array.from({ length: STAYS }, (_, stay) =>
  EVENTS.map((event, at) => {
    const own = {
      'PID-3': `KILL${stay}^^^HARBOR^MR`,
      'PV1-19': `VISIT${stay}^^^HARBOR^VN`,
      'MSH-10': `K${stay}-${at}`,
    };
    const time = { 'EVN-2': `2026112412${at}000`, 'EVN-6': '', 'PV1-3': `WARD${at}^1^1^HARBOR` };
    const asks = { 'MSH-4': 'COMMITS', 'MSH-15': 'AL', 'MSH-16': 'NE' };
    return edited(fixture(event), { ...asks, ...own, ...time });
  }),
);

let temp: TempStore;
afterEach(() => temp.cleanup());

it.each(['sqlite', 'postgres'] as const)('on %s', async (engine) => {
  temp = await openTempStore({ engine });
  const acceptor = startProcess('acceptor.ts', temp.url);
  await acceptor.said(1);
  const door = await openDoor(temp.store, temp.clock);
  door.intake.applying.start();
  const ports = [Number(acceptor.lines[0]), door.target.port];
  const senders = await Promise.all([0, 1, 2, 3, 4, 5].map((n) => listeningSender(ports[n % 2] ?? 0)));
  // Of each stay every other message goes to the process that is killed.
  for (const at of EVENTS.keys()) {
    await Promise.all(
      messages.map(async (stay, n) => expect((await senders[(n + at) % 6]?.send(stay[at] ?? ''))?.code).toBe('CA')),
    );
  }
  await acceptor.kill();
  for (const sender of senders) sender.close();
  while ((await backlogStatus(temp.store, temp.clock)).waiting > 0) {
    door.intake.applying.wake();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await door.close();

  const outcomes = await temp.store.query('SELECT outcome, COUNT(*) AS n FROM delivery GROUP BY outcome');
  expect(outcomes.map(({ outcome, n }) => [outcome, Number(n)])).toEqual([['AA', STAYS * EVENTS.length]]);
  const stays = await temp.store.find('Encounter?status=finished');
  expect(stays).toHaveLength(STAYS);
  for (const { id } of stays) {
    // Each message changes the place, so each that is applied makes one version.
    const { items } = await temp.store.history({ type: 'Encounter', id, count: 50 });
    expect(items).toHaveLength(EVENTS.length);
  }
});
