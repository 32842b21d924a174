// Random updates of resources of every type: the search rows that an update leaves are those of its content and of nothing
// before it, whatever their parameters read. A second resource that never was anything else says which those are.
import type { Resource, SearchParameter } from '@medplum/fhirtypes';
import fc, { type Arbitrary } from 'fast-check';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseExact } from '../../src/fhir/exact-json.ts';
import { loadSearchParameters } from '../../src/fhir/search/parameters.ts';
import { openStore } from '../../src/store/open.ts';
import { createSearchEngine } from '../../src/store/search/search-engine.ts';
import { NURSE, update } from '../support/store-fixtures.ts';
import { TEST_BASE_URL } from '../support/store-rules.ts';
import { openTempStore, type TempStore } from '../support/temp-store.ts';
import type { Json } from './oracle/datatypes.ts';
import { resourceArbitrary } from './oracle/resources.ts';

const EXTENSION = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason';
const TYPES = ['Patient', 'Observation', 'Encounter', 'Task', 'Location', 'List', 'Condition', 'Composition'] as const;

/** Parameters of a guide that reach what they read in unusual ways. */
const UNUSUAL = {
  absent: ['token', `extension('${EXTENSION}').value`],
  hidden: ['token', `$this.descendants().where(url = '${EXTENSION}').value`],
  told: ['string', 'children().ofType(CodeableConcept).text'],
  whole: ['token', '%resource.language'],
  versioned: ['token', 'meta.versionId'],
  inside: ['string', "contained.where(id = 'c1').id"],
} as const;

const parameter = (base: string, code: string, type: string, path: string) =>
  ({
    resourceType: 'SearchParameter',
    url: `urn:test:${base}:${code}`,
    code,
    base: [base],
    type,
    expression: path.startsWith('%') ? path : `${base}.${path}`,
  }) as unknown as SearchParameter;

const extra = [
  ...TYPES.flatMap((base) => Object.entries(UNUSUAL).map(([code, [type, path]]) => parameter(base, code, type, path))),
  parameter('Observation', 'any-value', 'quantity', 'value.as(Quantity) | Observation.component.value.as(Quantity)'),
  parameter('Observation', 'inner', 'token', 'subject.resolve().id'),
  parameter('Encounter', 'longest', 'date', 'period.where(start.exists() and end.empty())'),
  parameter('Task', 'of-patient', 'reference', 'for.where(resolve() is Patient)'),
];

const rulesAt = (baseUrl: string) => ({
  validate: () => [],
  revisions: { types: new Set<string>(TYPES), check: async () => undefined },
  searchEngine: createSearchEngine({ parameters: loadSearchParameters(extra), baseUrl }),
});

let temp: TempStore;
beforeAll(async () => {
  temp = await openTempStore({ memory: true, ...rulesAt(TEST_BASE_URL) });
});
afterAll(() => temp.cleanup());

const KINDS = ['token', 'reference', 'date', 'string', 'number', 'quantity', 'uri'];
const ROWS = KINDS.map(
  (kind) => `SELECT s.*, p.code AS name FROM search_${kind} s JOIN resource r ON r.rid = s.rid
    JOIN search_parameter p ON p.id = s.parameter WHERE r.type = ? AND r.id = ?`,
);

/** Every search row of the resource, but for its number; those of the parameter that finds the version apart. */
async function rowsOf(type: string, id: string) {
  const rows: string[] = [];
  const versions: unknown[] = [];
  for (const [at, sql] of ROWS.entries()) {
    for (const { rid: _, name, ...row } of await temp.store.query(sql, [type, id])) {
      if (name === 'versioned') versions.push(row.code);
      else rows.push(`${KINDS[at]} ${JSON.stringify(row)}`);
    }
  }
  return { rows: rows.sort(), versions };
}

/** Whose compartment it is in, as its row notes it; itself under another name. */
async function patientsOf(type: string, id: string): Promise<string[]> {
  const [row] = await temp.store.query('SELECT patients FROM resource WHERE type = ? AND id = ?', [type, id]);
  return String(row?.patients)
    .split(' ')
    .map((patient) => (patient === id ? 'itself' : patient))
    .sort();
}

/** Versions of one resource: each keeps of the one before it what it does not say anew. */
const versions: Arbitrary<Json[]> = fc.constantFrom(...TYPES).chain((type) =>
  fc
    .array(fc.tuple(resourceArbitrary(type, TYPES), fc.infiniteStream(fc.nat(3))), { minLength: 2, maxLength: 4 })
    .map((made) => {
      const all: Json[] = [];
      for (const [fresh, dice] of made) {
        const last = all.at(-1) as Record<string, unknown> | undefined;
        const kept = Object.entries(last ?? {}).filter(([name]) => name !== 'resourceType' && dice.next().value !== 0);
        const added = Object.entries(fresh as object).filter(() => last === undefined || dice.next().value === 0);
        all.push({ resourceType: type, ...Object.fromEntries([...kept, ...added]) } as Json);
      }
      return all;
    }),
);

let made = 0;

test('an update leaves the rows that a new resource of its content has', async () => {
  await fc.assert(
    fc.asyncProperty(versions, fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), async (all, brought) => {
      const [id, other] = [`u${++made}`, `n${made}`];
      const { resourceType: type } = all[0] as unknown as Resource;
      const put = (json: Json | undefined, as: string, before?: Resource) => {
        const resource = { ...(json as unknown as Resource), id: as };
        return temp.store.commit(NURSE, [update(resource, before ? { before } : {})]);
      };
      let read: Resource | undefined;
      for (const [at, json] of all.entries()) {
        await put(json, id, read);
        const stored = await temp.store.read(type, id);
        // Of what its caller brings along, some has been another version since.
        if (stored && brought[at]) read = parseExact<Resource>(stored.content);
      }
      await put(all.at(-1), other);
      const [updated, fresh] = [await rowsOf(type, id), await rowsOf(type, other)];
      expect(updated.rows).toEqual(fresh.rows);
      expect([updated.versions, fresh.versions]).toEqual([[String(all.length)], ['1']]);
      expect(await patientsOf(type, id)).toEqual(await patientsOf(type, other));
    }),
    { numRuns: 120 },
  );
});

test('a row that another base URL made goes with what it was made of, its patient too', async () => {
  const base = 'https://before.test/fhir';
  const file = await openTempStore({ engine: 'sqlite', ...rulesAt(base) });
  const about = (reference: string) =>
    update({ resourceType: 'Task', id: 'moved', for: { reference } } as unknown as Resource);
  await file.store.commit(NURSE, [about(`${base}/Patient/p1`)]);
  const { clock, url } = file;
  const moved = await openStore({ url, clock, log: pino({ level: 'silent' }), ...rulesAt(TEST_BASE_URL) });
  await moved.commit(NURSE, [about('Patient/p2')]);
  expect(await moved.find('Task?patient=p1')).toEqual([]);
  expect(await moved.find('Task?patient=p2')).toHaveLength(1);
  expect(await moved.query("SELECT patients FROM resource WHERE id = 'moved'")).toEqual([{ patients: 'p2' }]);
  await moved.close();
  await file.cleanup();
});
