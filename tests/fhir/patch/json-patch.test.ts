// JSON Patch, by the letter of RFC 6902 and RFC 6901, and against another implementation.
import type { Resource } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { applyPatch, createPatch } from 'rfc6902';
import { describe, expect, it } from 'vitest';
import { Fault } from '../../../src/fault.ts';
import { parseExact, stringifyExact } from '../../../src/fhir/exact-json.ts';
import { readPatch } from '../../../src/fhir/patch/patch.ts';

const DOCUMENT = {
  resourceType: 'Patient',
  id: 'p',
  meta: { versionId: '3', lastUpdated: '2026-01-01T00:00:00Z' },
  name: [{ family: 'A', given: ['x', 'y'] }],
  'a/b': 1,
  'm~n': 2,
  '': 3,
};

function patched(operations: unknown): Record<string, unknown> {
  return JSON.parse(stringifyExact(readPatch(operations).revise(structuredClone(DOCUMENT) as unknown as Resource)));
}

function statusOf(operations: unknown): number {
  try {
    patched(operations);
  } catch (error) {
    if (error instanceof Fault) return error.status;
    throw error;
  }
  return 200;
}

describe('an operation', () => {
  it.each<[string, object, object]>([
    ['add a member', { op: 'add', path: '/active', value: true }, { active: true }],
    ['add over a member', { op: 'add', path: '/name', value: [] }, { name: [] }],
    [
      'add into a list',
      { op: 'add', path: '/name/0/given/1', value: 'z' },
      { name: [{ family: 'A', given: ['x', 'z', 'y'] }] },
    ],
    [
      'add at the end of a list',
      { op: 'add', path: '/name/0/given/-', value: 'z' },
      { name: [{ family: 'A', given: ['x', 'y', 'z'] }] },
    ],
    ['remove from a list', { op: 'remove', path: '/name/0/given/0' }, { name: [{ family: 'A', given: ['y'] }] }],
    [
      'replace',
      { op: 'replace', path: '/name/0/family', value: null },
      { name: [{ family: null, given: ['x', 'y'] }] },
    ],
    [
      'move within a list',
      { op: 'move', from: '/name/0/given/1', path: '/name/0/given/0' },
      { name: [{ family: 'A', given: ['y', 'x'] }] },
    ],
    ['copy', { op: 'copy', from: '/name/0/given', path: '/x' }, { x: ['x', 'y'] }],
    ['escapes', { op: 'replace', path: '/a~1b', value: 9 }, { 'a/b': 9 }],
    ['an escaped tilde', { op: 'replace', path: '/m~0n', value: 9 }, { 'm~n': 9 }],
    ['the empty name', { op: 'replace', path: '/', value: 9 }, { '': 9 }],
    ['a test of numbers and order', { op: 'test', path: '/name/0', value: { given: ['x', 'y'], family: 'A' } }, {}],
    ['members that are not known', { op: 'add', path: '/active', value: true, xyz: 1 }, { active: true }],
  ])('%s', (_, operation, expected) => {
    expect(patched([operation])).toEqual({ ...DOCUMENT, ...expected });
  });

  it.each<[string, unknown]>([
    ['an unknown op', { op: 'merge', path: '/active', value: 1 }],
    ['no op', { path: '/active', value: 1 }],
    ['no path', { op: 'add', value: 1 }],
    ['a path that is no text', { op: 'add', path: 1, value: 1 }],
    ['no value', { op: 'add', path: '/active' }],
    ['no from', { op: 'move', path: '/active' }],
    ['no object', 'add'],
    ['null', null],
    ['a pointer without slash', { op: 'add', path: 'active', value: 1 }],
    ['a wrong escape', { op: 'add', path: '/a~2', value: 1 }],
    ['a path that is not there', { op: 'remove', path: '/birthDate' }],
    ['a replace of what is not there', { op: 'replace', path: '/birthDate', value: '2000' }],
    ['a parent that is not there', { op: 'add', path: '/contact/0/name', value: {} }],
    ['an index beyond the end', { op: 'add', path: '/name/2', value: {} }],
    ['an index with a leading zero', { op: 'add', path: '/name/00', value: {} }],
    ['a negative index', { op: 'add', path: '/name/-1', value: {} }],
    ['a name in a list', { op: 'add', path: '/name/length', value: 0 }],
    ['removing after the end', { op: 'remove', path: '/name/-' }],
    ['replacing after the end', { op: 'replace', path: '/name/1', value: {} }],
    ['a test that fails', { op: 'test', path: '/name/0/family', value: 'B' }],
    ['a test of what is not there', { op: 'test', path: '/birthDate', value: null }],
    ['a move into itself', { op: 'move', from: '/name', path: '/name/0/x' }],
    ['the root', { op: 'replace', path: '', value: { resourceType: 'Patient' } }],
    ['removing the root', { op: 'remove', path: '' }],
    ['the prototype', { op: 'add', path: '/__proto__/polluted', value: 1 }],
    ['the constructor', { op: 'add', path: '/constructor/prototype/polluted', value: 1 }],
    ['an inherited member', { op: 'test', path: '/toString', value: null }],
    ['the id', { op: 'replace', path: '/id', value: 'q' }],
    ['the type', { op: 'replace', path: '/resourceType', value: 'Task' }],
    ['the version', { op: 'replace', path: '/meta/versionId', value: '9' }],
    ['the version by its meta', { op: 'add', path: '/meta', value: { versionId: '9' } }],
    ['the time', { op: 'remove', path: '/meta/lastUpdated' }],
    ['the id moved away', { op: 'move', from: '/id', path: '/x' }],
  ])('is 422 with %s', (_, operation) => {
    expect(statusOf([operation])).toBe(422);
    expect({}).not.toHaveProperty('polluted');
  });

  it('is limited in number and in what it copies', () => {
    expect(statusOf(Array.from({ length: 1_001 }, () => ({ op: 'test', path: '/id', value: 'p' })))).toBe(413);
    const doubling = Array.from({ length: 40 }, (_, index) => ({
      op: 'copy',
      from: '/name',
      path: `/name/0/x${index}`,
    }));
    expect(statusOf(doubling)).toBe(413);
  });
});

it('a document that is no list is 400', () => {
  for (const body of [{}, 'x', 1, null, { op: 'add' }]) expect(statusOf(body)).toBe(400);
});

it('keeps the digits of decimals, of those it touches and of the others', () => {
  const text = '{"resourceType":"Observation","valueQuantity":{"value":1.00},"a":{"value":2.50}}';
  const revise = (operations: string) =>
    stringifyExact(readPatch(parseExact(operations)).revise(parseExact<Resource>(text)));
  expect(revise('[{"op":"replace","path":"/a/value","value":7.10}]')).toContain('"value":1.00},"a":{"value":7.10}');
  expect(revise('[{"op":"replace","path":"/a/value","value":2.5}]')).toContain('"a":{"value":2.5}');
  expect(revise('[{"op":"move","from":"/a/value","path":"/valueQuantity/value"}]')).toContain('{"value":2.50}');
  expect(revise('[{"op":"copy","from":"/a","path":"/b"}]')).toContain('"b":{"value":2.50}');
  expect(revise('[{"op":"add","path":"/b","value":{"value":3.0}}]')).toContain('"b":{"value":3.0}');
});

it('does what another implementation does, for any two documents', () => {
  const value = fc.letrec<{ any: unknown }>((tie) => ({
    any: fc.oneof(
      { depthSize: 'small' },
      fc.integer(),
      fc.string(),
      fc.boolean(),
      fc.array(tie('any'), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom('a', 'b', 'a/b', 'm~n', 'value'), tie('any'), { maxKeys: 3 }),
    ),
  })).any;
  fc.assert(
    fc.property(value, value, (before, after) => {
      const operations = createPatch({ x: before }, { x: after });
      const theirs = { x: structuredClone(before) };
      const errors = applyPatch(theirs, operations).filter(Boolean);
      const mine = JSON.parse(stringifyExact(readPatch(operations).revise({ x: structuredClone(before) } as never)));
      expect(errors).toEqual([]);
      expect(mine).toEqual(theirs);
      expect(mine).toEqual({ x: after });
    }),
    { numRuns: 500 },
  );
});
