// Whether a Coding says what its code means, as far as the code system is known here.
import type { Coding } from '@medplum/fhirtypes';
import { createLibrary } from '../../terminology/library.ts';
import type { Terminology } from '../../terminology/terminology.ts';
import { displaysOf } from '../../terminology/wording.ts';

/** @returns a sentence for a code that its system does not have, or a display that is not one of the code's */
export function codingAdvice({ source }: Terminology): (value: unknown) => string | undefined {
  const library = createLibrary(source, { anyVersion: true });
  return (value) => {
    const { system, version, code, display } = value as Coding;
    const of = system === undefined || code === undefined ? undefined : library.codeSystem(system, version);
    if (!of || system === undefined || code === undefined) return undefined;
    const concept = of.find(code);
    if (!concept) return of.complete ? `The code system ${system} has no such code.` : undefined;
    if (display === undefined) return undefined;
    const displays = displaysOf(library, { system, version: of.version, code, concept, of });
    if (displays.length === 0 || displays.some((one) => normal(one) === normal(display))) return undefined;
    return `The display is not one of the code's; the code system says "${displays[0]}".`;
  };
}

/** Case and spacing do not tell displays apart. */
function normal(text: string): string {
  return text.trim().replace(/\s+/g, ' ').toLowerCase();
}
