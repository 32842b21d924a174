// What is said when a value set cannot be worked with completely: an error that names what is missing, never a shorter
// list or a "no".
import type { ValueSet } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import type { Gap } from './gap.ts';

const MOST = 10;

export function cannotExpand(valueSet: ValueSet, gaps: readonly Gap[]): Fault {
  const name = valueSet.url ?? 'The value set';
  return new Fault('unprocessable', `${name} cannot be expanded here.`, {
    issues: reasons(gaps.filter(({ partial }) => !partial)).map((text) => ({
      severity: 'error',
      code: 'not-supported',
      details: { text: `${name} cannot be expanded here: ${text}` },
    })),
  });
}

/** Sentences, each once. */
export function reasons(gaps: readonly Gap[]): string[] {
  return [...new Set(gaps.map(({ text }) => text))].slice(0, MOST);
}
