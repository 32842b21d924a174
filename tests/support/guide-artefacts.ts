// A small guide for tests: a profile with an extension of its own, a search parameter that R4 does not have.
import type { SearchParameter, StructureDefinition } from '@medplum/fhirtypes';

export const PROFILE = 'http://example.org/StructureDefinition/case-patient';
export const EXTENSION = 'http://example.org/StructureDefinition/ward';

/** A differential-only profile on Patient that demands an element. */
export function patientProfile(version: string, required: 'gender' | 'birthDate'): StructureDefinition {
  return {
    resourceType: 'StructureDefinition',
    id: 'case-patient',
    url: PROFILE,
    version,
    name: 'CasePatient',
    status: 'active',
    kind: 'resource',
    abstract: false,
    type: 'Patient',
    baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Patient',
    derivation: 'constraint',
    differential: {
      element: [
        { id: 'Patient', path: 'Patient' },
        { id: `Patient.${required}`, path: `Patient.${required}`, min: 1 },
        { id: 'Patient.extension', path: 'Patient.extension' },
        {
          id: 'Patient.extension:ward',
          path: 'Patient.extension',
          sliceName: 'ward',
          min: 0,
          max: '1',
          type: [{ code: 'Extension', profile: [EXTENSION] }],
        },
      ],
    },
  } as StructureDefinition;
}

/** An extension whose value is of one type. */
export function wardExtension(version: string, type: 'string' | 'boolean'): StructureDefinition {
  return {
    resourceType: 'StructureDefinition',
    id: 'ward',
    url: EXTENSION,
    version,
    name: 'Ward',
    status: 'active',
    kind: 'complex-type',
    abstract: false,
    context: [{ type: 'element', expression: 'Patient' }],
    type: 'Extension',
    baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Extension',
    derivation: 'constraint',
    differential: {
      element: [
        { id: 'Extension', path: 'Extension' },
        { id: 'Extension.url', path: 'Extension.url', fixedUri: EXTENSION },
        { id: 'Extension.value[x]', path: 'Extension.value[x]', min: 1, type: [{ code: type }] },
      ],
    },
  } as StructureDefinition;
}

export function searchParameter(more: Partial<SearchParameter> = {}): SearchParameter {
  return {
    resourceType: 'SearchParameter',
    id: 'goal-description',
    url: 'http://example.org/SearchParameter/goal-description',
    version: '1.0.0',
    name: 'GoalDescription',
    status: 'active',
    description: 'What the goal is',
    code: 'description',
    base: ['Goal'],
    type: 'token',
    expression: 'Goal.description',
    ...more,
  } as SearchParameter;
}
