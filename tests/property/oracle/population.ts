// The current resources of a corpus, and what the search parameters find in them: evaluated once, asked often.
import type { Resource } from '@medplum/fhirtypes';
import { type Found, foundParts, foundValues } from './found-values.ts';
import type { ReferenceValue } from './references.ts';
import { targetOf } from './references.ts';
import { findParameter, type Parameter } from './search-definitions.ts';

export type Key = `${string}/${string}`;

export class Population {
  readonly resources: readonly Resource[];
  readonly #byKey: ReadonlyMap<string, Resource>;
  readonly #updated: ReadonlyMap<string, string>;
  readonly #values = new Map<Resource, Map<Parameter, readonly Found[]>>();
  readonly #parts = new Map<Resource, Map<Parameter, readonly (readonly (readonly Found[])[])[]>>();

  /** @param updated `meta.lastUpdated` by `Type/id` */
  constructor(resources: readonly Resource[], updated: ReadonlyMap<string, string>) {
    this.resources = resources;
    this.#byKey = new Map(resources.map((resource) => [keyOf(resource), resource]));
    this.#updated = updated;
  }

  get(type: string, id: string): Resource | undefined {
    return this.#byKey.get(`${type}/${id}`);
  }

  updatedOf(resource: Resource): string {
    const instant = this.#updated.get(keyOf(resource));
    if (instant === undefined) throw new Error(`${keyOf(resource)} was not written.`);
    return instant;
  }

  values(resource: Resource, parameter: Parameter): readonly Found[] {
    return remembered(this.#values, resource, parameter, () => foundValues(parameter, resource));
  }

  parts(resource: Resource, parameter: Parameter): readonly (readonly (readonly Found[])[])[] {
    return remembered(this.#parts, resource, parameter, () => foundParts(parameter, resource));
  }

  /**
   * The resources that the parameter's references lead to.
   * @param named types that a canonical URL may name
   */
  targets(resource: Resource, parameter: Parameter, named: readonly string[]): Resource[] {
    return this.values(resource, parameter).flatMap(({ value }) => {
      const text = typeof value === 'string' ? value.replace(/\|.*$/, '') : ((value as ReferenceValue).reference ?? '');
      const { local, url } = targetOf(text);
      if (local) return this.get(local.type, local.id) ?? [];
      return typeof value === 'string' && url !== undefined ? this.named(url, named) : [];
    });
  }

  /** Those that a canonical URL names. */
  private named(url: string, types: readonly string[]): Resource[] {
    return this.resources.filter((resource) => {
      const parameter = types.includes(resource.resourceType) ? findParameter(resource.resourceType, 'url') : undefined;
      // The `url` of a Subscription is an address, not its name.
      if (!parameter?.expression.split(' | ').includes(`${resource.resourceType}.url`)) return false;
      return this.values(resource, parameter).some(({ value }) => value === url);
    });
  }
}

export function keyOf({ resourceType, id = '' }: Resource): Key {
  return `${resourceType}/${id}`;
}

function remembered<T>(cache: Map<Resource, Map<Parameter, T>>, of: Resource, by: Parameter, find: () => T): T {
  const known = cache.get(of) ?? new Map<Parameter, T>();
  cache.set(of, known);
  const found = known.get(by) ?? find();
  known.set(by, found);
  return found;
}
