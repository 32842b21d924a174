// Two records of one person: who stands for whom.
import { expect, test } from 'vitest';
import { followChain, replacedBy, retired, surviving } from '../../src/fhir/patient-merge.ts';

const link = (type: string, reference: string) => ({ type, other: { reference } });

test('only replaced-by says that another record stands for this one', () => {
  expect(
    replacedBy({ resourceType: 'Patient', link: [link('seealso', 'Patient/2'), link('replaces', 'Patient/3')] }),
  ).toBeUndefined();
  expect(
    replacedBy({ resourceType: 'Patient', link: [link('seealso', 'Patient/2'), link('replaced-by', 'Patient/3')] }),
  ).toBe('Patient/3');
  expect(replacedBy({ resourceType: 'Patient', link: 'nonsense' })).toBeUndefined();
});

test('a chain ends at the last record; a circle and an endless one end nowhere', async () => {
  const chain: Record<string, string> = { a: 'b', b: 'c', x: 'y', y: 'x' };
  expect(await followChain('a', async (id) => chain[id])).toBe('c');
  expect(await followChain('c', async (id) => chain[id])).toBe('c');
  expect(await followChain('x', async (id) => chain[id])).toBeUndefined();
  expect(await followChain('1', async (id) => `${Number(id) + 1}`)).toBeUndefined();
});

test('the closed record points at the one in use, which is found by its numbers', () => {
  const one = { resourceType: 'Patient', id: '1', identifier: [{ system: 's', value: '1' }] };
  const two = { resourceType: 'Patient', id: '2', identifier: [{ system: 's', value: '2' }] };
  expect(retired(retired(one, 'Patient/9'), 'Patient/2')).toMatchObject({
    active: false,
    link: [link('replaced-by', 'Patient/2')],
  });
  const kept = surviving(two, one, 'Patient/1');
  expect(kept).toMatchObject({
    link: [link('replaces', 'Patient/1')],
    identifier: [{ value: '2' }, { value: '1', use: 'old' }],
  });
  expect(surviving(kept, one, 'Patient/1')).toEqual(kept);
});
