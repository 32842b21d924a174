// Finds the definition that a parameter's name stands for, or says why there is none.
import { Fault } from '../../fault.ts';
import type { ParameterDefinition, SearchParameters } from './parameters.ts';
import type { ParameterKey } from './query.ts';
import type { TokenSets } from './token-sets.ts';

export interface ConditionContext {
  readonly parameters: SearchParameters;
  readonly baseUrl: string;
  readonly now: () => number;
  /** Absent where no terminology is at hand: `:in`, `:not-in`, `:above` and `:below` of codes are then refused. */
  readonly tokenSets: TokenSets | undefined;
  /** How many more types chains may look into. */
  readonly budget: { chains: number };
}

/** A name that says nothing to this server; the caller decides whether that is an error. */
export class UnknownParameter extends Fault {
  constructor(name: string, why: string) {
    super('invalid', `The search parameter ${name} ${why}`, { code: 'not-supported' });
  }
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

export function isTarget({ parameters }: ConditionContext, definition: ParameterDefinition, type: string): boolean {
  return (definition.targets.length > 0 ? definition.targets : parameters.types).includes(type);
}

/** The types that a reference may lead to. */
export function targetsOf({ parameters }: ConditionContext, { targets }: ParameterDefinition): readonly string[] {
  return targets.length > 0 ? targets : parameters.types;
}

export const keyOf = ({ type, code }: ParameterDefinition): ParameterKey => ({ type, code });
