// The codes of a value set in the form that validation asks millions of times: sets of strings, nothing else held.
import type { Selection } from './selection.ts';

/** The codes of one value set. */
export interface ValueSetCodes {
  /** Whether a code is in it; without a system any of its systems will do. Undefined when that cannot be known here. */
  has(code: string, system?: string): boolean | undefined;
  /** Its codes when all of them are known, for messages and schemas. */
  readonly all: readonly string[] | undefined;
}

const ANY = '*';

export function valueSetCodes(selection: Selection): ValueSetCodes {
  const bySystem = new Map<string, Set<string>>();
  for (const { system, code } of selection.members()) {
    const codes = bySystem.get(system) ?? new Set();
    bySystem.set(system, codes.add(code));
  }
  const all = new Set([...bySystem.values()].flatMap((codes) => [...codes]));
  const open = new Set(selection.gaps.map(({ system }) => system ?? ANY));
  // A value set that lists nothing is one whose content is elsewhere.
  if (all.size === 0) open.add(ANY);
  const isOpen = open.size > 0;
  return {
    has(code, system) {
      if (system === undefined) return all.has(code) || (isOpen ? undefined : false);
      if (bySystem.get(system)?.has(code)) return true;
      return open.has(system) || open.has(ANY) ? undefined : false;
    },
    all: isOpen ? undefined : [...all],
  };
}
