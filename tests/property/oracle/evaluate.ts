// The answer to a query, found by asking every resource.
import type { Resource } from '@medplum/fhirtypes';
import type { Found } from './found-values.ts';
import { dateMatches, hasUnit, matchesValue } from './match-value.ts';
import { keyOf, type Population } from './population.ts';
import type { Condition, Include, Query, Value } from './query.ts';
import { findParameter, type Parameter, parametersOf, RESOURCE_TYPES } from './search-definitions.ts';
import { spanOf } from './spans.ts';

export function matchesOf(population: Population, query: Query): Resource[] {
  return population.resources.filter(
    (resource) =>
      resource.resourceType === query.type &&
      query.conditions.every((condition) => holds(population, resource, condition)),
  );
}

/** Types that a reference may lead to: every one when the parameter names none. */
function leadsTo({ targets }: Parameter): readonly string[] {
  return targets.length > 0 ? targets : RESOURCE_TYPES;
}

function holds(population: Population, resource: Resource, condition: Condition): boolean {
  switch (condition.kind) {
    case 'match': {
      const { parameter, modifier, anyOf } = condition;
      if (parameter.kind === 'composite') {
        const parts = population.parts(resource, parameter);
        return anyOf.some(
          (value) => value.kind === 'composite' && parts.some((part) => partMatches(part, value.parts)),
        );
      }
      const found = population.values(resource, parameter);
      const matched = anyOf.some((value) => someMatches(found, value, modifier));
      return modifier === 'not' ? !matched : matched;
    }
    case 'missing':
      return (population.values(resource, condition.parameter).length === 0) === condition.missing;
    case 'chain':
      return population.targets(resource, condition.parameter, leadsTo(condition.parameter)).some((target) => {
        if (condition.target !== undefined && target.resourceType !== condition.target) return false;
        const { targets } = condition.parameter;
        if (targets.length > 0 && !targets.includes(target.resourceType)) return false;
        const inner = askedOf(target.resourceType, condition.inner);
        return inner !== undefined && holds(population, target, inner);
      });
    case 'has':
      return population.resources.some(
        (referrer) =>
          referrer.resourceType === condition.type &&
          population.targets(referrer, condition.parameter, leadsTo(condition.parameter)).includes(resource) &&
          holds(population, referrer, condition.inner),
      );
    case 'id':
      return condition.ids.includes(resource.id ?? '') !== condition.negated;
    case 'updated': {
      const span = spanOf(population.updatedOf(resource));
      return condition.anyOf.some((value) =>
        value.prefix === 'ne' ? !dateMatches(span, { ...value, prefix: 'eq' }) : dateMatches(span, value),
      );
    }
  }
}

/** A chain without type asks the parameter of the same name in whatever type it meets. */
function askedOf(type: string, inner: Condition): Condition | undefined {
  if (inner.kind !== 'match' && inner.kind !== 'missing') return inner;
  const parameter = findParameter(type, inner.parameter.code);
  return parameter && { ...inner, parameter };
}

/** `ne` is the complement of `eq` over resources that have something to compare. */
function someMatches(found: readonly Found[], asked: Value, modifier: string | undefined): boolean {
  if (!('prefix' in asked) || asked.prefix !== 'ne') return found.some((each) => matchesValue(each, asked, modifier));
  const equal: Value = { ...asked, prefix: 'eq' };
  const comparable = found.filter((each) => hasSomething(each, asked));
  return comparable.length > 0 && !comparable.some((each) => matchesValue(each, equal, modifier));
}

function hasSomething(found: Found, asked: Value): boolean {
  if (asked.kind === 'quantity') return hasUnit(found, asked);
  if (asked.kind === 'number')
    return (
      matchesValue(found, { ...asked, prefix: 'ge' }, undefined) ||
      matchesValue(found, { ...asked, prefix: 'le' }, undefined)
    );
  if (asked.kind !== 'date') return true;
  return (
    matchesValue(found, { ...asked, prefix: 'ge' }, undefined) ||
    matchesValue(found, { ...asked, prefix: 'lt' }, undefined)
  );
}

/** Every component within one repetition. */
function partMatches(part: readonly (readonly Found[])[], asked: readonly Value[]): boolean {
  return asked.every((value, at) => someMatches(part[at] ?? [], value, undefined));
}

// ---- includes

/** What a page of these matches brings along: never one of the matches. */
export function includedWith(
  population: Population,
  matches: readonly Resource[],
  includes: readonly Include[],
): Resource[] {
  const seen = new Set(matches);
  let frontier: readonly Resource[] = matches;
  let active = includes;
  while (frontier.length > 0 && active.length > 0) {
    const next: Resource[] = [];
    for (const found of active.flatMap((include) => frontier.flatMap((one) => broughtBy(population, one, include)))) {
      if (seen.has(found)) continue;
      seen.add(found);
      next.push(found);
    }
    frontier = next;
    active = includes.filter(({ iterate }) => iterate);
  }
  return [...seen].filter((resource) => !matches.includes(resource));
}

function broughtBy(population: Population, from: Resource, include: Include): Resource[] {
  const { direction, source, target } = include;
  if (direction === '_include') {
    if (source !== undefined && source !== from.resourceType) return [];
    const found = followed(population, from, include);
    return target === undefined ? found : found.filter(({ resourceType }) => resourceType === target);
  }
  if (target !== undefined && target !== from.resourceType) return [];
  return population.resources.filter(
    (referrer) =>
      (source === undefined || source === referrer.resourceType) &&
      followed(population, referrer, include).some((found) => keyOf(found) === keyOf(from)),
  );
}

/** A canonical URL says nothing of a type: `*` follows it to whatever type any of its parameters may lead to. */
function followed(population: Population, from: Resource, { source, code }: Include): Resource[] {
  const named = typesNamed(source, code);
  return references(from.resourceType, code).flatMap((parameter) => population.targets(from, parameter, named));
}

function references(type: string, code: string | undefined): Parameter[] {
  return parametersOf(type).filter((each) => each.kind === 'reference' && (code === undefined || each.code === code));
}

const namedBy = new Map<string, readonly string[]>();

function typesNamed(source: string | undefined, code: string | undefined): readonly string[] {
  const sources = source === undefined ? RESOURCE_TYPES : [source];
  const key = `${source}:${code}`;
  const types = namedBy.get(key) ?? sources.flatMap((type) => references(type, code).flatMap(({ targets }) => targets));
  namedBy.set(key, types);
  return types;
}
