// The rows that an update changes are among those of parameters that may read a changed element: what the others find stays.
import type { Resource } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changedElements, elementsRead } from '../../../src/fhir/search/elements-read.ts';
import { createExtraction } from '../../../src/fhir/search/extract.ts';
import type { IndexRows } from '../../../src/fhir/search/index-rows.ts';
import { loadSearchParameters } from '../../../src/fhir/search/parameters.ts';
import { EXAMPLES } from '../validation/examples.ts';

const ids = new Map<string, number>();
const extract = createExtraction({
  parameters: loadSearchParameters([]),
  baseUrl: 'https://baton.test/fhir',
  idOf({ type, code }) {
    const name = `${type}.${code}`;
    ids.set(name, ids.get(name) ?? ids.size + 1);
    return ids.get(name) ?? 0;
  },
});

const flat = (rows: IndexRows) =>
  new Set(Object.entries(rows).flatMap(([kind, found]) => found.map((row) => `${kind} ${JSON.stringify(row)}`)));

test('exchanging them leaves the rows that the changed resource has by itself', () => {
  const examples = Object.values(EXAMPLES) as unknown as (Resource & Record<string, unknown>)[];
  const edit = fc.record({ element: fc.nat(), by: fc.constantFrom('nothing', 'half', 'twice') });
  fc.assert(
    fc.property(fc.constantFrom(...examples), fc.array(edit, { maxLength: 4 }), fc.boolean(), (one, edits, back) => {
      const edited: Record<string, unknown> = structuredClone(one);
      for (const { element, by } of edits) {
        const names = Object.keys(edited).filter((name) => name !== 'resourceType');
        const name = names[element % names.length] ?? 'id';
        const value = edited[name];
        if (by === 'nothing') delete edited[name];
        else if (Array.isArray(value)) edited[name] = by === 'half' ? value.slice(1) : [...value, ...value];
        else if (typeof value === 'string') edited[name] = by === 'half' ? value.slice(0, 4) : `${value}x`;
      }
      const [before, after] = (back ? [edited, one] : [one, edited]) as unknown as [Resource, Resource];
      const elements = changedElements(before, after);
      const stored = flat(extract(before));
      for (const row of flat(extract(before, elements))) stored.delete(row);
      for (const row of flat(extract(after, elements))) stored.add(row);
      expect(stored).toEqual(flat(extract(after)));
    }),
    { numRuns: 400 },
  );
});

test('a path reads what it names, a choice without its type, and everything when it does not say', () => {
  const reads = elementsRead(["Task.where(status = 'ready').restriction.period", 'Observation.value.ofType(dateTime)']);
  const elements = ['status', '_status', 'restriction', 'valueDateTime', 'owner', 'statusReason', 'val'];
  expect(elements.filter((element) => reads([element]))).toEqual([
    'status',
    '_status',
    'restriction',
    'valueDateTime',
    'statusReason',
  ]);
  for (const path of [
    'Task',
    'Task.descendants().reference',
    'status',
    'Resource.meta.lastUpdated',
    'Task.where($this.x)',
  ])
    expect([elementsRead([path])(['owner']), elementsRead([path])([])]).toEqual([true, true]);
});
