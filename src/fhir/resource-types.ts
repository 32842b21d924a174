// Which types of resources FHIR R4 has.
import { baseStructures } from './base-structures.ts';

let known: ReadonlySet<string> | undefined;

/** Abstract ones are none. The first call reads the definitions, some tenths of a second. */
export function isResourceType(name: string): boolean {
  known ??= new Set(
    baseStructures().flatMap(({ kind, abstract, type }) => (kind === 'resource' && !abstract ? [type] : [])),
  );
  return known.has(name);
}
