// The audit trail: every write, and everything else that is reported to it, in a chain that shows tampering.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { walkTrail } from '../../src/store/audit-walk.ts';
import { create, faultOf, NURSE, patient, update } from '../support/store-fixtures.ts';
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
  });
}
