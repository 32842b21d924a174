// Whose resource it is: the reference to a patient, wherever the type has it.
import { isJsonObject, type JsonObject } from '../fhir/canonical-json.ts';

const ELEMENTS = ['patient', 'subject', 'for', 'beneficiary', 'individual'];

/** `Patient/id` (or a URL that ends so) that the resource is about; undefined when it is about none. */
export function patientOf(body: JsonObject): string | undefined {
  for (const element of ELEMENTS) {
    const value = body[element];
    const reference = isJsonObject(value) ? value.reference : undefined;
    if (typeof reference === 'string' && /(^|\/)Patient\/[^/]+$/.test(reference)) return reference;
  }
  return undefined;
}
