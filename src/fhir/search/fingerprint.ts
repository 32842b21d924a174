// What the search rows of a type depend on, as short texts that differ when the rows would: an index made by other
// definitions must be made anew before it is searched.
import { createHash } from 'node:crypto';
import type { ParameterDefinition, SearchParameters } from './parameters.ts';

/** Raise it when extraction changes what it finds for the same definition. */
const EXTRACTION = 1;
/** What no SearchParameter's expression defines: words for `_text` and `_content`, members of lists, positions. */
const WORDS = { _text: 'words-1', _content: 'words-1' };
const SPECIAL: Readonly<Record<string, Fingerprints>> = {
  List: { _list: 'members-1' },
  Location: { near: 'positions-1' },
};

/** Code to fingerprint. */
export type Fingerprints = Readonly<Record<string, string>>;

/** They are asked for with every store that is opened and every guide that comes, and a definition never changes. */
const known = new WeakMap<ParameterDefinition, string>();

/** Resource type to the fingerprints of everything that its resources are indexed by, codes sorted. */
export function fingerprints(parameters: SearchParameters): ReadonlyMap<string, Fingerprints> {
  const of = (definition: ParameterDefinition) => {
    const print = known.get(definition) ?? fingerprint(definition);
    known.set(definition, print);
    return print;
  };
  return new Map(
    parameters.types.map((type): [string, Fingerprints] => {
      const entries = parameters.forType(type).map((definition) => [definition.code, of(definition)] as const);
      const all = [...entries, ...Object.entries(WORDS), ...Object.entries(SPECIAL[type] ?? {})];
      return [type, Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1)))];
    }),
  );
}

/** One text for all of them. */
export function fingerprintOfAll(all: ReadonlyMap<string, Fingerprints>): string {
  return hash([...all]);
}

function fingerprint({ kind, branches, components }: ParameterDefinition): string {
  return hash([EXTRACTION, kind, branches, components.map((part) => [part.kind, part.branches])]);
}

const hash = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 16);
