// Which current rows a group of commits will ask for, so that an engine across a network reads them all at once.
import { collectReferences, parseLiteral } from '../fhir/references.ts';
import type { ResourceKey } from './current-rows.ts';
import type { ReferentialIntegrity, Unit } from './group.ts';

/** What is changed by id and, where references must lead somewhere, what is referred to. */
export function foresee(units: readonly Unit[], integrity: ReferentialIntegrity): ResourceKey[] {
  return units.flatMap((unit) => {
    const isChecked = integrity === 'always' || (integrity === 'transaction' && unit.transaction);
    return unit.changes.flatMap((change): ResourceKey[] => {
      const changed = changedById(change);
      if (!isChecked || !('resource' in change)) return changed;
      const referred = collectReferences(change.resource).flatMap((reference) => parseLiteral(reference) ?? []);
      return [...changed, ...referred];
    });
  });
}

function changedById(change: Unit['changes'][number]): ResourceKey[] {
  if (change.op === 'create' || change.query !== undefined) return [];
  const type = 'resource' in change ? change.resource.resourceType : change.type;
  const id = 'resource' in change ? change.resource.id : change.id;
  return id === undefined ? [] : [{ type, id }];
}
