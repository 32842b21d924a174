// Whether a Reference may point where it points, as far as its text tells.
import { literalReference } from '../fhirpath/resolve.ts';
import { isKindOf, isType } from '../fhirpath/type-model.ts';

/** Contained resources by id. */
export type Contained = ReadonlyMap<string, ContainedResource>;

export interface ContainedResource {
  readonly type: string | undefined;
  readonly resource: unknown;
}

export function containedById(container: object): Contained {
  const { contained } = container as { contained?: unknown };
  const byId = new Map<string, ContainedResource>();
  for (const resource of Array.isArray(contained) ? contained : []) {
    const { id, resourceType } = (resource ?? {}) as { id?: unknown; resourceType?: unknown };
    const type = typeof resourceType === 'string' ? resourceType : undefined;
    if (typeof id === 'string') byId.set(id, { type, resource });
  }
  return byId;
}

/**
 * The reason why a Reference breaks its target types, or undefined.
 * @param targets type names, e.g. `Patient`, `Group`
 */
export function wrongTarget(value: unknown, targets: readonly string[], contained: Contained): string | undefined {
  const given = value as { reference?: unknown; type?: unknown };
  const type = targetType(given, contained);
  if (type !== undefined && typeof given.type === 'string' && isType(given.type) && !isKindOf(type, given.type)) {
    return `The reference is to ${type}, its type says ${given.type}.`;
  }
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
      ? contained.get(reference.slice(1))?.type
      : (conditional ?? literalReference(reference)?.type);
    if (found !== undefined) return found;
  }
  return typeof type === 'string' ? type : undefined;
}

function listed(types: readonly string[]): string {
  return types.length < 2 ? String(types[0]) : `${types.slice(0, -1).join(', ')} or ${types.at(-1)}`;
}
