// The expressions of a pathway: FHIRPath, compiled once, or the name of a definition in a CQL library that brings ELM.
import type { Expression, Patient } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { compilePath } from '../../fhir/fhirpath/compile.ts';
import type { Environment } from '../../fhir/fhirpath/evaluation.ts';
import type { Collection } from '../../fhir/fhirpath/typed-value.ts';
import { type Place, refusal } from './refusal.ts';

/** What expressions are evaluated over. */
export interface Facts {
  /** The root of every expression, `%context`; also `%resource`, which in a dynamic value is what is being made. */
  readonly subject: Patient;
  /** The other variables, by name. */
  readonly variables: Environment;
  /** Results of CQL, by canonical of the library and name of the definition; undefined when there is none of the name. */
  cql(library: string, name: string): Collection | undefined;
}

export interface CompiledExpression {
  /** @param more variables of this evaluation alone */
  evaluate(facts: Facts, more?: Environment): Collection;
  /** Names of the variables it uses. */
  readonly variables: readonly string[];
  /** Canonical of the CQL library it needs. */
  readonly library?: string;
}

/** Variables that FHIRPath itself brings. https://hl7.org/fhir/R4/fhirpath.html#variables */
const BUILT_IN = /^(?:context|resource|rootResource|ucum|sct|loinc|vs-.*|ext-.*)$/;

/**
 * @param libraries canonicals of the definition's libraries; needed when a CQL expression names none itself
 * @throws Fault unprocessable naming pathway, action and what is wrong
 */
export function compileExpression(
  expression: Expression | undefined,
  libraries: readonly string[],
  place: Place,
): CompiledExpression {
  const { expression: text } = expression ?? {};
  const language: string | undefined = expression?.language;
  if (!text) throw refusal(place, 'the expression is empty.');
  if (language === 'text/fhirpath') return compileFhirPath(text, place);
  if (language === 'text/cql-identifier' || (language === 'text/cql' && isName(text))) {
    return compileCql(text, expression?.reference ?? onlyOf(libraries, place), place);
  }
  if (language === 'text/cql' || language === 'text/cql-expression') {
    throw refusal(
      place,
      'CQL can be named, not written inline: put it into a Library with ELM and name its definition.',
    );
  }
  throw refusal(place, 'the language of an expression must be text/fhirpath or text/cql-identifier.');
}

/** Names after `%` in an expression, without those that FHIRPath brings. */
export function variablesIn(expression: string): string[] {
  const withoutTexts = expression.replace(/'(?:[^'\\]|\\.)*'/g, (text, offset: number) =>
    expression[offset - 1] === '%' ? text : "''",
  );
  const names = [...withoutTexts.matchAll(/%(?:([A-Za-z_]\w*)|[`'"]([^`'"]+)[`'"])/g)];
  return [...new Set(names.map(([, plain, quoted]) => plain ?? quoted ?? ''))].filter((name) => !BUILT_IN.test(name));
}

/**
 * Whether a condition holds: one boolean. Nothing at all means that it does not.
 * @throws Fault unprocessable when it yields something else
 */
export function holds(result: Collection, place: Place): boolean {
  if (result.length === 0) return false;
  const [item] = result;
  if (result.length === 1 && typeof item?.value === 'boolean') return item.value;
  throw refusal(place, 'the condition must yield true or false.');
}

function compileFhirPath(text: string, place: Place): CompiledExpression {
  const evaluate = within(place, () => compilePath(text, 'Patient'));
  return {
    evaluate: ({ subject, variables }, more) =>
      within(place, () => evaluate(subject, more ? { ...variables, ...more } : variables)),
    variables: variablesIn(text),
  };
}

function compileCql(text: string, library: string, place: Place): CompiledExpression {
  const name = text.replace(/^"(.*)"$/, '$1');
  return {
    evaluate({ cql }) {
      const result = cql(library, name);
      if (!result) throw refusal(place, `the library ${library} has no definition "${name}".`);
      return result;
    },
    variables: [],
    library,
  };
}

const isName = (text: string) => /^(?:[A-Za-z_]\w*|"[^"]+")$/.test(text);

function onlyOf(libraries: readonly string[], place: Place): string {
  const [library] = libraries;
  if (library !== undefined && libraries.length === 1) return library;
  throw refusal(place, 'a CQL expression needs a library: give expression.reference, or one library for the pathway.');
}

function within<T>(place: Place, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Fault && error.kind !== 'fault') throw refusal(place, error.message, error);
    throw error;
  }
}
