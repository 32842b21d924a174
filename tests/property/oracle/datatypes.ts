// Arbitrary FHIR values by type, sparse on purpose: every member may be missing.
import fc, { type Arbitrary } from 'fast-check';
import { CODES, DATES, INSTANTS, NUMBERS, STRINGS, SYSTEMS, URLS, VERSIONS } from './pools.ts';

export type Json = Readonly<Record<string, unknown>>;
export type ReferenceTo = (targets: readonly string[]) => Arbitrary<Json>;

const oneOf = <T>(values: readonly T[]): Arbitrary<T> => fc.constantFrom(...values);
const some = (model: Record<string, Arbitrary<unknown>>, requiredKeys: string[] = []): Arbitrary<Json> =>
  fc.record(model, { requiredKeys });
const list = <T>(one: Arbitrary<T>): Arbitrary<T[]> => fc.array(one, { minLength: 1, maxLength: 2 });

const string = oneOf(STRINGS);
const code = oneOf(CODES);
const system = oneOf(SYSTEMS);
const uri = oneOf(URLS);
const number = oneOf(NUMBERS);
const whole = number.filter((value) => Number.isInteger(value));
const date = oneOf(DATES);
const instant = oneOf(INSTANTS);
const dateTime = fc.oneof(date, instant);

const coding = some({ system, code, display: string });
const concept = some({ coding: fc.array(coding, { maxLength: 2 }), text: string });
const identifier = some({ system, value: code, type: concept });
const comparator = oneOf(['<', '<=', '>=', '>']);
const unit = oneOf(['mg', 'g', 'a,b']);
const quantity = fc.oneof(
  { weight: 4, arbitrary: some({ value: number, unit, system: oneOf(['urn:units', 'urn:s']), code: unit }) },
  { weight: 1, arbitrary: some({ value: number, comparator, code: unit, system: oneOf(['urn:units']) }, ['value']) },
);
const plainQuantity = some({ value: number, unit, system: oneOf(['urn:units', 'urn:s']), code: unit });
/** Start before end, which R4 demands, by choosing them from before and after one moment. */
const period = some({
  start: oneOf(['1999', '2000-02-29', '2023-12', '2023-12-31', '2023-12-31T22:00:00Z']),
  end: oneOf(['2024', '2024-01-01', '2024-03-13T12:30:00+05:30', '2024-12-31', '2025-01-01']),
});
const range = fc
  .record({ low: some({ value: number, code: unit, system: oneOf(['urn:units']) }), more: oneOf([0, 0.5, 10]) })
  .chain(({ low, more }) => {
    const limits = { low, high: { ...low, value: Number(low.value ?? 0) + more } };
    return oneOf<Json>([limits, { low: limits.low }, { high: limits.high }]);
  });
const timing = some({
  event: list(dateTime),
  repeat: fc.oneof(
    some({ boundsPeriod: period, frequency: fc.constant(1) }),
    some({ boundsDuration: fc.constant({ value: 5, code: 'd', system: 'http://unitsofmeasure.org' }) }),
  ),
  code: concept,
});
const canonical = fc.oneof(
  uri,
  fc.tuple(uri, oneOf(VERSIONS)).map(([url, version]) => `${url}|${version}`),
);

const PLAIN: Readonly<Record<string, Arbitrary<unknown>>> = {
  string,
  markdown: string,
  code,
  id: oneOf(['r0', 'r1']),
  uri,
  url: uri,
  oid: oneOf(['urn:oid:1.2.3']),
  uuid: oneOf(['urn:uuid:6f0a1b9e-2f3c-4d5e-8a7b-0c1d2e3f4a5b']),
  canonical,
  boolean: fc.boolean(),
  integer: whole,
  unsignedInt: whole.filter((value) => value >= 0),
  positiveInt: whole.filter((value) => value > 0),
  decimal: number,
  date,
  dateTime,
  instant,
  time: oneOf(['12:30:00']),
  base64Binary: oneOf(['YQ==']),
  Coding: coding,
  CodeableConcept: concept,
  Identifier: identifier,
  ContactPoint: some({ system: oneOf(['phone', 'email']), value: code, use: oneOf(['home', 'work']) }),
  HumanName: some({
    text: string,
    family: string,
    given: list(string),
    prefix: list(string),
    suffix: list(string),
    use: oneOf(['official']),
    period,
  }),
  Address: some({
    text: string,
    line: list(string),
    city: string,
    district: string,
    state: string,
    postalCode: string,
    country: string,
    use: oneOf(['home', 'work']),
    type: oneOf(['both']),
  }),
  Period: period,
  Timing: timing,
  Quantity: quantity,
  SimpleQuantity: plainQuantity,
  Age: quantity,
  Count: quantity,
  Distance: quantity,
  Duration: quantity,
  Money: some({ value: number, currency: oneOf(['EUR', 'USD']) }),
  Range: range,
  Ratio: some({ numerator: quantity, denominator: quantity }),
  SampledData: fc.constant({ origin: { value: 1 }, period: 1, dimensions: 1, data: '1 2' }),
  Attachment: some({ url: uri, title: string, creation: dateTime, language: code }),
};

/** @returns undefined for a type that is generated member by member or not at all */
export function datatype(type: string, targets: readonly string[], referenceTo: ReferenceTo) {
  if (type === 'Reference') return referenceTo(targets);
  return PLAIN[type];
}
