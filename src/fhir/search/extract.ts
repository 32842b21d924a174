// Turns a resource into search rows. The paths of a type's parameters are compiled once, at the first resource of it.
import type { Resource } from '@medplum/fhirtypes';
import { compilePath } from '../fhirpath/compile.ts';
import { splitResolve } from './expression.ts';
import { extractDate } from './extract-date.ts';
import { extractNumber, extractQuantity } from './extract-number.ts';
import { extractReference } from './extract-reference.ts';
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

/** The search rows of a resource. */
export type Extraction = (resource: Resource) => IndexRows;

/** Adds what one parameter finds. */
type Extractor = (resource: Resource, out: RowCollector) => void;
type ValueExtractor = (value: unknown, place: Place, resource: Resource, out: RowCollector) => void;

/** Answered from the columns of the resource's own row. */
const STORED_IN_ROW = new Set(['_id', '_lastUpdated']);

export function createExtraction(options: ExtractionOptions): Extraction {
  const byType = new Map<string, readonly Extractor[]>();
  return (resource) => {
    let extractors = byType.get(resource.resourceType);
    if (!extractors) {
      extractors = compileType(resource.resourceType, options);
      byType.set(resource.resourceType, extractors);
    }
    const out = new RowCollector();
    for (const extract of extractors) extract(resource, out);
    return out.rows;
  };
}

function compileType(type: string, options: ExtractionOptions): Extractor[] {
  return options.parameters
    .forType(type)
    .filter((definition) => !STORED_IN_ROW.has(definition.code))
    .flatMap((definition) =>
      definition.kind === 'composite'
        ? compileComposite(definition, type, options)
        : compileParameter(definition, type, options),
    );
}

function compileParameter(definition: ParameterDefinition, type: string, options: ExtractionOptions): Extractor[] {
  const place = { parameter: options.idOf(definition), part: 0 };
  const extractors = definition.branches.map((branch): Extractor => {
    const { path, resolvesTo } = splitResolve(branch);
    const select = compilePath(path, type);
    const add = valueExtractor(definition.kind, options.baseUrl, resolvesTo);
    return (resource, out) => {
      for (const found of select(resource)) add(found.value, place, resource, out);
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
      select: byRootType(path),
      add: valueExtractor(kind, options.baseUrl, resolvesTo),
    }));
  });
  return [
    (resource, out) => {
      let part = 0;
      for (const root of roots) {
        for (const repetition of root(resource)) {
          for (const { parameter, select, add } of components) {
            const found = select(repetition.type)(repetition.value as object, { resource });
            for (const { value } of found) add(value, { parameter, part }, resource, out);
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
