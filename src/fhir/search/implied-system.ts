// The system of a `code` element, which the element itself does not carry: that of the value set it is bound to.
// https://hl7.org/fhir/R4/search.html#token
import { baseStructures } from '../base-structures.ts';
import type { ParameterDefinition } from './parameters.ts';

/** Value sets of R4 whose codes are not all from the code system of the same name. */
const ALSO: Readonly<Record<string, string>> = {
  'http://hl7.org/fhir/task-intent': 'http://hl7.org/fhir/request-intent',
  'http://hl7.org/fhir/care-plan-intent': 'http://hl7.org/fhir/request-intent',
  'http://hl7.org/fhir/mimetypes': 'urn:ietf:bcp:13',
  'http://hl7.org/fhir/languages': 'urn:ietf:bcp:47',
  'http://hl7.org/fhir/clinicalimpression-status': 'http://hl7.org/fhir/event-status',
  'http://hl7.org/fhir/immunization-status': 'http://hl7.org/fhir/event-status',
  'http://hl7.org/fhir/immunization-evaluation-status': 'http://terminology.hl7.org/CodeSystem/medication-admin-status',
  'http://hl7.org/fhir/medication-admin-status': 'http://terminology.hl7.org/CodeSystem/medication-admin-status',
  'http://hl7.org/fhir/medicationdispense-status': 'http://terminology.hl7.org/CodeSystem/medicationdispense-status',
  'http://hl7.org/fhir/medicationknowledge-status': 'http://terminology.hl7.org/CodeSystem/medicationknowledge-status',
  'http://hl7.org/fhir/medication-status': 'http://hl7.org/fhir/CodeSystem/medication-status',
  'http://hl7.org/fhir/medicationrequest-status': 'http://hl7.org/fhir/CodeSystem/medicationrequest-status',
  'http://hl7.org/fhir/medicationrequest-intent': 'http://hl7.org/fhir/CodeSystem/medicationrequest-intent',
  'http://hl7.org/fhir/medication-statement-status': 'http://hl7.org/fhir/CodeSystem/medication-statement-status',
};

const PATH = /^[A-Z]\w*(\.\w+)+$/;

/**
 * Whether all that the parameter finds are `code` elements whose codes belong to `system`, so that `system|code` asks
 * for the same as the code alone.
 */
export function impliesSystem(definition: ParameterDefinition, system: string): boolean {
  return definition.branches.length > 0 && definition.branches.every((branch) => systemsOf(branch).includes(system));
}

let bindings: ReadonlyMap<string, readonly string[]> | undefined;

function systemsOf(path: string): readonly string[] {
  return (PATH.test(path) && loaded().get(path)) || [];
}

function loaded(): ReadonlyMap<string, readonly string[]> {
  bindings ??= new Map(
    baseStructures()
      .filter(({ derivation }) => derivation === 'specialization')
      .flatMap(({ elements }) => elements)
      .flatMap(({ path, type, binding }) => {
        if (!binding?.valueSet || !type?.every(({ code }) => code === 'code')) return [];
        const system = binding.valueSet.replace(/\|.*$/, '').replace('/ValueSet/', '/');
        return [[path, [system, ALSO[system] ?? system]]];
      }),
  );
  return bindings;
}
