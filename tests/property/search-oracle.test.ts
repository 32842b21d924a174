// Search against an independent, naive reading of the specification: dates are compared with Temporal over the JSON of
// every resource, numbers as decimals in text, strings with Intl. Nothing of src/fhir/search is used to decide.
import type { Observation, Patient, Resource, RiskAssessment } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSearchWorld, type SearchWorld } from '../store/search/search-world.ts';

let world: SearchWorld;
beforeAll(async () => {
  world = await openSearchWorld();
});
afterAll(() => world.cleanup());

const RUNS = { numRuns: 40 };
let population = 0;

/** Stores the resources under fresh ids with a tag of their own, and gives the URL prefix that finds only them. */
async function populate<T extends Resource>(resources: readonly T[]): Promise<{ stored: T[]; tag: string }> {
  const tag = `run-${population++}`;
  const stored = resources.map((resource, i) => ({ ...resource, id: `${tag}-${i}`, meta: { tag: [{ code: tag }] } }));
  if (stored.length > 0) await world.put(...stored);
  return { stored, tag };
}

async function agree<T extends Resource>(
  resources: readonly T[],
  query: string,
  matches: (resource: T) => boolean,
): Promise<void> {
  const { stored, tag } = await populate(resources);
  const [first] = stored;
  if (!first) return;
  const expected = stored.filter(matches).map((resource) => resource.id ?? '');
  const found = await world.ids(`${first.resourceType}?_tag=${tag}&${query}&_count=1000`);
  expect(found.sort(), query).toEqual(expected.sort());
}

// ---- dates

interface Span {
  start: bigint | undefined;
  end: bigint | undefined;
}

const day = fc.integer({ min: 0, max: 40 }).map((days) => Temporal.PlainDate.from('2023-12-10').add({ days }));
const dateText = fc.oneof(
  day.map((date) => date.toString()),
  day.map((date) => date.toString().slice(0, 7)),
  day.map((date) => date.toString().slice(0, 4)),
);

/** First and one past the last nanosecond that a date of any precision can mean, in UTC. */
function spanOf(text: string): Span {
  const [year = '', month, date] = text.split('-');
  const start = Temporal.ZonedDateTime.from(`${year}-${month ?? '01'}-${date ?? '01'}T00:00[UTC]`);
  const end = start.add(date ? { days: 1 } : month ? { months: 1 } : { years: 1 });
  return { start: start.epochNanoseconds, end: end.epochNanoseconds };
}

/** The table of R4 prefixes, read literally: "contains", "overlaps", "starts after", "ends before". */
function compares(prefix: string, stored: Span, asked: Required<Span>): boolean {
  const low = asked.start as bigint;
  const high = asked.end as bigint;
  const startsInside = stored.start !== undefined && stored.start >= low;
  const endsInside = stored.end !== undefined && stored.end <= high;
  const contains = startsInside && endsInside;
  const reachesAbove = stored.end === undefined || stored.end > high;
  const reachesBelow = stored.start === undefined || stored.start < low;
  switch (prefix) {
    case 'gt':
      return reachesAbove;
    case 'lt':
      return reachesBelow;
    case 'ge':
      return reachesAbove || contains;
    case 'le':
      return reachesBelow || contains;
    case 'sa':
      return stored.start !== undefined && stored.start >= high;
    case 'eb':
      return stored.end !== undefined && stored.end <= low;
    case 'ne':
      return !contains;
    default:
      return contains;
  }
}

const prefix = fc.constantFrom('', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb');

test('dates of every precision', async () => {
  const patients = fc.array(
    dateText.map((birthDate): Patient => ({ resourceType: 'Patient', birthDate })),
    { maxLength: 30 },
  );
  await fc.assert(
    fc.asyncProperty(patients, prefix, dateText, (resources, comparator, text) =>
      agree(resources, `birthdate=${comparator}${text}`, ({ birthDate = '' }) =>
        compares(comparator, spanOf(birthDate), spanOf(text)),
      ),
    ),
    RUNS,
  );
});

test('periods with and without ends', async () => {
  const period = fc
    .record({ start: fc.option(day, { nil: undefined }), length: fc.option(fc.nat(20), { nil: undefined }) })
    .map(({ start, length }) => ({
      ...(start ? { start: start.toString() } : {}),
      ...(length === undefined
        ? {}
        : { end: (start ?? Temporal.PlainDate.from('2023-12-20')).add({ days: length }).toString() }),
    }));
  const observations = fc.array(
    period.map(
      (effectivePeriod): Observation => ({ resourceType: 'Observation', status: 'final', code: {}, effectivePeriod }),
    ),
    { maxLength: 30 },
  );
  await fc.assert(
    fc.asyncProperty(observations, prefix, dateText, (resources, comparator, text) =>
      agree(resources, `date=${comparator}${text}`, ({ effectivePeriod: { start, end } = {} }) => {
        if (start === undefined && end === undefined) return false;
        const stored = { start: start && spanOf(start).start, end: end && spanOf(end).end };
        return compares(comparator, stored as Span, spanOf(text));
      }),
    ),
    RUNS,
  );
});

// ---- tokens

const system = fc.constantFrom(undefined, 'urn:a', 'urn:b');
const code = fc.constantFrom('1', '2', '3');
const identifier = fc
  .record({ system, value: code })
  .map(({ system: uri, value }) => ({ ...(uri ? { system: uri } : {}), value }));

test('identifiers with system and value, and :not', async () => {
  const patients = fc.array(
    fc.array(identifier, { maxLength: 3 }).map((list): Patient => ({ resourceType: 'Patient', identifier: list })),
    { maxLength: 30 },
  );
  const asked = fc.array(
    fc.record({
      form: fc.constantFrom('code', 'both', 'bare', 'system'),
      system: fc.constantFrom('urn:a', 'urn:b'),
      code,
    }),
    {
      minLength: 1,
      maxLength: 3,
    },
  );
  await fc.assert(
    fc.asyncProperty(patients, asked, fc.boolean(), (resources, values, negated) => {
      const text = values.map(
        (one) =>
          ({ code: one.code, both: `${one.system}|${one.code}`, bare: `|${one.code}`, system: `${one.system}|` })[
            one.form
          ],
      );
      const query = `identifier${negated ? ':not' : ''}=${text.join(',')}`;
      return agree(resources, query, ({ identifier: list = [] }) => {
        const matched = list.some((each) =>
          values.some((one) => {
            if (one.form === 'system') return each.system === one.system;
            if (each.value !== one.code) return false;
            return (
              one.form === 'code' || (one.form === 'bare' ? each.system === undefined : each.system === one.system)
            );
          }),
        );
        return matched !== negated;
      });
    }),
    RUNS,
  );
});

// ---- strings

const letters = fc.string({
  unit: fc.constantFrom('a', 'A', 'ä', 'b', 'B', 'é', ' ', '%', '_', ',', '|', '\\', '$'),
  minLength: 1,
  maxLength: 5,
});
const collator = new Intl.Collator('en', { sensitivity: 'base' });

test('strings by beginning, part and whole, with escapes', async () => {
  const clean = letters.map((text) => text.trim().replace(/ +/g, ' ')).filter((text) => text !== '');
  const patients = fc.array(
    clean.map((family): Patient => ({ resourceType: 'Patient', name: [{ family }] })),
    { maxLength: 30 },
  );
  await fc.assert(
    fc.asyncProperty(patients, clean, fc.constantFrom('', ':contains', ':exact'), (resources, text, modifier) => {
      const value = encodeURIComponent(text.replace(/[\\,|$]/g, '\\$&'));
      return agree(resources, `family${modifier}=${value}`, ({ name }) => {
        const family = name?.[0]?.family ?? '';
        if (modifier === ':exact') return family === text;
        const starts = (at: number) => {
          const part = family.slice(at, at + text.length);
          return (
            part.length === text.length && [...part].every((letter, i) => collator.compare(letter, text[i] ?? '') === 0)
          );
        };
        return modifier === '' ? starts(0) : [...family].some((_, at) => starts(at));
      });
    }),
    RUNS,
  );
});

// ---- references

test('references by id, type and URL', async () => {
  const target = fc.constantFrom(
    'Patient/x',
    'Patient/y',
    'Group/x',
    'https://elsewhere.test/Patient/x',
    'Patient/x/_history/2',
  );
  const observations = fc.array(
    target.map(
      (reference): Observation => ({ resourceType: 'Observation', status: 'final', code: {}, subject: { reference } }),
    ),
    { maxLength: 30 },
  );
  const asked = fc.constantFrom(
    'subject=x',
    'subject=Patient/x',
    'subject:Patient=x',
    'patient=x',
    'subject:Group=x',
    'subject=https://elsewhere.test/Patient/x',
    'patient=x,y',
  );
  const answers: Record<string, readonly string[]> = {
    'subject=x': ['Patient/x', 'Group/x'],
    'subject=Patient/x': ['Patient/x'],
    'subject:Patient=x': ['Patient/x'],
    'patient=x': ['Patient/x'],
    'subject:Group=x': ['Group/x'],
    'subject=https://elsewhere.test/Patient/x': ['https://elsewhere.test/Patient/x'],
    'patient=x,y': ['Patient/x', 'Patient/y'],
  };
  await fc.assert(
    fc.asyncProperty(observations, asked, (resources, query) =>
      agree(resources, query, ({ subject }) => {
        const current = subject?.reference?.replace(/\/_history\/.*/, '') ?? '';
        return answers[query]?.includes(current) ?? false;
      }),
    ),
    RUNS,
  );
});

// ---- numbers

test('numbers and their implicit precision', async () => {
  const probability = fc.integer({ min: 0, max: 30 }).map((n) => n / 100);
  const assessments = fc.array(
    probability.map(
      (probabilityDecimal): RiskAssessment => ({
        resourceType: 'RiskAssessment',
        status: 'final',
        subject: { reference: 'Patient/x' },
        prediction: [{ probabilityDecimal }],
      }),
    ),
    { maxLength: 30 },
  );
  const asked = fc.record({ hundredths: fc.integer({ min: 0, max: 30 }), digits: fc.constantFrom(1, 2, 3) });
  await fc.assert(
    fc.asyncProperty(assessments, prefix, asked, (resources, comparator, { hundredths, digits }) => {
      const text = (hundredths / 100).toFixed(digits);
      // Whole thousandths of tenths: no fractions are compared.
      const asTenThousandths = Math.round(Number(text) * 10_000);
      const half = { 1: 500, 2: 50, 3: 5 }[digits] ?? 0;
      return agree(resources, `probability=${comparator}${text}`, ({ prediction }) => {
        const stored = Math.round((prediction?.[0]?.probabilityDecimal ?? -1) * 10_000);
        const equal = stored >= asTenThousandths - half && stored < asTenThousandths + half;
        const order = stored - asTenThousandths;
        if (comparator === 'gt' || comparator === 'sa') return order > 0;
        if (comparator === 'lt' || comparator === 'eb') return order < 0;
        if (comparator === 'ge') return order >= 0;
        if (comparator === 'le') return order <= 0;
        return comparator === 'ne' ? !equal : equal;
      });
    }),
    RUNS,
  );
});
