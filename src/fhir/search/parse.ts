// A search request's parameters as a SearchQuery. Strict: what is not understood is refused, because a dropped filter
// would show more patients than were asked for. Lenient, when the client prefers it: ignored, and said so.
// https://hl7.org/fhir/R4/search.html
import { type Clock, systemClock } from '../../clock.ts';
import { Fault } from '../../fault.ts';
import { MAX_CHAINS } from './chain.ts';
import { type ConditionContext, definitionOf, UnknownParameter } from './parameter-lookup.ts';
import type { SearchParameters } from './parameters.ts';
import { conditionForTypes } from './parse-condition.ts';
import { parseInclude } from './parse-include.ts';
import { alternatives, malformed } from './parse-values.ts';
import type { Condition, Include, SearchQuery, SortKey, ValueKind } from './query.ts';
import type { TokenSets } from './token-sets.ts';

export interface ParseOptions {
  readonly handling: 'strict' | 'lenient';
  /** This server's FHIR base without a trailing slash. */
  readonly baseUrl: string;
  /** What `ap` is measured from; the machine's when absent. */
  readonly clock?: Clock;
  /** What `:in`, `:not-in`, `:above` and `:below` of codes mean; they are refused without it. */
  readonly tokenSets?: TokenSets | undefined;
}

/** More parameters than this in one search are refused rather than planned. */
const MAX_CONDITIONS = 100;
/** Each sort key is a look into the index for every match. */
const MAX_SORT_KEYS = 8;
const DEFAULT_COUNT = 50;
/** Larger pages are cut to this, and the self link says so. */
const MAX_COUNT = 1_000;
/** Shape the answer and are the caller's to act on. */
const PRESENTATION = new Set(['_format', '_pretty', '_summary', '_elements']);

/**
 * @param type absent for a search over all types
 * @param pairs decoded once, in the order of the request
 * @throws Fault invalid
 */
export function parseSearch(
  parameters: SearchParameters,
  type: string | undefined,
  pairs: readonly (readonly [name: string, value: string])[],
  options: ParseOptions,
): SearchQuery {
  const clock = options.clock ?? systemClock();
  const context = {
    parameters,
    baseUrl: options.baseUrl,
    now: () => clock.now().epochMilliseconds,
    tokenSets: options.tokenSets,
    budget: { chains: MAX_CHAINS },
  };
  const named = typesNamed(context, pairs);
  const types = type === undefined ? named : [type];
  const draft: Draft = { conditions: [], includes: [], sort: [], count: DEFAULT_COUNT, total: 'known', applied: [] };
  const ignored: string[] = [];
  for (const [name, value] of pairs) {
    try {
      const kept = readParameter(draft, context, types, name, value);
      draft.applied.push([name, kept ?? value]);
    } catch (error) {
      if (options.handling === 'strict' || !(error instanceof UnknownParameter)) throw error;
      ignored.push(name);
    }
  }
  if (draft.conditions.length > MAX_CONDITIONS) {
    const message = `The search has more than ${MAX_CONDITIONS} parameters.`;
    throw new Fault('invalid', message, { code: 'too-costly' });
  }
  const [only] = types;
  return { ...draft, ...(only !== undefined && types.length === 1 ? { type: only } : {}), ignored };
}

/** A search over all types may name the types with `_type`; the parameters must then be known for each of them. */
function typesNamed({ parameters }: ConditionContext, pairs: readonly (readonly [string, string])[]): string[] {
  const named = pairs.filter(([name]) => name === '_type').flatMap(([name, value]) => alternatives(value, name));
  const unknown = named.find((each) => !parameters.types.includes(each));
  if (unknown !== undefined) throw malformed({ name: '_type' }, `"${unknown}"`, 'Name FHIR resource types.');
  return [...new Set(named)];
}

/** Parses `Type?parameters`, percent-encoded. @throws Fault invalid */
export function parseSearchUrl(parameters: SearchParameters, url: string, options: ParseOptions): SearchQuery {
  const mark = url.indexOf('?');
  const type = mark < 0 ? url : url.slice(0, mark);
  if (!parameters.types.includes(type)) {
    throw new Fault('invalid', `${JSON.stringify(type)} is not a FHIR resource type.`, { code: 'not-supported' });
  }
  return parseSearch(parameters, type, mark < 0 ? [] : [...new URLSearchParams(url.slice(mark + 1))], options);
}

interface Draft {
  conditions: Condition[];
  includes: Include[];
  sort: SortKey[];
  count: number;
  total: SearchQuery['total'];
  cursor?: string;
  applied: [string, string][];
}

/** Adds what the parameter says to the draft; returns its value when that was changed. */
function readParameter(
  draft: Draft,
  context: ConditionContext,
  types: readonly string[],
  name: string,
  value: string,
): string | undefined {
  const type = types.length === 1 ? types[0] : undefined;
  const [code = '', modifier] = name.split(':');
  if (PRESENTATION.has(name)) return undefined;
  switch (code) {
    case '_include':
    case '_revinclude':
      draft.includes.push(parseInclude(context, types, name, modifier, value));
      return undefined;
    case '_sort':
      draft.sort = parseSort(context, type, name, value);
      return undefined;
    case '_count':
      draft.count = parseCount(value);
      return String(draft.count);
    case '_total':
      draft.total = parseTotal(value);
      return undefined;
    case '_cursor':
      draft.cursor = value;
      return undefined;
    case '_type':
      draft.conditions.push({ kind: 'type', types: alternatives(value, name) });
      return undefined;
    default:
      draft.conditions.push(conditionForTypes(context, types, name, value));
      return undefined;
  }
}

function parseCount(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw malformed({ name: '_count' }, `"${value}"`, 'It is a whole number from 0.');
  return Math.min(Number(value), MAX_COUNT);
}

function parseTotal(value: string): SearchQuery['total'] {
  if (value === 'none') return 'none';
  if (value === 'accurate' || value === 'estimate') return 'accurate';
  throw malformed({ name: '_total' }, `"${value}"`, 'It is none, estimate or accurate.');
}

function parseSort(context: ConditionContext, type: string | undefined, name: string, value: string): SortKey[] {
  return alternatives(value, name, MAX_SORT_KEYS).map((key) => {
    const descending = key.startsWith('-');
    const code = descending ? key.slice(1) : key;
    const parameter = { type: 'Resource', code };
    if (code === '_id') return { parameter, values: 'id', descending };
    if (code === '_lastUpdated') return { parameter, values: 'updated', descending };
    const definition = definitionOf(context, type, code, `_sort=${code}`);
    if (definition.kind === 'composite' || definition.kind === 'special') {
      throw new UnknownParameter(`_sort=${code}`, 'is not of a kind that can be sorted by.');
    }
    return { parameter: { type: definition.type, code }, values: definition.kind as ValueKind, descending };
  });
}
