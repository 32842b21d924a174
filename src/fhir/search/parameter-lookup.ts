// Finds the definition that a parameter's name stands for, or says why there is none.
import { Fault } from '../../fault.ts';
import type { ParameterDefinition, SearchParameters } from './parameters.ts';
import type { ParameterKey } from './query.ts';

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
  return definition.targets.length > 0 ? definition.targets.includes(type) : parameters.types.includes(type);
}

export const keyOf = ({ type, code }: ParameterDefinition): ParameterKey => ({ type, code });
