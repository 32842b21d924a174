// Narrows a search to one patient's compartment, for `Patient/{id}/Task` and for patient/ scopes, or to the compartments of
// the patients that fulfil a condition. https://hl7.org/fhir/R4/compartmentdefinition-patient.html
import type { SearchParameters } from './parameters.ts';
import type { Condition, ParameterKey } from './query.ts';

/**
 * The condition that a resource is in the patient's compartment. No resource of a type that the compartment does not
 * know fulfils it.
 * @param type absent for a search over all types
 */
export function compartmentCondition(parameters: SearchParameters, type: string | undefined, id: string): Condition {
  return { kind: 'compartment', id, ...compartmentPlaces(parameters, type) };
}

/** In the compartment of a patient who fulfils the condition. */
export function membersCondition(
  parameters: SearchParameters,
  type: string | undefined,
  patients: Condition,
): Condition {
  return { kind: 'members', patients, ...compartmentPlaces(parameters, type) };
}

/** Where a resource names the patients in whose compartment it is; `self`: it may be the patient. */
export function compartmentPlaces(
  parameters: SearchParameters,
  type: string | undefined,
): { readonly parameters: readonly ParameterKey[]; readonly self: boolean } {
  const types = type === undefined ? parameters.types : [type];
  const keys = new Map<string, ParameterKey>();
  for (const each of types) {
    for (const code of parameters.patientCompartment(each) ?? []) {
      const definition = parameters.get(each, code);
      if (definition?.kind === 'reference') keys.set(`${definition.type}.${code}`, { type: definition.type, code });
    }
  }
  return { parameters: [...keys.values()], self: type === undefined || type === 'Patient' };
}
