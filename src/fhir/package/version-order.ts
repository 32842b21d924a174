// Which of two versions is the newer one, as semantic versioning orders them; versions that are none (dates, labels) are
// ordered part by part all the same. https://semver.org/#spec-item-11

/** Negative when `a` is older than `b`; no version at all is the oldest. */
export function compareVersions(a: string | undefined, b: string | undefined): number {
  const [left, right] = [split(a), split(b)];
  const core = compareParts(left.core, right.core);
  if (core !== 0) return core;
  // 1.0.0-ballot comes before 1.0.0.
  if (left.label.length === 0 || right.label.length === 0) return right.label.length - left.label.length;
  return compareParts(left.label, right.label);
}

interface Parts {
  readonly core: readonly string[];
  readonly label: readonly string[];
}

function split(version = ''): Parts {
  const [, core = '', label = ''] = /^([^-+]*)(?:-([^+]*))?/.exec(version) ?? [];
  return { core: partsOf(core), label: partsOf(label) };
}

const partsOf = (text: string) => (text === '' ? [] : text.split('.'));

function compareParts(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = comparePart(a[i], b[i]);
    if (order !== 0) return order;
  }
  return 0;
}

/** Numbers by value and before words. */
function comparePart(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  const [numeric, otherNumeric] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (numeric && otherNumeric) return Number(a) - Number(b);
  if (numeric !== otherNumeric) return numeric ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
