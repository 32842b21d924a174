// FHIRPath compiled once into closures that run on plain JSON. https://hl7.org/fhirpath/N1/

import type { Environment, Evaluate } from './evaluation.ts';
import { compileAtom } from './expression.ts';
import { parse } from './parse.ts';
import type { Collection, TypedValue } from './typed-value.ts';

/**
 * Compiles an expression for roots of a type.
 * @param type FHIR type of the root, e.g. `Patient`; `Resource` when it is any resource
 * @returns a function from the root (and its surroundings) to the values found, in order; primitives that have only
 *   extensions are left out
 * @throws Fault `invalid` that names the expression when it is not FHIRPath or uses what R4 does not have
 */
export function compilePath(expression: string, type: string): (root: object, env?: Environment) => TypedValue[] {
  const evaluate = compileExpression(expression, type);
  return (root, env) => {
    const { resourceType } = root as { resourceType?: unknown };
    const rootType = type === 'Resource' && typeof resourceType === 'string' ? resourceType : type;
    return evaluate({ type: rootType, value: root }, env).filter(({ value }) => value !== undefined);
  };
}

/** As `compilePath`, for any root: also a primitive with its companion, or an element inside a resource. */
export function compileExpression(expression: string, type: string): Evaluator {
  const { evaluate, slots } = compileAtom(parse(expression), expression, type);
  return (root, env = {}) => run(evaluate, slots, root, env).items;
}

export type Evaluator = (root: TypedValue, env?: Environment) => Collection;

/**
 * A rule that must hold for every value of a type: an invariant.
 * @returns false when it is broken; an ordering that the precision of two dates leaves open breaks nothing
 */
export function compileRule(expression: string, type: string): (root: TypedValue, env: Environment) => boolean {
  const { evaluate, slots } = compileAtom(parse(expression), expression, type);
  return (root, env) => {
    const { items, uncertain } = run(evaluate, slots, root, env);
    if (items.length === 0) return uncertain;
    return items.length > 1 || items[0]?.value !== false;
  };
}

function run(evaluate: Evaluate, slots: number, root: TypedValue, env: Environment) {
  const state = { env, root, memo: slots === 0 ? NO_SLOTS : new Array<undefined>(slots), uncertain: false };
  const self = [root];
  const items = evaluate({ run: state, self, index: 0, total: NO_ITEMS }, self);
  return { items, uncertain: state.uncertain };
}

const NO_SLOTS: undefined[] = [];
const NO_ITEMS: Collection = [];
