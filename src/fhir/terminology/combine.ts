// Union, difference and intersection of selections. https://hl7.org/fhir/R4/valueset.html#compositions
import { allOf, anyOf, type Gap, not } from './gap.ts';
import { type Asked, type Member, memberKey, NOTHING, type Selection } from './selection.ts';

/** Called for every code listed and every question asked of a part; throws when it has been too often. */
export type Spend = () => void;

/** What any of the includes selects and none of the excludes. */
export function combine(includes: readonly Selection[], excludes: readonly Selection[], spend: Spend): Selection {
  const any = (parts: readonly Selection[], asked: Asked) => anyOf(answers(parts, asked, spend));
  const gaps = once(() => {
    const open = excludes.filter((exclude) => leavesOpen(exclude, includes, spend));
    return distinct([...includes, ...open]);
  });
  return {
    has(asked) {
      const included = any(includes, asked);
      return excludes.length === 0 || included === false ? included : allOf([included, not(any(excludes, asked))]);
    },
    *members() {
      const seen = new Set<string>();
      for (const include of includes) {
        for (const member of include.members()) {
          spend();
          const key = memberKey(member);
          if (seen.has(key)) continue;
          seen.add(key);
          if (excludes.length === 0 || any(excludes, codeOf(member)) === false) yield member;
        }
      }
    },
    get gaps() {
      return gaps();
    },
  };
}

/** What all parts select: one of them is listed, the others are only asked. */
export function intersect(parts: readonly Selection[], spend: Spend): Selection {
  if (parts.length === 1) return parts[0] as Selection;
  const gaps = once(() => distinct(parts));
  // Each part lists all that it is known to have, so any of them will do; one that can be listed as a whole is shorter.
  const listed = once(() => parts.find((part) => part.gaps.length === 0) ?? parts[0] ?? NOTHING);
  return {
    has: (asked) => (parts.length === 0 ? false : allOf(answers(parts, asked, spend))),
    *members() {
      const first = listed();
      const others = parts.filter((part) => part !== first);
      for (const member of first.members()) {
        spend();
        if (allOf(answers(others, codeOf(member), spend)) === true) yield member;
      }
    },
    get gaps() {
      return gaps();
    },
  };
}

/** An exclude over a system that is not here matters only when it may take something away. */
function leavesOpen(exclude: Selection, includes: readonly Selection[], spend: Spend): boolean {
  if (exclude.gaps.length === 0) return false;
  return includes.some((include) => {
    for (const member of include.members()) {
      spend();
      if (exclude.has(codeOf(member)) === undefined) return true;
    }
    return false;
  });
}

/** A code is the same code in every version of its system. */
const codeOf = ({ system, code }: Member): Asked => ({ system, code });

function* answers(parts: readonly Selection[], asked: Asked, spend: Spend) {
  for (const part of parts) {
    spend();
    yield part.has(asked);
  }
}

function distinct(parts: readonly Selection[]): readonly Gap[] {
  return [...new Set(parts.flatMap(({ gaps }) => gaps))];
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
