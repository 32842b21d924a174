// A population of some types that refer to each other, with its history: earlier versions, deleted and revived resources.
import type { Resource } from '@medplum/fhirtypes';
import fc, { type Arbitrary } from 'fast-check';
import type { Json } from './datatypes.ts';
import { IDS } from './pools.ts';
import { resourceArbitrary } from './resources.ts';
import { RESOURCE_TYPES } from './search-definitions.ts';

export interface Corpus {
  readonly types: readonly string[];
  /** Commits in order; the last word on each resource is current. */
  readonly writes: readonly Write[];
}

export interface Write {
  readonly type: string;
  readonly id: string;
  /** Absent: deleted. */
  readonly resource?: Resource;
}

/** Types that most of the others refer to, of which every corpus has some. */
const HUBS = ['Patient', 'Practitioner', 'Organization', 'Encounter', 'Observation', 'Task', 'CarePlan', 'ValueSet'];
const ALL_TYPES_SOMETIMES = [...RESOURCE_TYPES];

const typesArbitrary = fc
  .tuple(fc.uniqueArray(fc.constantFrom(...HUBS), { minLength: 3, maxLength: 4 }), others(6))
  .map(([hubs, more]) => [...new Set([...hubs, ...more])].sort());

function others(count: number): Arbitrary<string[]> {
  return fc.uniqueArray(fc.constantFrom(...ALL_TYPES_SOMETIMES), { minLength: count, maxLength: count });
}

/** @param size resources of each type, at most the number of ids there are; twice that many writes */
export function corpusArbitrary(size: number): Arbitrary<Corpus> {
  return typesArbitrary.chain((types) => {
    const writes = types.map((type) => {
      const resource = resourceArbitrary(type, types);
      const write = fc.tuple(fc.constantFrom(...IDS), fc.option(resource, { nil: undefined, freq: 7 }));
      return fc
        .array(write, { minLength: size, maxLength: size * 2, size: 'max' })
        .map((all) => all.map(([id, json]): Write => ({ type, id, ...(json ? { resource: withId(json, id) } : {}) })));
    });
    return fc.tuple(...writes).map((each) => ({ types, writes: each.flat() }));
  });
}

function withId(json: Json, id: string): Resource {
  return { ...json, id } as unknown as Resource;
}

/** What is there when all is written. */
export function currentOf({ writes }: Corpus): Resource[] {
  const last = new Map(writes.map((write) => [`${write.type}/${write.id}`, write.resource]));
  return [...last.values()].filter((resource) => resource !== undefined);
}
