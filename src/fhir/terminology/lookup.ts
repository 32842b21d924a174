// CodeSystem/$lookup: what is known of one concept. https://hl7.org/fhir/R4/codesystem-operation-lookup.html
import type { CodeSystemConceptProperty, Parameters, ParametersParameter } from '@medplum/fhirtypes';
import { type Concept, type ConceptSystem, isAbstract, isInactive } from './concept-system.ts';
import type { Library } from './library.ts';
import { type Designation, designationsOf, displayOf, isLanguage } from './wording.ts';

export interface LookupRequest {
  /** Properties that are wanted; none: all there are. */
  readonly property: readonly string[];
  readonly displayLanguage?: string | undefined;
}

/** Answered in parameters of their own, whatever else is asked for. */
const OWN_PARAMETER = new Set(['name', 'version', 'display', 'designation']);

export function lookup(library: Library, system: ConceptSystem, concept: Concept, request: LookupRequest): Parameters {
  const { resource } = system;
  const member = { system: system.url, version: system.version, code: concept.code, concept, of: system };
  const display = displayOf(library, member, request.displayLanguage) ?? concept.code;
  const designations = designationsOf(library, member).filter(isWanted(request.property));
  const properties = [...codeProperties(library, system, concept), ...givenProperties(library, system, concept)];
  const asked = new Set(request.property.filter((code) => !OWN_PARAMETER.has(code)));
  const wanted = request.property.length === 0 ? properties : properties.filter(({ code }) => asked.has(code));
  return {
    resourceType: 'Parameters',
    parameter: [
      { name: 'name', valueString: resource.title ?? resource.name ?? system.url },
      ...(system.version === undefined ? [] : [{ name: 'version', valueString: system.version }]),
      { name: 'display', valueString: display },
      ...designations.map(toDesignation),
      ...wanted.map(toProperty),
    ],
  };
}

interface Property {
  readonly code: string;
  readonly value: Partial<ParametersParameter>;
  readonly description?: string | undefined;
}

/** Properties that every code system has. */
function codeProperties(library: Library, system: ConceptSystem, concept: Concept): Property[] {
  const { given, parents, children } = concept;
  const related = (code: string) => (other: Concept) => ({
    code,
    value: { valueCode: other.code },
    description: displayOf(library, { system: system.url, code: other.code, concept: other, of: system }),
  });
  return [
    { code: 'url', value: { valueUri: system.url } },
    ...(given.definition === undefined ? [] : [{ code: 'definition', value: { valueString: given.definition } }]),
    { code: 'inactive', value: { valueBoolean: isInactive(system, concept) } },
    ...(isAbstract(system, concept) ? [{ code: 'notSelectable', value: { valueBoolean: true } }] : []),
    ...parents.map(related('parent')),
    ...children.map(related('child')),
  ];
}

const DERIVED = new Set(['parent', 'child', 'inactive', 'notSelectable']);

function givenProperties(library: Library, system: ConceptSystem, { code, given }: Concept): Property[] {
  const supplemented = library.supplements(system.url).flatMap((one) => one.find(code)?.given.property ?? []);
  return [...(given.property ?? []), ...supplemented]
    .filter((property) => property.code !== undefined && !DERIVED.has(property.code))
    .map((property) => ({ code: property.code as string, value: typedValue(property) }));
}

function typedValue(property: CodeSystemConceptProperty): Partial<ParametersParameter> {
  const found = Object.entries(property).find(([key]) => key.startsWith('value'));
  return found ? { [found[0]]: found[1] } : {};
}

function toProperty({ code, value, description }: Property): ParametersParameter {
  return {
    name: 'property',
    part: [
      { name: 'code', valueCode: code },
      ...(Object.keys(value).length > 0 ? [{ name: 'value', ...value } as ParametersParameter] : []),
      ...(description === undefined ? [] : [{ name: 'description', valueString: description }]),
    ],
  };
}

function toDesignation({ language, use, value }: Designation): ParametersParameter {
  return {
    name: 'designation',
    part: [
      ...(language === undefined ? [] : [{ name: 'language', valueCode: language }]),
      ...(use === undefined ? [] : [{ name: 'use', valueCoding: use }]),
      { name: 'value', valueString: value as string },
    ],
  };
}

/** `designation` asks for all of them, `lang.de` for those in German; so does asking for nothing in particular. */
function isWanted(property: readonly string[]) {
  return ({ language }: Designation): boolean =>
    property.length === 0 ||
    property.some(
      (code) => code === 'designation' || (code.startsWith('lang.') && isLanguage(language, code.slice(5))),
    );
}
