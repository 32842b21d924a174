// ValueSet.compose.include.filter as a test of concepts. https://hl7.org/fhir/R4/valueset-filter-operator.html
import type { CodeSystemConceptProperty, ValueSetComposeIncludeFilter } from '@medplum/fhirtypes';
import { type Concept, type ConceptSystem, withAncestors, withDescendants } from './concept-system.ts';
import { wholeMatch } from './linear-regex.ts';

export type ConceptTest = (concept: Concept) => boolean;

/** Names that mean the concept itself and its place in the hierarchy. */
const ITSELF = new Set(['concept', 'code']);

/**
 * @returns a sentence when the filter cannot be applied to this code system
 * @throws Fault invalid for a regular expression that cannot be used
 */
export function compileFilter(system: ConceptSystem, filter: ValueSetComposeIncludeFilter): ConceptTest | string {
  const { property = '', op, value = '' } = filter;
  const ofValues = (test: (values: readonly string[]) => boolean): ConceptTest | string =>
    isKnown(system, property) ? (concept) => test(valuesOf(concept, property)) : unknownProperty(system, property);
  switch (op) {
    case '=':
      return ofValues((values) => values.includes(value));
    case 'in':
    case 'not-in': {
      const listed = new Set(value.split(',').map((one) => one.trim()));
      return ofValues((values) => values.some((one) => listed.has(one)) === (op === 'in'));
    }
    case 'regex': {
      const matches = wholeMatch(value);
      return ofValues((values) => values.some(matches));
    }
    case 'exists':
      return ofValues((values) => values.length > 0 === (value === 'true'));
    case 'is-a':
    case 'descendent-of':
    case 'is-not-a':
    case 'generalizes':
      return ITSELF.has(property) ? byHierarchy(system, op, value) : `The filter ${op} applies to concept only.`;
    default:
      return `The filter operator ${String(op)} is not one of FHIR R4.`;
  }
}

function byHierarchy(
  system: ConceptSystem,
  op: 'is-a' | 'descendent-of' | 'is-not-a' | 'generalizes',
  value: string,
): ConceptTest | string {
  const root = system.find(value);
  if (!root) return `${system.url} has no code ${value}.`;
  const related = op === 'generalizes' ? withAncestors(root) : withDescendants(root);
  if (op === 'is-not-a') return (concept) => !related.has(concept);
  if (op === 'descendent-of') return (concept) => concept !== root && related.has(concept);
  return (concept) => related.has(concept);
}

const OF_EVERY_SYSTEM = new Set(['concept', 'code', 'display', 'definition', 'parent', 'child']);

/** A property that a code system neither declares nor uses says nothing, so a filter on it would silently find nothing. */
function isKnown({ resource, concepts }: ConceptSystem, property: string): boolean {
  if (OF_EVERY_SYSTEM.has(property)) return true;
  if (resource.property?.some(({ code }) => code === property)) return true;
  return concepts.some(({ given }) => given.property?.some(({ code }) => code === property));
}

function unknownProperty({ url }: ConceptSystem, property: string): string {
  return `${url} has no property ${property}.`;
}

function valuesOf({ code, given, parents, children }: Concept, property: string): readonly string[] {
  switch (property) {
    case 'concept':
    case 'code':
      return [code];
    case 'display':
      return given.display === undefined ? [] : [given.display];
    case 'definition':
      return given.definition === undefined ? [] : [given.definition];
    case 'parent':
      return parents.map((parent) => parent.code);
    case 'child':
      return children.map((child) => child.code);
    default:
      return (given.property ?? []).filter((one) => one.code === property).flatMap(propertyText);
  }
}

function propertyText(property: CodeSystemConceptProperty): string[] {
  const { valueCode, valueString, valueInteger, valueBoolean, valueDateTime, valueDecimal, valueCoding } = property;
  const value =
    valueCode ?? valueString ?? valueInteger ?? valueBoolean ?? valueDateTime ?? valueDecimal ?? valueCoding?.code;
  return value === undefined ? [] : [String(value)];
}
