// How a person is called on a screen.
import type { HumanName } from '@medplum/fhirtypes';

/** The name in use now: the official or usual one before others, without old ones; undefined when there is none. */
export function personName(names: readonly HumanName[] | undefined): string | undefined {
  const current = (names ?? []).filter(({ use }) => use !== 'old' && use !== 'maiden');
  const name =
    current.find(({ use }) => use === 'official') ?? current.find(({ use }) => use === 'usual') ?? current[0];
  const words = name?.text ?? [...(name?.given ?? []), name?.family].filter(Boolean).join(' ');
  return words === '' ? undefined : words;
}
