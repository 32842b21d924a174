// One search parameter with its modifier, chain or _has, as a condition.
// https://hl7.org/fhir/R4/search.html#modifiers, #chaining and #has
import { Fault } from '../../fault.ts';
import { fold } from './fold.ts';
import { impliesSystem } from './implied-system.ts';
import { IDENTIFIER_OF_TYPE, type ParameterDefinition, type SearchParameters } from './parameters.ts';
import {
  alternatives,
  MAX_LISTED,
  malformed,
  parseDate,
  parseToken,
  parseValue,
  splitUnescaped,
  unescaped,
  type ValueContext,
} from './parse-values.ts';
import type { ChainTarget, Condition, ParameterKey, TokenMatch, ValueKind, ValueMatch } from './query.ts';

export interface ConditionContext {
  readonly parameters: SearchParameters;
  readonly baseUrl: string;
  readonly now: () => number;
  /** How many more types chains may look into. */
  readonly budget: { chains: number };
}

/** A name that says nothing to this server; the caller decides whether that is an error. */
export class UnknownParameter extends Fault {
  constructor(name: string, why: string) {
    super('invalid', `The search parameter ${name} ${why}`, { code: 'not-supported' });
  }
}

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
export function parseCondition(
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

export function definitionOf(
  { parameters }: ConditionContext,
  type: string | undefined,
  code: string,
  name: string,
): ParameterDefinition {
  const definition = parameters.get(type ?? 'Resource', code);
  if (definition) return definition;
  throw new UnknownParameter(name, type === undefined ? 'is not known for all types.' : `is not known for ${type}.`);
}

/** Every resource has an id and a time, so that `:missing` has the same answer for all. */
function alwaysThere(name: string, value: string): Condition {
  return { kind: 'id', ids: [], negated: !parseBoolean(name, value) };
}

function parseLastUpdated(
  { now }: ConditionContext,
  name: string,
  modifier: string | undefined,
  value: string,
): Condition {
  if (modifier === 'missing') return alwaysThere(name, value);
  refuseModifier(name, modifier);
  return { kind: 'updated', anyOf: alternatives(value, name).map((text) => parseDate(text, { name, now })) };
}

function parseId(name: string, modifier: string | undefined, value: string): Condition {
  if (modifier === 'missing') return alwaysThere(name, value);
  if (modifier !== 'not') refuseModifier(name, modifier);
  const ids = alternatives(value, name, MAX_LISTED).map((text) => unescaped(text).replace(/^[A-Z][A-Za-z]+\//, ''));
  return { kind: 'id', ids, negated: modifier === 'not' };
}

function parseBoolean(name: string, value: string): boolean {
  if (value !== 'true' && value !== 'false') throw malformed({ name }, `"${value}"`, ':missing is true or false.');
  return value === 'true';
}

function parseMissing(definition: ParameterDefinition, name: string, value: string): Condition {
  const [component] = definition.components;
  // A composite is there when its first component is: every repetition has it.
  const values = (component?.kind ?? definition.kind) as ValueKind;
  return {
    kind: 'missing',
    parameter: component?.key ?? keyOf(definition),
    values,
    missing: parseBoolean(name, value),
  };
}

function parseComposite(
  context: ConditionContext,
  definition: ParameterDefinition,
  name: string,
  modifier: string | undefined,
  value: string,
): Condition {
  refuseModifier(name, modifier);
  const { components } = definition;
  const anyOf = alternatives(value, name).map((text) => {
    const parts = splitUnescaped(text, '$');
    if (parts.length !== components.length) {
      throw malformed({ name }, `"${text}"`, `It takes ${components.length} parts, separated by $.`);
    }
    return components.map((component, at) =>
      parseValue(component.kind as ValueKind, parts[at] ?? '', {
        name,
        baseUrl: context.baseUrl,
        targets: component.targets,
        now: context.now,
      }),
    );
  });
  return { kind: 'composite', components: components.map((component) => component.key), anyOf };
}

function parseMatch(
  context: ConditionContext,
  definition: ParameterDefinition,
  name: string,
  modifier: string | undefined,
  value: string,
): Condition {
  const kind = definition.kind as ValueKind;
  const isListed = kind === 'token' || kind === 'reference' || (kind === 'uri' && modifier === undefined);
  const values = alternatives(value, name, isListed && modifier !== 'text' ? MAX_LISTED : undefined);
  const at: ValueContext = { name, baseUrl: context.baseUrl, targets: definition.targets, now: context.now };
  const match = (anyOf: ValueMatch[], parameter: ParameterKey = keyOf(definition), negated = false): Condition => ({
    kind: 'match',
    parameter,
    anyOf,
    negated,
  });
  const token = (text: string) => withoutImplied(parseToken(text, at), definition);
  if (modifier === undefined) {
    return match(values.map((text) => (kind === 'token' ? token(text) : parseValue(kind, text, at))));
  }
  switch (`${kind}:${modifier}`) {
    case 'token:not':
      return match(values.map(token), keyOf(definition), true);
    case 'token:text':
      return match(values.map((text) => ({ kind: 'string', mode: 'starts', value: fold(unescaped(text)) })));
    case 'token:of-type':
      if (definition.code !== 'identifier') break;
      return match(
        values.map((text) => ofType(text, name)),
        { type: definition.type, code: IDENTIFIER_OF_TYPE },
      );
    case 'string:exact':
      return match(values.map((text) => ({ kind: 'string', mode: 'exact', value: unescaped(text) })));
    case 'string:contains':
      return match(values.map((text) => ({ kind: 'string', mode: 'contains', value: fold(unescaped(text)) })));
    case 'uri:above':
    case 'uri:below':
      return match(
        values.map((text) => ({ kind: 'uri', mode: modifier as 'above' | 'below', value: unescaped(text) })),
      );
    case 'reference:identifier':
      return match(values.map((text) => parseToken(text, at)));
  }
  if (kind === 'reference' && isTarget(context, definition, modifier)) {
    return match(values.map((text) => typedReference(text, modifier, at)));
  }
  throw new UnknownParameter(name, `does not take the modifier :${modifier}.`);
}

/** A `code` element has no system of its own: asked for with the right one, it is found by its code. */
function withoutImplied(match: TokenMatch, definition: ParameterDefinition): TokenMatch {
  const { system, code } = match;
  if (!system || code === undefined || !impliesSystem(definition, system)) return match;
  return { kind: 'token', system: '', code };
}

function ofType(text: string, name: string): ValueMatch {
  const [system = '', code = '', value = '', ...more] = splitUnescaped(text, '|').map(unescaped);
  if (more.length > 0 || code === '' || value === '') {
    throw malformed({ name }, `"${text}"`, ':of-type takes system|code|value.');
  }
  return { kind: 'token', system, code: `${code}|${value}` };
}

/** `subject:Patient=23`. A value that names another type contradicts the modifier. */
function typedReference(text: string, type: string, at: ValueContext): ValueMatch {
  const match = parseValue('reference', text, { ...at, targets: [type] });
  if (match.kind === 'reference' && match.types.some((each) => each !== type && each !== '')) {
    throw malformed(at, `"${text}"`, `The modifier asks for a ${type}.`);
  }
  return match;
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

function isTarget({ parameters }: ConditionContext, definition: ParameterDefinition, type: string): boolean {
  return definition.targets.length > 0 ? definition.targets.includes(type) : parameters.types.includes(type);
}

function refuseModifier(name: string, modifier: string | undefined): void {
  if (modifier !== undefined) throw new UnknownParameter(name, `does not take the modifier :${modifier}.`);
}

const keyOf = ({ type, code }: ParameterDefinition): ParameterKey => ({ type, code });
