// What references lead to, many at once: one search for each type.
import type { Reference, ResourceType } from '@medplum/fhirtypes';
import { parseLiteral } from '../../fhir/references.ts';
import { findReadable } from '../find-readable.ts';
import type { Kept, Records } from '../records.ts';

/** Ids of one search. */
const MOST_AT_ONCE = 100;

/**
 * In the order of the references; what is gone, or may not be seen, is left out.
 * @param isWanted which types to follow; all when absent
 */
export async function followed(
  records: Records,
  references: readonly (Reference | undefined)[],
  isWanted: (type: string) => boolean = () => true,
): Promise<Kept<ResourceType>[]> {
  const targets = references.flatMap((one) => parseLiteral(one?.reference ?? '') ?? []);
  const byType = Map.groupBy(
    targets.filter(({ type }) => isWanted(type)),
    ({ type }) => type as ResourceType,
  );
  const found = await Promise.all([...byType].map(([type, these]) => readAll(records, type, these)));
  const byReference = new Map(found.flat().map((one) => [`${one.resourceType}/${one.id}`, one]));
  const wanted = new Set(targets.map(({ type, id }) => `${type}/${id}`));
  return [...wanted].flatMap((reference) => byReference.get(reference) ?? []);
}

async function readAll(
  records: Records,
  type: ResourceType,
  targets: readonly { readonly id: string }[],
): Promise<Kept<ResourceType>[]> {
  const ids = [...new Set(targets.map(({ id }) => id))];
  const [only] = ids;
  if (only !== undefined && ids.length === 1) {
    const one = await records.read(type, only);
    return one ? [one] : [];
  }
  const parts = Array.from({ length: Math.ceil(ids.length / MOST_AT_ONCE) }, (_, at) =>
    ids.slice(at * MOST_AT_ONCE, (at + 1) * MOST_AT_ONCE),
  );
  const found = await Promise.all(parts.map((part) => findReadable(records, type, { _id: part.join(',') })));
  return found.flat();
}
