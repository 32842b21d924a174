// Chains: a reference that leads to a resource which fulfils a condition of its own.
// https://hl7.org/fhir/R4/search.html#chaining
import { Fault } from '../../fault.ts';
import { canonicalUrlOf } from './canonical-url.ts';
import { type ConditionContext, keyOf, UnknownParameter } from './parameter-lookup.ts';
import type { ParameterDefinition } from './parameters.ts';
import type { ChainTarget, Condition } from './query.ts';
import { isSpecial } from './special.ts';

/** `_has` and chains may not nest deeper than this … */
const MAX_DEPTH = 8;
/** … nor, all together, look into more types: a chain without type fans out over every type a reference may have. */
export const MAX_CHAINS = 300;

/** @throws Fault invalid (too-costly) */
export function refuseFarChains({ budget }: ConditionContext, depth: number): void {
  if (depth <= MAX_DEPTH && budget.chains >= 0) return;
  const hint = 'Name the types of the references, as in subject:Patient.name.';
  throw new Fault('invalid', `The search chains too far. ${hint}`, { code: 'too-costly' });
}

export function isKnown({ parameters }: ConditionContext, type: string, code: string): boolean {
  return parameters.get(type, code) !== undefined || isSpecial(type, code);
}

/**
 * The reference leads to a resource of one of the types that fulfils what `parse` makes for its type.
 * @throws UnknownParameter when it makes sense for none of them
 */
export function chainTo(
  context: ConditionContext,
  definition: ParameterDefinition,
  types: readonly string[],
  parse: (type: string) => Condition,
): Condition {
  context.budget.chains -= types.length;
  const targets: ChainTarget[] = [];
  let refusal: UnknownParameter | undefined;
  for (const type of types) {
    try {
      const named = canonicalUrlOf(context.parameters, definition, type);
      targets.push({ type, condition: parse(type), ...(named ? { named } : {}) });
    } catch (error) {
      // The parameter may be a string in one type and a token in another: a modifier then fits one of them only.
      if (!(error instanceof UnknownParameter)) throw error;
      refusal = error;
    }
  }
  if (refusal && targets.length === 0) throw refusal;
  return { kind: 'chain', parameter: keyOf(definition), targets };
}
