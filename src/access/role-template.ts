// Queries in the rules of roles have places for what the user is: `participant={user},{organizations}`. Filled in per value
// of a parameter, so that `member-period={organizations}$ap{now}` asks of each organization by itself.

/** What each place stands for; one without values takes the alternative that it is in away. */
export type RoleValues = Readonly<Record<string, readonly string[]>>;

/** Places that a file may have, with a value that a query can be checked with. */
const EXAMPLES: RoleValues = {
  user: ['Practitioner/x'],
  id: ['x'],
  organizations: ['Organization/x'],
  locations: ['Location/x'],
  now: ['2026-11-28T12:00:00Z'],
};

/**
 * The query for a person.
 * @returns undefined when a parameter is left without any value, because that would ask for nothing and find everything
 */
export function filled(query: string, values: RoleValues): string | undefined {
  const [, path = '', parameters = ''] = /^([A-Z][A-Za-z]+\?)?(.*)$/.exec(query) ?? [];
  const pairs: string[] = [];
  for (const pair of parameters.split('&')) {
    const [, name = '', value = ''] = /^(.*?)=(.*)$/.exec(pair) ?? [];
    const alternatives = value.split(',').flatMap((each) => eachOf(each, values));
    if (alternatives.length === 0 || alternatives.every((each) => each === '')) return undefined;
    pairs.push(`${name}=${alternatives.join(',')}`);
  }
  return `${path}${pairs.join('&')}`;
}

/** The same with examples for all places; one that nobody knows stays as it is. */
export function exampleOf(query: string): string {
  return query.replace(/\{(\w+)\}/g, (place, name: string) => EXAMPLES[name]?.[0] ?? place);
}

/** @throws Error naming a place that stands for nothing */
export function refuseUnknownPlaces(query: string, path: string): void {
  const unknown = [...query.matchAll(/\{(\w+)\}/g)].find(([, name = '']) => !(name in EXAMPLES));
  if (!unknown) return;
  const known = Object.keys(EXAMPLES).map((name) => `{${name}}`);
  throw new Error(`${path}: ${query}: ${unknown[0]} stands for nothing; there is ${known.join(', ')}.`);
}

/** One alternative for each value of the first place in it, and so on with what is left. */
function eachOf(alternative: string, values: RoleValues): string[] {
  const place = /\{(\w+)\}/.exec(alternative);
  if (!place) return [alternative];
  const [before, after] = [alternative.slice(0, place.index), alternative.slice(place.index + place[0].length)];
  return (values[place[1] ?? ''] ?? []).flatMap((value) => eachOf(`${before}${value}${after}`, values));
}
