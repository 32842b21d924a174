// Keeps a search within what the grant reaches, also where it looks into other resources on the way: what a chain finds
// shows in what matches, and what is included is shown itself.
import { reachesAll, reachesSome } from '../../access/decide.ts';
import type { Grant } from '../../access/grant.ts';
import { Fault } from '../../fault.ts';
import type { Pairs } from '../../fhir/request-url.ts';
import { parseSearch } from '../../fhir/search/parse.ts';
import type { Condition, Include, SearchQuery } from '../../fhir/search/query.ts';
import type { FhirContext } from './context.ts';
import { type ReachContext, reachOf, reachOfTypes, tryReach } from './reach.ts';
import { searchOptions } from './search-options.ts';

/** A query of the door's own, kept within the reach. */
export function queryWithin(context: ReachContext, type: string, pairs: Pairs, reach: Condition): SearchQuery {
  return narrow(parseSearch(context.parameters, type, pairs, searchOptions(context, 'strict')), reach);
}

export function narrow(query: SearchQuery, reach: Condition): SearchQuery {
  return { ...query, conditions: [...query.conditions, reach] };
}

/**
 * The conditions, with chains and `_has` that look only into what the grant may search: a resource out of reach is as if it
 * were not there.
 * @throws Fault forbidden when the grant may search nothing of a type that is looked into
 */
export function narrowChains(context: FhirContext, grant: Grant, conditions: readonly Condition[]): Condition[] {
  const inner = (condition: Condition): Condition => {
    switch (condition.kind) {
      case 'chain':
        return { ...condition, targets: condition.targets.map((target) => ({ ...target, ...lookInto(target) })) };
      case 'has':
        return { ...condition, ...lookInto(condition) };
      case 'hierarchy':
        if (reachesAll(grant, 'search-type', condition.type)) return condition;
        throw mayNotLookInto(condition.type);
      case 'not':
        return { ...condition, of: inner(condition.of) };
      case 'any':
      case 'all':
        return { ...condition, of: condition.of.map(inner) };
      default:
        return condition;
    }
  };
  const lookInto = ({ type, condition }: { type: string; condition: Condition }): { condition: Condition } => {
    if (!reachesSome(grant, 'search-type', type)) throw mayNotLookInto(type);
    const reach = reachOf(context, grant, 'search-type', type);
    const looked = inner(condition);
    return { condition: reach ? { kind: 'all', of: [looked, reach] } : looked };
  };
  return conditions.map(inner);
}

/**
 * For criteria that the store itself parses, which nobody narrows.
 * @throws Fault forbidden when the conditions look into a type that the grant does not reach as a whole
 */
export function refuseBlindChains(grant: Grant, conditions: readonly Condition[]): void {
  const blind = conditions.flatMap(typesLookedInto).find((type) => !reachesAll(grant, 'search-type', type));
  if (blind !== undefined) throw mayNotLookInto(blind);
}

/** Types of other resources that decide whether the condition holds. */
export function typesLookedInto(condition: Condition): string[] {
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

function mayNotLookInto(type: string): Fault {
  const sentence = `The search looks into ${type} resources, and the token may not search those.`;
  return new Fault('forbidden', sentence, { context: { scope: `system/${type}.s` } });
}

/** Types that the includes of a query name or may bring along and of which the grant may read nothing. */
export function unreadableIncludes(context: FhirContext, grant: Grant, includes: readonly Include[]): string[] {
  const types = includes.flatMap((include) => typesBrought(context, include));
  return [...new Set(types)].filter((type) => !reachesSome(grant, 'read', type));
}

/**
 * The includes, bringing only what the grant may read: nothing is followed through other resources either, because where
 * an include goes on from one says what it refers to.
 */
export function readableIncludes(context: FhirContext, grant: Grant, includes: readonly Include[]): Include[] {
  return includes.flatMap((include) => {
    const brought = typesBrought(context, include);
    if (brought.includes('*')) return readableOfAny(context, grant, include);
    const amongTypes = brought.filter((type) => reachesSome(grant, 'read', type));
    if (amongTypes.length === 0) return [];
    if (reachesAll(grant, 'read', '*')) return [include];
    const isWhole = amongTypes.length === brought.length && brought.every((type) => reachesAll(grant, 'read', type));
    // A reference may lead to another type than its parameter knows.
    if (isWhole) return [{ ...include, amongTypes }];
    return [{ ...include, amongTypes, within: reachOfTypes(context, grant, 'read', amongTypes) }];
  });
}

/** Any type may come: those that the grant reaches as a whole, and what it reaches of all types at once. */
function readableOfAny(context: FhirContext, grant: Grant, include: Include): Include[] {
  const { types } = context.parameters;
  const whole = types.filter((type) => reachesAll(grant, 'read', type));
  if (whole.length === types.length) return [include];
  const part = tryReach(context, grant, 'read', undefined);
  const conditions: Condition[] = whole.length > 0 ? [{ kind: 'type', types: whole }] : [];
  if (part !== 'none' && part !== 'all') conditions.push(part);
  if (conditions.length === 0) return [];
  const amongTypes = part === 'none' ? whole : types;
  return [{ ...include, amongTypes, within: { kind: 'any', of: conditions } }];
}

function typesBrought(context: FhirContext, include: Include): readonly string[] {
  if (include.direction === 'revinclude') return [include.source ?? '*'];
  if (include.target) return [include.target];
  const definition = include.source && include.code && context.parameters.get(include.source, include.code);
  return definition && definition.targets.length > 0 ? definition.targets : ['*'];
}
