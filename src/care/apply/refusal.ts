// How what is wrong with a pathway is said: which pathway, which action, which element, and what to do about it.
import { Fault } from '../../fault.ts';

/** Where in a pathway something stands. */
export interface Place {
  /** How a person knows the definition: its name, title or url. */
  readonly pathway: string;
  /** Id of the action; absent for what concerns the whole pathway. */
  readonly action?: string;
  /** FHIRPath of the element, e.g. `PlanDefinition.action.condition`. */
  readonly element: string;
}

/** The Fault, to be thrown. */
export function refusal({ pathway, action, element }: Place, sentence: string, cause?: unknown): Fault {
  const where = action === undefined ? `Pathway ${pathway}` : `Pathway ${pathway}, action ${action}`;
  return new Fault('unprocessable', `${where}: ${sentence}`, { expression: element, cause });
}

/** The same place with another element of it. */
export function at(place: Place, element: string): Place {
  return { ...place, element };
}
