// The condition that a consent or a security label keeps a resource from somebody. Every way out of Baton asks it: reads,
// searches, sync, and whatever is added later. docs/consent.md
import type { Asker } from '../consent/asker.ts';
import type { LabelPolicy } from '../consent/label-policy.ts';
import { purposeAndWider } from '../consent/purpose-order.ts';
import type { SearchParameters } from './parameters.ts';
import type { ParameterKey, WithheldCondition } from './query.ts';

/** Where R4's compartment leaves a type out though its resources may be about a patient. */
const ABOUT_PATIENT = ['patient', 'subject'];

/**
 * @param type absent for a search over all types
 */
export function withheldCondition(
  parameters: SearchParameters,
  type: string | undefined,
  asker: Asker,
  policy: LabelPolicy,
): WithheldCondition {
  return {
    kind: 'withheld',
    actors: asker.actors,
    purposes: asker.purposes.map(purposeAndWider),
    at: asker.at,
    self: type === undefined || type === 'Patient',
    parameters: patientParameters(parameters, type === undefined ? parameters.types : [type]),
    security: { type: 'Resource', code: '_security' },
    needPermit: asker.external ? policy.needPermit : [],
  };
}

/** Parameters by which resources of these types are about a patient. */
function patientParameters(parameters: SearchParameters, types: readonly string[]): ParameterKey[] {
  const keys = new Map<string, ParameterKey>();
  for (const type of types) {
    for (const code of parameters.patientCompartment(type) ?? ABOUT_PATIENT) {
      const definition = parameters.get(type, code);
      if (definition?.kind === 'reference') keys.set(`${definition.type}.${code}`, { type: definition.type, code });
    }
  }
  return [...keys.values()];
}
