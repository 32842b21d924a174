// The terminology that is there without asking the store: R4's own and what is installed, installed first.
import { toCanonical } from './canonical.ts';
import { createLibrary } from './library.ts';
import { packagedTerminology } from './packaged.ts';
import { selectValueSet } from './select-value-set.ts';
import { layered, type TerminologySource } from './source.ts';
import { type ValueSetCodes, valueSetCodes } from './value-set-codes.ts';

export interface Terminology {
  /** Installed before R4's own. */
  readonly source: TerminologySource;
  /** The codes of a value set; undefined when it is not installed. Made when first asked for, then kept. */
  codes(valueSet: string): ValueSetCodes | undefined;
}

export function createTerminology(installed: TerminologySource): Terminology {
  const source = layered(installed, packagedTerminology());
  const library = createLibrary(source, { anyVersion: true });
  const known = new Map<string, ValueSetCodes | undefined>();
  return {
    source,
    codes(valueSet) {
      if (known.has(valueSet)) return known.get(valueSet);
      const found = library.valueSet(toCanonical(valueSet));
      const codes = found && valueSetCodes(selectValueSet(library, found));
      known.set(valueSet, codes);
      return codes;
    },
  };
}
