// A small code system with everything in it, and value sets over it, for the tests of the terminology operations.
import type { CodeSystem, Parameters, ParametersParameter, ValueSet, ValueSetCompose } from '@medplum/fhirtypes';
import type { TestServer } from '../serve.ts';

export const ANIMALS_URL = 'http://example.org/fhir/CodeSystem/animals';

export const ANIMALS: CodeSystem = {
  resourceType: 'CodeSystem',
  url: ANIMALS_URL,
  version: '1.0',
  name: 'Animals',
  title: 'Animals of the farm',
  status: 'active',
  content: 'complete',
  caseSensitive: true,
  hierarchyMeaning: 'is-a',
  property: [
    { code: 'legs', type: 'integer' },
    { code: 'notSelectable', uri: 'http://hl7.org/fhir/concept-properties#notSelectable', type: 'boolean' },
    { code: 'inactive', uri: 'http://hl7.org/fhir/concept-properties#inactive', type: 'boolean' },
  ],
  concept: [
    {
      code: 'mammal',
      display: 'Mammal',
      definition: 'What gives milk',
      property: [{ code: 'notSelectable', valueBoolean: true }],
      concept: [
        {
          code: 'dog',
          display: 'Dog',
          designation: [
            { language: 'de', value: 'Hund' },
            { use: { system: 'http://snomed.info/sct', code: '900000000000013009' }, value: 'Domestic dog' },
          ],
          property: [{ code: 'legs', valueInteger: 4 }],
          concept: [{ code: 'poodle', display: 'Poodle', property: [{ code: 'legs', valueInteger: 4 }] }],
        },
        { code: 'whale', display: 'Whale', property: [{ code: 'legs', valueInteger: 0 }] },
      ],
    },
    {
      code: 'bird',
      display: 'Bird',
      property: [{ code: 'legs', valueInteger: 2 }],
      concept: [{ code: 'dodo', display: 'Dodo', property: [{ code: 'inactive', valueBoolean: true }] }],
    },
  ],
};

export function valueSet(name: string, compose: ValueSetCompose): ValueSet {
  return { resourceType: 'ValueSet', url: valueSetUrl(name), version: '1', status: 'active', compose };
}

export const valueSetUrl = (name: string) => `http://example.org/fhir/ValueSet/${name}`;

export const ALL_ANIMALS = valueSet('all-animals', { include: [{ system: ANIMALS_URL }] });

export function parameters(...parameter: ParametersParameter[]): Parameters {
  return { resourceType: 'Parameters', parameter };
}

/** Stores a resource and gives its id. */
export async function store(baton: TestServer, resource: CodeSystem | ValueSet | object): Promise<string> {
  const { resourceType } = resource as { resourceType: string };
  const { status, json, text } = await baton.fhir('POST', `/${resourceType}`, { body: resource });
  if (status !== 201 || json.id === undefined) throw new Error(`${resourceType} was not stored: ${text}`);
  return json.id;
}

interface Contains {
  readonly system?: string;
  readonly code: string;
  readonly display?: string;
  readonly abstract?: boolean;
  readonly inactive?: boolean;
  readonly designation?: { readonly value: string; readonly language?: string }[];
}

export interface Expansion {
  readonly total: number;
  readonly offset?: number;
  readonly identifier: string;
  readonly extension?: { readonly url: string }[];
  readonly parameter?: { readonly name: string; readonly [value: string]: unknown }[];
  readonly contains?: Contains[];
}

/** The expansion in an answer. */
export const expansionOf = ({ json }: { json: unknown }) => (json as { expansion: Expansion }).expansion;

export const codesOf = (answer: { json: unknown }) => (expansionOf(answer).contains ?? []).map(({ code }) => code);

/** The values of a Parameters answer, by name. */
export function valuesOf({ json }: { json: unknown }): Record<string, unknown> {
  const { parameter } = json as unknown as Parameters;
  return Object.fromEntries((parameter ?? []).map((one) => [one.name, valueIn(one)]));
}

export function valueIn(parameter: ParametersParameter): unknown {
  return Object.entries(parameter).find(([key]) => key.startsWith('value'))?.[1];
}
