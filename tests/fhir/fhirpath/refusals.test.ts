// What cannot be compiled or evaluated is refused with the expression in the message.
import { describe, expect, test } from 'vitest';
import { Fault } from '../../../src/fault.ts';
import { compilePath } from '../../../src/fhir/fhirpath/compile.ts';

function faultOf(work: () => unknown): Fault {
  try {
    work();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('refused when compiled', () => {
  test.each([
    ['', 'ends too early'],
    ['name.', 'ends too early'],
    ['name..given', 'Parse error'],
    ['name.foo()', 'no function foo()'],
    ['name given', 'given'],
    ["name = 'x", 'not closed'],
    ['a /* b', 'not closed'],
    ['name.where()', '1 arguments'],
    ['value as Quantty', 'Quantty is not a type'],
    ["name.matches('[')", 'not a regular expression'],
    ['$that', '$that'],
    ['name.ofType(1)', 'type name'],
    ['@x', 'DateTime'],
    ['name.constructor()', 'no function constructor()'],
  ])('%s', (expression, reason) => {
    const fault = faultOf(() => compilePath(expression, 'Patient'));
    expect(fault.kind).toBe('invalid');
    expect(fault.message).toContain(`"${expression}"`);
    expect(fault.message).toContain(reason);
  });

  test('an expression that is too long or too deep', () => {
    expect(faultOf(() => compilePath('a'.repeat(30_000), 'Patient')).message).toContain('longer than');
    expect(faultOf(() => compilePath(`${'('.repeat(9000)}1${')'.repeat(9000)}`, 'Patient')).kind).toBe('invalid');
  });
});

describe('refused when evaluated', () => {
  const patient = { resourceType: 'Patient', name: [{ given: ['a', 'b'] }] };
  test.each([
    ['name.given.startsWith("a")', 'one value'],
    ['name.given > 1', 'one value'],
    ['1 > name.given.first()', 'cannot be ordered'],
    ['%unknown', '%unknown'],
    ['today()', 'time'],
  ])('%s', (expression, reason) => {
    expect(faultOf(() => compilePath(expression, 'Patient')(patient)).message).toContain(reason);
  });

  test('data of the wrong shape gives nothing rather than an accident', () => {
    const odd = {
      resourceType: 'Patient',
      name: 'Jim',
      birthDate: { a: 1 },
      contact: [null, 3],
      contained: [null, {}],
      _gender: 7,
    };
    for (const path of [
      'name.given',
      'birthDate.extension',
      'contact.name.family',
      'contained.id',
      'descendants().id',
      'gender.extension',
    ]) {
      expect(compilePath(path, 'Patient')(odd)).toEqual([]);
    }
  });
});
