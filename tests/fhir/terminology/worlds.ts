// Terminology for tests of its rules: code systems and value sets at hand, and what follows from them.
import type { CodeSystem, CodeSystemConcept, Resource, ValueSet, ValueSetCompose } from '@medplum/fhirtypes';
import { createLibrary, type LibraryOptions } from '../../../src/fhir/terminology/library.ts';
import { selectValueSet } from '../../../src/fhir/terminology/select-value-set.ts';
import type { Selection } from '../../../src/fhir/terminology/selection.ts';
import { sourceOf } from '../../../src/fhir/terminology/source.ts';

export const SYSTEM = 'http://s';

export function codeSystem(concept: readonly CodeSystemConcept[], more: Partial<CodeSystem> = {}): CodeSystem {
  return {
    resourceType: 'CodeSystem',
    url: SYSTEM,
    status: 'active',
    content: 'complete',
    concept: [...concept],
    ...more,
  };
}

export function valueSet(compose: ValueSetCompose, url = 'http://v'): ValueSet {
  return { resourceType: 'ValueSet', url, status: 'active', compose };
}

/** What a value set selects when these resources, and it, are all there is. */
export function select(chosen: ValueSet, others: readonly Resource[] = [], options: LibraryOptions = {}): Selection {
  return selectValueSet(createLibrary(sourceOf([chosen, ...others]), options), chosen);
}

export const codes = (selection: Selection) => Array.from(selection.members(), ({ code }) => code);
