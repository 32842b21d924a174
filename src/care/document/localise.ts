// An entry of a document in the terms of this server: its references, and the names it goes by.
import type { Identifier, Resource } from '@medplum/fhirtypes';
import { parseLiteral, rewriteLinks } from '../../fhir/references.ts';
import { IDENTIFIER } from '../systems.ts';
import type { Resolve } from './address-book.ts';

/** `Type/id` here by full URL there. */
export type LocalNames = ReadonlyMap<string, string>;

/** Identifier system of full URLs. */
export const FULL_URL = 'urn:ietf:rfc:3986';

export interface Terms {
  readonly names: LocalNames;
  readonly resolve: Resolve;
  /** Of this server's FHIR, without trailing slash. */
  readonly fhirBase: string;
}

export function localised(
  entry: { readonly fullUrl: string; readonly resource: Resource },
  { names, resolve, fhirBase }: Terms,
): Resource {
  const own = `${fhirBase}/`;
  const linked = rewriteLinks(entry.resource, (url) => {
    const to = url.startsWith('#') ? undefined : resolve(entry, url);
    if (to === undefined) return undefined;
    const local = names.get(to);
    if (local !== undefined) return local;
    // What is not taken over is still to be found where it is, which may be here.
    if (to.startsWith(own)) return to.slice(own.length);
    return parseLiteral(url) ? to : undefined;
  });
  return withoutServerMeta(withoutCaseNames(byName(linked) as Resource));
}

/** What has no address, and is not taken over, is known by its name only. */
function byName(node: object): object {
  if (Array.isArray(node)) return node.map((each) => (isObject(each) ? byName(each) : each));
  const copy: Record<string, unknown> = { ...node };
  for (const [key, value] of Object.entries(node)) if (isObject(value)) copy[key] = byName(value);
  const { reference, ...rest } = copy;
  if (typeof reference !== 'string' || !reference.startsWith('urn:')) return copy;
  return { identifier: { system: FULL_URL, value: reference }, ...rest };
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Of a case there is one plan, and which case that is differs from server to server. */
function withoutCaseNames(resource: Resource): Resource {
  if (resource.resourceType !== 'CarePlan' || !resource.identifier) return resource;
  const { identifier, ...rest } = resource;
  const others = identifier.filter(({ system }: Identifier) => system !== IDENTIFIER.casePlan);
  return others.length > 0 ? { ...rest, identifier: others } : rest;
}

/** A resource from elsewhere with the case that the one here is the plan of, where it stands here. */
export function withCaseNamesOf(ours: Resource, theirs: Resource): Resource {
  if (ours.resourceType !== 'CarePlan' || theirs.resourceType !== 'CarePlan') return theirs;
  const identifier = [...(theirs.identifier ?? [])];
  for (const [index, each] of (ours.identifier ?? []).entries()) {
    if (each.system === IDENTIFIER.casePlan) identifier.splice(index, 0, each);
  }
  return identifier.length > 0 ? { ...theirs, identifier } : theirs;
}

/** Version, time and source are each server's own. */
function withoutServerMeta(resource: Resource): Resource {
  const { meta, ...rest } = resource;
  if (!meta) return resource;
  const { versionId: _v, lastUpdated: _l, source: _s, ...kept } = meta;
  return (Object.keys(kept).length > 0 ? { ...rest, meta: kept } : rest) as Resource;
}
