// The audit trail: every write, and everything else that is reported to it, in a chain that shows tampering.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CHAIN_COLUMNS, expectedHash } from '../../src/store/audit-chain.ts';
import { type AuditTest, countAudit, searchAudit } from '../../src/store/audit-search.ts';
import { walkTrail } from '../../src/store/audit-walk.ts';
import type { SqlRow, Statement } from '../../src/store/store.ts';
import { create, faultOf, NURSE, observation, patient, update } from '../support/store-fixtures.ts';
import type { TempStore } from '../support/temp-store.ts';
import type { OpenStoreForTest } from './store.contract.ts';

const TRAIL =
  'SELECT sequence, actor, interaction, action, status, type, id, version, request FROM audit ORDER BY sequence';

export function auditContract(open: OpenStoreForTest): void {
  describe('audit', () => {
    let temp: TempStore;
    beforeEach(async () => {
      temp = await open();
    });
    afterEach(() => temp.cleanup());

    test('has a row for every change that was carried out', async () => {
      await temp.store.commit(NURSE, [update(patient('1', { id: 'a' })), create(patient('2'), { id: 'b' })]);
      await temp.store.commit(NURSE, [{ op: 'delete', type: 'Patient', id: 'a' }]);
      await faultOf(temp.store.commit(NURSE, [update(patient('1', { id: 'a' }), { ifMatch: '7' })]));
      const rows = await temp.store.query(TRAIL);
      expect(rows.map((row) => [row.interaction, row.action, row.status, row.type, row.id, row.version])).toEqual([
        ['update', 'U', 201, 'Patient', 'a', 1],
        ['create', 'C', 201, 'Patient', 'b', 1],
        ['delete', 'D', 204, 'Patient', 'a', 2],
      ]);
      expect(rows[0]).toMatchObject({ actor: 'Practitioner/nurse', request: 'request-1' });
    });

    test('says of every write whose record it changed, also of a delete and of what changed nothing', async () => {
      const twice = create(observation('Patient/a'), { id: 'o', ifNoneExist: '_id=o' });
      await temp.store.commit(NURSE, [update(patient('1', { id: 'a' })), update(patient('2', { id: 'b' }))]);
      await temp.store.commit(NURSE, [create(observation('Patient/a'), { id: 'o' })]);
      await temp.store.commit(NURSE, [twice]);
      await temp.store.commit(NURSE, [update(observation('Patient/b', { id: 'o' }))]);
      await temp.store.commit(NURSE, [{ op: 'delete', type: 'Observation', id: 'o' }]);
      await temp.store.commit(NURSE, [
        update(patient('1', { id: 'a', link: [{ type: 'seealso', other: { reference: 'Patient/b' } }] })),
        create({ resourceType: 'Organization', name: 'Clinic' }),
      ]);
      const rows = await temp.store.query('SELECT type, patient, further FROM audit ORDER BY sequence');
      expect(rows.map(({ type, patient, further }) => [type, patient, further])).toEqual([
        ['Patient', 'a', null],
        ['Patient', 'b', null],
        ['Observation', 'a', null],
        ['Observation', 'a', null],
        ['Observation', 'b', null],
        ['Observation', 'b', null],
        ['Patient', 'a', 'b'],
        ['Organization', null, null],
      ]);
      expect(await walkTrail(temp.store)).toEqual({ verified: 8, last: 8 });
    });

    test('finds whose resource a read was about, for many reads at once', async () => {
      await temp.store.commit(NURSE, [
        update(patient('1', { id: 'a' })),
        create(observation('Patient/a'), { id: 'o' }),
      ]);
      const read = { actor: NURSE, interaction: 'read', action: 'R', status: 200 } as const;
      const asked = [
        { type: 'Observation', id: 'o', version: 1 },
        { type: 'Patient', id: 'a' },
        { type: 'Patient', id: 'none' },
        { type: 'Observation', id: 'none' },
        { type: 'Organization', id: 'x' },
        { type: 'Task', patients: ['p', 'q', 'r'] },
      ];
      for (let n = 0; n < 100; n += 1) for (const about of asked) temp.store.audit({ ...read, ...about });
      await temp.store.commit(NURSE, [create(patient('3'))]);
      const rows = await temp.store.query('SELECT patient, further FROM audit WHERE sequence > 2 AND sequence <= 602');
      const found = new Set(rows.map(({ patient, further }) => `${patient} ${further}`));
      expect(found).toEqual(new Set(['a null', 'none null', 'null null', 'p q r']));
      expect(rows.filter(({ patient }) => patient === 'a')).toHaveLength(200);
    });

    test('holds what a client cannot break the chain with', async () => {
      const record = { actor: NURSE, interaction: 'read', action: 'R', status: 404, type: 'Task' } as const;
      temp.store.audit({ ...record, id: 'a\0b', query: 'x\ud800y' });
      await temp.store.commit({ ...NURSE, address: '\udfff', purposes: ['A', 'B'], client: 'app\'"\\' }, [
        create(patient('1')),
      ]);
      expect(await walkTrail(temp.store)).toEqual({ verified: 2, last: 2 });
    });

    test('verifies records of an older Baton before its own, and finds a column of theirs that was filled in', async () => {
      const old = {
        ...{ recorded: 1, actor: 'a', kind: 'user', origin: null, request: null, interaction: 'read', action: 'R' },
        ...{ status: 200, type: null, id: null, version: null, query: null },
      };
      let previous = '';
      for (const sequence of [1, 2]) {
        const row: SqlRow = { ...Object.fromEntries(CHAIN_COLUMNS.map((name) => [name, null])), sequence, ...old };
        previous = expectedHash(previous, row) ?? '';
        const params = CHAIN_COLUMNS.map((name) => (name === 'hash' ? previous : (row[name] ?? null)));
        const sql = `INSERT INTO audit (${CHAIN_COLUMNS.join(', ')}) VALUES (${CHAIN_COLUMNS.map(() => '?').join(', ')})`;
        await temp.store.commit(NURSE, [], [{ sql, params }]);
      }
      await temp.store.commit(NURSE, [create(patient('1'))]);
      expect(await walkTrail(temp.store)).toEqual({ verified: 3, last: 3 });
      for (const column of ['client', 'address', 'purposes', 'emergency', 'patient', 'further', 'format']) {
        const value = column === 'format' ? 1 : 'x';
        const set = (to: string | number | null): Statement => ({
          sql: `UPDATE audit SET ${column} = ? WHERE sequence = 1`,
          params: [to],
        });
        await temp.store.commit(NURSE, [], [set(value)]);
        expect((await walkTrail(temp.store)).brokenAt).toBe(1);
        await temp.store.commit(NURSE, [], [set(null)]);
      }
    });

    test('a record goes into the next commit', async () => {
      temp.store.audit({ actor: NURSE, interaction: 'read', action: 'R', status: 200, type: 'Patient', id: 'a' });
      await temp.store.commit(NURSE, [create(patient('1'))]);
      const rows = await temp.store.query(TRAIL);
      expect(rows.map((row) => row.interaction)).toEqual(['read', 'create']);
    });

    test('a change or a removal in the middle shows', async () => {
      for (let index = 0; index < 5; index += 1) await temp.store.commit(NURSE, [create(patient(String(index)))]);
      expect(await walkTrail(temp.store)).toEqual({ verified: 5, last: 5 });
      const tamper = (sql: string) => temp.store.commit(NURSE, [], [{ sql, params: [], rows: 1 }]);
      await tamper("UPDATE audit SET actor = 'Practitioner/other' WHERE sequence = 3");
      expect(await walkTrail(temp.store)).toMatchObject({ verified: 2, brokenAt: 3 });
      await tamper("UPDATE audit SET actor = 'Practitioner/nurse' WHERE sequence = 3");
      expect(await walkTrail(temp.store)).toEqual({ verified: 5, last: 5 });
      await tamper('DELETE FROM audit WHERE sequence = 2');
      expect(await walkTrail(temp.store)).toMatchObject({ verified: 1, brokenAt: 2 });
    });

    test('records that no commit takes along are written by themselves', async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      temp.store.audit({ actor: NURSE, interaction: 'search-type', action: 'R', status: 200, query: 'name=x' });
      const look = async (): Promise<void> => {
        const rows = await temp.store.query('SELECT query FROM audit');
        if (rows.length === 0) setImmediate(look);
        else resolve();
      };
      void look();
      await promise;
      expect(await walkTrail(temp.store)).toEqual({ verified: 1, last: 1 });
    });

    test('a long trail is searched whole, in the order of time, whatever the order it was written in', async () => {
      const size = 40_000;
      const rowOf = (n: number) => ({ sequence: n, recorded: (n * 7_919) % 23_333, isRare: n % 9_973 === 0 });
      const fill = `WITH RECURSIVE row (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM row WHERE n < ${size})
        INSERT INTO audit (sequence, recorded, actor, kind, interaction, action, status, hash)
        SELECT n, (n * 7919) % 23333, CASE n % 9973 WHEN 0 THEN 'rare' ELSE 'often' END, 'user',
          CASE n % 9973 WHEN 0 THEN 'login' ELSE 'read' END, 'R', 200, '' FROM row`;
      await temp.store.commit(NURSE, [], [{ sql: fill, params: [] }]);
      const all = Array.from({ length: size }, (_, n) => rowOf(n + 1));
      const sorted = all.toSorted((a, b) => a.recorded - b.recorded || a.sequence - b.sequence);
      const late = { column: 'recorded', from: 20_000 } as const;
      const searches: [AuditTest[], (row: (typeof all)[number]) => boolean][] = [
        [[], () => true],
        [[{ column: 'interaction', is: ['login'] }], ({ isRare }) => isRare],
        [[{ column: 'actor', is: ['rare'] }], ({ isRare }) => isRare],
        [[{ column: 'actor', is: ['rare'] }, late], ({ isRare, recorded }) => isRare && recorded >= 20_000],
        [
          [{ any: [late] }, { column: 'recorded', below: 20_500 }],
          ({ recorded }) => recorded >= 20_000 && recorded < 20_500,
        ],
        [[{ any: [{ column: 'actor', is: ['rare'] }, late] }], ({ isRare, recorded }) => isRare || recorded >= 20_000],
        [[{ column: 'actor', is: ['nobody'] }], () => false],
      ];
      for (const [tests, passes] of searches) {
        const should = sorted.filter(passes);
        expect(await countAudit(temp.store, tests)).toBe(should.length);
        for (const ascending of [true, false]) {
          const order = (ascending ? should : should.toReversed()).map(({ sequence }) => sequence);
          const middle = order[Math.floor(order.length / 2)];
          const first = await searchAudit(temp.store, { tests, ascending, count: 4 });
          expect(first.map(({ sequence }) => sequence)).toEqual(order.slice(0, 5));
          if (middle === undefined) continue;
          const next = await searchAudit(temp.store, { tests, ascending, count: 50, after: rowOf(middle) });
          const rest = order.slice(order.indexOf(middle) + 1);
          expect(next.map(({ sequence }) => sequence)).toEqual(rest.slice(0, 51));
        }
      }
    });
  });
}
