// Rows that answer parameters with a meaning of their own: the members of a List and the position of a Location.
import type { Resource } from '@medplum/fhirtypes';
import { extractReference } from './extract-reference.ts';
import type { RowCollector } from './index-rows.ts';
import { NEAR_AXES, pointOf } from './near.ts';
import { LIST_MEMBER } from './parameters.ts';
import type { ParameterKey } from './query.ts';

/** Where the rows of a type's special parameters are indexed. */
export const SPECIAL_KEYS: readonly ParameterKey[] = [LIST_MEMBER, ...NEAR_AXES];

export interface SpecialExtractionOptions {
  readonly baseUrl: string;
  readonly idOf: (key: ParameterKey) => number;
}

/** @returns undefined when the type has no such rows */
export function specialExtractor(
  type: string,
  { baseUrl, idOf }: SpecialExtractionOptions,
): ((resource: Resource, out: RowCollector) => void) | undefined {
  if (type === 'List') {
    const place = { parameter: idOf(LIST_MEMBER), part: 0 };
    return (resource, out) => {
      if (resource.resourceType !== 'List') return;
      for (const { item, deleted } of resource.entry ?? []) {
        if (deleted !== true && item?.reference) {
          extractReference({ reference: item.reference }, place, { baseUrl, contained: [] }, out);
        }
      }
    };
  }
  if (type === 'Location') {
    const places = NEAR_AXES.map((key) => ({ parameter: idOf(key), part: 0 }));
    return (resource, out) => {
      const position = resource.resourceType === 'Location' ? resource.position : undefined;
      const point = pointOf(position?.latitude, position?.longitude);
      if (point) for (const [axis, place] of places.entries()) out.number(place, point[axis] ?? 0, point[axis] ?? 0);
    };
  }
  return undefined;
}
