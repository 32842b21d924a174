// The few values that resources and queries both draw from, so that they often meet. Each is there for a rule of search.

/** The characters that search values escape, case, accents, and codes that begin like others. */
export const CODES = ['a', 'A', 'b', 'active', 'final', 'a,b', 'x|y', 'c$d', 'e\\f', 'ü', '1', 'true'] as const;
export const SYSTEMS = ['urn:s', 'http://s.test/x', 'http://s.test/a,b'] as const;

/** Case and accents in one and two code points, Turkish and Greek letters, wildcards of SQL, beyond the basic plane. */
export const STRINGS = [
  'Anna',
  'anna',
  'ANN\u00c4',
  'Anna\u0308',
  'Annabel',
  'M\u00fcller',
  'Muller',
  'Stra\u00dfe',
  'STRASSE',
  '\u039f\u0394\u039f\u03a3',
  '\u03bf\u03b4\u03bf\u03c3\u03b1',
  '\u0130z',
  'iz',
  '\u674e\u660e',
  '\u{1d49c}bc',
  '\u{10ffff}',
  'de la Cruz',
  "O'Neil",
  'a,b',
  'x|y',
  'c$d',
  'back\\slash',
  '50%',
  '5000',
  'under_score',
  'underscore',
] as const;

export const NUMBERS = [
  0, 1, 2, 5, 5.35, 5.4, 5.44, 5.449, 5.45, 5.5, -1, -5.4, -5.45, 94.9, 95, 100, 105, 110, 0.05, 0.054, 1e-7, 99999,
  12345678.9, 2_000_000_000,
] as const;

/** How numbers are written in queries: the digits say how exact. */
export const NUMBER_TEXTS = [
  '0',
  '1',
  '5',
  '5.4',
  '5.40',
  '5.400',
  '5.5',
  '-1',
  '-5.4',
  '95',
  '100',
  '1e2',
  '100.00',
  '0.05',
  '0.1',
  '99999',
  '1.0',
  '2',
  '12345678.9',
  '110',
  '1e-7',
] as const;

export const URLS = [
  'http://u.test',
  'http://u.test/',
  'http://u.test/fhir',
  'http://u.test/fhir/',
  'http://u.test/fhir/ValueSet',
  'http://u.test/fhir/ValueSet/1',
  'http://u.test/fhirish',
  'http://u.test/FHIR',
  'urn:oid:1.2.3',
  'urn:oid:1.2.3.4',
  'urn:uuid:6f0a1b9e-2f3c-4d5e-8a7b-0c1d2e3f4a5b',
] as const;

export const VERSIONS = ['1', '2.0'] as const;

/** Around the turns of days, months and years, in zones that move an instant across them. */
export const DATES = [
  '1999',
  '2000',
  '2000-02',
  '2000-02-29',
  '2023',
  '2023-12',
  '2023-12-31',
  '2024',
  '2024-01',
  '2024-01-01',
  '2024-02-29',
  '2024-03-13',
  '2024-12-31',
  '2025',
  '2025-01-01',
  '0001',
  '9999-12-31',
] as const;

export const INSTANTS = [
  '2023-12-31T22:00:00Z',
  '2023-12-31T23:59:59Z',
  '2023-12-31T23:59:59.999Z',
  '2024-01-01T00:00:00+02:00',
  '2024-01-01T00:00:00Z',
  '2024-01-01T00:00:00.000Z',
  '2024-01-01T00:00:00.5Z',
  '2024-01-01T00:00:15.500-05:00',
  '2024-03-13T12:30:00+05:30',
  '2024-03-13T12:30:15.5000000+14:00',
  '2025-01-01T00:00:00-11:00',
] as const;

/** Seconds and zone may be left out in a query. */
export const QUERY_TIMES = [
  '2024-01-01T00:00',
  '2024-01-01T00:00Z',
  '2024-01-01T02:00+02:00',
  '2024-03-13T07:00:00',
] as const;

/** Ids of every type: the same id in several types is what a bare id in a query has to cope with. */
export const IDS = [...Array.from({ length: 13 }, (_, n) => `r${n}`), 'R1', 'r-1', 'r.1'];
/** An id that no resource ever has. */
export const NOBODY = 'nobody';

export const ELSEWHERE = 'https://elsewhere.test/fhir';
