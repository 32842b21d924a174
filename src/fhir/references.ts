// Links inside a resource: find the references, follow a literal one, rewrite those that point at something that has got
// a new address. Pure; a resource is never changed in place. https://hl7.org/fhir/R4/references.html
import type { Resource } from '@medplum/fhirtypes';

/** How a literal ends in JSON as text: with the id, or with a version of it. */
export const LITERAL_ENDS: readonly string[] = ['"', '/_history/'];

/** What kind of link a URL was found in. Conditional references exist only in `reference`. */
export type LinkKind = 'reference' | 'uri' | 'narrative';

/** The new URL, or undefined to leave the link as it is. */
export type Rewrite = (url: string, kind: LinkKind) => string | undefined;

export interface LiteralReference {
  readonly type: string;
  readonly id: string;
  /** Bare version id of a version-specific reference. */
  readonly version?: string;
}

/**
 * Elements of type uri, url, oid or uuid whose value points somewhere. Those whose value is a name (system, an
 * extension's url, a definition's own url) are left out: rewriting a name changes what it means. Canonicals are names too.
 * https://hl7.org/fhir/R4/http.html#trules
 */
export const LINK_ELEMENTS: ReadonlySet<string> = new Set([
  'address',
  'authorizationUrl',
  'definitionUri',
  'derivedFromUri',
  'detail',
  'endpoint',
  'eventUri',
  'instantiates',
  'instantiatesUri',
  'link',
  'location',
  'moduleUri',
  'nameUrl',
  'onlineInformation',
  'policy',
  'relativePath',
  'rendering',
  'source',
  'sourceUri',
  'target',
  'targetUri',
  'uri',
  'url',
  'valueOid',
  'valueUri',
  'valueUrl',
  'valueUuid',
]);

/** Nothing is looked for below this many levels, so that hostile JSON cannot exhaust the stack; validation refuses it. */
const DEEPEST = 100;

const LITERAL = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/([A-Za-z0-9\-.]{1,64}))?$/;
const CONDITIONAL = /^[A-Z][A-Za-z]+\?/;
const HREF = /(\b(?:href|src)\s*=\s*)(?:"([^"]*)"|'([^']*)')/g;

/** `Patient/1` or `Patient/1/_history/2`; undefined for every other form. */
export function parseLiteral(reference: string): LiteralReference | undefined {
  const match = LITERAL.exec(reference);
  if (!match) return undefined;
  const [, type = '', id = '', version] = match;
  return version === undefined ? { type, id } : { type, id, version };
}

/** True for `Patient?identifier=…`. */
export function isConditional(reference: string): boolean {
  return CONDITIONAL.test(reference);
}

/** Every `Reference.reference` of the resource and its contained resources, in document order. */
export function collectReferences(resource: Resource): string[] {
  const found: string[] = [];
  collect(resource, found, 0);
  return found;
}

export interface PlacedReference {
  /** Names of the elements that lead to it, without positions in lists: `Task.for`. */
  readonly place: string;
  readonly reference: string;
}

/** As `collectReferences`, with where each stands. */
export function collectPlaced(resource: Resource): PlacedReference[] {
  const found: PlacedReference[] = [];
  place(resource, resource.resourceType, found, 0);
  return found;
}

function place(node: object, path: string, found: PlacedReference[], depth: number): void {
  if (depth > DEEPEST) return;
  const isList = Array.isArray(node);
  for (const [key, value] of Object.entries(node)) {
    if (key === 'reference' && typeof value === 'string') found.push({ place: path, reference: value });
    else if (typeof value === 'object' && value !== null)
      place(value, isList ? path : `${path}.${key}`, found, depth + 1);
  }
}

function collect(node: object, found: string[], depth: number): void {
  if (depth > DEEPEST) return;
  if (Array.isArray(node)) {
    for (const item of node) if (typeof item === 'object' && item !== null) collect(item, found, depth + 1);
    return;
  }
  for (const key in node) {
    const value: unknown = (node as Record<string, unknown>)[key];
    if (typeof value === 'object' && value !== null) collect(value, found, depth + 1);
    else if (key === 'reference' && typeof value === 'string') found.push(value);
  }
}

/** Path of the first Reference whose `reference` is the one given, e.g. `CarePlan.activity[1].reference`. */
export function locateReference(resource: Resource, reference: string): string {
  return locate(resource, resource.resourceType, reference) ?? resource.resourceType;
}

function locate(node: object, path: string, reference: string): string | undefined {
  for (const [key, value] of Object.entries(node)) {
    if (key === 'reference' && value === reference) return path;
    if (typeof value !== 'object' || value === null) continue;
    const found = locate(value, Array.isArray(node) ? `${path}[${key}]` : `${path}.${key}`, reference);
    if (found) return found;
  }
  return undefined;
}

/**
 * The resource with its links replaced: `Reference.reference`, elements that point somewhere, `href` and `src` in
 * narratives. A link counts with or without a `#fragment`, which is kept. Returns the same object when nothing changed.
 */
export function rewriteLinks<T extends Resource>(resource: T, rewrite: Rewrite): T {
  return rewriteNode(resource, rewrite, true, 0) as T;
}

function rewriteNode(node: object, rewrite: Rewrite, named: boolean, depth: number): object {
  if (depth > DEEPEST) return node;
  if (Array.isArray(node)) return rewriteArray(node, rewrite, named, depth);
  let copy: Record<string, unknown> | undefined;
  for (const [key, value] of Object.entries(node)) {
    const next = rewriteElement(key, value, rewrite, named, depth);
    if (next === value) continue;
    copy ??= { ...node };
    copy[key] = next;
  }
  return copy ?? node;
}

function rewriteArray(items: readonly unknown[], rewrite: Rewrite, named: boolean, depth: number): object {
  let copy: unknown[] | undefined;
  for (const [index, item] of items.entries()) {
    if (typeof item !== 'object' || item === null) continue;
    const next = rewriteNode(item, rewrite, named, depth + 1);
    if (next === item) continue;
    copy ??= [...items];
    copy[index] = next;
  }
  return copy ?? items;
}

/** @param named whether `url` of the object is its own name: a resource's, or an extension's */
function rewriteElement(key: string, value: unknown, rewrite: Rewrite, named: boolean, depth: number): unknown {
  if (typeof value === 'string') {
    if (key === 'reference') return rewriteUrl(value, rewrite, 'reference');
    if (key === 'div') return rewriteNarrative(value, rewrite);
    if (key === 'url' && named) return value;
    return LINK_ELEMENTS.has(key) ? rewriteUrl(value, rewrite, 'uri') : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value) && LINK_ELEMENTS.has(key) && typeof value[0] === 'string') {
    const next = value.map((item) => (typeof item === 'string' ? rewriteUrl(item, rewrite, 'uri') : item));
    return next.some((item, index) => item !== value[index]) ? next : value;
  }
  const isNamed = key === 'extension' || key === 'modifierExtension' || key === 'contained';
  return rewriteNode(value, rewrite, isNamed, depth + 1);
}

function rewriteUrl(url: string, rewrite: Rewrite, kind: LinkKind): string {
  const whole = rewrite(url, kind);
  if (whole !== undefined) return whole;
  const hash = url.indexOf('#');
  if (hash <= 0) return url;
  const base = rewrite(url.slice(0, hash), kind);
  return base === undefined ? url : base + url.slice(hash);
}

function rewriteNarrative(div: string, rewrite: Rewrite): string {
  if (!div.includes('href') && !div.includes('src')) return div;
  return div.replace(HREF, (attribute: string, start: string, double?: string, single?: string) => {
    const url = double ?? single ?? '';
    const next = rewriteUrl(url, rewrite, 'narrative');
    return next === url ? attribute : `${start}"${next}"`;
  });
}
