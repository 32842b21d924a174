// Applies what a grant reaches to a search before it runs: more conditions, never fewer results afterwards.
// https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#finer-grained-resource-constraints-using-search-parameters
import { type Narrowing, reachesAll } from '../../access/decide.ts';
import type { Grant } from '../../access/grant.ts';
import { Fault } from '../../fault.ts';
import type { Pairs } from '../../fhir/request-url.ts';
import { compartmentCondition } from '../../fhir/search/compartment.ts';
import { parseSearch } from '../../fhir/search/parse.ts';
import type { Condition, Include, SearchQuery } from '../../fhir/search/query.ts';
import type { FhirContext } from './context.ts';
import { searchOptions } from './search-options.ts';

/** A query of the door's own, kept within the narrowing. */
export function queryWithin(context: FhirContext, type: string, pairs: Pairs, narrowing: Narrowing): SearchQuery {
  return narrow(context, parse(context, type, pairs), narrowing);
}

export function narrow(context: FhirContext, query: SearchQuery, narrowing: Narrowing): SearchQuery {
  const added: Condition[] = [];
  if (narrowing.patient) added.push(compartmentCondition(context.parameters, query.type, narrowing.patient));
  if (narrowing.anyOf.length > 0) {
    const sets = narrowing.anyOf.map((pairs) => constraintConditions(context, query.type, pairs));
    added.push({ kind: 'any', of: sets.map((of) => ({ kind: 'all', of })) });
  }
  return { ...query, conditions: [...query.conditions, ...added] };
}

/** @throws Fault forbidden when the constraint selects nothing that this server knows: it must not widen the scope */
function constraintConditions(context: FhirContext, type: string | undefined, pairs: Pairs): readonly Condition[] {
  const sentence = 'A scope of the token has a constraint that this server cannot apply.';
  try {
    const { conditions, applied } = parse(context, type, pairs);
    if (conditions.length > 0 && conditions.length === applied.length) return conditions;
  } catch (cause) {
    throw new Fault('forbidden', sentence, { cause });
  }
  throw new Fault('forbidden', sentence);
}

/**
 * Chains and `_has` look into resources of other types, and what they find shows in what matches; so they need the right
 * to search all of those.
 * @throws Fault forbidden
 */
export function refuseBlindChains(grant: Grant, conditions: readonly Condition[]): void {
  for (const type of conditions.flatMap(typesLookedInto)) {
    if (reachesAll(grant, 'search-type', type)) continue;
    const sentence = `The search looks into ${type} resources, and the token may not search all of those.`;
    throw new Fault('forbidden', sentence, { context: { scope: `system/${type}.s` } });
  }
}

function typesLookedInto(condition: Condition): string[] {
  switch (condition.kind) {
    case 'chain':
      return condition.targets.flatMap((target) => [target.type, ...typesLookedInto(target.condition)]);
    case 'has':
      return [condition.type, ...typesLookedInto(condition.condition)];
    case 'hierarchy':
      return [condition.type];
    case 'not':
      return typesLookedInto(condition.of);
    case 'any':
    case 'all':
      return condition.of.flatMap(typesLookedInto);
    default:
      return [];
  }
}

/**
 * Types that the includes of a query may bring along and the grant may not read all of; `*` when it could be any type.
 */
export function unreadableIncludes(context: FhirContext, grant: Grant, includes: readonly Include[]): string[] {
  const types = includes.flatMap((include) => typesBrought(context, include));
  return [...new Set(types)].filter((type) => !reachesAll(grant, 'read', type));
}

/**
 * The includes without what the grant may not read: nothing is followed through such a resource either, because where an
 * include goes on from it says what it refers to.
 */
export function readableIncludes(context: FhirContext, grant: Grant, includes: readonly Include[]): Include[] {
  return includes.flatMap((include) => {
    const brought = typesBrought(context, include);
    const possible = brought.includes('*') ? context.parameters.types : brought;
    const amongTypes = possible.filter((type) => reachesAll(grant, 'read', type));
    if (amongTypes.length === 0) return [];
    return [amongTypes.length === possible.length ? include : { ...include, amongTypes }];
  });
}

function typesBrought(context: FhirContext, include: Include): readonly string[] {
  if (include.direction === 'revinclude') return [include.source ?? '*'];
  if (include.target) return [include.target];
  const definition = include.source && include.code && context.parameters.get(include.source, include.code);
  return definition && definition.targets.length > 0 ? definition.targets : ['*'];
}

function parse(context: FhirContext, type: string | undefined, pairs: Pairs): SearchQuery {
  return parseSearch(context.parameters, type, pairs, searchOptions(context, 'strict'));
}
