// Turns a resource into search rows. The paths of a type's parameters are compiled once, at the first resource of it.
import type { Resource } from '@medplum/fhirtypes';
import { compilePath } from '../fhirpath/compile.ts';
import { elementsRead, type Reads } from './elements-read.ts';
import { splitResolve } from './expression.ts';
import { extractDate } from './extract-date.ts';
import { extractNumber, extractQuantity } from './extract-number.ts';
import { extractReference } from './extract-reference.ts';
import { specialExtractor } from './extract-special.ts';
import { extractString, extractUri } from './extract-text.ts';
import { extractIdentifierType, extractToken } from './extract-token.ts';
import { type IndexRows, type Place, RowCollector } from './index-rows.ts';
import { IDENTIFIER_OF_TYPE, type ParameterDefinition, type SearchParameters } from './parameters.ts';
import type { ParameterKey, SearchParameterType } from './query.ts';

export interface ExtractionOptions {
  readonly parameters: SearchParameters;
  /** This server's FHIR base without a trailing slash: absolute references below it are local. */
  readonly baseUrl: string;
  /** The integer id that the parameter's rows carry. */
  readonly idOf: (key: ParameterKey) => number;
}

/**
 * The search rows of a resource.
 * @param elements when given, only rows of parameters that may read one of them
 */
export type Extraction = (resource: Resource, elements?: readonly string[]) => IndexRows;

/** Adds what one parameter finds. */
type Extractor = (resource: Resource, out: RowCollector) => void;
/** All that adds rows of one parameter. */
interface Extractors {
  readonly reads: Reads;
  readonly all: readonly Extractor[];
}
type ValueExtractor = (value: unknown, place: Place, resource: Resource, out: RowCollector) => void;

/** A path may end at a choice of which some types are not of the parameter's kind: `scheduledString` is no date. */
const UNLIKE: Partial<Record<SearchParameterType, ReadonlySet<string>>> = {
  token: new Set(['Quantity', 'Range', 'Ratio', 'SampledData', 'Money', 'Reference', 'Period']),
  date: new Set(['string', 'markdown', 'code', 'uri', 'canonical']),
};

const isComparable = (kind: SearchParameterType, type: string) => !UNLIKE[kind]?.has(type);

/** Answered from the columns of the resource's own row. */
const STORED_IN_ROW = new Set(['_id', '_lastUpdated']);

export function createExtraction(options: ExtractionOptions): Extraction {
  const byType = new Map<string, readonly Extractors[]>();
  return (resource, elements) => {
    let extractors = byType.get(resource.resourceType);
    if (!extractors) {
      extractors = compileType(resource.resourceType, options);
      byType.set(resource.resourceType, extractors);
    }
    const out = new RowCollector();
    // What is contained decides what references to it are.
    const some = elements?.includes('contained') ? undefined : elements;
    for (const { reads, all } of extractors) {
      if (some === undefined || reads(some)) for (const extract of all) extract(resource, out);
    }
    return out.rows;
  };
}

function compileType(type: string, options: ExtractionOptions): Extractors[] {
  const extractors = options.parameters
    .forType(type)
    .filter((definition) => !STORED_IN_ROW.has(definition.code))
    .map(
      (definition): Extractors =>
        definition.kind === 'composite'
          ? { reads: elementsRead(pathsOfComposite(definition)), all: compileComposite(definition, type, options) }
          : { reads: elementsRead(definition.branches), all: compileParameter(definition, type, options) },
    );
  const special = specialExtractor(type, options);
  return special ? [...extractors, { reads: () => true, all: [special] }] : extractors;
}

/** From the resource on, each path to a component with the path to what repeats. */
function pathsOfComposite({ branches, components }: ParameterDefinition): string[] {
  const parts = components.flatMap((component) => component.branches);
  return branches.flatMap((root) => parts.map((part) => `${root}.${part}`));
}

function compileParameter(definition: ParameterDefinition, type: string, options: ExtractionOptions): Extractor[] {
  const place = { parameter: options.idOf(definition), part: 0 };
  const extractors = definition.branches.map((branch): Extractor => {
    const { path, resolvesTo } = splitResolve(branch);
    const select = compilePath(path, type);
    const plain = valueExtractor(definition.kind, options.baseUrl, resolvesTo);
    const add = definition.kind === 'token' || definition.kind === 'reference' ? plain : marked(plain);
    return (resource, out) => {
      for (const { value, type: found } of select(resource)) {
        if (isComparable(definition.kind, found)) add(value, place, resource, out);
        else out.token(place, '', '');
      }
    };
  });
  if (!hasTypes(definition)) return extractors;
  const ofType = { parameter: options.idOf({ type: definition.type, code: IDENTIFIER_OF_TYPE }), part: 0 };
  for (const branch of definition.branches) {
    const select = compilePath(branch, type);
    extractors.push((resource, out) => {
      for (const found of select(resource)) extractIdentifierType(found.value, ofType, out);
    });
  }
  return extractors;
}

/**
 * A value without anything to compare with (a Timing without dates, a Quantity without number) is a value all the same:
 * an empty token says so, for `:missing`.
 */
function marked(add: ValueExtractor): ValueExtractor {
  return (value, place, resource, out) => {
    const before = out.count;
    add(value, place, resource, out);
    if (out.count === before) out.token(place, '', '');
  };
}

/** Whether the parameter finds Identifiers, which `:of-type` asks by their type. */
function hasTypes({ code, kind }: ParameterDefinition): boolean {
  return code === 'identifier' && kind === 'token';
}

/** Each repetition of the composite's own path is one part; its components are indexed with the part's number. */
function compileComposite(definition: ParameterDefinition, type: string, options: ExtractionOptions): Extractor[] {
  const roots = definition.branches.map((branch) => compilePath(branch, type));
  const components = definition.components.flatMap(({ key, kind, branches }) => {
    const parameter = options.idOf(key);
    return branches.map(splitResolve).map(({ path, resolvesTo }) => ({
      parameter,
      kind,
      select: byRootType(path),
      add: valueExtractor(kind, options.baseUrl, resolvesTo),
    }));
  });
  return [
    (resource, out) => {
      let part = 0;
      for (const root of roots) {
        for (const repetition of root(resource)) {
          for (const { parameter, kind, select, add } of components) {
            const found = select(repetition.type)(repetition.value as object, { resource });
            for (const { value, type } of found) {
              if (isComparable(kind, type)) add(value, { parameter, part }, resource, out);
            }
          }
          part++;
        }
      }
    },
  ];
}

/** A component's path starts at an element whose type is known only when it is met (`Observation.component`). */
function byRootType(path: string): (rootType: string) => ReturnType<typeof compilePath> {
  const compiled = new Map<string, ReturnType<typeof compilePath>>();
  return (rootType) => {
    let select = compiled.get(rootType);
    if (!select) {
      select = compilePath(path, rootType);
      compiled.set(rootType, select);
    }
    return select;
  };
}

function valueExtractor(kind: SearchParameterType, baseUrl: string, resolvesTo: string | undefined): ValueExtractor {
  switch (kind) {
    case 'token':
      return (value, place, _, out) => extractToken(value, place, out);
    case 'reference':
      return (value, place, resource, out) => {
        const contained = 'contained' in resource ? (resource.contained ?? []) : [];
        extractReference(value, place, { baseUrl, resolvesTo, contained }, out);
      };
    case 'date':
      return (value, place, _, out) => extractDate(value, place, out);
    case 'string':
      return (value, place, _, out) => extractString(value, place, out);
    case 'number':
      return (value, place, _, out) => extractNumber(value, place, out);
    case 'quantity':
      return (value, place, _, out) => extractQuantity(value, place, out);
    case 'uri':
      return (value, place, _, out) => extractUri(value, place, out);
    default:
      return () => undefined;
  }
}
