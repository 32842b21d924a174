// One parameter of the resource itself, with its modifier, as a condition.
// https://hl7.org/fhir/R4/search.html#modifiers
import { fold } from './fold.ts';
import { impliesSystem } from './implied-system.ts';
import { type ConditionContext, isTarget, keyOf, UnknownParameter } from './parameter-lookup.ts';
import { IDENTIFIER_OF_TYPE, type ParameterDefinition } from './parameters.ts';
import { parseWithin } from './parse-hierarchy.ts';
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
import type { Condition, ParameterKey, TokenMatch, ValueKind, ValueMatch } from './query.ts';
import { type TokenSetModifier, tokensFor } from './token-set-match.ts';

/** Every resource has an id and a time, so that `:missing` has the same answer for all. */
function alwaysThere(name: string, value: string): Condition {
  return { kind: 'id', ids: [], negated: !parseBoolean(name, value) };
}

export function parseLastUpdated(
  { now }: ConditionContext,
  name: string,
  modifier: string | undefined,
  value: string,
): Condition {
  if (modifier === 'missing') return alwaysThere(name, value);
  refuseModifier(name, modifier);
  return { kind: 'updated', anyOf: alternatives(value, name).map((text) => parseDate(text, { name, now })) };
}

export function parseId(name: string, modifier: string | undefined, value: string): Condition {
  if (modifier === 'missing') return alwaysThere(name, value);
  if (modifier !== 'not') refuseModifier(name, modifier);
  const ids = alternatives(value, name, MAX_LISTED).map((text) => unescaped(text).replace(/^[A-Z][A-Za-z]+\//, ''));
  return { kind: 'id', ids, negated: modifier === 'not' };
}

function parseBoolean(name: string, value: string): boolean {
  if (value !== 'true' && value !== 'false') throw malformed({ name }, `"${value}"`, ':missing is true or false.');
  return value === 'true';
}

export function parseMissing(definition: ParameterDefinition, name: string, value: string): Condition {
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

export function parseComposite(
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

export function parseMatch(
  context: ConditionContext,
  definition: ParameterDefinition,
  name: string,
  modifier: string | undefined,
  value: string,
): Condition {
  const kind = definition.kind as ValueKind;
  const isListed = kind === 'token' || kind === 'reference' || (kind === 'uri' && modifier === undefined);
  const values = alternatives(
    value,
    name,
    isListed && (modifier === undefined || modifier === 'not') ? MAX_LISTED : undefined,
  );
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
    case 'reference:above':
    case 'reference:below':
      return anyOf(values.map((text) => parseWithin(context, definition, name, modifier as 'above' | 'below', text)));
    case 'token:in':
    case 'token:not-in':
    case 'token:above':
    case 'token:below': {
      const members = values.flatMap((text) => tokensFor(context, name, modifier as TokenSetModifier, text));
      return match(
        members.map((member) => withoutImplied(member, definition)),
        keyOf(definition),
        modifier === 'not-in',
      );
    }
  }
  if (kind === 'reference' && isTarget(context, definition, modifier)) {
    return match(values.map((text) => typedReference(text, modifier, at)));
  }
  throw new UnknownParameter(name, `does not take the modifier :${modifier}.`);
}

function anyOf(of: readonly Condition[]): Condition {
  return of.length === 1 && of[0] ? of[0] : { kind: 'any', of };
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

function refuseModifier(name: string, modifier: string | undefined): void {
  if (modifier !== undefined) throw new UnknownParameter(name, `does not take the modifier :${modifier}.`);
}
