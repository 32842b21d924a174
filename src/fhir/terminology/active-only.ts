// A selection without the concepts that may no longer be used.
// https://hl7.org/fhir/R4/valueset-definitions.html#ValueSet.compose.inactive
import { isInactive } from './concept-system.ts';
import { type Asked, type Member, memberKey, type Selection } from './selection.ts';

export function activeOnly(selection: Selection): Selection {
  let out: Inactive | undefined;
  return {
    has(asked) {
      out ??= findInactive(selection);
      return out.has(asked) ? false : selection.has(asked);
    },
    *members() {
      for (const member of selection.members()) if (!isInactiveMember(member)) yield member;
    },
    get gaps() {
      return selection.gaps;
    },
  };
}

export function isInactiveMember({ of, concept, inactive }: Member): boolean {
  return inactive ?? (of !== undefined && concept !== undefined && isInactive(of, concept));
}

interface Inactive {
  has(asked: Asked): boolean;
}

function findInactive(selection: Selection): Inactive {
  const members = [...selection.members()];
  const keys = new Set(members.filter(isInactiveMember).map(memberKey));
  const active = new Set(members.filter((member) => !isInactiveMember(member)).map(({ code }) => code));
  const inactive = new Set(members.filter(isInactiveMember).map(({ code }) => code));
  return {
    has: ({ system, code }) =>
      system === undefined ? inactive.has(code) && !active.has(code) : keys.has(memberKey({ system, code })),
  };
}
