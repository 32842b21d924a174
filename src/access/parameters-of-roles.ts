// The search parameters by which roles reach records: while one of them is not indexed, nobody who holds such a role can be
// answered.
import type { ExpandedRole } from './role.ts';

/** Resource type to codes. Chains count by their first parameter. */
export type ParametersByType = ReadonlyMap<string, ReadonlySet<string>>;

export function parametersOfRoles(roles: readonly ExpandedRole[]): ParametersByType {
  const found = new Map<string, Set<string>>();
  const add = (type: string, codes: readonly string[]) => {
    found.set(type, new Set([...(found.get(type) ?? []), ...codes]));
  };
  // Who holds a role.
  add('PractitionerRole', ['practitioner', 'active']);
  for (const { types, patients = [], matching } of roles.flatMap(({ rules }) => rules)) {
    for (const set of patients) {
      const [type = '', query = ''] = set.split('?');
      add(type, ['patient', ...namesIn(query)]);
    }
    if (matching !== undefined) for (const type of types) add(type, namesIn(matching));
  }
  return found;
}

function namesIn(query: string): string[] {
  return query.split('&').map((pair) => pair.replace(/[:.=].*$/, ''));
}
