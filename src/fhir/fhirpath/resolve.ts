// `resolve()` without I/O: contained resources are found, for others the type is told by the reference's text.

import type { Run } from './evaluation.ts';
import { isType } from './type-model.ts';
import { collectionOf, type TypedValue, typedValueOf } from './typed-value.ts';

const LITERAL = /(?:^|\/)([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/;

/** Type and id of `Patient/1` or `https://ehr.example/fhir/Patient/1`, with or without version. */
export function literalReference(reference: string): { type: string; id: string } | undefined {
  const [, type, id] = LITERAL.exec(reference) ?? [];
  return type !== undefined && id !== undefined && isType(type) ? { type, id } : undefined;
}

/** What a Reference, canonical or uri points at; undefined when nothing can be said about it. */
export function resolveReference(item: TypedValue, run: Run): TypedValue | undefined {
  const isObject = typeof item.value === 'object' && item.value !== null;
  const { reference, type } = (isObject ? item.value : {}) as { reference?: unknown; type?: unknown };
  const text = isObject ? reference : item.value;
  if (typeof text === 'string') {
    if (text.startsWith('#')) return contained(text.slice(1), run);
    const resource = run.env.resolve?.(text);
    if (resource) return typedValueOf(resource);
    const literal = literalReference(text);
    if (literal) return stub(literal.type, literal.id);
  }
  return typeof type === 'string' && isType(type) ? stub(type) : undefined;
}

/** Enough to answer `resolve() is Patient`. */
function stub(type: string, id?: string): TypedValue {
  return { type, value: { resourceType: type, ...(id === undefined ? {} : { id }) } };
}

function contained(id: string, { env, root }: Run): TypedValue | undefined {
  const container = collectionOf(env.rootResource ?? env.resource ?? root)[0];
  if (id === '') return container;
  const resources = (container?.value as { contained?: unknown } | undefined)?.contained;
  const found = Array.isArray(resources) ? resources.find((resource) => resource?.id === id) : undefined;
  return found ? typedValueOf(found) : undefined;
}
