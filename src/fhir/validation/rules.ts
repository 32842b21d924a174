// Invariants: the FHIRPath constraints of a StructureDefinition, compiled. https://hl7.org/fhir/R4/conformance-rules.html#constraints
import type { ElementDefinitionConstraint } from '@medplum/fhirtypes';
import { compileRule } from '../fhirpath/compile.ts';
import type { Environment } from '../fhirpath/evaluation.ts';
import type { TypedValue } from '../fhirpath/typed-value.ts';
import { allReferred } from './contained-references.ts';
import type { Issue } from './issue.ts';

export interface Rule {
  readonly key: string;
  readonly severity: Issue['severity'];
  readonly text: string;
  readonly holds: (focus: TypedValue, env: Environment) => boolean;
}

/** Checked by the schema itself (an element must have content), without FHIRPath. */
const BY_SCHEMA = new Set(['ele-1']);

/**
 * @param inherited keys of the rules that the element's type already checks
 * @returns the rules; one whose expression cannot be compiled refuses when it is asked, so that only it is lost
 */
export function compileRules(
  constraints: readonly ElementDefinitionConstraint[] | undefined,
  type: string,
  inherited: ReadonlySet<string> = new Set(),
): Rule[] {
  return (constraints ?? []).flatMap(({ key = '', severity, human = '', expression, extension }) => {
    if (!expression || BY_SCHEMA.has(key) || inherited.has(key) || extension?.length) return [];
    const [slow, quick] = [compiled(expression, type), QUICK[key]];
    const holds: Rule['holds'] = quick ? (focus, env) => quick(focus.value) || slow(focus, env) : slow;
    return [
      { key, severity: severity === 'warning' ? 'warning' : 'error', text: `${sentence(human)} (${key})`, holds },
    ];
  });
}

/** Rules that hold nearly always, with a look that says so without FHIRPath; false when it cannot tell. */
const QUICK: Readonly<Record<string, (value: unknown) => boolean>> = { 'dom-3': allReferred, 'ext-1': isOneOrOther };

/** An extension with a value or with extensions. */
function isOneOrOther(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  let [values, parts] = [0, 0];
  for (const name in value) {
    if (name === 'extension') parts += 1;
    else if (name.startsWith('value') || name.startsWith('_value')) values += 1;
  }
  return values + parts === 1;
}

function compiled(expression: string, type: string): Rule['holds'] {
  try {
    return compileRule(expression, type);
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

function sentence(text: string): string {
  const trimmed = text.trim();
  return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}
