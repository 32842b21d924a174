// Narrows a search to one patient's compartment, for `Patient/{id}/Task` and for patient/ scopes.
// https://hl7.org/fhir/R4/compartmentdefinition-patient.html
import type { SearchParameters } from './parameters.ts';
import type { Condition, ParameterKey } from './query.ts';

/**
 * The condition that a resource is in the patient's compartment. No resource of a type that the compartment does not
 * know fulfils it.
 * @param type absent for a search over all types
 */
export function compartmentCondition(parameters: SearchParameters, type: string | undefined, id: string): Condition {
  const types = type === undefined ? parameters.types : [type];
  const keys = new Map<string, ParameterKey>();
  for (const each of types) {
    for (const code of parameters.patientCompartment(each) ?? []) {
      const definition = parameters.get(each, code);
      if (definition?.kind === 'reference') keys.set(`${definition.type}.${code}`, { type: definition.type, code });
    }
  }
  return { kind: 'compartment', id, parameters: [...keys.values()], self: type === undefined || type === 'Patient' };
}
