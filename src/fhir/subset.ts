// A part of a resource, for `_elements` and `_summary`: what was asked for, what is mandatory, and the tag that says so.
// https://hl7.org/fhir/R4/search.html#elements and https://hl7.org/fhir/R4/search.html#summary
import { Fault } from '../fault.ts';
import type { Structure } from './base-structures.ts';
import type { Definitions } from './definitions.ts';
import { type ElementTree, elementOf, elementTree } from './element-tree.ts';
import { parseExact, stringifyExact } from './exact-json.ts';
import type { Pairs } from './request-url.ts';

/**
 * Stored JSON text to the JSON text to send.
 * @param included the resource was not asked for itself: `_include` has brought it along
 */
export type Subset = (content: string, included?: boolean) => string;
/** Reads `_elements` and `_summary` out of the parameters. `_elements` wins when both are there. */
export type Subsetter = (pairs: Pairs) => Subset;

const SUBSETTED = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' };
/** What says which resource it is, and what changes the meaning of the rest. */
const ALWAYS = new Set(['resourceType', 'id', 'meta', 'implicitRules', 'modifierExtension']);
const SUMMARIES = ['true', 'false', 'text', 'data', 'count'];

type JsonObject = Record<string, unknown>;

/** Undefined: of this type everything is wanted. */
type Wanted = (type: string, included: boolean) => ReadonlySet<string> | undefined;

const whole: Subset = (content) => content;

export function createSubsetter(definitions: Pick<Definitions, 'structure'>): Subsetter {
  const trees = new Map<Structure, ElementTree>();

  /** Undefined for a type that is not known, which is left as it is. */
  function treeOf(type: string): ElementTree | undefined {
    const structure = definitions.structure(type);
    const known = structure && trees.get(structure);
    if (known || !structure) return known;
    const tree = elementTree(structure.elements);
    trees.set(structure, tree);
    return tree;
  }

  function cut(content: string, keep: (resource: JsonObject, tree: ElementTree) => JsonObject): string {
    const resource = parseExact<JsonObject>(content);
    const tree = treeOf(String(resource.resourceType));
    return tree ? stringifyExact(withTag(keep(resource, tree))) : content;
  }

  const cutElements = (wanted: Wanted): Subset => {
    return (content, included = false) => {
      const names = wanted(typeIn(content), included);
      if (!names) return content;
      return cut(content, (resource, tree) =>
        pick(resource, tree, ({ name, mandatory }) => mandatory || names.has(name)),
      );
    };
  };

  return (pairs) => {
    const names = pairs.filter(([name]) => name === '_elements').flatMap(([, value]) => value.split(','));
    const summary = summaryIn(pairs);
    if (names.length > 0) return cutElements(byName(names));
    switch (summary) {
      case 'text':
        return (content) =>
          cut(content, (resource, tree) => pick(resource, tree, ({ name, mandatory }) => mandatory || name === 'text'));
      case 'data':
        return (content) => cut(content, (resource, tree) => pick(resource, tree, ({ name }) => name !== 'text'));
      case 'true':
        return (content) => cut(content, summarize);
      default:
        return whole;
    }
  };
}

/** @throws Fault invalid for a value that FHIR does not define */
export function summaryIn(pairs: Pairs): string | undefined {
  const summary = pairs.find(([name]) => name === '_summary')?.[1];
  if (summary === undefined || SUMMARIES.includes(summary)) return summary;
  throw new Fault('invalid', `_summary must be ${SUMMARIES.join(', ')}.`, { code: 'value' });
}

/**
 * A part of a resource must not become the whole of it. https://hl7.org/fhir/R4/resource.html#tag
 * @throws Fault unprocessable
 */
export function refuseSubsetted(resource: { readonly meta?: { readonly tag?: unknown } }): void {
  if (!hasTag(resource.meta?.tag)) return;
  const sentence = 'The resource is marked SUBSETTED: it is a part of a resource and would replace the whole.';
  throw new Fault('unprocessable', sentence, { expression: 'meta.tag', code: 'business-rule' });
}

/**
 * Plain names are for the resources that were searched, not for those that were included; `Patient.name` is for patients
 * wherever they are. `name.family` and `value[x]` ask for `name` and `value`.
 */
function byName(names: readonly string[]): Wanted {
  const plain = new Set<string>();
  const byType = new Map<string, Set<string>>();
  for (const name of names) {
    const [, type, element = ''] = /^\s*(?:([A-Z]\w*)\.)?([^.[\s]*)/.exec(name) ?? [];
    if (type === undefined) plain.add(element);
    else byType.set(type, (byType.get(type) ?? new Set()).add(element));
  }
  return (type, included) => {
    const own = byType.get(type);
    if (included || plain.size === 0) return own;
    return own ? new Set([...plain, ...own]) : plain;
  };
}

/** The elements that R4 counts to the summary, inside of elements too. */
function summarize(node: JsonObject, tree: ElementTree): JsonObject {
  const kept = pick(node, tree, ({ summary, mandatory }) => summary || mandatory);
  for (const [key, value] of Object.entries(kept)) {
    const below = elementOf(tree, key)?.children();
    if (below)
      kept[key] = Array.isArray(value) ? value.map((item) => summarizeItem(item, below)) : summarizeItem(value, below);
  }
  return kept;
}

const summarizeItem = (value: unknown, tree: ElementTree) =>
  typeof value === 'object' && value !== null ? summarize(value as JsonObject, tree) : value;

/** A copy with the members that are wanted; a primitive's companion goes with it. */
function pick(
  node: JsonObject,
  tree: ElementTree,
  wanted: (element: NonNullable<ReturnType<typeof elementOf>>) => boolean,
) {
  const copy = { ...node };
  for (const key of Object.keys(node)) {
    const element = elementOf(tree, key);
    if (!ALWAYS.has(key) && !(element && wanted(element))) delete copy[key];
  }
  return copy;
}

/** Stored text starts with the type. */
function typeIn(content: string): string {
  return /^\s*\{\s*"resourceType"\s*:\s*"([A-Za-z]+)"/.exec(content)?.[1] ?? '';
}

function withTag(resource: JsonObject): JsonObject {
  const meta = (resource.meta ?? {}) as { tag?: unknown[] };
  return hasTag(meta.tag) ? resource : { ...resource, meta: { ...meta, tag: [...(meta.tag ?? []), SUBSETTED] } };
}

function hasTag(tags: unknown): boolean {
  return (
    Array.isArray(tags) &&
    tags.some((tag) => typeof tag === 'object' && tag?.code === SUBSETTED.code && tag.system === SUBSETTED.system)
  );
}
