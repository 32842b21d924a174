import { describe, expect, it } from 'vitest';
import { managerOf, populationOf, portions } from '../../scripts/bench/population/population.ts';
import { RECORD_SIZE, recordOf } from '../../scripts/bench/population/record.ts';
import type { Resource } from '../../scripts/bench/population/resource.ts';
import { transactionOf } from '../../scripts/bench/workloads/bundles.ts';
import { NINE_TYPES } from '../../scripts/bench/workloads/nine-types.ts';
import { testRules } from '../support/store-rules.ts';

const { validate } = testRules();
const errorsOf = (resource: unknown) =>
  validate(resource as Parameters<typeof validate>[0]).filter(
    ({ severity }) => severity !== 'warning' && severity !== 'information',
  );

describe('the benchmark population', () => {
  const population = populationOf(3_000);

  it('has the size it says, in portions that refer only to what came before', () => {
    const known = new Set<string>();
    let count = 0;
    for (const portion of portions(population, 500)) {
      expect(portion.length).toBeLessThanOrEqual(500);
      for (const { resourceType, id } of portion) known.add(`${resourceType}/${id}`);
      count += portion.length;
      for (const [, reference] of JSON.stringify(portion).matchAll(/"reference":"([^"]+)"/g)) {
        expect(known).toContain(reference);
      }
    }
    expect(count).toBe(population.size);
    expect(known.size).toBe(count);
  });

  it('is the same every time', () => {
    expect(recordOf(42, managerOf(42, population))).toEqual(recordOf(42, managerOf(42, population)));
  });

  it('is valid', () => {
    const record = recordOf(7, managerOf(7, population));
    expect(record).toHaveLength(RECORD_SIZE);
    for (const resource of record) expect(errorsOf(resource)).toEqual([]);
    for (const [type, rest] of NINE_TYPES) {
      expect(errorsOf(JSON.parse(`{"resourceType":"${type}","id":"x",${rest}`))).toEqual([]);
    }
  });

  it.each([2, 50, 200, 500])('makes a transaction of %i whose references lead somewhere', (entries) => {
    const bundle = JSON.parse(transactionOf(5_000, entries, population)) as {
      entry: { fullUrl: string; resource: Resource }[];
    };
    expect(bundle.entry).toHaveLength(entries);
    const urls = new Set(bundle.entry.map(({ fullUrl }) => fullUrl));
    const references = [...JSON.stringify(bundle).matchAll(/"reference":"([^"]+)"/g)].map(([, reference]) => reference);
    const dangling = references.filter((url = '') => !urls.has(url) && !url.startsWith('Practitioner/'));
    expect(dangling).toEqual([]);
  });
});
