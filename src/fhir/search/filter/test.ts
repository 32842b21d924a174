// One test of a `_filter` on a parameter of the resource itself: which operator means what for which kind of value.
// https://hl7.org/fhir/R4/search_filter.html#ops
import { fold } from '../fold.ts';
import { type ConditionContext, definitionOf, keyOf, UnknownParameter } from '../parameter-lookup.ts';
import type { ParameterDefinition } from '../parameters.ts';
import { parseId, parseLastUpdated, parseMatch, parseMissing } from '../parse-match.ts';
import { parseDate, parseValue, type ValueContext } from '../parse-values.ts';
import type { Condition, NumberMatch, StringMatch, ValueMatch } from '../query.ts';
import type { FilterOperator, FilterStep, FilterTest } from './expression.ts';

/** Short names of code systems that filters may use. */
const SYSTEMS: Readonly<Record<string, string>> = {
  loinc: 'http://loinc.org',
  snomed: 'http://snomed.info/sct',
  rxnorm: 'http://www.nlm.nih.gov/research/umls/rxnorm',
  ucum: 'http://unitsofmeasure.org',
};

const ORDERED: readonly FilterOperator[] = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'ap', 'sa', 'eb'];

const STRING_MODES: Readonly<Partial<Record<FilterOperator, StringMatch['mode']>>> = {
  eq: 'equals',
  co: 'contains',
  sw: 'starts',
  ew: 'ends',
  gt: 'gt',
  lt: 'lt',
  ge: 'ge',
  le: 'le',
};

const TOKEN_MODIFIERS: Readonly<Partial<Record<FilterOperator, string | undefined>>> = {
  eq: undefined,
  ss: 'below',
  sb: 'above',
  in: 'in',
  ni: 'not-in',
};

/** @throws UnknownParameter | Fault invalid */
export function parseTest(
  context: ConditionContext,
  type: string | undefined,
  { name: code, type: target, where }: FilterStep,
  { operator, value }: Pick<FilterTest, 'operator' | 'value'>,
): Condition {
  const name = `_filter (${code} ${operator})`;
  if (target !== undefined || where) throw new UnknownParameter(name, `ends where ${code} should go on after a dot.`);
  if (code === '_id' && (operator === 'eq' || operator === 'ne')) {
    return parseId(name, operator === 'ne' ? 'not' : undefined, escaped(value));
  }
  if (code === '_lastUpdated' && ORDERED.includes(operator)) {
    return parseLastUpdated(context, name, undefined, `${operator}${escaped(value)}`);
  }
  const definition = definitionOf(context, type, code, name);
  if (operator === 'pr') return parsePresent(definition, name, value);
  const condition = compare(context, definition, name, operator, value);
  if (condition) return condition;
  throw new UnknownParameter(name, `does not exist: ${operator} says nothing about a ${definition.kind}.`);
}

function compare(
  context: ConditionContext,
  definition: ParameterDefinition,
  name: string,
  operator: FilterOperator,
  value: string,
): Condition | undefined {
  const at: ValueContext = { ...context, name, targets: definition.targets };
  const match = (of: ValueMatch): Condition => ({
    kind: 'match',
    parameter: keyOf(definition),
    anyOf: [of],
    negated: false,
  });
  switch (definition.kind) {
    case 'string': {
      const mode = STRING_MODES[operator];
      if (mode) return match({ kind: 'string', mode, value: fold(value) });
      return operator === 'ne' ? unequal(context, definition, name, value) : undefined;
    }
    case 'number':
      if (operator === 'co') return match(containing(parseValue('number', value, at) as NumberMatch));
      break;
    case 'date':
      if (operator === 'po') return match({ ...parseDate(value, at), prefix: 'ap' });
      if (operator === 'co') return match({ ...parseDate(value, at), prefix: 'co' });
      break;
    case 'token':
      if (operator === 'ne') return unequal(context, definition, name, value);
      if (!(operator in TOKEN_MODIFIERS)) return undefined;
      return parseMatch(context, definition, name, TOKEN_MODIFIERS[operator], escaped(withSystem(value)));
    case 'reference':
      return operator === 're' || operator === 'eq'
        ? parseMatch(context, definition, name, undefined, escaped(value))
        : undefined;
    case 'uri':
      if (operator === 'ne') return unequal(context, definition, name, value);
      return operator === 'eq' ? parseMatch(context, definition, name, undefined, escaped(value)) : undefined;
  }
  const isOrdered = definition.kind === 'number' || definition.kind === 'quantity' || definition.kind === 'date';
  if (!isOrdered || !ORDERED.includes(operator)) return undefined;
  return match(parseValue(definition.kind, `${operator}${value}`, at));
}

/** There is a value, and none that is equal: the complement of `eq`, as `ne` is of dates and numbers. */
function unequal(context: ConditionContext, definition: ParameterDefinition, name: string, value: string): Condition {
  const equal = compare(context, definition, name, 'eq', value);
  const present = parseMissing(definition, name, 'false');
  return { kind: 'all', of: equal ? [present, { kind: 'not', of: equal }] : [present] };
}

function parsePresent(definition: ParameterDefinition, name: string, value: string): Condition {
  const wanted = value.toLowerCase();
  return parseMissing(definition, name, wanted === 'true' ? 'false' : wanted === 'false' ? 'true' : value);
}

/** A stored range that contains the number itself. */
function containing({ value, ...match }: NumberMatch): NumberMatch {
  return { ...match, prefix: 'ap', value, low: value, high: value };
}

function withSystem(value: string): string {
  const bar = value.indexOf('|');
  const system = bar > 0 ? SYSTEMS[value.slice(0, bar).toLowerCase()] : undefined;
  return system === undefined ? value : `${system}${value.slice(bar)}`;
}

/** Commas separate values in ordinary parameters, not in filters. */
function escaped(value: string): string {
  return value.replaceAll(',', '\\,');
}
