// A code system as a graph of concepts, made once from its resource. https://hl7.org/fhir/R4/codesystem.html
import type { CodeSystem, CodeSystemConcept, CodeSystemConceptProperty } from '@medplum/fhirtypes';

export interface Concept {
  readonly code: string;
  /** As the code system gives it: display, definition, designations, properties. */
  readonly given: CodeSystemConcept;
  readonly parents: readonly Concept[];
  readonly children: readonly Concept[];
}

export interface ConceptSystem {
  readonly url: string;
  readonly version: string | undefined;
  readonly resource: CodeSystem;
  /** True when a code that is not here does not exist. */
  readonly complete: boolean;
  /** In the order of the resource. */
  readonly concepts: readonly Concept[];
  /** A code in another case is found when the code system says that case does not matter. */
  find(code: string): Concept | undefined;
}

interface Node extends Concept {
  readonly parents: Node[];
  readonly children: Node[];
}

/** Property codes by what they mean; a declared property with the URI means it under any code. */
const MEANINGS: Readonly<Record<string, readonly string[]>> = {
  parent: ['parent', 'subsumedBy'],
  child: ['child'],
  inactive: ['inactive'],
  notSelectable: ['notSelectable', 'abstract'],
  status: ['status'],
};
const CONCEPT_PROPERTIES = 'http://hl7.org/fhir/concept-properties#';

const made = new WeakMap<CodeSystem, ConceptSystem>();

/** The graph of a code system; remembered for as long as the resource is. */
export function conceptSystem(resource: CodeSystem): ConceptSystem {
  const known = made.get(resource) ?? makeSystem(resource);
  made.set(resource, known);
  return known;
}

function makeSystem(resource: CodeSystem): ConceptSystem {
  const nodes = new Map<string, Node>();
  collect(nodes, resource.concept ?? []);
  linkByProperties(nodes, resource);
  for (const { parents, children } of nodes.values()) for (const list of [parents, children]) dropDoubles(list);
  const folded =
    resource.caseSensitive === false ? new Map([...nodes.values()].map((node) => [fold(node.code), node])) : undefined;
  return {
    url: resource.url ?? '',
    version: resource.version,
    resource,
    complete: resource.content === 'complete' && nodes.size > 0,
    concepts: [...nodes.values()],
    find: (code) => nodes.get(code) ?? folded?.get(fold(code)),
  };
}

const fold = (code: string) => code.toLowerCase();

/** Without recursion, so that deep nesting cannot end the process. The first of two concepts with one code counts. */
function collect(nodes: Map<string, Node>, top: readonly CodeSystemConcept[]): void {
  const waiting: { readonly concept: CodeSystemConcept; readonly parent: Node | undefined }[] = [];
  const wait = (concepts: readonly CodeSystemConcept[], parent: Node | undefined) => {
    for (const concept of concepts.toReversed()) waiting.push({ concept, parent });
  };
  wait(top, undefined);
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { concept, parent } = next;
    if (typeof concept.code !== 'string') continue;
    const node = nodes.get(concept.code) ?? { code: concept.code, given: concept, parents: [], children: [] };
    nodes.set(node.code, node);
    if (parent) link(parent, node);
    wait(concept.concept ?? [], node);
  }
}

function linkByProperties(nodes: ReadonlyMap<string, Node>, resource: CodeSystem): void {
  const parentCodes = propertyCodes(resource, 'parent');
  const childCodes = propertyCodes(resource, 'child');
  for (const node of nodes.values()) {
    for (const { code, valueCode, valueString } of node.given.property ?? []) {
      const other = nodes.get(valueCode ?? valueString ?? '');
      if (!other) continue;
      if (parentCodes.has(code as string)) link(other, node);
      if (childCodes.has(code as string)) link(node, other);
    }
  }
}

function link(parent: Node, child: Node): void {
  if (parent === child) return;
  child.parents.push(parent);
  parent.children.push(child);
}

/** The same link may be given by nesting, from above and from below. */
function dropDoubles(list: Node[]): void {
  const different = list.length > 1 ? new Set(list) : undefined;
  if (!different || different.size === list.length) return;
  list.length = 0;
  for (const node of different) list.push(node);
}

/** Codes of the properties that mean `parent`, `child`, `inactive`, `notSelectable` or `status` in a code system. */
function propertyCodes({ property = [] }: CodeSystem, meaning: string): ReadonlySet<string> {
  const declared = property.filter(({ uri }) => uri === `${CONCEPT_PROPERTIES}${meaning}`).map(({ code }) => code);
  return new Set([...(MEANINGS[meaning] ?? []), ...(declared as string[])]);
}

/** True when the concept may no longer be used. Deprecated ones still may. */
export function isInactive({ resource }: ConceptSystem, { given }: Concept): boolean {
  return (
    hasProperty(resource, given, 'inactive', isTrue) ||
    hasProperty(resource, given, 'status', ({ valueCode, valueString }) =>
      /^(inactive|retired)$/i.test(valueCode ?? valueString ?? ''),
    )
  );
}

/** True when the concept only groups others and is not meant to be chosen. */
export function isAbstract({ resource }: ConceptSystem, { given }: Concept): boolean {
  return hasProperty(resource, given, 'notSelectable', isTrue);
}

/** https://hl7.org/fhir/R4/codesystem.html#status; properties are codes or booleans, and some systems write text. */
function isTrue({ valueBoolean, valueCode, valueString }: CodeSystemConceptProperty): boolean {
  return valueBoolean === true || valueCode === 'true' || valueString === 'true';
}

function hasProperty(
  resource: CodeSystem,
  { property }: CodeSystemConcept,
  meaning: string,
  test: (property: CodeSystemConceptProperty) => boolean,
): boolean {
  if (!property) return false;
  const codes = propertyCodes(resource, meaning);
  return property.some((one) => codes.has(one.code as string) && test(one));
}

/** A concept and everything below it, each once; cycles end. */
export function withDescendants(concept: Concept): Set<Concept> {
  return closure(concept, ({ children }) => children);
}

/** A concept and everything above it, each once; cycles end. */
export function withAncestors(concept: Concept): Set<Concept> {
  return closure(concept, ({ parents }) => parents);
}

function closure(concept: Concept, next: (concept: Concept) => readonly Concept[]): Set<Concept> {
  const found = new Set([concept]);
  for (const each of found) for (const further of next(each)) found.add(further);
  return found;
}
