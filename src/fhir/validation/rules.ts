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
    const holds = key === 'dom-3' ? withQuickLook(compiled(expression, type)) : compiled(expression, type);
    return [
      { key, severity: severity === 'warning' ? 'warning' : 'error', text: `${sentence(human)} (${key})`, holds },
    ];
  });
}

function withQuickLook(holds: Rule['holds']): Rule['holds'] {
  return (focus, env) => allReferred(focus.value) || holds(focus, env);
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
