// JSON pointers (what ajv reports) -> FHIRPath (what an OperationOutcome says).
import { fieldOfProperty } from '../fhirpath/type-model.ts';

/**
 * `/activity/0/reference` in a CarePlan -> `CarePlan.activity[0].reference`; `/valueQuantity` -> `Observation.value`.
 * @param type where the pointer starts
 * @param prefix the FHIRPath of that place: the type itself, or `Bundle.entry[3].resource`
 */
export function toExpression(pointer: string, type: string, prefix: string): string {
  let expression = prefix;
  let at: string | undefined = type;
  for (const segment of pointer.split('/').slice(1)) {
    const key = segment.replaceAll('~1', '/').replaceAll('~0', '~');
    if (/^\d+$/.test(key)) {
      expression += `[${key}]`;
      continue;
    }
    const field: { name: string; type: string } | undefined = at === undefined ? undefined : fieldOfProperty(at, key);
    expression += `.${field?.name ?? key}`;
    at = field?.type;
  }
  return expression;
}
