// Bodies that were kept, in the terms of now: what they name by its URL there may have been linked since. Compared as they
// were, the same reference would look like two.
import type { JsonObject } from '../fhir/canonical-json.ts';
import type { MappedContext } from './context.ts';
import { readLinkMap } from './identity.ts';
import { type LinkMap, mapUrls, urlTargets } from './mapping.ts';

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
  if (targets.length === 0) return bodies;
  const links = await readLinkMap(store, connection.name, [], targets);
  const localOf: LinkMap['localOf'] = (type, id) => known?.localOf(type, id) ?? links.localOf(type, id);
  return bodies.map((body) => body && mapUrls(mapping, localOf, body)) as unknown as T;
}
