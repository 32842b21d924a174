// What an include follows, worked out once for each include that is ever asked for.
import { urlOfType } from '../../fhir/search/canonical-url.ts';
import type { SearchParameters } from '../../fhir/search/parameters.ts';
import type { Include } from '../../fhir/search/query.ts';
import type { ParameterIds } from './parameter-ids.ts';

/** Ids of search parameters. */
export interface IncludePath {
  /** Reference parameters; `every` for all that there are. */
  readonly parameters: readonly number[] | 'every';
  /** `url` of the types that canonicals may name; empty when the parameters are no canonicals. */
  readonly urls: readonly number[];
}

export interface IncludeContext {
  readonly parameters: SearchParameters;
  readonly ids: ParameterIds;
}

const known = new WeakMap<ParameterIds, Map<string, IncludePath>>();
/** Clients choose their includes; beyond this many the oldest are worked out again. */
const KEPT = 1_000;

export function includePath(include: Include, context: IncludeContext): IncludePath {
  const paths = known.get(context.ids) ?? new Map<string, IncludePath>();
  known.set(context.ids, paths);
  const { direction, source, code, target, amongTypes } = include;
  const key = JSON.stringify([direction, source, code, target, amongTypes]);
  const path = paths.get(key) ?? findPath(include, context);
  const [oldest] = paths.keys();
  if (paths.size >= KEPT && oldest !== undefined) paths.delete(oldest);
  paths.set(key, path);
  return path;
}

function findPath(include: Include, { parameters, ids }: IncludeContext): IncludePath {
  const isForward = include.direction === 'include';
  const every = isForward ? parameters.types : (include.amongTypes ?? parameters.types);
  const sources = include.source === undefined ? every : [include.source];
  const found = new Set<number>();
  const named = new Set<string>();
  for (const source of sources) {
    for (const definition of parameters.forType(source)) {
      if (definition.kind !== 'reference') continue;
      if (include.code !== undefined && definition.code !== include.code) continue;
      found.add(ids.idOf(definition));
      for (const target of definition.targets) named.add(target);
    }
  }
  const urls = [...named]
    .filter((target) => include.target === undefined || target === include.target)
    .filter((target) => !isForward || include.amongTypes === undefined || include.amongTypes.includes(target))
    .flatMap((target) => urlOfType(parameters, target) ?? [])
    .map((key) => ids.idOf(key));
  // Looked up by resource, references need no list of parameters; looked up by target, the index begins with the parameter.
  const isEvery = isForward && include.source === undefined && include.code === undefined;
  return { parameters: isEvery ? 'every' : [...found], urls };
}
