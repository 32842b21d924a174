// Readers of the log: in order, from where they stopped, each entry's effect once.

import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Fault } from '../../src/fault.ts';
import { type ConsumerOptions, createConsumer } from '../../src/store/consumer.ts';
import { readCursor } from '../../src/store/cursor.ts';
import { createPassing } from '../../src/store/pass-over.ts';
import type { LogEntry, Statement } from '../../src/store/store.ts';
import { create, faultOf, NURSE, patient } from '../support/store-fixtures.ts';
import { openTempStore, type TempStore } from '../support/temp-store.ts';

describe('consumer', () => {
  let temp: TempStore;
  let seen: number[];
  beforeEach(async () => {
    temp = await openTempStore();
    seen = [];
    for (let index = 0; index < 7; index += 1) await temp.store.commit(NURSE, [create(patient(String(index)))]);
  });
  afterEach(() => temp.cleanup());

  const note = async (entry: LogEntry) => {
    seen.push(entry.sequence);
    return false;
  };

  function consumer(handle: ConsumerOptions['handle'] = note, batch = 3) {
    return createConsumer({ store: temp.store, name: 'test', handle, batch, log: pino({ level: 'silent' }) });
  }

  test('handles what is there, then what has come since', async () => {
    const one = consumer();
    expect(await one.run()).toBe(7);
    expect(await one.run()).toBe(0);
    await temp.store.commit(NURSE, [create(patient('8'))]);
    expect(await one.run()).toBe(1);
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await readCursor(temp.store, 'test')).toBe(8);
  });

  test('goes on after a restart where it had stopped', async () => {
    await consumer().run();
    await temp.reopen();
    await temp.store.commit(NURSE, [create(patient('8'))]);
    expect(await consumer().run()).toBe(1);
  });

  test('an entry that fails stops the run, and the next run begins with it', async () => {
    let broken = true;
    const one = consumer(async (entry) => {
      if (entry.sequence === 5 && broken) throw new Error('not now');
      seen.push(entry.sequence);
      return false;
    });
    await expect(one.run()).rejects.toThrow('not now');
    expect(await readCursor(temp.store, 'test')).toBe(4);
    broken = false;
    await one.run();
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test('what entries gather is committed once with the cursor, also when one stops the run and when one is passed over', async () => {
    const insert = 'INSERT INTO cursor (name, sequence) VALUES (?, ?)';
    let gathered: Statement[] = [];
    let isBroken = true;
    const settled = () => {
      gathered = [];
    };
    const one = createConsumer({
      ...{ store: temp.store, name: 'test', batch: 4, log: pino({ level: 'silent' }) },
      begin: async () => settled(),
      gathered: () => gathered,
      passing: createPassing({
        ...{
          store: temp.store,
          clock: temp.clock,
          log: pino({ level: 'silent' }),
          name: 'test',
          subject: 'baton/test',
        },
        gathered: () => gathered,
        passed: settled,
      }),
      async handle({ sequence }) {
        if (sequence === 3) throw new Fault('unprocessable', 'It never can.');
        if (sequence === 6 && isBroken) throw new Fault('unavailable', 'Not now.');
        gathered.push({ sql: insert, params: [`of ${sequence}`, sequence] });
        return false;
      },
    });
    const rows = async () =>
      (await temp.store.query("SELECT sequence FROM cursor WHERE name LIKE 'of %' ORDER BY sequence")).map((row) =>
        Number(row.sequence),
      );
    await expect(one.run()).rejects.toThrow('Not now');
    expect([await readCursor(temp.store, 'test'), await rows()]).toEqual([5, [1, 2, 4, 5]]);
    isBroken = false;
    await one.run();
    expect([await readCursor(temp.store, 'test'), await rows()]).toEqual([7, [1, 2, 4, 5, 6, 7]]);
  });

  test('runs do not overlap', async () => {
    const asked: Promise<number>[] = [];
    const one = consumer(async (entry) => {
      seen.push(entry.sequence);
      asked.push(one.run());
      return false;
    });
    expect(await Promise.all([one.run(), one.run()])).toEqual([7, 7]);
    expect(seen).toHaveLength(7);
    // Everything that is asked for during a run is one run more.
    expect(new Set(asked).size).toBe(1);
    expect(await asked[0]).toBe(0);
  });

  test('an effect and the cursor stand or fall together, also when two run at once', async () => {
    const handle = async (entry: LogEntry, advance: Statement) => {
      if (entry.type !== 'Patient') return false;
      const note = { resourceType: 'Basic', code: { text: `seen ${entry.sequence}` } } as const;
      await temp.store.commit(NURSE, [create(note)], [advance]);
      return true;
    };
    // To be late is no error.
    await Promise.all([consumer(handle).run(), consumer(handle).run()]);
    await consumer(handle).run();
    expect((await temp.store.history({ type: 'Basic', count: 100 })).total).toBe(7);
    expect(await readCursor(temp.store, 'test')).toBe(14);
  });

  test('who was late lets the other go first, and goes on alone when there is no other any more', async () => {
    const shared = () => {
      const handled: number[] = [];
      const handle = async (entry: LogEntry, advance: Statement) => {
        if (entry.type !== 'Patient') return false;
        handled.push(entry.sequence);
        const note = { resourceType: 'Basic', code: { text: `seen ${entry.sequence}` } } as const;
        await temp.store.commit(NURSE, [create(note)], [advance]);
        return true;
      };
      return { run: consumer(handle).run, handled };
    };
    const both = [shared(), shared()] as const;
    // What a run commits wakes its process once more; the other would wait in vain for whoever goes first to come to it.
    const asWoken = async (run: () => Promise<number>) => {
      await run();
      await run();
    };
    const round = async () => {
      for (const one of both) one.handled.length = 0;
      await Promise.all(both.map(({ run }) => asWoken(run)));
      return both.map(({ handled }) => handled.length).toSorted((a, b) => a - b);
    };
    await round();
    await round();
    // A machine that stands still for longer than the other's patience costs one round, in which nothing is done twice.
    const rounds: number[][] = [];
    const left = () => rounds.filter(([least]) => least === 0);
    while (left().length < 3 && rounds.length < 6) {
      await temp.store.commit(NURSE, [create(patient(`a${rounds.length}`)), create(patient(`b${rounds.length}`))]);
      rounds.push(await round());
    }
    expect(left()).toEqual(Array(3).fill([0, 2]));
    const second = both.find(({ handled }) => handled.length === 0);
    await temp.store.commit(NURSE, [create(patient('last'))]);
    await second?.run();
    expect(second?.handled).toHaveLength(1);
    await Promise.all(both.map(({ run }) => run()));
    expect((await temp.store.history({ type: 'Basic', count: 100 })).total).toBe(2 * rounds.length + 8);
  });

  test('an effect that fails leaves the cursor before its entry', async () => {
    const failing = consumer(async (_entry, advance) => {
      await temp.store.commit(NURSE, [{ op: 'delete', type: 'Patient', id: 'nobody', ifMatch: '1' }], [advance]);
      return true;
    });
    expect((await faultOf(failing.run())).kind).toBe('precondition');
    expect(await readCursor(temp.store, 'test')).toBe(0);
  });

  describe('that runs ahead', () => {
    const effect = (text: string) => create({ resourceType: 'Basic', code: { text } });
    const effects = async () => (await temp.store.find('Basic')).map(({ content }) => JSON.parse(content).code.text);

    /** Patients 1 and 4 are one to it. Effects of entries in `fails` fail that often. */
    function ahead(fails: Map<number, number> = new Map()) {
      const trace: string[] = [];
      const plan = async ({ sequence, type }: LogEntry) => {
        if (type !== 'Patient' || sequence === 3) return undefined;
        trace.push(`plan ${sequence}`);
        return async (advance: Statement) => {
          const left = fails.get(sequence) ?? 0;
          fails.set(sequence, left - 1);
          const ifMatch = left > 0 ? [{ op: 'delete', type: 'Patient', id: '0', ifMatch: '99' } as const] : [];
          await temp.store.commit(NURSE, [effect(`${sequence}`), ...ifMatch], [advance]);
          trace.push(`done ${sequence}`);
        };
      };
      const about = async ({ sequence }: LogEntry) =>
        sequence === 6 ? undefined : `${sequence % 3 === 1 ? 1 : sequence}`;
      const handle = async (entry: LogEntry, advance: Statement) => {
        const commit = await plan(entry);
        await commit?.(advance);
        return commit !== undefined;
      };
      const parts = { store: temp.store, name: 'test', handle, log: pino({ level: 'silent' }) };
      return { run: createConsumer({ ...parts, ahead: { most: 3, about, plan } }).run, trace };
    }

    test('plans before earlier effects are on disk, but for what is about the same or about everything', async () => {
      const { run, trace } = ahead();
      await run();
      expect(trace.slice(0, 4)).toEqual(['plan 1', 'plan 2', 'done 1', 'done 2']);
      expect(trace.slice(4, 8)).toEqual(['plan 4', 'plan 5', 'done 4', 'done 5']);
      expect(trace.slice(8)).toEqual(['plan 6', 'done 6', 'plan 7', 'done 7']);
      expect(await effects()).toEqual(['1', '2', '4', '5', '6', '7']);
      await run();
      expect(await readCursor(temp.store, 'test')).toBe(13);
      expect(await effects()).toHaveLength(6);
    });

    test('asks anew what entries are about behind one about everything', async () => {
      const [trace, asked]: [string[], number[]] = [[], []];
      let isMerged = false;
      const plan = async ({ sequence, type }: LogEntry) => {
        if (type !== 'Patient') return undefined;
        trace.push(`plan ${sequence}`);
        return async (advance: Statement) => {
          await temp.store.commit(NURSE, [effect(`${sequence}`)], [advance]);
          if (sequence === 2) isMerged = true;
          trace.push(`done ${sequence}`);
        };
      };
      const about = async ({ sequence }: LogEntry) => {
        asked.push(sequence);
        return sequence === 2 ? undefined : isMerged ? 'one person' : `${sequence}`;
      };
      const handle = async () => false;
      const parts = { store: temp.store, name: 'test', handle, log: pino({ level: 'silent' }), batch: 4 };
      await createConsumer({ ...parts, ahead: { most: 3, about, plan } }).run();
      expect(asked.slice(0, 6)).toEqual([1, 2, 3, 4, 3, 4]);
      expect(trace.slice(4, 8)).toEqual(['plan 3', 'done 3', 'plan 4', 'done 4']);
    });

    test('has each effect once and in order, whichever fails once', async () => {
      const { run } = ahead(new Map([1, 2, 5, 7].map((sequence) => [sequence, 1])));
      await run();
      expect(await effects()).toEqual(['1', '2', '4', '5', '6', '7']);
    });

    test('stops before an effect that goes on failing', async () => {
      const { run } = ahead(new Map([[2, 99]]));
      expect((await faultOf(run())).kind).toBe('precondition');
      expect(await effects()).toEqual(['1']);
      expect(await readCursor(temp.store, 'test')).toBe(1);
    });

    test('shares the log with another, each effect once', async () => {
      await Promise.all([ahead().run(), ahead().run()]);
      await ahead().run();
      expect(await effects()).toEqual(['1', '2', '4', '5', '6', '7']);
    });
  });
});
