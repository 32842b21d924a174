// References of a resource that comes from elsewhere: those that lead to something of the same message lead there, others
// would lead to something of ours by accident and keep only their words.
import type { Resource } from '@medplum/fhirtypes';

type Node = { readonly [name: string]: unknown };

/** @param find where a reference leads; undefined when nobody here knows */
export function rewriteReferences<R extends Resource>(resource: R, find: (reference: string) => string | undefined): R {
  return walk(resource, find) as R;
}

function walk(value: unknown, find: (reference: string) => string | undefined): unknown {
  if (Array.isArray(value)) return value.map((item) => walk(item, find));
  if (typeof value !== 'object' || value === null) return value;
  const { reference, ...others } = value as Node;
  const rest = Object.fromEntries(Object.entries(others).map(([name, inner]) => [name, walk(inner, find)]));
  if (typeof reference !== 'string')
    return reference === undefined ? rest : { ...rest, reference: walk(reference, find) };
  if (reference.startsWith('#')) return { ...rest, reference };
  const found = find(reference);
  if (found) return { ...rest, reference: found };
  // Something must stay of it, and nothing that would tell who it is elsewhere.
  return Object.keys(rest).length > 0 ? rest : { display: 'not part of the message' };
}
