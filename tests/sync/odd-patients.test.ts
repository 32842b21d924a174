// One record that nothing can be made of, or looked for by, holds up none of the others: it is kept aside with the reason, and the
// stream goes on. What is wrong with the store stops the stream, and nothing is lost by that. docs/sync-spec.md#I7
import type { Group } from '@medplum/fhirtypes';
import { afterEach, describe, expect, test } from 'vitest';
import { Fault, type FaultKind } from '../../src/fault.ts';
import type { Connection } from '../../src/sync/connections/settings.ts';
import { NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

const UNKNOWN = { system: 'urn:mrn', value: 'UNKNOWN' };
const PULLED: Partial<Connection> = { types: { Patient: 'pull', Task: 'pull' } };

let world: World;
afterEach(() => world.cleanup());

/** A search here that matches `query` fails, as long as it is to. */
async function open(query: RegExp, kind: FaultKind, connection = PULLED): Promise<{ isBroken: boolean }> {
  const fuse = { isBroken: true };
  world = await openWorld({
    connection,
    sync: (store) => ({
      store: {
        ...store,
        find: async (asked) => {
          if (fuse.isBroken && query.test(asked)) throw new Fault(kind, 'It cannot be looked for.');
          return store.find(asked);
        },
      },
    }),
  });
  return fuse;
}

/** A healthy patient with a task, beside the odd one. */
function putWith(odd: object): void {
  world.remote.put(patient('fine', { name: [{ family: 'Fine', given: ['F'] }], birthDate: '1970-07-07' }));
  world.remote.put(patient('odd', { name: [{ family: 'Odd' }], ...odd }));
  world.remote.put(task('t', { for: { reference: 'Patient/fine' } }));
}
const families = async () =>
  (await world.all('Patient')).map((one) => ('name' in one ? JSON.stringify(one.name).slice(12, 16) : '')).sort();
const keptAside = () =>
  world.temp.store.query("SELECT remote_id, detail FROM message WHERE outcome = 'quarantined' AND type = 'Patient'");

describe('a birth date that does not exist', () => {
  const DATES = [
    ...['0000-00-00', 'unknown', '1980-13-45', '1980-31-12', '1985-02-30', '1985-02-00', '1985-2-3', '19850203'],
    ...['02/03/1985', '1985-02-03T00:00:00Z'],
  ];
  test.each(DATES)('%s is kept aside with its reason, and all others come in', async (birthDate) => {
    world = await openWorld({ connection: PULLED });
    putWith({ birthDate });
    await world.sync.pullNow();
    expect(await families()).toEqual(['Fine']);
    expect(await world.all('Task')).toHaveLength(1);
    expect(await keptAside()).toEqual([{ remote_id: 'odd', detail: expect.stringContaining('Patient.birthDate') }]);
  });

  test('holds up no roster', async () => {
    const scope = { strategies: { Patient: 'roster' }, patients: { kind: 'group', id: 'g' } } as const;
    world = await openWorld({ connection: { types: { Patient: 'pull' }, ...scope } });
    const member = ['odd', 'fine'].map((id) => ({ entity: { reference: `Patient/${id}` } }));
    world.remote.put({ resourceType: 'Group', id: 'g', type: 'person', actual: true, member } as Group & {
      id: string;
    });
    putWith({ birthDate: '0000-00-00' });
    await world.sync.pullNow();
    expect(await families()).toEqual(['Fine']);
    expect(await keptAside()).toMatchObject([{ remote_id: 'odd' }]);
  });
});

describe('a number that more than a thousand of ours have', () => {
  test('is a placeholder: who comes with it is new', async () => {
    world = await openWorld({ connection: PULLED });
    const named = (n: number) => patient(`p${n}`, { identifier: [UNKNOWN], name: [{ family: `F${n}` }] });
    for (let start = 0; start < 1_001; start += 143) {
      const some = Array.from({ length: 143 }, (_, n) => ({ op: 'update', resource: named(start + n) }) as const);
      await world.temp.store.commit(NURSE, some);
    }
    putWith({ identifier: [UNKNOWN], birthDate: '1961-07-08' });
    await world.sync.pullNow();
    const links = await world.temp.store.query("SELECT remote_id FROM identity WHERE type = 'Patient' ORDER BY 1");
    expect(links).toEqual([{ remote_id: 'fine' }, { remote_id: 'odd' }]);
    expect(await world.sync.matches()).toEqual([]);
    expect(await keptAside()).toEqual([]);
  });

  /** The same person but for the day of birth, which their record there does not have. */
  const ANA = { name: [{ family: 'Rivera', given: ['Ana'] }], identifier: [UNKNOWN] };
  test.each(['pull', 'push'] as const)('links nobody by a %s', async (way) => {
    await open(/identifier=/, 'too-large', { types: { Patient: way } });
    await world.write(patient('here', ANA));
    world.remote.put({ ...patient('there', ANA), birthDate: undefined } as ReturnType<typeof patient>);
    await (way === 'pull' ? world.sync.pullNow() : world.sync.pushNow());
    const links = await world.temp.store.query("SELECT how FROM identity WHERE how LIKE 'matched%'");
    expect(links).toEqual([]);
  });
});

describe('a search here that fails for one record', () => {
  test.each(['unprocessable', 'not-found', 'gone', 'multiple-matches'] as const)(
    'because of what is in it (%s): it is kept aside, the others come in',
    async (kind) => {
      await open(/family=odd/, kind);
      putWith({ name: [{ family: 'Odd', given: ['O'] }] });
      await world.sync.pullNow();
      expect(await families()).toEqual(['Fine']);
      expect(await world.all('Task')).toHaveLength(1);
      expect(await keptAside()).toEqual([{ remote_id: 'odd', detail: expect.stringContaining('looked for') }]);
    },
  );

  test('because nothing can be looked for by that: it is new', async () => {
    await open(/family=odd/, 'invalid');
    putWith({ name: [{ family: 'Odd', given: ['O'] }] });
    await world.sync.pullNow();
    expect(await families()).toEqual(['Fine', 'Odd"']);
  });

  test.each(['unavailable', 'timeout'] as const)(
    'because of the store (%s): the stream stops, and brings all once that is over',
    async (kind) => {
      const fuse = await open(/family=odd/, kind);
      putWith({ name: [{ family: 'Odd', given: ['O'] }] });
      await world.sync.pullNow().catch(() => undefined);
      expect(await families()).toEqual([]);
      expect(await keptAside()).toEqual([]);
      fuse.isBroken = false;
      world.pass({ minutes: 20 });
      await world.sync.pullNow();
      expect(await families()).toEqual(['Fine', 'Odd"']);
    },
  );

  test('is told by a dry run, which goes on, too', async () => {
    await open(/family=odd/, 'unprocessable', { ...PULLED, mode: 'dry-run' });
    putWith({ name: [{ family: 'Odd', given: ['O'] }] });
    await world.sync.pullNow();
    const rows = await world.temp.store.query(
      "SELECT remote_id, outcome FROM message WHERE outcome LIKE 'would%' AND type = 'Patient' ORDER BY remote_id",
    );
    expect(rows).toEqual([
      { remote_id: 'fine', outcome: 'would-be-created' },
      { remote_id: 'odd', outcome: 'would-be-quarantined' },
    ]);
  });
});
