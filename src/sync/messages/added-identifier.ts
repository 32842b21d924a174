// Why our identifier is among what a push changes: no policy decides it, and our copy does not have it.
import { isJsonObject, type Json } from '../../fhir/canonical-json.ts';
import type { ElementDifference } from '../../fhir/element-diff.ts';
import type { ElementView } from '../conflicts/element-view.ts';

/** As an element like the others; none when it is there already. @param system of our identifiers */
export function addedIdentifier(differences: readonly ElementDifference[], system: string): ElementView[] {
  const isOwn = (value: Json) => isJsonObject(value) && value.system === system;
  const hasOwn = (value: Json | undefined) => [value ?? null].flat().some(isOwn);
  return differences
    .filter(({ element, values: [there, ours] }) => element === 'identifier' && hasOwn(ours) && !hasOwn(there))
    .map(({ path, values: [there, ours = null] }) => ({
      path,
      ours,
      ...(there === undefined ? {} : { theirs: there }),
      proposed: ours,
      changedBy: 'ours',
      decidedBy: { kind: 'own-identifier' },
    }));
}
