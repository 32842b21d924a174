// Whether a Reference may point where it points, as far as its text tells.
import { literalReference } from '../fhirpath/resolve.ts';
import { isKindOf } from '../fhirpath/type-model.ts';

/** Types of contained resources by id. */
export type Contained = ReadonlyMap<string, string | undefined>;

export function containedTypes(container: object): Contained {
  const { contained } = container as { contained?: unknown };
  const types = new Map<string, string | undefined>();
  for (const resource of Array.isArray(contained) ? contained : []) {
    const { id, resourceType } = (resource ?? {}) as { id?: unknown; resourceType?: unknown };
    if (typeof id === 'string') types.set(id, typeof resourceType === 'string' ? resourceType : undefined);
  }
  return types;
}

/**
 * The reason why a Reference breaks its target types, or undefined.
 * @param targets type names, e.g. `Patient`, `Group`
 * @param contained types of contained resources by id
 */
export function wrongTarget(value: unknown, targets: readonly string[], contained: Contained): string | undefined {
  const type = targetType(value as { reference?: unknown; type?: unknown }, contained);
  if (type === undefined || targets.some((target) => isKindOf(type, target))) return undefined;
  return `A reference to ${type} is not allowed here; it must be to ${listed(targets)}.`;
}

/** Types that a list of profiles or base URLs allows; undefined when anything is. */
export function targetTypes(
  profiles: readonly string[],
  typeOf: (url: string) => string | undefined,
): string[] | undefined {
  const types = profiles.map((url) => typeOf(url));
  if (types.length === 0 || types.includes(undefined) || types.includes('Resource')) return undefined;
  return [...new Set(types as string[])];
}

function targetType(value: { reference?: unknown; type?: unknown }, contained: Contained): string | undefined {
  const { reference, type } = value;
  if (typeof reference === 'string') {
    const conditional = /^([A-Z][A-Za-z]+)\?/.exec(reference)?.[1];
    const found = reference.startsWith('#')
      ? contained.get(reference.slice(1))
      : (conditional ?? literalReference(reference)?.type);
    if (found !== undefined) return found;
  }
  return typeof type === 'string' ? type : undefined;
}

function listed(types: readonly string[]): string {
  return types.length < 2 ? String(types[0]) : `${types.slice(0, -1).join(', ')} or ${types.at(-1)}`;
}
