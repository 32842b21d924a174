// Reference values: the target of Reference, canonical and uri elements; Reference.identifier as a token for
// `:identifier`.
// https://hl7.org/fhir/R4/search.html#reference
import type { Place, RowCollector } from './index-rows.ts';
import { type ReferenceTarget, referenceTarget, typeOfTarget } from './reference-target.ts';

interface ReferenceSource {
  readonly reference?: string;
  readonly type?: string;
  readonly identifier?: { readonly system?: string; readonly value?: string };
  readonly display?: string;
  /** Of a whole resource in the place of a reference (`Bundle.entry[0].resource`) and of contained ones. */
  readonly resourceType?: string;
  readonly id?: string;
}

export interface ReferenceContext {
  readonly baseUrl: string;
  /** Keep only references to this type. */
  readonly resolvesTo?: string | undefined;
  /** What `#id` refers to. */
  readonly contained: readonly { readonly resourceType: string; readonly id?: string | undefined }[];
}

/** A row without target says that there is a value, so that `:missing` is right for a reference with identifier only. */
export function extractReference(value: unknown, place: Place, context: ReferenceContext, out: RowCollector): void {
  if (typeof value === 'string') {
    addCanonical(value, place, context, out);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const source = value as ReferenceSource;
  if (source.resourceType) {
    if (source.id && isWanted(source.resourceType, context)) out.reference(place, source.resourceType, source.id);
    return;
  }
  const target = source.reference === undefined ? undefined : referenceTarget(source.reference, context.baseUrl);
  if (!isWanted(typeOf(source, target, context), context)) return;
  out.reference(place, target?.type ?? '', target?.id ?? '');
  if (source.identifier?.value) out.token(place, source.identifier.system ?? '', source.identifier.value);
  else if (source.identifier) out.token(place, source.identifier.system ?? '', '');
}

/** `url|version` is found with and without the version. */
function addCanonical(text: string, place: Place, context: ReferenceContext, out: RowCollector): void {
  const bar = text.indexOf('|');
  const target = referenceTarget(bar > 0 ? text.slice(0, bar) : text, context.baseUrl);
  if (!target || !isWanted(typeOfTarget(target), context)) return;
  out.reference(place, target.type, target.id);
  if (bar > 0) out.reference(place, '', text);
}

function typeOf(
  source: ReferenceSource,
  target: ReferenceTarget | undefined,
  context: ReferenceContext,
): string | undefined {
  if (target) return typeOfTarget(target) ?? source.type;
  const fragment = source.reference?.startsWith('#') ? source.reference.slice(1) : undefined;
  return context.contained.find((resource) => resource.id === fragment)?.resourceType ?? source.type;
}

function isWanted(type: string | undefined, context: ReferenceContext): boolean {
  return context.resolvesTo === undefined || type === context.resolvesTo;
}
