// The identifier by which a resource that has left is known again, with the version it left as: what comes back has grown
// from that one.
import type { Identifier, Resource } from '@medplum/fhirtypes';
import { EXTENSION } from '../systems.ts';
import type { Exchange } from './exchange.ts';

type Identified = Resource & { readonly identifier?: readonly Identifier[] };

const systemOf = ({ baseUrl }: Exchange) => `${baseUrl}/id`;

/** The resource with the identifier; as it is when its type has no room for one. */
export function withOwnIdentifier<T extends Resource>(exchange: Exchange, resource: T): T {
  const { resourceType, id, meta } = resource;
  if (!exchange.carriesIdentifier(resourceType) || id === undefined) return resource;
  const version = meta?.versionId;
  const own: Identifier = {
    ...(version === undefined ? {} : { extension: [{ url: EXTENSION.exportedVersion, valueString: version }] }),
    system: systemOf(exchange),
    value: id,
  };
  return { ...resource, identifier: [...othersOf(exchange, resource), own] };
}

export interface Own {
  readonly id: string;
  /** That it left as; undefined when whoever sends it has dropped that. */
  readonly version: string | undefined;
}

export function ownIdentifierOf(exchange: Exchange, resource: Resource): Own | undefined {
  const found = identifiersOf(resource).find(({ system }) => system === systemOf(exchange));
  if (found?.value === undefined) return undefined;
  return {
    id: found.value,
    version: found.extension?.find(({ url }) => url === EXTENSION.exportedVersion)?.valueString,
  };
}

export function withoutOwnIdentifier<T extends Resource>(exchange: Exchange, resource: T): T {
  const others = othersOf(exchange, resource);
  if (others.length === identifiersOf(resource).length) return resource;
  const { identifier: _, ...rest } = resource as Identified;
  return (others.length > 0 ? { ...rest, identifier: others } : rest) as T;
}

/** Without the versions that others' copies left as: they change with every exchange, and nothing else has to. */
export function withoutVersions<T extends Resource>(resource: T): T {
  return withIdentifiers(resource, (each) => {
    const { extension, ...rest } = each;
    const others = extension?.filter(({ url }) => url !== EXTENSION.exportedVersion) ?? [];
    return others.length > 0 ? { ...rest, extension: others } : rest;
  });
}

/** The resource with the versions that `sources` know of its identifiers, the first that knows one. */
export function withVersionsOf<T extends Resource>(resource: T, ...sources: readonly Resource[]): T {
  const known = sources.flatMap(identifiersOf);
  return withIdentifiers(resource, (each) => {
    const same = known.filter(({ system, value }) => system === each.system && value === each.value);
    const version = same
      .flatMap(({ extension = [] }) => extension)
      .find(({ url }) => url === EXTENSION.exportedVersion);
    return version ? { ...each, extension: [...(each.extension ?? []), version] } : each;
  });
}

function withIdentifiers<T extends Resource>(resource: T, change: (identifier: Identifier) => Identifier): T {
  const identifiers = identifiersOf(resource);
  return identifiers.length === 0 ? resource : { ...resource, identifier: identifiers.map(change) };
}

export function identifiersOf(resource: Resource): readonly Identifier[] {
  const { identifier } = resource as Identified;
  return Array.isArray(identifier) ? identifier : [];
}

function othersOf(exchange: Exchange, resource: Resource): readonly Identifier[] {
  return identifiersOf(resource).filter(({ system }) => system !== systemOf(exchange));
}
