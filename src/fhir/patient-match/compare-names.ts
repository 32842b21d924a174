// How far the names of two patients agree. A person has several names; the pair that agrees best counts. Pure.
import type { HumanName, Patient } from '@medplum/fhirtypes';
import { editDistance, nameWords } from './normal-form.ts';
import type { Degree, MatchRules } from './rules.ts';

export interface NameDegrees {
  readonly family?: Degree;
  readonly given?: Degree;
  readonly suffix?: Degree;
}

interface Name {
  readonly family: readonly string[];
  readonly given: readonly string[];
  readonly suffix: string;
}

/** Below this, one wrong letter makes another name. */
const SHORTEST_SIMILAR = 5;
/** Generational suffixes; others are titles and say nothing. */
const GENERATIONS: Readonly<Record<string, string>> = {
  jr: '2',
  junior: '2',
  ii: '2',
  sr: '1',
  senior: '1',
  i: '1',
  iii: '3',
  iv: '4',
};

export function compareNames(left: Patient, right: Patient, { nicknames }: Pick<MatchRules, 'nicknames'>): NameDegrees {
  let best: NameDegrees = {};
  for (const a of namesOf(left)) {
    for (const b of namesOf(right)) {
      const pair = comparePair(a, b, nicknames);
      if (worth(pair) > worth(best) || Object.keys(best).length === 0) best = pair;
    }
  }
  return best;
}

function namesOf({ name = [] }: Patient): Name[] {
  return name.map(toName).filter(({ family, given }) => family.length + given.length > 0);
}

function toName({ family = '', given = [], suffix = [] }: HumanName): Name {
  const words = nameWords(family);
  const last = words.at(-1) ?? '';
  // Many systems have no field for it and write "Rivera Jr".
  const written = words.length > 1 && GENERATIONS[last] !== undefined;
  const generation = suffix
    .flatMap(nameWords)
    .map((word) => GENERATIONS[word])
    .find((found) => found !== undefined);
  return {
    family: written ? words.slice(0, -1) : words,
    given: given.flatMap(nameWords),
    suffix: generation ?? (written ? (GENERATIONS[last] ?? '') : ''),
  };
}

function comparePair(a: Name, b: Name, nicknames: MatchRules['nicknames']): NameDegrees {
  const suffix = a.suffix && b.suffix ? ({ suffix: a.suffix === b.suffix ? 'equal' : 'different' } as const) : {};
  const whole = a.family.length > 0 && a.given.length > 0 && b.family.length > 0 && b.given.length > 0;
  const straight = a.family.join('') === b.family.join('');
  if (whole && !straight && a.family.join('') === b.given.join('') && a.given.join('') === b.family.join('')) {
    return { family: 'swapped', given: 'swapped', ...suffix };
  }
  return {
    ...(a.family.length > 0 && b.family.length > 0 ? { family: compareFamily(a.family, b.family) } : {}),
    ...(a.given.length > 0 && b.given.length > 0 ? { given: compareGiven(a.given, b.given, nicknames) } : {}),
    ...suffix,
  };
}

function compareFamily(a: readonly string[], b: readonly string[]): Degree {
  const [left, right] = [a.join(''), b.join('')];
  if (left === right) return 'equal';
  // One half of a double name.
  if (a.some((word) => word.length > 2 && b.includes(word))) return 'similar';
  return isSimilar(left, right) ? 'similar' : 'different';
}

function compareGiven(a: readonly string[], b: readonly string[], nicknames: MatchRules['nicknames']): Degree {
  const [first = '', ...restA] = a;
  const [other = '', ...restB] = b;
  const middle = restA.length > 0 && restB.length > 0 && restA[0]?.[0] !== restB[0]?.[0];
  if (first === other) return middle ? 'similar' : 'equal';
  if (a.join('') === b.join('')) return 'equal';
  if (nicknames.some((group) => group.includes(first) && group.includes(other))) return 'nickname';
  if (first.length === 1 || other.length === 1) return first[0] === other[0] ? 'initial' : 'different';
  return isSimilar(first, other) ? 'similar' : 'different';
}

function isSimilar(left: string, right: string): boolean {
  return Math.min(left.length, right.length) >= SHORTEST_SIMILAR && editDistance(left, right) === 1;
}

/** Only to choose between the names of one person; the rules give the weights. */
function worth({ family, given }: NameDegrees): number {
  const value = (degree: Degree | undefined) =>
    degree === undefined ? 0 : degree === 'equal' ? 3 : degree === 'different' ? -1 : 2;
  return value(family) + value(given);
}
