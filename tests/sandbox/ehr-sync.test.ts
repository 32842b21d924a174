// Baton's own sync against a simulated server that has a bad day: nothing is lost and nothing is there twice.
import type { Task } from '@medplum/fhirtypes';
import { afterEach, describe, expect, it } from 'vitest';
import { movableClock } from '../../src/clock.ts';
import type { Mishap } from '../../src/sandbox/ehr/simulator/knobs.ts';
import { configurationFor, startRehearsal } from '../../src/sandbox/ehr/simulator/rehearsal.ts';
import type { Connection } from '../../src/sync/connections/settings.ts';
import { openWorld, patient, task } from '../support/sync-world.ts';
import { matches, simulate } from './simulated-ehr.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const PLENTY = 1000;
const BAD_DAY: Mishap[] = (
  [
    { do: 'drop', on: 'write', effect: 'after', chance: 0.2 },
    { do: 'drop', on: 'write', chance: 0.1 },
    { do: 'status', status: 504, on: 'write', effect: 'after', chance: 0.1 },
    { do: 'status', status: 429, retryAfter: 3, chance: 0.1 },
    { do: 'status', status: 503, chance: 0.1, retryAfter: 60, retryAsDate: true },
    { do: 'html', on: 'search', chance: 0.1 },
  ] as const
).map((mishap) => ({ ...mishap, count: PLENTY }));

describe('sync with a simulated HAPI', () => {
  it.each([1, 2])('comes through a bad day (seed %i)', async (seed) => {
    const hapi = await simulate('hapi', { clock: movableClock(), seed }, 0);
    const world = await openWorld({
      connection: { baseUrl: hapi.baseUrl, vendor: 'hapi', types: { Patient: 'both', Task: 'both' } },
    });
    ends.push(
      () => world.cleanup(),
      () => hapi.close(),
    );
    const round = async () => {
      await world.sync.pushNow().catch(() => {});
      await world.sync.pullNow().catch(() => {});
      world.pass({ minutes: 20 });
      hapi.advance({ minutes: 20 });
    };
    const there = async (id: string) =>
      matches((await hapi.search(`/Task?identifier=https://baton.test/id|${id}`)).body) as Task[];

    await world.write(patient('p1'));
    hapi.turn({ mishaps: BAD_DAY, repeatAcrossPages: 1, emptyLastPage: true });
    const ids = ['t1', 't2', 't3', 't4'];
    for (const [index, id] of ids.entries()) {
      await world.write(task(id));
      await round();
      const [known] = ids.slice(0, index);
      const remote = hapi.ehr.records
        .all('Task')
        .find(({ resource }) => JSON.stringify(resource).includes(`"${known}"`));
      if (remote?.resource) hapi.load([{ ...(remote.resource as Task), note: [{ text: `note ${index}` }] }]);
      await round();
    }
    for (const id of ids) {
      const known = await world.read<Task>('Task', id);
      await world.write({ ...known, id, status: 'in-progress' } as Task & { id: string });
    }
    await round();
    const happened = hapi.ehr.knobs.mishaps.map(({ count = 0 }) => PLENTY - count);
    expect(happened.filter((times) => times > 0).length).toBeGreaterThan(2);
    hapi.turn({ mishaps: [] });
    for (let index = 0; index < 6; index++) await round();

    expect(await world.sync.conflicts()).toEqual([]);
    for (const id of ids) {
      const copies = await there(id);
      const local = await world.read<Task>('Task', id);
      expect([id, copies.length, copies[0]?.status, copies[0]?.note]).toEqual([id, 1, 'in-progress', local?.note]);
    }
    expect((await there('t1'))[0]?.note).toEqual([{ text: 'note 3' }]);
    expect(hapi.ehr.records.all('Patient')).toHaveLength(1);
  });
});

describe('the printed configuration', () => {
  it.each(['epic', 'oracle', 'hapi'])('%s: brings its patients and what is about them in', async (vendor) => {
    const server = await startRehearsal({ vendor, port: '0', open: true });
    ends.push(() => server.close());
    const [connection] = (configurationFor(server, { open: true }) as { connections: Partial<Connection>[] })
      .connections;
    const world = await openWorld({
      connection: { pacing: { requestsPerSecond: 500, concurrency: 4 }, ...connection },
    });
    ends.push(() => world.cleanup());
    await world.sync.pullNow();
    const rows = await world.temp.store.query('SELECT type, COUNT(*) AS n FROM identity GROUP BY type');
    expect(Object.fromEntries(rows.map(({ type, n }) => [type, Number(n)]))).toMatchObject({ Patient: 3, CarePlan: 3 });
    // The second time it is asked for what changed, each in the way that the server takes.
    await world.sync.pullNow();
    const [status] = await world.sync.status();
    const ways = Object.values(status?.strategies ?? {}).map(({ strategy }) => strategy);
    expect(ways).toHaveLength(Object.keys(connection?.types ?? {}).length);
    expect(ways).not.toContain('none');
    const refused = "SELECT type, url, status FROM message WHERE direction = 'pull' AND status >= 400";
    expect(await world.temp.store.query(refused)).toEqual([]);
  });
});
