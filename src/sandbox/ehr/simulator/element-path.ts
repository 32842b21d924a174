// Search parameters that are a plain path, read without a FHIRPath engine: nearly all of them, and many times faster.

export type Read = (resource: object) => readonly unknown[];

const PLAIN = /^\(?([A-Z][A-Za-z]+)((?:\.[a-z][A-Za-z]*)+?)(\.where\(resolve\(\) is ([A-Z][A-Za-z]+)\))?\)?$/;

/**
 * @param expression of the SearchParameter, with the alternatives of all its types
 * @returns undefined when it needs an engine
 */
export function plainPath(expression: string, type: string): Read | undefined {
  const mine = expression.split('|').map((each) => each.trim());
  const matching = mine.filter((each) => each.replace(/^\(/, '').startsWith(`${type}.`));
  const [, , path = '', , target] = (matching.length === 1 && PLAIN.exec(matching[0] ?? '')) || [];
  if (path === '') return undefined;
  const names = path.slice(1).split('.');
  return (resource) => {
    let found: readonly unknown[] = [resource];
    for (const name of names) found = found.flatMap((each) => childOf(each as Record<string, unknown>, name));
    return target === undefined ? found : found.filter((each) => pointsTo(each, target));
  };
}

/** The element's values; of a choice like `value[x]` the one that is there. */
function childOf(holder: Record<string, unknown>, name: string): readonly unknown[] {
  const value = holder[name] ?? holder[Object.keys(holder).find((key) => isChoice(key, name)) ?? ''];
  return Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
}

const isChoice = (key: string, name: string) =>
  key.startsWith(name) && /^[A-Z]/.test(key.slice(name.length)) && CHOICE_TYPES.has(key.slice(name.length));

const CHOICE_TYPES = new Set(
  'Boolean Integer Decimal String Date DateTime Time Instant Uri Code CodeableConcept Coding Identifier Period Quantity Range Reference Timing Age Duration'.split(
    ' ',
  ),
);

const pointsTo = (value: unknown, type: string) =>
  ((value as { reference?: string }).reference ?? '').includes(`${type}/`);
