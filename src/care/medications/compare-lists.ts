// In what medication lists differ. Pure: the same lists in any order of their lines give the same differences.

/** One medication of a list, as far as comparing needs it. */
export interface Taken {
  /** Unique within its list. */
  readonly id: string;
  /** Codes it is known by, `system|code`; empty when there is only a name. */
  readonly codes: readonly string[];
  readonly name: string;
  readonly dose?: { readonly value: number; readonly unit: string } | undefined;
  /** Times a day; a fraction when less often. */
  readonly daily?: number | undefined;
  readonly asNeeded?: boolean | undefined;
  /** Codes or name of the route. */
  readonly route?: string | undefined;
  /** What is written about how to take it, which may stand for all of the above. */
  readonly instructions?: string | undefined;
}

export const LIST_KINDS = ['before-admission', 'at-discharge', 'current'] as const;
export type ListKind = (typeof LIST_KINDS)[number];

/** A list that is not there is not compared: that nothing is known of it is no omission. */
export type Lists = Readonly<Partial<Record<ListKind, readonly Taken[]>>>;

export const DISCREPANCY_KINDS = [
  'omission',
  'addition',
  'dose',
  'frequency',
  'route',
  'duplicate',
  'unknown',
] as const;
export type DiscrepancyKind = (typeof DISCREPANCY_KINDS)[number];

export interface Discrepancy {
  readonly kind: DiscrepancyKind;
  /** Earlier and later list; the same twice for a duplicate. */
  readonly lists: readonly [ListKind, ListKind];
  /** What the earlier and the later list have of it. */
  readonly earlier: readonly Taken[];
  readonly later: readonly Taken[];
}

/** Each list against the next one there is, and each against itself. */
export function compareLists(lists: Lists): Discrepancy[] {
  const there = LIST_KINDS.filter((kind) => lists[kind] !== undefined);
  const pairs = there.slice(1).map((later, at) => [there[at] ?? later, later] as const);
  return [
    ...there.flatMap((kind) => duplicatesIn(kind, lists[kind] ?? [])),
    ...pairs.flatMap(([earlier, later]) => comparePair(earlier, later, lists[earlier] ?? [], lists[later] ?? [])),
  ];
}

function duplicatesIn(kind: ListKind, list: readonly Taken[]): Discrepancy[] {
  return groupsOf(list)
    .filter((group) => group.length > 1)
    .map((group) => ({ kind: 'duplicate', lists: [kind, kind], earlier: inOrder(group), later: [] }));
}

function comparePair(from: ListKind, to: ListKind, earlier: readonly Taken[], later: readonly Taken[]): Discrepancy[] {
  const mine = earlier.map((one) => ({ ...one }));
  const isEarlier = new Set(mine);
  return groupsOf([...mine, ...later]).flatMap((group) => {
    const before = inOrder(group.filter((one) => isEarlier.has(one)));
    const after = inOrder(group.filter((one) => !isEarlier.has(one)));
    // What is on both lists as it is, needs no partner among what is not.
    for (const one of [...before]) {
      const same = after.findIndex((other) => differences(one, other).length === 0);
      if (same < 0) continue;
      after.splice(same, 1);
      before.splice(before.indexOf(one), 1);
    }
    return Array.from({ length: Math.max(before.length, after.length) }).flatMap((_, at) =>
      differ(from, to, before[at], after[at]),
    );
  });
}

function differ(from: ListKind, to: ListKind, one: Taken | undefined, other: Taken | undefined): Discrepancy[] {
  const found = { lists: [from, to] as const, earlier: one ? [one] : [], later: other ? [other] : [] };
  if (!one || !other) return [{ kind: one ? 'omission' : 'addition', ...found }];
  return differences(one, other).map((kind) => ({ kind, ...found }));
}

/** In what two lines for one medication differ, or why that cannot be told. */
function differences(one: Taken, other: Taken): DiscrepancyKind[] {
  const told: DiscrepancyKind[] = [];
  let untold = false;
  const check = (kind: DiscrepancyKind, a: string | undefined, b: string | undefined) => {
    if (a === b) return;
    if (a === undefined || b === undefined) untold = true;
    else told.push(kind);
  };
  check('dose', doseOf(one), doseOf(other));
  check('frequency', frequencyOf(one), frequencyOf(other));
  check('route', lower(one.route), lower(other.route));
  const onlyWords = [one, other].some((line) => doseOf(line) === undefined || frequencyOf(line) === undefined);
  if (onlyWords && lower(one.instructions) !== lower(other.instructions)) untold = true;
  return untold ? [...told, 'unknown'] : told;
}

const doseOf = ({ dose }: Taken) => (dose ? `${dose.value} ${dose.unit.toLowerCase()}` : undefined);

/** As needed is another frequency than always, also at the same rate. */
function frequencyOf({ daily, asNeeded = false }: Taken): string | undefined {
  if (daily === undefined) return asNeeded ? 'as needed' : undefined;
  return `${daily.toPrecision(6)}${asNeeded ? ' as needed' : ''}`;
}

/** Lines for the same medication together: those that share a code, or a name where one has no code. */
function groupsOf(lines: readonly Taken[]): Taken[][] {
  const groups: Taken[][] = [];
  for (const line of lines) {
    const same = groups.filter((group) => group.some((one) => isSameMedication(one, line)));
    const merged = [...same.flat(), line];
    for (const group of same) groups.splice(groups.indexOf(group), 1);
    groups.push(merged);
  }
  return groups;
}

export function isSameMedication(one: Taken, other: Taken): boolean {
  if (one.codes.some((code) => other.codes.includes(code))) return true;
  const isNameAll = one.codes.length === 0 || other.codes.length === 0;
  return isNameAll && lower(one.name) === lower(other.name);
}

function inOrder(lines: readonly Taken[]): Taken[] {
  return lines.toSorted((a, b) => (signatureOf(a) < signatureOf(b) ? -1 : 1));
}

/** All that comparing looks at. */
export function signatureOf(line: Taken): string {
  const { codes, name, route, instructions } = line;
  return JSON.stringify([
    codes.toSorted(),
    lower(name),
    doseOf(line),
    frequencyOf(line),
    lower(route),
    lower(instructions),
    line.id,
  ]);
}

const lower = (words: string | undefined) => words?.trim().replace(/\s+/g, ' ').toLowerCase();
