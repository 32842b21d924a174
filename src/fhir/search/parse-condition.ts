// One search parameter, with its chain or `_has`, as a condition.
// https://hl7.org/fhir/R4/search.html#chaining and #has
import { Fault } from '../../fault.ts';
import { type ConditionContext, definitionOf, isTarget, keyOf, UnknownParameter } from './parameter-lookup.ts';
import { parseComposite, parseId, parseLastUpdated, parseMatch, parseMissing } from './parse-match.ts';
import { malformed } from './parse-values.ts';
import type { ChainTarget, Condition } from './query.ts';

/** `_has` and chains may not nest deeper than this … */
const MAX_DEPTH = 8;
/** … nor, all together, look into more types: a chain without type fans out over every type a reference may have. */
export const MAX_CHAINS = 300;

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
  if (types.length === 0 || code === '_id' || context.parameters.get('Resource', code)) {
    return parseCondition(context, undefined, name, value);
  }
  const of = types.map((type): Condition => {
    const condition = parseCondition(context, type, name, value);
    return { kind: 'all', of: [{ kind: 'type', types: [type] }, condition] };
  });
  return { kind: 'any', of };
}

/**
 * @param type absent for a search over all types
 * @param name with modifiers and chain, as in the URL
 * @throws UnknownParameter | Fault invalid
 */
function parseCondition(
  context: ConditionContext,
  type: string | undefined,
  name: string,
  value: string,
  depth = 0,
): Condition {
  if (depth > MAX_DEPTH || context.budget.chains < 0) {
    const hint = 'Name the types of the references, as in subject:Patient.name.';
    throw new Fault('invalid', `The search chains too far. ${hint}`, { code: 'too-costly' });
  }
  if (value === '') throw malformed({ name }, 'no value', 'Give one, or leave the parameter out.');
  if (name.startsWith('_has:')) return parseHas(context, type, name, value, depth);
  const dot = name.indexOf('.');
  if (dot > 0) return parseChain(context, type, name.slice(0, dot), name.slice(dot + 1), value, depth);
  const [code = '', modifier, ...more] = name.split(':');
  if (more.length > 0) throw new UnknownParameter(name, 'has more than one modifier.');
  if (code === '_id') return parseId(name, modifier, value);
  if (code === '_lastUpdated') return parseLastUpdated(context, name, modifier, value);
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
  const possible =
    target !== undefined ? [target] : definition.targets.length > 0 ? definition.targets : context.parameters.types;
  const [next = ''] = rest.split(/[.:]/);
  const knowing = possible.filter((each) => rest.startsWith('_has:') || context.parameters.get(each, next));
  if (knowing.length === 0) throw new UnknownParameter(name, `chains to a parameter that no target of ${link} has.`);
  context.budget.chains -= knowing.length;
  const targets: ChainTarget[] = [];
  let refusal: UnknownParameter | undefined;
  for (const each of knowing) {
    try {
      targets.push({ type: each, condition: parseCondition(context, each, rest, value, depth + 1) });
    } catch (error) {
      // The parameter may be a string in one type and a token in another: a modifier then fits one of them only.
      if (!(error instanceof UnknownParameter)) throw error;
      refusal = error;
    }
  }
  if (refusal && targets.length === 0) throw refusal;
  return { kind: 'chain', parameter: keyOf(definition), targets };
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
  return { kind: 'has', type: source, parameter: keyOf(definition), condition };
}
