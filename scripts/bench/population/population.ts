// A case-management population of any size: case managers, each with fifty patients, each with a record of twenty
// resources. Always the same one for the same size, and never all of it in memory.
import { RECORD_SIZE, recordOf } from './record.ts';
import type { Resource } from './resource.ts';
import { uuidOf } from './seeded.ts';

const CASELOAD = 50;

export interface Population {
  readonly patients: number;
  readonly managers: number;
  /** How many resources there are. */
  readonly size: number;
}

/** The largest population of at most so many resources. */
export function populationOf(size: number): Population {
  const patients = Math.max(CASELOAD, Math.floor(size / (RECORD_SIZE + 1 / CASELOAD)));
  const managers = Math.ceil(patients / CASELOAD);
  return { patients, managers, size: patients * RECORD_SIZE + managers };
}

export const managerId = (m: number) => uuidOf(`manager ${m}`);
/** The case manager of the n-th patient; patients that are made later belong to the managers that are there. */
export const managerOf = (n: number, { managers }: Population) => managerId(Math.floor(n / CASELOAD) % managers);

/** Everything in portions, none larger than `most`. Each refers only to itself and to the first portions, the managers. */
export function* portions(population: Population, most: number): Generator<Resource[]> {
  const records = Math.max(1, Math.floor(most / RECORD_SIZE));
  for (let m = 0; m < population.managers; m += most) {
    yield Array.from({ length: Math.min(most, population.managers - m) }, (_, at) => managerResource(m + at));
  }
  for (let n = 0; n < population.patients; n += records) {
    const count = Math.min(records, population.patients - n);
    yield Array.from({ length: count }, (_, at) => recordOf(n + at, managerOf(n + at, population))).flat();
  }
}

function managerResource(m: number): Resource {
  return {
    resourceType: 'Practitioner',
    id: managerId(m),
    identifier: [{ system: 'urn:bench:staff', value: `S${m}` }],
    active: true,
    name: [{ family: `Manager${m}`, given: ['Case'] }],
  };
}
