// What the server can do at the moment: its vendor's table, less what a knob took away, plus what one added.
import type { Ability, VendorRules } from '../vendors/vendor-rules.ts';
import { searchableParameters } from '../vocabulary.ts';
import { readAbilityWord } from './ability-word.ts';
import type { Knobs } from './knobs.ts';

export interface Abilities {
  types(): readonly string[];
  can(type: string, ability: Ability): boolean;
  abilitiesOf(type: string): ReadonlySet<string>;
  parametersOf(type: string): ReadonlySet<string>;
  has(ability: 'conditional' | 'versions' | 'batch' | 'transaction' | 'history-system'): boolean;
}

interface Now {
  readonly types: ReadonlyMap<string, { readonly can: Set<string>; readonly search: Set<string> }>;
  readonly general: Set<string>;
}

const NOTHING: ReadonlySet<string> = new Set();

export function createAbilities(rules: VendorRules, knobs: Knobs): Abilities {
  let made: { readonly lose: string[]; readonly gain: string[]; readonly now: Now } | undefined;
  const now = (): Now => {
    if (made?.lose !== knobs.lose || made.gain !== knobs.gain) {
      made = { lose: knobs.lose, gain: knobs.gain, now: drifted(rules, knobs) };
    }
    return made.now;
  };
  return {
    types: () => [...now().types.keys()],
    can: (type, ability) => now().types.get(type)?.can.has(ability) ?? false,
    abilitiesOf: (type) => now().types.get(type)?.can ?? NOTHING,
    parametersOf: (type) => now().types.get(type)?.search ?? NOTHING,
    has: (ability) => now().general.has(ability),
  };
}

function drifted(rules: VendorRules, { lose, gain }: Knobs): Now {
  const types = new Map<string, { can: Set<string>; search: Set<string> }>();
  for (const [type, { can, search }] of Object.entries(rules.types)) {
    types.set(type, { can: words(can), search: search === '*' ? everything(type) : words(search) });
  }
  const general = new Set<string>(rules.systemAbilities);
  if (rules.conditional) general.add('conditional');
  if (rules.versions) general.add('versions');
  for (const word of gain) drift(word, types, general, true);
  for (const word of lose) drift(word, types, general, false);
  return { types, general };
}

function drift(
  word: string,
  types: Map<string, { can: Set<string>; search: Set<string> }>,
  general: Set<string>,
  gained: boolean,
): void {
  const read = readAbilityWord(word);
  const change = (set: Set<string>, item: string) => (gained ? set.add(item) : set.delete(item));
  if (!read) return;
  if ('general' in read) return void change(general, read.general);
  const { type, ability, parameter } = read;
  const row = types.get(type) ?? { can: new Set<string>(), search: new Set<string>() };
  if (gained) types.set(type, row);
  if (ability) change(row.can, ability);
  else if (parameter) change(row.search, parameter);
  else if (!gained) types.delete(type);
}

const words = (text: string) => new Set(text.split(' ').filter(Boolean));

function everything(type: string): Set<string> {
  return new Set([...searchableParameters(type).map(({ code }) => code), '_id', '_lastUpdated']);
}
