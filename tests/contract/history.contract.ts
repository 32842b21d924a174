// History of a resource, a type and the store. https://hl7.org/fhir/R4/http.html#history
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HistoryRequest, StoredVersion } from '../../src/store/store.ts';
import { create, faultOf, NURSE, patient, update } from '../support/store-fixtures.ts';
import type { TempStore } from '../support/temp-store.ts';
import type { OpenStoreForTest } from './store.contract.ts';

const MIDNIGHT = Temporal.Instant.from('2099-03-01T00:00:00Z');

export function historyContract(open: OpenStoreForTest): void {
  describe('history', () => {
    let temp: TempStore;
    beforeEach(async () => {
      temp = await open();
    });
    afterEach(() => temp.cleanup());

    async function all(request: Omit<HistoryRequest, 'count'>, count: number): Promise<StoredVersion[]> {
      const items: StoredVersion[] = [];
      let cursor: string | undefined;
      do {
        const page = await temp.store.history({ ...request, count, ...(cursor === undefined ? {} : { cursor }) });
        expect(page.items.length).toBeLessThanOrEqual(count);
        items.push(...page.items);
        cursor = page.next;
      } while (cursor !== undefined);
      return items;
    }

    async function threeVersionsOfTwo(): Promise<void> {
      for (const id of ['a', 'b']) await temp.store.commit(NURSE, [update(patient(id, { id }))]);
      for (const id of ['a', 'b']) await temp.store.commit(NURSE, [update(patient(id, { id, active: true }))]);
      await temp.store.commit(NURSE, [{ op: 'delete', type: 'Patient', id: 'a' }]);
      await temp.store.commit(NURSE, [create({ resourceType: 'Basic', code: { text: 'x' } })]);
    }

    test('of a resource: newest first, the deletion included, with a total', async () => {
      await threeVersionsOfTwo();
      const page = await temp.store.history({ type: 'Patient', id: 'a', count: 10 });
      expect(page.items.map((item) => [item.versionId, item.operation])).toEqual([
        ['3', 'delete'],
        ['2', 'update'],
        ['1', 'update'],
      ]);
      expect(page).toMatchObject({ total: 3 });
      expect(page.next).toBeUndefined();
    });

    test('of a type and of the store', async () => {
      await threeVersionsOfTwo();
      expect((await temp.store.history({ type: 'Patient', count: 10 })).total).toBe(5);
      const whole = await temp.store.history({ count: 10 });
      expect(whole.items.map((item) => item.sequence)).toEqual([6, 5, 4, 3, 2, 1]);
      expect(await temp.store.history({ count: 0 })).toEqual({ items: [], total: 6 });
      expect((await temp.store.history({ type: 'Patient', id: 'nobody', count: 5 })).total).toBe(0);
    });

    test.for([1, 2, 3, 5, 6, 7])(
      'pages of %i show every version once, whatever is written meanwhile',
      async (count) => {
        await threeVersionsOfTwo();
        const first = await temp.store.history({ count });
        await temp.store.commit(NURSE, [create(patient('later'))]);
        const rest = first.next === undefined ? [] : await all({ cursor: first.next }, count);
        expect([...first.items, ...rest].map((item) => item.sequence)).toEqual([6, 5, 4, 3, 2, 1]);
      },
    );

    test('_since is inclusive', async () => {
      for (let minute = 0; minute < 4; minute += 1) {
        temp.clock.moveTo(MIDNIGHT.add({ minutes: minute }));
        await temp.store.commit(NURSE, [update(patient('1', { id: 'a' }))]);
      }
      const [, third] = (await temp.store.history({ count: 10 })).items;
      const since = await all({ since: String(third?.lastUpdated) }, 1);
      expect(since.map((item) => item.versionId)).toEqual(['4', '3']);
      const elsewhere = Temporal.Instant.from(String(third?.lastUpdated)).toZonedDateTimeISO('America/Chicago');
      const zoned = elsewhere.toString({ timeZoneName: 'never' });
      expect((await all({ since: zoned }, 10)).map((item) => item.versionId)).toEqual(['4', '3']);
      expect(await all({ since: '2999-01-01T00:00:00Z' }, 10)).toEqual([]);
    });

    test('_at finds what was current in the period', async () => {
      temp.clock.moveTo(MIDNIGHT.add({ hours: 9 }));
      await temp.store.commit(NURSE, [update(patient('1', { id: 'a' }))]);
      temp.clock.moveTo(MIDNIGHT.add({ hours: 33 }));
      await temp.store.commit(NURSE, [update(patient('2', { id: 'a' }))]);
      temp.clock.moveTo(MIDNIGHT.add({ hours: 57 }));
      await temp.store.commit(NURSE, [{ op: 'delete', type: 'Patient', id: 'a' }]);
      const at = async (moment: string) => (await all({ at: moment }, 10)).map((item) => item.versionId);
      expect(await at('2099-02-28')).toEqual([]);
      expect(await at('2099-03-01')).toEqual(['1']);
      expect(await at('2099-03-02')).toEqual(['2', '1']);
      expect(await at('2099-03-03')).toEqual(['3', '2']);
      expect(await at('2099-03-02T12:00:00Z')).toEqual(['2']);
      expect(await at('2099-03')).toEqual(['3', '2', '1']);
      expect(await at('2099-03-05')).toEqual([]);
    });

    test.for([
      { since: 'yesterday' },
      { since: '2026-02-30T00:00:00Z' },
      { at: 'noon' },
      { at: '2026-13' },
      { cursor: 'nonsense' },
      { cursor: Buffer.from('{"a":1}').toString('base64url') },
    ])('%o is refused', async (wrong) => {
      expect((await faultOf(temp.store.history({ count: 10, ...wrong }))).kind).toBe('invalid');
    });
  });
}
