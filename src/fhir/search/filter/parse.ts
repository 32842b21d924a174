// A `_filter` as a condition: its tests say what the ordinary parameters say, in another way.
// https://hl7.org/fhir/R4/search_filter.html
import { chainTo, isKnown, refuseFarChains } from '../chain.ts';
import { type ConditionContext, definitionOf, isTarget, targetsOf, UnknownParameter } from '../parameter-lookup.ts';
import type { Condition } from '../query.ts';
import { groupOf, parseGroup } from './element-group.ts';
import type { FilterExpression, FilterTest } from './expression.ts';
import { readFilter } from './read.ts';
import { parseTest } from './test.ts';

/**
 * @param type absent for a search over all types
 * @param depth of the chain that the filter stands in
 * @throws UnknownParameter | Fault invalid
 */
export function parseFilter(
  context: ConditionContext,
  type: string | undefined,
  text: string,
  depth: number,
): Condition {
  return conditionOf(context, type, readFilter(text), depth);
}

function conditionOf(
  context: ConditionContext,
  type: string | undefined,
  expression: FilterExpression,
  depth: number,
): Condition {
  switch (expression.kind) {
    case 'not':
      return { kind: 'not', of: conditionOf(context, type, expression.of, depth) };
    case 'and':
    case 'or': {
      const of = operandsOf(expression, expression.kind).map((operand) => conditionOf(context, type, operand, depth));
      return { kind: expression.kind === 'and' ? 'all' : 'any', of };
    }
    default:
      return testOf(context, type, expression, depth);
  }
}

/** `a and b and c`, which is read as `(a and b) and c`, as one list. */
function operandsOf(expression: FilterExpression, kind: 'and' | 'or'): FilterExpression[] {
  if (expression.kind !== kind) return [expression];
  return [...operandsOf(expression.left, kind), expression.right];
}

function testOf(context: ConditionContext, type: string | undefined, test: FilterTest, depth: number): Condition {
  const [step, next, ...others] = test.path;
  if (!step) throw new UnknownParameter('_filter', 'has a test without a path.');
  const group = groupOf(type, step.name);
  if (group) return parseGroup(context, group, test);
  if (!next) return parseTest(context, type, step, test);
  const name = `_filter (${test.path.map((each) => each.name).join('.')})`;
  refuseFarChains(context, depth);
  const definition = definitionOf(context, type, step.name, name);
  if (definition.kind !== 'reference') throw new UnknownParameter(name, `cannot go on after ${step.name}.`);
  if (step.type !== undefined && !isTarget(context, definition, step.type)) {
    throw new UnknownParameter(name, `cannot refer to ${step.type}.`);
  }
  const possible = step.type === undefined ? targetsOf(context, definition) : [step.type];
  const knowing = possible.filter((each) => next.name === '_id' || isKnown(context, each, next.name));
  if (knowing.length === 0)
    throw new UnknownParameter(name, `chains to a parameter that no target of ${step.name} has.`);
  const rest: FilterTest = { ...test, path: [next, ...others] };
  return chainTo(context, definition, knowing, (each) => {
    const condition = testOf(context, each, rest, depth + 1);
    if (!step.where) return condition;
    return { kind: 'all', of: [conditionOf(context, each, step.where, depth + 1), condition] };
  });
}
