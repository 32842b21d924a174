// What is concluded from a restricted record is restricted alike: it takes over the security labels of what it rests on.
import type { Coding, Resource } from '@medplum/fhirtypes';

/** The resource with its own labels and those of its basis, each once. A label, once there, stays. */
export function withLabelsOf<R extends Resource>(resource: R, basis: readonly Resource[]): R {
  const own = resource.meta?.security ?? [];
  const known = new Set(own.map(keyOf));
  const added: Coding[] = [];
  for (const label of basis.flatMap(({ meta }) => meta?.security ?? [])) {
    if (known.has(keyOf(label))) continue;
    known.add(keyOf(label));
    added.push(label);
  }
  if (added.length === 0) return resource;
  return { ...resource, meta: { ...resource.meta, security: [...own, ...added] } };
}

const keyOf = ({ system = '', code = '' }: Coding) => `${system}|${code}`;
