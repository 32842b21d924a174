import { expect, test } from 'vitest';
import { movableClock } from '../../../src/clock.ts';
import { Fault } from '../../../src/fault.ts';
import { loadSearchParameters } from '../../../src/fhir/search/parameters.ts';
import { parseSearch } from '../../../src/fhir/search/parse.ts';

const parameters = loadSearchParameters([]);
const clock = movableClock(Temporal.Instant.from('2026-01-01T00:00:00Z'));

type Handling = 'strict' | 'lenient';
function parse(type: string | undefined, query: string, handling: Handling = 'strict') {
  const pairs = [...new URLSearchParams(query)];
  return parseSearch(parameters, type, pairs, { handling, baseUrl: 'https://baton.test/fhir', clock });
}

/** The sentence that the client gets. */
function refusal(type: string | undefined, query: string, handling: Handling = 'strict'): string {
  try {
    parse(type, query, handling);
  } catch (error) {
    if (error instanceof Fault && error.status === 400) return error.issues[0]?.details?.text ?? '';
    throw error;
  }
  throw new Error(`${query} should have been refused.`);
}

test.each([
  ['Patient', 'nonsense=1', 'nonsense'],
  ['Patient', 'name:nonsense=a', 'name:nonsense'],
  ['Patient', 'birthdate:exact=2000', 'birthdate:exact'],
  ['Task', 'subject:Location2=1', 'subject:Location2'],
  ['Task', 'status:in=http://x', 'status:in'],
  ['Task', 'owner.nonsense=1', 'owner.nonsense'],
  ['Task', 'status.name=1', 'status.name'],
  ['Patient', '_has:Task:owner=1', '_has:Task:owner'],
  ['Patient', '_has:Task:encounter:status=requested', '_has:Task:encounter:status'],
  ['Patient', '_sort=nonsense', '_sort=nonsense'],
  ['Patient', '_include=Patient:name', '_include=Patient:name'],
  ['Patient', '_include=Nonsense:name', '_include=Nonsense:name'],
  ['Patient', '_include:name=Patient:general-practitioner', '_include:name'],
  [undefined, 'birthdate=2000', 'birthdate'],
])('%s?%s is refused by name, and ignored when the client is lenient', (type, query, name) => {
  expect(refusal(type, query)).toContain(name);
  const lenient = parse(type, query, 'lenient');
  expect(lenient).toMatchObject({ ignored: [query.slice(0, query.indexOf('='))], applied: [], conditions: [] });
});

test.each([
  ['Patient', 'birthdate=2000-02-30', 'birthdate'],
  ['Patient', 'birthdate=2000-01-01T10', 'birthdate'],
  ['Patient', 'birthdate=xx2000', 'birthdate'],
  ['Observation', 'date=2024-01-01T00:00:00+02:00', '%2B'],
  ['Observation', 'value-quantity=abc', 'value-quantity'],
  ['Observation', 'value-quantity=5|mg', 'value-quantity'],
  ['Observation', 'code-value-quantity=8867-4', 'code-value-quantity'],
  ['RiskAssessment', 'probability=high', 'probability'],
  ['Patient', 'name:missing=maybe', 'name:missing'],
  ['Patient', 'name=', 'name'],
  ['Patient', 'name=a,,b', 'name'],
  ['Patient', 'identifier=a|b|c', 'identifier'],
  ['Patient', 'identifier=|', 'identifier'],
  ['Task', 'owner=not an id', 'owner'],
  ['Task', 'subject:Patient=Group/1', 'subject:Patient'],
  ['Patient', '_count=-1', '_count'],
  ['Patient', '_count=ten', '_count'],
  ['Patient', '_total=some', '_total'],
  [undefined, '_type=Patient,Nonsense', '_type'],
])('%s?%s is malformed, leniently or not', (type, query, name) => {
  expect(refusal(type, query)).toContain(name);
  expect(refusal(type, query, 'lenient')).toContain(name);
});

test('the plus of an offset must be escaped; escaped it is understood', () => {
  const [condition] = parse('Observation', 'date=2024-01-01T00:00:00%2B02:00').conditions;
  const low = Temporal.Instant.from('2023-12-31T22:00:00Z').epochMilliseconds;
  expect(condition).toMatchObject({ anyOf: [{ prefix: 'eq', low, high: low + 1000 }] });
});

test('escaped separators belong to the value', () => {
  const [name] = parse('Patient', String.raw`name:exact=a\,b\\c,d\|e`).conditions;
  expect(name).toMatchObject({ anyOf: [{ value: String.raw`a,b\c` }, { value: 'd|e' }] });
  const [token] = parse('Patient', String.raw`identifier=urn:x|a\|b\$c`).conditions;
  expect(token).toMatchObject({ anyOf: [{ system: 'urn:x', code: 'a|b$c' }] });
});

test('approximately is a tenth of the time until now', () => {
  const [condition] = parse('Patient', 'birthdate=ap2016-01-01').conditions;
  const low = Temporal.Instant.from('2015-01-01T00:00:00Z').epochMilliseconds;
  const from = condition?.kind === 'match' && condition.anyOf[0]?.kind === 'date' ? condition.anyOf[0].low : 0;
  expect(Math.abs(from - low)).toBeLessThan(3 * 86_400_000);
});

test('the code of a code element may be asked for with its implied system', () => {
  const code = (query: string) => parse('Task', query).conditions[0];
  expect(code('status=http://hl7.org/fhir/task-status|requested')).toEqual(code('status=|requested'));
  expect(code('status=urn:other|requested')).not.toEqual(code('status=|requested'));
});

test('_count is cut to the maximum and the link says so; result parameters are applied, not unknown', () => {
  const query = parse(
    'Patient',
    '_count=5000&_format=json&_elements=name&_summary=true&_total=accurate&_sort=-birthdate',
  );
  expect(query).toMatchObject({ count: 1000, total: 'accurate', ignored: [] });
  expect(query.applied).toContainEqual(['_count', '1000']);
  expect(query.sort).toEqual([{ parameter: { type: 'Patient', code: 'birthdate' }, values: 'date', descending: true }]);
});

test('over several types a parameter must be known to each of them', () => {
  expect(parse(undefined, '_type=Task&owner=1')).toMatchObject({ type: 'Task' });
  const [, condition] = parse(undefined, '_type=Task,ServiceRequest&patient=1').conditions;
  expect(condition).toMatchObject({ kind: 'any', of: [{ kind: 'all' }, { kind: 'all' }] });
  expect(refusal(undefined, '_type=Task,Patient&owner=1')).toContain('owner');
});

test.each([
  ['Patient', `_id=${Array.from({ length: 2001 }, (_, i) => i)}`],
  ['Patient', `name=${Array.from({ length: 201 }, (_, i) => i)}`],
  ['Patient', Array.from({ length: 101 }, (_, i) => `name=${i}`).join('&')],
  ['Patient', `${'_has:Task:patient:'.repeat(1)}${'subject.'.repeat(9)}_id=1`],
  ['Patient', `_sort=${Array.from({ length: 9 }, () => 'name')}`],
  ['Provenance', `target.${'target.'.repeat(7)}_id=1`],
  ['Task', `focus.${'focus.'.repeat(6)}_id=1`],
])('%s with too many alternatives, parameters, sort keys or chains is too costly (%#)', (type, query) => {
  try {
    parse(type, query);
  } catch (error) {
    expect((error as Fault).issues[0]?.code).toBe('too-costly');
    return;
  }
  throw new Error('It should have been refused.');
});
