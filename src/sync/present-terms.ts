// Bodies that were kept, in the terms of now: what they name by its URL there may have been linked since. Compared as they
// were, the same reference would look like two. Whom they name may have been merged away here since.
import type { JsonObject } from '../fhir/canonical-json.ts';
import { collectReferences, parseLiteral } from '../fhir/references.ts';
import { resourceOf } from './body.ts';
import type { MappedContext } from './context.ts';
import { readLinkMap } from './link-map.ts';
import { type LinkMap, mapReferences, mapUrls, urlTargets } from './mapping.ts';
import { inUseAmong } from './patients/in-use.ts';

/**
 * @param bodies in local terms of whatever time; absent ones stay absent
 * @param known links that the database does not have yet
 */
export async function inPresentTerms<const T extends readonly (JsonObject | undefined)[]>(
  context: MappedContext,
  bodies: T,
  known?: LinkMap,
): Promise<T> {
  const { store, connection, mapping } = context;
  const targets = bodies.flatMap((body) => (body ? urlTargets(mapping, body) : []));
  if (targets.length === 0) return namingInUse(store, bodies);
  const links = await readLinkMap(store, connection.name, [], targets);
  const localOf: LinkMap['localOf'] = (type, id) => known?.localOf(type, id) ?? links.localOf(type, id);
  const recordOf: LinkMap['localOf'] = (type, id) =>
    known?.localRecordOf?.(type, id) ?? links.localRecordOf?.(type, id);
  const mapped = (body: JsonObject) => mapUrls(mapping, body.resourceType === 'Patient' ? recordOf : localOf, body);
  return namingInUse(store, bodies.map((body) => body && mapped(body)) as unknown as T);
}

/** Bodies in local terms that name whoever stands now for the patients that they named, also by our identifier. */
export async function namingInUse<const T extends readonly (JsonObject | undefined)[]>(
  store: MappedContext['store'],
  bodies: T,
): Promise<T> {
  // What patients' records say of each other is about the records.
  const follows = (body: JsonObject | undefined) => body !== undefined && body.resourceType !== 'Patient';
  const named = bodies.flatMap((body) => (body && follows(body) ? collectReferences(resourceOf(body)) : []));
  const patients = named.flatMap((reference) => {
    const target = parseLiteral(reference);
    return target?.type === 'Patient' ? [target.id] : [];
  });
  const standing = await inUseAmong(store, [...new Set(patients)]);
  if (standing.size === 0) return bodies;
  const inUse = (reference: JsonObject) => {
    const target = typeof reference.reference === 'string' ? parseLiteral(reference.reference) : undefined;
    const id = target?.type === 'Patient' ? standing.get(target.id) : undefined;
    return id === undefined ? reference : { ...reference, reference: `Patient/${id}` };
  };
  return bodies.map((body) => (body && follows(body) ? mapReferences(body, inUse) : body)) as unknown as T;
}
