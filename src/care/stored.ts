// A stored version as the resource it holds.
import type { Resource, ResourceType } from '@medplum/fhirtypes';
import { Fault } from '../fault.ts';
import { parseExact } from '../fhir/exact-json.ts';
import { parseLiteral } from '../fhir/references.ts';
import type { Store, StoredVersion } from '../store/store.ts';

type ResourceOf<K extends ResourceType> = Extract<Resource, { resourceType: K }>;

/** What the store holds now, or undefined when there is none or it was deleted. */
export async function readResource<K extends ResourceType>(
  store: Store,
  type: K,
  id: string | undefined,
): Promise<ResourceOf<K> | undefined> {
  const version = id === undefined ? undefined : await store.read(type, id);
  return version && version.operation !== 'delete' ? parseVersion(version, type) : undefined;
}

/** All that match `parameters`, oldest first. */
export async function findResources<K extends ResourceType>(
  store: Store,
  type: K,
  parameters: Readonly<Record<string, string>>,
): Promise<ResourceOf<K>[]> {
  const versions = await store.find(`${type}?${new URLSearchParams(parameters)}`);
  return versions.map((version) => parseVersion(version, type));
}

/** @throws Fault fault when the version is of another type */
export function parseVersion<K extends ResourceType>(version: StoredVersion, type: K): ResourceOf<K> {
  const resource = parseExact<Resource>(version.content);
  if (resource.resourceType !== type) {
    throw new Fault('fault', `Expected a ${type}.`, { context: { type: version.type, id: version.id } });
  }
  return resource as ResourceOf<K>;
}

/** Id of a literal reference to a resource of `type`, e.g. `12` of `Patient/12`. */
export function idOf(reference: { readonly reference?: string } | undefined, type: ResourceType): string | undefined {
  const target = parseLiteral(reference?.reference ?? '');
  return target?.type === type && target.version === undefined ? target.id : undefined;
}
