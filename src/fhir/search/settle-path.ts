// Reads the path of a guide's search parameter against the elements of R4. FHIRPath finds nothing, without a word, where a
// path names what is not there; a search by such a parameter would miss everything.
import { fieldOf, fieldOfProperty, isType } from '../fhirpath/type-model.ts';

/** The path as FHIRPath has it, or why it can find nothing. */
export type SettledPath = { readonly path: string } | { readonly why: string };

/** Functions that give some of the items that they are given. */
const FILTERS = new Set(['where', 'first', 'last', 'tail', 'skip', 'take', 'distinct']);
const CALL = /^(\w+)\(([\s\S]*)\)$/;

/**
 * Names of choices as JSON has them (`valueDateTime`), which some guides write, become what FHIRPath calls them.
 * What follows a function of which the type is not known is left as it is.
 * @param branch one branch of the union, e.g. `Goal.target.due`
 */
export function settlePath(branch: string, type: string): SettledPath {
  const [root = '', ...steps] = stepsOf(branch);
  if (!isType(root)) return { path: branch };
  const settled = [root];
  let types: readonly string[] | undefined = [root === 'Resource' || root === 'DomainResource' ? type : root];
  for (const step of steps) {
    const choice: ReturnType<typeof choiceOf> = types
      ?.map((each) => choiceOf(each, step))
      .find((found) => found !== undefined);
    const next: readonly string[] | undefined = types && typesAfter(step, types);
    if (choice !== undefined && next?.length === 0) {
      settled.push(choice.name, `ofType(${choice.type})`);
      types = [choice.type];
      continue;
    }
    if (next?.length === 0) return { why: `${types?.join(' or ')} has no element ${step}` };
    settled.push(step);
    types = next;
  }
  return { path: settled.join('.') };
}

/** `valueDateTime` of an Extension: the element `value` and the type dateTime. */
function choiceOf(type: string, step: string): { readonly name: string; readonly type: string } | undefined {
  const field = /^\w+$/.test(step) ? fieldOfProperty(type, step) : undefined;
  return field && field.name !== step ? field : undefined;
}

/** The types after one step: none when there is no such element, undefined when they are not known. */
function typesAfter(step: string, types: readonly string[]): readonly string[] | undefined {
  const [, name, argument = ''] = CALL.exec(step) ?? [];
  if (name === undefined) {
    if (!/^\w+$/.test(step)) return undefined;
    const fields = types.flatMap((type) => fieldOf(type, step) ?? []);
    return fields.some((field) => field.type === 'Resource')
      ? undefined
      : [...new Set(fields.map((field) => field.type))];
  }
  if (FILTERS.has(name)) return types;
  if (name === 'extension') return ['Extension'];
  if ((name === 'ofType' || name === 'as') && isType(argument.trim())) return [argument.trim()];
  return undefined;
}

/**
 * The types that a path ends at.
 * @param type where it starts
 * @returns undefined when they are not known
 */
export function typesAt(branch: string, type: string): readonly string[] | undefined {
  const [root = '', ...steps] = stepsOf(branch);
  const start: readonly string[] | undefined = isType(root) ? [type] : undefined;
  return steps.reduce<readonly string[] | undefined>((types, step) => types && typesAfter(step, types), start);
}

/** Split at the dots that are in no parentheses and no text. */
function stepsOf(branch: string): string[] {
  const steps: string[] = [];
  let depth = 0;
  let quoted = false;
  let start = 0;
  for (let i = 0; i < branch.length; i++) {
    const character = branch[i];
    if (character === "'") quoted = !quoted;
    if (quoted) continue;
    if (character === '(') depth++;
    if (character === ')') depth--;
    if (character === '.' && depth === 0) {
      steps.push(branch.slice(start, i).trim());
      start = i + 1;
    }
  }
  return [...steps, branch.slice(start).trim()];
}
