// One search parameter, with its chain or `_has`, as a condition.
// https://hl7.org/fhir/R4/search.html#chaining and #has
import { canonicalUrlOf } from './canonical-url.ts';
import { chainTo, isKnown, refuseFarChains } from './chain.ts';
import {
  type ConditionContext,
  definitionOf,
  isTarget,
  keyOf,
  targetsOf,
  UnknownParameter,
} from './parameter-lookup.ts';
import { parseComposite, parseId, parseLastUpdated, parseMatch, parseMissing } from './parse-match.ts';
import { parseSpecial } from './parse-special.ts';
import { malformed } from './parse-values.ts';
import type { Condition } from './query.ts';
import { isSpecial } from './special.ts';

/**
 * As `parseCondition`, for a search over one type, over several or (none) over all: what is not common to all types
 * must be known for each of the several.
 */
export function conditionForTypes(
  context: ConditionContext,
  types: readonly string[],
  name: string,
  value: string,
): Condition {
  const [code = ''] = name.split(/[:.]/);
  if (types.length === 1) return parseCondition(context, types[0], name, value);
  if (types.length === 0 || code === '_id' || isForAll(context, code)) {
    return parseCondition(context, undefined, name, value);
  }
  const of = types.map((type): Condition => {
    const condition = parseCondition(context, type, name, value);
    return { kind: 'all', of: [{ kind: 'type', types: [type] }, condition] };
  });
  return { kind: 'any', of };
}

/** Means the same for every type. A filter names parameters, which do not. */
function isForAll({ parameters }: ConditionContext, code: string): boolean {
  return parameters.get('Resource', code) !== undefined || (isSpecial(undefined, code) && code !== '_filter');
}

/**
 * @param type absent for a search over all types
 * @param name with modifiers and chain, as in the URL
 * @throws UnknownParameter | Fault invalid
 */
export function parseCondition(
  context: ConditionContext,
  type: string | undefined,
  name: string,
  value: string,
  depth = 0,
): Condition {
  refuseFarChains(context, depth);
  if (value === '') throw malformed({ name }, 'no value', 'Give one, or leave the parameter out.');
  if (name.startsWith('_has:')) return parseHas(context, type, name, value, depth);
  const dot = name.indexOf('.');
  if (dot > 0) return parseChain(context, type, name.slice(0, dot), name.slice(dot + 1), value, depth);
  const [code = '', modifier, ...more] = name.split(':');
  if (more.length > 0) throw new UnknownParameter(name, 'has more than one modifier.');
  if (code === '_id') return parseId(name, modifier, value);
  if (code === '_lastUpdated') return parseLastUpdated(context, name, modifier, value);
  const special = parseSpecial(context, type, name, value, depth);
  if (special) return special;
  const definition = definitionOf(context, type, code, name);
  if (modifier === 'missing') return parseMissing(definition, name, value);
  if (definition.kind === 'composite') return parseComposite(context, definition, name, modifier, value);
  return parseMatch(context, definition, name, modifier, value);
}

function parseChain(
  context: ConditionContext,
  type: string | undefined,
  link: string,
  rest: string,
  value: string,
  depth: number,
): Condition {
  const name = `${link}.${rest}`;
  const [code = '', target, ...more] = link.split(':');
  const definition = definitionOf(context, type, code, name);
  if (definition.kind !== 'reference' || more.length > 0) throw new UnknownParameter(name, 'cannot be chained.');
  if (target !== undefined && !isTarget(context, definition, target)) {
    throw new UnknownParameter(name, `cannot refer to ${target}.`);
  }
  const [next = ''] = rest.split(/[.:]/);
  const possible = target !== undefined ? [target] : targetsOf(context, definition);
  const knowing = possible.filter((each) => next === '_has' || isKnown(context, each, next));
  if (knowing.length === 0) throw new UnknownParameter(name, `chains to a parameter that no target of ${link} has.`);
  return chainTo(context, definition, knowing, (each) => parseCondition(context, each, rest, value, depth + 1));
}

function parseHas(
  context: ConditionContext,
  type: string | undefined,
  name: string,
  value: string,
  depth: number,
): Condition {
  const [, source = '', code = '', ...rest] = name.split(':');
  if (rest.length === 0) throw new UnknownParameter(name, 'is not written like _has:Type:reference:parameter.');
  const definition = definitionOf(context, source, code, name);
  const refersHere = definition.kind === 'reference' && (type === undefined || isTarget(context, definition, type));
  if (!refersHere) throw new UnknownParameter(name, `does not refer to ${type ?? 'resources'}.`);
  const condition = parseCondition(context, source, rest.join(':'), value, depth + 1);
  const types = type === undefined ? targetsOf(context, definition) : [type];
  const named = types.flatMap((each) => canonicalUrlOf(context.parameters, definition, each) ?? []);
  return { kind: 'has', type: source, parameter: keyOf(definition), condition, named };
}
