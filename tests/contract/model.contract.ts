// Random sequences of commits against a model that is a few lines of Map: versions, contents, preconditions, log.
import type { Patient } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FaultKind } from '../../src/fault.ts';
import type { Change } from '../../src/fhir/change.ts';
import { walkTrail } from '../../src/store/audit-walk.ts';
import { faultOf, NURSE, patient } from '../support/store-fixtures.ts';
import type { TempStore } from '../support/temp-store.ts';
import type { OpenStoreForTest } from './store.contract.ts';

interface Version {
  readonly version: number;
  readonly value: string | undefined;
}

/** Every version of every id, oldest first. */
type Model = Map<string, Version[]>;

interface Move {
  readonly op: 'update' | 'delete' | 'create';
  readonly id: string;
  readonly value: string;
  /** How far below the current version If-Match points; undefined for none. */
  readonly behind: number | undefined;
}

const id = fc.constantFrom('a', 'b', 'c');
const move: fc.Arbitrary<Move> = fc.record({
  op: fc.constantFrom('update' as const, 'update' as const, 'delete' as const, 'create' as const),
  id,
  value: fc.constantFrom('1', '2', '3'),
  behind: fc.constantFrom(undefined, undefined, 0, 0, 1),
});
const commit = fc.uniqueArray(move, { minLength: 1, maxLength: 3, selector: (item) => item.id });

export function modelContract(open: OpenStoreForTest): void {
  describe('model', () => {
    test('random commits leave what a simple model says', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(commit, { maxLength: 12 }), async (commits) => {
          const temp = await open();
          const model: Model = new Map();
          let sequence = 0;
          for (const moves of commits) {
            const changes = moves.map((item) => changeOf(model, item));
            const expected = apply(model, moves);
            if (typeof expected === 'string') {
              expect((await faultOf(temp.store.commit(NURSE, changes))).kind).toBe(expected);
              continue;
            }
            await temp.store.commit(NURSE, changes);
            sequence += expected;
          }
          await compare(temp, model, sequence);
          await temp.cleanup();
        }),
        { numRuns: 15 },
      );
    });
  });
}

function changeOf(model: Model, { op, id, value, behind }: Move): Change {
  const ifMatch = behind === undefined ? {} : { ifMatch: String((currentOf(model, id)?.version ?? 1) - behind) };
  if (op === 'delete') return { op, type: 'Patient', id, ...ifMatch };
  return op === 'create' ? { op, resource: patient(value), id } : { op, resource: patient(value, { id }), ...ifMatch };
}

/** Applies all moves or none. Returns how many versions were written, or why the commit fails. */
function apply(model: Model, moves: readonly Move[]): number | FaultKind {
  const next: [string, Version][] = [];
  for (const item of moves) {
    const current = currentOf(model, item.id);
    if (item.op === 'create' && current) return 'conflict';
    if (item.op !== 'create' && item.behind !== undefined && (!current || item.behind > 0)) return 'precondition';
    if (item.op === 'delete' && current?.value === undefined) continue;
    const version = (current?.version ?? 0) + 1;
    next.push([item.id, { version, value: item.op === 'delete' ? undefined : item.value }]);
  }
  for (const [key, version] of next) model.set(key, [...(model.get(key) ?? []), version]);
  return next.length;
}

function currentOf(model: Model, key: string): Version | undefined {
  return model.get(key)?.at(-1);
}

async function compare({ store }: TempStore, model: Model, sequence: number): Promise<void> {
  expect(await store.head()).toBe(sequence);
  const log = await store.readLog(0, 1_000);
  expect(log.map((entry) => entry.sequence)).toEqual(Array.from({ length: sequence }, (_, index) => index + 1));
  for (const [key, versions] of model) {
    const history = await store.history({ type: 'Patient', id: key, count: 1_000 });
    expect(history.items.map(versionOf).reverse()).toEqual(versions);
    const current = await store.read('Patient', key);
    expect(current && versionOf(current)).toEqual(versions.at(-1));
    expect(log.filter((entry) => entry.id === key).map(versionOf)).toEqual(versions);
  }
  for (const value of ['1', '2', '3']) {
    const expected = [...model].filter(([, versions]) => versions.at(-1)?.value === value).map(([key]) => key);
    const found = await store.find(`Patient?identifier=urn:test|${value}`);
    expect(found.map((item) => item.id).sort()).toEqual(expected.sort());
  }
  expect(await walkTrail(store)).not.toHaveProperty('brokenAt');
}

function versionOf({ versionId, content }: { versionId: string; content: string }): Version {
  const value = content === '' ? undefined : (JSON.parse(content) as Patient).identifier?.[0]?.value;
  return { version: Number(versionId), value };
}
