// A reference to a contained resource: that one is at hand, so it must conform to a profile that targets must conform to.
// https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.type.targetProfile
import { report } from '../visit.ts';
import type { NodeCheck, Surroundings } from './place.ts';

/** @param profiles the target profiles, all of them profiles rather than base types */
export function containedTargetCheck(profiles: readonly string[], conforms: Surroundings['conforms']): NodeCheck {
  // Each contained resource is looked at once, however many refer to it, also when it refers to itself by others.
  const answers = new WeakMap<object, boolean>();
  return ({ item, pointer }, visit) => {
    const { reference } = (item.value ?? {}) as { reference?: unknown };
    if (item.type !== 'Reference' || typeof reference !== 'string' || !reference.startsWith('#')) return;
    const { type, resource: value } = visit.contained.get(reference.slice(1)) ?? {};
    if (type === undefined || typeof value !== 'object' || value === null) return;
    if (!answers.has(value)) {
      answers.set(value, true);
      answers.set(
        value,
        profiles.some((url) => conforms(url, { type, value }, visit) !== false),
      );
    }
    if (answers.get(value)) return;
    const text = `The contained resource conforms to none of ${profiles.join(', ')}.`;
    report(visit, 'error', 'structure', text, pointer);
  };
}
